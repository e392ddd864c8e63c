"""What a program registers, without an engine: every resource with inputs and options, as the engine would get them.

`record` runs a function that registers resources and returns when all registrations are through; assert after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc
from pulumi.runtime.proto import resource_pb2

CONTAINER: Final = "docker:index/container:Container"
VOLUME: Final = "docker:index/volume:Volume"
NETWORK: Final = "docker:index/network:Network"
REMOTE_IMAGE: Final = "docker:index/remoteImage:RemoteImage"
IMAGE: Final = "docker-build:index:Image"
COMMAND: Final = "command:local:Command"
PASSWORD: Final = "random:index/randomPassword:RandomPassword"
GENERATED: Final = "generated-password"
"""What a random password is here."""
SUFFIX: Final = "x1y2z"
"""What a random string is here."""
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"


@dataclass(frozen=True)
class Secret:
    """A value that the engine was told to keep secret."""

    value: Any


@dataclass(frozen=True)
class Resource:
    """One registration. `inputs` holds a `Secret` where a value is one; `plain` is the same with their values."""

    type: str
    name: str
    urn: str
    inputs: dict[str, Any]
    options: resource_pb2.RegisterResourceRequest

    @property
    def plain(self) -> dict[str, Any]:
        return dict(_revealed(self.inputs))

    @property
    def id(self) -> str:
        return f"{self.name}-id"

    @property
    def parent(self) -> str:
        return str(self.options.parent)

    @property
    def secret_texts(self) -> set[str]:
        """All texts that are secret, however deep they stand."""
        return {str(item) for item in _secrets(self.inputs)}

    def environment(self) -> dict[str, str | Secret]:
        """A container's variables. The whole line NAME=VALUE is one input, so it is secret as a whole."""
        variables: dict[str, str | Secret] = {}
        for line in self.inputs.get("envs", []):
            name, _, value = str(line.value if isinstance(line, Secret) else line).partition("=")
            variables[name] = Secret(value) if isinstance(line, Secret) else value
        return variables


@dataclass
class Recording:
    """All that was registered, in order."""

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """URN of a component -> the outputs that it registered."""
    value: Any = None
    """What the recorded function returned, resolved."""

    def of(self, kind: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == kind]

    def one(self, name: str) -> Resource:
        """The one resource whose name ends with `name`."""
        found = [resource for resource in self.resources if resource.name == name or resource.name.endswith(f"-{name}")]
        assert len(found) == 1, f"{name}: {[resource.name for resource in found]} of {self.names()}"
        return found[0]

    def container(self, name: str) -> Resource:
        """The one container whose name ends with `name`, whatever number follows."""
        (found,) = [each for each in self.of(CONTAINER) if re.search(rf"-{name}(-\d+)?$", each.name)]
        return found

    def names(self) -> list[str]:
        return [resource.name for resource in self.resources]

    def after(self, resource: Resource) -> set[str]:
        """Names of all resources that must exist before `resource`: what it depends on, and so on."""
        by_urn = {each.urn: each for each in self.resources}
        todo, seen = [resource.urn], set[str]()
        while todo:
            for urn in by_urn[todo.pop()].options.dependencies:
                if urn in by_urn and urn not in seen:
                    seen.add(urn)
                    todo.append(urn)
        return {by_urn[urn].name for urn in seen}


class _Monitor(mocks.MockMonitor):
    """The engine's side: keeps the whole request, which `pulumi.runtime.Mocks` alone is not shown."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(_Outputs())
        self.recording = recording

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the protocol's own name
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            inputs = _wrapped(json_format.MessageToDict(request.object))
            self.recording.resources.append(Resource(request.type, request.name, response.urn, inputs, request))
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        self.recording.outputs[request.urn] = _wrapped(json_format.MessageToDict(request.outputs))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


class _Outputs(pulumi.runtime.Mocks):
    """What resources are once made: their inputs, and what an engine would add."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        added: dict[str, Any] = {}
        match args.typ:
            case "docker:index/container:Container" | "docker:index/volume:Volume" | "docker:index/network:Network":
                added = {"name": args.inputs.get("name") or f"{args.name}-0abc123"}
            case "docker:index/remoteImage:RemoteImage":
                added = {"imageId": f"sha256:{args.name}"}
            case "docker-build:index:Image":
                added = {"digest": "sha256:" + "d" * 64, "ref": "ref"}
            case "random:index/randomPassword:RandomPassword":
                # The engine makes it a secret, because the SDK says so (additional secret outputs).
                added = {"result": pulumi.Output.secret(GENERATED)}
            case "random:index/randomString:RandomString":
                added = {"result": SUFFIX}
        return f"{args.name}-id", {**args.inputs, **added}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        message = f"a component called {args.token}: the recorder has no answer"
        raise AssertionError(message)


def record(  # noqa: PLR0913  # keyword arguments, each with its name at the call
    build: Callable[[], Any],
    *,
    project: str = "flaskstack",
    stack: str = "test",
    config: Mapping[str, str] | None = None,
    secrets: tuple[str, ...] = (),
    preview: bool = False,
) -> Recording:
    """Run `build` and return what it registered. An output that it returns is resolved into `value`."""
    recording = Recording()

    def keep(value: Any) -> None:
        recording.value = value

    @pulumi.runtime.test  # type: ignore[untyped-decorator]  # the SDK's own
    def run() -> pulumi.Output[None]:
        return pulumi.Output.from_input(build()).apply(keep)

    with _loops_closed():
        pulumi.runtime.set_mocks(_Outputs(), project=project, stack=stack, preview=preview, monitor=_Monitor(recording))
        pulumi.runtime.set_all_config(dict(config or {}), list(secrets))
        run()
    return recording


@contextlib.contextmanager
def _loops_closed() -> Iterator[None]:
    """Close every event loop that the SDK makes meanwhile: one here, and one in each thread, which it never closes."""
    make, made = asyncio.new_event_loop, list[asyncio.AbstractEventLoop]()

    def tracked() -> asyncio.AbstractEventLoop:
        made.append(make())
        return made[-1]

    with mock.patch("asyncio.new_event_loop", tracked):
        main = asyncio.new_event_loop()
        asyncio.set_event_loop(main)
        try:
            yield
        finally:
            main.run_until_complete(main.shutdown_default_executor())
            asyncio.set_event_loop(None)
            for loop in made:
                loop.close()


def _wrapped(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return Secret(_revealed(_wrapped(value["value"])))
        return {key: _wrapped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_wrapped(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _revealed(value: Any) -> Any:
    if isinstance(value, Secret):
        return _revealed(value.value)
    if isinstance(value, dict):
        return {key: _revealed(item) for key, item in value.items()}
    return [_revealed(item) for item in value] if isinstance(value, list) else value


def _secrets(value: Any) -> Iterator[Any]:
    if isinstance(value, Secret):
        yield value.value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item)


assert rpc._special_sig_key == _SIGNATURE, "the SDK's mark of a secret is another one now"  # noqa: SLF001
