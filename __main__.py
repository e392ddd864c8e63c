"""The program: settings -> image -> the stack's target -> outputs."""

from __future__ import annotations

import gc

import pulumi

from flaskstack import AppImage, LocalStack
from stacks.settings import load

settings = load()
name = f"{pulumi.get_project()}-{pulumi.get_stack()}"

image = settings.image.ref or AppImage(f"{name}-app", settings.image_args()).ref

if settings.target == "kubernetes":
    # Imported here: its SDK costs half a second, which the other target need not pay.
    from flaskstack import KubernetesApp

    cluster = settings.kubernetes.provider(f"{name}-cluster")
    args = settings.kubernetes_args(image)
    if settings.kubernetes.create_namespace or settings.app.data:
        # Namespace and data outlive the stack, so a stack that comes back has to take them over.
        adopting = settings.kubernetes.provider(f"{name}-namespaces", adopts=True)
        args["namespace_provider"] = args["storage_provider"] = adopting
    app = KubernetesApp(name, args, pulumi.ResourceOptions(providers=[cluster]))
    pulumi.export("url", app.url)
    pulumi.export("image", app.image)
    pulumi.export("namespace", app.namespace)
    pulumi.export("deployment", app.deployment)
    pulumi.export("service", app.service)
else:
    stack = LocalStack(name, settings.local_args(image))
    pulumi.export("url", stack.url)
    pulumi.export("image", stack.image)
    pulumi.export("volumes", stack.volumes)

# What is left is to wait for the resources. A last walk through every object would add 0.3 s to each preview.
gc.freeze()
