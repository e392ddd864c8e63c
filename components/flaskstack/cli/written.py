"""How files are written: YAML that a person wants to read, and no file overwritten unless asked for."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from flaskstack.errors import Problem, SettingsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

_FIRST: Final = ("apiVersion", "kind", "metadata", "name")
"""Keys that a reader looks for first."""


class _Dumper(yaml.SafeDumper):
    """YAML without anchors, and with scripts as blocks."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002  # the base's signature
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text.strip("\n") or text.endswith("\n") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def document(content: Mapping[str, Any], *, ordered: bool = False) -> str:
    """Return `content` as YAML. `ordered`: its keys come in an order already, else they get one."""
    shown = content if ordered else arranged(content)
    return yaml.dump(shown, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


def arranged(value: Any) -> Any:  # noqa: ANN401  # any value of a document
    """Return `value` with the keys of all mappings in an order that is always the same."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (_FIRST.index(key) if key in _FIRST else len(_FIRST), key))
        return {key: arranged(value[key]) for key in keys}
    return [arranged(item) for item in value] if isinstance(value, list) else value


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command that prints or writes."""
    parser.add_argument("--output", metavar="DIR", help="write into this folder; default: print")
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")


def refuse_collisions(files: Iterable[Path], fix: str) -> None:
    """Raise `SettingsError` with every one of `files` that is there."""
    there = [file for file in files if file.exists() or file.is_symlink()]
    if there:
        raise SettingsError([Problem(shown(file), "exists", "is never overwritten", fix) for file in there])


def write(files: Mapping[Path, str]) -> None:
    """Write the files, and say so."""
    for file, content in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        sys.stderr.write(f"wrote {shown(file)}\n")


def shown(path: Path) -> str:
    """Return a path as a person here would type it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
