"""The images that a stack is made of, unless its settings name others. One place: the toolchain reads it too."""

from __future__ import annotations

from typing import Final

DEFAULT_IMAGES: Final = {
    "base": "python:3.13-slim",
    "nginx": "nginx:1.30",
    "postgres": "postgres:17",
    "redis": "redis:8",
}
"""Role -> image reference. nginx must be 1.28 or later: the release relies on `resolve` in upstream servers (1.27.3)
and on `keepalive_min_timeout` (1.27.4)."""
