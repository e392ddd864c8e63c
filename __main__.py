"""The program: settings -> image -> stack -> outputs."""

from __future__ import annotations

import pulumi

from flaskstack import AppImage, LocalStack
from stacks.settings import load

settings = load()
name = f"{pulumi.get_project()}-{pulumi.get_stack()}"

image = settings.image.ref or AppImage(f"{name}-app", settings.image_args()).ref
stack = LocalStack(name, settings.local_args(image))

pulumi.export("url", stack.url)
pulumi.export("image", stack.image)
pulumi.export("volumes", stack.volumes)
