"""Static files under names that carry a hash of their content, so that a browser may keep each for good.

`url_for("static", filename="style.css")` says `/static/style.0123456789ab.css`; templates need to know nothing of it.
Hashes are looked up by a file's time and size: an edit shows at the next request, and there is no build step.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, send_from_directory
from werkzeug.security import safe_join

if TYPE_CHECKING:
    from flask.wrappers import Response

_HASHED: Final = re.compile(r"(?P<stem>.+)\.(?P<hash>[0-9a-f]{12})(?P<suffix>\.[^./]+)")
_DAYS: Final = 30
FOREVER: Final = f"public, max-age={_DAYS * 86400}, immutable"
REVALIDATE: Final = "public, max-age=0, must-revalidate"
"""For the plain name: kept, but asked for again each time, which an ETag makes cheap."""
NEVER: Final = "no-store"
"""For another release's hash, during a rollout also a *newer* one: the page works, nobody keeps the mix."""


class Assets:
    """The files of one folder."""

    def __init__(self, folder: Path) -> None:
        """Serve what is in `folder`."""
        self.folder = folder
        self._known: dict[str, tuple[tuple[int, int], str]] = {}

    def digest(self, name: str) -> str | None:
        """Return the hash of the file's content, None if there is no such file."""
        path = safe_join(str(self.folder), name)
        try:
            if path is None or not Path(path).is_file():
                return None
            status = Path(path).stat()
            version = (status.st_mtime_ns, status.st_size)
            known = self._known.get(name)
            if known is None or known[0] != version:
                known = (version, hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12])
                self._known[name] = known
        except (OSError, ValueError):  # removed meanwhile, or a name that no file system takes
            return None
        return known[1]

    def hashed_name(self, name: str) -> str:
        """Return the name under which the file may be kept for good; `name` itself if there is no such file."""
        digest = self.digest(name)
        stem, dot, suffix = name.rpartition(".")
        return f"{stem}.{digest}{dot}{suffix}" if digest and stem else name

    def send(self, name: str, hashed: str | None) -> Response:
        """Answer with the file, to be kept for as long as its hash is true."""
        response = send_from_directory(self.folder, name, etag=self.digest(name) or True, conditional=True)
        response.headers["Cache-Control"] = (
            REVALIDATE if hashed is None else FOREVER if hashed == self.digest(name) else NEVER
        )
        return response

    def view(self, filename: str) -> Response:
        """Answer for a name with or without a hash. A file that really has such a name comes first."""
        match = None if self.digest(filename) else _HASHED.fullmatch(filename)
        if match is None:
            return self.send(filename, None)
        return self.send(match["stem"] + match["suffix"], match["hash"])


def init_app(app: Flask) -> None:
    """Route `/static/`, and put the hash into every URL made for it."""
    assets = Assets(Path(app.root_path) / "static")
    app.extensions["assets"] = assets
    app.add_url_rule("/static/<path:filename>", endpoint="static", view_func=assets.view)

    @app.url_defaults
    def add_hash(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "filename" in values:
            values["filename"] = assets.hashed_name(values["filename"])
