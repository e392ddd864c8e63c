"""Images and tags of the docker plugin."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from plugins import schema
from plugins.docker_objects import Simple
from plugins.resource import Call, PluginError, Values
from plugins.schema import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plugins.engine import Engine

REMOTE_IMAGE: Final = {
    "build": Field("string", unsupported=True),
    "forceRemove": Field("bool", updates=True),
    "imageId": Field("string", output=True),
    "keepLocally": Field("bool", updates=True),
    "name": Field("string", required=True),
    "platform": Field("string"),
    "pullTriggers": Field("set"),
    "repoDigest": Field("string", output=True),
    "triggers": Field("map"),
}

TAG: Final = {
    "sourceImage": Field("string", required=True),
    "sourceImageId": Field("string", output=True),
    "tagTriggers": Field("list"),
    "targetImage": Field("string", required=True),
}


class RemoteImage(Simple):
    """An image: the engine's own of that name, else pulled."""

    kind = "docker:index/remoteImage:RemoteImage"
    fields = REMOTE_IMAGE

    def __init__(self, engine: Callable[[], Engine], find_image: Callable[[Call, str, str], Any]) -> None:
        """Take the engine."""
        super().__init__(engine)
        self._find_image = find_image

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        """Make it."""
        name = inputs["name"]
        try:
            found = self._find_image(call, name, inputs.get("platform", ""))
        except PluginError as error:
            raise PluginError(f"Unable to read Docker image into resource: {error}") from error
        return found["Id"] + name, {**schema.outputs(inputs), **_image_state(found, name)}

    def read(self, call: Call, identity: str, olds: Values, inputs: Values) -> tuple[str, Values, Values] | None:
        """Return it as the engine reports it."""
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
        """Take over what is not of the engine."""
        del identity
        found = self._find_image(call, inputs["name"], inputs.get("platform", ""))
        return schema.outputs({**olds, **inputs, **_image_state(found, inputs["name"])})

    def delete(self, call: Call, identity: str, olds: Values) -> None:
        """Remove it."""
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


class Tag(Simple):
    """A further name of an image."""

    kind = "docker:index/tag:Tag"
    fields = TAG

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        """Make it."""
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
