"""Policies: what no resource of a stack may be, whoever wrote the program.

Each rule is a pure function over one resource: its type, name, inputs and options -> what is wrong with it. The same
rules serve a policy pack (`--policy-pack`), where the engine asks them, and `python -m flaskstack review`, which asks
them about a preview. Neither this package nor a rule of it talks to an engine.

An exception is made where the resource is, with its reason: an annotation (Kubernetes) or label (Docker)
`policy.flaskstack.dev/RULE` whose value is the reason. It is reviewed with the code, and the report lists it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flaskstack.policy import data, exposure, images, limits, pod_security, secrets
from flaskstack.policy.model import Finding, Level, Rule, Violation
from flaskstack.policy.resource import SECRET, UNKNOWN, Resource, cleaned

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "EXCEPTION",
    "RULES",
    "SECRET",
    "UNKNOWN",
    "Finding",
    "Level",
    "Resource",
    "Rule",
    "Violation",
    "check",
    "cleaned",
]

EXCEPTION: Final = "policy.flaskstack.dev/"
"""What stands before a rule's name in the annotation or label that makes an exception."""
RULES: Final = (
    pod_security.RULE,
    pod_security.NAMESPACE_RULE,
    images.RULE,
    limits.RULE,
    secrets.RULE,
    exposure.PORT_RULE,
    exposure.TLS_RULE,
    data.RULE,
)
"""All rules, in the order in which they are reported."""


def check(resources: Iterable[Resource], rules: Iterable[Rule] = RULES) -> list[Violation]:
    """Return what is wrong with `resources`, exceptions included: they carry the reason given for them."""
    chosen = tuple(rules)
    return [
        Violation(rule, resource, finding, resource.tags.get(f"{EXCEPTION}{rule.name}", "").strip())
        for resource in resources
        for rule in chosen
        for finding in rule.check(resource)
    ]
