"""`python -m flaskstack COMMAND`: see `flaskstack.cli`."""

from __future__ import annotations

import gc
import sys

from flaskstack.cli import main

if __name__ == "__main__":
    status = main()
    gc.freeze()  # A last walk through every object there is would take 0.3 s.
    sys.exit(status)
