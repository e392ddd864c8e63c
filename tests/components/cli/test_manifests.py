from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from support.cli import IMAGE, ROOT, flaskstack, manifests
from support.recorder import Recording, record

from flaskstack import FlaskApp, KubernetesApp, Process
from flaskstack.cli import detect
from flaskstack.cli import manifests as command
from flaskstack.kubernetes_app import KubernetesAppArgs

HOST = "guestbook.example"
ARGUMENTS = ["manifests", str(ROOT / "app"), "--name", "guestbook", "--image", IMAGE, "--host", HOST]
FILES = ["1-needed.yaml", "2-migration.yaml", "3-app.yaml"]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the command wrote for the guestbook."""
    folder = tmp_path_factory.mktemp("manifests")
    flaskstack(*ARGUMENTS, "--output", str(folder), folder=folder)
    return folder


@pytest.fixture(scope="module")
def objects(output: Path) -> list[dict[str, Any]]:
    return [each for file in FILES for each in manifests((output / file).read_text())]


def one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [each for each in objects if each["kind"] == kind]
    return found


def registered(app: FlaskApp) -> Recording:
    """What `KubernetesApp` registers for the same application."""
    args = {"app": app, "image": IMAGE, "host": HOST, "secret_name": "guestbook-secrets"}
    return record(lambda: KubernetesApp("guestbook", cast("KubernetesAppArgs", args)).url)


@pytest.fixture(scope="module")
def stack() -> Recording:
    return registered(detect.guess(ROOT / "app", name="guestbook").app)


def without_names(value: Any) -> Any:
    """An object but for the names of what is named after its content: their end is another one in each recording."""
    if isinstance(value, dict):
        return {key: without_names(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_names(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"guestbook-(migrate-)?[0-9a-f]{10,12}-[a-z0-9]{5}", value):
        return value.rpartition("-")[0]
    return value


def test_each_object_of_the_component_is_there_as_the_component_says_it(
    objects: list[dict[str, Any]], stack: Recording
) -> None:
    said = {each.plain["kind"]: each.plain for each in stack.resources if each.type.startswith("kubernetes:")}
    assert sorted(each["kind"] for each in objects) == sorted(said)
    assert len(said) > 6
    for each in objects:
        expected = dict(said[each["kind"]])
        metadata = dict(expected.pop("metadata"))
        others = {key: value for key, value in metadata.pop("annotations", {}).items() if "pulumi.com" not in key}
        metadata |= {"annotations": others} if others else {}
        found = dict(each)
        assert without_names(found.pop("metadata")) == without_names(metadata), each["kind"]
        assert without_names(found) == without_names(expected), each["kind"]


def test_nothing_is_left_that_only_pulumi_reads(output: Path) -> None:
    for file in FILES:
        assert "pulumi" not in (output / file).read_text()


def test_annotations_that_others_read_stay() -> None:
    annotations = {"pulumi.com/patchForce": "true", "cert-manager.io/cluster-issuer": "letsencrypt"}
    found = command.manifest({"kind": "Ingress", "metadata": {"name": "shop", "annotations": annotations}})
    assert found["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "letsencrypt"}


def test_the_migration_is_between_what_it_needs_and_what_needs_it(output: Path) -> None:
    kinds = [sorted(str(each["kind"]) for each in manifests((output / file).read_text())) for file in FILES]
    assert kinds == [
        ["ConfigMap", "NetworkPolicy", "PodDisruptionBudget", "ServiceAccount"],
        ["Job"],
        ["Deployment", "Ingress", "Service"],
    ]


def test_each_file_says_how_it_is_applied(output: Path) -> None:
    first, migration, last = [(output / file).read_text().splitlines()[0] for file in FILES]
    assert first == "# kubectl apply --namespace default --filename 1-needed.yaml"
    assert "kubectl wait" in migration
    assert "--for condition=complete --timeout 300s" in migration
    assert last == "# kubectl apply --namespace default --filename 3-app.yaml"


def test_pods_refer_to_a_secret_and_none_is_written(objects: list[dict[str, Any]], output: Path) -> None:
    assert "Secret" not in {each["kind"] for each in objects}
    (container,) = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    variables = {each["name"]: each for each in container["env"]}
    for name, key in {"SECRET_KEY": "secret-key", "DATABASE_URL": "database-url"}.items():
        reference = variables[name]["valueFrom"]["secretKeyRef"]
        assert (reference["name"], reference["key"]) == ("guestbook-secrets", key)
    wanted = (
        "the Secret guestbook-secrets, which must exist with the keys database-url, redis-url (optional), secret-key"
    )
    assert wanted in (output / FILES[0]).read_text().replace("\n# ", " ")


def test_the_same_application_gives_the_same_text(output: Path, tmp_path: Path) -> None:
    flaskstack(*ARGUMENTS, "--output", str(tmp_path), folder=tmp_path)
    for file in FILES:
        assert (tmp_path / file).read_text() == (output / file).read_text()


def test_another_image_is_another_job(output: Path, tmp_path: Path) -> None:
    other = [each.replace("1" * 64, "2" * 64) for each in ARGUMENTS]
    flaskstack(*other, "--output", str(tmp_path), folder=tmp_path)
    (job,) = manifests((tmp_path / FILES[1]).read_text())
    (former,) = manifests((output / FILES[1]).read_text())
    assert job["metadata"] != former["metadata"]


def test_without_a_folder_all_is_one_stream(tmp_path: Path, objects: list[dict[str, Any]]) -> None:
    assert manifests(flaskstack(*ARGUMENTS, folder=tmp_path).stdout) == objects
    assert list(tmp_path.iterdir()) == []


def test_what_is_asked_for_is_there(tmp_path: Path) -> None:
    more = ["--namespace", "shop", "--secret-name", "mine", "--tls-secret", "cert", "--ingress-class", "nginx"]
    found = cast("list[dict[str, Any]]", manifests(flaskstack(*ARGUMENTS, *more, folder=tmp_path).stdout))
    assert {each["metadata"]["namespace"] for each in found} == {"shop"}
    ingress = one(found, "Ingress")["spec"]
    assert ingress["ingressClassName"] == "nginx"
    assert ingress["tls"] == [{"hosts": [HOST], "secretName": "cert"}]


def test_image_and_host_must_be_given(tmp_path: Path) -> None:
    done = flaskstack("manifests", str(ROOT / "app"), folder=tmp_path, ok=False)
    assert "--image, --host" in done.stderr


def test_an_application_without_a_migration_is_applied_at_once_and_a_process_is_a_deployment(tmp_path: Path) -> None:
    worker = Process(command=("rq", "worker"))
    app = FlaskApp(name="shop", path=str(tmp_path), postgres=False, processes={"worker": worker})
    made: dict[str, str] = {}
    record(lambda: made.update(command.render(app, {"image": IMAGE, "host": HOST, "secret_name": "mine"})))
    assert list(made) == ["1-app.yaml"]
    found = [each for each in yaml.safe_load_all(made["1-app.yaml"]) if each["kind"] == "Deployment"]
    assert sorted(each["metadata"]["name"] for each in found) == ["shop", "shop-worker"]
