"""The reference in docs/ is what the docstrings say now."""

from __future__ import annotations

from docs import reference
from flaskstack.plugin.provider import SIGNATURES


def test_the_reference_is_not_older_than_the_docstrings() -> None:
    assert reference.FILE.read_text() == reference.reference(), "run `make docs`, and commit docs/reference.md"


def test_the_reference_has_every_argument_with_its_default() -> None:
    text = reference.reference()
    for one in SIGNATURES:
        assert f"## {one.component.__name__}\n" in text
        for name in one.arguments.model_fields:
            assert f"| `{name}` | " in text
    assert "| `port` | integer | `8080` | Port of this machine" in text
    assert "| `threads` | integer, 1 to 512 | `8` | " in text


def test_a_link_leads_to_a_group_that_is_there() -> None:
    text = reference.reference()
    assert all(f"### {name}\n" in text for name in ("FlaskApp", "Server", "EdgePolicy", "RateLimit", "Probes"))
