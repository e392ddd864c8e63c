"""The container of the docker plugin."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from plugins import docker_schema, schema
from plugins.resource import Call, Difference, Failure, PartialError, PluginError, Resource, Values, patiently
from plugins.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugins.engine import Engine

_KIND: Final = "docker:index/container:Container"
_SETTLE: Final = 0.1  # seconds before the first look at a container that was just started
_LOOK: Final = 0.2
_UPDATED: Final = ("restart", "maxRetryCount", "cpuShares", "memory", "cpuSet", "memorySwap")
_STATE_ONLY: Final = ("exitCode", "containerLogs")


class Container(Resource):
    """A container. Fields that the engine cannot change in place replace it."""

    computed = ("bridge", "containerLogs", "exitCode", "networkDatas")

    def __init__(self, engine: Callable[[], Engine], find_image: Callable[[Call, str, str], Any]) -> None:
        """Take the engine, and how to have an image there."""
        self._engine = engine
        self._find_image = find_image

    def check(self, call: Call, inputs: Values, olds: Values) -> tuple[Values, list[Failure]]:
        """Return inputs with defaults and a name."""
        checked, failures = schema.check(_KIND, docker_schema.CONTAINER, inputs)
        return schema.autoname(call, checked, olds), failures

    def diff(self, call: Call, olds: Values, inputs: Values, old_inputs: Values) -> Difference:
        """Compare what the engine last reported with the inputs."""
        del old_inputs
        return schema.diff(call, docker_schema.CONTAINER, olds, inputs, named=True)

    def preview_create(self, call: Call, inputs: Values) -> Values:
        """Return what is known before: what the engine fills in is not."""
        del call
        computed = {name for name, known in docker_schema.CONTAINER.items() if known.computed and name not in inputs}
        return schema.outputs({**inputs, **dict.fromkeys((*self.computed, *computed), UNKNOWN)})

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        """Make, connect, fill and start a container, and wait for what was asked for."""
        from plugins import docker_request, docker_uploads  # noqa: PLC0415  # not needed in previews

        engine = self._engine()
        try:
            self._find_image(call, inputs["image"], inputs.get("platform", ""))
        except PluginError as error:
            raise PluginError(f"Unable to create container with image {inputs['image']}: {error}") from error
        query = {"name": inputs["name"], **({"platform": inputs["platform"]} if inputs.get("platform") else {})}
        body = docker_request.creation(inputs, engine.api)
        try:
            identity = engine.ask("POST", "/containers/create", query=query, body=body)["Id"]
        except PluginError as error:
            raise PluginError(f"Unable to create container: {error}") from error
        outputs = schema.outputs(inputs)
        try:
            self._connect(engine, identity, inputs)
            for archive in docker_uploads.archives(inputs):
                _saying(
                    "Unable to upload volume content",
                    engine.ask,
                    "PUT",
                    f"/containers/{identity}/archive",
                    query={"path": "/"},
                    body=archive,
                    headers={"Content-Type": "application/x-tar"},
                )
            started = datetime.now(UTC)
            if inputs["start"]:
                _saying("Unable to start container", engine.ask, "POST", f"/containers/{identity}/start")
                if inputs["wait"]:
                    self._wait_healthy(call, engine, identity, int(inputs["waitTimeout"]))
            if inputs["attach"]:
                outputs.update(self._attach(call, engine, identity, inputs))
        except PluginError as error:
            # The container is there: the engine of Pulumi has to know it, to remove it later.
            raise PartialError(str(error), identity, outputs) from error
        return identity, {**outputs, **self._settled(call, engine, identity, inputs, started)}

    def read(self, call: Call, identity: str, olds: Values, inputs: Values) -> tuple[str, Values, Values] | None:
        """Return the container as it is. One that should run and does not shows as `mustRun: false`."""
        from plugins.docker_state import state  # noqa: PLC0415

        del call
        found = self._engine().find(f"/containers/{identity}/json")
        if found is None:
            return None
        now = state(found)
        imported = not olds
        kept = {key: value for key, value in olds.items() if key not in _STATE_ONLY or key in now}
        if imported:
            defaults = {
                name: known.default for name, known in docker_schema.CONTAINER.items() if known.default is not None
            }
            kept = {**defaults, **kept}
        outputs = {**kept, **now}
        if not found["State"]["Running"] and outputs.get("mustRun"):
            outputs["mustRun"] = False
        return found["Id"], outputs, schema.inputs_of(docker_schema.CONTAINER, outputs, inputs)

    def update(self, call: Call, identity: str, olds: Values, inputs: Values) -> Values:
        """Change limits and the restart policy in place; start a container that stopped and should run."""
        from plugins import docker_request  # noqa: PLC0415

        engine = self._engine()
        fields = docker_schema.CONTAINER
        if any(schema.differs(fields[name], olds.get(name), inputs.get(name)) for name in _UPDATED):
            _saying(
                "Unable to update a container",
                engine.ask,
                "POST",
                f"/containers/{identity}/update",
                body=docker_request.limits(inputs),
            )
        if inputs["mustRun"] and not olds.get("mustRun"):
            _saying("Unable to start container", engine.ask, "POST", f"/containers/{identity}/start")
            call.pause(_SETTLE)
        return schema.outputs({**olds, **inputs})

    def preview_update(self, call: Call, identity: str, olds: Values, inputs: Values) -> Values:
        """Return the state with the new inputs."""
        del call, identity
        return schema.outputs({**olds, **inputs})

    def delete(self, call: Call, identity: str, olds: Values) -> None:
        """Stop the container within its time of grace, and remove it."""
        from plugins.engine import EngineError  # noqa: PLC0415

        engine = self._engine()
        if not olds.get("attach"):
            path, grace = f"/containers/{identity}/stop", {"t": int(olds.get("destroyGraceSeconds") or 0)}
            try:
                patiently(call, lambda: engine.ask("POST", path, query=grace))
            except PluginError as error:
                raise PluginError(f"Error stopping container {identity}: {error}") from error
        try:
            engine.ask(
                "DELETE", f"/containers/{identity}", query={"v": int(bool(olds.get("removeVolumes", True))), "force": 1}
            )
        except EngineError as error:
            if not any(part in str(error) for part in ("No such container", "is already in progress")):
                raise PluginError(f"Error deleting container {identity}: {error}") from error

    @staticmethod
    def _connect(engine: Engine, identity: str, inputs: Values) -> None:
        networks = inputs.get("networksAdvanced") or []
        if not networks:
            return
        try:
            engine.ask("POST", "/networks/bridge/disconnect", body={"Container": identity, "Force": False})
        except PluginError as error:
            if "is not connected to" not in str(error):
                raise PluginError(f"Unable to disconnect the default network: {error}") from error
        for network in networks:
            addresses = {"IPv4Address": network.get("ipv4Address", ""), "IPv6Address": network.get("ipv6Address", "")}
            endpoint = {"Aliases": network.get("aliases") or [], "IPAMConfig": addresses}
            _saying(
                f"Unable to connect to network '{network['name']}'",
                engine.ask,
                "POST",
                f"/networks/{network['name']}/connect",
                body={"Container": identity, "EndpointConfig": endpoint},
            )

    @staticmethod
    def _wait_healthy(call: Call, engine: Engine, identity: str, seconds: int) -> None:
        limit = time.monotonic() + seconds
        while True:
            found = engine.ask("GET", f"/containers/{identity}/json")["State"]
            health = found.get("Health")
            if health is None or health["Status"] == "none":
                raise PluginError(
                    "you have supplied a container with wait=true, but the container does not have a healthcheck"
                )
            if health["Status"] == "healthy":
                return
            if time.monotonic() > limit:
                last = (health.get("Log") or [{}])[-1].get("Output", "").strip()
                detail = f" (health: {health['Status']}{', last check: ' + last if last else ''})"
                raise PluginError(f"container {identity[:12]} not in healthy state in {seconds} s{detail}")
            call.status(f"waiting for health ({health['Status']})")
            call.pause(_LOOK)

    @staticmethod
    def _attach(call: Call, engine: Engine, identity: str, inputs: Values) -> Values:
        path, until = f"/containers/{identity}/wait", {"condition": "not-running"}
        ended = patiently(call, lambda: engine.ask("POST", path, query=until))
        found: Values = {"exitCode": ended["StatusCode"]}
        if inputs["logs"]:
            query = {"stdout": 1, "stderr": 1}
            raw = b"".join(engine.stream("GET", f"/containers/{identity}/logs", query=query))
            found["containerLogs"] = (raw if inputs["tty"] else _unframed(raw)).decode(errors="replace")
        return found

    def _settled(self, call: Call, engine: Engine, identity: str, inputs: Values, started: datetime) -> Values:
        """Return the state once it shows. A container that must run and does not is removed, which is an error."""
        from plugins.docker_state import state  # noqa: PLC0415

        call.pause(_SETTLE)
        found = engine.find(f"/containers/{identity}/json")
        if found is None:  # removed by itself when it ended
            if inputs["mustRun"]:
                raise PluginError("container exited immediately")
            return {}
        status = found["State"]
        if inputs["mustRun"] and not status["Running"]:
            self.delete(call, identity, {**inputs, "destroyGraceSeconds": 0})
            if not inputs["start"]:
                raise PluginError("container failed to be in running state: mustRun is true and start is false")
            code = f"exit code {status['ExitCode']}, {status['Error'] or 'no error of the engine'}"
            exited = datetime.fromisoformat(status["FinishedAt"][:19] + "+00:00").timestamp() >= int(
                started.timestamp()
            )
            words = "container exited immediately" if exited else "container failed to be in running state"
            raise PluginError(f"{words} ({code})")
        return state(found)


def _saying(words: str, ask: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Ask the engine, and say what was meant when it refuses."""
    try:
        return ask(*arguments, **options)
    except PluginError as error:
        raise PluginError(f"{words}: {error}") from error


def _unframed(raw: bytes) -> bytes:
    """Return a log without the 8 bytes before each part that tell standard output from standard error."""
    parts: list[bytes] = []
    while raw:
        size = int.from_bytes(raw[4:8], "big")
        parts.append(raw[8 : 8 + size])
        raw = raw[8 + size :]
    return b"".join(parts)
