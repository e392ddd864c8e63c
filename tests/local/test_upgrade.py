"""A stack of a former release, in which a child had another name, comes up with this one: nothing is replaced.

No release is published yet, so the former one is made from this one: a stack is brought up, and in its state one role
gets another name, which is all that a release with that name would have left differently. What is proven is that the
table of former names is enough for the engine and the providers, data and running containers included. That no name
changes without an entry in it is the business of tests/components/test_children.py.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from support.program import Program
from support.stack import docker, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APP = """
from flask import Flask

def create_app():
    app = Flask(__name__)
    for path in ("/", "/health", "/ready"):
        app.add_url_rule(path, path, lambda: "served")
    return app
"""
CODE = """
from flaskstack import AppImage, EdgePolicy, FlaskApp, Limits, LocalStack, naming

naming.FORMER_ROLES["LocalStack"] = {former!r}
app = FlaskApp(name="shop", path="shop", entry="shop:create_app()", postgres=False)
image = AppImage("shop", {{"app": app}})
LocalStack("shop-local", {{
    "app": app, "image": image.ref, "port": {port}, "replicas": 1,
    "edge": EdgePolicy(https=False), "limits": Limits(nofile=16384),
}})
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "shop.py").write_text(APP)
    (tmp_path / "shop" / "requirements.txt").write_text("flask\n")
    try:
        yield made
    finally:
        volumes = [item["id"] for item in made.state().values() if item["type"] == "docker:index/volume:Volume"]
        made.remove()
        for volume in volumes:
            docker("volume", "rm", volume, check=False)
        docker("rmi", "--force", "shop:latest", check=False)


def test_a_stack_of_a_former_release_keeps_every_resource_when_children_were_renamed(program: Program) -> None:
    port = free_port()
    program.write(CODE.format(former={}, port=port))
    program.up()
    before = program.state()
    assert {"shop-local-web-0", "shop-local-redis-data"} <= before.keys()

    # What a release would have left whose web replicas were called app, and whose volume was called store.
    former = re.sub(r"::shop-local-web-(\d)", r"::shop-local-app-\1", program.exported())
    former = former.replace("::shop-local-redis-data", "::shop-local-store")
    file = program.folder / "former.json"
    file.write_text(former)
    program.run("stack", "import", "--file", str(file))
    assert {"shop-local-app-0", "shop-local-store"} <= program.state().keys()

    assert not program.unchanged(), "without the former names the engine would not notice, so this proves nothing"
    program.write(CODE.format(former={"web": "app", "redis-data": "store"}, port=port))
    steps = json.loads(program.run("preview", "--json"))["changeSummary"]
    assert set(steps) == {"same"}
    program.up()

    after = program.state()
    assert after.keys() == before.keys()
    assert {name: item.get("id") for name, item in after.items()} == {
        name: item.get("id") for name, item in before.items()
    }
    assert program.unchanged()
