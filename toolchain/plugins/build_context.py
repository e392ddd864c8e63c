"""The hash of a build context: files that `.dockerignore` leaves, by name, content and permissions; never by time."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def context_hash(context: str, dockerfile: str, named: Mapping[str, str]) -> str:
    """Return the hash of a context folder, its Dockerfile, and further named context folders."""
    total = hashlib.sha256()
    if dockerfile and Path(dockerfile).is_file():
        # It may be ignored itself, and its name does not matter.
        total.update(Path(dockerfile).read_bytes())
    if Path(context).is_dir():
        _add_folder(total, context, ignore_patterns(dockerfile, context))
    for _, folder in sorted(named.items()):
        if Path(folder).is_dir():
            _add_folder(total, folder, ignore_patterns("", folder))
    return total.hexdigest()


def ignore_patterns(dockerfile: str, context: str) -> list[str]:
    """Return the patterns of the ignore file: the Dockerfile's own one comes before the context's."""
    places = [Path(f"{dockerfile}.dockerignore")] if dockerfile else []
    for place in (*places, Path(context) / ".dockerignore"):
        if place.is_file():
            lines = place.read_text(encoding="utf-8-sig").splitlines()
            return [_cleaned(line) for line in lines if line.strip() and not line.startswith("#")]
    return []


def _cleaned(line: str) -> str:
    pattern = line.strip()
    inverted = pattern.startswith("!")
    pattern = pattern[1:].strip() if inverted else pattern
    pattern = os.path.normpath(pattern).lstrip("/") or "."
    return f"!{pattern}" if inverted else pattern


def _add_folder(total: Any, folder: str, patterns: list[str]) -> None:  # hashlib's type has no name
    for relative in files(folder, patterns):
        path = Path(folder, relative)
        mode = path.lstat().st_mode
        try:
            with path.open("rb") as content:
                while chunk := content.read(1 << 20):
                    total.update(chunk)
        except IsADirectoryError:
            continue  # a link to a folder says nothing
        total.update(relative.encode(errors="surrogateescape"))
        total.update(_mode_text(mode).encode())


def files(folder: str, patterns: list[str]) -> Iterator[str]:
    """Yield the paths of files and links that the patterns leave, in the order of their names."""
    rules = [(_rule(pattern.removeprefix("!")), pattern.startswith("!")) for pattern in patterns]
    exceptions = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    yield from _walk(folder, "", rules, exceptions)


def _walk(folder: str, prefix: str, rules: list[tuple[re.Pattern[str], bool]], exceptions: list[str]) -> Iterator[str]:
    with os.scandir(os.path.join(folder, prefix)) as found:  # noqa: PTH118  # a quarter of the time of Path
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        relative = f"{prefix}{entry.name}"
        left_out = _ignored(relative, rules)
        if entry.is_dir(follow_symlinks=False):
            if not left_out or any(_may_hold(relative, exception) for exception in exceptions):
                yield from _walk(folder, f"{relative}/", rules, exceptions)
        elif not left_out and stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode) in (stat.S_IFREG, stat.S_IFLNK):
            yield relative


def _ignored(relative: str, rules: list[tuple[re.Pattern[str], bool]]) -> bool:
    """Say whether the last rule that matches the path, or a folder above it, leaves it out."""
    parts = relative.split("/")
    paths = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    left_out = False
    for rule, inverted in rules:
        if inverted == left_out and any(rule.fullmatch(path) for path in paths):
            left_out = not inverted
    return left_out


def _may_hold(folder: str, exception: str) -> bool:
    """Say whether an exception may bring back something inside a folder that is left out."""
    if exception.startswith("**"):
        return True
    wanted, given = exception.split("/"), folder.split("/")
    for pattern, part in zip(wanted, given, strict=False):
        if pattern == "**":
            return True
        if not _rule(pattern).fullmatch(part):
            return False
    return True


@lru_cache
def _rule(pattern: str) -> re.Pattern[str]:
    """Return a pattern of an ignore file as a regular expression: `**` crosses folders, `*` and `?` do not."""
    text = ""
    index = 0
    while index < len(pattern):
        char = pattern[index]
        if pattern.startswith("**", index):
            index += 2
            if pattern.startswith("/", index):
                index += 1
                text += "(?:.*/)?"
            else:
                text += ".*"
            continue
        if char == "*":
            text += "[^/]*"
        elif char == "?":
            text += "[^/]"
        elif char == "[":
            end = pattern.find("]", index + 2)
            if end < 0:
                text += re.escape(char)
            else:
                inside = pattern[index + 1 : end].replace("\\", "\\\\")
                text += f"[{inside}]"
                index = end
        elif char == "\\" and index + 1 < len(pattern):
            index += 1
            text += re.escape(pattern[index])
        else:
            text += re.escape(char)
        index += 1
    return re.compile(text, re.DOTALL)


def _mode_text(mode: int) -> str:
    """Return a mode as Go prints it: -rw-r--r--, and L for a link."""
    kind = "L" if stat.S_ISLNK(mode) else "-"
    special = "".join(
        letter for letter, bit in (("u", stat.S_ISUID), ("g", stat.S_ISGID), ("t", stat.S_ISVTX)) if mode & bit
    )
    bits = "".join(letter if mode & (1 << (8 - place)) else "-" for place, letter in enumerate("rwxrwxrwx"))
    if special:
        return f"{kind if kind == 'L' else ''}{special}{bits}"
    return f"{kind}{bits}"
