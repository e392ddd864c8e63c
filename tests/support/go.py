"""Go programs of the tests, built once a run; Go's own cache makes a second run fast."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MINUTES = 10


def built(source: Path, target: Path) -> Path:
    """Build the module in `source`; its versions are those of toolchain/engine, so that what that compiled is used."""
    go = shutil.which("go")
    assert go, "a Go compiler is needed for programs that are not Python; install Go 1.25 or later"
    done = subprocess.run(
        [go, "build", "-mod=readonly", "-buildvcs=false", "-o", str(target), "."],
        cwd=source,
        env={**os.environ, "GOFLAGS": "", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
        timeout=MINUTES * 60,
    )
    assert done.returncode == 0, done.stderr
    return target
