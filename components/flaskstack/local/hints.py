"""What to do about an error of the engine that a setting can mend, said beside the error.

The engine's own words name what it could not do, and not which setting of ours asked for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.runtime.mocks import MockMonitor

if TYPE_CHECKING:
    from flaskstack.local.container import Limits


def explain(name: str, *, port: int, limits: Limits) -> pulumi.ResourceHookBinding:
    """Return a hook that adds the setting and the fix to an error of the engine. It mends and retries nothing."""
    fixes = {
        "rlimit": (
            f"this machine cannot give a container {limits.nofile} open files; "
            "fix: give LocalStack the limits Limits(nofile=16384); in flaskstack's own program: "
            "pulumi config set --path flaskstack:local.limits.nofile 16384"
        ),
        "port is already allocated": _port_in_use(port),
        "address already in use": _port_in_use(port),
    }

    said: set[str] = set()

    def hook(failed: pulumi.ErrorHookArgs) -> bool:
        text = "\n".join(failed.errors)
        for fix in {fix for fragment, fix in fixes.items() if fragment in text} - said:
            said.add(fix)
            pulumi.log.error(fix)
        return False

    if isinstance(pulumi.runtime.settings.get_monitor(), MockMonitor):
        # A program under test has no engine to call a hook, and the SDK fails on one.
        return pulumi.ResourceHookBinding()
    return pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(f"{name}-explain", hook)])


def _port_in_use(port: int) -> str:
    return (
        f"port {port} of this machine is in use by something else; stop that, or fix: give LocalStack the port "
        f"{port + 1}; in flaskstack's own program: pulumi config set --path flaskstack:local.port {port + 1}"
    )
