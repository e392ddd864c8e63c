"""Development: an edit shows at the next request, and an exception reaches the debugger."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def development(make_app):
    return make_app(DEBUG=True)


def test_an_exception_reaches_the_debugger_around_the_application(development):
    development.add_url_rule("/boom", view_func=lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        development.test_client().get("/boom")


def test_templates_are_looked_at_again_each_time(development, make_app):
    assert development.jinja_env.auto_reload
    assert not make_app().jinja_env.auto_reload


def test_a_page_that_is_not_there_is_still_a_page(development):
    answer = development.test_client().get("/nowhere")
    assert answer.status_code == 404
    assert "Nothing here" in answer.text


def test_the_form_works_on_plain_http(development, sign):
    client = development.test_client()
    assert sign(client, author="Ada", text="hello").status_code == 303
    assert re.search(r"Welcome back, <strong>Ada</strong>", client.get("/").text)
