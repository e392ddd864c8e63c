"""Steps that must succeed before `pulumi up` goes on: wait until containers are healthy, run a one-shot container.

The docker plugin can start a one-shot container, but a non-zero exit is not an error to it, and a container that failed
would never run again. So the plugin only makes the container, and a command runs it: it fails with the container's own
words, leaves no resource behind when it does, and so runs again at the next `up`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pulumi
import pulumi_command as command

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi_docker as docker

_SCRIPT: Final = (Path(__file__).parent.parent / "scripts" / "job.sh").read_text()


def run(
    name: str,
    opts: pulumi.ResourceOptions,
    *,
    wait_for: Sequence[docker.Container],
    deadline_s: int,
    containers: Sequence[docker.Container] = (),
) -> command.local.Command:
    """Wait until `wait_for` are healthy, `deadline_s` seconds at most, then run `containers`, each to its end.

    It all happens again when any of them is another one.
    """
    return command.local.Command(
        name,
        # The plugin prints the whole command when it fails; the reason should not drown in our script.
        create='eval "$WAIT_THEN_RUN"',
        interpreter=["/bin/sh", "-c"],
        environment={
            "WAIT_THEN_RUN": _SCRIPT,
            "WAIT_FOR": _ids(wait_for),
            "JOBS": _ids(containers),
            "TIMEOUT": str(deadline_s),
        },
        triggers=[part.id for part in (*wait_for, *containers)],
        opts=opts,
    )


def _ids(containers: Sequence[docker.Container]) -> pulumi.Output[str]:
    return pulumi.Output.all(*[each.id for each in containers]).apply(lambda ids: " ".join(map(str, ids)))
