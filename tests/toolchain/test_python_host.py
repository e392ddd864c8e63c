"""The Python host made here: an older one, changed where the engine asks for something newer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lib import host
from lib.progress import StepError

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "func main() {\n" + "\n".join(host.CHANGES) + "\n}\n"


def test_every_change_is_made_once() -> None:
    changed = host.changed(SOURCE)
    assert "pluginFolder(req)" in changed
    assert "args := []string{req.Program}" not in changed
    assert 'if host.virtualenv == ""' in changed


@pytest.mark.parametrize("former", list(host.CHANGES))
def test_another_source_than_the_expected_one_is_an_error_and_no_host(former: str) -> None:
    with pytest.raises(StepError, match="not the expected one"):
        host.changed(SOURCE.replace(former, ""))


def test_a_host_of_another_source_is_made_again_and_a_downloaded_one_is_left_alone(tmp_path: Path) -> None:
    assert host.outdated(tmp_path)
    (tmp_path / "host-stamp").write_text(host.digest())
    assert not host.outdated(tmp_path)
    (tmp_path / "host-stamp").write_text("another")
    assert host.outdated(tmp_path)
    (tmp_path / "pulumi-language-nodejs").touch()
    assert not host.outdated(tmp_path)
