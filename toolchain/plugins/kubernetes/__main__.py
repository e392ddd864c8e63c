"""Starts the plugin: `python -m plugins.kubernetes ADDRESS`, or `python -P .../plugins/kubernetes ADDRESS`."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    # Run as a folder, Python looks for modules in here first, where names such as `server` are this package's own.
    sys.path[:] = [str(folder.parent.parent), *(item for item in sys.path if item != str(folder))]
    from plugins.kubernetes.server import serve

    serve()
