"""Write a Pulumi project around a Flask application, which previews at once.

It goes into the folder deploy of the application, so that both are one repository; a .dockerignore, which keeps it
out of the image, goes beside the code when there is none. No file is ever overwritten.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flaskstack.cli import detect, scaffold
from flaskstack.errors import Problem, SettingsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

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
    _refuse_collisions(files)

    say = sys.stdout.write
    say("".join(f"{note}\n" for note in guess.notes))
    for file, content in files.items():
        if options.dry_run:
            say(f"\n--- {_shown(file)}\n{content}")
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x") as opened:
                opened.write(content)
            say(f"wrote {_shown(file)}\n")
    if within and ignored not in files and within not in ignored.read_text().split():
        say(f"\nAdd the line `{within}` to {_shown(ignored)}: the project must not be in the image.\n")
    say(
        f"\nNext:\n  cd {_shown(output)}\n  pulumi install\n  pulumi stack init dev\n  pulumi preview\n  pulumi up\n"
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


def _refuse_collisions(files: Iterable[Path]) -> None:
    there = [file for file in files if file.exists() or file.is_symlink()]
    if there:
        fix = "move it away, or choose another folder: --output DIR"
        raise SettingsError([Problem(_shown(file), "exists", "is never overwritten", fix) for file in there])


def _shown(path: Path) -> str:
    """Return a path as a person here would type it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
