"""The installed plugins, asked over their protocol and through the real Pulumi engine, with a tiny image of our own."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tarfile
import textwrap
from concurrent import futures
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pulumi  # noqa: F401  # the whole SDK, before the plugins' own modules look for its messages
import pytest
from google.protobuf import empty_pb2
from plugins.values import Secret, decode, encode
from pulumi.runtime.proto import engine_pb2_grpc, provider_pb2, provider_pb2_grpc, status_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 120


def docker(*arguments: str, check: bool = True) -> str:
    """Run the docker command and return what it printed."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=SECONDS)
    if check and done.returncode:
        raise AssertionError(f"docker {' '.join(arguments)}: {done.stderr}")
    return done.stdout.strip()


def inspect(identity: str) -> dict[str, Any]:
    """Return what the engine knows of something; empty when it is gone."""
    found: list[dict[str, Any]] = json.loads(docker("inspect", identity, check=False) or "[]")
    return found[0] if found else {}


class CheckFailed(Exception):
    """Inputs were refused. `failures` maps each field to the reason."""

    def __init__(self, failures: dict[str, str]) -> None:
        super().__init__(str(failures))
        self.failures = failures


class Failed(Exception):
    """An operation failed. `partial` holds id and outputs of what was made nevertheless."""

    def __init__(self, reason: str, partial: tuple[str, dict[str, Any]] | None) -> None:
        super().__init__(reason)
        self.partial = partial


class _Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.said: list[tuple[int, bool, str]] = []

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802  # the protocol's name
        del context
        self.said.append((request.severity, request.ephemeral, request.message))
        return empty_pb2.Empty()


class Plugin:
    """A running plugin. Values are Python's, secrets wrapped in `Secret`."""

    def __init__(self, name: str) -> None:
        self.engine = _Engine()
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        engine_pb2_grpc.add_EngineServicer_to_server(self.engine, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        self.process = subprocess.Popen(
            [str(executable(name)), f"127.0.0.1:{port}"], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self.process.stdout.readline().strip()}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        handshake = self.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address=f"127.0.0.1:{port}"))
        assert handshake.accept_secrets
        self.stub.Configure(provider_pb2.ConfigureRequest(acceptSecrets=True))
        self._made: list[tuple[str, str, dict[str, Any]]] = []

    def check(
        self, token: str, inputs: dict[str, Any], olds: dict[str, Any] | None = None, *, name: str = "thing"
    ) -> dict[str, Any]:
        request = provider_pb2.CheckRequest(
            urn=urn(token, name), news=encode(inputs), olds=encode(olds or {}), randomSeed=secrets.token_bytes(8)
        )
        answer = self.stub.Check(request)
        if answer.failures:
            raise CheckFailed({item.property: item.reason for item in answer.failures})
        return decode(answer.inputs)

    def diff(
        self, token: str, state: dict[str, Any], inputs: dict[str, Any], old_inputs: dict[str, Any] | None = None
    ) -> Any:
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                id="x", urn=urn(token), olds=encode(state), news=encode(inputs), old_inputs=encode(old_inputs or inputs)
            )
        )

    def preview(self, token: str, inputs: dict[str, Any]) -> dict[str, Any]:
        checked = self.check(token, inputs)
        request = provider_pb2.CreateRequest(urn=urn(token), properties=encode(checked), preview=True)
        return decode(self.stub.Create(request).properties)

    def create(self, token: str, inputs: dict[str, Any], *, name: str = "thing") -> tuple[str, dict[str, Any]]:
        """Check and create. What is made is deleted at the end of the test."""
        checked = self.check(token, inputs, name=name)
        try:
            made = self.stub.Create(provider_pb2.CreateRequest(urn=urn(token, name), properties=encode(checked)))
        except grpc.RpcError as error:
            partial = _partial(error)
            if partial:
                self._made.append((token, *partial))
            raise Failed(error.details(), partial) from error
        outputs = decode(made.properties)
        self._made.append((token, made.id, outputs))
        return made.id, outputs

    def read(
        self, token: str, identity: str, state: dict[str, Any], inputs: dict[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        answer = self.stub.Read(
            provider_pb2.ReadRequest(id=identity, urn=urn(token), properties=encode(state), inputs=encode(inputs))
        )
        return answer.id, decode(answer.properties), decode(answer.inputs)

    def update(
        self, token: str, identity: str, state: dict[str, Any], inputs: dict[str, Any], *, preview: bool = False
    ) -> dict[str, Any]:
        request = provider_pb2.UpdateRequest(
            id=identity, urn=urn(token), olds=encode(state), news=encode(inputs), preview=preview
        )
        try:
            return decode(self.stub.Update(request).properties)
        except grpc.RpcError as error:
            raise Failed(error.details(), None) from error

    def delete(self, token: str, identity: str, state: dict[str, Any]) -> None:
        try:
            self.stub.Delete(provider_pb2.DeleteRequest(id=identity, urn=urn(token), properties=encode(state)))
        except grpc.RpcError as error:
            raise Failed(error.details(), None) from error
        self._made = [item for item in self._made if item[1] != identity]

    def clean(self) -> None:
        """Delete what the test left."""
        for token, identity, state in reversed(self._made):
            if inspect(identity.partition("sha256:")[0] or identity) or "ontainer" not in token:
                self.delete(token, identity, state)
        self._made.clear()
        self.engine.said.clear()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self._channel.close()
        self._server.stop(None)


def _partial(error: Any) -> tuple[str, dict[str, Any]] | None:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            detail = provider_pb2.ErrorResourceInitFailed()
            if status.details and status.details[0].Unpack(detail):
                return detail.id, decode(detail.properties)
    return None


def urn(token: str, name: str = "thing") -> str:
    return f"urn:pulumi:dev::test::{token}::{name}"


def executable(name: str) -> Path:
    """Return the installed plugin, of the version that the SDK in this environment asks for."""
    home = Path(os.environ.get("PULUMI_HOME", str(Path.home() / ".pulumi")))
    found = sorted(home.glob(f"plugins/resource-{name}-v*/pulumi-resource-{name}"))
    assert found, f"no plugin {name} in {home}: run eval \"$(toolchain/env)\" first"
    return found[-1]


def _fixture(name: str) -> Any:
    @pytest.fixture(scope="session")
    def running() -> Iterator[Plugin]:
        made = Plugin(name)
        yield made
        made.stop()

    return running


_docker, _docker_build, _random, _command = map(_fixture, ("docker", "docker-build", "random", "command"))


@pytest.fixture
def docker_plugin(_docker: Plugin) -> Iterator[Plugin]:
    yield _docker
    _docker.clean()


@pytest.fixture
def build_plugin(_docker_build: Plugin) -> Iterator[Plugin]:
    yield _docker_build
    _docker_build.clean()


@pytest.fixture
def random_plugin(_random: Plugin) -> Iterator[Plugin]:
    yield _random
    _random.clean()


@pytest.fixture
def command_plugin(_command: Plugin) -> Iterator[Plugin]:
    yield _command
    _command.clean()


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the id of an image with busybox alone."""
    folder = tmp_path_factory.mktemp("box")
    packed = folder / "box.tar"
    with tarfile.open(packed, "w") as archive:
        archive.add(_busybox(folder), "bin/busybox")
        for applet in ("sh", "sleep", "cat", "echo", "true", "false", "ls", "id", "test", "env", "stat"):
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        for directory in ("tmp", "data", "etc"):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o777
            archive.addfile(entry)
    name = f"plugin-test-{secrets.token_hex(4)}"
    changes = ("--change", 'CMD ["sleep", "1000"]', "--change", "ENV PATH=/bin")
    identity = docker("import", *changes, str(packed), name)
    yield identity
    docker("image", "rm", "--force", identity, check=False)


def _busybox(folder: Path) -> Path:
    """Return a static busybox: the machine's own, else the one of Debian's package."""
    found = shutil.which("busybox")
    if found and "not a dynamic" in subprocess.run(["ldd", found], capture_output=True, text=True, check=False).stderr:
        return Path(found)
    subprocess.run(["apt-get", "download", "busybox-static"], cwd=folder, check=True, capture_output=True)
    package = next(folder.glob("busybox-static_*.deb"))
    subprocess.run(["dpkg-deb", "--extract", str(package), str(folder / "unpacked")], check=True)
    return next((folder / "unpacked").glob("**/busybox"))


class Program:
    """A Pulumi program in a folder of its own, with its own state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.image = ""
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text("name: test\nruntime: python\n")
        self.environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        self.environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        self.run("stack", "init", "dev")

    def write(self, code: str) -> None:
        """Write the program. `docker`, `command`, `random`, `build` and `pulumi` are imported, `box` is the image."""
        head = (
            "import pulumi, pulumi_docker as docker, pulumi_command as command, pulumi_random as random\n"
            f"import pulumi_docker_build as build\nbox = {self.image!r}\n"
        )
        (self.folder / "__main__.py").write_text(head + textwrap.dedent(code))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, ok: bool | None = True) -> str:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=SECONDS)
        assert ok is None or (process.returncode == 0) is ok, output
        return output

    def up(self, *, ok: bool = True) -> str:
        return self.run("up", "--yes", "--skip-preview", ok=ok)

    def unchanged(self) -> bool:
        """Say whether a preview finds nothing to do."""
        process = self.start("preview", "--expect-no-changes", "--diff")
        self.last, _ = process.communicate(timeout=SECONDS)
        return process.returncode == 0

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the resources in the state by name, secrets encrypted."""
        deployment = json.loads(self.run("stack", "export"))["deployment"]
        return {item["urn"].rpartition("::")[2]: item for item in deployment.get("resources", [])}

    def exported(self) -> str:
        return self.run("stack", "export")

    def output(self, name: str) -> Any:
        return json.loads(self.run("stack", "output", name, "--json", "--show-secrets"))

    def remove(self) -> None:
        """Destroy, and remove by id what a failed destroy left."""
        containers = [item.get("id") for item in self.state().values() if "ontainer" in item["type"]]
        self.run("destroy", "--yes", "--skip-preview", ok=None)
        for identity in filter(None, containers):
            docker("rm", "--force", "--volumes", identity, check=False)


@pytest.fixture
def program(tmp_path: Path, box: str) -> Iterator[Program]:
    folder = tmp_path / "program"
    folder.mkdir()
    made = Program(folder)
    made.image = box
    yield made
    made.remove()


@pytest.fixture
def secret() -> type[Secret]:
    """Return the mark of a secret value."""
    return Secret


