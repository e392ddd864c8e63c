"""The Dockerfile of an application that has none: what good ones have, read from its instructions."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.building import folder

from flaskstack import FlaskApp, Server, SettingsError
from flaskstack.dockerfile import generate

PROJECT = '[project]\nname = "x"\ndependencies = ["flask>=3"]\n'


def instructions(text: str) -> list[tuple[str, str]]:
    """Return (instruction, argument) with continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", text)
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line.strip()]


def stages(text: str) -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for instruction, argument in instructions(text):
        if instruction == "FROM":
            found.append([])
        if found:
            found[-1].append((instruction, argument))
    return found


@pytest.fixture
def text(tmp_path: Path) -> str:
    return generate(folder(tmp_path, requirements__txt="flask\n"))


def test_dependencies_are_a_layer_before_the_code(text: str) -> None:
    dependencies, code, final = stages(text)
    assert ("COPY", "requirements.txt ./") in dependencies
    assert ("COPY", ". .") not in dependencies
    assert ("COPY", ". .") in code
    copies = [argument for instruction, argument in final if instruction == "COPY"]
    assert copies == ["--from=dependencies /opt/venv /opt/venv", "--from=code /app /app"]


def test_the_final_image_installs_nothing(text: str) -> None:
    final = stages(text)[-1]
    assert not [argument for instruction, argument in final if instruction == "RUN" and "pip" in argument]


def test_it_runs_as_uid_1000_and_by_number_so_that_kubernetes_can_tell(text: str) -> None:
    final = stages(text)[-1]
    assert [argument for instruction, argument in final if instruction == "USER"] == ["1000:1000"]
    order = [instruction for instruction, _ in final]
    assert order.index("USER") > max(index for index, name in enumerate(order) if name in ("RUN", "COPY"))


def test_the_code_belongs_to_root_so_that_the_application_cannot_change_itself(text: str) -> None:
    assert "--chown" not in text


def test_no_pip_cache_and_no_buffered_output(text: str) -> None:
    dependencies, _, final = stages(text)
    assert any(name == "ENV" and "PIP_NO_CACHE_DIR=1" in argument for name, argument in dependencies)
    assert any(name == "ENV" and "PYTHONUNBUFFERED=1" in argument for name, argument in final)


def test_secrets_of_the_build_are_mounts_and_reach_no_layer(text: str) -> None:
    runs = [argument for name, argument in instructions(text) if name == "RUN" and "/run/secrets" in argument]
    assert len(runs) == 1
    assert "--mount=type=secret,id=ca" in runs[0]
    assert "--mount=type=secret,id=pip_conf" in runs[0]
    assert not [
        argument for name, argument in instructions(text) if name in ("ARG", "ENV") and "secret" in argument.lower()
    ]


def test_a_failing_install_fails_the_build(text: str) -> None:
    (run,) = [argument for name, argument in instructions(text) if name == "RUN" and "/run/secrets" in argument]
    assert " set -e;" in run


def test_the_base_image_is_an_argument(text: str) -> None:
    assert text.startswith("ARG BASE_IMAGE\n")
    assert text.count("FROM ${BASE_IMAGE}") == 3


def test_the_health_check_needs_no_curl(text: str) -> None:
    (check,) = [argument for name, argument in instructions(text) if name == "HEALTHCHECK"]
    assert "curl" not in check
    assert "--interval=30s --timeout=5s --start-period=15s --retries=3" in check
    assert FlaskApp().liveness_command in check


def test_it_serves_by_itself(tmp_path: Path) -> None:
    app = folder(tmp_path, requirements__txt="flask").model_copy(update={"port": 9000, "entry": "shop:app"})
    (command,) = [argument for name, argument in instructions(generate(app)) if name == "CMD"]
    assert json.loads(command) == ["gunicorn", "--bind", "0.0.0.0:9000", "shop:app"]


@pytest.mark.parametrize(
    ("files", "copied", "installs"),
    [
        ({"requirements__txt": "flask"}, "requirements.txt ./", "--requirement requirements.txt"),
        ({"pyproject__toml": PROJECT, "uv__lock": "version = 1"}, "pyproject.toml uv.lock ./", "uv export --frozen"),
        ({"pyproject__toml": PROJECT}, "pyproject.toml ./", "tomllib"),
        ({"pyproject__toml": PROJECT, "requirements__txt": "flask"}, "requirements.txt ./", "--requirement"),
    ],
)
def test_each_way_to_declare_dependencies_is_installed(
    tmp_path: Path, files: dict[str, str], copied: str, installs: str
) -> None:
    text = generate(folder(tmp_path, **files))
    assert ("COPY", copied) in stages(text)[0]
    assert installs in text


def test_the_project_files_own_list_is_read_by_a_program_that_python_takes(tmp_path: Path) -> None:
    text = generate(folder(tmp_path, pyproject__toml=PROJECT))
    found = re.search(r'python3 -c "([^"]+)" > \$all', text)
    assert found
    compile(found[1], "dependencies", "exec")


@pytest.mark.parametrize(
    ("files", "added"),
    [
        ({"requirements__txt": "flask"}, True),
        ({"requirements__txt": "flask\ngunicorn==26.0.0\n"}, False),
        ({"requirements__txt": "Gunicorn[gevent]>=26"}, False),
        ({"requirements__txt": "flask # served by gunicorn"}, True),
        ({"requirements__txt": "gunicorn-extras"}, True),
        ({"requirements__txt": "# gunicorn"}, True),
        ({"pyproject__toml": '[project]\ndependencies = [\n  "gunicorn>=26",\n]\n'}, False),
        ({"pyproject__toml": '[project]\ndependencies = ["flask", "gunicorn>=26"]\n'}, False),
        ({"pyproject__toml": PROJECT, "uv__lock": '[[package]]\nname = "gunicorn"\n'}, False),
    ],
)
def test_gunicorn_is_added_unless_the_application_names_it(tmp_path: Path, files: dict[str, str], added: bool) -> None:
    assert ("'gunicorn>=26" in generate(folder(tmp_path, **files))) is added


@pytest.mark.parametrize(
    ("requirements", "added"), [("flask", True), ("gunicorn[gevent]", True), ("gunicorn\ngevent>=24", False)]
)
def test_gevent_is_added_for_its_worker_unless_the_application_names_it(
    tmp_path: Path, requirements: str, added: bool
) -> None:
    app = folder(tmp_path, requirements__txt=requirements)
    gevent = app.model_copy(update={"server": Server(worker_class="gevent")})
    assert ("'gevent>=" in generate(gevent)) is added
    assert "'gevent>=" not in generate(app)


def test_an_application_that_brings_its_own_server_gets_no_other(tmp_path: Path) -> None:
    app = folder(tmp_path, requirements__txt="waitress").model_copy(update={"web_command": ("waitress-serve", "x:app")})
    (command,) = [argument for name, argument in instructions(generate(app)) if name == "CMD"]
    assert json.loads(command) == ["waitress-serve", "x:app"]
    assert "gunicorn" not in generate(app)


def test_requirements_of_several_folders_keep_their_places(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "base.txt").write_text("flask")
    dependencies = stages(generate(folder(tmp_path, requirements__txt="-r requirements/base.txt")))[0]
    copies = [argument for instruction, argument in dependencies if instruction == "COPY"]
    assert copies == ["requirements.txt ./", "requirements/base.txt requirements/"]


def test_the_data_folder_belongs_to_the_application(tmp_path: Path) -> None:
    app = folder(tmp_path, requirements__txt="flask").model_copy(update={"data": "/data"})
    assert "install --directory --owner=1000 --group=1000 /data" in generate(app)
    assert "install --directory" not in generate(folder(tmp_path, requirements__txt="flask"))


def test_code_below_src_is_imported_from_there(tmp_path: Path) -> None:
    (tmp_path / "src" / "shop").mkdir(parents=True)
    app = folder(tmp_path, requirements__txt="flask", setup__py="").model_copy(update={"entry": "shop.web:app"})
    assert "PYTHONPATH=/app/src" in generate(app)


def test_an_entry_that_is_nowhere_is_refused_with_what_is_there(tmp_path: Path) -> None:
    app = folder(tmp_path, requirements__txt="flask", wsgi__py="").model_copy(update={"entry": "shop:app"})
    with pytest.raises(SettingsError, match=r"app\.entry = shop:app: .*neither shop\.py nor a folder shop") as caught:
        generate(app)
    assert "one of wsgi" in str(caught.value)


@pytest.mark.parametrize("files", [{"requirements__txt": "httpbin"}, {"requirements__txt": "Http.Bin", "x__py": ""}])
def test_an_application_that_is_a_package_needs_no_code(tmp_path: Path, files: dict[str, str]) -> None:
    entry = "httpbin:app" if "x__py" not in files else "http_bin:app"
    assert entry in generate(folder(tmp_path, **files).model_copy(update={"entry": entry}))


def test_what_never_runs_stays_out_of_the_image(text: str) -> None:
    code = stages(text)[1]
    (run,) = [argument for name, argument in code if name == "RUN"]
    assert run.startswith("rm -rf .git .venv venv node_modules; find . -name __pycache__")
    assert "compileall" in run


def test_no_declared_dependencies_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"app.path = .*has no Dockerfile and none of requirements.txt, uv.lock"):
        generate(folder(tmp_path))


def test_the_same_application_gives_the_same_text(tmp_path: Path) -> None:
    app = folder(tmp_path, requirements__txt="flask")
    assert generate(app) == generate(app)
