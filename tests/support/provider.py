"""A running provider plugin, asked over its protocol."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pulumi  # noqa: F401  # the whole SDK, before the plugins' own modules look for its messages
from google.protobuf import empty_pb2
from plugins.values import decode, encode
from pulumi.runtime.proto import engine_pb2_grpc, provider_pb2, provider_pb2_grpc, status_pb2

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


class CheckError(Exception):
    """Inputs were refused. `failures` maps each field to the reason."""

    def __init__(self, failures: dict[str, str]) -> None:
        super().__init__(str(failures))
        self.failures = failures


class FailedError(Exception):
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
            raise CheckError({item.property: item.reason for item in answer.failures})
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
            raise FailedError(error.details(), partial) from error
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
            raise FailedError(error.details(), None) from error

    def delete(self, token: str, identity: str, state: dict[str, Any]) -> None:
        try:
            self.stub.Delete(provider_pb2.DeleteRequest(id=identity, urn=urn(token), properties=encode(state)))
        except grpc.RpcError as error:
            raise FailedError(error.details(), None) from error
        self._made = [item for item in self._made if item[1] != identity]

    def clean(self) -> None:
        """Delete what the test left."""
        for token, identity, state in reversed(self._made):
            if "ontainer" in token:
                docker("rm", "--force", "--volumes", identity, check=False)
            else:
                self.delete(token, identity, state)
        self._made.clear()
        self.engine.said.clear()

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=10)
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
    assert found, f'no plugin {name} in {home}: run eval "$(toolchain/env)" first'
    return found[-1]
