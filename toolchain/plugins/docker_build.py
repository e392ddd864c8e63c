"""The docker-build plugin, version 0.0.22: images built with BuildKit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from plugins import infer
from plugins.base import Provider, serve
from plugins.build_context import context_hash
from plugins.resource import Call, Difference, Failure, PluginError, Resource, Values
from plugins.values import UNKNOWN, has_unknown, plain

_KINDS: Final = {
    "addHosts": "list",
    "buildArgs": "map",
    "buildOnPreview": "bool",
    "builder": "object",
    "cacheFrom": "list",
    "cacheTo": "list",
    "context": "object",
    "dockerfile": "object",
    "exports": "list",
    "ignoreSecretsInDiffCalculation": "list",
    "labels": "map",
    "load": "bool",
    "network": "string",
    "noCache": "bool",
    "platforms": "list",
    "pull": "bool",
    "push": "bool",
    "registries": "list",
    "secrets": "map",
    "tags": "list",
    "target": "string",
}
_UNSUPPORTED: Final = ("exec", "ssh")
_DEFAULTS: Final = {"buildOnPreview": True, "network": "default", "push": False}
_EMPTY: Final[tuple[Any, ...]] = (None, "", False, [], {})
_REMOTE: Final = re.compile(r"^(https?://|git://|git@|github\.com/|ssh://)")
# A name with a registry in it, which is what the official plugin adds a digest to.
_QUALIFIED: Final = re.compile(
    r"^(?P<name>(?:[\w.-]*\.[\w.-]*|localhost|[\w.-]+:\d+)(?::\d+)?/[a-z0-9._/-]+)(?::(?P<tag>[\w][\w.-]*))?$"
)


class Image(Resource):
    """An image. A change builds it again, in place."""

    computed = ("contextHash", "digest", "ref")
    secrets = ("secrets",)

    def check(self, call: Call, inputs: Values, olds: Values) -> tuple[Values, list[Failure]]:
        """Return inputs with defaults, and what a build would fail on."""
        del call, olds
        failures = infer.check(inputs, _KINDS, unsupported=_UNSUPPORTED)
        checked = infer.secret(infer.with_defaults(inputs, _DEFAULTS), "secrets", "registries")
        if not failures:
            failures = _problems(plain(checked))
        return checked, failures

    def diff(self, call: Call, olds: Values, inputs: Values, old_inputs: Values) -> Difference:
        """Compare inputs, and the context's hash with the one at the last build."""
        ignored = {path.partition(".")[0].partition("[")[0] for path in call.ignored}
        del old_inputs
        before = _comparable(olds)
        after = _comparable(inputs)
        for key in inputs.get("ignoreSecretsInDiffCalculation") or []:
            if key in (before.get("secrets") or {}) and key in (after.get("secrets") or {}):
                before["secrets"] = {name: value for name, value in before["secrets"].items() if name != key}
                after["secrets"] = {name: value for name, value in after["secrets"].items() if name != key}
        changed = {
            name: False
            for name in _KINDS
            if name not in ignored and (before.get(name) != after.get(name) or has_unknown(after.get(name)))
        }
        if not has_unknown([inputs.get("context"), inputs.get("dockerfile")]):
            exported = inputs.get("exports") or inputs.get("push") or inputs.get("load")
            stale = context_hash(*_places(inputs)) != olds.get("contextHash")
            if stale or (inputs.get("pull") and exported):
                changed["contextHash"] = False
        return Difference(changed)

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        """Build."""
        outputs = self._built(call, inputs)
        return outputs["digest"] or call.name, outputs

    def update(self, call: Call, identity: str, olds: Values, inputs: Values) -> Values:
        """Build again."""
        del identity, olds
        return self._built(call, inputs)

    def preview_create(self, call: Call, inputs: Values) -> Values:
        """Build when that was asked for, without keeping the image. Nothing about the result is known before."""
        self._previewed(call, inputs)
        return {**inputs, **dict.fromkeys(self.computed, UNKNOWN)}

    def preview_update(self, call: Call, identity: str, olds: Values, inputs: Values) -> Values:
        """Return what is known: the new hash when nothing but the context changed, as the official plugin does."""
        del identity
        digest = self._previewed(call, inputs)
        former, now = _comparable(olds), _comparable(inputs)
        if has_unknown(inputs) or any(former.get(name) != now.get(name) for name in _KINDS):
            return {**inputs, **dict.fromkeys(self.computed, UNKNOWN)}
        found = context_hash(*_places(inputs))
        return {**inputs, "contextHash": found, "digest": digest, "ref": reference(inputs.get("tags") or [], digest)}

    @staticmethod
    def _previewed(call: Call, inputs: Values) -> str:
        if inputs.get("buildOnPreview") is False:
            return ""
        if has_unknown(inputs):
            call.log("warning", "Skipping preview build because some inputs are unknown.")
            return ""
        from plugins.build import build  # noqa: PLC0415  # not needed otherwise

        return build(call, inputs, *_places(inputs)[:2], keep=False)

    def delete(self, call: Call, identity: str, olds: Values) -> None:
        """Remove the image from the engine, and from the registry where that allows it."""
        del identity
        from plugins.build import remove  # noqa: PLC0415

        references = [olds["ref"]] if olds.get("ref") else []
        if olds.get("digest"):
            references = sorted({f"{_repository(tag)}@{olds['digest']}" for tag in olds.get("tags") or []})
        for reference in references:
            remove(call, reference, olds)

    @staticmethod
    def _built(call: Call, inputs: Values) -> Values:
        from plugins.build import build  # noqa: PLC0415

        if not (inputs.get("exports") or inputs.get("push") or inputs.get("load")):
            call.log(
                "warning",
                "No exports were specified so the build will only remain in the local build cache. Use `push` to "
                "upload the image to a registry, or silence this warning with a `cacheonly` export.",
            )
        context, dockerfile, named = _places(inputs)
        found = context_hash(context, dockerfile, named)
        digest = build(call, inputs, context, dockerfile, keep=True)
        return {**inputs, "contextHash": found, "digest": digest, "ref": reference(inputs.get("tags") or [], digest)}


def reference(tags: list[str], digest: str) -> str:
    """Return the first tag that names its registry with the digest added, else the first tag."""
    for tag in tags:
        found = _QUALIFIED.match(tag)
        if digest and found:
            return f"{found['name']}:{found['tag'] or 'latest'}@{digest}"
    return tags[0] if tags else ""


def _repository(tag: str) -> str:
    name, colon, rest = tag.rpartition(":")
    return name if colon and "/" not in rest else tag


def _comparable(inputs: Values) -> Values:
    """Return inputs without what makes no difference: empty values, and passwords of registries."""
    found = {name: value for name, value in inputs.items() if value not in _EMPTY}
    found["registries"] = [
        {name: value for name, value in item.items() if name != "password"} for item in inputs.get("registries") or []
    ]
    if not has_unknown([inputs.get("context"), inputs.get("dockerfile")]):
        context, dockerfile, named = _places(inputs)
        inline = (inputs.get("dockerfile") or {}).get("inline")
        found["context"] = {"location": context, "named": named}
        found["dockerfile"] = {"inline": inline} if inline else {"location": dockerfile}
    return found


def _places(inputs: Values) -> tuple[str, str, dict[str, str]]:
    """Return where the context, the Dockerfile (empty when it is inline), and further contexts are."""
    context = inputs.get("context") or {}
    location = context.get("location") or "."
    dockerfile = inputs.get("dockerfile") or {}
    place = dockerfile.get("location") or ("" if dockerfile.get("inline") else str(Path(location, "Dockerfile")))
    named = {name: item.get("location", "") for name, item in (context.get("named") or {}).items()}
    return location, place, named


def _problems(inputs: Values) -> list[Failure]:
    """Return what a build would fail on for certain."""
    failures: list[Failure] = []
    context, dockerfile = inputs.get("context") or {}, inputs.get("dockerfile") or {}
    if not has_unknown(context):
        location, place, named = _places({**inputs, "dockerfile": {} if has_unknown(dockerfile) else dockerfile})
        if _REMOTE.match(location) or any(map(_REMOTE.match, named.values())):
            failures.append(Failure("context", "the fallback plugin builds from local folders only"))
        elif not Path(location).is_dir():
            failures.append(Failure("context.location", f'"{location}": not a valid directory or URL'))
        elif place and not has_unknown(dockerfile) and not Path(place).is_file():
            failures.append(Failure("dockerfile.location", f"open {Path(place).resolve()}: no such file or directory"))
    if dockerfile is not UNKNOWN and dockerfile.get("location") and dockerfile.get("inline"):
        failures.append(Failure("dockerfile", 'only specify "file" or "inline", not both'))
    exports = inputs.get("exports") or []
    if inputs.get("push") and inputs.get("load"):
        failures.append(Failure("push", "simultaneous push and load requires a v0.13 buildkit daemon or newer"))
    if len(exports) + bool(inputs.get("push")) + bool(inputs.get("load")) > 1 and exports:
        failures.append(Failure("exports", "multiple exports require a v0.13 buildkit daemon or newer"))
    failures.extend(
        Failure(f"exports[{index}]", "the fallback plugin has the exports cacheonly, docker, image, registry and raw")
        for index, item in enumerate(exports)
        if isinstance(item, dict) and {"local", "oci", "tar"} & {name for name, value in item.items() if value}
    )
    return failures


class Plugin(Provider):
    """The provider."""

    name = "docker-build"
    version = "0.0.22"

    def __init__(self) -> None:
        """Make the type of resource."""
        self._config: Values = {}
        self.resources: dict[str, Any] = {"docker-build:index:Image": Image()}

    def configure(self, config: Values) -> None:
        """Refuse what is not supported; the engine is the one of DOCKER_HOST."""
        if config.get("registries"):
            raise PluginError("the fallback plugin of docker-build takes registries from each image, not the provider")
        if config.get("host"):
            import os  # noqa: PLC0415

            os.environ["DOCKER_HOST"] = str(config["host"])


if __name__ == "__main__":
    serve(Plugin)
