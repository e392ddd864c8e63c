"""Drives the kubernetes plugin against the cluster that FLASKSTACK_KUBECONFIG names, without the Pulumi engine."""

from __future__ import annotations

import os
import secrets
import threading
from pathlib import Path

import pytest
from plugins.kubernetes.api import Api
from plugins.kubernetes.kubeconfig import load
from plugins.kubernetes.planning import Autoname, check, diff
from plugins.kubernetes.provider import Options, Provider
from plugins.kubernetes.settings import Settings
from plugins.kubernetes.target import PartialError, Resource, Target


class Recorded:
    """A log that remembers."""

    def __init__(self):
        self.lines = []

    def line(self, level, text):
        self.lines.append(f"{level}: {text}")

    def status(self, text, level="info"):
        pass


class Driver:
    """Does with a provider what the engine does, and cleans up."""

    def __init__(self, kubeconfig, namespace):
        self.kubeconfig, self.namespace = kubeconfig, namespace
        self.log = Recorded()
        self.cancelled = threading.Event()
        self.made = []
        self.configure()

    def configure(self, **settings):
        if hasattr(self, "target"):
            self.target.close()
        self.target = Target(self.cancelled)
        self.target.configure(Settings(kubeconfig=self.kubeconfig, namespace=self.namespace, **settings))
        self.provider = Provider(self.target)
        assert not self.target.unreachable

    def resource(self, token, name="thing"):
        return Resource(f"urn:pulumi:s::p::{token}::{name}", token, name, self.log)

    def check(self, token, inputs, olds=None):
        return check(self.target, self.resource(token), inputs, olds or {}, Autoname(secrets.token_bytes(8)))

    def create(self, token, inputs, timeout=0.0):
        checked = self.check(token, inputs)
        try:
            made = self.provider.create(self.resource(token), checked, Options(timeout=timeout))
        except PartialError as error:
            self.made.append((token, error.resource_id, error.outputs))
            raise
        self.made.append((token, *made))
        return made

    def preview(self, token, inputs):
        return self.provider.create(self.resource(token), self.check(token, inputs), Options(preview=True))[1]

    def diff(self, token, state, inputs, ignore=()):
        return diff(
            self.target, self.resource(token), state, self.check(token, inputs, state["__inputs"]), list(ignore)
        )

    def update(self, token, state, inputs, timeout=0.0, ignore=()):
        checked = self.check(token, inputs, state["__inputs"])
        return self.provider.update(self.resource(token), state, checked, Options(False, timeout, tuple(ignore)))

    def read(self, token, identity, state=None):
        return self.provider.read(self.resource(token), identity, state or {}, (state or {}).get("__inputs", {}))

    def delete(self, token, identity, state):
        self.provider.delete(self.resource(token), identity, state, 60)

    def clean(self):
        for token, identity, state in reversed(self.made):
            self.delete(token, identity, state)
        self.target.close()


@pytest.fixture(scope="session")
def kubeconfig():
    path = os.environ.get("FLASKSTACK_KUBECONFIG", "")
    assert Path(path).is_file(), "FLASKSTACK_KUBECONFIG names no file: run `make cluster` first"
    return path


@pytest.fixture(scope="session")
def api(kubeconfig):
    made = Api(load(kubeconfig))
    yield made
    made.close()


@pytest.fixture(scope="module")
def namespace(api):
    name = f"plugin-{secrets.token_hex(4)}"
    api.request("POST", "/api/v1/namespaces", {}, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    api.request("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def driver(kubeconfig, namespace):
    made = Driver(kubeconfig, namespace)
    yield made
    made.clean()
