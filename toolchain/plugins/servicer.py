"""Messages of the provider protocol, to and from what resources say."""
# ruff: noqa: D102  # the methods are the protocol's own, described there

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING, Any, Final

from plugins.proto import empty_pb2, grpc, load, plugin_pb2, provider_pb2, provider_pb2_grpc
from plugins.resource import Call, Failure, PartialError, PluginError
from plugins.values import UnsupportedValueError, decode, encode, keep_secret, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.base import Provider
    from plugins.resource import Difference, Resource, Values

_LEVELS: Final = {"debug": 0, "info": 1, "warning": 2, "error": 3}
UNLIMITED: Final = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Servicer(provider_pb2_grpc.ResourceProviderServicer):  # type: ignore[misc]  # generated code without types
    """The protocol's answers for a plugin."""

    def __init__(self, provider: Provider, engine: str) -> None:
        """Serve `provider`, and log to the Pulumi engine at the address `engine`."""
        self._provider = provider
        self._engine = engine
        self._stub: Any = None
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    # Life of the plugin

    def Handshake(self, request: Any, context: Any) -> Any:
        del context
        self._engine = request.engine_address or self._engine
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True,
            accept_resources=False,
            accept_outputs=False,
            supports_autonaming_configuration=True,
        )

    def Attach(self, request: Any, context: Any) -> Any:
        del context
        self._engine, self._stub = request.address, None
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        del request, context
        return plugin_pb2.PluginInfo(version=self._provider.version)

    def GetSchema(self, request: Any, context: Any) -> Any:
        del request, context
        schema = {
            "name": self._provider.name,
            "version": self._provider.version,
            "resources": {token: {} for token in self._provider.resources},
        }
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    def Cancel(self, request: Any, context: Any) -> Any:
        del request, context
        self._cancelled.set()
        return empty_pb2.Empty()

    # Configuration

    def CheckConfig(self, request: Any, context: Any) -> Any:
        with _answering(context):
            config = _parsed(plain(decode(request.news)))
            failures = self._provider.check_config(config)
            return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(failures))

    def DiffConfig(self, request: Any, context: Any) -> Any:
        del request, context
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_UNKNOWN)

    def Configure(self, request: Any, context: Any) -> Any:
        with _answering(context):
            self._provider.configure(_parsed(plain(decode(request.args))))
            return provider_pb2.ConfigureResponse(
                acceptSecrets=True,
                supportsPreview=True,
                acceptResources=False,
                acceptOutputs=False,
                supports_autonaming_configuration=True,
            )

    def Invoke(self, request: Any, context: Any) -> Any:
        with _answering(context):
            return provider_pb2.InvokeResponse(
                **{"return": encode(self._provider.invoke(request.tok, plain(decode(request.args))))}
            )

    # Resources

    def Check(self, request: Any, context: Any) -> Any:
        with _answering(context):
            resource = self._resource(request.urn)
            proposed = request.autonaming.proposed_name if request.HasField("autonaming") else ""
            call = self._call(request, proposed_name=proposed, seed=request.randomSeed)
            inputs, failures = resource.check(call, decode(request.news), plain(decode(request.olds)))
            return provider_pb2.CheckResponse(inputs=encode(inputs), failures=_failures(failures))

    def Diff(self, request: Any, context: Any) -> Any:
        with _answering(context):
            olds, news, before = (plain(decode(part)) for part in (request.olds, request.news, request.old_inputs))
            call = self._call(request, ignored=tuple(request.ignoreChanges))
            return _difference(self._resource(request.urn).diff(call, olds, news, before))

    def Create(self, request: Any, context: Any) -> Any:
        with _answering(context):
            resource, call = self._resource(request.urn), self._call(request, preview=request.preview)
            marked = decode(request.properties)
            inputs = plain(marked)
            if request.preview:
                outputs = resource.mark(resource.preview_create(call, inputs), marked)
                return provider_pb2.CreateResponse(properties=encode(outputs))
            try:
                identity, outputs = resource.create(call, inputs)
            except PartialError as error:
                _abort_partial(context, error, encode(resource.mark(error.outputs, marked)), request.properties)
            return provider_pb2.CreateResponse(id=identity, properties=encode(resource.mark(outputs, marked)))

    def Read(self, request: Any, context: Any) -> Any:
        with _answering(context):
            resource = self._resource(request.urn)
            state, marked = decode(request.properties), decode(request.inputs)
            found = resource.read(self._call(request), request.id, plain(state), plain(marked))
            if found is None:
                return provider_pb2.ReadResponse()
            identity, outputs, inputs = found
            return provider_pb2.ReadResponse(
                id=identity,
                properties=encode(resource.mark(outputs, state, marked)),
                inputs=encode(_kept(inputs, marked)),
            )

    def Update(self, request: Any, context: Any) -> Any:
        with _answering(context):
            resource, call = self._resource(request.urn), self._call(request, preview=request.preview)
            marked, state = decode(request.news), decode(request.olds)
            work = resource.preview_update if request.preview else resource.update
            outputs = work(call, request.id, plain(state), plain(marked))
            # Only what the new inputs say: a value that is no longer a secret is shown again.
            return provider_pb2.UpdateResponse(properties=encode(resource.mark(outputs, marked)))

    def Delete(self, request: Any, context: Any) -> Any:
        with _answering(context):
            state = plain(decode(request.properties))
            self._resource(request.urn).delete(self._call(request), request.id, state)
            return empty_pb2.Empty()

    # Helpers

    def _resource(self, urn: str) -> Resource:
        token = urn.split("::")[2].rpartition("$")[2]
        try:
            return self._provider.resources[token]
        except KeyError:
            known = ", ".join(sorted(self._provider.resources))
            raise PluginError(
                f"{token} is not supported by the fallback plugin of {self._provider.name} {self._provider.version}, "
                f"which has {known}; install the official plugin for the rest"
            ) from None

    def _call(self, request: Any, **more: Any) -> Call:
        def log(level: str, text: str, *, ephemeral: bool = False) -> None:
            self._log(request.urn, level, text, ephemeral=ephemeral)

        def status(text: str) -> None:
            log("info", text, ephemeral=True)

        return Call(urn=request.urn, log=log, status=status, cancelled=self._cancelled, **more)

    def _log(self, urn: str, level: str, text: str, *, ephemeral: bool) -> None:
        if not self._engine:
            return
        messages = load("engine_pb2")  # seldom needed

        with self._lock:
            if self._stub is None:
                self._stub = load("engine_pb2_grpc").EngineStub(grpc.insecure_channel(self._engine, options=UNLIMITED))
        request = messages.LogRequest(severity=_LEVELS[level], message=text, urn=urn, ephemeral=ephemeral)
        with contextlib.suppress(grpc.RpcError):
            self._stub.Log(request, timeout=10)


@contextlib.contextmanager
def _answering(context: Any) -> Iterator[None]:
    """Turn errors into the protocol's. Anything unforeseen keeps its type, for a report."""
    try:
        yield
    except (PluginError, UnsupportedValueError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
    except OSError as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _abort_partial(context: Any, error: PartialError, outputs: Any, inputs: Any) -> None:
    from google.protobuf import any_pb2  # noqa: PLC0415  # only for failures

    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.identity, properties=outputs, reasons=[str(error)], inputs=inputs
    )
    packed = any_pb2.Any()
    packed.Pack(detail)
    status = load("status_pb2").Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _failures(failures: list[Failure]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=item.field, reason=item.reason) for item in failures]


def _parsed(config: Values) -> Values:
    """Return configuration values, of which all but strings arrive as JSON text."""
    parsed: Values = {}
    for key, value in config.items():
        parsed[key] = value
        if (isinstance(value, str) and value[:1] in ("{", "[")) or value in ("true", "false"):
            with contextlib.suppress(ValueError):
                parsed[key] = json.loads(value)
    return parsed


def _kept(inputs: Values, marked: Values) -> Values:
    """Return `inputs` as they came where nothing changed, so that marks inside lists stay where they were."""
    again = keep_secret(inputs, marked)
    return {
        name: marked[name] if name in marked and plain(marked[name]) == value else again[name]
        for name, value in inputs.items()
    }


def _difference(difference: Difference) -> Any:
    response = provider_pb2.DiffResponse
    if not difference.changed:
        return response(changes=response.DIFF_NONE, hasDetailedDiff=True)
    kinds = {
        ("add", False): provider_pb2.PropertyDiff.ADD,
        ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
        ("delete", False): provider_pb2.PropertyDiff.DELETE,
        ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
        ("update", False): provider_pb2.PropertyDiff.UPDATE,
        ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
    }
    detailed = {
        name: provider_pb2.PropertyDiff(kind=kinds[difference.kinds.get(name, "update"), replaces])
        for name, replaces in difference.changed.items()
    }
    return response(
        changes=response.DIFF_SOME,
        diffs=list(difference.changed),
        replaces=[name for name, replaces in difference.changed.items() if replaces],
        deleteBeforeReplace=difference.delete_first,
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )
