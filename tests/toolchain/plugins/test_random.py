"""The random plugin: passwords that meet their rules, stay as they are, and stay secret."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

import pytest
from plugins.values import UNKNOWN, Secret, plain

if TYPE_CHECKING:
    from support.program import Program
    from support.provider import Plugin

PASSWORD = "random:index/randomPassword:RandomPassword"


def test_a_password_has_its_length_and_its_minimums(random_plugin: Plugin) -> None:
    rules = {"length": 12, "minSpecial": 3, "minUpper": 3, "minNumeric": 3, "minLower": 3, "overrideSpecial": "%_"}
    _, outputs = random_plugin.create(PASSWORD, rules)
    text = outputs["result"].value
    assert sorted("".join(sorted(text))) == sorted(text)
    assert len(text) == 12
    for letters in ("%_", string.ascii_uppercase, string.digits, string.ascii_lowercase):
        assert sum(letter in letters for letter in text) == 3


def test_a_password_without_special_characters_has_none(random_plugin: Plugin) -> None:
    _, outputs = random_plugin.create(PASSWORD, {"length": 200, "special": False})
    assert outputs["result"].value.isalnum()


def test_two_passwords_differ(random_plugin: Plugin) -> None:
    results = {random_plugin.create(PASSWORD, {"length": 32})[1]["result"].value for _ in range(3)}
    assert len(results) == 3


def test_the_result_and_its_hash_are_secret(random_plugin: Plugin) -> None:
    identity, outputs = random_plugin.create(PASSWORD, {"length": 20})
    assert identity == "none"
    assert isinstance(outputs["result"], Secret)
    assert outputs["bcryptHash"].value.startswith("$2b$10$")


def test_a_preview_knows_no_result(random_plugin: Plugin) -> None:
    outputs = random_plugin.preview(PASSWORD, {"length": 20})
    assert plain(outputs["result"]) is UNKNOWN


@pytest.mark.parametrize("change", [{"length": 21}, {"special": False}, {"keepers": {"version": "2"}}])
def test_any_change_makes_a_new_password(random_plugin: Plugin, change: dict[str, Any]) -> None:
    _, state = random_plugin.create(PASSWORD, {"length": 20})
    inputs = random_plugin.check(PASSWORD, {"length": 20, **change})
    assert random_plugin.diff(PASSWORD, state, inputs).replaces == list(change)


def test_minimums_above_the_length_are_refused(random_plugin: Plugin) -> None:
    with pytest.raises(Exception, match="less than the sum of the minimums"):
        random_plugin.check(PASSWORD, {"length": 2, "minUpper": 3})


def test_a_type_that_is_not_there_is_refused_by_name(random_plugin: Plugin) -> None:
    with pytest.raises(Exception, match=r"randomPet:RandomPet is not supported by the fallback plugin of random 4\."):
        random_plugin.check("random:index/randomPet:RandomPet", {})


def test_a_password_stays_and_is_nowhere_in_plain_text(program: Program) -> None:
    program.write("""
        made = random.RandomPassword("made", length=24)
        pulumi.export("text", made.result)
    """)
    shown = program.up()
    text = program.output("text")
    assert len(text) == 24
    assert text not in shown
    assert text not in program.exported()
    assert program.unchanged(), program.last
    program.up()
    assert program.output("text") == text
