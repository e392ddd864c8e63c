"""Durations as Go writes them: 90s -> 1m30s. The engine counts in nanoseconds."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PART: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


def nanoseconds(text: str) -> int:
    """Return a duration's nanoseconds. Raises ValueError for what Go would not take."""
    if text == "0":
        return 0
    if not text or _PART.sub("", text):
        raise ValueError(text)
    return sum(round(float(number) * _UNITS[unit]) for number, unit in _PART.findall(text))


def go_duration(count: int) -> str:
    """Return nanoseconds as Go prints them."""
    if count == 0:
        return "0s"
    for unit in ("ns", "us", "ms"):
        if count < _UNITS[unit] * 1000:
            return f"{_decimal(count, _UNITS[unit])}{'µs' if unit == 'us' else unit}"
    minutes, rest = divmod(count, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_decimal(rest, _UNITS['s'])}s"
    return f"{hours}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}" if minutes else seconds


def _decimal(count: int, unit: int) -> str:
    whole, rest = divmod(count, unit)
    if not rest:
        return str(whole)
    width = len(str(unit)) - 1
    return f"{whole}.{str(rest).rjust(width, '0').rstrip('0')}"
