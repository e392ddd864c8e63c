"""The review of a preview that the real engine made (support/review_project.py), with one of each kind of change."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.review_project import CANARY, ReviewProject

from flaskstack import cli
from flaskstack.review import changes, report
from flaskstack.review.verdict import Review, Status

SAVED = Path(__file__).with_name("preview.json")


@pytest.fixture
def digest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SAVED.read_text())
    return found


@pytest.fixture
def review(digest: dict[str, Any]) -> Review:
    return Review.of(changes.read(digest, changes.name_of(digest)))


@pytest.fixture
def text(review: Review) -> str:
    return report.render([review])


def kinds(review: Review) -> dict[str, str]:
    return {change.name: change.kind for change in review.preview.changes}


def row(text: str, path: str) -> str:
    (found,) = [line for line in text.splitlines() if f"<code>{path}</code>" in line and "|" in line]
    return found


def test_each_resource_is_said_once_with_what_becomes_of_it(review: Review) -> None:
    assert review.preview.stack == "dev"
    assert kinds(review) == {
        "image": "change",
        "web": "change",
        "renamed": "replace",
        "database": "replace",
        "password": "replace",
        "secret": "replace",
        "config": "replace",
        "claim": "replace",
        "front": "replace",
        "dropped": "delete",
        "left-behind": "delete",
        "open": "unchanged",
        "shop": "unchanged",
        "edge": "unchanged",
    }


def test_lost_data_and_lost_ways_to_the_application_are_dangerous(review: Review) -> None:
    assert {danger.change.name for danger in review.dangers} == {"dropped", "renamed", "claim", "front"}
    assert review.status is Status.DANGER


def test_what_stops_for_a_moment_or_stays_behind_is_worth_knowing(review: Review) -> None:
    assert {warning.change.name for warning in review.warnings} == {"database", "left-behind", "password"}


def test_no_secret_is_in_the_report_however_deep_it_stood(text: str) -> None:
    assert CANARY in SAVED.read_text()  # what programs hold in plain text, the engine shows
    assert CANARY not in text
    assert "Q0FOQVJZ" not in text  # in base64


def test_a_changed_property_shows_what_it_is_and_what_it_would_be(text: str) -> None:
    assert row(text, "spec.template.spec.containers[web].env[COLOUR].value").endswith(
        "| <code>blue</code> | <code>red</code> |"
    )
    assert "<code>-colour = blue</code><br><code>+colour = red</code>" in row(text, "data.file.ini")


@pytest.mark.parametrize(
    "path", ["data.key", "data.settings.json", "spec.template.metadata.annotations.nested", "secrets"]
)
def test_a_changed_secret_is_said_and_not_shown(text: str, path: str) -> None:
    assert row(text, path).endswith("| \\[secret\\] | \\[secret\\] |")


def test_a_variable_that_becomes_a_secret_was_one(text: str) -> None:
    assert "\\[secret\\] | not set |" in row(text, "envs[PLAIN]")


def test_the_image_that_would_be_built_is_described(text: str) -> None:
    found = row(text, "shop:latest")
    for part in ("its source", "buildArgs", "linux/amd64", "the Docker engine", "a Dockerfile of the program"):
        assert part in found


def test_policies_and_their_exceptions_are_listed(review: Review, text: str) -> None:
    assert {item.rule.name for item in review.violations if item.mandatory} == {
        "data-protected",
        "image-by-digest",
        "no-plain-secret",
        "no-public-port",
        "resources-set",
    }
    assert "- **ingress-tls**: <code>Ingress</code> <code>edge</code>: TLS ends before it" in text


def test_accepted_danger_does_not_count(digest: dict[str, Any]) -> None:
    names = ["dropped", "renamed", "claim", "front"]
    review = Review.of(changes.read(digest, "dev"), names)
    assert all(danger.accepted for danger in review.dangers)
    assert "### Danger, accepted" in report.render([review])


def only(digest: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**digest, "steps": [step for step in digest["steps"] if step["urn"].rpartition("::")[2] in names]}


def test_mere_change_is_no_danger(digest: dict[str, Any]) -> None:
    assert Review.of(changes.read(only(digest, "web", "image"), "dev")).status is Status.SAFE


def test_a_preview_that_failed_is_an_error_and_says_why_without_secrets() -> None:
    message = "error: cannot connect to postgresql://app:hunter2@db/app\n"
    failed = changes.read({"steps": [], "diagnostics": [{"message": message, "severity": "error"}]}, "dev")
    review = Review.of(failed)
    text = report.render([review])
    assert review.status is Status.ERROR
    assert "cannot connect to postgresql://app:[secret]@db/app" in text
    assert "hunter2" not in text


def test_a_deletion_whose_state_the_engine_could_not_write_is_dangerous_all_the_same() -> None:
    step = {"op": "delete", "urn": "urn:pulumi:dev::shop::a:b:C$docker:index/volume:Volume::data"}
    assert Review.of(changes.read({"steps": [step]}, "dev")).status is Status.DANGER


def test_an_empty_preview_says_that_nothing_would_change() -> None:
    review = Review.of(changes.read({"steps": []}, "dev"))
    assert review.status is Status.SAFE
    assert "Nothing would change." in report.render([review])


def test_raw_secrets_of_a_saved_state_are_masked(digest: dict[str, Any]) -> None:
    mark = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"hunter2"'}
    (step,) = only(digest, "web")["steps"]
    step["newState"]["inputs"]["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "COLOUR", "value": mark}]
    text = report.render([Review.of(changes.read({"steps": [step]}, "dev"))])
    assert "hunter2" not in text
    assert "\\[secret\\] | \\[secret\\]" in text


def test_a_plain_value_in_another_place_of_a_list_that_gains_a_secret_is_masked(digest: dict[str, Any]) -> None:
    (step,) = only(digest, "database")["steps"]
    step["oldState"]["inputs"]["envs"] = ["hunter2", "A=1"]
    step["newState"]["inputs"]["envs"] = ["A=1", "B=2", "[secret]"]
    assert "hunter2" not in report.render([Review.of(changes.read({"steps": [step]}, "dev"))])


def test_markdown_and_html_in_a_name_or_a_value_stay_text(digest: dict[str, Any]) -> None:
    (step,) = only(digest, "web")["steps"]
    step["newState"]["inputs"]["metadata"]["name"] = "</code><img src=x>|`x`"
    text = report.render([Review.of(changes.read({"steps": [step]}, "dev"))])
    assert "<img" not in text
    assert "&#124;&#96;x&#96;" in text


def test_a_long_report_loses_its_details_first(review: Review) -> None:
    text = report.render([review] * 30)
    assert len(text) <= report.LIMIT + 200
    assert text.startswith(report.MARK)
    assert "| property | is | would be |" not in text


def test_the_command_writes_the_report_and_ends_with_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary, output = tmp_path / "summary.md", tmp_path / "report.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert cli.main(["review", "--preview", str(SAVED), "--output", str(output)]) == Status.DANGER
    assert output.read_text() == summary.read_text()
    assert capsys.readouterr().out == ""
    assert cli.main(["review", "--preview", str(SAVED)]) == Status.DANGER
    assert capsys.readouterr().out == output.read_text()


@pytest.mark.parametrize("content", ["", "[]", '{"steps": [{}]}'])
def test_a_file_that_is_no_preview_is_wrong_usage(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "preview.json"
    file.write_text(content)
    assert cli.main(["review", "--preview", str(file)]) == 2
    assert "not a preview" in capsys.readouterr().err


@pytest.mark.engine
def test_the_engine_still_says_what_the_saved_preview_says(tmp_path: Path, review: Review) -> None:
    made = Review.of(changes.read(ReviewProject(tmp_path / "shop").later(), "dev"))
    assert kinds(made) == kinds(review)
    text = report.render([made])
    assert CANARY not in text
    assert sorted(re.findall(r"\| <code>([^<]+)</code>", text)) == sorted(
        re.findall(r"\| <code>([^<]+)</code>", report.render([review]))
    )
