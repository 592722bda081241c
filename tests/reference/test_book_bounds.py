"""Numbers of a counter that no arithmetic in 64 bits could carry are refused.

Goal: a book names what is wrong in it, however large the number. Method: one field of a good counter changed.
"""

from __future__ import annotations

import pytest
from msgspec import structs

from tsingma.basics.rejection import Rejected
from tsingma.reference.book import NUMBER_MAX, Counter, InstrumentKind, ReferenceBook

GOOD = Counter(
    code="RMB1", isin="ZZ0000000016", currency="CNY", kind=InstrumentKind.BOND, market="CMU", lot=1, tick_e4=1,
    settlement_counter=True, name="RMB1",
)  # fmt: skip


@pytest.mark.parametrize(("field", "least"), [("lot", 1), ("tick_e4", 1), ("conversion_ratio", 0)])
def test_a_number_out_of_bounds_is_named(field: str, least: int) -> None:
    """Goal: both ends of the range. Method: the ends pass, what lies behind them does not, nor what exceeds 64 bits."""
    for value in (least, NUMBER_MAX):
        assert _told(field, value) == ""
    for value in (least - 1, NUMBER_MAX + 1, 10**41):
        assert f"RMB1: {field}: must be from {least} to 1,000,000,000" in _told(field, value)


def _told(field: str, value: int) -> str:
    """Return what a book says of its counter with a field changed; what it says of its participants is left out."""
    book = ReferenceBook(counters=(structs.replace(GOOD, **{field: value}),), participants=(), accounts=())
    try:
        book.validate()
    except Rejected as refused:
        return "; ".join(str(one) for one in refused.rejections if one.subject == "RMB1")
    return ""
