"""Shortest ways to record the components under test."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pulumi
from support.recorder import Recording, record

from flaskstack import FlaskApp, LocalStack
from flaskstack.local_stack import LocalStackArgs

NAME = "flaskstack-test"
IMAGE = "sha256:" + "ab" * 32
MIGRATE = ("flask", "--app", "app:create_app", "db", "upgrade")


def local_stack(app: FlaskApp | None = None, image: str = IMAGE, **args: Any) -> Recording:
    """What a `LocalStack` of these arguments registers."""
    given = cast("LocalStackArgs", {"app": app or FlaskApp(migrate=MIGRATE), "image": image, **args})

    def build() -> pulumi.Output[Any]:
        stack = LocalStack(NAME, given)
        return pulumi.Output.all(url=stack.url, image=stack.image, volumes=stack.volumes)

    return record(build)


def folder(root: Path, **files: str) -> FlaskApp:
    """An application whose folder holds `files`; a double underscore stands for a dot, as in `requirements__txt`."""
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / name.replace("__", ".")).write_text(text)
    return FlaskApp(path=str(root))
