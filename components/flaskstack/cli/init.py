"""Write a Pulumi project around a Flask application, which previews at once.

It goes into the folder deploy of the application, so that both are one repository; a .dockerignore, which keeps it
out of the image, goes beside the code when there is none. No file is ever overwritten.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from flaskstack import build_context
from flaskstack.app import CODE
from flaskstack.cli import detect, scaffold, written
from flaskstack.errors import SettingsError

if TYPE_CHECKING:
    import argparse

    from flaskstack.app import FlaskApp

FOLDER: Final = "deploy"
"""Folder of the project in the application's own."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    detect.arguments(parser)
    parser.add_argument("--output", metavar="DIR", help=f"folder of the project; default: {FOLDER} in PATH")
    parser.add_argument("--dry-run", action="store_true", help="print the files, and write none")


def run(options: argparse.Namespace) -> int:
    """Write the project, say what was guessed, and what to do next."""
    guess = _guess(options)
    source = guess.app.source
    output = Path(options.output).resolve() if options.output else source / FOLDER
    app = guess.app.model_copy(update={"path": os.path.relpath(source, output)})
    within = output.relative_to(source).as_posix() if output.is_relative_to(source) else ""
    files = {output / name: content for name, content in scaffold.files(app).items()}
    ignored = source / ".dockerignore"
    if not ignored.exists():
        files[ignored] = scaffold.dockerignore(within)
    written.refuse_collisions(files, "move it away, or choose another folder: --output DIR")

    say = sys.stdout.write
    if app.data and (place := _mounted_on(guess.app)) and not options.dry_run:
        place.mkdir(exist_ok=True)
    say("".join(f"{note}\n" for note in guess.notes))
    if options.dry_run:
        say("".join(f"\n--- {written.shown(file)}\n{content}" for file, content in files.items()))
    else:
        written.write(files)
    if within and ignored not in files and build_context.not_ignored(source, [within]):
        say(f"\nAdd the line `{within}` to {written.shown(ignored)}: the project must not be in the image.\n")
    say(
        f"\nNext:\n  cd {written.shown(output)}\n  pulumi install\n  pulumi stack init dev\n  pulumi preview\n"
        "For production, fill in Pulumi.prod.yaml, then: pulumi stack init prod && pulumi preview\n"
    )
    return 0


def _guess(options: argparse.Namespace) -> detect.Guess:
    """Return what is known of the application. A person at a terminal is asked for an entry that cannot be guessed."""
    try:
        return detect.guess(options.path, entry=options.entry, name=options.name)
    except SettingsError as error:
        if not (sys.stdin.isatty() and [problem.key for problem in error.problems] == ["entry"] and not options.entry):
            raise
        sys.stderr.write(f"{error.problems[0]}\n")
        sys.stderr.write("WSGI entry: ")
        sys.stderr.flush()
        return detect.guess(options.path, entry=sys.stdin.readline().strip(), name=options.name)


def _mounted_on(app: FlaskApp) -> Path | None:
    """Return the folder of the source that the data folder stands in for: development needs it to be there."""
    inside = PurePosixPath(str(app.data))
    return app.source / inside.relative_to(CODE) if inside.is_relative_to(CODE) else None
