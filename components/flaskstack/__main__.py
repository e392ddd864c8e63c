"""`python -m flaskstack COMMAND`: see `flaskstack.cli`."""

from __future__ import annotations

import sys

from flaskstack.cli import main

if __name__ == "__main__":
    sys.exit(main())
