"""The page in a browser's hands: notes, a remembered name, guarded forms."""

from __future__ import annotations

import os
import re
import socket
from datetime import UTC, datetime, timedelta

import pytest

from app.pages import SHOWN, ago


def test_an_empty_book_invites_the_first_line(client):
    assert "The first line is yours" in client.get("/").text


def test_a_note_is_signed_shown_and_thanked_for_once(client, sign):
    answer = sign(client, author="Ada", place="London", text="First line\nsecond line")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    page = client.get("/").text
    for said in ("First line\nsecond line", "from London", "Thank you, Ada", "just now"):
        assert said in page
    assert "Thank you" not in client.get("/").text


def test_the_name_is_remembered_until_it_is_to_be_forgotten(client, sign):
    sign(client, author="Ada", text="hello")
    page = client.get("/").text
    assert "Welcome back, <strong>Ada</strong>" in page
    token = re.search(r'value="([^"]+)"', page)[1]
    assert client.post("/forget", data={"csrf_token": token}).status_code == 303
    assert "Ada</strong></span>\n      <button" not in client.get("/").text
    assert "Welcome back" not in client.get("/").text


def test_the_session_is_kept_for_a_month_out_of_reach_of_scripts(client, sign):
    cookie = sign(client, author="Ada", text="hello").headers["Set-Cookie"]
    for attribute in ("HttpOnly", "SameSite=Lax", "Expires="):
        assert attribute in cookie


def test_a_rotated_key_keeps_the_name_and_the_open_form_while_the_former_one_is_a_fallback(make_app, client, app, sign):
    sign(client, author="Ada", text="before")
    token = re.search(r'value="([^"]+)"', client.get("/").text)[1]
    cookie = client.get_cookie("session").value

    def browser(**config):
        other = make_app(SESSION_COOKIE_SECURE=False, SECRET_KEY="f" * 64, **config).test_client()
        other.set_cookie("session", cookie)
        return other

    rotated = browser(SECRET_KEY_FALLBACKS=["older", app.config["SECRET_KEY"]])
    assert "Welcome back, <strong>Ada</strong>" in rotated.get("/").text
    assert rotated.post("/", data={"csrf_token": token, "author": "Ada", "text": "after"}).status_code == 303
    forgotten = browser()
    assert "Welcome back" not in forgotten.get("/").text
    assert forgotten.post("/", data={"csrf_token": token, "author": "Ada", "text": "after"}).status_code == 400


@pytest.mark.parametrize("path", ["/", "/forget"])
def test_a_form_without_the_token_changes_nothing(client, path):
    answer = client.post(path, data={"author": "Mallory", "text": "forged"})
    assert answer.status_code == 400
    assert "reload the page" in answer.text
    assert client.get("/api/notes").json["notes"] == []


def test_what_is_wrong_with_a_note_stands_beside_the_field_and_nothing_typed_is_lost(client, sign):
    answer = sign(client, author="  ", place="Here", text="x" * 501)
    assert answer.status_code == 422
    assert "This is missing." in answer.text
    assert "This has 501 characters; 500 fit." in answer.text
    assert 'value="Here"' in answer.text
    assert "x" * 501 in answer.text
    assert 'aria-describedby="author-problem"' in answer.text


def test_what_people_write_is_text_and_never_markup(client, sign):
    sign(client, author="<b>Eve</b>", place="\"'><i>", text="<script>alert(1)</script>")
    page = client.get("/").text
    for markup in ("<script", "<b>", "<i>"):
        assert markup not in page


def test_pages_need_nothing_that_a_strict_content_security_policy_refuses(client, sign):
    sign(client, author="Ada", text="hello")
    for page in (client.get("/").text, client.get("/nowhere").text):
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:|(?:src|href|action)=\"(?!/)", page)


def test_older_notes_are_a_link_away(client):
    for number in range(SHOWN + 1):
        client.post("/api/notes", json={"author": "Ada", "text": f"note {number}."})
    newest = client.get("/").text
    assert "note 1." in newest
    assert "note 0." not in newest
    older = client.get(re.search(r'href="(/\?before=\d+)"', newest)[1]).text
    assert "note 0." in older
    assert "note 1." not in older


@pytest.mark.parametrize("before", ["0", "-1", "x", "9" * 30])
def test_a_made_up_page_number_is_answered(client, before):
    assert client.get(f"/?before={before}").status_code == 200


def test_the_page_says_who_served_it(make_app):
    page = make_app(APP_VERSION="4f9c21d07be3").test_client().get("/").text
    for said in (socket.gethostname(), "4f9c21d07be3", f"pid {os.getpid()}", "Flask 3."):
        assert said in page


def test_a_page_is_not_kept_for_the_next_visitor(client):
    headers = client.get("/").headers
    assert headers["Cache-Control"] == "no-store"
    assert "Cookie" in headers["Vary"]


def test_a_page_that_is_not_there_says_so_with_the_number_of_the_request(client):
    answer = client.get("/nowhere", headers={"X-Request-ID": "number-1"})
    assert answer.status_code == 404
    assert "Nothing here" in answer.text
    assert "number-1" in answer.text


def test_an_error_is_logged_and_not_shown(make_app, caplog):
    app = make_app(SESSION_COOKIE_SECURE=False)
    app.add_url_rule("/boom", view_func=lambda: 1 / 0)
    answer = app.test_client().get("/boom")
    assert answer.status_code == 500
    assert "Our fault" in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_a_database_that_is_away_is_a_503_to_try_again(make_app, tmp_path):
    client = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/no/such/folder/x.sqlite").test_client()
    page, api = client.get("/"), client.get("/api/notes")
    assert (page.status_code, api.status_code) == (503, 503)
    assert page.headers["Retry-After"] == "5"
    assert "Back in a moment" in page.text
    assert api.json["error"] == "Service Unavailable"


@pytest.mark.parametrize(
    ("age", "words"),
    [(-5, "just now"), (59, "just now"), (60, "1 minute ago"), (7200, "2 hours ago"), (86_400, "1 day ago")],
)
def test_ages_are_words(age, words):
    assert ago(datetime.now(UTC) - timedelta(seconds=age + 0.5)) == words
