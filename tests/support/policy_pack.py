"""The repository's policy pack, run by the real engine.

Pulumi's own Python host starts a pack. The host that the toolchain builds (sdk v3.79) starts the program instead. So
the engine is led to the way that it keeps for languages without a host: an analyzer `policy-LANGUAGE` on PATH, started
in the pack's folder with the engine's address. Here that is `python -m pulumi.policy`, the SDK's own way to run one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LANGUAGE = "pythonhere"


class PackedProject:
    """A program, previewed with the pack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir(parents=True)
        (folder / "bin").mkdir()
        (folder / "Pulumi.yaml").write_text("name: packed\nruntime: python\n")
        pack = folder / "pack"
        pack.mkdir()
        shutil.copy(ROOT / "policies" / "__main__.py", pack)
        (pack / "PulumiPolicy.yaml").write_text(f"runtime: {LANGUAGE}\nversion: 0.1.0\n")
        starter = folder / "bin" / f"pulumi-analyzer-policy-{LANGUAGE}"
        starter.write_text(f'#!/bin/sh\nexec "{sys.executable}" -u -m pulumi.policy "$1" "$2"\n')
        starter.chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        for name in ("PULUMI_CONFIG_PASSPHRASE_FILE", "KUBECONFIG"):
            self.environment.pop(name, None)
        assert self._pulumi("stack", "init", "dev").returncode == 0
        assert self._pulumi("config", "set", "--secret", "key", "CANARY-key").returncode == 0

    def preview(self, code: str) -> subprocess.CompletedProcess[str]:
        """Preview a program with the pack."""
        (self.folder / "__main__.py").write_text(code)
        return self._pulumi("preview", "--policy-pack", "pack")

    def _pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            check=False,
            text=True,
            timeout=300,
        )
