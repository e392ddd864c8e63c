"""How a process is asked whether it lives or can serve: by a path, or by a connection.

By a path, an answer of 200 to 399 counts, as for the kubelet: a redirect is an answer, and is not followed. An
application that answers 4xx or 5xx wherever it is asked is asked by a connection.
"""

from __future__ import annotations

from typing import Annotated, Final

import pydantic

TCP: Final = "tcp"
"""Instead of a path: the port takes a connection. Gunicorn opens it once the application is loaded."""

Probe = Annotated[str, pydantic.Field(pattern=r"^(tcp|/[A-Za-z0-9._~!&*+,=:@%/-]*)$")]


def command(probe: str, port: int, host: str) -> str:
    """Return a shell command that fails unless the process answers. Needs only the Python that runs the application."""
    if probe == TCP:
        return f"python -c \"import socket; socket.create_connection(('127.0.0.1', {port}), 4)\""
    return (
        'python -c "import http.client; '
        f"asked = http.client.HTTPConnection('127.0.0.1', {port}, timeout=4); "
        f"asked.request('GET', '{probe}', headers={{'Host': '{host}'}}); "
        'raise SystemExit(asked.getresponse().status > 399)"'
    )
