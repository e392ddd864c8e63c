"""Inputs of a build as options of the docker command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugins.resource import PluginError

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.resource import Values

_CACHE_FIELDS: Final = {
    "src": "src",
    "dest": "dest",
    "digest": "digest",
    "ref": "ref",
    "mode": "mode",
    "compression": "compression",
    "compressionLevel": "compression-level",
    "forceCompression": "force-compression",
    "ignoreError": "ignore-error",
    "ociMediaTypes": "oci-mediatypes",
    "imageManifest": "image-manifest",
}


def options(inputs: Values, folder: Path, *, buildx: bool, keep: bool) -> list[str]:
    """Return the options. `keep=False` leaves the engine without the image."""
    found = [
        *_each("--build-arg", [f"{name}={value}" for name, value in (inputs.get("buildArgs") or {}).items()]),
        *_each("--label", [f"{name}={value}" for name, value in (inputs.get("labels") or {}).items()]),
        *_each("--add-host", inputs.get("addHosts") or []),
        *_each("--tag", inputs.get("tags") or [] if keep else []),
        *_each("--target", [inputs["target"]] if inputs.get("target") else []),
        *_each("--network", [inputs["network"]] if inputs.get("network", "default") != "default" else []),
        *(["--no-cache"] if inputs.get("noCache") else []),
        *(["--pull"] if inputs.get("pull") else []),
        *_platforms(inputs, buildx=buildx),
        "--iidfile",
        str(folder / "id"),
    ]
    named = (inputs.get("context") or {}).get("named") or {}
    if not buildx:
        if named:
            raise PluginError("context.named needs docker buildx")
        return [*found, *_plain_caches(inputs)]
    return [
        *found,
        *_each("--build-context", [f"{name}={item['location']}" for name, item in named.items()]),
        *_each("--cache-from", [_cache_text(entry) for entry in _caches(inputs, "from")]),
        *_each("--cache-to", [_cache_text(entry) for entry in _caches(inputs, "to")]),
        "--metadata-file",
        str(folder / "metadata.json"),
        *_exports(inputs, keep=keep),
    ]


def _each(option: str, values: list[str]) -> list[str]:
    return [part for value in values for part in (option, value)]


def _platforms(inputs: Values, *, buildx: bool) -> list[str]:
    platforms = inputs.get("platforms") or []
    if len(platforms) > 1 and not buildx:
        raise PluginError("more than one platform needs docker buildx with a builder of its own")
    return ["--platform", ",".join(platforms)] if platforms else []


def _exports(inputs: Values, *, keep: bool) -> list[str]:
    if not keep:
        return ["--output", "type=cacheonly"]
    if inputs.get("load"):
        return ["--load"]
    if inputs.get("push"):
        return ["--push"]
    found: list[str] = []
    for item in inputs.get("exports") or []:
        if item.get("disabled"):
            continue
        for kind in ("cacheonly", "docker", "image", "registry"):
            if item.get(kind) is not None:
                names = ",".join(f'"name={name}"' for name in item[kind].get("names") or [])
                found += ["--output", f"type={kind}" + (f",{names}" if names else "")]
        if item.get("raw"):
            found += ["--output", item["raw"]]
    return found


def _caches(inputs: Values, way: str) -> list[Values]:
    return [item for item in inputs.get(f"cache{way.title()}") or [] if not item.get("disabled")]


def _cache_text(entry: Values) -> str:
    """Return a cache as the command line has it."""
    if entry.get("raw"):
        return str(entry["raw"])
    for kind in ("inline", "local", "registry"):
        if entry.get(kind) is not None:
            given = entry[kind].items()
            parts = [
                f"{_CACHE_FIELDS[name]}={str(value).lower() if isinstance(value, bool) else value}"
                for name, value in given
            ]
            return ",".join([f"type={kind}", *parts])
    raise PluginError(f"the fallback plugin has the caches inline, local, registry and raw, not {', '.join(entry)}")


def _plain_caches(inputs: Values) -> list[str]:
    """Return caches for a command without buildx: an image with its cache inside, from a registry."""
    options: list[str] = []
    for entry in _caches(inputs, "from"):
        text = _cache_text(entry)
        if not text.startswith("type=registry,ref="):
            raise PluginError(f"cacheFrom {text!r} needs docker buildx; this docker command reads registry caches only")
        options += ["--cache-from", text.removeprefix("type=registry,ref=").partition(",")[0]]
    for entry in _caches(inputs, "to"):
        if _cache_text(entry) != "type=inline":
            raise PluginError(
                f"cacheTo {_cache_text(entry)!r} needs docker buildx; this docker command writes inline caches only"
            )
        options += ["--build-arg", "BUILDKIT_INLINE_CACHE=1"]
    return options
