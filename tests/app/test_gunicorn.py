"""The application under Gunicorn with flaskstack's configuration: several workers, forked after it was loaded."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "app"
CONFIG = APP.parent / "components" / "flaskstack" / "server" / "gunicorn.conf.py"
WORKERS = 3


@pytest.fixture
def server(tmp_path, database_url):
    """Return the URL of a running server, and the file that its standard output goes to."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "SECRET_KEY": "x" * 64,
        "DATABASE_URL": database_url,
        "FLASK_SESSION_COOKIE_SECURE": "false",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
        "PORT": str(port),
        "WEB_CONCURRENCY": str(WORKERS),
        "GUNICORN_THREADS": "2",
    }
    output = tmp_path / "output"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        str(CONFIG),
        "--bind",
        f"127.0.0.1:{port}",
        "app:create_app()",
    ]
    with (
        output.open("w") as file,
        subprocess.Popen(command, cwd=APP, env=environment, stdout=file, stderr=file) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 30
        while not answers(url):
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.1)
        yield url, output
        process.terminate()
        assert process.wait(30) == 0


def answers(url):
    try:
        return get(f"{url}/ready") is not None
    except (urllib.error.URLError, ConnectionError):
        return False


def get(url, **headers):
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # our own server's URL
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return answer.read().decode()


def test_all_workers_serve_and_their_counts_are_one(server):
    url, _ = server
    pids, asked = set(), 0
    deadline = time.monotonic() + 30
    while len(pids) < WORKERS:
        assert time.monotonic() < deadline
        page = get(url)
        asked += 1
        pids.add(re.search(r"pid (\d+)", page)[1])
        assert "Gunicorn 2" in page
    assert f'http_requests_total{{method="GET",route="/",status="200"}} {asked}.0' in get(f"{url}/metrics")


def test_every_line_of_output_is_json_and_names_the_request(server):
    url, output = server
    get(f"{url}/health", **{"X-Request-ID": 'say "hi" \\', "User-Agent": "tab\t\xff\xfe"})
    with pytest.raises(urllib.error.HTTPError) as missing:
        get(f"{url}/nowhere")
    missing.value.close()
    time.sleep(0.2)
    entries = [json.loads(line) for line in output.read_text().splitlines()]
    paths = {entry["request_path"]: entry for entry in entries if "request_path" in entry}
    assert paths["/health"]["x_tracking_id"] == 'say "hi" \\'
    assert paths["/nowhere"]["status_code"] == 404
    assert {"@timestamp", "remote_addr", "user_agent", "request_time"} <= paths["/health"].keys()
