"""What a machine cannot give: the error names the setting, and the same command goes on once it is mended."""

from __future__ import annotations

import secrets
import socket
from typing import TYPE_CHECKING

from support.stack import fetch, production

if TYPE_CHECKING:
    from pathlib import Path


def test_a_port_in_use_and_more_open_files_than_there_are_name_their_settings(tmp_path: Path) -> None:
    stack = production(tmp_path, secrets.token_hex(32))
    try:
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", stack.port))
            holder.listen()
            failed = stack.up().expect(status=1)
        assert f"port {stack.port}" in failed.output
        assert "pulumi config set --path flaskstack:local.port" in failed.output
        stack.set(local={"limits": {"nofile": 1_048_576}})
        failed = stack.up().expect(status=1)
        assert "flaskstack:local.limits.nofile" in failed.output
        stack.set(local={"limits": {"nofile": 16384}})
        stack.up().expect()
        assert fetch(f"{stack.url}/ready").status == 200
    finally:
        stack.remove()
