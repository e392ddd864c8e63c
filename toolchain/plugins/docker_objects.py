"""Networks and volumes of the docker plugin."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from plugins import schema
from plugins.docker_schema import LABELS
from plugins.resource import Call, Difference, Failure, PluginError, Resource, Values
from plugins.schema import Field
from plugins.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plugins.engine import Engine

_REMOVAL_SECONDS: Final = 30
_LOOK: Final = 0.5


NETWORK: Final = {
    "attachable": Field("bool"),
    "driver": Field("string", computed=True),
    "ingress": Field("bool"),
    "internal": Field("bool", computed=True),
    "ipamConfigs": Field(
        "set",
        computed=True,
        fields={
            "subnet": Field("string"),
            "ipRange": Field("string"),
            "gateway": Field("string"),
            "auxAddress": Field("map"),
        },
    ),
    "ipamDriver": Field("string", default="default"),
    "ipamOptions": Field("map", computed=True),
    "ipv6": Field("bool"),
    "labels": Field("set", fields=LABELS),
    "name": Field("string"),
    "options": Field("map", computed=True),
    "scope": Field("string", output=True),
}

VOLUME: Final = {
    "cluster": Field("string", unsupported=True),
    "driver": Field("string", computed=True),
    "driverOpts": Field("map"),
    "labels": Field("set", fields=LABELS),
    "mountpoint": Field("string", output=True),
    "name": Field("string", computed=True),
}


class Simple(Resource):
    """What these resources share: every change replaces them, except where the schema says otherwise."""

    kind: str
    fields: Mapping[str, schema.Field]
    named = False

    def __init__(self, engine: Callable[[], Engine]) -> None:
        """Take the engine."""
        self._engine = engine

    def check(self, call: Call, inputs: Values, olds: Values) -> tuple[Values, list[Failure]]:
        """Return inputs with defaults, and what is wrong with them."""
        checked, failures = schema.check(self.kind, self.fields, inputs)
        return (schema.autoname(call, checked, olds) if self.named else checked), failures

    def diff(self, call: Call, olds: Values, inputs: Values, old_inputs: Values) -> Difference:
        """Compare what the engine last reported with the inputs."""
        del old_inputs
        return schema.diff(call, self.fields, olds, inputs, named=self.named)

    def preview_create(self, call: Call, inputs: Values) -> Values:
        """Return what is known before: what the engine fills in is not."""
        del call
        unknown = [
            name for name, known in self.fields.items() if known.output or (known.computed and name not in inputs)
        ]
        return schema.outputs({**inputs, **dict.fromkeys(unknown, UNKNOWN)})

    def update(self, call: Call, identity: str, olds: Values, inputs: Values) -> Values:
        """Take over what is not of the engine."""
        return self.preview_update(call, identity, olds, inputs)

    def preview_update(self, call: Call, identity: str, olds: Values, inputs: Values) -> Values:
        """Return the state with the new inputs."""
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


class Network(Simple):
    """A network."""

    kind = "docker:index/network:Network"
    fields = NETWORK
    named = True

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        """Make it."""
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
        """Return it as the engine reports it."""
        del call
        found = self._engine().find(f"/networks/{identity}")
        if found is None:
            return None
        now = network_state(found)
        outputs = {**olds, **now}
        return found["Id"], outputs, schema.inputs_of(self.fields, outputs, inputs)

    def delete(self, call: Call, identity: str, olds: Values) -> None:
        """Remove it."""
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


class Volume(Simple):
    """A volume. One of the same name that is there already is taken as it is: the engine's own behaviour."""

    kind = "docker:index/volume:Volume"
    fields = VOLUME
    named = True

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        """Make it."""
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
        """Return it as the engine reports it."""
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
        """Remove it."""
        del olds
        self._remove(call, f"/volumes/{identity}", ("volume is in use",), {"force": 1})


def _labels(inputs: Values) -> dict[str, str]:
    return {item["label"]: item["value"] for item in inputs.get("labels") or []}


def _label_list(labels: Mapping[str, str] | None) -> list[Values]:
    return [{"label": key, "value": value} for key, value in sorted((labels or {}).items())]


def _ipam(item: Values) -> dict[str, Any]:
    given = {"Subnet": item.get("subnet"), "IPRange": item.get("ipRange"), "Gateway": item.get("gateway")}
    found: dict[str, Any] = {key: value for key, value in given.items() if value}
    return {**found, "AuxiliaryAddresses": item["auxAddress"]} if item.get("auxAddress") else found
