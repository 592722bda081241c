"""Integer rounding with the direction in the name; nothing here touches binary floating point."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from tsingma.basics.rejection import RejectionReason, refuse


def divide_half_away(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded to nearest, halves away from zero; denominator > 0."""
    if denominator <= 0:
        raise ValueError(f"denominator must be positive, was {denominator}")
    quotient, remainder = divmod(abs(numerator), denominator)
    quotient += 2 * remainder >= denominator
    return quotient if numerator >= 0 else -quotient


def divide_up(numerator: int, denominator: int) -> int:
    """Return the smallest integer >= numerator / denominator; denominator > 0."""
    if denominator <= 0:
        raise ValueError(f"denominator must be positive, was {denominator}")
    return -(-numerator // denominator)


def round_up_to(value: int, unit: int) -> int:
    """Return the smallest multiple of ``unit`` that is >= ``value``."""
    return divide_up(value, unit) * unit


def parse_scaled(text: str, decimals: int, *, field: str = "") -> int:
    """Return decimal ``text`` as an integer scaled by 10**decimals, exactly.

    Raises :class:`~tsingma.basics.rejection.Rejected` when the text is no finite number or has more decimals.
    """
    try:
        scaled = Decimal(text.strip()).scaleb(decimals)
    except InvalidOperation:
        raise refuse(RejectionReason.MALFORMED, f"'{text}' is not a number", field=field) from None
    if not scaled.is_finite():
        raise refuse(RejectionReason.MALFORMED, f"'{text}' is not a finite number", field=field)
    if scaled != scaled.to_integral_value():
        raise refuse(RejectionReason.MALFORMED, f"'{text}' has more than {decimals} decimals", field=field)
    return int(scaled)
