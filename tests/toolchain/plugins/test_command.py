"""The command plugin: what is run when, what becomes of its output, and that it ends when it must."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from plugins.values import UNKNOWN, Secret

if TYPE_CHECKING:
    from pathlib import Path

    from support.program import Program
    from support.provider import Plugin

COMMAND = "command:local:Command"
INFO = 1


def test_output_comes_back_without_its_last_newline(command_plugin: Plugin) -> None:
    identity, outputs = command_plugin.create(COMMAND, {"create": "echo one; echo two; echo bad >&2"})
    assert identity.startswith("thing")
    assert (outputs["stdout"], outputs["stderr"]) == ("one\ntwo", "bad")


def test_environment_standard_input_folder_and_interpreter_are_used(command_plugin: Plugin, tmp_path: Path) -> None:
    inputs = {
        "create": 'import os, sys; print(os.environ["GREETING"], sys.stdin.read(), os.getcwd())',
        "interpreter": ["python3", "-c"],
        "environment": {"GREETING": "hello"},
        "stdin": "world",
        "dir": str(tmp_path),
    }
    assert command_plugin.create(COMMAND, inputs)[1]["stdout"] == f"hello world {tmp_path}"


def test_a_script_sees_nothing_of_the_plugins_own_environment(command_plugin: Plugin) -> None:
    assert command_plugin.create(COMMAND, {"create": "echo [$PYTHONPATH]"})[1]["stdout"] == "[]"


def test_a_failure_is_an_error_with_all_that_was_said(command_plugin: Plugin) -> None:
    with pytest.raises(Exception, match=r"exit status 3: running .*\nout\nerr\n") as failed:
        command_plugin.create(COMMAND, {"create": "echo out; sleep 0.1; echo err >&2; exit 3"})
    assert failed.value.partial is None  # nothing is kept: it runs again at the next `up`


@pytest.mark.parametrize(
    ("logging", "shown"),
    [(None, {"a", "b"}), ("stdout", {"a"}), ("stderr", {"b"}), ("stdoutAndStderr", {"a", "b"}), ("none", set())],
)
def test_output_is_shown_line_by_line_as_logging_says(
    command_plugin: Plugin, logging: str | None, shown: set[str]
) -> None:
    inputs = {"create": "echo a; echo b >&2", **({"logging": logging} if logging else {})}
    command_plugin.create(COMMAND, inputs)
    assert {text for level, _, text in command_plugin.engine.said if level == INFO} == shown


def test_an_update_runs_update_and_sees_the_former_output(command_plugin: Plugin) -> None:
    inputs = {"create": "echo first", "update": "echo was $PULUMI_COMMAND_STDOUT", "environment": {"A": "1"}}
    identity, state = command_plugin.create(COMMAND, inputs)
    changed = command_plugin.check(COMMAND, {**inputs, "environment": {"A": "2"}})
    difference = command_plugin.diff(COMMAND, state, changed)
    assert (list(difference.diffs), list(difference.replaces)) == (["environment"], [])
    assert command_plugin.update(COMMAND, identity, state, changed)["stdout"] == "was first"


def test_an_update_runs_create_when_there_is_no_other(command_plugin: Plugin) -> None:
    identity, state = command_plugin.create(COMMAND, {"create": "echo $A", "environment": {"A": "1"}})
    changed = command_plugin.check(COMMAND, {"create": "echo $A", "environment": {"A": "2"}})
    assert command_plugin.update(COMMAND, identity, state, changed)["stdout"] == "2"


def test_a_trigger_replaces(command_plugin: Plugin) -> None:
    _, state = command_plugin.create(COMMAND, {"create": "true", "triggers": ["1", {"a": 2}]})
    same = command_plugin.check(COMMAND, {"create": "true", "triggers": ["1", {"a": 2}]})
    other = command_plugin.check(COMMAND, {"create": "true", "triggers": ["1", {"a": 3}]})
    unknown = command_plugin.check(COMMAND, {"create": "true", "triggers": ["1", UNKNOWN]})
    assert list(command_plugin.diff(COMMAND, state, same).diffs) == []
    assert list(command_plugin.diff(COMMAND, state, other).replaces) == ["triggers"]
    assert list(command_plugin.diff(COMMAND, state, unknown).replaces) == ["triggers"]


def test_delete_runs_delete(command_plugin: Plugin, tmp_path: Path) -> None:
    inputs = {"create": "echo made", "delete": f"echo gone $PULUMI_COMMAND_STDOUT > {tmp_path}/deleted"}
    identity, state = command_plugin.create(COMMAND, inputs)
    command_plugin.delete(COMMAND, identity, state)
    assert (tmp_path / "deleted").read_text() == "gone made\n"


def test_a_preview_runs_nothing_and_knows_no_output(command_plugin: Plugin, tmp_path: Path) -> None:
    inputs = {"create": f"touch {tmp_path}/made"}
    assert command_plugin.preview(COMMAND, inputs)["stdout"] is UNKNOWN
    changed = command_plugin.check(COMMAND, inputs)
    state = {**changed, "create": "other", "stdout": "x", "stderr": ""}
    assert command_plugin.update(COMMAND, "id", state, changed, preview=True)["stdout"] is UNKNOWN
    assert list(tmp_path.iterdir()) == []


def test_secret_inputs_stay_secret_and_output_is_not_made_so(command_plugin: Plugin) -> None:
    inputs = {"create": "echo $A", "environment": {"A": Secret("hidden")}, "logging": "none"}
    outputs = command_plugin.create(COMMAND, inputs)[1]
    assert isinstance(outputs["environment"], Secret) or isinstance(outputs["environment"]["A"], Secret)
    # As with the official plugin: `additional_secret_outputs` is for those who print secrets.
    assert outputs["stdout"] == "hidden"


@pytest.mark.parametrize(
    ("inputs", "named"),
    [({"assetPaths": ["*"]}, "assetPaths"), ({"logging": "loud"}, "logging"), ({"creat": "x"}, "creat")],
)
def test_what_is_not_supported_or_not_there_is_refused_by_name(
    command_plugin: Plugin, inputs: dict[str, Any], named: str
) -> None:
    with pytest.raises(Exception, match=named) as failed:
        command_plugin.check(COMMAND, inputs)
    assert list(failed.value.failures) == [named]


def test_an_interrupt_ends_a_running_command_at_once(program: Program) -> None:
    program.write("""command.local.Command("slow", create="echo started; sleep 300")""")
    running = program.start("up", "--yes", "--skip-preview")
    assert running.stdout
    while "started" not in running.stdout.readline():
        assert running.poll() is None
    before = time.monotonic()
    running.send_signal(signal.SIGINT)
    rest, _ = running.communicate(timeout=30)
    assert running.returncode != 0
    assert time.monotonic() - before < 10, rest
    assert "slow" not in program.state()


def test_a_failed_command_runs_again_at_the_next_up(program: Program, tmp_path: Path) -> None:
    program.write(f"""command.local.Command("step", create="echo try >> {tmp_path}/log; test -e {tmp_path}/ready")""")
    assert "exit status 1" in program.up(ok=False)
    (tmp_path / "ready").touch()
    program.up()
    assert (tmp_path / "log").read_text() == "try\ntry\n"
    assert program.unchanged(), program.last
