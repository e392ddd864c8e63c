"""`examples/two_apps`: a shop and its API behind one host of the cluster, through the program's own Ingress."""

from __future__ import annotations

import http.client
import secrets
import ssl
from typing import TYPE_CHECKING

import pytest
from support import cluster
from support.cluster import kubectl, run
from support.example import Example
from support.stack import Answer, remove_images

from flaskstack.kubernetes.kubeconfig import holding

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.cluster

REGISTRY = "127.0.0.1:15000"
KEYS = {name: secrets.token_hex(32) for name in ("shopKey", "apiKey")}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Return the running example, with a host, a namespace and a certificate of its own."""
    folder = tmp_path_factory.mktemp("two_apps")
    made = Example(folder, "two_apps", like="prod")
    host = f"{made.stack}.flaskstack.localhost"
    try:
        made.set(context="flaskstack", host=host, namespace=made.stack, registry=f"{REGISTRY}/{made.stack}", replicas=1)
        if file := holding("flaskstack"):
            made.set(kubeconfig=file)
        run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
            "-keyout", str(folder / "tls.key"), "-out", str(made.folder / "tls.crt"),
        )  # fmt: skip
        made.pulumi("config", "set", "tlsCertificate", text=(made.folder / "tls.crt").read_text()).expect()
        made.secret("tlsKey", (folder / "tls.key").read_text())
        for key, value in KEYS.items():
            made.secret(key, value)
        made.up().expect()
        yield made
    finally:
        made.remove()
        kubectl("delete", "namespace", made.stack, "--ignore-not-found", "--wait=false", check=False)
        remove_images(f"{REGISTRY}/{made.stack}/*")


def fetch(market: Example, path: str) -> Answer:
    """Return the answer; the certificate has to be the host's own."""
    context = ssl.create_default_context(cafile=str(market.folder / "tls.crt"))
    return cluster.fetch(market.output("url") + path, context)


def test_the_shop_answers_at_the_root(market: Example) -> None:
    page = fetch(market, "/")
    assert page.status == http.client.OK
    assert b"<h1>Shop</h1>" in page.body
    assert fetch(market, "/static/shop.js").status == http.client.OK


def test_the_api_answers_below_it_from_the_catalogue_that_the_program_mounts(market: Example) -> None:
    assert fetch(market, "/api/products").json() == {"tea": 4, "coffee": 5}


def test_the_one_ingress_has_both_applications(market: Example) -> None:
    (ingress,) = cluster.objects(market.stack, "ingresses")
    paths = ingress["spec"]["rules"][0]["http"]["paths"]
    assert {path["path"]: path["backend"]["service"]["name"] for path in paths} == {"/": "shop", "/api": "api"}


def test_the_secrets_are_in_no_state_and_no_file_of_settings(market: Example) -> None:
    shown = market.pulumi("stack", "export").expect().output + market.settings.read_text()
    assert "PRIVATE KEY" not in shown
    for key in KEYS.values():
        assert key not in shown


def test_a_second_up_changes_nothing(market: Example) -> None:
    market.up("--expect-no-changes").expect()
