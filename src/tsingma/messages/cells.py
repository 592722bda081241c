"""Cells of CSV files that people open in spreadsheets: no text of a sender becomes a formula there.

Source: OWASP, CSV Injection: cells that begin with = + - @, a tab or a carriage return are taken for formulas.
"""

from __future__ import annotations

from tsingma.basics.rejection import Rejected
from tsingma.basics.rounding import parse_scaled

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
GUARD = "'"


def safe_cell(text: str) -> str:
    """Return a cell behind an apostrophe when a spreadsheet would take it for a formula; numbers stay as they are.

    A text that already looks guarded is guarded once more, so that ``plain_cell`` gives every text back.
    """
    bare = text.lstrip(GUARD)
    if not bare.startswith(FORMULA_STARTS) or (bare == text and _is_number(text)):
        return text
    return GUARD + text


def plain_cell(text: str) -> str:
    """Return the text of a cell that ``safe_cell`` wrote."""
    if text.startswith(GUARD) and text.lstrip(GUARD).startswith(FORMULA_STARTS):
        return text[1:]
    return text


def _is_number(text: str) -> bool:
    try:
        parse_scaled(text, 9)
    except Rejected:
        return False
    return text.isprintable()
