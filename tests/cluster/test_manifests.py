"""What `python -m flaskstack manifests` writes, as the API server reads it: nothing of it is made."""

from __future__ import annotations

import json
import secrets
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.cli import IMAGE, ROOT, flaskstack
from support.cluster import SECONDS, kubectl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def namespace() -> Iterator[str]:
    """Return a namespace of the test's own, which warns of any pod that the restricted standard would not admit."""
    name = f"m{secrets.token_hex(4)}"
    restricted = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": restricted}}
    kubectl("create", "--filename", "-", text=json.dumps(made))
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


def test_the_api_server_takes_each_file_without_a_warning(namespace: str, tmp_path: Path) -> None:
    arguments = ["--name", "guestbook", "--image", IMAGE, "--host", "guestbook.example", "--namespace", namespace]
    flaskstack("manifests", str(ROOT / "app"), *arguments, "--output", str(tmp_path), folder=tmp_path)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    for file in files:
        done = subprocess.run(
            ["kubectl", "--context", "flaskstack", "apply", "--dry-run=server", "--filename", str(file)],
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stderr
        assert not done.stderr, "the API server warns of something"
    assert kubectl("get", "deployments,jobs", "--namespace", namespace, "--output", "name") == ""
