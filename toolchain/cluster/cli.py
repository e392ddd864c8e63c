"""The commands of `toolchain/kube`."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from lib import engine, places
from lib.progress import StepError, only_one, say

from cluster import (
    beside,
    builds,
    certificates,
    control_plane,
    images,
    network,
    node,
    probes,
    processes,
    services,
    settings,
    teardown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LOCK: Final = "cluster.lock"
PACKAGES: Final = (
    "containerd", "runc", "containernetworking-plugins", "conntrack", "nftables", "iptables", "iproute2",
    "openssl", "docker-registry",
)  # fmt: skip


def main(arguments: list[str], usage: str) -> int:
    """Run a command; return its exit status."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    commands: dict[str, Callable[[list[str]], int]] = {
        "up": _up, "down": _down, "status": _status, "env": _env, "logs": _logs, "load": _load, "push": _push,
        "certificate": _certificate, "checkers": _checkers, "build": lambda _: _locked(builds.make),
        "database-url": lambda _: _print(services.value("database-url")),
        "redis-url": lambda _: _print(services.value("redis-url")),
    }  # fmt: skip
    if name not in commands:
        say(usage)
        return 0 if name in {"help", "--help", "-h"} else 2
    try:
        return commands[name](rest)
    except StepError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; run it again to go on")
        return 130


def _locked(action: Callable[[], None]) -> int:
    with only_one(LOCK):
        action()
    return 0


def _print(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    return 0


def _up(_: list[str]) -> int:
    began = time.monotonic()
    with only_one(LOCK):
        with only_one():  # Packages are the set-up's too, where what follows may be built beside it.
            _install()
        builds.make()
        _link_kubectl()
        _start()
    say(f"the cluster is up ({time.monotonic() - began:.0f} s)")
    return _status([])


def _install() -> None:
    if network.problems() and os.geteuid() == 0:
        engine.apt(*PACKAGES)
    if found := network.problems():
        raise StepError("no cluster can run here:\n" + "\n".join(f"    {problem}" for problem in found))


def _link_kubectl() -> None:
    """Have a kubectl on the project's PATH, where a person has none."""
    link = places.tools() / "kubectl"
    if link.is_symlink() or not shutil.which("kubectl"):
        places.tools().mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(builds.program("kubectl"))


def _start() -> None:
    for folder in (settings.logs() / "pods", settings.run(), settings.config()):
        folder.mkdir(parents=True, exist_ok=True)
    if not any(processes.running(name) for name in processes.names()):
        beside.check_ports()
    certificates.make()
    network.make()
    processes.start(node.containerd())
    images.make_pause()
    processes.start(beside.registry())
    _run(control_plane.programs())
    beside.make_base()
    _run([beside.dns(), node.kubelet()])
    _wait_for_node()  # kube-proxy waits half a minute for a node that is not there yet.
    _run([node.proxy(), beside.storage(), beside.traefik()])
    services.make()


def _run(programs: Iterable[processes.Program]) -> None:
    for program in programs:
        processes.start(program)


def _wait_for_node(seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not probes.node_ready():
        if time.monotonic() > deadline:
            message = f"the node did not get ready within {seconds:.0f} s; see {settings.logs() / 'kubelet.log'}"
            raise StepError(message)
        time.sleep(0.5)


def _down(arguments: list[str]) -> int:
    with only_one(LOCK):
        teardown.down(delete_data="--delete-data" in arguments)
    return 0


def _status(_: list[str]) -> int:
    names = ["containerd", *teardown.ORDER]
    dead = [name for name in names if not processes.running(name)]
    for name in names:
        record = processes.running(name)
        say(f"  {name:26} {'process ' + record['pid'] if record else 'not running'}")
    say(f"  kubeconfig                 {settings.kubeconfig()} (context {settings.NAME})")
    say(f"  registry                   127.0.0.1:{settings.REGISTRY}")
    say(
        f"  ingress, class traefik     https://HOST.flaskstack.localhost:{settings.HTTPS} and http://...:{settings.HTTP}"
    )
    say(f"  logs                       {settings.logs()}")
    return 1 if dead else 0


def _env(_: list[str]) -> int:
    values = {
        "KUBECONFIG": str(settings.kubeconfig()),
        "FLASKSTACK_KUBECONFIG": str(settings.kubeconfig()),
        "FLASKSTACK_REGISTRY": f"127.0.0.1:{settings.REGISTRY}",
        "PATH": f"{builds.program('kubectl').parent}{os.pathsep}{os.environ.get('PATH', '')}",
        **settings.unproxied(),
    }
    for name, value in values.items():
        _print(f"export {name}={shlex.quote(value)}")
    return 0


def _logs(arguments: list[str]) -> int:
    files = [settings.logs() / f"{name}.log" for name in arguments] or sorted(settings.logs().glob("*.log"))
    return subprocess.run(["tail", "-n", "20", *files], check=False, stdout=sys.stdout).returncode


def _certificate(arguments: list[str]) -> int:
    if len(arguments) != 2:  # noqa: PLR2004  # a namespace and a name
        raise StepError("usage: toolchain/kube certificate NAMESPACE SECRET")
    beside.make_certificate(*arguments)
    return 0


def _checkers(_: list[str]) -> int:
    with only_one(LOCK):
        builds.make(builds.CHECKERS)
    for build in builds.CHECKERS:
        for name in build.programs:
            _print(str(builds.program(name)))
    return 0


def _load(arguments: list[str]) -> int:
    for reference in arguments:
        images.load(reference)
    return 0


def _push(arguments: list[str]) -> int:
    for reference in arguments:
        _print(images.push(reference))
    return 0
