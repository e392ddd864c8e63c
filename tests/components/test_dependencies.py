"""How dependencies are declared: which file is taken, what goes with it, and what cannot be followed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.building import folder

from flaskstack import FlaskApp, SettingsError
from flaskstack.dependencies import Dependencies, find

PROJECT = '[project]\nname = "x"\ndependencies = ["Flask>=3", "my.pkg[extra]; python_version > \'3\'"]\n'
LOCK = '[[package]]\nname = "Flask"\nversion = "3.1.2"\n'


def written(root: Path, files: dict[str, str], dependencies: str | None = None) -> FlaskApp:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return FlaskApp(path=str(root), dependencies=dependencies)


def refused(root: Path, files: dict[str, str], dependencies: str | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        find(written(root, files, dependencies))
    return str(caught.value)


@pytest.mark.parametrize(
    ("files", "copied", "tool"),
    [
        ({"requirements.txt": "flask"}, ("requirements.txt",), "--requirement requirements.txt"),
        ({"pyproject.toml": PROJECT}, ("pyproject.toml",), "tomllib"),
        ({"pyproject.toml": PROJECT, "uv.lock": LOCK}, ("pyproject.toml", "uv.lock"), "uv export --frozen"),
        ({"pyproject.toml": "", "poetry.lock": LOCK}, ("pyproject.toml", "poetry.lock"), "poetry export --only main"),
        (
            {"Pipfile": "", "Pipfile.lock": json.dumps({"default": {"flask": {}}})},
            ("Pipfile", "Pipfile.lock"),
            "pipenv requirements --hash",
        ),
    ],
    ids=["requirements", "project", "uv", "poetry", "pipenv"],
)
def test_each_kind_is_read_by_its_own_tool(
    tmp_path: Path, files: dict[str, str], copied: tuple[str, ...], tool: str
) -> None:
    found = find(written(tmp_path, files))
    assert found.files == copied
    assert tool in found.install
    assert "flask" in found.names


def test_requirements_come_first_and_another_file_can_be_named(tmp_path: Path) -> None:
    files = {"requirements.txt": "flask", "pyproject.toml": PROJECT, "deploy/prod.txt": "flask"}
    assert find(written(tmp_path, files)).files == ("requirements.txt",)
    assert find(written(tmp_path, files, "pyproject.toml")).files == ("pyproject.toml",)
    named = find(written(tmp_path, files, "deploy/prod.txt"))
    assert named == Dependencies(("deploy/prod.txt",), named.install, frozenset({"flask"}))
    assert named.install.endswith("--requirement deploy/prod.txt")


def test_a_lock_in_a_folder_is_read_there(tmp_path: Path) -> None:
    found = find(written(tmp_path, {"deploy/uv.lock": LOCK, "deploy/pyproject.toml": PROJECT}, "deploy/uv.lock"))
    assert found.files == ("deploy/pyproject.toml", "deploy/uv.lock")
    assert "cd deploy; " in found.install


def test_what_requirements_include_is_copied_too_each_once(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "-r requirements/web.txt\n--constraint requirements/limits.txt\n-rbase.txt # all\n",
        "requirements/web.txt": "-r ../base.txt\n-c limits.txt\nGunicorn==26.0 \\\n    --hash=sha256:aa\n",
        "requirements/limits.txt": "flask<4",
        "base.txt": "# nothing\nFlask_Login\n-r https://example.org/more.txt",
    }
    found = find(written(tmp_path, files))
    assert sorted(found.files) == sorted(files)
    assert {"gunicorn", "flask-login"} <= found.names


def test_files_that_include_one_another_end(tmp_path: Path) -> None:
    found = find(written(tmp_path, {"requirements.txt": "-r a.txt", "a.txt": "-r requirements.txt"}))
    assert found.files == ("requirements.txt", "a.txt")


@pytest.mark.parametrize("line", ["-r ../shared.txt", "-c /etc/limits.txt", "-r base dir.txt", "-r missing.txt"])
def test_an_include_that_cannot_be_copied_is_refused(tmp_path: Path, line: str) -> None:
    assert "app.dependencies = requirements.txt: requirements.txt includes" in refused(
        tmp_path, {"requirements.txt": line}
    )


@pytest.mark.parametrize("line", ["-e .", ".", "./lib", "../lib", ".[web]", "lib @ file:./lib", "--editable=./x"])
def test_a_requirement_that_is_the_code_itself_is_refused(tmp_path: Path, line: str) -> None:
    assert "needs the code" in refused(tmp_path, {"requirements.txt": f"flask\n{line}\n"})


def test_an_editable_requirement_from_elsewhere_is_none_of_the_code(tmp_path: Path) -> None:
    assert find(written(tmp_path, {"requirements.txt": "-e git+https://example.org/x.git#egg=x"})).files


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"pyproject.toml": "[tool.ruff]"}, "has no table [project]"),
        ({"pyproject.toml": "[tool.poetry.dependencies]\nflask = '^3'"}, "poetry lock"),
        ({"pyproject.toml": "[project]\ndynamic = ['dependencies']"}, "are dynamic"),
        ({"pyproject.toml": "["}, "app.dependencies = pyproject.toml"),
        ({"uv.lock": LOCK}, "pyproject.toml is not beside it"),
        ({"Pipfile": ""}, "pipenv lock"),
        ({"Pipfile.lock": "{"}, "app.dependencies = Pipfile.lock"),
    ],
)
def test_what_cannot_be_installed_says_why_and_what_to_do(tmp_path: Path, files: dict[str, str], says: str) -> None:
    message = refused(tmp_path, files)
    assert says in message
    assert "fix: " in message


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    assert "app.dependencies = prod.txt: no such file" in refused(tmp_path, {"requirements.txt": ""}, "prod.txt")


def test_nothing_at_all_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"app\.path = .*has no Dockerfile and none of requirements\.txt"):
        find(folder(tmp_path))
