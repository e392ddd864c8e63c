"""Which file of a KUBECONFIG with several is the one to give to the Kubernetes plugin.

kubectl takes a list of files and merges them. Pulumi's plugin takes one: its SDK hands over what KUBECONFIG says, and a
list is then read as the text of a kubeconfig, which it is not.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml


def holding(context: str | None) -> str | None:
    """Return the first file of a list in KUBECONFIG that defines `context`, None without a list or such a file."""
    files = [name for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    if len(files) < 2:  # noqa: PLR2004  # a list of one is what the plugin takes
        return None
    return next((name for name in files if context in _contexts(Path(name))), None)


def _contexts(file: Path) -> set[Any]:
    try:
        content = yaml.safe_load(file.read_text())
        return {entry["name"] for entry in content["contexts"]}
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return set()  # not there, or none: kubectl passes over it as well
