"""`Production`: what a program must be told of the cluster that it deploys to, read from the stack's configuration.

For programs as `python -m flaskstack init` writes them. Deliberately not here: everything that has a default. Arguments
of `KubernetesApp` are added in the program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import pulumi

from flaskstack.errors import HIDDEN, Problem, SettingsError
from flaskstack.kubernetes import kubeconfig
from flaskstack.secret_key import weak_key

if TYPE_CHECKING:
    import pulumi_kubernetes

    from flaskstack.app import FlaskApp

SETTINGS: Final = {
    "context": "the cluster, one of: kubectl config get-contexts -o name",
    "host": "the name that clients use, such as www.example.org",
    "repository": "where the image is pushed to, REGISTRY/TEAM/NAME",
}
"""Settings that must be given -> what each is."""
OPTIONAL: Final = {"namespace": "namespace", "tlsSecret": "tls_secret"}
"""Settings that may be given -> argument of `KubernetesApp`."""
SECRETS: Final = {"secretKey": "secret_key", "databaseUrl": "database_url", "redisUrl": "redis_url"}
"""Settings that are secrets -> argument of `KubernetesApp`."""


@dataclass(frozen=True)
class Production:
    """A stack's cluster."""

    repository: str
    """Where the image is pushed to."""
    cluster: pulumi_kubernetes.Provider
    """Provider of the cluster that the stack names."""
    args: dict[str, Any]
    """Arguments of `KubernetesApp`: host, secrets, and namespace and tls_secret where they are set."""

    @classmethod
    def of(cls, app: FlaskApp) -> Self:
        """Return the settings for `app` of the selected stack; `SETTINGS` and `SECRETS` say which they are.

        Raises `SettingsError` with all that are missing, secrets that stand in plain text, and a weak key.
        """
        config = pulumi.Config()
        needed = {"secretKey": "at least 32 random bytes, such as those of: openssl rand -hex 32"}
        if app.postgres:
            needed["databaseUrl"] = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"
        problems = []
        for key, meaning in {**SETTINGS, **needed}.items():
            if not config.get(key):
                fix = f"pulumi config set {'--secret ' if key in SECRETS else ''}{config.full_key(key)} ..."
                problems.append(Problem(config.full_key(key), "not set", f"required: {meaning}", fix))
        for key in SECRETS:
            full = config.full_key(key)
            if config.get(key) and not pulumi.runtime.is_config_secret(full):
                reason = "stands in plain text in the stack's file"
                problems.append(Problem(full, HIDDEN, reason, f"pulumi config set --secret {full} ..."))
        if (held := config.get("secretKey")) and (weakness := weak_key(held)):
            fix = f'pulumi config set --secret {config.full_key("secretKey")} "$(openssl rand -hex 32)"'
            problems.append(Problem(config.full_key("secretKey"), HIDDEN, weakness, fix))
        if problems:
            raise SettingsError(problems)

        import pulumi_kubernetes  # noqa: PLC0415  # half a second, which the other target need not pay

        context = config.require("context")
        args: dict[str, Any] = {argument: config.get(key) for key, argument in OPTIONAL.items()}
        args |= {argument: config.get_secret(key) for key, argument in SECRETS.items()}
        return cls(
            repository=config.require("repository"),
            cluster=pulumi_kubernetes.Provider(
                f"{pulumi.get_stack()}-cluster", context=context, kubeconfig=kubeconfig.holding(context)
            ),
            args={"host": config.require("host"), **{name: value for name, value in args.items() if value is not None}},
        )
