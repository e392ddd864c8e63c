"""The Pulumi project in a folder: its stacks, and previews of them by the real CLI.

A stack that the backend does not hold, and any stack on request, is previewed as new: in a state of its own that is
thrown away, with placeholders for its secrets. That needs neither the team's backend nor its passphrase, as for a pull
request from a fork.
"""

from __future__ import annotations

import contextlib
import fnmatch
import json
import secrets
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from flaskstack.errors import Problem, SettingsError
from flaskstack.review import changes
from flaskstack.review.masking import scrubbed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RANDOM: Final = "{random}"
"""What stands for a random text in a placeholder."""
_ENCRYPTION: Final = ("encryptionsalt", "encryptedkey", "secretsprovider")


@dataclass(frozen=True)
class Placeholder:
    """What a secret of a stack is taken to be, where it cannot be read."""

    stacks: str
    """Pattern of the stacks' names."""
    key: str
    """The setting's key, with the project's name before it."""
    value: str = RANDOM
    """Its value. Default: 64 random hexadecimal digits."""


@dataclass(frozen=True)
class Project:
    """A Pulumi project."""

    folder: Path
    name: str
    config: Path
    """Folder of the stacks' files."""

    @classmethod
    def at(cls, folder: Path) -> Project:
        """Return the project in a folder. Raises `SettingsError` when there is none."""
        file = folder / "Pulumi.yaml"
        try:
            content = yaml.safe_load(file.read_text())
        except OSError as error:
            fix = "name the project's folder with --project"
            raise SettingsError([Problem("Pulumi.yaml", str(file), str(error.strerror), fix)]) from None
        return cls(folder, content["name"], folder / content.get("stackConfigDir", content.get("config") or "."))

    def stacks(self) -> list[str]:
        """Return the names of the stacks that have a file."""
        return sorted(file.name.split(".", 1)[1].removesuffix(".yaml") for file in self.config.glob("Pulumi.*.yaml"))

    def held(self, environment: Mapping[str, str]) -> set[str] | None:
        """Return the names of the stacks that the backend holds, None when it cannot be asked."""
        done = self._pulumi(["stack", "ls", "--json"], environment)
        try:
            return (
                {stack["name"].rpartition("/")[2] for stack in json.loads(done.stdout)} if not done.returncode else None
            )
        except ValueError:
            return None

    def preview(self, stack: str, environment: Mapping[str, str]) -> changes.Preview:
        """Return the preview of a stack, against its state. Nothing of the project is written."""
        original = self.config / f"Pulumi.{stack}.yaml"
        with tempfile.TemporaryDirectory() as name:
            copy = Path(name) / original.name
            # The CLI adds its encryption salt to a stack's file that has none, even for a preview.
            copy.write_text(original.read_text() if original.is_file() else "")
            return self._preview(stack, environment, ["--config-file", str(copy)], fresh=False)

    def preview_as_new(
        self, stack: str, environment: Mapping[str, str], placeholders: Sequence[Placeholder] = ()
    ) -> changes.Preview:
        """Return the preview of a stack as if it was new. Nothing of the project is written."""
        with self._thrown_away(stack, environment, placeholders) as (file, aside, used):
            notes = [f"{key} is a placeholder" for key in used]
            return self._preview(stack, aside, ["--config-file", str(file)], fresh=True, notes=notes)

    @contextlib.contextmanager
    def _thrown_away(
        self, stack: str, environment: Mapping[str, str], placeholders: Sequence[Placeholder]
    ) -> Iterator[tuple[Path, dict[str, str], list[str]]]:
        """Yield a copy of the stack's file, the environment to use it in, and the keys that have placeholders."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "state").mkdir()
            (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": self.name, "runtime": "python"}))
            file = folder / f"Pulumi.{stack}.yaml"
            original = self.config / file.name
            content: dict[str, Any] = (yaml.safe_load(original.read_text()) or {}) if original.is_file() else {}
            settings = content.get("config") or {}
            kept = {key: value for key, value in settings.items() if not _secure(value)}
            values = dict.fromkeys(settings.keys() - kept.keys(), RANDOM)
            values |= {each.key: each.value for each in placeholders if fnmatch.fnmatch(stack, each.stacks)}
            rest = {key: value for key, value in content.items() if key not in _ENCRYPTION}
            file.write_text(yaml.safe_dump({**rest, "config": kept}))
            aside = {
                **environment,
                "PULUMI_BACKEND_URL": f"file://{folder}/state",
                "PULUMI_CONFIG_PASSPHRASE": secrets.token_hex(16),
            }
            aside.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
            # Where the salt and the secrets are written to is that folder's file, never the project's.
            self._must(["stack", "init", stack, "--cwd", name], aside)
            for key, value in values.items():
                text = value.replace(RANDOM, secrets.token_hex(32))
                # By standard input: not even a placeholder is an argument.
                self._must(["config", "set", "--secret", key, "--stack", stack, "--cwd", name], aside, text)
            yield file, aside, sorted(values)

    def _preview(
        self,
        stack: str,
        environment: Mapping[str, str],
        arguments: list[str],
        *,
        fresh: bool,
        notes: Sequence[str] = (),
    ) -> changes.Preview:
        command = ["preview", "--stack", stack, "--json", "--show-sames", *arguments]
        done = self._pulumi(command, environment)
        try:
            preview = changes.read(json.loads(done.stdout), stack, fresh=fresh, notes=notes)
        except ValueError:
            text = scrubbed((done.stderr or done.stdout).strip()) or f"pulumi ended with status {done.returncode}"
            return changes.Preview(stack, error=text, fresh=fresh)
        if done.returncode and not preview.error:
            text = scrubbed(done.stderr.strip()) or f"pulumi ended with status {done.returncode}"
            return changes.Preview(stack, preview.changes, preview.messages, text, fresh)
        return preview

    def _must(self, arguments: list[str], environment: Mapping[str, str], text: str = "") -> None:
        done = self._pulumi(arguments, environment, text)
        if done.returncode:
            reason = scrubbed(done.stderr.strip())
            raise SettingsError([Problem(f"pulumi {arguments[0]}", arguments[1], reason, "see what it says")])

    def _pulumi(
        self, arguments: list[str], environment: Mapping[str, str], text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env={"PULUMI_SKIP_UPDATE_CHECK": "true", **environment},
            input=text,
            capture_output=True,
            check=False,
            text=True,
        )


def _secure(value: object) -> bool:
    """Whether a setting holds an encrypted value, however deep."""
    if isinstance(value, dict):
        return "secure" in value or any(map(_secure, value.values()))
    return isinstance(value, list) and any(map(_secure, value))
