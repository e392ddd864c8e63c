"""Starts a plugin: `python -P run.py docker ADDRESS`.

Finds its own package, so that no PYTHONPATH is needed, which the commands of `local.Command` would inherit.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

PLUGINS = {"docker": "Docker", "docker-build": "Plugin", "random": "Plugin", "command": "Plugin"}

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    name = sys.argv.pop(1)
    if name == "kubernetes":  # speaks the protocol itself: its secrets are nested, its waits have timeouts
        import_module("plugins.kubernetes.server").serve()
    from plugins.base import serve

    serve(getattr(import_module(f"plugins.{name.replace('-', '_')}"), PLUGINS[name]))
