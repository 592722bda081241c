"""Where each field stands in the SPAN expanded unpacked ("U2") risk parameter file of HKEX.

Positions are 1-based and inclusive. Sources: HKEX "Risk Parameter File Specifications" for records 0 to 2; for the rest
the layout that public parsers of HKEX's files and CME's U2 share. ``decimals`` are implied: the file has no point.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Form(StrEnum):
    """How the characters of a field are read."""

    TEXT = "text"  # stripped of trailing spaces
    NUMBER = "number"  # digits, spaces for none
    SIGNED = "signed"  # digits, then one character of sign


class Field(NamedTuple):
    """One field: name, first and last position, form and implied decimals."""

    name: str
    first: int
    last: int
    form: Form = Form.TEXT
    decimals: int = 0


def _groups(
    start: int, size: int, count: int, fields: tuple[tuple[str, int, int, Form, int], ...]
) -> tuple[Field, ...]:
    """Return the fields of ``count`` groups of ``size`` characters from ``start``; names end in _1, _2 ..."""
    return tuple(
        Field(f"{name}_{group + 1}", start + group * size + first, start + group * size + last, form, decimals)
        for group in range(count)
        for name, first, last, form, decimals in fields
    )


_N, _S, _T = Form.NUMBER, Form.SIGNED, Form.TEXT
_KEY = (
    Field("exchange", 3, 5),
    Field("commodity", 6, 15),
    Field("underlying", 16, 25),
    Field("kind", 26, 28),
    Field("right", 29, 29),
    Field("futures_month", 30, 35, _N),
    Field("futures_day", 36, 37),
    Field("month", 39, 44, _N),
    Field("day", 45, 46),
    Field("strike", 48, 54, _N),
)
LAYOUTS: dict[str, tuple[Field, ...]] = {
    "0 ": (
        Field("complex", 3, 8),
        Field("business_date", 9, 16),
        Field("settlement", 17, 17),
        Field("timing", 18, 19),
        Field("business_time", 20, 23),
        Field("creation_date", 24, 31),
        Field("creation_time", 32, 35),
        Field("format", 36, 37),
        Field("flags", 38, 39),
        Field("function", 40, 44),
        Field("account", 51, 51),
        Field("account_type", 53, 57),
    ),
    "1 ": (Field("exchange", 3, 5), Field("code", 8, 9)),
    "2 ": (
        Field("exchange", 3, 5),
        Field("code", 7, 12),
        Field("risk_exponent", 13, 13, _N),
        Field("currency", 14, 16),
        Field("currency_code", 17, 17),
        Field("margin_style", 18, 18),
        Field("limit_option_value", 19, 19),
        Field("combination", 20, 20),
        *_groups(
            23,
            16,
            6,
            (("commodity", 0, 9, _T, 0), ("kind", 10, 12, _T, 0), ("decimals", 13, 13, _N, 0), ("sign", 14, 14, _T, 0)),
        ),
    ),
    "3 ": (
        Field("code", 3, 8),
        Field("method", 9, 10),
        *_groups(11, 14, 4, (("tier", 0, 1, _N, 0), ("start", 2, 7, _N, 0), ("end", 8, 13, _N, 0))),
    ),
    "4 ": (
        Field("code", 3, 8),
        Field("method", 9, 10),
        Field("months", 11, 12, _N),
        *_groups(
            13,
            22,
            2,
            (
                ("number", 0, 1, _N, 0),
                ("month", 2, 7, _N, 0),
                ("per_spread", 8, 14, _N, 0),
                ("outright", 15, 21, _N, 0),
            ),
        ),
        Field("short_option_minimum", 63, 69, _N),
        Field("member_factor", 70, 72, _N, 2),
        Field("hedger_factor", 73, 75, _N, 2),
        Field("speculator_factor", 76, 78, _N, 2),
        Field("short_option_method", 79, 79, _N),
    ),
    "5 ": (Field("group", 3, 5), *_groups(13, 6, 10, (("code", 0, 5, _T, 0),))),
    "6 ": (
        Field("group", 3, 5),
        Field("priority", 6, 9, _N),
        Field("credit_rate", 10, 16, _N, 4),
        *_groups(
            17,
            18,
            4,
            (
                ("exchange", 0, 2, _T, 0),
                ("required", 3, 3, _T, 0),
                ("code", 4, 9, _T, 0),
                ("ratio", 10, 16, _N, 4),
                ("side", 17, 17, _T, 0),
            ),
        ),
    ),
    "81": (*_KEY, *_groups(55, 6, 9, (("array", 0, 5, _S, 0),))),
    "82": (
        *_KEY,
        *_groups(55, 6, 7, (("array", 0, 5, _S, 0),)),
        Field("delta", 97, 102, _S, 4),
        Field("implied_volatility", 103, 110, _N, 6),
        Field("settlement_price", 111, 118, _S, 2),
    ),
    "B ": (
        Field("exchange", 3, 5),
        Field("commodity", 6, 15),
        Field("kind", 16, 18),
        Field("futures_month", 19, 24, _N),
        Field("month", 28, 33, _N),
        Field("base_volatility", 37, 44, _N, 6),
        Field("volatility_scan_range", 45, 52, _N, 6),
        Field("price_scan_range", 53, 57, _N),
        Field("extreme_multiplier", 58, 62, _N, 3),
        Field("extreme_cover", 63, 67, _N, 4),
        Field("interest_rate", 68, 72, _N, 4),
        Field("years_to_expiry", 73, 79, _N, 6),
        Field("look_ahead", 80, 85, _N, 6),
        Field("delta_scaling", 86, 91, _N, 4),
        Field("expiry", 92, 99),
        Field("yield", 112, 119, _N, 6),
    ),
    "C ": (
        Field("code", 3, 8),
        Field("method", 9, 10),
        Field("priority", 11, 12, _N),
        Field("legs", 13, 14, _N),
        Field("charge", 15, 21, _N),
        *_groups(
            22, 7, 4, (("leg", 0, 1, _N, 0), ("tier", 2, 3, _N, 0), ("delta", 4, 5, _N, 0), ("side", 6, 6, _T, 0))
        ),
    ),
    "T ": (
        Field("from_currency", 3, 5),
        Field("from_code", 6, 6),
        Field("to_currency", 7, 9),
        Field("to_code", 10, 10),
        Field("multiplier", 11, 20, _N, 6),
    ),
}
WIDTH = 132
