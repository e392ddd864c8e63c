"""The plugin itself: it answers the engine with the schema, and makes components for programs in other languages."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import sys
from typing import TYPE_CHECKING, Any, Final

import pulumi
from pulumi.provider import ConstructResult, Provider, main

from flaskstack import image, kubernetes_app, local_stack
from flaskstack.errors import SettingsError
from flaskstack.kubernetes.plan import Plan
from flaskstack.plugin import arguments, schema, signature

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNATURES: Final = (
    signature.of(image.AppImage, {}),
    signature.of(local_stack.LocalStack, local_stack.DEFAULTS),
    signature.of(
        kubernetes_app.KubernetesApp,
        {part.name: part.default for part in dataclasses.fields(Plan) if part.default is not dataclasses.MISSING},
    ),
)
"""The components of this package."""


class Components(Provider):
    """A provider of components only: it has no resources of its own, and so no state, check or diff."""

    def __init__(self) -> None:
        """Read the schema from the components."""
        about = importlib.metadata.metadata(schema.NAME)
        self._signatures = {f"{schema.NAME}:index:{one.component.__name__}": one for one in SIGNATURES}
        described = schema.package(SIGNATURES, version=about["Version"], description=about["Summary"])
        super().__init__(about["Version"], json.dumps(described))

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Mapping[str, pulumi.Input[Any]],
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Make a component. Wrong arguments are one error that names them all."""
        chosen = self._signatures[resource_type]
        constructor: Any = chosen.component
        try:
            component = constructor(name, arguments.arguments(chosen, inputs), options)
        except SettingsError as error:
            problems = arguments.translated(chosen, error.problems)
            # Not the error's own kind, of which the engine shows a traceback; and no paths of properties, whose values
            # the engine would print.
            raise pulumi.InputPropertiesError(str(SettingsError(problems)), []) from None
        state = {schema.key(output): getattr(component, output) for output in chosen.outputs.model_fields}
        return ConstructResult(component.urn, state)


def serve() -> None:
    """Answer the engine until it is done. The first word of the command line is the engine's address."""
    main(Components(), sys.argv[1:])
