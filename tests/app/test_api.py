"""Notes as JSON."""

from __future__ import annotations

from datetime import datetime

import pytest


def test_a_note_is_left_found_and_listed(client):
    left = client.post("/api/notes", json={"author": "Ada", "text": "hello", "place": "London"})
    assert left.status_code == 201
    assert left.json["text"] == "hello"
    assert datetime.fromisoformat(left.json["created_at"]).utcoffset().total_seconds() == 0
    assert client.get(left.headers["Location"]).json == left.json
    assert client.get("/api/notes").json == {"notes": [left.json], "next": None}


def test_all_notes_can_be_walked_through_newest_first(client):
    written = [client.post("/api/notes", json={"author": "Ada", "text": str(n)}).json["id"] for n in range(5)]
    found, url = [], "/api/notes?limit=2"
    while url:
        page = client.get(url).json
        found += [note["id"] for note in page["notes"]]
        url = page["next"]
    assert found == written[::-1]


def test_all_that_is_wrong_is_said_at_once(client):
    answer = client.post("/api/notes", json={"author": 7, "text": " ", "place": "x" * 61})
    assert answer.status_code == 422
    assert answer.json["detail"] == {
        "author": "must be text",
        "text": "is missing",
        "place": "has 61 characters; 60 fit",
    }


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_refused_as_json(client, body):
    answer = client.post("/api/notes", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["error"] == "Bad Request"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_foreign_site_s_form_can_send_is_refused(client, kind):
    answer = client.post("/api/notes", data=b'{"author": "Mallory", "text": "forged"}', content_type=kind)
    assert answer.status_code == 415


def test_no_cookie_is_set_or_asked_for(client):
    answer = client.post("/api/notes", json={"author": "Ada", "text": "hello"})
    assert "Set-Cookie" not in answer.headers
    assert "Vary" not in answer.headers


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "a\x1b[31mb"], ids=["null", "half a character", "escape"])
def test_what_postgresql_cannot_hold_is_left_out(client, text):
    left = client.post("/api/notes", json={"author": "Ada", "text": text})
    assert left.status_code == 201
    assert left.json["text"] in ("ab", "a[31mb")


def test_other_scripts_and_pictures_are_kept(client):
    text = "日本語 ✍🏽 עברית"
    assert client.post("/api/notes", json={"author": "Ada", "text": text}).json["text"] == text


def test_a_body_above_the_limit_is_refused(client):
    assert client.post("/api/notes", json={"author": "Ada", "text": "x" * 70_000}).status_code == 413


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "before=-1", "before=99999999999", "limit=²"])
def test_a_wrong_number_is_named(client, query):
    answer = client.get(f"/api/notes?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/notes/1", 404), ("GET", f"/api/notes/{10**30}", 404), ("PUT", "/api/notes", 405)],
)
def test_errors_are_json(client, method, path, status):
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert answer.json["error"]
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
