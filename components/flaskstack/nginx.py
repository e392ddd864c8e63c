"""The nginx adapter of `EdgePolicy`: its configuration as text.

Deliberately not here: which servers are behind it. They change with each release, so they stand in a file that is
included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flaskstack.errors import Problem, SettingsError

if TYPE_CHECKING:
    from flaskstack.app import FlaskApp
    from flaskstack.edge import EdgePolicy

PORT: Final = 8080
"""Port that clients are served on, in the container."""
STATUS_PORT: Final = 8081
"""Port of /health and /release, never published: for the health check and for the release itself."""
LIVE: Final = "/etc/nginx/flaskstack"
"""Folder of the live configuration: a volume, so that a release changes files and reloads, and replaces nothing."""
UPSTREAM_KEEP_ALIVE: Final = 5
"""Seconds that an idle connection to the application is kept. Under Gunicorn's 10, or a request meets a closed one."""
DRAIN: Final = 2
"""Seconds in which a client may still use a connection to a worker that a reload retires (keepalive_min_timeout)."""

_GZIP_TYPES: Final = (
    "text/plain text/css text/xml application/json application/javascript text/javascript application/xml image/svg+xml"
)
_CLAIMED: Final = {
    "host": "$host",
    "request_path": "$uri",
    "referer": "$http_referer",
    "user_agent": "$http_user_agent",
    "x_tracking_id": "$tracking_id",
}
"""What a client can fill with any bytes. nginx escapes quotes and control characters, but passes on broken UTF-8."""
_LOG: Final = {
    "@timestamp": "$time_iso8601",
    "remote_addr": "$remote_addr",
    "protocol": "$server_protocol",
    "host": "$log_host",
    "request_method": "$request_method",
    "request_path": "$log_request_path",
    "status_code": "$status",
    "response_length": "$body_bytes_sent",
    "referer": "$log_referer",
    "user_agent": "$log_user_agent",
    "x_tracking_id": "$log_x_tracking_id",
    "request_time": "$request_time",
}
# The well-formed sequences of the Unicode standard, table 3-7. Possessive: a long header costs one pass.
_UTF8: Final = (
    r"^(?:[\x00-\x7F]|[\xC2-\xDF][\x80-\xBF]|\xE0[\xA0-\xBF][\x80-\xBF]|[\xE1-\xEC\xEE\xEF][\x80-\xBF]{2}"
    r"|\xED[\x80-\x9F][\x80-\xBF]|\xF0[\x90-\xBF][\x80-\xBF]{2}|[\xF1-\xF3][\x80-\xBF]{3}|\xF4[\x80-\x8F][\x80-\xBF]{2})*+$"
)
_NUMBERS: Final = ("status_code", "response_length", "request_time")


def refused(policy: EdgePolicy) -> list[Problem]:
    """Return the intents that this edge cannot deliver. For whoever has resources to register before the edge."""
    if not policy.https:
        return []
    reason = "nginx in the local stack has no certificate, so it cannot deliver HTTPS"
    fix = "pulumi config set --path flaskstack:edge.https false"
    return [Problem("flaskstack:edge.https", "true", reason, fix)]


def configuration(app: FlaskApp, policy: EdgePolicy, *, workers: int, cache_static: bool = True) -> str:
    """Return nginx.conf for one application.

    `workers` is the number of worker processes, `cache_static` whether static files are cached (not in development).
    Raises `SettingsError` for an intent that this edge cannot deliver.
    """
    if problems := refused(policy):
        raise SettingsError(problems)
    log = ", ".join(f'"{field}": {value if field in _NUMBERS else _quoted(value)}' for field, value in _LOG.items())
    limit = policy.rate_limit
    return f"""\
worker_processes {workers};
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events {{
    worker_connections 4096;
}}
http {{
    default_type application/octet-stream;
    server_tokens off;
    map $http_x_tracking_id $tracking_id {{
        default $http_x_tracking_id;
        "" $request_id;
    }}
{_logged()}
    log_format json escape=json '{{{log}}}';
    access_log /dev/stdout json;

    client_body_temp_path /tmp/client_body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;

    keepalive_timeout 75s;
    keepalive_min_timeout {DRAIN}s;
    client_max_body_size {policy.max_body_mib}m;
{_real_address(policy)}
{_compression(policy)}
{_header_values(policy)}
{f"    limit_req_zone $binary_remote_addr zone=clients:10m rate={limit.requests_per_second}r/s;" if limit else ""}
    limit_req_status 429;
    proxy_cache_path /tmp/static levels=1:2 keys_zone=static:1m max_size=32m use_temp_path=off
        inactive={max(policy.static_days, 1)}d;
    map $upstream_http_cache_control $static_cache_control {{
        default $upstream_http_cache_control;
        "" "public, max-age={policy.static_days * 86_400}";
        "no-cache" "public, max-age={policy.static_days * 86_400}";
        "max-age=0, public" "public, max-age={policy.static_days * 86_400}";
    }}

    upstream web {{
        zone web 512k;
        # Docker's own resolver. A container that restarts gets a new address; its name stays.
        resolver 127.0.0.11 valid=2s ipv6=off;
        include {LIVE}/servers.conf;
        keepalive 32;
        keepalive_timeout {UPSTREAM_KEEP_ALIVE}s;
    }}

    server {{
        listen {PORT} default_server;
{_headers(policy, 8)}
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        # Set, not appended: what the client claims of itself ends here.
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Forwarded-Port $server_port;
        proxy_set_header X-Forwarded-Prefix "";
        proxy_set_header Forwarded "";
        proxy_set_header X-Tracking-ID $tracking_id;
        proxy_connect_timeout {policy.connect_timeout}s;
        proxy_send_timeout {policy.send_timeout}s;
        proxy_read_timeout {policy.read_timeout}s;
        proxy_buffers {policy.buffers} {policy.buffer_kib}k;
        proxy_buffer_size {policy.buffer_kib}k;
        # Another server is tried where nothing was sent yet, or where sending twice does no harm.
        proxy_next_upstream error timeout;
        proxy_next_upstream_timeout {policy.connect_timeout}s;

        location / {{
{f"            limit_req zone=clients burst={limit.burst} nodelay;" if limit else ""}
            proxy_pass http://web;
        }}
{_static(app, policy, cache_static)}
{_private(policy)}
    }}

    server {{
        listen {STATUS_PORT};
        access_log off;
        location = /health {{
            return 200 "ok\\n";
        }}
        location = /release {{
            include {LIVE}/release.conf;
        }}
    }}
}}
"""


def _logged() -> str:
    """Return what the log says of each claim of a client: the claim, if a line of JSON can hold it."""
    return "\n".join(
        f'    map {claim} $log_{field} {{\n        default "(not UTF-8)";\n        "~{_UTF8}" {claim};\n    }}'
        for field, claim in _CLAIMED.items()
    )


def _quoted(text: str) -> str:
    return f'"{text}"'


def _headers(policy: EdgePolicy, indent: int) -> str:
    """Return the security headers. A block with an add_header of its own inherits none, so each such repeats them."""
    return "\n".join(f"{' ' * indent}add_header {name} ${_variable(name)} always;" for name in policy.headers.named())


def _header_values(policy: EdgePolicy) -> str:
    """Return what each security header says: the application's own word, where it has one. An empty one is not sent."""
    return "\n".join(
        f"    map $upstream_http_{name.lower().replace('-', '_')} ${_variable(name)} {{\n"
        f'        default "";\n        "" "{value}";\n    }}'
        for name, value in policy.headers.named().items()
    )


def _variable(header: str) -> str:
    return f"edge_{header.lower().replace('-', '_')}"


def _real_address(policy: EdgePolicy) -> str:
    if not policy.trusted_proxies:
        return ""
    trusted = "\n".join(f"    set_real_ip_from {network};" for network in policy.trusted_proxies)
    return f"{trusted}\n    real_ip_header X-Forwarded-For;\n    real_ip_recursive on;"


def _compression(policy: EdgePolicy) -> str:
    if not policy.gzip_level:
        return ""
    return f"""\
    gzip on;
    gzip_comp_level {policy.gzip_level};
    gzip_min_length {policy.gzip_min_length};
    gzip_proxied any;
    gzip_vary on;
    gzip_types {_GZIP_TYPES};"""


def _static(app: FlaskApp, policy: EdgePolicy, cache: bool) -> str:  # noqa: FBT001  # private, one caller
    if not (cache and policy.static_days and app.static_url):
        return ""
    return f"""
        # Names carry a hash of the content, so a copy stays true; the files of the former version stay at hand during a
        # release. What the application says of a file wins; without a word of its own it may be cached.
        location {app.static_url} {{
            proxy_pass http://web;
            proxy_cache static;
            proxy_cache_valid 200 {policy.static_days}d;
            proxy_cache_lock on;
            proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504;
            proxy_hide_header Cache-Control;
            add_header Cache-Control $static_cache_control always;
{_headers(policy, 12)}
        }}"""


def _private(policy: EdgePolicy) -> str:
    return "\n".join(
        f"        location = {path} {{\n            return 404;\n        }}" for path in policy.private_paths
    )


def servers(names: list[str], port: int) -> str:
    """Return servers.conf: one line a container, resolved again and again because a restart changes the address."""
    return "".join(f"server {name}:{port} resolve fail_timeout=2s;\n" for name in names)
