"""httpbin as it comes from PyPI: nginx in front, Gunicorn behind, on this machine's Docker engine."""

import pulumi

from flaskstack import AppImage, FlaskApp, Limits, LocalStack

# It has no health route, so any path that answers says that it can serve. It keeps no data.
app = FlaskApp(
    path="httpbin", entry="httpbin:app", liveness="tcp", readiness="/status/200", postgres=False, redis=False
)
name = f"{pulumi.get_project()}-{pulumi.get_stack()}"
image = AppImage(name, {"app": app})
port = pulumi.Config().require_int("port")
stack = LocalStack(name, {"app": app, "image": image.ref, "port": port, "limits": Limits(nofile=16_384)})
pulumi.export("url", stack.url)
