"""Print the Dockerfile that an application's image is built with.

It is the application's own where its folder has one, else the one that flaskstack generates.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from flaskstack import dockerfile
from flaskstack.cli import detect

if TYPE_CHECKING:
    import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    detect.arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print it."""
    app = detect.guess(options.path, entry=options.entry, name=options.name).app
    own = app.source / "Dockerfile"
    if own.is_file():
        sys.stderr.write(f"{own} is the application's own, and is used as it is\n")
        sys.stdout.write(own.read_text())
    else:
        sys.stdout.write(dockerfile.generate(app))
    return 0
