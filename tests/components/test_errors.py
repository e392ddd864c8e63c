"""Problems are told all at once, each with its key, value, reason and fix."""

from __future__ import annotations

import pulumi

from flaskstack import Problem, SettingsError

ONE = Problem("flaskstack:local.port", "0", "not a port", "pulumi config set --path flaskstack:local.port 8080")
TWO = Problem("flaskstack:secretKey", "[secret]", "too weak", "make another")


def test_a_problem_says_key_value_reason_and_fix() -> None:
    assert str(ONE).splitlines() == [
        "flaskstack:local.port = 0: not a port",
        "    fix: pulumi config set --path flaskstack:local.port 8080",
    ]


def test_all_problems_are_told_together() -> None:
    text = str(SettingsError([ONE, TWO]))
    assert text.startswith("2 settings are wrong; nothing was changed:\n")
    assert all(str(problem) in text for problem in (ONE, TWO))


def test_one_problem_is_told_in_the_singular() -> None:
    assert str(SettingsError([ONE])).startswith("1 setting is wrong; nothing was changed:\n")


def test_the_cli_prints_it_without_a_traceback() -> None:
    assert issubclass(SettingsError, pulumi.RunError)


def test_the_problems_stay_at_hand() -> None:
    assert SettingsError([ONE, TWO]).problems == (ONE, TWO)
