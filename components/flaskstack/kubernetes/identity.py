"""Names, labels and annotations of what `KubernetesApp` makes.

Deployment, Service, Ingress and the policies have fixed names: people, DNS and dashboards know them, and nothing that
is ever changed here replaces one (the Deployment's selector holds only what never changes).

Secret, ConfigMap and migration Job are replaced at each change. Their names carry what they are of, and a suffix made
anew for each replacement: after a failed release, a return to the former content makes another object, since the
former one is due for deletion.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

import pulumi
import pulumi_random as random
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flaskstack.kubernetes.plan import Plan

DOMAIN: Final = "flaskstack.dev"
WEB: Final = "web"
MIGRATION: Final = "migration"
HOST: Final = "kubernetes.io/hostname"
"""Label of a node that is its own alone."""
DIGEST: Final = 12
"""Characters of an image's digest that tell it from others."""
MANAGED: Final = {"pulumi.com/patchForce": "true"}
"""What is edited by hand, with kubectl, is the program's again at the next `up`, instead of a conflict of managers."""


def selector(plan: Plan, component: str | None = None) -> dict[str, str]:
    """Return the labels that tell this application's pods from all others. They never change."""
    return {
        "app.kubernetes.io/name": plan.app.name,
        "app.kubernetes.io/instance": plan.name,
        **({"app.kubernetes.io/component": component} if component else {}),
    }


def labels(plan: Plan, component: str | None = None) -> dict[str, str]:
    """Return all labels of an object."""
    return {**plan.labels, **selector(plan, component)}


def metadata(
    plan: Plan,
    name: pulumi.Input[str],
    component: str | None = None,
    *,
    annotations: Mapping[str, pulumi.Input[str]] | None = None,
) -> ObjectMetaArgs:
    """Return the metadata of a namespaced object that this application owns as a whole."""
    return ObjectMetaArgs(
        name=name,
        namespace=plan.namespace,
        labels=labels(plan, component),
        annotations={**MANAGED, **(annotations or {})},
    )


def short_digest(image: str) -> str:
    """Return what tells an image from another one: the start of its digest, or of a hash of a reference without one."""
    _, found, digest = image.rpartition("sha256:")
    return (digest if found else hashlib.sha256(image.encode()).hexdigest())[:DIGEST]


def content_hash(content: Mapping[str, Any], salt: str) -> str:
    """Return ten characters that are of this content only, and from which it cannot be guessed.

    A name is public, and a database's password may be weak: a plain hash would let anyone try passwords. Here the
    SECRET_KEY is hashed along, so that guessing means guessing both, and scrypt makes each guess slow.
    """
    text = json.dumps(content, sort_keys=True, default=vars)
    return hashlib.scrypt(text.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=5).hex()


def fresh_name(
    logical: str, prefix: pulumi.Input[str], content: pulumi.Input[str], child: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Return `prefix` with a suffix that is another one for each new `content`, even for one that was there before."""
    suffix = random.RandomString(
        f"{logical}-name", length=5, special=False, upper=False, keepers={"content": content}, opts=child
    )
    return pulumi.Output.concat(prefix, "-", suffix.result)
