"""Further secrets of an application: the names that it needs, and the values that a target was given for them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flaskstack.app import DECIDED, SECRET_VARIABLES
from flaskstack.errors import HIDDEN, Problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from flaskstack.app import FlaskApp


def problems(app: FlaskApp, given: Collection[str], prefix: str = "") -> list[Problem]:
    """Return what is wrong with the names `given`. `prefix` stands before each key of a stack's settings."""
    found = []
    for name in app.secrets:
        if name not in given:
            fix = f"pulumi config set --secret --path {prefix}secrets.{name} ..." if prefix else "give it in secrets"
            found.append(Problem(f"{prefix}secrets.{name}", "not set", "the application needs it (app.secrets)", fix))
    for name in sorted(given):
        if name in {*SECRET_VARIABLES, *DECIDED}:
            reason = "has an argument of its own, or is decided by mode, port and target"
        elif name in app.environment:
            reason = "stands in app.environment in plain text too"
        elif not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            reason = "no name of a variable: letters, digits and underscores"
        else:
            continue
        fix = f"pulumi config rm --path {prefix}secrets.{name}" if prefix else "leave it out of secrets"
        found.append(Problem(f"{prefix}secrets.{name}", HIDDEN, reason, fix))
    return found
