"""Each way to declare dependencies builds, on the real builder, into an image that has what was declared."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.stack import docker

from flaskstack import DEFAULT_IMAGES, FlaskApp
from flaskstack.dockerfile import CA_SECRET, generate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CODE = (
    "import itsdangerous\n\n\ndef app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'ok']\n"
)
PROJECT = """\
[project]
name = "small"
version = "1"
requires-python = ">=3.11"
dependencies = ["itsdangerous==2.2.0"]
"""
# Of Poetry's own making for this project, but for the hashes of files, without which it installs just as well.
POETRY_LOCK = """\
[[package]]
name = "itsdangerous"
version = "2.2.0"
description = ""
optional = false
python-versions = ">=3.8"
groups = ["main"]
files = []

[metadata]
lock-version = "2.1"
python-versions = ">=3.11"
content-hash = "091cfde15118feceb4597340ac24dac199ed56dbf33584cf4735bf224a61094b"
"""
PIPFILE_LOCK = json.dumps(
    {"_meta": {"sources": [], "requires": {}, "pipfile-spec": 6}, "default": {"itsdangerous": {"version": "==2.2.0"}}}
)
KINDS = {
    "requirements": {"requirements.txt": "-r deploy/base.txt\n", "deploy/base.txt": "itsdangerous==2.2.0\n"},
    "pyproject": {"pyproject.toml": PROJECT},
    "uv": {"pyproject.toml": PROJECT, "uv.lock": ""},
    "poetry": {"pyproject.toml": PROJECT, "poetry.lock": POETRY_LOCK},
    "pipenv": {"Pipfile": "[packages]\nitsdangerous = '==2.2.0'\n", "Pipfile.lock": PIPFILE_LOCK},
}


def build(folder: Path, **app: object) -> str:
    """Build the generated Dockerfile as the plugin does, and return the image's id."""
    found = FlaskApp.model_validate({"path": str(folder), "entry": "small:app", **app})
    bundle = os.environ.get("SSL_CERT_FILE")
    done = subprocess.run(
        [
            *("docker", "build", "--quiet", "--file", "-"),
            *("--build-arg", f"BASE_IMAGE={DEFAULT_IMAGES['base']}"),
            *(("--secret", f"id={CA_SECRET},src={bundle}") if bundle else ()),
            str(folder),
        ],
        input=generate(found),
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder to build in; what is built in a test goes with it."""
    before = set(docker("images", "--quiet", "--no-trunc").split())
    yield tmp_path
    mine = (tmp_path / "built").read_text().split() if (tmp_path / "built").is_file() else []
    for image in set(mine) - before:
        docker("rmi", image, check=False)


def inside(image: str, code: str) -> str:
    """Run Python in a container of the image as hardened as a target's, and return what it prints."""
    hardened = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none")
    return docker("run", "--rm", *hardened, image, "python", "-c", code)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_builds_and_leaves_no_tools(folder: Path, kind: str) -> None:
    for name, text in KINDS[kind].items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "small.py").write_text(CODE)
    if kind == "uv":
        # Made here: a lock of uv's names the index that it was made with.
        (folder / "uv.lock").unlink()
        subprocess.run(["uv", "lock", "--quiet"], cwd=folder, check=True)
    image = build(folder)
    (folder / "built").write_text(image)
    installed = "from importlib.metadata import version; print(version('itsdangerous'), version('gunicorn') >= '26')"
    assert inside(image, installed) == "2.2.0 True"
    left = (
        "import os, sysconfig; print({'pip', 'uv', 'poetry', 'pipenv'} & {*os.listdir(sysconfig.get_path('purelib'))})"
    )
    assert inside(image, left) == "set()"
    assert inside(image, "import os; print(os.getuid(), os.getgid())") == "1000 1000"
    compiled = "import small, pathlib; print(small.__file__, pathlib.Path(small.__cached__).is_file())"
    assert inside(image, compiled) == "/app/small.py True"


def test_an_application_that_is_a_package_needs_no_code_and_clutter_stays_out(folder: Path) -> None:
    (folder / "requirements.txt").write_text("flask\n")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "big").write_text("x")
    image = build(folder, entry="flask.debughelpers:app", data="/data", server={"worker_class": "gevent"})
    (folder / "built").write_text(image)
    assert inside(image, "import os, flask, gevent, packaging; print(os.listdir('/app'))") == "['requirements.txt']"
    assert inside(image, "import os; print(os.stat('/data').st_uid)") == "1000"
