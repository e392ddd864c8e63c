"""Static files: kept for good under a name that carries a hash, and never longer than that is true."""

from __future__ import annotations

import os
import re

import pytest

from app.assets import Assets

FOREVER = "public, max-age=2592000, immutable"


@pytest.fixture
def css(client):
    """Return the URL of the style sheet, as the page has it."""
    return re.search(r'href="(/static/[^"]+\.css)"', client.get("/").text)[1]


def test_the_page_links_hashed_names_that_may_be_kept_for_thirty_days(client, css):
    assert re.fullmatch(r"/static/style\.[0-9a-f]{12}\.css", css)
    answer = client.get(css)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == FOREVER
    assert answer.content_type == "text/css; charset=utf-8"


def test_no_cookie_comes_with_a_file_that_everybody_keeps(client, css):
    headers = client.get(css).headers
    assert "Set-Cookie" not in headers
    assert "Vary" not in headers


def test_the_plain_name_is_asked_for_again_which_costs_no_body(client):
    answer = client.get("/static/style.css")
    assert answer.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    again = client.get("/static/style.css", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_another_release_s_name_is_answered_but_not_to_be_kept(client, css):
    answer = client.get("/static/style.0123456789ab.css")
    assert answer.status_code == 200
    assert answer.data == client.get(css).data
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "nothing.css",
        "nothing.0123456789ab.css",
        "../config.py",
        "..%2fconfig.py",
        "%00",
        "style.0123456789ab",
        "a" * 300,
    ],
)
def test_what_is_not_there_is_not_found(client, path):
    assert client.get(f"/static/{path}").status_code == 404


def test_the_icon_is_found_under_the_name_that_browsers_guess(client):
    answer = client.get("/favicon.ico")
    assert answer.status_code == 200
    assert answer.mimetype == "image/svg+xml"


def test_an_edit_gets_another_name_at_once(tmp_path):
    file = tmp_path / "a.css"
    file.write_text("one")
    assets = Assets(tmp_path)
    before = assets.hashed_name("a.css")
    file.write_text("two")
    os.utime(file, ns=(1, 1))
    assert assets.hashed_name("a.css") != before


def test_the_same_content_has_the_same_name_in_every_replica(tmp_path):
    names = set()
    for replica in ("one", "two"):
        (tmp_path / replica).mkdir()
        file = tmp_path / replica / "a.css"
        file.write_text("same")
        os.utime(file, (len(names), len(names)))
        names.add(Assets(tmp_path / replica).hashed_name("a.css"))
    assert len(names) == 1


def test_a_file_that_really_has_such_a_name_is_that_file(make_app, tmp_path):
    app = make_app()
    app.extensions["assets"].folder = tmp_path
    (tmp_path / "a.0123456789ab.css").write_text("itself")
    (tmp_path / "a.css").write_text("another")
    assert app.test_client().get("/static/a.0123456789ab.css").text == "itself"
