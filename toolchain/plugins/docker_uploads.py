"""Files that a container is given before it starts."""

from __future__ import annotations

import base64
import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.resource import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.resource import Values


def archives(inputs: Values) -> Iterator[bytes]:
    """Yield an archive for each file to upload."""
    for upload in inputs.get("uploads", []):
        given = [key for key in ("content", "contentBase64", "source") if upload.get(key)]
        if len(given) != 1:
            only = "one of" if not given else "only one of"
            verb = "must" if not given else "can"
            raise PluginError(
                f"error with upload content: {only} 'content', 'content_base64', or 'source' {verb} be set"
            )
        yield _archive(upload, _content(upload, given[0]))


def _content(upload: Values, given: str) -> bytes:
    if given == "content":
        return str(upload["content"]).encode()
    if given == "contentBase64":
        return base64.b64decode(upload["contentBase64"])
    try:
        return Path(upload["source"]).read_bytes()
    except OSError as error:
        raise PluginError(f"could not read file: {error}") from error


def _archive(upload: Values, content: bytes) -> bytes:
    entry = tarfile.TarInfo(upload["file"])
    entry.size = len(content)
    permissions = upload.get("permissions")
    entry.mode = int(permissions, 8) if permissions else 0o744 if upload.get("executable") else 0o644
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
