"""Development settings: the committed dev stack's own, with live reload and the debugger."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import yaml
from support.stack import ROOT, Stack, docker, fetch

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return a stack with the settings of stacks/Pulumi.dev.yaml, and no secret set by hand."""
    committed = yaml.safe_load((ROOT / "stacks" / "Pulumi.dev.yaml").read_text())["config"]
    settings = {key.removeprefix("flaskstack:"): value for key, value in committed.items()}
    settings["app"].pop("path")
    settings["local"].pop("port")
    made = Stack(tmp_path_factory.mktemp("dev"), settings)
    try:
        made.up().expect()
        yield made
    finally:
        made.remove()


def test_it_comes_up_with_secrets_of_its_own_making(dev: Stack) -> None:
    assert fetch(f"{dev.url}/ready").status == 200
    dev.up("--expect-no-changes").expect()


def test_an_edit_of_a_template_shows_without_an_up(dev: Stack) -> None:
    (template,) = (dev.app / "app" / "templates").glob("base.html")
    template.write_text(template.read_text().replace("</body>", "<p>edited template</p></body>"))
    shows(dev, b"edited template")


def test_an_edit_of_the_code_shows_without_an_up(dev: Stack) -> None:
    route(dev, "edited", "'edited code'")
    shows(dev, b"edited code", "/edited")


def test_code_that_cannot_be_loaded_shows_its_error_until_it_is_mended(dev: Stack) -> None:
    (web,) = dev.containers("web")
    route(dev, "edited", "'a second endpoint of this name'")
    shows(dev, b"overwriting an existing endpoint")
    factory = dev.app / "app" / "__init__.py"
    lines = factory.read_text().splitlines(keepends=True)
    factory.write_text("".join(line for line in lines if "a second endpoint" not in line))
    shows(dev, b"Leave a note")
    assert dev.containers("web") == [web], "nothing was restarted"


def route(dev: Stack, name: str, value: str) -> None:
    """Edit the code: answer /name with the value of an expression."""
    factory = dev.app / "app" / "__init__.py"
    line = f"app.add_url_rule('/{name}', '{name}', lambda: {value})"
    factory.write_text(factory.read_text().replace("return app\n", f"{line}\n    return app\n"))


def shows(dev: Stack, text: bytes, path: str = "/") -> None:
    deadline = time.monotonic() + 10
    while text not in fetch(dev.url + path).body:
        assert time.monotonic() < deadline, docker("logs", "--tail", "30", *dev.containers("web"), errors=True)
        time.sleep(0.05)


def test_an_exception_opens_the_debugger(dev: Stack) -> None:
    route(dev, "boom", "1 / 0")
    shows(dev, b"Werkzeug Debugger", "/boom")


def test_the_source_is_mounted_read_only(dev: Stack) -> None:
    (web,) = dev.containers("web")
    assert "Read-only" in docker("exec", web, "sh", "-c", "touch /app/probe 2>&1", check=False)
