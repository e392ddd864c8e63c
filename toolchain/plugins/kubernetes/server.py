"""Pulumi's provider protocol around `provider.Provider`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from concurrent import futures
from typing import TYPE_CHECKING, Any, Final

from plugins.kubernetes import settings
from plugins.kubernetes.api import ApiError, Unreachable
from plugins.kubernetes.diff import Change, FieldDiff
from plugins.kubernetes.discovery import NoMatch
from plugins.kubernetes.enginelog import Engine, ResourceLog
from plugins.kubernetes.planning import Autoname, check, diff
from plugins.kubernetes.provider import Options, Provider
from plugins.kubernetes.target import PartialError, ProviderError, Resource, Target
from plugins.kubernetes.values import encode, plain, read
from plugins.proto import empty_pb2, grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION: Final = "4.34.2"
"""The SDK's version that this plugin stands in for."""
WORKERS: Final = 128
UNLIMITED: Final = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
NOT_HERE: Final = ("kubernetes:helm.sh/", "kubernetes:kustomize", "kubernetes:yaml")
REFUSAL: Final = (
    "this fallback plugin has no Helm, Kustomize or YAML components; install the official kubernetes plugin for"
)
_KINDS: Final = {
    (Change.ADD, False): provider_pb2.PropertyDiff.ADD,
    (Change.ADD, True): provider_pb2.PropertyDiff.ADD_REPLACE,
    (Change.DELETE, False): provider_pb2.PropertyDiff.DELETE,
    (Change.DELETE, True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    (Change.UPDATE, False): provider_pb2.PropertyDiff.UPDATE,
    (Change.UPDATE, True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


class Servicer(provider_pb2_grpc.ResourceProviderServicer):  # type: ignore[misc]  # generated code without types
    """Translates messages into calls, and errors into the protocol's."""

    def __init__(self, version: str, engine: str) -> None:
        """Serve one provider."""
        self._version = version
        self._engine = Engine(engine)
        self._cancelled = threading.Event()
        self._target = Target(self._cancelled)
        self._provider = Provider(self._target)

    def Handshake(self, request: Any, context: Any) -> Any:
        """Meet the engine."""
        del context
        self._engine.address = request.engine_address or self._engine.address
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def Attach(self, request: Any, context: Any) -> Any:
        """Meet the engine late."""
        del context
        self._engine = Engine(request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Say the version."""
        del request, context
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(self, request: Any, context: Any) -> Any:
        """Say the name; the SDK has the schema's types."""
        del request, context
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "kubernetes", "version": self._version}))

    def Cancel(self, request: Any, context: Any) -> Any:
        """End all waits."""
        del request, context
        self._cancelled.set()
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """Check the settings against each other."""
        with _answering(context):
            found = settings.failures(request.urn, plain(read(request.news)))
            failures = [provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in found]
            return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """Compare settings: another cluster means other objects."""
        with _answering(context):
            diffs, replaces = settings.changed(plain(read(request.olds)), plain(read(request.news)))
            response = provider_pb2.DiffResponse
            changes = response.DIFF_SOME if diffs else response.DIFF_NONE
            return response(changes=changes, diffs=diffs, replaces=replaces)

    def Configure(self, request: Any, context: Any) -> Any:
        """Find the cluster."""
        with _answering(context):
            self._target.configure(settings.parse(request.variables))
            return provider_pb2.ConfigureResponse(
                acceptSecrets=True,
                supportsPreview=True,
                supports_autonaming_configuration=True,
            )

    def Invoke(self, request: Any, context: Any) -> Any:
        """Refuse functions: all of them are about charts and files."""
        with _answering(context):
            raise ProviderError(f"{REFUSAL} {request.tok}")

    def Construct(self, request: Any, context: Any) -> Any:
        """Refuse components: all of them are about charts and files."""
        with _answering(context):
            raise ProviderError(f"{REFUSAL} {request.type}")

    def Check(self, request: Any, context: Any) -> Any:
        """Complete inputs."""
        with _answering(context):
            resource, autoname = self._resource(request.urn), _autoname(request)
            inputs = check(self._target, resource, read(request.news), read(request.olds), autoname)
            return provider_pb2.CheckResponse(inputs=encode(inputs))

    def Diff(self, request: Any, context: Any) -> Any:
        """Compare inputs with the state."""
        with _answering(context):
            resource, olds, news = self._resource(request.urn), read(request.olds), read(request.news)
            found = diff(self._target, resource, olds, news, list(request.ignoreChanges))
            response = provider_pb2.DiffResponse
            return response(
                changes=response.DIFF_SOME if found.changed else response.DIFF_NONE,
                replaces=found.replaces,
                deleteBeforeReplace=found.delete_first,
                detailedDiff={field.name: _property_diff(field) for field in found.fields},
                hasDetailedDiff=True,
            )

    def Create(self, request: Any, context: Any) -> Any:
        """Make an object."""
        with _answering(context):
            resource, options = self._resource(request.urn), Options(request.preview, request.timeout)
            made, outputs = self._provider.create(resource, read(request.properties), options)
            return provider_pb2.CreateResponse(id=made, properties=encode(outputs))

    def Read(self, request: Any, context: Any) -> Any:
        """Look at an object."""
        with _answering(context):
            resource = self._resource(request.urn)
            found = self._provider.read(resource, request.id, read(request.properties), read(request.inputs))
            if found is None:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(id=found[0], properties=encode(found[1]), inputs=encode(found[2]))

    def Update(self, request: Any, context: Any) -> Any:
        """Change an object."""
        with _answering(context):
            options = Options(request.preview, request.timeout, tuple(request.ignoreChanges))
            resource = self._resource(request.urn)
            outputs = self._provider.update(resource, read(request.olds), read(request.news), options)
            return provider_pb2.UpdateResponse(properties=encode(outputs))

    def Delete(self, request: Any, context: Any) -> Any:
        """Remove an object."""
        with _answering(context):
            resource = self._resource(request.urn)
            self._provider.delete(resource, request.id, read(request.properties), request.timeout)
            return empty_pb2.Empty()

    def _resource(self, urn: str) -> Resource:
        type_token = urn.split("::")[2].rpartition("$")[2]
        if type_token.startswith(NOT_HERE):
            raise ProviderError(f"{REFUSAL} {type_token}")
        return Resource(urn, type_token, urn.split("::", 3)[3], ResourceLog(self._engine, urn))


def _autoname(request: Any) -> Autoname:
    if not request.HasField("autonaming"):
        return Autoname(request.randomSeed)
    options = request.autonaming
    disabled = options.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE
    return Autoname(request.randomSeed, options.proposed_name, disabled)


def _property_diff(field: FieldDiff) -> Any:
    return provider_pb2.PropertyDiff(kind=_KINDS[field.change, field.replaces], inputDiff=field.change is Change.DELETE)


@contextlib.contextmanager
def _answering(context: Any) -> Iterator[None]:
    """Turn errors into the protocol's."""
    try:
        yield
    except PartialError as error:
        _abort_partial(context, error)
    except (ProviderError, ApiError, NoMatch, Unreachable, OSError, ValueError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _abort_partial(context: Any, error: PartialError) -> None:
    from google.protobuf import any_pb2  # noqa: PLC0415 - only for failures
    from pulumi.runtime.proto import status_pb2  # noqa: PLC0415

    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id,
        properties=encode(error.outputs),
        reasons=error.reasons,
        inputs=None if error.inputs is None else encode(error.inputs),
    )
    packed = any_pb2.Any()
    packed.Pack(detail)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))


def serve(version: str = VERSION) -> None:
    """Serve until the engine ends."""
    parent, ended = os.getppid(), threading.Event()
    # A plugin is in a group of processes of its own: the user's Ctrl-C comes as `Cancel`, an interrupt means the end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ended.set())
    servicer = Servicer(version, next((item for item in sys.argv[1:] if not item.startswith("-")), ""))
    server = grpc.server(futures.ThreadPoolExecutor(WORKERS), options=UNLIMITED)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not ended.wait(2):
        if os.getppid() != parent:
            break  # the engine was killed
    servicer.Cancel(None, None)
    server.stop(1).wait(2)
    os._exit(0)  # threads in the middle of a request must not hold the process
