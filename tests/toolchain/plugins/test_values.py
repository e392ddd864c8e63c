"""Values on the wire, durations as Go writes them, and the marks of secrecy."""

from __future__ import annotations

import copy

import pytest
from plugins.durations import go_duration, nanoseconds
from plugins.values import UNKNOWN, Secret, decode, encode, has_unknown, keep_secret, plain


def test_values_come_back_as_they_went() -> None:
    values = {"a": 1, "b": 1.5, "c": "x", "d": True, "e": [1, {"f": ""}], "g": UNKNOWN, "h": {}}
    assert decode(encode(values)) == values


def test_secrets_keep_their_mark_on_the_wire() -> None:
    back = decode(encode({"a": Secret(["x", {"y": Secret("z")}])}))
    assert isinstance(back["a"], Secret)
    assert plain(back) == {"a": ["x", {"y": "z"}]}


def test_nothing_is_left_out() -> None:
    assert decode(encode({"a": None, "b": 1})) == {"b": 1}


def test_a_property_with_a_secret_part_is_secret_as_a_whole() -> None:
    kept = keep_secret({"envs": ["A=1"], "name": "x"}, {"envs": [Secret("A=1")], "name": "x"})
    assert isinstance(kept["envs"], Secret)
    assert kept["name"] == "x"


def test_an_unknown_part_is_found_anywhere() -> None:
    assert has_unknown({"a": [{"b": Secret(UNKNOWN)}]})
    assert not has_unknown({"a": [{"b": Secret("x")}]})


def test_there_is_one_unknown_value_in_copies_too() -> None:
    assert copy.deepcopy({"name": UNKNOWN})["name"] is UNKNOWN


@pytest.mark.parametrize(
    ("text", "count", "printed"),
    [
        ("30s", 30 * 10**9, "30s"),
        ("90s", 90 * 10**9, "1m30s"),
        ("1.5h", 5400 * 10**9, "1h30m0s"),
        ("200ms", 2 * 10**8, "200ms"),
        ("1500ms", 15 * 10**8, "1.5s"),
        ("0", 0, "0s"),
        ("1h0m0.25s", 3600 * 10**9 + 25 * 10**7, "1h0m0.25s"),
    ],
)
def test_durations_are_read_and_printed_as_go_does(text: str, count: int, printed: str) -> None:
    assert nanoseconds(text) == count
    assert go_duration(count) == printed


@pytest.mark.parametrize("text", ["", "soon", "5", "5 s", "s", "-5s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the text itself is the message
        nanoseconds(text)
