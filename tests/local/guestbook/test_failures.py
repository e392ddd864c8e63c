"""Bad input: one clear error, the running stack keeps serving, and the next `up` after the fix succeeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.stack import Stack, docker, fetch

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _keeps_serving(stack: Stack) -> Iterator[None]:
    """Whatever a test breaks: the stack serves after the failure, as before, and an `up` after the fix succeeds."""
    factory = stack.app / "app" / "__init__.py"
    requirements = stack.app / "requirements.txt"
    before = {path: path.read_text() for path in (factory, requirements)}
    settings, image = stack.settings, stack.outputs()["image"]
    web = set(stack.containers("web"))
    yield
    assert fetch(f"{stack.url}/api/notes").status == 200
    assert web <= set(stack.containers("web")), "the former replicas still run"
    for path, text in before.items():
        path.write_text(text)
    for extra in stack.app.glob("migrations/versions/*_broken.py"):
        extra.unlink()
    (stack.app / "Dockerfile").unlink(missing_ok=True)
    stack.settings = settings
    stack.write()
    if stack.up().expect().changed:
        stack.up("--expect-no-changes").expect()
    assert fetch(f"{stack.url}/api/notes").status == 200
    assert stack.outputs()["image"] == image
    assert stack.containers("web", stopped=True) == stack.containers("web"), "nothing half made is left"


def test_all_wrong_settings_are_reported_together_before_anything_is_touched(stack: Stack) -> None:
    stack.set(local={"port": "many", "portt": 1}, edge={"gzipLevel": 12}, colour="blue")
    failed = stack.up().expect(status=1)
    for said in (
        'flaskstack:local.port = "many"',
        "flaskstack:local.portt = 1: unknown key",
        "rename it to port",
        "flaskstack:edge.gzipLevel = 12",
        'flaskstack:colour = "blue": unknown key',
    ):
        assert said in failed.output
    assert "Traceback" not in failed.output
    stack.settings.pop("colour")


def test_a_missing_secret_names_the_command_that_sets_it(stack: Stack) -> None:
    kept = stack.config_file.read_text()
    stack.pulumi("config", "rm", "flaskstack:secretKey").expect()
    failed = stack.up().expect(status=1)
    assert "flaskstack:secretKey = not set: required in production" in failed.output
    assert "pulumi config set --secret flaskstack:secretKey" in failed.output
    stack.config_file.write_text(kept)


def test_a_failing_migration_stops_the_release_with_its_own_words(stack: Stack) -> None:
    versions = stack.app / "migrations" / "versions"
    head = docker("exec", stack.containers("web")[0], "flask", "--app", "app:create_app", "db", "heads").split()[0]
    (versions / "ffff_broken.py").write_text(
        f'"""Broken."""\nfrom alembic import op\nrevision = "ffffffffffff"\ndown_revision = "{head}"\n\n\n'
        "def upgrade():\n"
        '    op.execute("ALTER TABLE no_such_table ADD COLUMN x int")\n\n\ndef downgrade():\n    pass\n'
    )
    failed = stack.up().expect(status=1)
    assert "no_such_table" in failed.output
    assert "migration failed with status 1" in failed.output


def test_an_image_that_crashes_at_the_start_stops_the_release_with_its_last_lines(stack: Stack) -> None:
    factory = stack.app / "app" / "__init__.py"
    factory.write_text(f"{factory.read_text()}\nraise SystemExit('cannot start: broken on purpose')\n")
    stack.set(app={"migrate": []})
    failed = stack.up().expect(status=1)
    assert "broken on purpose" in failed.output


def test_an_image_that_never_gets_ready_takes_no_traffic(stack: Stack) -> None:
    stack.set(app={"readiness": "/no-such-page"}, local={"health": {"deadlineS": 15}})
    failed = stack.up().expect(status=1)
    assert "404" in failed.output


def test_a_broken_dockerfile_names_the_step_that_failed(stack: Stack) -> None:
    (stack.app / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nRUN no-such-command-at-all\n")
    failed = stack.up().expect(status=1)
    assert "no-such-command-at-all" in failed.output


def test_a_dependency_that_does_not_exist_names_it(stack: Stack) -> None:
    (stack.app / "requirements.txt").write_text("flaskstack-no-such-package==1.2.3\n")
    failed = stack.up().expect(status=1)
    assert "flaskstack-no-such-package" in failed.output
