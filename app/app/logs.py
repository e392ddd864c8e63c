"""Logs on stdout, one JSON object a line. Gunicorn's own lines, the access log among them, are its configuration's."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from flask import g, has_request_context

if TYPE_CHECKING:
    from flask import Flask

_HANDLER: Final = "guestbook"


class JsonFormatter(logging.Formatter):
    """One line of JSON a record, whatever is in it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if has_request_context() and "request_id" in g:
            line["request_id"] = g.request_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        # ASCII only: line separators, control characters and lone surrogates all become \uXXXX.
        return json.dumps(line, ensure_ascii=True)


def _message(record: logging.LogRecord) -> str:
    """Return the record's message, even if its arguments do not fit: such a line beats a traceback."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  # anything can be logged
        return f"{record.msg!r} % {record.args!r}"


def init_app(app: Flask) -> None:
    """Send what this process logs to stdout. A second call replaces the first's handler."""
    root = logging.getLogger()
    for former in [handler for handler in root.handlers if handler.name == _HANDLER]:
        root.removeHandler(former)
    handler = logging.StreamHandler(sys.stdout)
    handler.name = _HANDLER
    handler.setFormatter(JsonFormatter())
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    app.logger.setLevel(logging.DEBUG if app.debug else logging.INFO)
