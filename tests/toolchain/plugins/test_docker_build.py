"""The docker-build plugin: builds on the real engine, and what makes it build again."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from plugins.values import UNKNOWN, Secret, plain
from support.provider import CheckError, docker, inspect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.program import Program
    from support.provider import Plugin

IMAGE = "docker-build:index:Image"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "file").write_text("content")
    return folder


@pytest.fixture
def tag(box: str) -> Iterator[str]:
    name = f"plugin-test-{secrets.token_hex(4)}:1"
    base = name.replace(":1", ":base")
    docker("tag", box, base)
    yield name
    docker("image", "rm", "--force", name, base, check=False)


def image(context: Path, tag: str, lines: str = "COPY file /file", **more: Any) -> dict[str, Any]:
    """Return the inputs of a build on the test image."""
    base = tag.replace(":1", ":base")
    return {
        "context": {"location": str(context)},
        "dockerfile": {"inline": f"FROM {base}\n{lines}\n"},
        "tags": [tag],
        "load": True,
        "buildOnPreview": False,
        **more,
    }


def test_an_image_is_built_loaded_and_known_by_its_id(build_plugin: Plugin, context: Path, tag: str) -> None:
    identity, state = build_plugin.create(IMAGE, image(context, tag, labels={"a": "b"}))
    found = inspect(tag)
    assert identity == state["digest"] == found["Id"]
    assert state["ref"] == tag  # no registry in the name: no digest is added
    assert found["Config"]["Labels"]["a"] == "b"
    assert docker("run", "--rm", tag, "cat", "/file") == "content"


def test_a_name_with_a_registry_gets_the_digest_added() -> None:
    from plugins.docker_build import reference  # noqa: PLC0415

    digest = "sha256:" + "0" * 64
    assert reference(["app", "registry.example/team/app:2"], digest) == f"registry.example/team/app:2@{digest}"
    assert reference(["localhost:5000/app"], digest) == f"localhost:5000/app:latest@{digest}"
    assert reference(["team/app:2"], digest) == "team/app:2"
    assert reference([], digest) == ""


def test_build_arguments_and_targets_are_used(build_plugin: Plugin, context: Path, tag: str) -> None:
    base = tag.replace(":1", ":base")
    lines = f"AS first\nARG WORD\nRUN echo $WORD > /word\nFROM {base}\nRUN echo last > /word"
    inputs = image(context, tag, buildArgs={"WORD": "said"}, target="first")
    inputs["dockerfile"]["inline"] = f"FROM {base} {lines}\n"
    build_plugin.create(IMAGE, inputs)
    assert docker("run", "--rm", tag, "cat", "/word") == "said"


def test_a_dockerfile_on_disk_is_the_default(build_plugin: Plugin, context: Path, tag: str) -> None:
    (context / "Dockerfile").write_text(f"FROM {tag.replace(':1', ':base')}\nCOPY file /other\n")
    inputs = image(context, tag)
    del inputs["dockerfile"]
    build_plugin.create(IMAGE, inputs)
    assert docker("run", "--rm", tag, "cat", "/other") == "content"


def test_a_secret_is_there_for_its_step_only_and_secret_in_the_state(
    build_plugin: Plugin, context: Path, tag: str
) -> None:
    lines = "RUN --mount=type=secret,id=word cat /run/secrets/word | wc -c > /size; ls /run/secrets > /names"
    inputs = image(context, tag, lines.replace("| wc -c", "| busybox wc -c"), secrets={"word": "canary in a mine"})
    _, state = build_plugin.create(IMAGE, inputs)
    assert docker("run", "--rm", tag, "cat", "/size") == "16"
    assert "canary" not in docker("history", "--no-trunc", tag)
    assert isinstance(state["secrets"], Secret)
    assert isinstance(state["digest"], str)  # as with the official plugin, the digest is not made secret
    said = "\n".join(text for _, _, text in build_plugin.engine.said)
    assert "canary" not in said


def test_a_secret_is_never_an_argument_of_a_process(build_plugin: Plugin, context: Path, tag: str) -> None:
    lines = "RUN --mount=type=secret,id=word sleep 2"
    inputs = image(context, tag, lines, secrets={"word": "canary-in-argv"}, noCache=True)
    checked = build_plugin.check(IMAGE, inputs)
    from plugins.values import encode  # noqa: PLC0415
    from pulumi.runtime.proto import provider_pb2  # noqa: PLC0415
    from support.provider import urn  # noqa: PLC0415

    request = provider_pb2.CreateRequest(urn=urn(IMAGE), properties=encode(checked))
    running = build_plugin.stub.Create.future(request)
    seen = False
    while not running.done():
        shown = subprocess.run(["ps", "axeww", "-o", "command"], capture_output=True, text=True, check=True).stdout
        assert "canary-in-argv" not in shown
        seen = seen or tag in shown
    assert seen
    running.result()
    assert not [*Path("/dev/shm").glob("docker-build-*"), *Path("/tmp").glob("docker-build-*")]


def test_a_failing_step_is_shown_with_its_last_words(build_plugin: Plugin, context: Path, tag: str) -> None:
    with pytest.raises(Exception, match=r"(?s)the build failed:.*RUN echo oh no; exit 7.*oh no.*exit code: 7"):
        build_plugin.create(IMAGE, image(context, tag, "RUN echo oh no; exit 7"))


def test_progress_is_shown_while_it_builds(build_plugin: Plugin, context: Path, tag: str) -> None:
    build_plugin.create(IMAGE, image(context, tag, "RUN echo hello there", noCache=True))
    assert any(ephemeral and "hello there" in text for _, ephemeral, text in build_plugin.engine.said)


def test_nothing_changed_is_no_difference(build_plugin: Plugin, context: Path, tag: str) -> None:
    inputs = build_plugin.check(IMAGE, image(context, tag, secrets={"a": "b"}))
    _, state = build_plugin.create(IMAGE, inputs)
    os.utime(context / "file", (0, 0))
    assert list(build_plugin.diff(IMAGE, state, inputs).diffs) == []


@pytest.mark.parametrize("what", ["content", "mode", "name"])
def test_a_changed_context_builds_again_in_place(build_plugin: Plugin, context: Path, tag: str, what: str) -> None:
    inputs = build_plugin.check(IMAGE, image(context, tag, "COPY . /files"))
    identity, state = build_plugin.create(IMAGE, inputs)
    if what == "content":
        (context / "file").write_text("other")
    elif what == "mode":
        (context / "file").chmod(0o755)
    else:
        (context / "file").rename(context / "renamed")
    difference = build_plugin.diff(IMAGE, state, inputs)
    assert (list(difference.diffs), list(difference.replaces)) == (["contextHash"], [])
    updated = build_plugin.update(IMAGE, identity, state, inputs)
    assert updated["digest"] == inspect(tag)["Id"] != state["digest"]
    assert list(build_plugin.diff(IMAGE, updated, inputs).diffs) == []


def test_an_ignored_file_makes_no_difference(build_plugin: Plugin, context: Path, tag: str) -> None:
    (context / ".dockerignore").write_text("*.md\n!keep.md\n")
    inputs = build_plugin.check(IMAGE, image(context, tag))
    _, state = build_plugin.create(IMAGE, inputs)
    (context / "README.md").write_text("new")
    assert list(build_plugin.diff(IMAGE, state, inputs).diffs) == []
    (context / "keep.md").write_text("new")
    assert list(build_plugin.diff(IMAGE, state, inputs).diffs) == ["contextHash"]


def test_a_changed_secret_builds_again_unless_it_is_ignored(build_plugin: Plugin, context: Path, tag: str) -> None:
    inputs = build_plugin.check(IMAGE, image(context, tag, secrets={"a": "1"}))
    _, state = build_plugin.create(IMAGE, inputs)
    other = build_plugin.check(IMAGE, image(context, tag, secrets={"a": "2"}))
    assert list(build_plugin.diff(IMAGE, state, other, inputs).diffs) == ["secrets"]
    ignored = {**other, "ignoreSecretsInDiffCalculation": ["a"]}
    before = {**inputs, "ignoreSecretsInDiffCalculation": ["a"]}
    assert list(build_plugin.diff(IMAGE, {**state, **before}, ignored, before).diffs) == []


def test_a_changed_argument_builds_again_in_place(build_plugin: Plugin, context: Path, tag: str) -> None:
    inputs = build_plugin.check(IMAGE, image(context, tag, buildArgs={"A": "1"}))
    _, state = build_plugin.create(IMAGE, inputs)
    changed = {**inputs, "buildArgs": {"A": "2"}}
    difference = build_plugin.diff(IMAGE, state, changed, inputs)
    assert (list(difference.diffs), list(difference.replaces)) == (["buildArgs"], [])
    unknown = {**inputs, "buildArgs": {"A": UNKNOWN}}
    assert list(build_plugin.diff(IMAGE, state, unknown, inputs).diffs) == ["buildArgs"]


def test_a_preview_builds_nothing_when_told_not_to(build_plugin: Plugin, context: Path, tag: str) -> None:
    outputs = build_plugin.preview(IMAGE, image(context, tag))
    assert outputs["digest"] is UNKNOWN
    assert inspect(tag) == {}


def test_a_preview_finds_a_broken_build_and_keeps_no_image(build_plugin: Plugin, context: Path, tag: str) -> None:
    build_plugin.preview(IMAGE, image(context, tag, buildOnPreview=True))
    assert inspect(tag) == {}
    with pytest.raises(Exception, match="the build failed"):
        build_plugin.preview(IMAGE, image(context, tag, "RUN false", buildOnPreview=True))


def test_a_preview_with_an_unknown_input_skips_the_build(build_plugin: Plugin, context: Path, tag: str) -> None:
    outputs = build_plugin.preview(
        IMAGE, image(context, tag, "RUN false", buildOnPreview=True, buildArgs={"A": UNKNOWN})
    )
    assert outputs["ref"] is UNKNOWN
    assert any("some inputs are unknown" in text for _, _, text in build_plugin.engine.said)


def test_deleting_removes_the_image(build_plugin: Plugin, context: Path, tag: str) -> None:
    identity, state = build_plugin.create(IMAGE, image(context, tag))
    build_plugin.delete(IMAGE, identity, {**state, "digest": ""})
    assert inspect(tag) == {}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"ssh": [{"id": "default"}]}, "ssh"),
        ({"exec": True}, "exec"),
        ({"push": True}, "push"),  # beside load
        ({"context": {"location": "/none/such"}}, "context.location"),
        ({"dockerfile": {"location": "/none/such"}}, "dockerfile.location"),
        ({"dockerfile": {"location": "/a", "inline": "FROM x"}}, "dockerfile"),
        ({"tag": ["x"]}, "tag"),
        ({"exports": [{"oci": {"dest": "x"}}], "load": False}, "exports[0]"),
        ({"context": {"location": "https://example.org/repository.git"}}, "context"),
    ],
)
def test_what_is_wrong_or_not_supported_is_refused_by_name(
    build_plugin: Plugin, context: Path, tag: str, given: dict[str, Any], named: str
) -> None:
    with pytest.raises(CheckError) as failed:
        build_plugin.check(IMAGE, {**image(context, tag), **given})
    assert named in failed.value.failures


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"platforms": ["linux/amd64", "linux/arm64"]}, "more than one platform needs docker buildx"),
        ({"cacheTo": [{"local": {"dest": "/tmp/x"}}]}, "needs docker buildx"),
        ({"builder": {"name": "mine"}}, "builder 'mine' needs docker buildx"),
    ],
)
def test_what_an_older_docker_command_cannot_do_says_what_is_missing(
    build_plugin: Plugin, context: Path, tag: str, given: dict[str, Any], words: str
) -> None:
    done = subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False)
    if done.returncode == 0:
        return  # a newer one can
    with pytest.raises(Exception, match=words):
        build_plugin.create(IMAGE, image(context, tag, **given))


def test_the_state_of_a_program_holds_no_build_secret(program: Program, context: Path, tag: str) -> None:
    base = tag.replace(":1", ":base")
    program.write(f"""
        made = build.Image("made", context={{"location": {str(context)!r}}}, tags=[{tag!r}], load=True, push=False,
            dockerfile={{"inline": "FROM {base}\\nCOPY file /file\\n"}}, build_on_preview=False,
            secrets={{"word": pulumi.Output.secret("canary-of-the-build")}})
        pulumi.export("digest", made.digest)
    """)
    shown = program.up()
    assert "canary" not in shown + program.exported()
    assert program.output("digest") == inspect(tag)["Id"]
    assert program.unchanged(), program.last
    (context / "file").write_text("changed")
    assert not program.unchanged()
    assert "contextHash" in program.last
    program.up()
    assert program.output("digest") == inspect(tag)["Id"]
    assert plain(program.output("digest")).startswith("sha256:")
