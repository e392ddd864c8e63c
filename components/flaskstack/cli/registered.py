"""What a component registers, without an engine: the same code that `pulumi up` runs, and each resource's inputs.

Secrets never get here: a component is run with references in their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Made = Callable[[str, str, Mapping[str, Any]], dict[str, Any]]

STACK: Final = "flaskstack"
"""Stack's name while recording. What carries it gets a name of its own in the files."""


@dataclass(frozen=True)
class Resource:
    """One registration."""

    type: str
    name: str
    id: str
    inputs: dict[str, Any]
    """As the provider would get them."""
    after: tuple[str, ...]
    """Names of the resources that must exist before."""


def registered(build: Callable[[], object], project: str, made: Made) -> list[Resource]:
    """Run `build`, which registers components, and return what they registered, in order.

    `made`: type, name and inputs of a resource -> what an engine would add to them.
    """
    monitor = _Monitor(_Outputs(made))

    @pulumi.runtime.test  # type: ignore[untyped-decorator]  # the SDK's own; it waits for all registrations
    def run() -> None:
        build()

    pulumi.runtime.set_mocks(monitor.mocks, project=project, stack=STACK, preview=False, monitor=monitor)
    run()
    names = {urn: resource.name for urn, resource in monitor.seen}
    return [
        Resource(each.type, each.name, each.id, each.inputs, tuple(names[urn] for urn in each.after if urn in names))
        for _, each in monitor.seen
    ]


class _Monitor(mocks.MockMonitor):
    """The engine's side. Keeps the whole request: `pulumi.runtime.Mocks` is not shown what a resource comes after."""

    def __init__(self, outputs: _Outputs) -> None:
        super().__init__(outputs)
        self.seen: list[tuple[str, Resource]] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802  # the protocol's own
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.custom and request.type != "pulumi:pulumi:Stack":
            inputs = _plain(json_format.MessageToDict(request.object))
            after = tuple(request.dependencies)
            self.seen.append((response.urn, Resource(request.type, request.name, response.id, inputs, after)))
        return response


class _Outputs(pulumi.runtime.Mocks):
    def __init__(self, made: Made) -> None:
        self.made = made

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return f"{args.name}-id", {**args.inputs, **self.made(args.typ, args.name, args.inputs)}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise NotImplementedError(args.token)


def _plain(value: Any) -> Any:  # noqa: ANN401  # any value of the protocol
    """Return a value without the marks of secrets, and with whole numbers as such: the protocol knows floats only."""
    match value:
        case dict() if rpc._special_sig_key in value:  # noqa: SLF001  # its only name; what is in it is a secret's value
            return _plain(value["value"])
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case float() if value.is_integer():
            return int(value)
    return value
