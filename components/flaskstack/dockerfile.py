"""The Dockerfile of an application that has none.

Deliberately not here: building it. `image.py` hands the text to BuildKit.
"""

from __future__ import annotations

import json
import posixpath
from typing import TYPE_CHECKING, Final

from flaskstack import dependencies
from flaskstack.app import CODE, UID
from flaskstack.build_context import CLUTTER
from flaskstack.errors import Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flaskstack.app import FlaskApp

CA_SECRET: Final = "ca"  # noqa: S105  # a name, not a secret
"""Id of the BuildKit secret that holds a CA bundle, where the network needs one."""
PIP_CONF_SECRET: Final = "pip_conf"  # noqa: S105
"""Id of the BuildKit secret that holds a pip.conf, for a private package index."""
SERVER_REQUIREMENTS: Final = "'gunicorn>=26,<28' packaging"
"""What serves an application that does not name Gunicorn.

26 closed request smuggling; its gevent worker imports packaging.
"""
GEVENT_REQUIREMENT: Final = "'gevent>=24.10' packaging"
"""What its gevent worker needs, when the application does not name it: 24.10 is the first with Python 3.13."""


def generate(app: FlaskApp) -> str:
    """Return a Dockerfile for `app`: dependencies in a layer of their own, no build tools left, not root.

    Raises `SettingsError` when the folder declares no dependencies in a way that is understood, or has no such entry.
    """
    declared = dependencies.find(app)
    home = _import_folder(app, declared.names)
    install = "; ".join([declared.install, *_server(app, declared.names)])
    run = json.dumps(list(app.web_command) or ["gunicorn", "--bind", f"0.0.0.0:{app.port}", app.entry])
    data = f" && \\\n    install --directory --owner={UID} --group={UID} {app.data}" if app.data else ""
    return f"""\
ARG BASE_IMAGE
FROM ${{BASE_IMAGE}} AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python3 -m venv --without-pip /opt/venv
{_tool(declared.tools)}{_copies(declared.files)}
{_downloading(f"{install}; " + _compiled("/opt/venv"))}

FROM ${{BASE_IMAGE}} AS code
WORKDIR {CODE}
COPY . .
RUN rm -rf {" ".join(CLUTTER)}; find . -name __pycache__ -prune -exec rm -rf {{}} +; {_compiled(".")}

FROM ${{BASE_IMAGE}}
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1{f" PYTHONPATH={home}" if home != CODE else ""}
RUN groupadd --gid {UID} app && \\
    useradd --uid {UID} --gid {UID} --no-create-home --home-dir {CODE} --shell /usr/sbin/nologin app{data}
WORKDIR {CODE}
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=code {CODE} {CODE}
USER {UID}:{UID}
EXPOSE {app.port}
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 CMD {app.liveness_command}
CMD {run}
"""


def _downloading(commands: str) -> str:
    """Return the instruction that runs `commands` with the build's secrets for downloads, and fails when one does."""
    return f"""\
RUN --mount=type=secret,id={CA_SECRET} --mount=type=secret,id={PIP_CONF_SECRET} set -e; \\
    ca=/run/secrets/{CA_SECRET}; conf=/run/secrets/{PIP_CONF_SECRET}; \\
    if [ -s $ca ]; then export PIP_CERT=$ca SSL_CERT_FILE=$ca; fi; \\
    if [ -s $conf ]; then export PIP_CONFIG_FILE=$conf; fi; \\
    {commands}"""


def _tool(requirements: str) -> str:
    """Return the instruction that installs a lock's tool: before the lock, which changes more often."""
    if not requirements:
        return ""
    folder = "/opt/tool"
    made = f"python3 -m venv --without-pip {folder}; pip --python {folder}/bin/python install {requirements}"
    return f"{_downloading(made)}\n"


def _compiled(folder: str) -> str:
    # A file that is no Python of this version (a template, an example) is left as it is: nothing may ever import it.
    return f"python3 -m compileall -q -j 0 {folder} || true"


def _copies(files: Sequence[str]) -> str:
    """Return the instructions that copy `files` to the same places below the working directory."""
    folders: dict[str, list[str]] = {}
    for file in files:
        folders.setdefault(posixpath.dirname(file), []).append(file)
    return "\n".join(f"COPY {' '.join(names)} {f'{folder}/' if folder else './'}" for folder, names in folders.items())


def _server(app: FlaskApp, names: frozenset[str]) -> Iterator[str]:
    """Yield the commands that install what serves the application, where it does not name it itself."""
    if app.web_command:
        return
    if "gunicorn" not in names:
        yield f"{dependencies.PIP} {SERVER_REQUIREMENTS}"
    if app.server.worker_class == "gevent" and "gevent" not in names:
        yield f"{dependencies.PIP} {GEVENT_REQUIREMENT}"


def _import_folder(app: FlaskApp, names: frozenset[str]) -> str:
    """Return the folder in the image that the entry's module is imported from.

    Raises `SettingsError` when the folder has code, but not that module, and no dependency is called like it.
    """
    module = app.entry.partition(":")[0].partition(".")[0]
    for folder, place in (("", CODE), ("src", f"{CODE}/src")):
        inside = app.source / folder
        if (inside / f"{module}.py").is_file() or (inside / module).is_dir():
            return place
    code = _modules(app)
    if app.web_command or not code or dependencies.normalised(module) in names:
        return CODE
    reason = f"{app.path} has neither {module}.py nor a folder {module}, and no dependency is called so"
    fix = f"name the module that holds the application, one of {', '.join(code)}"
    raise SettingsError([Problem("app.entry", app.entry, reason, fix)])


def _modules(app: FlaskApp) -> list[str]:
    """Return the modules that the application's folder has at its top."""
    files = {each.stem for each in app.source.glob("*.py")}
    return sorted(files | {each.parent.name for each in app.source.glob("*/__init__.py")})
