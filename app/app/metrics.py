"""Counts and durations of requests, for Prometheus. With several workers, they share them through files."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from flask import Flask

_METHODS: Final = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def init_app(app: Flask) -> None:
    """Measure every request of `app` and route `/metrics`."""
    shared = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if shared:
        # The client library writes there as soon as a metric is made, in whichever process comes first.
        Path(shared).mkdir(parents=True, exist_ok=True)
    registry = CollectorRegistry()
    # Labels that a client cannot make up: the route's template, not the path.
    labels = ("method", "route", "status")
    count = Counter("http_requests", "Requests answered.", labels, registry=registry)
    duration = Histogram(
        "http_request_duration_seconds",
        "Time that the application took for an answer.",
        labels[:2],
        registry=registry,
        buckets=_BUCKETS,
    )

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def measure(response: Response) -> Response:
        method = request.method if request.method in _METHODS else "OTHER"
        route = request.url_rule.rule if request.url_rule else "unmatched"
        count.labels(method, route, response.status_code).inc()
        if "started" in g:
            duration.labels(method, route).observe(time.perf_counter() - g.started)
        return response

    @app.get("/metrics")
    def metrics() -> Response:
        """Answer with what was measured. Not for clients: the edge keeps it in."""
        source = registry
        if shared:
            source = CollectorRegistry()
            MultiProcessCollector(source, path=shared)  # type: ignore[no-untyped-call]
        return Response(generate_latest(source), content_type=CONTENT_TYPE_LATEST)
