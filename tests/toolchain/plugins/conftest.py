"""The installed plugins, asked over their protocol and through the real Pulumi engine, with a tiny image of our own."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.program import Program
from support.provider import Plugin, docker

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need the engines. The hook is shown the tests of all folders."""
    for item in items:
        if Path(__file__).parent == item.path.parent:
            item.add_marker(pytest.mark.engine)


def _fixture(name: str) -> Any:
    @pytest.fixture(scope="session")
    def running() -> Iterator[Plugin]:
        made = Plugin(name)
        yield made
        made.stop()

    return running


_docker, _docker_build, _random, _command = map(_fixture, ("docker", "docker-build", "random", "command"))


@pytest.fixture
def docker_plugin(_docker: Plugin) -> Iterator[Plugin]:
    yield _docker
    _docker.clean()


@pytest.fixture
def build_plugin(_docker_build: Plugin) -> Iterator[Plugin]:
    yield _docker_build
    _docker_build.clean()


@pytest.fixture
def random_plugin(_random: Plugin) -> Iterator[Plugin]:
    yield _random
    _random.clean()


@pytest.fixture
def command_plugin(_command: Plugin) -> Iterator[Plugin]:
    yield _command
    _command.clean()


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the id of an image with busybox alone."""
    folder = tmp_path_factory.mktemp("box")
    packed = folder / "box.tar"
    with tarfile.open(packed, "w") as archive:
        archive.add(_busybox(folder), "bin/busybox")
        for applet in ("sh", "sleep", "cat", "echo", "true", "false", "ls", "id", "test", "env", "stat"):
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        for directory in ("tmp", "data", "etc"):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o777
            archive.addfile(entry)
    name = f"plugin-test-{secrets.token_hex(4)}"
    changes = ("--change", 'CMD ["sleep", "1000"]', "--change", "ENV PATH=/bin")
    identity = docker("import", *changes, str(packed), name)
    yield identity
    docker("image", "rm", "--force", identity, check=False)


def _busybox(folder: Path) -> Path:
    """Return a static busybox: the machine's own, else the one of Debian's package."""
    found = shutil.which("busybox")
    if found and "not a dynamic" in subprocess.run(["ldd", found], capture_output=True, text=True, check=False).stderr:
        return Path(found)
    subprocess.run(["apt-get", "download", "busybox-static"], cwd=folder, check=True, capture_output=True)
    package = next(folder.glob("busybox-static_*.deb"))
    subprocess.run(["dpkg-deb", "--extract", str(package), str(folder / "unpacked")], check=True)
    return folder / "unpacked" / "bin" / "busybox"


@pytest.fixture
def program(tmp_path: Path, box: str) -> Iterator[Program]:
    folder = tmp_path / "program"
    folder.mkdir()
    made = Program(folder)
    made.image = box
    yield made
    made.remove()
