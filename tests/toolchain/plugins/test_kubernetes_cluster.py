"""The provider against a real API server, driven by real Pulumi programs; each test has a namespace of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import textwrap
import time

import pytest
from plugins.kubernetes.api import MERGE, ApiError, Sent

pytest_plugins = ("support.kubernetes",)
pytestmark = pytest.mark.cluster
SECONDS = 180
CANARY = "canary-4f1d9c"
HEAD = """
import os
import pulumi
import pulumi_kubernetes as k8s
NAMESPACE = os.environ["TEST_NAMESPACE"]
def meta(**more):
    return {"namespace": NAMESPACE, **more}
def deployment(name, image, annotations=None, **spec):
    return k8s.apps.v1.Deployment(name, metadata=meta(name=name, annotations=annotations or {}), spec={
        "replicas": 1, "selector": {"matchLabels": {"app": name}}, **spec,
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [
            {"name": "app", "image": image, "imagePullPolicy": "IfNotPresent", "env": [{"name": "EMPTY", "value": ""}],
             "resources": {"requests": {"cpu": "0.01", "memory": "1024Ki"}}}]}}})
"""


class Program:
    """A Pulumi program in a folder of its own, with its own state."""

    def __init__(self, folder, kubeconfig, namespace):
        self.folder = folder
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text("name: test\nruntime: python\n")
        self.environment = {
            **os.environ,
            "KUBECONFIG": kubeconfig,
            "TEST_NAMESPACE": namespace,
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        self.environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        self.run("stack", "init", "dev")

    def write(self, code):
        (self.folder / "__main__.py").write_text(HEAD + textwrap.dedent(code))

    def start(self, *arguments):
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments, ok=True):
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=SECONDS)
        assert ok is None or (process.returncode == 0) is ok, output
        return output

    def up(self, code, *, ok=True):
        self.write(code)
        return self.run("up", "--yes", "--skip-preview", ok=ok)

    def unchanged(self):
        return self.run("preview", "--diff", "--expect-no-changes")

    def state(self):
        exported = json.loads(self.run("stack", "export"))["deployment"]
        resources = exported.get("resources", [])
        found = {item["urn"].rpartition("::")[2]: item for item in resources}
        return found | {item["type"]: item for item in resources if item["type"] == "pulumi:pulumi:Stack"}


@pytest.fixture
def program(tmp_path, kubeconfig, namespace):
    made = Program(tmp_path, kubeconfig, namespace)
    yield made
    made.run("destroy", "--yes", "--skip-preview", ok=None)


@pytest.fixture
def look(api, namespace):
    """Read an object of the test's namespace by its path, None if it is not there."""

    def read(path):
        group, _, rest = path.rpartition(":")
        try:
            return api.get(
                f"/apis/{group}/namespaces/{namespace}/{rest}" if group else f"/api/v1/namespaces/{namespace}/{rest}"
            )
        except ApiError as error:
            if error.not_found:
                return None
            raise

    return read


LIFE = """
secret = k8s.core.v1.Secret("secret", metadata=meta(), string_data={"key": pulumi.Output.secret("%s")})
config = k8s.core.v1.ConfigMap("config", metadata=meta(), data={"a": "%s"})
fixed = k8s.core.v1.ConfigMap("fixed", metadata=meta(name="fixed"), data={"a": "%s"})
role = k8s.rbac.v1.Role("role", metadata=meta(), rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])
limits = [{"type": "Container", "default": {"cpu": "0.5"}}]
quota = k8s.core.v1.LimitRange("limits", metadata=meta(), spec={"limits": limits})
web = deployment("web", "registry.invalid/none:1", {"pulumi.com/skipAwait": "true"})
user = k8s.core.v1.ConfigMap("user", metadata=meta(), data={"config": config.metadata.name})
pulumi.export("config", config.metadata.name)
pulumi.export("secret", secret.metadata.name)
"""


def test_objects_are_made_stay_unchanged_are_replaced_and_go(program, look, api, namespace):
    program.up(LIFE % (CANARY, 1, 1))
    program.unchanged()
    names = json.loads(program.run("stack", "output", "--json"))
    assert names["config"].startswith("config-")
    made = look(f"secrets/{names['secret']}")
    assert made["data"] == {"key": "Y2FuYXJ5LTRmMWQ5Yw=="}
    assert "last-applied" not in json.dumps(made)
    files = [
        path
        for path in program.folder.rglob("*")
        if path.is_file() and path.name != "__main__.py" and path.suffix != ".pyc"
    ]
    assert files
    for path in files:
        content = path.read_bytes()
        assert CANARY.encode() not in content, path
        assert b"Y2FuYXJ5" not in content, path

    program.write(LIFE % ("rotated-77", 2, 2))
    preview = program.run("preview", "--diff")
    assert "rotated" not in preview
    assert CANARY not in preview
    assert "[secret]" in preview
    before = look("configmaps/fixed")["metadata"]["uid"]
    output = program.run("up", "--yes", "--skip-preview")
    assert "+-4 replaced" in output, "the three, and the one that names one of them"
    after = json.loads(program.run("stack", "output", "--json"))
    assert after["config"] != names["config"], "an autonamed object is replaced under a new name"
    assert look(f"configmaps/{names['config']}") is None
    assert look(f"configmaps/{after['config']}")["data"] == {"a": "2"}
    assert look("configmaps/fixed")["metadata"]["uid"] != before, "a fixed name is deleted before it is made again"
    user = look(program.state()["user"]["id"].replace(f"{namespace}/", "configmaps/"))
    assert user["data"] == {"config": after["config"]}
    program.unchanged()

    program.run("destroy", "--yes", "--skip-preview")
    left = [item["metadata"]["name"] for item in look("configmaps")["items"]]
    assert left in ([], ["kube-root-ca.crt"])
    assert api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"] == []


def test_a_preview_shows_what_the_api_server_refuses(program, look):
    program.write('k8s.core.v1.Service("web", metadata=meta(name="web"), spec={"ports": [{"port": 70000}]})')
    assert "must be between 1 and 65535" in program.run("preview", ok=False)
    program.write('k8s.helm.v3.Release("chart", chart="nothing")')
    refused = "install the official kubernetes plugin for kubernetes:helm.sh/v3:Release"
    assert refused in program.run("preview", ok=False)
    assert look("services/web") is None


DRIFTING = """
role = k8s.rbac.v1.Role("role", metadata=meta(name="role", labels={"a": "%s"}), rules=[
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])
web = deployment("web", "registry.invalid/none:1", {"pulumi.com/skipAwait": "true"})
"""


def test_drift_is_shown_by_refresh_and_mended_by_up(program, look, api, namespace):
    program.up(DRIFTING % "b")
    assert "unchanged" in program.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/role"
    api.request("PATCH", path, {"fieldManager": "kubectl-edit"}, {"metadata": {"labels": {"a": "drift"}}}, Sent(MERGE))
    output = program.run("refresh", "--yes", "--skip-preview", "--diff")
    assert "drift" in output
    program.up(DRIFTING % "b")
    assert look("rbac.authorization.k8s.io/v1:roles/role")["metadata"]["labels"] == {"a": "b"}
    api.request("DELETE", path)
    program.run("refresh", "--yes", "--skip-preview")
    assert "role" not in program.state()
    program.up(DRIFTING % "b")
    assert look("rbac.authorization.k8s.io/v1:roles/role") is not None


def test_existing_objects_are_imported_and_read(program, api, namespace):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}, "data": {"a": "1"}}
    api.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", {}, body)
    code = f"""
        options = pulumi.ResourceOptions(%s)
        k8s.core.v1.ConfigMap("theirs", metadata=meta(name="theirs"), data={{"a": "1"}}, opts=options)
        pulumi.export("phase", k8s.core.v1.Namespace.get("found", "{namespace}").status.phase)
    """
    assert "1 imported" in program.up(code % f"import_='{namespace}/theirs'")
    assert program.state()["pulumi:pulumi:Stack"]["outputs"] == {"phase": "Active"}
    program.write(code % "")
    program.unchanged()


def test_a_preview_needs_no_cluster(program, tmp_path):
    program.up(DRIFTING % "b")
    program.environment["KUBECONFIG"] = str(tmp_path / "missing")
    program.unchanged()
    program.write(DRIFTING % "c")
    output = program.run("preview", "--diff")
    assert '"b" => "c"' in output
    config = {
        "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:9"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": ""}}],
    }
    (tmp_path / "closed").write_text(json.dumps(config))
    program.environment["KUBECONFIG"] = str(tmp_path / "closed")
    output = program.run("preview", "--diff")
    assert "is unreachable, previewing without it" in output
    assert "configured Kubernetes cluster is unreachable" in program.run("up", "--yes", "--skip-preview", ok=False)
    program.environment["KUBECONFIG"] = os.environ["FLASKSTACK_KUBECONFIG"]


def test_manifests_are_rendered_instead_of_made(program, look, tmp_path):
    code = """
        provider = k8s.Provider("p", render_yaml_to_directory=%r)
        options = pulumi.ResourceOptions(provider=provider)
        k8s.core.v1.ConfigMap("c", metadata=meta(name="c"), data={"a": "%s"}, opts=options)
    """
    folder = tmp_path / "rendered"
    program.environment.pop("KUBECONFIG")  # the SDK hands it to every provider, and rendering refuses it (#3498)
    program.up(code % (str(folder), 1))
    path = folder / "1-manifest" / f"v1-configmap-{program.environment['TEST_NAMESPACE']}-c.yaml"
    assert "a: '1'" in path.read_text()
    assert look("configmaps/c") is None
    program.up(code % (str(folder), 2))
    assert "a: '2'" in path.read_text()
    program.run("destroy", "--yes", "--skip-preview")
    assert not path.exists()


def test_a_rollout_that_does_not_get_ready_fails_with_the_pods_reason_and_recovers(program):
    code = 'deployment("web", "registry.invalid/none:1", {"pulumi.com/timeoutSeconds": "%s"}, replicas=%s)'
    output = program.up(code % (12, 1), ok=False)
    assert "timed out waiting to be Ready" in output
    assert "[Pod plugin-" in output
    assert "ImagePull" in output
    assert any("ImagePull" in text for text in program.state()["web"]["initErrors"])
    program.up(code % (12, 0))
    assert "initErrors" not in program.state()["web"]
    program.unchanged()


def test_cancelling_ends_a_wait_promptly_and_keeps_what_was_made(program, look):
    program.write('deployment("web", "registry.invalid/none:1")')
    process = program.start("up", "--yes", "--skip-preview")
    deadline = time.monotonic() + 60
    while look("apps/v1:deployments/web") is None:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    time.sleep(2)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert time.monotonic() - started < 15
    assert "waiting for 'web' was cancelled" in output
    assert program.state()["web"]["id"]
