"""Counts and durations, by what a client cannot make up."""

from __future__ import annotations


def test_requests_are_counted_by_route_and_status(client):
    client.post("/api/notes", json={"author": "Ada", "text": "hello"})
    for path in ("/api/notes/1", "/api/notes/2", "/nowhere/1", "/nowhere/2"):
        client.get(path)
    client.open("/nowhere/3", method="MADEUP")
    metrics = client.get("/metrics").text
    for line in (
        'http_requests_total{method="POST",route="/api/notes",status="201"} 1.0',
        'http_requests_total{method="GET",route="/api/notes/<int:identity>",status="200"} 1.0',
        'http_requests_total{method="GET",route="/api/notes/<int:identity>",status="404"} 1.0',
        'http_requests_total{method="GET",route="unmatched",status="404"} 2.0',
        'http_requests_total{method="OTHER",route="unmatched",status="404"} 1.0',
        'http_request_duration_seconds_count{method="POST",route="/api/notes"} 1.0',
    ):
        assert line in metrics
    assert "nowhere" not in metrics


def test_errors_are_counted_too(make_app):
    app = make_app()
    app.add_url_rule("/boom", view_func=lambda: 1 / 0)
    client = app.test_client()
    client.get("/boom")
    client.get("/boom")
    assert 'http_requests_total{method="GET",route="/boom",status="500"} 2.0' in client.get("/metrics").text


def test_each_application_counts_for_itself(make_app):
    first, second = make_app().test_client(), make_app().test_client()
    first.get("/health")
    assert 'route="/health"' not in second.get("/metrics").text
