"""Integer rounding with the direction in the name; nothing here touches binary floating point."""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation

from tsingma.basics.rejection import RejectionReason, refuse

NUMBER_LENGTH_MAX = 60
EXPONENT_MAX = 40
_EXACT = Context(prec=2 * NUMBER_LENGTH_MAX)  # more digits than a number of that length can have


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

    Raises :class:`~tsingma.basics.rejection.Rejected` when the text is no finite number, has more decimals, or is
    beyond all bounds: more than 60 characters, or 10**40.
    """
    text = text.strip()
    if len(text) > NUMBER_LENGTH_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"a number of {len(text)} characters", field=field)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise refuse(RejectionReason.MALFORMED, f"'{text}' is not a number", field=field) from None
    if not number.is_finite():
        raise refuse(RejectionReason.MALFORMED, f"'{text}' is not a finite number", field=field)
    if number and abs(number.adjusted()) > EXPONENT_MAX:  # before it is written out: 1e999999 would be a megabyte
        raise refuse(RejectionReason.OUT_OF_RANGE, f"'{text}' is beyond all bounds", field=field)
    scaled = _EXACT.scaleb(number, decimals) if number else Decimal(0)
    if scaled != scaled.to_integral_value():
        raise refuse(RejectionReason.MALFORMED, f"'{text}' has more than {decimals} decimals", field=field)
    return int(scaled)
