"""The distribution that other projects install: complete, and importable from a place of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import flaskstack

COMPONENTS = Path(__file__).parents[2] / "components"
PACKAGE = COMPONENTS / "flaskstack"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the distribution's folder: a build leaves folders behind."""
    folder = tmp_path_factory.mktemp("distribution") / "source"
    left = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", ".venv")
    shutil.copytree(COMPONENTS, folder, ignore=left)
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network."""
    return build_wheel(source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def unpacked(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, built as an installer does, and unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    program = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    command = [sys.executable, "-W", "ignore", "-c", program, str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    (archive,) = folder.glob("flaskstack-*.tar.gz")
    shutil.unpack_archive(archive, folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def build_wheel(source: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index", "--quiet"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(source)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("flaskstack-*.whl")
    return built


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    files = {
        path.relative_to(COMPONENTS).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"flaskstack/py.typed", "flaskstack/server/gunicorn.conf.py", "flaskstack/scripts/job.sh"} <= files
    assert files <= contents(wheel)


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    top = {name.split("/")[0] for name in contents(wheel)}
    assert top == {"flaskstack", next(name for name in top if name.endswith(".dist-info"))}


def test_the_installed_distribution_imports_and_finds_its_files(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import flaskstack; "
        "from flaskstack.app import SERVER_CONFIG_SOURCE as config; from flaskstack.local import edge, job; "
        "assert flaskstack.__file__.startswith(sys.argv[1]), flaskstack.__file__; "
        "assert str(config).startswith(sys.argv[1]) and config.is_file(); "
        "missing = [name for name in flaskstack.__all__ if not hasattr(flaskstack, name)]; assert not missing, missing"
    )
    # Isolated (-I): neither this folder nor the environment may help; the path above goes before the editable install.
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(site)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_the_distribution_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = archive.read(name).decode()
    for requirement in (
        "pulumi>=",
        "pulumi-docker>=",
        "pulumi-docker-build>=",
        "pulumi-random>=",
        "pulumi-command>=",
        "pydantic>=",
    ):
        assert f"Requires-Dist: {requirement.removesuffix('>=')}" in metadata
    assert "License-Expression: Apache-2.0" in metadata


def test_components_import_nothing_of_the_project(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                text = archive.read(name).decode()
                for foreign in ("stacks", "app", "toolchain"):
                    assert f"\nfrom {foreign}" not in text, name
                    assert f"\nimport {foreign}" not in text, name


def test_the_command_runs_from_the_installed_distribution_in_a_folder_with_a_program(
    wheel: Path, tmp_path: Path
) -> None:
    site, project = tmp_path / "site", tmp_path / "project"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    project.mkdir()
    (project / "__main__.py").write_text("raise SystemExit('the program ran, not the command')\n")
    (project / "shop.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (project / "requirements.txt").write_text("flask\n")
    done = subprocess.run(
        [sys.executable, "-m", "flaskstack", "dockerfile"],
        capture_output=True,
        text=True,
        check=False,
        cwd=project,
        env={"PYTHONPATH": str(site)},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert '"shop:app"' in done.stdout


def test_the_sdist_makes_the_same_wheel(unpacked: Path, wheel: Path, tmp_path: Path) -> None:
    again = build_wheel(unpacked, tmp_path)
    assert contents(again) == contents(wheel)
    with zipfile.ZipFile(again) as second, zipfile.ZipFile(wheel) as first:
        assert all(second.read(name) == first.read(name) for name in contents(wheel))


def test_the_unpacked_sdist_is_a_component_plugin(unpacked: Path) -> None:
    for name in ("PulumiPlugin.yaml", "__main__.py", "requirements.txt"):
        assert (unpacked / name).read_text() == (COMPONENTS / name).read_text()


def test_the_licence_is_in_the_wheel_and_in_the_sdist(unpacked: Path, wheel: Path) -> None:
    text = (COMPONENTS.parent / "LICENSE").read_text()
    assert (unpacked / "LICENSE").read_text() == text
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]
        assert archive.read(name).decode() == text


def test_the_version_stands_in_one_place() -> None:
    declared = tomllib.loads((COMPONENTS / "pyproject.toml").read_text())["project"]["version"]
    assert flaskstack.__version__ == declared
    texts = [path.read_text() for path in COMPONENTS.rglob("*.py")] + [(COMPONENTS / "PulumiPlugin.yaml").read_text()]
    assert not any(f'"{declared}"' in text for text in texts)
