"""What must not be in an image: secrets are refused, clutter is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from flaskstack.build_context import clutter_in, secrets_in


def names(root: Path, ignore: str | None = None) -> list[str]:
    if ignore is not None:
        (root / ".dockerignore").write_text(ignore)
    return [problem.reason.split()[0] for problem in secrets_in(root, "app")]


@pytest.mark.parametrize("name", [".env", ".env.production", ".envrc"])
def test_a_file_of_secrets_is_a_problem(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("SECRET_KEY=x")
    (problem,) = secrets_in(tmp_path, "app")
    assert str(problem).startswith(f"app.path = app: {name} lies in it, and no .dockerignore leaves it out")
    assert problem.fix == f"echo '{name}' >> app/.dockerignore"


@pytest.mark.parametrize("name", [".env.example", ".env.sample", "env.py", ".flaskenv"])
def test_an_example_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("SECRET_KEY=")
    assert secrets_in(tmp_path, "app") == []


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        (".env", False),
        ("/.env", False),
        ("**/.env*", False),
        (".*", False),
        ("*", False),
        ("**", False),
        ("# .env", True),
        ("env", True),
        ("src/.env", True),
        ("*\n!.env", True),
        ("!.env\n.env", False),
    ],
)
def test_what_the_last_matching_pattern_says_counts(tmp_path: Path, ignore: str, left: bool) -> None:
    (tmp_path / ".env").write_text("x")
    assert names(tmp_path, ignore) == ([".env"] if left else [])


def test_a_dockerfiles_own_ignore_file_comes_first(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("x")
    (tmp_path / ".dockerignore").write_text("")
    own = tmp_path / "Dockerfile.dockerignore"
    own.write_text(".env")
    assert secrets_in(tmp_path, "app", own) == []


def test_clutter_is_what_makes_builds_slow(tmp_path: Path) -> None:
    for name in (".git", ".venv", "instance", "static"):
        (tmp_path / name).mkdir()
    assert clutter_in(tmp_path) == [".git", ".venv", "instance"]
    (tmp_path / ".dockerignore").write_text(".git/\n.venv/**\ninstance\n")
    assert clutter_in(tmp_path) == []
