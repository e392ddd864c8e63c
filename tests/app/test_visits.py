"""Visits are counted in Redis, and a page never depends on it."""

from __future__ import annotations

import socket
import time

import pytest
import redis


@pytest.fixture
def client(make_app):
    return make_app(REDIS_URL="redis://127.0.0.1:1/0").test_client()


def test_without_an_address_nothing_is_counted_and_nothing_said(make_app):
    assert "Visits" not in make_app().test_client().get("/").text


def test_each_visit_of_the_page_counts(client, monkeypatch):
    counts = iter(range(1234, 1300))
    monkeypatch.setattr(redis.Redis, "incr", lambda *_: next(counts))
    assert "<dd>1,234</dd>" in client.get("/").text
    client.get("/health")
    client.get("/api/notes")
    assert "<dd>1,235</dd>" in client.get("/").text


def test_the_page_is_served_while_redis_refuses(client, caplog):
    answer = client.get("/")
    assert answer.status_code == 200
    assert "not counted just now" in answer.text
    assert "visits are not counted for 5 s" in caplog.text


def test_a_silent_redis_costs_one_page_a_moment_and_the_next_ones_nothing(make_app):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = make_app(REDIS_URL=f"redis://127.0.0.1:{silent.getsockname()[1]}/0").test_client()
        started = time.monotonic()
        assert client.get("/").status_code == 200
        first = time.monotonic()
        assert client.get("/").status_code == 200
        assert first - started < 1.5
        assert time.monotonic() - first < 0.25


def test_redis_is_tried_again_after_a_pause(client, monkeypatch):
    assert "not counted just now" in client.get("/").text
    monkeypatch.setattr(redis.Redis, "incr", lambda *_: 7)
    assert "not counted just now" in client.get("/").text
    monkeypatch.setattr("app.visits.time.monotonic", lambda now=time.monotonic: now() + 6)
    assert "<dd>7</dd>" in client.get("/").text
