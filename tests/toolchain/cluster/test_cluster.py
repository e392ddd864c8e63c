"""What programs may rely on in the project's own cluster, seen in what it does."""

from __future__ import annotations

import http.client
import os
import ssl
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.cluster
HTTPS = 18443


def https(host, path="/"):
    """Ask the Ingress controller on loopback, as a browser would that was sent to this host."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", HTTPS, timeout=10, context=context)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def eventually(check, seconds=20):
    deadline = time.monotonic() + seconds
    while not (result := check()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.2)
    return result


def python(cluster, deployment, code):
    return cluster.out("exec", f"deployment/{deployment}", "--", "python3", "-c", code)


def test_the_node_is_ready_and_of_the_version_that_was_built(administrator):
    node = administrator.get("node", "flaskstack")
    conditions = {entry["type"]: entry["status"] for entry in node["status"]["conditions"]}
    assert conditions["Ready"] == "True"
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.36.1"
    version = administrator.out("version", "--output=json")
    assert '"minor": "36"' in version


def test_the_kubeconfig_is_the_projects_own_and_names_its_context(administrator):
    assert administrator.out("config", "current-context") == "flaskstack"
    file = Path(administrator.environment["KUBECONFIG"])
    assert file.is_file()
    assert file.stat().st_mode & 0o077 == 0, "others can read the administrator's key"
    assert Path.home() / ".kube" not in file.parents


@pytest.mark.usefixtures("administrator")
def test_nothing_of_it_listens_to_the_network_outside():
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, check=True, text=True).stdout.splitlines()
    names = ("kube", "etcd", "coredns", "traefik", "docker-registry")
    ours = [line.split()[3] for line in listening if any(f'"{name}' in line for name in names)]
    assert ours, "no socket of the cluster was seen"
    own = [address for address in ours if f":{HTTPS}" in address or address.startswith(("127.0.0.1:", "10.214.255.1:"))]
    assert own == ours


@pytest.mark.usefixtures("web")
def test_an_image_pushed_by_docker_is_pulled_by_a_pod_by_its_digest(cluster, image):
    pod = cluster.get("pods", "--selector=app=web")["items"][0]
    assert image.startswith("127.0.0.1:15000/")
    assert pod["status"]["containerStatuses"][0]["imageID"].rpartition("@")[2] == image.rpartition("@")[2]


def test_a_pod_reaches_names_and_service_addresses(cluster, web):
    code = "import urllib.request; print(urllib.request.urlopen('http://web', timeout=5).read().decode())"
    names = {pod["metadata"]["name"] for pod in cluster.get("pods", "--selector=app=web")["items"]}
    # The node learns of a Service's addresses a moment after its pods are ready.
    eventually(lambda: cluster.run("exec", f"deployment/{web}", "--", "python3", "-c", code).returncode == 0)
    seen = {python(cluster, web, code) for _ in range(20)}
    assert seen == names, "one Service address leads to every ready pod, the asking one too"


def test_a_pod_reaches_the_api_server_by_its_service(cluster, web):
    code = "import socket; socket.create_connection(('kubernetes.default.svc', 443), 5); print('connected')"
    assert python(cluster, web, code) == "connected"


def test_postgres_and_redis_answer_at_the_addresses_of_the_secret(administrator, cluster, web):
    domain = "flaskstack-services.svc.cluster.local"
    code = f"import socket; socket.create_connection(('{{}}.{domain}', {{}}), 5); print('connected')"
    for name, port in (("postgres", 5432), ("redis", 6379)):
        assert python(cluster, web, code.format(name, port)) == "connected"
    query = 'psql --tuples-only --no-align --command "select 1" "$URL"'
    secret = administrator.get("secret", "urls", "--namespace=flaskstack-services")["data"]
    assert {"database-url", "redis-url"} <= set(secret)
    run = f"export URL=$(echo {secret['database-url']} | base64 -d); {query}"
    assert (
        administrator.out("exec", "--namespace=flaskstack-services", "statefulset/postgres", "--", "sh", "-c", run)
        == "1"
    )


def test_an_ingress_gets_an_address_and_answers_over_https(cluster, web):
    host = f"{cluster.namespace}.flaskstack.localhost"
    backend = {"service": {"name": web, "port": {"number": 80}}}
    rule = {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    spec = {"ingressClassName": "traefik", "tls": [{"hosts": [host]}], "rules": [rule]}
    metadata = {"name": "web", "annotations": {"traefik.ingress.kubernetes.io/router.tls": "true"}}
    cluster.create({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec})
    cluster.wait("ingress/web", "jsonpath={.status.loadBalancer.ingress[0].ip}=127.0.0.1")
    status, body = eventually(lambda: (answer := https(host))[0] == 200 and answer)
    assert status == 200
    assert body.startswith("web-")
    assert https("nobody.flaskstack.localhost")[0] == 404


@pytest.mark.usefixtures("web")
def test_a_restart_of_the_pods_loses_them_from_the_service_and_finds_them_again(cluster):
    before = {pod["metadata"]["name"] for pod in cluster.get("pods", "--selector=app=web")["items"]}
    cluster.out("rollout", "restart", "deployment/web")
    cluster.out("rollout", "status", "deployment/web", "--timeout=120s")
    slices = cluster.get("endpointslices", "--selector=kubernetes.io/service-name=web")["items"]
    ready = {
        point["targetRef"]["name"] for entry in slices for point in entry["endpoints"] if point["conditions"]["ready"]
    }
    assert len(ready) == 2
    assert not ready & before


def test_a_claim_of_the_default_class_is_bound_to_a_folder_that_goes_with_it(cluster, image):
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Mi"}}}
    cluster.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim})
    container = {"name": "writer", "image": image, "command": ["sh", "-c", "id -u > /data/file && sleep 600"]}
    container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    spec = {"containers": [container], "securityContext": {"runAsUser": 1000}, "terminationGracePeriodSeconds": 0}
    spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "writer"}, "spec": spec})
    cluster.wait("pod/writer", "condition=Ready")
    volume = cluster.get("pvc", "data")["spec"]["volumeName"]
    folder = Path(cluster.get("pv", volume)["spec"]["local"]["path"])
    assert (folder / "file").read_text() == "1000\n"
    cluster.out("delete", "pod/writer", "pvc/data", "--now")
    eventually(lambda: not folder.exists(), seconds=60)


def test_a_privileged_pod_is_refused_where_the_restricted_standard_is_enforced(cluster, image):
    cluster.out("label", "namespace", cluster.namespace, "pod-security.kubernetes.io/enforce=restricted", "--overwrite")
    container = {"name": "root", "image": image, "securityContext": {"privileged": True}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root"}, "spec": {"containers": [container]}}
    try:
        refused = cluster.run("create", "--filename=-", content=pod)
    finally:
        cluster.out("label", "namespace", cluster.namespace, "pod-security.kubernetes.io/enforce-")
    assert refused.returncode != 0
    assert 'violates PodSecurity "restricted' in refused.stderr
    assert "privileged" in refused.stderr


def test_bringing_it_up_again_changes_nothing_and_is_fast(administrator):
    kube = Path(__file__).resolve().parents[3] / "toolchain" / "kube"
    before = administrator.get("pods", "--namespace=flaskstack-services")["items"]
    began = time.monotonic()
    done = subprocess.run([kube, "up"], capture_output=True, check=False, text=True, env=os.environ, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "serves" not in done.stderr, "a program was started anew"
    assert time.monotonic() - began < 60
    after = administrator.get("pods", "--namespace=flaskstack-services")["items"]
    assert [pod["metadata"]["uid"] for pod in after] == [pod["metadata"]["uid"] for pod in before]
