"""Measure a preview, an `up` without change, a rebuild after one edit and a request, each beside its alternative.

Both sides run in turn, in one run, on a stack of the benchmark's own; what is compared is CPU time and ratios, since
these machines are shared. `python -m bench` prints a table; it asserts nothing.
"""

from __future__ import annotations

import http.client
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from support.stack import Stack, docker  # noqa: E402  # after the path

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
REQUESTS = 2000
NAIVE = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
WORKDIR /app
COPY . .
RUN --mount=type=secret,id=ca set -e; if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \\
    python3 -m venv /opt/venv && /opt/venv/bin/pip install -q -r requirements.txt
"""
EMPTY = "name: empty\nruntime:\n  name: python\n  options:\n    virtualenv: .venv\n"


def main() -> None:
    """Run everything and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "stack", {"mode": "dev", "local": {}})
        try:
            print("bringing a stack up ...", file=sys.stderr)
            stack.up().expect()
            rows = [
                *commands(stack, Path(folder)),
                *rebuilds(stack, Path(folder)),
                *requests(stack),
            ]
        finally:
            stack.remove()
    print("| what | median | beside it | median | ratio |\n|---|---|---|---|---|")
    for what, value, beside, other, unit in rows:
        print(f"| {what} | {value:.2f} {unit} | {beside} | {other:.2f} {unit} | {value / other:.2f} |")


def cpu(action: Callable[[], object]) -> float:
    """Return the CPU seconds of the processes that an action runs and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    action()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wall(action: Callable[[], object]) -> float:
    """Return the seconds that an action takes: what runs in the engine is not ours to count."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def in_turn(
    measure: Callable[[Callable[[], object]], float], one: Callable[[], object], other: Callable[[], object]
) -> tuple[float, float]:
    """Return the medians of two actions, run A B A B."""
    pairs = [(measure(one), measure(other)) for _ in range(ROUNDS)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def commands(stack: Stack, folder: Path) -> list[tuple[str, float, str, float, str]]:
    """Measure the CLI on the whole stack beside the CLI on a program without resources: its floor."""
    empty = folder / "empty"
    empty.mkdir()
    (empty / "Pulumi.yaml").write_text(EMPTY)
    (empty / "__main__.py").write_text("import pulumi\n")
    (empty / ".venv").symlink_to(ROOT / ".venv")
    environment = {**os.environ, "PULUMI_BACKEND_URL": f"file://{folder}", "PULUMI_CONFIG_PASSPHRASE": "bench"}

    def floor(*arguments: str) -> None:
        subprocess.run(
            ["pulumi", "--non-interactive", "--cwd", str(empty), *arguments, "--stack", "bench"],
            env=environment,
            check=True,
            capture_output=True,
        )

    floor("stack", "init")
    floor("up", "--yes", "--skip-preview")
    preview = in_turn(cpu, lambda: stack.preview("--expect-no-changes").expect(), lambda: floor("preview"))
    up = in_turn(cpu, lambda: stack.up("--expect-no-changes").expect(), lambda: floor("up", "--yes", "--skip-preview"))
    return [
        ("preview, no change: CPU", preview[0], "a program without resources", preview[1], "s"),
        ("up, no change: CPU", up[0], "a program without resources", up[1], "s"),
    ]


def rebuilds(stack: Stack, folder: Path) -> list[tuple[str, float, str, float, str]]:
    """Measure a build after one edit of the code, with the generated Dockerfile and a naive one."""
    sys.path.insert(0, str(ROOT / "components"))
    from flaskstack import DEFAULT_IMAGES, FlaskApp, dockerfile  # noqa: PLC0415  # after the stack is up

    texts = {"generated": dockerfile.generate(FlaskApp(path=str(stack.app))), "naive": NAIVE}
    bundle = os.environ.get("SSL_CERT_FILE")
    secret = ["--secret", f"id=ca,src={bundle}"] if bundle else []

    def build(name: str) -> None:
        file = folder / f"Dockerfile.{name}"
        file.write_text(texts[name])
        command = [
            "docker",
            "build",
            "-q",
            *secret,
            "--build-arg",
            f"BASE_IMAGE={DEFAULT_IMAGES['base']}",
            "-f",
            str(file),
            "-t",
            f"flaskstack-bench-{name}",
            str(stack.app),
        ]
        subprocess.run(command, env={**os.environ, "DOCKER_BUILDKIT": "1"}, check=True, capture_output=True)

    def edited(name: str) -> None:
        with (stack.app / "app" / "__init__.py").open("a") as file:
            file.write(f"# {time.time_ns()}\n")
        build(name)

    for name in texts:
        build(name)
    medians = in_turn(wall, lambda: edited("generated"), lambda: edited("naive"))
    for name in texts:
        docker("rmi", f"flaskstack-bench-{name}", check=False)
    return [
        ("image rebuild after one edit: time", medians[0], "a Dockerfile that copies everything first", medians[1], "s")
    ]


def requests(stack: Stack) -> list[tuple[str, float, str, float, str]]:
    """Measure CPU a request, by the containers' own accounting: nginx and Gunicorn together beside Gunicorn's part."""
    parts = {role: stack.containers(role)[0] for role in ("nginx", "web")}
    cgroups = "/sys/fs/cgroup/cpuacct/cpuacct.usage", "/sys/fs/cgroup/cpu.stat"
    read = f"cat {cgroups[0]} 2>/dev/null || awk '/usage_usec/ {{print $2 * 1000}}' {cgroups[1]}"

    def used() -> dict[str, float]:
        return {role: float(docker("exec", container, "sh", "-c", read)) for role, container in parts.items()}

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
        for _ in range(REQUESTS):
            connection.request("GET", "/health")
            connection.getresponse().read()
        connection.close()

    both, gunicorn = [], []
    for _ in range(ROUNDS):
        before = used()
        send()
        after = used()
        spent = {role: (after[role] - before[role]) / REQUESTS / 1000 for role in parts}
        both.append(sum(spent.values()))
        gunicorn.append(spent["web"])
    what = "GET /health through the stack: CPU a request"
    return [(what, statistics.median(both), "Gunicorn's part of it", statistics.median(gunicorn), "us")]


if __name__ == "__main__":
    main()
