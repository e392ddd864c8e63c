"""What a plugin says of a type of resource. `servicer` turns it into the protocol."""

from __future__ import annotations

import abc
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from plugins.values import UNKNOWN, Secret, keep_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Values = dict[str, Any]
T = TypeVar("T")


class PluginError(Exception):
    """An operation that failed, in the words for the user."""


class PartialError(PluginError):
    """A creation that failed after something was made: the engine keeps it in the state, with the reason."""

    def __init__(self, reason: str, identity: str, outputs: Values) -> None:
        """Keep what was made."""
        super().__init__(reason)
        self.identity = identity
        self.outputs = outputs


@dataclass(frozen=True, slots=True)
class Failure:
    """What is wrong with an input."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to change. Each changed property says whether it replaces the resource."""

    changed: Mapping[str, bool] = field(default_factory=dict)
    delete_first: bool = False
    kinds: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One operation on a resource."""

    urn: str
    log: Callable[[str, str], None] = field(default=lambda _level, _text: None)
    """Write a line beside the resource: level (debug, info, warning, error) and text."""
    status: Callable[[str], None] = field(default=lambda _text: None)
    """Show a line of progress beside the resource; the next one takes its place."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    preview: bool = False
    ignored: tuple[str, ...] = ()
    """Properties whose changes the program ignores."""
    proposed_name: str = ""
    seed: bytes = b""

    @property
    def name(self) -> str:
        """Return the resource's name in the program."""
        return self.urn.rpartition("::")[2]

    def pause(self, seconds: float) -> None:
        """Wait. Raises when the user cancelled."""
        if self.cancelled.wait(seconds):
            raise PluginError("cancelled")


class Resource(abc.ABC):
    """A type of resource. Values are without marks of secrecy, which `mark` adds, unless a method says otherwise."""

    computed: tuple[str, ...] = ()
    """Outputs that are not known before the resource exists."""
    secrets: tuple[str, ...] = ()
    """Outputs that are always secret."""

    @abc.abstractmethod
    def check(self, call: Call, inputs: Values, olds: Values) -> tuple[Values, list[Failure]]:
        """Return the inputs with defaults, and what is wrong with them. Values carry their marks of secrecy."""

    @abc.abstractmethod
    def diff(self, call: Call, olds: Values, inputs: Values, old_inputs: Values) -> Difference:
        """Return what has to change from the state `olds` to `inputs`, which may hold unknown values."""

    @abc.abstractmethod
    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        """Make the resource. Return its id and outputs."""

    def preview_create(self, call: Call, inputs: Values) -> Values:
        """Return what `create` would, without making anything."""
        del call
        return {**inputs, **dict.fromkeys(self.computed, UNKNOWN)}

    def read(self, call: Call, identity: str, olds: Values, inputs: Values) -> tuple[str, Values, Values] | None:
        """Return id, outputs and inputs as they are now; None when it is gone."""
        del call
        return identity, olds, inputs

    def update(self, call: Call, identity: str, olds: Values, inputs: Values) -> Values:
        """Change the resource. Return its outputs."""
        del olds, inputs
        raise PluginError(f"{call.name} ({identity}) cannot be updated")

    def preview_update(self, call: Call, identity: str, olds: Values, inputs: Values) -> Values:
        """Return what `update` would, without changing anything."""
        del call, identity
        return {**olds, **inputs}

    def delete(self, call: Call, identity: str, olds: Values) -> None:
        """Remove the resource."""
        del call, identity, olds

    def mark(self, outputs: Values, *sources: Mapping[str, Any]) -> Values:
        """Return outputs with their marks of secrecy, which follow from those of `sources`."""
        marked = keep_secret(outputs, *sources)
        return {
            name: Secret(value) if name in self.secrets and not isinstance(value, Secret | None) else value
            for name, value in marked.items()
        }


def patiently(call: Call, work: Callable[[], T]) -> T:
    """Do what may take long, and stop waiting for it at once when the user cancels."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001  # raised again below
            failed.append(error)

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    while worker.is_alive():
        worker.join(0.05)
        if worker.is_alive() and call.cancelled.is_set():
            raise PluginError("cancelled")
    if failed:
        raise failed[0]
    return done[0]
