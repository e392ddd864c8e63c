"""Log lines: JSON, one a line, whatever is logged."""

from __future__ import annotations

import json
import logging
from datetime import datetime

import pytest

from app.logs import JsonFormatter


@pytest.fixture
def lines(capsys):
    """Return what reads the lines written since the last time."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    "text",
    ['quotes " and \\', "line\nbreaks\r\n\u2028", "bell \x07 \x1b[31m", "half \ud800", "{}"],
    ids=["quotes", "line breaks", "control characters", "half a character", "braces"],
)
def test_a_message_comes_back_as_it_was(app, lines, text):
    app.logger.warning("%s", text)
    (line,) = lines()
    assert line["message"] == text
    assert line["level"] == "WARNING"
    assert line["logger"] == "app"
    assert datetime.fromisoformat(line["@timestamp"]).tzinfo


def test_an_exception_stays_on_one_line(app, lines):
    try:
        int("broken\nin two")
    except ValueError:
        app.logger.exception("failed")
    (line,) = lines()
    assert "broken\\nin two" in line["exception"]
    assert "Traceback" in line["exception"]


def test_arguments_that_do_not_fit_are_written_down_all_the_same():
    record = logging.makeLogRecord({"msg": "%d of %s", "args": ("x",)})
    assert "%d of %s" in json.loads(JsonFormatter().format(record))["message"]


def test_a_line_of_a_request_has_the_request_s_number(app, lines):
    app.add_url_rule("/speak", view_func=lambda: app.logger.warning("spoken") or "ok")
    answer = app.test_client().get("/speak")
    (line,) = lines()
    assert line["request_id"] == answer.headers["X-Request-ID"]


def test_a_second_application_does_not_double_the_lines(make_app, capsys):
    make_app()
    make_app().logger.warning("once")
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({"X-Request-ID": "client-1"}, "client-1"),
        ({"X-Request-ID": "client-1", "X-Tracking-ID": "edge-1"}, "edge-1"),
        ({"X-Request-ID": "client-1", "X-Tracking-ID": "not sane"}, "client-1"),
    ],
)
def test_a_sane_number_is_kept_the_edge_s_first(client, headers, kept):
    assert client.get("/health", headers=headers).headers["X-Request-ID"] == kept


@pytest.mark.parametrize("number", ['"quoted"', "<script>", "x" * 129, "spa ce", "\xff", ""])
def test_another_number_is_given_for_one_that_is_not_sane(client, number):
    given = client.get("/health", headers={"X-Request-ID": number}).headers["X-Request-ID"]
    assert given != number
    assert len(given) == 32
