"""Images are named by what they are, not by a tag that may mean another one tomorrow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flaskstack.policy.model import Finding, Level, Rule
from flaskstack.policy.pods import containers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flaskstack.policy.resource import Resource

DIGEST: Final = re.compile(r"(^|@)sha256:[0-9a-f]{64}$")
"""A reference by digest, or an image's id in a Docker engine."""


def _check(resource: Resource) -> Iterator[Finding]:
    if resource.docker == "Container":
        found = [("image", resource.inputs.get("image"))]
    else:
        found = [(f"{part.where}.image", part.at("image")) for part in containers(resource)]
    for where, image in found:
        if isinstance(image, str) and not DIGEST.search(image):
            fix = "name it by digest, REPOSITORY@sha256:..., or in a Docker engine by its id (RemoteImage.image_id)"
            yield Finding(where, image, "a tag may mean another image tomorrow", fix)


RULE: Final = Rule(
    "image-by-digest", "Containers run images named by digest or by an engine's id.", Level.MANDATORY, _check
)
