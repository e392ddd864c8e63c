"""Resource quantities (`0.5`, `500m`, `1024Mi`) in the one spelling that the API server stores."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugins.kubernetes.values import Value

BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
PATTERN = re.compile(r"([+-]?)(\d*)\.?(\d*)([eE][+-]?\d+|[numkMGTPE]?|[KMGTPE]i)")
# Amounts are counted in billionths: the API server keeps nothing finer.
ONE = 10**9


def canonical(value: Value) -> Value:
    """Spell a quantity with the largest suffix that leaves no fraction; what is no quantity stays as it is."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    match = PATTERN.fullmatch(str(value).strip())
    if match is None or not (match[2] or match[3]):
        return value
    sign, whole, fraction, suffix = match.groups()
    digits, divisor = int(whole + fraction), 10 ** len(fraction)
    minus = "-" if sign == "-" and digits else ""
    if suffix in BINARY[1:]:
        amount = _rounded_up(digits * ONE * 1024 ** BINARY.index(suffix), divisor)
        return minus + (_binary(amount // ONE) if amount % ONE == 0 and amount >= 1024 * ONE else _decimal(amount))
    exponent = int(suffix[1:]) if len(suffix) > 1 else DECIMAL[suffix]
    amount = _rounded_up(digits * 10 ** max(exponent + 9, 0), divisor * 10 ** max(-exponent - 9, 0))
    return minus + (_scientific(amount) if len(suffix) > 1 else _decimal(amount))


def _rounded_up(amount: int, divisor: int) -> int:
    return -(-amount // divisor)


def _binary(whole: int) -> str:
    power = 0
    while whole and whole % 1024 == 0 and power < len(BINARY) - 1:
        whole, power = whole // 1024, power + 1
    return f"{whole}{BINARY[power]}"


def _thousands(amount: int) -> tuple[int, int]:
    """Split billionths into a whole number and the largest power of ten, in steps of three, from -9 to 18."""
    power = -9
    while amount and amount % 1000 == 0 and power < DECIMAL["E"]:
        amount, power = amount // 1000, power + 3
    return (amount, power) if amount else (0, 0)


def _decimal(amount: int) -> str:
    whole, power = _thousands(amount)
    return f"{whole}{next(suffix for suffix, exponent in DECIMAL.items() if exponent == power)}"


def _scientific(amount: int) -> str:
    whole, power = _thousands(amount)
    return f"{whole}e{power}" if power else str(whole)
