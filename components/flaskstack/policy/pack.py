"""The rules as a policy pack of any project: `flaskstack.policy.pack.run("NAME")` is the pack's whole program.

Needs the package `pulumi-policy`. Two things differ from a review of a preview: the engine tells a pack `protect`, but
not `retain_on_delete`, so what is not protected is said as advice; and it asks again at `up`, when values are known.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

import pulumi_policy
from pulumi_policy import policy as sdk

from flaskstack.policy import RULES, check, data
from flaskstack.policy.model import Level
from flaskstack.policy.resource import MASK, SECRET_SIGNATURE, SIGNATURE, Resource, cleaned

if TYPE_CHECKING:
    from collections.abc import Callable

    from flaskstack.policy.model import Rule

LEVELS: Final = {
    Level.MANDATORY: pulumi_policy.EnforcementLevel.MANDATORY,
    Level.ADVISORY: pulumi_policy.EnforcementLevel.ADVISORY,
}


def run(name: str) -> None:
    """Serve all rules to the engine, as a pack of that name, until it ends the process."""
    # The SDK hands secrets to a policy in plain text, and does not say that they are secrets. Masked on their way in,
    # they look as in a preview, and no message can hold one.
    plain = sdk.deserialize_properties  # type: ignore[attr-defined]  # its own, hence the pinned version

    def masked(props: dict[str, Any], proxy_secrets: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002  # the SDK's
        found: dict[str, Any] = plain(_masked(props), proxy_secrets)
        return found

    sdk.deserialize_properties = masked  # type: ignore[attr-defined]
    policies: list[Any] = [_policy(rule.name, rule, rule.level) for rule in RULES]
    # A policy has one level. Of this rule a finding is mere advice where the pack cannot see enough.
    policies.append(_policy(f"{data.RULE.name}-advice", data.RULE, Level.ADVISORY))
    pulumi_policy.PolicyPack(name, policies=policies)


def _policy(name: str, rule: Rule, level: Level) -> pulumi_policy.ResourceValidationPolicy:
    def validate(args: pulumi_policy.ResourceValidationArgs, report: Callable[[str, str | None], None]) -> None:
        for violation in check([resource(args)], [rule]):
            if violation.level is level and not violation.excuse:
                report(str(violation), None)

    return pulumi_policy.ResourceValidationPolicy(
        name=name, description=rule.description, validate=validate, enforcement_level=LEVELS[level]
    )


def resource(args: pulumi_policy.ResourceValidationArgs) -> Resource:
    """Return what the engine asks about, as rules see it."""
    return Resource(args.resource_type, args.name, cleaned(_bare(args.props)), bool(args.opts.protect), retained=None)


def _bare(value: Any) -> Any:  # noqa: ANN401  # whatever an input holds
    """Return a value without the SDK's wrappers, which raise where a value is not known yet."""
    with contextlib.suppress(KeyError, TypeError, IndexError):
        value = value["__target"]
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items()}
    return [_bare(item) for item in value] if isinstance(value, list) else value


def _masked(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET_SIGNATURE:
            return MASK
        return {key: _masked(item) for key, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value
