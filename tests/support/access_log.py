"""The access log's contract: its fields, in their order, whoever writes the line."""

from __future__ import annotations

FIELDS = (
    "@timestamp",
    "remote_addr",
    "protocol",
    "host",
    "request_method",
    "request_path",
    "status_code",
    "response_length",
    "referer",
    "user_agent",
    "x_tracking_id",
    "request_time",
)
