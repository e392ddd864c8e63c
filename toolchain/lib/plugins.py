"""Provider plugins: the official ones where the CLI can have them, else this project's own over the engines' APIs."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING, Final

from lib import places, pulumi, python
from lib.progress import StepError

if TYPE_CHECKING:
    from pathlib import Path

SOURCE: Final = places.ROOT / "toolchain" / "plugins"


def needed() -> dict[str, str]:
    """Return plugin -> version, as the SDKs in the Python environment ask for them."""
    found = {}
    for file in sorted(places.VENV.glob("lib/python*/site-packages/pulumi_*/pulumi-plugin.json")):
        plugin = json.loads(file.read_text())
        # A policy pack's SDK says that it has no resources, and so no plugin.
        if plugin.get("resource"):
            found[plugin["name"]] = plugin["version"]
    return found


def folder(home: Path, name: str, version: str) -> Path:
    """Return where the engine looks for a plugin."""
    return home / "plugins" / f"resource-{name}-v{version}"


def official(name: str, version: str) -> bool:
    """Return whether the official plugin is in the person's own plugin cache."""
    return folder(places.user_pulumi_home(), name, version).is_dir()


def missing() -> list[str]:
    """Return the plugins that only a fallback can be: not there, and not to be had from Pulumi's site.

    The site is asked only when the answer matters: where it is out of reach, asking takes seconds.
    """
    lacking = [name for name, version in needed().items() if not official(name, version)]
    if all(folder(places.pulumi_home(), name, needed()[name]).is_dir() for name in lacking):
        return lacking
    return [] if pulumi.site_answers() else lacking


def has_fallback(name: str) -> bool:
    """Return whether this project has a plugin of its own under a name."""
    module = SOURCE / name.replace("-", "_")
    return module.is_dir() or module.with_suffix(".py").is_file()


def environment() -> Path:
    """Return the Python environment of the fallback plugins; another one for other requirements."""
    digest = hashlib.sha256((SOURCE / "requirements.txt").read_bytes()).hexdigest()[:12]
    return places.cache() / f"plugins-{sys.version_info[0]}.{sys.version_info[1]}-{digest}"


def make() -> None:
    """Install fallbacks for the plugins that are missing; the official ones that are there are used beside them."""
    wanted = needed()
    lacking = missing()
    if not lacking:
        return
    if homeless := [name for name in lacking if not has_fallback(name)]:
        message = f"no official plugin to be had for {', '.join(homeless)}, and toolchain/plugins has no stand-in"
        raise StepError(message)
    venv = environment()
    if not (venv / "done").exists():
        python.environment("plugins' Python environment", venv)
        python.install("plugins' Python packages", venv, SOURCE / "requirements.txt")
        (venv / "done").touch()
    for name, version in wanted.items():
        target = folder(places.pulumi_home(), name, version)
        if name not in lacking:
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                target.symlink_to(folder(places.user_pulumi_home(), name, version))
            continue
        target.mkdir(parents=True, exist_ok=True)
        program = target / f"pulumi-resource-{name}"
        # -P: the program's folder must not be on the plugin's path, nor a PYTHONPATH in what its commands inherit.
        start = f'"{SOURCE}/{name}"' if (SOURCE / name).is_dir() else f'"{SOURCE}/run.py" {name}'
        text = f'#!/bin/sh\nexec "{venv}/bin/python" -P {start} "$@"\n'
        if not program.exists() or program.read_text() != text:
            fresh = program.with_suffix(".new")
            fresh.write_text(text)
            fresh.chmod(0o755)
            fresh.rename(program)
