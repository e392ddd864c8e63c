"""The promise about URNs: what a component makes keeps its type, name and parent within a major version.

`children.txt` is the record of the last release, and of what was added since.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from support.building import IMAGE, MIGRATE, folder
from support.cluster_app import kubernetes_app
from support.recorder import Recording, record

from flaskstack import AppImage, FlaskApp, LocalStack, naming
from flaskstack.kubernetes.settings import Autoscaling
from flaskstack.process import Process

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD = Path(__file__).with_name("children.txt")
NAME = "flaskstack-test"
WORKER = {"worker": Process(command=("worker",)), "clock": Process(command=("clock",), singleton=True)}
LOST = """the name, type or parent of these children changed:
{lost}
A stack that the last release made would have them replaced, with their data. Take the change back; or, for a new name,
add the former one to naming.FORMER_ROLES and the new line to children.txt, where the former one stays."""
NEW = """these children are new:
{new}
Add the lines to children.txt: from the next release on their names, types and parents are a promise."""


def local(**args: Any) -> Recording:
    given: Any = {"app": FlaskApp(migrate=MIGRATE), "image": IMAGE, **args}
    return record(lambda: LocalStack(NAME, given).url)


def image(app: FlaskApp, **args: Any) -> Recording:
    given: Any = {"app": app, **args}
    return record(lambda: AppImage(NAME, given).ref)


def children(recording: Recording) -> Iterator[str]:
    """One line a resource: component, then type and name of the child, and where the parent is a child, that too."""
    by_urn = {resource.urn: resource for resource in recording.resources}
    for resource in recording.resources:
        if parent := by_urn.get(resource.parent):
            name = re.sub(r"-\d+$", "-N", resource.name.replace(NAME, "NAME"))
            yield f"{parent.type.rpartition(':')[2]}: {resource.type} {name}"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """All children in configurations that between them have each."""
    app = folder(tmp_path_factory.mktemp("app") / "shop", requirements__txt="flask\n")
    data = FlaskApp(migrate=MIGRATE, processes=WORKER, data="/data")
    recordings = [
        image(app),
        image(app, repository="registry.example/shop"),
        local(),
        local(dev=True, app=data),
        kubernetes_app(create_namespace=True, app=FlaskApp(name="shop", migrate=MIGRATE, processes=WORKER)),
        kubernetes_app(autoscaling=Autoscaling()),
        kubernetes_app(app=data),
    ]
    return {line for recording in recordings for line in children(recording)}


def promised() -> set[str]:
    return {line for line in RECORD.read_text().splitlines() if line and not line.startswith("#")}


def test_no_child_has_another_name_type_or_parent_than_in_the_last_release(found: set[str]) -> None:
    former = {
        line.replace(f" NAME-{role}", f" NAME-{before}", 1)
        for line in found
        for role, before in naming.FORMER_ROLES.get(line.partition(":")[0], {}).items()
    }
    lost = sorted(promised() - found - former)
    assert not lost, LOST.format(lost="\n".join(lost))


def test_every_child_is_in_the_record(found: set[str]) -> None:
    new = sorted(found - promised())
    assert not new, NEW.format(new="\n".join(new))


def test_a_renamed_child_is_known_by_its_former_name_and_the_others_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(naming.FORMER_ROLES, "LocalStack", {"web": "app"})
    recording = local()
    (alias,) = recording.one("web-1").options.aliases
    assert alias.spec.name == f"{NAME}-app-1"
    assert {resource.name for resource in recording.resources if resource.options.aliases} == {
        f"{NAME}-web-0",
        f"{NAME}-web-1",
    }


def test_the_callers_own_options_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(naming.FORMER_ROLES, "LocalStack", {"web": "app"})
    given: Any = {"app": FlaskApp(migrate=MIGRATE), "image": IMAGE}
    recording = record(lambda: LocalStack(NAME, given, pulumi.ResourceOptions(protect=True)).url)
    (stack,) = recording.of("flaskstack:index:LocalStack")
    assert stack.options.protect
