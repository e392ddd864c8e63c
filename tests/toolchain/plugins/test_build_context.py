"""What a `.dockerignore` leaves of a build context, and the hash of the rest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from plugins.build_context import context_hash, files, ignore_patterns

if TYPE_CHECKING:
    from pathlib import Path

TREE = ("README.md", "app/main.py", "app/main.pyc", "app/sub/deep.md", "docs/a.md", "docs/keep.txt", "x/y/z.txt")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in TREE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def left(tree: Path, *lines: str) -> set[str]:
    """Return which files of the tree the lines leave."""
    (tree / ".dockerignore").write_text("\n".join(lines))
    return set(files(str(tree), ignore_patterns("", str(tree)))) - {".dockerignore"}


@pytest.mark.parametrize(
    ("lines", "gone"),
    [
        ((), set()),
        (("*.md",), {"README.md"}),
        (("**/*.md",), {"README.md", "app/sub/deep.md", "docs/a.md"}),
        (("docs",), {"docs/a.md", "docs/keep.txt"}),
        (("docs/",), {"docs/a.md", "docs/keep.txt"}),
        (("/docs",), {"docs/a.md", "docs/keep.txt"}),
        (("docs/*", "!docs/keep.txt"), {"docs/a.md"}),
        (("docs", "!docs/keep.txt"), {"docs/a.md"}),
        (("!docs/keep.txt", "docs"), {"docs/a.md", "docs/keep.txt"}),
        (("# *.md", "", "  x  "), {"x/y/z.txt"}),
        (("app/*.py?",), {"app/main.pyc"}),
        (("app/main.[p]y",), {"app/main.py"}),
        (("x/**/z.txt",), {"x/y/z.txt"}),
        (("**/sub",), {"app/sub/deep.md"}),
        (("*", "!app", "app/sub"), set(TREE) - {"app/main.py", "app/main.pyc"}),
        (("**", "!**/*.py"), set(TREE) - {"app/main.py"}),
        (("./docs/../docs/a.md",), {"docs/a.md"}),
    ],
)
def test_ignore_files_mean_what_docker_says(tree: Path, lines: tuple[str, ...], gone: set[str]) -> None:
    assert left(tree, *lines) == set(TREE) - gone


def test_a_dockerfiles_own_ignore_file_comes_first(tree: Path) -> None:
    (tree / ".dockerignore").write_text("docs")
    (tree / "Special").write_text("FROM scratch")
    (tree / "Special.dockerignore").write_text("app")
    assert ignore_patterns(str(tree / "Special"), str(tree)) == ["app"]


def test_times_and_folders_make_no_difference_and_everything_else_does(tree: Path) -> None:
    def now() -> str:
        return context_hash(str(tree), "", {})

    before = now()
    os.utime(tree / "README.md", (0, 0))
    (tree / "empty").mkdir()
    assert now() == before
    seen = {before}
    (tree / "README.md").write_text("other")
    seen.add(now())
    (tree / "README.md").chmod(0o600)
    seen.add(now())
    (tree / "README.md").rename(tree / "README")
    seen.add(now())
    (tree / "link").symlink_to("README")
    seen.add(now())
    assert len(seen) == 5


def test_an_ignored_dockerfile_still_counts(tree: Path) -> None:
    (tree / ".dockerignore").write_text("Dockerfile")
    (tree / "Dockerfile").write_text("FROM a")
    before = context_hash(str(tree), str(tree / "Dockerfile"), {})
    (tree / "Dockerfile").write_text("FROM b")
    assert context_hash(str(tree), str(tree / "Dockerfile"), {}) != before
