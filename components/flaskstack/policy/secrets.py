"""No secret in plain text, where everyone who may read a pod, a ConfigMap or a command line can read it.

What looks like one: a name that says so, a password in a URL, a private key, a token of a known kind, a text too random
for a word. A value that Pulumi keeps secret is one too; a Kubernetes Secret may hold it, and a variable of a Docker
container, for which there is no other place (it is encrypted in the state).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from flaskstack.policy.model import Finding, Level, Rule
from flaskstack.policy.pods import KINDS, containers, pod
from flaskstack.policy.resource import SECRET, Resource, dig, items, words

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN: Final = "hidden"
"""What is shown of a value that may be a secret."""
NAMES: Final = frozenset(
    {"password", "passwd", "passphrase", "pwd", "secret", "secrets", "token", "credentials", "pat"}
)
"""Last words of names of secrets."""
KEYS: Final = frozenset({"api", "access", "secret", "private", "encryption", "signing", "auth", "master", "account"})
"""Words before a last `key` that make it a secret's name: `API_KEY`, but not `SORT_KEY`."""
CREDENTIALS: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/@:]*:(?P<password>[^\s/@]+)@")
"""A URL with a password."""
TOKENS: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b(AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{22,}|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|\b[rs]k_(live|test)_[A-Za-z0-9]{16,}|\bpul-[0-9a-f]{40}\b"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
)
"""Tokens that say what they are."""
ASSIGNED: Final = re.compile(
    r"""(?im)["']?\b[\w-]*?(?:password|passwd|passphrase|secret[_-]?key|api[_-]?key|access[_-]?key|[_-]token)["']?"""
    r"""\s*[:=]\s*["']?(?P<value>[^\s"'${<(*]{6,})(?=["',}\s]|$)"""
)
"""A password inside a text: a line of a file, a field of a JSON text."""
PUBLIC: Final = frozenset({"checksum", "commit", "digest", "fingerprint", "hash", "revision", "sha", "sha1", "sha256"})
"""Words of names whose values look random and are public."""
RANDOM: Final = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
ENTROPY: Final = 3.5
"""Bits a character from which a text of 24 or more letters and digits is random. A 32-digit hexadecimal key has 3.6 or
so, an identifier in words less and rarely a digit in it."""
WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "none", "null", "required", "optional"})


def named(name: str) -> bool:
    """Whether a name says that its value is a secret."""
    parts = words(name)
    last = parts[-1] if parts else ""
    return last in NAMES or (last == "key" and (len(parts) > 1 and parts[-2] in KEYS))


def telling(text: str, name: str = "") -> str:
    """Return why a text is a secret whatever its name says, empty when it is none."""
    found = CREDENTIALS.search(text)
    if found and not found["password"].startswith(("$", "{", "<", "*")):
        return "a URL with a password in it"
    if TOKENS.search(text):
        return "a key or token"
    if ASSIGNED.search(text):
        return "a password in it"
    return "too random for anything but a key" if _random(text) and not PUBLIC.intersection(words(name)) else ""


def _random(text: str) -> bool:
    # A revision (40 hexadecimal digits) and a UUID are public, and so is a path.
    if not RANDOM.fullmatch(text) or text.startswith("/") or re.fullmatch(r"[0-9a-f]{40}|[0-9a-f-]{36}", text):
        return False
    if not (re.search(r"\d", text) and re.search(r"[A-Za-z]", text)):
        return False
    entropy = -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
    return entropy >= ENTROPY


def _plain(where: str, name: str, value: Any, *, secret_allowed: bool, fix: str) -> Iterator[Finding]:  # noqa: ANN401
    if value is SECRET and not secret_allowed:
        yield Finding(where, HIDDEN, "a secret of the program would stand there in plain text", fix)
    if not isinstance(value, str) or not value:
        return
    reference = value.startswith(("/", "$(", "file:")) or value.lower() in WORDS or value.isdigit()
    reason = "its name says that it is a secret" if named(name) and not reference else telling(value, name)
    if reason:
        yield Finding(where, HIDDEN, reason, fix)


def _check(resource: Resource) -> Iterator[Finding]:
    around = pod(resource)
    for kind in KINDS if around else ():
        # The engine keeps a list that holds one as a whole.
        if around and around.at(kind) is SECRET:
            fix = "put it into a Secret, and refer to that with valueFrom.secretKeyRef"
            yield Finding(f"{around.where}.{kind}", HIDDEN, "a secret of the program stands in it, in plain text", fix)
    for part in containers(resource):
        for number, variable in enumerate(items(part.spec, "env")):
            name = str(dig(variable, "name") or number)
            fix = "put it into a Secret, and refer to that with valueFrom.secretKeyRef"
            value = dig(variable, "value")
            yield from _plain(f"{part.where}.env[{name}]", name, value, secret_allowed=False, fix=fix)
        yield from _arguments(part.where, part.spec, ("command", "args"))
    if resource.kubernetes == "ConfigMap":
        for field in ("data", "binaryData"):
            yield from _entries(field, resource.inputs.get(field), "put it into a Secret")
    if resource.docker == "Container":
        yield from _docker(resource.inputs)
    if resource.type == "docker-build:index:Image":
        fix = "an argument stays in the image's history: use `secrets`, and RUN --mount=type=secret"
        yield from _entries("buildArgs", resource.inputs.get("buildArgs"), fix)


def _entries(field: str, entries: Any, fix: str) -> Iterator[Finding]:  # noqa: ANN401
    if entries is SECRET:
        yield Finding(field, HIDDEN, "a secret of the program would stand there in plain text", fix)
    for name, value in entries.items() if isinstance(entries, dict) else ():
        yield from _plain(f"{field}[{name}]", name, value, secret_allowed=False, fix=fix)


def _docker(inputs: Any) -> Iterator[Finding]:  # noqa: ANN401
    for number, line in enumerate(items(inputs, "envs")):
        # A line that is secret as a whole is masked, and its name with it.
        if isinstance(line, str):
            name, _, value = line.partition("=")
            fix = "pulumi config set --secret, or Output.secret: the whole line has to be a secret output"
            yield from _plain(f"envs[{name or number}]", name, value, secret_allowed=True, fix=fix)
    yield from _arguments("", inputs, ("command", "entrypoints"))


def _arguments(where: str, spec: Any, fields: tuple[str, ...]) -> Iterator[Finding]:  # noqa: ANN401
    for field in fields:
        for number, argument in enumerate(items(spec, field)):
            at = f"{where}.{field}[{number}]".lstrip(".")
            fix = "every process of the machine can read a command line: hand it over in the environment"
            yield from _plain(at, "", argument, secret_allowed=False, fix=fix)


RULE: Final = Rule(
    "no-plain-secret",
    "No secret in plain text in an environment, a ConfigMap, a build or a command line.",
    Level.MANDATORY,
    _check,
)
