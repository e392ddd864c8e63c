"""Logs on stdout, one JSON object a line. Gunicorn's own lines, the access log among them, are its configuration's."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from flask import g, has_request_context


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


class StdoutHandler(logging.Handler):
    """Writes to what is stdout at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            sys.stdout.write(f"{self.format(record)}\n")
            sys.stdout.flush()
        except Exception:  # noqa: BLE001  # as every handler of the standard library does
            self.handleError(record)


def set_up() -> None:
    """Send what this process logs to stdout, once however often it is called."""
    root = logging.getLogger()
    if not any(isinstance(handler, StdoutHandler) for handler in root.handlers):
        handler = StdoutHandler()
        handler.setFormatter(JsonFormatter())
        root.addHandler(handler)
    root.setLevel(logging.INFO)
