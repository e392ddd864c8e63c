"""Calls that may take only so long, whatever they wait for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class LateError(Exception):
    """There was no answer in time."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return what `call` returns, or raise what it raises; raise `LateError` after `seconds`.

    A socket's timeout does not cover the look-up of a name, and that is what takes long when a service is gone. The
    call is left behind in a thread of its own, which no exit of the process waits for.
    """
    results: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001  # raised again below, for the caller
            errors.append(error)

    thread = threading.Thread(target=run, name="deadline", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        message = f"no answer within {seconds:g} s"
        raise LateError(message)
    return results[0]
