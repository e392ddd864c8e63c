"""What is on the cluster and in the state: unchanged, mended, secret, and nobody else's."""

from __future__ import annotations

import json

from support.cluster import ClusterStack, kubectl


def test_a_second_up_changes_nothing(stack: ClusterStack) -> None:
    stack.up("--expect-no-changes").expect()
    stack.pulumi("preview", "--refresh", "--expect-no-changes").expect()


def test_outputs_name_what_to_open_and_what_runs_by_digest(stack: ClusterStack) -> None:
    outputs = stack.outputs()
    assert outputs["url"] == f"https://{stack.host}:18443"
    assert "@sha256:" in outputs["image"]
    images = {pod["spec"]["containers"][0]["image"] for pod in stack.objects("pods")}
    assert outputs["image"] in images


def test_what_was_edited_by_hand_is_shown_and_mended(stack: ClusterStack) -> None:
    stack.kubectl("scale", "deployment/guestbook", "--replicas=1")
    assert "replicas" in stack.pulumi("preview", "--refresh", "--diff").output
    stack.pulumi("refresh", "--yes", "--skip-preview").expect()
    stack.up().expect()
    assert stack.objects("deployments")[0]["spec"]["replicas"] == 3


def test_the_namespace_admits_only_the_restricted(stack: ClusterStack) -> None:
    privileged = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "privileged"},
        "spec": {"containers": [{"name": "a", "image": "a", "securityContext": {"privileged": True}}]},
    }
    stack.kubectl("create", "--filename", "-", text=json.dumps(privileged), check=False)
    assert "privileged" not in stack.kubectl("get", "pods", "--output", "name")
    labels = json.loads(kubectl("get", "namespace", stack.name, "--output", "json"))["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_secret_stands_in_the_secret_and_nowhere_else(stack: ClusterStack, canary: str) -> None:
    shown = {
        "state": stack.pulumi("stack", "export").expect().output,
        "preview": stack.pulumi("preview", "--diff").expect().output,
        "files of the state": "".join(
            path.read_text() for path in (stack.folder / "state").rglob("*.json*") if path.is_file()
        ),
        "objects": stack.kubectl(
            "get", "all,configmaps,ingresses,events,networkpolicies,poddisruptionbudgets", "--output", "yaml"
        ),
        "metadata of the Secrets": json.dumps([item["metadata"] for item in stack.objects("secrets")]),
        "logs": "".join(stack.kubectl("logs", pod, check=False) for pod in stack.web_pods()),
        "command lines": stack.kubectl(
            "exec", stack.web_pods()[0], "--", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"
        ),
    }
    found = [place for place, text in shown.items() if canary in text]
    assert not found


def test_destroying_leaves_what_others_made(stack: ClusterStack) -> None:
    stack.kubectl("create", "configmap", "of-somebody-else", "--from-literal=a=b")
    stack.pulumi("destroy", "--yes", "--skip-preview").expect()
    assert "of-somebody-else" in stack.kubectl("get", "configmaps", "--output", "name")
    assert stack.kubectl("get", "deployments,services,ingresses,jobs", "--output", "name") == ""
    stack.up().expect()
    assert len(stack.web_pods()) == 3, "the namespace that stayed is taken over"
