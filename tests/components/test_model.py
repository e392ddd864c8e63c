"""How settings become objects, and how what is wrong with them is told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic
import pytest

from flaskstack import Problem, SettingsError
from flaskstack.model import Model, parse


class Inner(Model):
    port: Annotated[int, pydantic.Field(ge=1, le=65_535)] = 8080
    on: bool = False


class Outer(Model):
    first_name: str
    inner: Inner = Inner()
    maybe: Inner | None = None
    kind: Literal["a", "b"] = "a"
    api_key: str | None = None
    sized: Annotated[int, pydantic.Field(examples=[7])] = 1

    @pydantic.field_validator("first_name")
    @classmethod
    def _not_shouting(cls, value: str) -> str:
        if value.isupper():
            message = "Nobody shouts"
            raise ValueError(message)
        return value


def found(values: dict[str, Any]) -> list[Problem]:
    with pytest.raises(SettingsError) as caught:
        parse(Outer, values, "p:", frozenset({"apiKey"}))
    return list(caught.value.problems)


def test_keys_are_camel_case_in_files_and_snake_case_in_python() -> None:
    assert parse(Outer, {"firstName": "x"}) == Outer(first_name="x")


def test_an_unknown_key_is_told_with_the_one_that_was_meant() -> None:
    (problem,) = found({"firstName": "x", "inner": {"prot": 1}})
    assert problem == Problem(
        "p:inner.prot", "1", "unknown key", "rename it to port, or remove it: pulumi config rm --path p:inner.prot"
    )


def test_an_unknown_key_like_none_is_told_with_all_that_are_known() -> None:
    (problem,) = found({"firstName": "x", "inner": {"zzz": 1}})
    assert problem.fix.startswith("known here: on, port")


def test_an_unknown_key_inside_an_optional_group_is_told_with_that_groups_keys() -> None:
    problems = found({"firstName": "x", "maybe": {"prot": 1}})
    assert any(problem.fix.startswith("rename it to port") for problem in problems)


def test_a_missing_key_is_told_with_the_command_that_sets_it() -> None:
    (problem,) = found({})
    assert problem == Problem("p:firstName", "not set", "required", "pulumi config set p:firstName ...")


def test_a_wrong_value_is_told_with_one_that_would_do() -> None:
    by_key = {problem.key: problem for problem in found({"firstName": "x", "inner": {"port": 0, "on": "perhaps"}})}
    assert by_key["p:inner.port"].value == "0"
    assert by_key["p:inner.port"].reason == "input should be greater than or equal to 1"
    assert by_key["p:inner.port"].fix == "pulumi config set --path p:inner.port 8080"
    assert by_key["p:inner.on"].fix == "pulumi config set --path p:inner.on false"


def test_an_example_goes_before_a_default() -> None:
    (problem,) = found({"firstName": "x", "sized": "big"})
    assert problem.fix == "pulumi config set p:sized 7"


def test_every_problem_is_told() -> None:
    values = {"inner": {"port": 0, "x": 1}, "kind": "c", "y": 2}
    assert {problem.key for problem in found(values)} == {"p:firstName", "p:inner.port", "p:inner.x", "p:kind", "p:y"}


def test_a_validators_own_words_are_told() -> None:
    (problem,) = found({"firstName": "LOUD"})
    assert problem.reason == "nobody shouts"


@pytest.mark.parametrize("values", [{"firstName": "x", "apiKey": ["canary"]}, {"firstName": "x", "apikey": "canary"}])
def test_the_value_of_a_secret_is_never_told_under_a_misspelt_key_either(values: dict[str, Any]) -> None:
    (problem,) = found(values)
    assert problem.value == "[secret]"
    assert "canary" not in str(problem)


def test_a_long_value_is_told_in_part() -> None:
    (problem,) = found({"firstName": "x", "kind": "z" * 500})
    assert len(problem.value) == 80
    assert problem.value.endswith("...")


def test_a_value_that_is_no_json_is_told_all_the_same() -> None:
    (problem,) = found({"firstName": "x", "sized": {1, 2}})
    assert problem.value == "{1, 2}"
