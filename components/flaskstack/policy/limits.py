"""What a container asks for and may take is said, so that one that runs wild starves no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flaskstack.policy.model import Finding, Level, Rule
from flaskstack.policy.pods import containers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flaskstack.policy.resource import Resource


def _check(resource: Resource) -> Iterator[Finding]:
    for part in containers(resource):
        if ".ephemeralContainers[" in part.where:
            continue  # they cannot have any
        for kind in ("requests", "limits"):
            for what in ("cpu", "memory"):
                if part.at("resources", kind, what) is None:
                    where = f"{part.where}.resources.{kind}.{what}"
                    example = {"cpu": "100m", "memory": "256Mi"}[what]
                    yield Finding(where, "not set", "it takes what it can get", f"set it, for example to {example}")
    # A one-shot that is never started, or runs once, is Docker's `must_run` false.
    if resource.docker == "Container" and resource.inputs.get("mustRun") is not False:
        for names, example in ((("memory",), "512 MiB"), (("cpus", "cpuQuota", "cpuSet"), "2.0")):
            if not any(resource.inputs.get(name) for name in names):
                yield Finding(names[0], "not set", "it takes what it can get", f"set it, for example to {example}")


RULE: Final = Rule("resources-set", "Containers say what they ask for and may take.", Level.MANDATORY, _check)
