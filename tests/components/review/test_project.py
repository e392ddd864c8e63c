"""This repository's stacks, reviewed by the real command, without a Docker engine, a cluster or a secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests
from support.review_project import ReviewProject

from flaskstack import SettingsError, cli
from flaskstack.review import engine
from flaskstack.review.project import Project

ROOT = Path(__file__).parents[3]
NOWHERE = "tcp://127.0.0.1:9"


def test_the_stacks_of_a_project_are_those_that_have_a_file() -> None:
    project = Project.at(ROOT)
    assert project.name == "flaskstack"
    assert {"dev", "local", "prod", "staging"} <= set(project.stacks())


def test_a_folder_without_a_project_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingsError):
        Project.at(tmp_path)
    assert cli.main(["review", "--project", str(tmp_path)]) == 2
    assert "Pulumi.yaml" in capsys.readouterr().err


def test_a_placeholder_without_stacks_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["review", "--project", str(ROOT), "--placeholder", "secretKey"]) == 2
    assert "--placeholder" in capsys.readouterr().err


def test_the_stand_in_says_that_it_is_there_and_refuses_the_rest() -> None:
    with engine.available({"DOCKER_HOST": NOWHERE, "DOCKER_CONTEXT": "other"}) as environment:
        assert "DOCKER_CONTEXT" not in environment
        base = environment["DOCKER_HOST"].replace("tcp://", "http://")
        assert requests.get(f"{base}/_ping", timeout=5).text == "OK"
        refused = requests.get(f"{base}/v1.41/containers/json", timeout=5)
        assert refused.status_code == 501
        assert "no Docker engine" in refused.json()["message"]
    assert not engine.answers(environment["DOCKER_HOST"])


@pytest.mark.engine
def test_the_committed_stacks_are_without_danger_and_within_all_policies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)
    for name in ("KUBECONFIG", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_BACKEND_URL"):
        monkeypatch.delenv(name, raising=False)
    files = {file: file.read_bytes() for file in (ROOT / "stacks").iterdir() if file.is_file()}
    database = "postgresql://app:{random}@postgres:5432/app"
    stacks = ["--stack", "dev", "--stack", "prod"]
    placeholders = ["--placeholder", "prod:secretKey", "--placeholder", f"prod:databaseUrl={database}"]
    done = subprocess.run(
        [sys.executable, "-m", "flaskstack", "review", "--fresh", *stacks, *placeholders],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "There is no preview" not in done.stdout
    assert "### Policies" not in done.stdout
    for part in ("<code>flaskstack-dev-web-0</code>", "<code>flaskstack-prod-web</code>", "guestbook:latest"):
        assert part in done.stdout
    assert {file: file.read_bytes() for file in files} == files


@pytest.mark.engine
def test_a_missing_secret_is_an_error_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)
    output = tmp_path / "report.md"
    arguments = ["review", "--project", str(ROOT), "--fresh", "--stack", "prod", "--output", str(output)]
    assert cli.main(arguments) == 1
    assert "flaskstack:secretKey" in output.read_text()


@pytest.mark.engine
def test_a_stack_that_the_backend_holds_is_compared_with_it_and_its_file_stays(tmp_path: Path) -> None:
    made = ReviewProject(tmp_path / "shop")
    made.settle()
    made.write(later=True)
    file = made.folder / "Pulumi.dev.yaml"
    file.write_text(file.read_text() + "# as it is\n")
    before = file.read_text()
    project = Project.at(made.folder)
    assert project.held(made.environment) == {"dev"}
    with engine.available(made.environment) as environment:
        preview = project.preview("dev", environment)
    assert not preview.error
    assert {change.name for change in preview.of("delete")} == {"dropped", "left-behind"}
    assert file.read_text() == before
