"""Say what an update would change, how dangerous that is, and what policies say, as Markdown.

Previews the stacks of the Pulumi project, or reads what `pulumi preview --json --show-sames` wrote. It needs no cluster
and no Docker engine. Secrets are masked.

Exit status: 0 nothing dangerous would happen, whatever changes; 1 a stack could not be previewed; 2 wrong usage;
3 danger: data or the way to the application would be lost, or a mandatory policy is violated.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flaskstack.errors import Problem, SettingsError

if TYPE_CHECKING:
    import argparse

    from flaskstack.review.changes import Preview
    from flaskstack.review.project import Placeholder, Project


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("--project", type=Path, default=Path(), metavar="FOLDER", help="Pulumi project (default: here)")
    parser.add_argument("--stack", action="append", default=[], metavar="NAME", help="stack to review (default: all)")
    parser.add_argument(
        "--preview", action="append", default=[], type=Path, metavar="FILE", help="saved preview to read instead"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write the report (default: here)")
    parser.add_argument(
        "--fresh", action="store_true", help="preview as new: without the backend, with placeholders for secrets"
    )
    parser.add_argument(
        "--placeholder",
        action="append",
        default=[],
        metavar="STACKS:KEY[=VALUE]",
        help="secret of stacks that are previewed as new; STACKS is a pattern, {random} in VALUE is 64 random digits",
    )
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="RESOURCE",
        help="name of a resource at which danger is intended",
    )


def run(options: argparse.Namespace) -> int:
    """Review, and return the exit status."""
    from flaskstack.review import report, verdict  # noqa: PLC0415  # what another command need not load

    previews = [_saved(file) for file in options.preview] or _made(options)
    reviews = [verdict.Review.of(preview, options.accept) for preview in previews]
    text = report.render(reviews)
    if options.output:
        options.output.write_text(text)
    else:
        sys.stdout.write(text)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a") as file:
            file.write(text)
    return int(verdict.worst(reviews))


def _saved(file: Path) -> Preview:
    from flaskstack.review import changes  # noqa: PLC0415

    try:
        digest = json.loads(file.read_text())
        return changes.read(digest, changes.name_of(digest) or file.stem)
    except (OSError, ValueError, AttributeError, KeyError) as error:
        fix = "write it with: pulumi preview --json --show-sames"
        raise SettingsError([Problem("--preview", str(file), f"not a preview ({type(error).__name__})", fix)]) from None


def _made(options: argparse.Namespace) -> list[Preview]:
    from flaskstack.review import engine  # noqa: PLC0415
    from flaskstack.review.project import Project  # noqa: PLC0415

    project = Project.at(options.project.resolve())
    placeholders = [_placeholder(project, text) for text in options.placeholder]
    stacks = options.stack or project.stacks()
    if not stacks:
        raise SettingsError([Problem("--stack", "not set", "the project has no stack's file", "name a stack")])
    previews = []
    with engine.available() as environment:
        held = set() if options.fresh else project.held(environment)
        for stack in stacks:
            if held is None or stack in held:
                previews.append(project.preview(stack, environment))
            else:
                previews.append(project.preview_as_new(stack, environment, placeholders))
    return previews


def _placeholder(project: Project, text: str) -> Placeholder:
    from flaskstack.review.project import RANDOM, Placeholder  # noqa: PLC0415

    stacks, colon, setting = text.partition(":")
    key, _, value = setting.partition("=")
    if not colon or not key:
        fix = "for example --placeholder 'prod:secretKey'"
        raise SettingsError([Problem("--placeholder", text, "not STACKS:KEY or STACKS:KEY=VALUE", fix)])
    full = key if ":" in key else f"{project.name}:{key}"
    return Placeholder(stacks, full, value or RANDOM)
