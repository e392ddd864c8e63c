"""The Dockerfile of an application that has none.

Deliberately not here: building it. `image.py` hands the text to BuildKit.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Final

from flaskstack.app import CODE, UID
from flaskstack.errors import Problem, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from flaskstack.app import FlaskApp

CA_SECRET: Final = "ca"  # noqa: S105  # a name, not a secret
"""Id of the BuildKit secret that holds a CA bundle, where the network needs one."""
PIP_CONF_SECRET: Final = "pip_conf"  # noqa: S105
"""Id of the BuildKit secret that holds a pip.conf, for a private package index."""
SERVER_REQUIREMENTS: Final = "'gunicorn>=26,<28' packaging"
"""What serves an application that does not name Gunicorn.

26 closed request smuggling; its gevent worker imports packaging.
"""

_MANIFESTS: Final = ("requirements.txt", "uv.lock", "pyproject.toml")
"""Ways to declare dependencies, the first found wins. requirements.txt is first: it is usually the locked one."""


def generate(app: FlaskApp) -> str:
    """Return a Dockerfile for `app`: dependencies in a layer of their own, no build tools left, not root.

    Raises `SettingsError` when the folder declares no dependencies in a way that is understood.
    """
    found = [name for name in _MANIFESTS if (app.source / name).is_file()]
    if not found:
        reason = f"has no Dockerfile and none of {', '.join(_MANIFESTS)}"
        raise SettingsError([Problem("app.path", app.path, reason, "list its dependencies in requirements.txt")])
    copy, install = _dependencies(app.source, found[0])
    run = json.dumps(["gunicorn", "--bind", f"0.0.0.0:{app.port}", app.entry])
    return f"""\
ARG BASE_IMAGE
FROM ${{BASE_IMAGE}} AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python3 -m venv --without-pip /opt/venv
COPY {copy} ./
RUN --mount=type=secret,id={CA_SECRET} --mount=type=secret,id={PIP_CONF_SECRET} set -e; \\
    ca=/run/secrets/{CA_SECRET}; conf=/run/secrets/{PIP_CONF_SECRET}; \\
    if [ -s $ca ]; then export PIP_CERT=$ca SSL_CERT_FILE=$ca; fi; \\
    if [ -s $conf ]; then export PIP_CONFIG_FILE=$conf; fi; \\
    {install}; \\
    /opt/venv/bin/python -m compileall -q -j 0 /opt/venv

FROM ${{BASE_IMAGE}}
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
RUN groupadd --gid {UID} app && \\
    useradd --uid {UID} --gid {UID} --no-create-home --home-dir {CODE} --shell /usr/sbin/nologin app
WORKDIR {CODE}
COPY --from=dependencies /opt/venv /opt/venv
COPY . .
RUN python -m compileall -q -j 0 {CODE}
USER {UID}:{UID}
EXPOSE {app.port}
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 CMD {app.liveness_command}
CMD {run}
"""


def _dependencies(source: Path, manifest: str) -> tuple[str, str]:
    """Return what to copy before the code, and the commands that install it."""
    pip = "pip --python /opt/venv/bin/python install --no-compile"
    server = "" if _names_gunicorn(source / manifest) else f"; {pip} {SERVER_REQUIREMENTS}"
    match manifest:
        case "requirements.txt":
            return manifest, f"{pip} --requirement {manifest}{server}"
        case "uv.lock":
            export = "uv export --frozen --no-dev --no-emit-project --output-file requirements.txt >/dev/null"
            return "pyproject.toml uv.lock", f"pip install uv; {export}; {pip} --requirement requirements.txt{server}"
        case _:
            # Without a lock, the project's own list is all there is. The code itself comes later, in its own layer.
            project = "tomllib.load(open('pyproject.toml','rb'))['project']"
            read = f"import tomllib; print('\\n'.join({project}.get('dependencies',[])))"
            return manifest, f'python3 -c "{read}" > requirements.txt; {pip} --requirement requirements.txt{server}'


def _names_gunicorn(manifest: Path) -> bool:
    """Return whether an application's dependencies name its server: Gunicorn itself, not what only starts like it."""
    requirement = r"gunicorn(?![\w.-])"
    text = manifest.read_text()
    match manifest.name:
        case "requirements.txt":
            return bool(re.search(rf"^\s*{requirement}", text, re.MULTILINE | re.IGNORECASE))
        case "uv.lock":
            return bool(re.search(r'^name = "gunicorn"$', text, re.MULTILINE))
        case _:
            listed = tomllib.loads(text).get("project", {}).get("dependencies", [])
            return any(re.match(requirement, each, re.IGNORECASE) for each in listed)
