"""A project whose preview has one of each kind of change, made by the real engine: how the saved previews come about.

`python -m support.review_project FILE` (in tests/) writes the preview anew. Its stack is never brought up: the state is
that of a preview of the former program, with ids, as if it had been.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any, Final

from flaskstack.policy.resource import MASK, SECRET_SIGNATURE, SIGNATURE, UNKNOWNS
from flaskstack.review import engine

CANARY: Final = "CANARY"
"""Part of every secret of the project. No report may hold it."""
NOISE: Final = ("sourcePosition", "stackTrace", "propertyDependencies", "created", "modified", "customTimeouts")
"""What the engine says and no review reads; some of it names folders of this machine."""

PROGRAM: Final = '''
import json, pulumi, pulumi_docker as docker, pulumi_docker_build as build, pulumi_kubernetes as k8s, pulumi_random as random
LATER = {later}
secret = pulumi.Config().require_secret("key")
pick = lambda before, after: after if LATER else before
moby = docker.Provider("moby")
cluster = k8s.Provider("cluster", context="none")
here = lambda **more: pulumi.ResourceOptions(provider=moby, **more)
there = lambda **more: pulumi.ResourceOptions(provider=cluster, **more)

image = build.Image("image", context={{"location": "."}}, dockerfile={{"inline": "FROM scratch"}}, tags=["shop:latest"],
    platforms=["linux/amd64"], build_args={{"VERSION": pick("1", "2")}}, build_on_preview=False, push=False, load=True,
    secrets={{"pip": secret}}, opts=pulumi.ResourceOptions(provider=build.Provider("builder")))
if not LATER:
    docker.Volume("dropped", name="dropped", opts=here())
    docker.Volume("left-behind", name="left-behind", opts=here(retain_on_delete=True))
docker.Volume("renamed", name=pick("former", "latter"), opts=here(protect=False, retain_on_delete=True))
ID = "sha256:" + "1" * 64
docker.Container("database", name="database", image=ID, network_mode="bridge", memory=512, cpus="1.0",
    labels=[{{"label": "dev.flaskstack.role", "value": "postgres"}}],
    envs=[pick("FIRST=1", "FIRST=2"), pick("PLAIN=CANARY-was-plain", pulumi.Output.concat("PLAIN=", secret))],
    opts=here())
docker.Container("open", name="open", image="nginx:latest", network_mode="bridge", ports=[{{"internal": 80, "external": 80}}],
    envs=["DATABASE_URL=postgresql://app:CANARY@db/app"], opts=here())
random.RandomPassword("password", length=pick(20, 24), opts=pulumi.ResourceOptions(provider=random.Provider("random")))

meta = lambda name, **more: {{"name": name, "namespace": "shop", **more}}
k8s.core.v1.Namespace("shop", metadata={{"name": "shop"}}, opts=there(retain_on_delete=True))
k8s.core.v1.Secret("secret", metadata=meta("secret"),
    string_data={{"key": pulumi.Output.concat(secret, pick("-one", "-two"))}}, opts=there())
k8s.core.v1.ConfigMap("config", metadata=meta("config"), data={{
    "settings.json": json.dumps({{"size": pick(1, 2), "password": "CANARY-in-json"}}),
    "file.ini": "[app]\\nname = a\\n" + pick("colour = blue", "colour = red") + "\\npassword = CANARY-in-a-file\\n",
}}, opts=there())
k8s.core.v1.PersistentVolumeClaim("claim", metadata=meta(pick("claim", "claim-2")), spec={{"accessModes": ["ReadWriteOnce"],
    "resources": {{"requests": {{"storage": "1Gi"}}}}}}, opts=there())
k8s.core.v1.Service("front", metadata=meta(pick("front", "front-2")), spec={{"type": "ClusterIP", "selector": {{"app": "a"}},
    "ports": [{{"port": 80}}]}}, opts=there())
container = {{"name": "web", "image": "shop@sha256:" + pick("a", "b") * 64,
    "env": [{{"name": "COLOUR", "value": pick("blue", "red")}}, {{"name": "NESTED", "value": pulumi.Output.json_dumps({{"k": secret}})}}],
    "resources": {{"requests": {{"cpu": "1", "memory": "1Gi"}}, "limits": {{"cpu": "1", "memory": "1Gi"}}}},
    "securityContext": {{"allowPrivilegeEscalation": False, "capabilities": {{"drop": ["ALL"]}}}}}}
k8s.apps.v1.Deployment("web", metadata=meta("web"), spec={{"selector": {{"matchLabels": {{"app": "a"}}}}, "template": {{
    "metadata": {{"labels": {{"app": "a"}}}}, "spec": {{"containers": [container],
    "securityContext": {{"runAsNonRoot": True, "seccompProfile": {{"type": "RuntimeDefault"}}}}}}}}}}, opts=there())
k8s.networking.v1.Ingress("edge", metadata=meta("edge", annotations={{"policy.flaskstack.dev/ingress-tls": "TLS ends before it"}}),
    spec={{"rules": [{{"host": "shop.example"}}]}}, opts=there())
'''


class ReviewProject:
    """The project in a folder of its own, with a state of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir(parents=True)
        (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        self.environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "DOCKER_HOST": "tcp://127.0.0.1:9",
        }
        for name in ("PULUMI_CONFIG_PASSPHRASE_FILE", "KUBECONFIG"):
            self.environment.pop(name, None)
        self.run("stack", "init", "dev")
        self.run("config", "set", "--secret", "key", f"{CANARY}-key")

    def write(self, *, later: bool) -> None:
        (self.folder / "__main__.py").write_text(textwrap.dedent(PROGRAM).format(later=later))

    def run(self, *arguments: str, text: str = "") -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            input=text,
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def preview(self) -> dict[str, Any]:
        """What the real engine says of the program as it is now."""
        with engine.available(self.environment) as environment:
            self.environment = environment
            found: dict[str, Any] = json.loads(self.run("preview", "--json", "--show-sames"))
        return found

    def settle(self) -> None:
        """Have the state that an update to the program would have left."""
        self.write(later=False)
        resources = [_state(step["newState"]) for step in self.preview()["steps"]]
        deployment = json.loads(self.run("stack", "export"))
        deployment["deployment"]["resources"] = resources
        self.run("stack", "import", text=json.dumps(deployment))

    def later(self) -> dict[str, Any]:
        """The preview of the later program, without what is of this machine."""
        self.settle()
        self.write(later=True)
        return _quiet(self.preview())


def _state(new: dict[str, Any]) -> dict[str, Any]:
    state = {key: value for key, value in new.items() if key not in NOISE}
    known = json.loads(re.sub("|".join(UNKNOWNS), "11111111-1111-4111-8111-111111111111", json.dumps(state)))
    if known["custom"]:
        known["id"] = "11111111-1111-4111-8111-111111111111"
    inputs = {key: _secret(value, key) for key, value in known.get("inputs", {}).items()}
    return {**known, "inputs": inputs, "outputs": inputs}


def _secret(value: Any, name: str) -> Any:
    if value == MASK:
        plain = {"key": "Q0FOQVJZ"} if name in ("data", "secrets") else f"{CANARY}-old"
        return {SIGNATURE: SECRET_SIGNATURE, "plaintext": json.dumps(plain)}
    if isinstance(value, dict):
        return {key: _secret(item, key) for key, item in value.items()}
    return [_secret(item, "") for item in value] if isinstance(value, list) else value


def _quiet(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _quiet(item) for key, item in value.items() if key not in NOISE}
    return [_quiet(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        Path(sys.argv[1]).write_text(json.dumps(ReviewProject(Path(name)).later(), indent=1) + "\n")
