"""words, an API that counts words in the background: web process, RQ worker, PostgreSQL and Redis on one engine."""

import pulumi

from flaskstack import AppImage, FlaskApp, Limits, LocalStack, Process

config = pulumi.Config()
app = FlaskApp(
    name="words",
    path="app",
    entry="words:create_app()",
    static_url=None,
    migrate=("flask", "--app", "words", "migrate"),
    processes={
        "worker": Process(command=("flask", "--app", "words", "work"), probe=("flask", "--app", "words", "has-worker"))
    },
    secrets=("API_TOKEN",),
)
name = f"{pulumi.get_project()}-{pulumi.get_stack()}"
image = AppImage(name, {"app": app})
stack = LocalStack(
    name,
    {
        "app": app,
        "image": image.ref,
        "port": config.require_int("port"),
        "secrets": {"API_TOKEN": config.require_secret("apiToken")},
        # What Docker engines inside of containers give, too.
        "limits": Limits(nofile=16_384),
    },
)
pulumi.export("url", stack.url)
pulumi.export("volumes", stack.volumes)
