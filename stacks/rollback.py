"""`make rollback`: which image ran before the one that runs now, by the cluster's own record of releases.

    python -m stacks.rollback STACK

prints it, by digest. Only the image goes back: settings and secrets are those of now.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

REVISION: Final = "deployment.kubernetes.io/revision"


class NothingToReturnToError(Exception):
    """There is no former image, or no cluster that could tell."""


def former(deployment: dict[str, Any], sets: list[dict[str, Any]]) -> str:
    """Return the image of the newest revision whose image is another than the Deployment's. Raises when none is."""
    name, now = deployment["metadata"]["uid"], _image(deployment)
    own = [found for found in sets if any(owner["uid"] == name for owner in found["metadata"]["ownerReferences"])]
    own.sort(key=lambda found: int(found["metadata"]["annotations"][REVISION]), reverse=True)
    for found in own:
        if _image(found) != now:
            return _image(found)
    message = f"no other image than {now} is on record; kubernetes.rollout.revisions says how many are kept"
    raise NothingToReturnToError(message)


def _image(found: dict[str, Any]) -> str:
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


def _pulumi(*arguments: str) -> str:
    return _output(["pulumi", *arguments])


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NothingToReturnToError(done.stderr.strip())
    return done.stdout.strip()


def main(stack: str) -> str:
    """Return the former image of a stack."""
    outputs = json.loads(_pulumi("stack", "output", "--json", "--stack", stack))
    if "deployment" not in outputs:
        message = f"{stack} runs on no cluster; name the image: make rollback STACK={stack} IMAGE=..."
        raise NothingToReturnToError(message)
    context = _pulumi("config", "get", "--path", "kubernetes.context", "--stack", stack)
    kubectl = ["kubectl", "--context", context, "--namespace", outputs["namespace"], "get", "--output", "json"]
    deployment = json.loads(_output([*kubectl, "deployment", outputs["deployment"]]))
    return former(deployment, json.loads(_output([*kubectl, "replicasets"]))["items"])


if __name__ == "__main__":
    try:
        print(main(sys.argv[1]))  # noqa: T201  # it is what this is for
    except NothingToReturnToError as error:
        sys.exit(f"error: {error}")
