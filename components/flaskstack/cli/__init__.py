"""The command line: `python -m flaskstack COMMAND`.

Each command is a module of this package with a docstring (its help), `arguments(parser)` and `run(options)`, which
returns the exit status. All are imported for the help, so what only one of them needs is imported in its `run`.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING, Final

from flaskstack.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

COMMANDS: Final = ("init", "dockerfile", "compose", "manifests", "review")
"""Modules of this package that are commands."""
WRONG: Final = 2
"""Exit status for input that cannot be used, as argparse has it for its own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments`, default those of the process, name. Return its exit status.

    Settings that cannot be used are said on standard error, all of them with their fixes, and end with status 2.
    """
    parser = argparse.ArgumentParser(
        prog="python -m flaskstack", description="Takes a Flask application from a laptop to production."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        command = _module(name)
        text = command.__doc__ or ""
        added = commands.add_parser(
            name,
            help=text.partition("\n")[0].rstrip("."),
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.arguments(added)
    options = parser.parse_args(arguments)
    try:
        return int(_module(options.command).run(options))
    except SettingsError as error:
        sys.stderr.write(f"error: {error}\n")
        return WRONG


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{name}")
