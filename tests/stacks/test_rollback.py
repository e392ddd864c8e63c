"""Which image a rollback returns to."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.rollback import NothingToReturnToError, former

OURS, THEIRS = "uid-of-ours", "uid-of-theirs"


def deployment(image: str) -> dict[str, Any]:
    return {"metadata": {"uid": OURS}, **_spec(image)}


def release(revision: int, image: str, owner: str = OURS) -> dict[str, Any]:
    annotations = {"deployment.kubernetes.io/revision": str(revision)}
    return {"metadata": {"ownerReferences": [{"uid": owner}], "annotations": annotations}, **_spec(image)}


def _spec(image: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"image": image}]}}}}


def test_the_newest_revision_of_another_image_is_returned_to() -> None:
    sets = [release(9, "b"), release(10, "c"), release(11, "d"), release(2, "a")]
    assert former(deployment("d"), sets) == "c"


def test_a_changed_setting_is_no_other_image() -> None:
    assert former(deployment("b"), [release(1, "a"), release(2, "b"), release(3, "b")]) == "a"


def test_releases_of_another_deployment_do_not_count() -> None:
    with pytest.raises(NothingToReturnToError, match=r"kubernetes\.rollout\.revisions"):
        former(deployment("b"), [release(1, "a", THEIRS), release(2, "b")])
