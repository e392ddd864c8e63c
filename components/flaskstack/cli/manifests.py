"""Write the Kubernetes manifests that run an application as KubernetesApp does, for people without Pulumi.

In the order in which they are applied: what pods need, the migration, and once that has succeeded, the pods. Secrets
are references to a Secret that exists, never values.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from flaskstack.cli import detect, written
from flaskstack.cli.registered import registered

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from flaskstack.app import FlaskApp
    from flaskstack.cli.registered import Resource
    from flaskstack.kubernetes_app import KubernetesAppArgs

PULUMI: Final = "pulumi.com/"
"""Prefix of annotations that only Pulumi reads."""
JOB: Final = "kubernetes:batch/v1:Job"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    detect.arguments(parser)
    parser.add_argument("--image", required=True, help="image to run, by digest: REGISTRY/TEAM/NAME@sha256:DIGEST")
    parser.add_argument("--host", required=True, help="host name that clients use")
    parser.add_argument("--secret-name", help="Secret that holds the secrets; default: NAME-secrets")
    parser.add_argument("--namespace", default="default", help="namespace; default: default")
    parser.add_argument("--tls-secret", help="Secret with the host's certificate; default: the controller's own")
    parser.add_argument("--ingress-class", help="IngressClass; default: the cluster's default class")
    written.arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Write or print them."""
    from flaskstack.kubernetes.settings import Ingress  # noqa: PLC0415  # beside what is imported in `render`

    app = detect.guess(options.path, entry=options.entry, name=options.name).app
    files = render(
        app,
        {
            "image": options.image,
            "host": options.host,
            "secret_name": options.secret_name or f"{app.name}-secrets",
            "namespace": options.namespace,
            "tls_secret": options.tls_secret,
            "ingress": Ingress(class_name=options.ingress_class),
        },
    )
    if not options.output:
        sys.stdout.write("---\n".join(files.values()))
        return 0
    targets = {Path(options.output).resolve() / name: content for name, content in files.items()}
    if not options.force:
        written.refuse_collisions(targets, "move it away, or --force")
    written.write(targets)
    return 0


def render(app: FlaskApp, args: Mapping[str, Any]) -> dict[str, str]:
    """Return file name -> manifests of `app`. `args`: further arguments of `KubernetesApp`, without secrets."""
    from flaskstack.kubernetes_app import KubernetesApp  # noqa: PLC0415  # half a second

    resources = registered(
        lambda: KubernetesApp(app.name, cast("KubernetesAppArgs", {"app": app, **args})), app.name, _made
    )
    objects = [each for each in resources if each.type.startswith("kubernetes:")]
    jobs = [each for each in objects if each.type == JOB]
    later = _after(objects, {each.name for each in jobs})
    first = [each for each in objects if each.name not in later and each not in jobs]
    namespace = args.get("namespace", "default")
    secret = _secret_keys(objects)
    apply = f"kubectl apply --namespace {namespace} --filename"
    parts = [("needed", first, f"{apply} {{}}")]
    if jobs:
        seconds = jobs[0].inputs["spec"]["activeDeadlineSeconds"]
        wait = f"kubectl wait --namespace {namespace} --for condition=complete --timeout {seconds}s --filename"
        parts.append(("migration", jobs, f"{apply} {{}} && {wait} {{}}    # only then go on"))
    parts.append(("app", [each for each in objects if each.name in later], f"{apply} {{}}"))
    if not jobs:
        parts = [("app", objects, f"{apply} {{}}")]
    files = {}
    for number, (name, held, command) in enumerate(parts, 1):
        file = f"{number}-{name}.yaml"
        head = f"# {command.replace('{}', file)}\n"
        head += secret if number == 1 else ""
        files[file] = head + "---\n".join(written.document(manifest(each.inputs)) for each in _ordered(held))
    return files


def manifest(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object as kubectl takes it: without what only Pulumi reads."""
    metadata = dict(inputs["metadata"])
    annotations = {key: value for key, value in metadata.pop("annotations", {}).items() if not key.startswith(PULUMI)}
    return {**inputs, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}}


def _made(kind: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an engine would add. A name's suffix is of its content: the same input gives the same text."""
    if kind == "random:index/randomString:RandomString":
        return {"result": inputs["keepers"]["content"][: int(inputs["length"])]}
    return {"name": name}


def _after(objects: Sequence[Resource], names: set[str]) -> set[str]:
    """Return the names of what comes after any of `names`, at once or in the end."""
    found: set[str] = set()
    while more := {each.name for each in objects if (names | found).intersection(each.after)} - found:
        found |= more
    return found


def _ordered(objects: Sequence[Resource]) -> list[Resource]:
    """Return objects in an order that is always the same: what others come after first, then by kind and name."""
    rank = {each.name: 0 for each in objects}
    for _ in objects:
        for each in objects:
            rank[each.name] = max([0, *(rank[name] + 1 for name in each.after if name in rank)])
    return sorted(objects, key=lambda each: (rank[each.name], each.inputs["kind"], each.name))


def _secret_keys(objects: Sequence[Resource]) -> str:
    """Return what a reader must know of the Secret that the pods refer to."""
    templates = [
        each.inputs["spec"]["template"]["spec"] for each in objects if "template" in each.inputs.get("spec", {})
    ]
    entries = [entry for pod in templates for container in pod["containers"] for entry in container["env"]]
    wanted = [entry["valueFrom"]["secretKeyRef"] for entry in entries if "secretKeyRef" in entry.get("valueFrom", {})]
    keys = sorted({f"{each['key']} (optional)" if each.get("optional") else each["key"] for each in wanted})
    named = sorted({each["name"] for each in wanted})
    said = f"The pods read the Secret {', '.join(named)}, which must exist with the keys {', '.join(keys)}."
    return textwrap.fill(said, 118, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False) + "\n"
