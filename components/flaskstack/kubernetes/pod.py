"""The pod of the application: one container, hardened as the restricted Pod Security Standard asks and further.

The web pods and the migration are the same pod but for their command, so that a migration proves the image, the Secret
and the database before any web pod gets them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi
from pulumi_kubernetes.core.v1 import (
    CapabilitiesArgs,
    ConfigMapVolumeSourceArgs,
    ContainerArgs,
    EmptyDirVolumeSourceArgs,
    EnvVarArgs,
    EnvVarSourceArgs,
    LocalObjectReferenceArgs,
    PodSecurityContextArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    ResourceRequirementsArgs,
    SeccompProfileArgs,
    SecretKeySelectorArgs,
    SecurityContextArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from flaskstack.app import TMP, UID
from flaskstack.kubernetes import config, identity, storage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flaskstack.kubernetes.plan import Plan
    from flaskstack.kubernetes.settings import Resources

A = TypeVar("A")


@dataclass(frozen=True)
class Source:
    """What a pod takes its configuration from."""

    secret_name: pulumi.Output[str]
    config_name: pulumi.Output[str]
    service_account: pulumi.Input[str]
    claim_name: pulumi.Output[str] | None = None
    """Name of the claim of the data folder, None when the application has none."""


def overridden(args: A, by: object) -> A:
    """Return the SDK's `args` with each field that `by`, args of the patch type, has."""
    fields: dict[str, Any] = vars(args) | (vars(by) if by is not None else {})
    return type(args)(**fields)


def environment(plan: Plan, secret_name: pulumi.Input[str]) -> list[EnvVarArgs]:
    """Return the variables: plain ones, those of the Secret by reference, and the caller's."""
    plain: dict[str, pulumi.Input[str]] = {
        "APP_VERSION": pulumi.Output.from_input(plan.image).apply(identity.short_digest),
        # TLS ends at the edge, and the pod is never reached but through it.
        "FLASK_PREFERRED_URL_SCHEME": "https",
        "FLASK_SESSION_COOKIE_SECURE": "true",
        **plan.app.process_environment(proxy_hops=plan.proxy_hops),
    }
    held = config.content(plan)
    required = {"SECRET_KEY", *(["DATABASE_URL"] if plan.app.postgres else []), *plan.app.secrets}
    return [
        *(EnvVarArgs(name=name, value=value) for name, value in sorted(plain.items())),
        *(
            EnvVarArgs(
                name=variable,
                value_from=EnvVarSourceArgs(
                    secret_key_ref=SecretKeySelectorArgs(
                        name=secret_name,
                        key=key,
                        # A Secret that exists may do without the others.
                        optional=variable not in required if plan.secret_name is not None else None,
                    )
                ),
            )
            for variable, key in config.keys(plan).items()
            if key in held or plan.secret_name is not None
        ),
        *plan.environment,
    ]


def container(
    plan: Plan,
    source: Source,
    name: str,
    command: Sequence[str],
    resources: Resources | None = None,
    **more: Any,  # noqa: ANN401  # fields of the SDK's args
) -> ContainerArgs:
    """Return a container that runs `command` of the application's image, with `resources` of its own or the pods'.

    `more`: further fields.
    """
    resources = resources or plan.resources
    return ContainerArgs(
        name=name,
        image=plan.image,
        # By digest: what the node has under it is what it means.
        image_pull_policy="IfNotPresent",
        # `args`, as a Dockerfile's CMD: an image's entry point stays.
        args=list(command),
        env=environment(plan, source.secret_name),
        resources=ResourceRequirementsArgs(
            requests={"cpu": resources.cpu_request, "memory": resources.memory_request},
            limits={"cpu": resources.cpu_limit, "memory": resources.memory_limit},
        ),
        security_context=SecurityContextArgs(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=CapabilitiesArgs(drop=["ALL"]),
        ),
        # The last lines of a container that ended in error are its message: `pulumi up` shows them.
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[
            VolumeMountArgs(name="tmp", mount_path=TMP),
            VolumeMountArgs(name="server-config", mount_path=config.CONFIG_FOLDER, read_only=True),
            *([VolumeMountArgs(name="data", mount_path=plan.app.data)] if plan.app.data else []),
            *plan.volume_mounts,
        ],
        **more,
    )


def template(
    plan: Plan,
    source: Source,
    component: str,
    containers: Sequence[ContainerArgs],
    **more: Any,  # noqa: ANN401  # fields of the SDK's args
) -> PodTemplateSpecArgs:
    """Return the template of pods that run `containers` as `component`. `more`: further fields of the pod."""
    pod = PodSpecArgs(
        containers=list(containers),
        service_account_name=source.service_account,
        automount_service_account_token=False,
        # A Service named PORT or GUNICORN would otherwise end in the application's variables.
        enable_service_links=False,
        image_pull_secrets=[LocalObjectReferenceArgs(name=name) for name in plan.image_pull_secrets] or None,
        priority_class_name=plan.priority_class,
        security_context=PodSecurityContextArgs(
            run_as_non_root=True,
            run_as_user=UID,
            run_as_group=UID,
            fs_group=UID,
            seccomp_profile=SeccompProfileArgs(type="RuntimeDefault"),
        ),
        volumes=[
            VolumeArgs(
                name="tmp",
                empty_dir=EmptyDirVolumeSourceArgs(medium="Memory", size_limit=plan.resources.tmp),
            ),
            VolumeArgs(name="server-config", config_map=ConfigMapVolumeSourceArgs(name=source.config_name)),
            *storage.volumes(source.claim_name),
            *plan.volumes,
        ],
        **more,
    )
    patch = plan.pod_template
    own = {f"{identity.DOMAIN}/secret-version": plan.secret_version} if plan.secret_version else {}
    metadata = ObjectMetaArgs(labels=identity.labels(plan, component), annotations=own or None)
    extra: Any = getattr(patch, "metadata", None)
    if extra is not None:
        # The application's own labels stay: the selectors know them.
        metadata.labels = {**(extra.labels or {}), **identity.labels(plan, component)}
        metadata.annotations = {**own, **(extra.annotations or {})}
    return PodTemplateSpecArgs(metadata=metadata, spec=overridden(pod, getattr(patch, "spec", None)))
