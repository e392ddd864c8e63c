"""Networks, volumes, images and tags of the docker plugin."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any, Final

from plugins import docker_schema, schema
from plugins.resource import Call, Difference, Failure, PluginError, Resource, Values
from plugins.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plugins.engine import Engine

_REMOVAL_SECONDS: Final = 30
_LOOK: Final = 0.5


class _Simple(Resource):
    """What these resources share: every change replaces them, except where the schema says otherwise."""

    kind: str
    fields: Mapping[str, schema.Field]
    named = False

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine

    def check(self, call: Call, inputs: Values, olds: Values) -> tuple[Values, list[Failure]]:
        checked, failures = schema.check(self.kind, self.fields, inputs)
        return (schema.autoname(call, checked, olds) if self.named else checked), failures

    def diff(self, call: Call, olds: Values, inputs: Values, old_inputs: Values) -> Difference:
        del old_inputs
        return schema.diff(call, self.fields, olds, inputs, named=self.named)

    def preview_create(self, call: Call, inputs: Values) -> Values:
        del call
        unknown = [
            name for name, known in self.fields.items() if known.output or (known.computed and name not in inputs)
        ]
        return schema.outputs({**inputs, **dict.fromkeys(unknown, UNKNOWN)})

    def update(self, call: Call, identity: str, olds: Values, inputs: Values) -> Values:
        return self.preview_update(call, identity, olds, inputs)

    def preview_update(self, call: Call, identity: str, olds: Values, inputs: Values) -> Values:
        del call, identity
        return schema.outputs({**olds, **inputs})

    def _remove(self, call: Call, path: str, busy: tuple[str, ...], query: Mapping[str, Any] | None = None) -> None:
        """Remove what is at `path`, once nothing uses it any more."""
        from plugins.engine import EngineError  # noqa: PLC0415  # not needed in previews

        limit = time.monotonic() + _REMOVAL_SECONDS
        while True:
            try:
                self._engine().ask("DELETE", path, query=query)
            except EngineError as error:
                if error.status == 404:  # noqa: PLR2004  # HTTP's not found
                    return
                if not any(part in str(error) for part in busy) or time.monotonic() > limit:
                    raise
            else:
                return
            call.pause(_LOOK)


class Network(_Simple):
    """A network."""

    kind = "docker:index/network:Network"
    fields = docker_schema.NETWORK
    named = True

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        body = {
            "Name": inputs["name"],
            "CheckDuplicate": True,
            "Labels": _labels(inputs),
            "Driver": inputs.get("driver") or "bridge",
            "Options": inputs.get("options") or {},
            "Internal": inputs.get("internal", False),
            "Attachable": inputs.get("attachable", False),
            "Ingress": inputs.get("ingress", False),
            "EnableIPv6": inputs.get("ipv6", False),
            "IPAM": {
                "Driver": inputs.get("ipamDriver") or "default",
                "Options": inputs.get("ipamOptions") or {},
                "Config": [_ipam(item) for item in inputs.get("ipamConfigs") or []],
            },
        }
        try:
            identity = self._engine().ask("POST", "/networks/create", body=body)["Id"]
        except PluginError as error:
            raise PluginError(f"Unable to create network: {error}") from error
        found = self.read(call, identity, schema.outputs(inputs), inputs)
        if found is None:
            raise PluginError(f"Unable to create network: {inputs['name']} is gone already")
        return found[0], found[1]

    def read(self, call: Call, identity: str, olds: Values, inputs: Values) -> tuple[str, Values, Values] | None:
        del call
        found = self._engine().find(f"/networks/{identity}")
        if found is None:
            return None
        now = network_state(found)
        outputs = {**olds, **now}
        return found["Id"], outputs, schema.inputs_of(self.fields, outputs, inputs)

    def delete(self, call: Call, identity: str, olds: Values) -> None:
        del olds
        self._remove(call, f"/networks/{identity}", ("has active endpoints",))


def network_state(found: dict[str, Any]) -> Values:
    """Return a network as the engine reports it."""
    return {
        "name": found["Name"],
        "labels": _label_list(found["Labels"]),
        "driver": found["Driver"],
        "internal": found["Internal"],
        "attachable": found["Attachable"],
        "ingress": found["Ingress"],
        "ipv6": found["EnableIPv6"],
        "ipamDriver": found["IPAM"]["Driver"],
        "scope": found["Scope"],
        "options": found["Options"] or {},
        "ipamConfigs": [
            {
                "subnet": item.get("Subnet", ""),
                "gateway": item.get("Gateway", ""),
                "ipRange": item.get("IPRange", ""),
                "auxAddress": item.get("AuxiliaryAddresses") or {},
            }
            for item in found["IPAM"]["Config"] or []
        ],
    }


class Volume(_Simple):
    """A volume. One of the same name that is there already is taken as it is: the engine's own behaviour."""

    kind = "docker:index/volume:Volume"
    fields = docker_schema.VOLUME
    named = True

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        body = {
            "Name": inputs["name"],
            "Labels": _labels(inputs),
            "Driver": inputs.get("driver") or "",
            "DriverOpts": inputs.get("driverOpts") or {},
        }
        try:
            identity = self._engine().ask("POST", "/volumes/create", body=body)["Name"]
        except PluginError as error:
            raise PluginError(f"Unable to create volume: {error}") from error
        found = self.read(call, identity, schema.outputs(inputs), inputs)
        if found is None:
            raise PluginError(f"Unable to inspect volume: {identity} is gone already")
        return found[0], found[1]

    def read(self, call: Call, identity: str, olds: Values, inputs: Values) -> tuple[str, Values, Values] | None:
        del call
        found = self._engine().find(f"/volumes/{identity}")
        if found is None:
            return None
        now = {
            "name": found["Name"],
            "labels": _label_list(found["Labels"]),
            "driver": found["Driver"],
            "driverOpts": found["Options"] or {},
            "mountpoint": found["Mountpoint"],
        }
        outputs = {**olds, **now}
        return found["Name"], outputs, schema.inputs_of(self.fields, outputs, inputs)

    def delete(self, call: Call, identity: str, olds: Values) -> None:
        del olds
        self._remove(call, f"/volumes/{identity}", ("volume is in use",), {"force": 1})


class RemoteImage(_Simple):
    """An image: the engine's own of that name, else pulled."""

    kind = "docker:index/remoteImage:RemoteImage"
    fields = docker_schema.REMOTE_IMAGE

    def __init__(self, engine: Callable[[], Engine], find_image: Callable[[Call, str, str], Any]) -> None:
        super().__init__(engine)
        self._find_image = find_image

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        name = inputs["name"]
        try:
            found = self._find_image(call, name, inputs.get("platform", ""))
        except PluginError as error:
            raise PluginError(f"Unable to read Docker image into resource: {error}") from error
        return found["Id"] + name, {**schema.outputs(inputs), **_image_state(found, name)}

    def read(self, call: Call, identity: str, olds: Values, inputs: Values) -> tuple[str, Values, Values] | None:
        del call, identity
        name = olds.get("name") or inputs.get("name")
        if not name:
            raise PluginError("images cannot be imported")
        found = self._engine().find(f"/images/{name}/json")
        if found is None:
            return None
        outputs = {**olds, **_image_state(found, name)}
        return found["Id"] + name, outputs, inputs

    def update(self, call: Call, identity: str, olds: Values, inputs: Values) -> Values:
        del identity
        found = self._find_image(call, inputs["name"], inputs.get("platform", ""))
        return schema.outputs({**olds, **inputs, **_image_state(found, inputs["name"])})

    def delete(self, call: Call, identity: str, olds: Values) -> None:
        del call, identity
        if olds.get("keepLocally"):
            return
        engine = self._engine()
        if engine.find(f"/images/{olds['name']}/json") is None:
            return
        try:
            engine.ask("DELETE", f"/images/{olds['name']}", query={"force": int(bool(olds.get("forceRemove")))})
        except PluginError as error:
            raise PluginError(f"Unable to remove Docker image: {error}") from error


def _image_state(found: dict[str, Any], name: str) -> Values:
    repository = name.partition("@")[0]
    if ":" in repository.rpartition("/")[2]:
        repository = repository.rpartition(":")[0]
    digests = found.get("RepoDigests") or []
    digest = next((item for item in digests if item.partition("@")[0] == repository), "")
    return {"imageId": found["Id"], "repoDigest": digest}


def image_finder(
    engine: Callable[[], Engine], login: Callable[[str], Mapping[str, str] | None]
) -> Callable[[Call, str, str], Any]:
    """Return how to have an image: the engine's own, else one pulled with the credentials of its registry."""

    def find(call: Call, name: str, platform: str) -> Any:
        found = engine().find(f"/images/{name}/json")
        if found is not None:
            return found
        first, slash, _ = name.partition("/")
        registry = first if slash and ("." in first or ":" in first or first == "localhost") else ""
        credentials = login(registry)
        headers = {}
        if credentials:
            headers["X-Registry-Auth"] = base64.urlsafe_b64encode(json.dumps(credentials).encode()).decode()
        tagged = name if "@" in name or ":" in name.rpartition("/")[2] else f"{name}:latest"
        query = {"fromImage": tagged, **({"platform": platform} if platform else {})}
        try:
            _pull(call, engine(), query, headers)
        except PluginError as error:
            raise PluginError(f"unable to pull image {name}: error pulling image {name}: {error}") from error
        found = engine().find(f"/images/{name}/json")
        if found is None:
            raise PluginError(f"unable to find or pull image {name}")
        return found

    return find


def _pull(call: Call, engine: Engine, query: Mapping[str, str], headers: Mapping[str, str]) -> None:
    rest = b""
    for chunk in engine.stream("POST", "/images/create", query=query, headers=headers):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in filter(None, map(bytes.strip, lines)):
            said = json.loads(line)
            if "error" in said:
                raise PluginError(said["error"])
            if not said.get("progress"):
                call.status(f"{said.get('id', '')} {said.get('status', '')}".strip())
        if call.cancelled.is_set():
            raise PluginError("cancelled")


class Tag(_Simple):
    """A further name of an image."""

    kind = "docker:index/tag:Tag"
    fields = docker_schema.TAG

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        del call
        repository, _, tag = inputs["targetImage"].rpartition(":")
        if not repository or "/" in tag:
            repository, tag = inputs["targetImage"], "latest"
        engine = self._engine()
        try:
            engine.ask("POST", f"/images/{inputs['sourceImage']}/tag", query={"repo": repository, "tag": tag})
        except PluginError as error:
            raise PluginError(f"failed to create docker tag: {error}") from error
        found = engine.find(f"/images/{inputs['sourceImage']}/json")
        identity = f"{inputs['sourceImage']}.{inputs['targetImage']}"
        return identity, {**schema.outputs(inputs), "sourceImageId": found["Id"]}


def _labels(inputs: Values) -> dict[str, str]:
    return {item["label"]: item["value"] for item in inputs.get("labels") or []}


def _label_list(labels: Mapping[str, str] | None) -> list[Values]:
    return [{"label": key, "value": value} for key, value in sorted((labels or {}).items())]


def _ipam(item: Values) -> dict[str, Any]:
    given = {"Subnet": item.get("subnet"), "IPRange": item.get("ipRange"), "Gateway": item.get("gateway")}
    found: dict[str, Any] = {key: value for key, value in given.items() if value}
    return {**found, "AuxiliaryAddresses": item["auxAddress"]} if item.get("auxAddress") else found
