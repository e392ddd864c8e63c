"""Programs from Go modules: what a build is named by, and others' modules with changes of ours."""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING

import pytest
from lib import golang, pulumi
from lib.golang import Build, Changed
from lib.progress import StepError

if TYPE_CHECKING:
    from pathlib import Path

PAUSE = Build("pause", "the pause program", {"pause": "./pause"})


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a copy of all that builds are made from, for changes."""
    copy = shutil.copytree(golang.MODULES, tmp_path / "go")
    monkeypatch.setattr(golang, "MODULES", copy)
    return copy


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "pause/main.go"])
def test_another_source_is_another_build(modules: Path, name: str) -> None:
    before = PAUSE.digest()
    assert PAUSE.digest() == before
    with (modules / name).open("a") as file:
        file.write("\n")
    assert PAUSE.digest() != before


def test_another_option_or_patch_is_another_build(modules: Path) -> None:
    changed = dataclasses.replace(PAUSE, changed=(Changed("example.com/a", "traefik.patch"),))
    before = changed.digest()
    (modules / "traefik.patch").write_text("")
    assert len({before, changed.digest(), PAUSE.digest(), dataclasses.replace(PAUSE, link="-X a=b").digest()}) == 4


def test_a_program_of_our_own_is_built_and_what_makes_it_is_gone(tmp_path: Path) -> None:
    PAUSE.make(golang.compiler("pause"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["pause"]


def test_a_module_that_the_changes_do_not_fit_is_an_error_and_no_program(modules: Path, tmp_path: Path) -> None:
    patch = modules / "python-host.patch"
    patch.write_text(patch.read_text().replace("-\targs := []string{req.Program}", "-\tnothing of the kind"))
    host = Changed("example.com/host", patch.name, source=("python-host", "github.com/pulumi/pulumi/sdk/v3", "python"))
    with pytest.raises(StepError, match=r"changes to .* failed"):
        dataclasses.replace(PAUSE, changed=(host,)).make(golang.compiler("pause"), tmp_path)
    assert not (tmp_path / "pause").exists()


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("./pause", "pause"),
        ("go.etcd.io/etcd/server/v3", "server"),
        ("example.com/a/v3/cmd/b", "b"),
        ("a/vault", "vault"),
    ],
)
def test_a_program_has_the_name_that_go_gives_it(package: str, name: str) -> None:
    assert golang.default_name(package) == name


def test_a_pulumi_of_another_source_is_made_again_and_a_downloaded_one_is_left_alone(
    tmp_path: Path, modules: Path
) -> None:
    assert pulumi.outdated(tmp_path)
    (tmp_path / "made-from").write_text(pulumi.BUILD.digest())
    assert not pulumi.outdated(tmp_path)
    (modules / "pulumi.patch").write_text("")
    assert pulumi.outdated(tmp_path)
    (tmp_path / "pulumi-language-nodejs").touch()
    assert not pulumi.outdated(tmp_path)
