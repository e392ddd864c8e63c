"""What production asks of a SECRET_KEY."""

from __future__ import annotations

import math
import string
from typing import Final

SECRET_KEY_BITS: Final = 256
"""Entropy that a SECRET_KEY must be able to hold: 32 bytes, what `secrets.token_hex()` makes."""
KNOWN_KEYS: Final = (
    "changeme",
    "secret",
    "your-secret-key",
    "your_secret_key",
    "insecure",
    "example",
    # The two that Flask's own documentation has shown over the years.
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "_5#y2L",
)


def weak_key(key: str) -> str | None:
    """Return why a SECRET_KEY is too weak for production, None when it is not."""
    if any(example in key for example in KNOWN_KEYS if len(example) > 8) or key.lower() in KNOWN_KEYS:  # noqa: PLR2004
        return "a known example, not a secret"
    alphabets = (
        string.digits,
        string.hexdigits[:16],
        string.hexdigits[:10] + string.hexdigits[16:],
        string.ascii_lowercase,
        # Letters only count as this one too: one in 10,000 keys of `secrets.token_urlsafe()` has no digit.
        string.ascii_letters + string.digits,
        string.ascii_letters + string.digits + "-_",
        string.printable,
    )
    size = next((len(alphabet) for alphabet in alphabets if set(key) <= set(alphabet)), 256)
    # What is only said again adds nothing: the shortest part that makes the whole by repetition is all there is.
    bits = (key + key).find(key, 1) * math.log2(size)
    if bits < SECRET_KEY_BITS or len(set(key)) < 10:  # noqa: PLR2004  # ten different characters: fewer is a pattern, not chance
        return f"too weak: it can hold {math.floor(bits) // 8} bytes of entropy, {SECRET_KEY_BITS // 8} are needed"
    return None
