"""Resource quantities (`0.5`, `500m`, `1024Mi`) in the one spelling that the API server stores."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugins.kubernetes.values import Value


BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
PATTERN = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)([eE][+-]?\d+|[numkMGTPE]?|[KMGTPE]i)")
NANO = Fraction(1, 10**9)


def canonical(value: Value) -> Value:
    """Spell a quantity with the largest suffix that leaves no fraction; what is no quantity stays as it is."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    match = PATTERN.fullmatch(str(value).strip())
    if match is None:
        return value
    sign, digits, suffix = match.groups()
    number = Fraction(digits if not digits.endswith(".") else digits[:-1]) * (-1 if sign == "-" else 1)
    if suffix in BINARY[1:]:
        amount = number * 1024 ** BINARY.index(suffix)
        return _binary(amount) if amount.denominator == 1 and abs(amount) >= 1024 else _decimal(amount)  # noqa: PLR2004
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        return _scientific(number * Fraction(10) ** int(suffix[1:]))
    return _decimal(number * Fraction(10) ** DECIMAL[suffix])


def _rounded_up(amount: Fraction) -> Fraction:
    """Keep nothing finer than a billionth, away from zero, as the API server does."""
    billionths = amount / NANO
    whole = -(-billionths.numerator // billionths.denominator) if billionths > 0 else billionths.__floor__()
    return whole * NANO


def _binary(amount: Fraction) -> str:
    whole, power = int(amount), 0
    while whole and whole % 1024 == 0 and power < len(BINARY) - 1:
        whole, power = whole // 1024, power + 1
    return f"{whole}{BINARY[power]}"


def _thousands(amount: Fraction) -> tuple[int, int]:
    """Split an amount into a whole number and the largest power of ten, in steps of three, from -9 to 18."""
    whole, power = int(_rounded_up(amount) / NANO), -9
    while whole and whole % 1000 == 0 and power < 18:  # noqa: PLR2004 - 10**18 is the largest suffix
        whole, power = whole // 1000, power + 3
    return (whole, power) if whole else (0, 0)


def _decimal(amount: Fraction) -> str:
    whole, power = _thousands(amount)
    return f"{whole}{next(suffix for suffix, exponent in DECIMAL.items() if exponent == power)}"


def _scientific(amount: Fraction) -> str:
    whole, power = _thousands(amount)
    return f"{whole}e{power}" if power else str(whole)
