"""Property duty: published points, every edge to the cent by date and kind, and a plain twin on random prices."""

from __future__ import annotations

import csv
import itertools
from datetime import date
from fractions import Fraction
from math import ceil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected
from tsingma.economy.property.duty import PropertyKind, duty, notches, schedules

HOME, OTHER = PropertyKind.RESIDENTIAL, PropertyKind.OTHER
T8, T9, T10 = date(2024, 2, 28), date(2025, 2, 26), date(2026, 2, 26)
LAST_T8, LAST_T9 = date(2025, 2, 25), date(2026, 2, 25)


@pytest.mark.parametrize(
    ("price_cents", "day", "kind", "owed"),
    [
        (4_323_780_00, T9, HOME, 64_856),
        (4_323_780_01, T9, HOME, 64_857),
        (100_000_000_01, T10, HOME, 4_250_001),
        (109_574_470_00, T10, HOME, 7_122_341),
        (110_000_000_00, T10, HOME, 7_150_000),
        (110_000_000_00, T10, OTHER, 4_675_000),
        (110_000_000_00, LAST_T9, HOME, 4_675_000),
        (12_000_000_00, date(2026, 3, 1), HOME, 450_000),
        (3_500_000_00, LAST_T8, HOME, 50_100),
        (3_500_000_00, T9, HOME, 100),
    ],
)
def test_published_points(price_cents: int, day: date, kind: PropertyKind, owed: int) -> None:
    """Goal: the points of the published schedules. Method: budget tables of 2024, 2025 and 2026 to the dollar."""
    assert duty(price_cents, day, kind).duty_hkd == owed


# Duty at the edge, and one cent below and above it, worked by hand from the published bands.
COMMON_EDGES = {
    4_500_000: (67_500, 67_500, 67_501),
    4_935_480: (111_048, 111_048, 111_049),
    6_000_000: (135_000, 135_000, 135_001),
    6_642_860: (199_286, 199_286, 199_286),
    9_000_000: (270_000, 270_000, 270_001),
    10_080_000: (378_000, 378_000, 378_001),
    20_000_000: (750_000, 750_000, 750_001),
    21_739_120: (923_912, 923_912, 923_913),
}
LOW_2024 = {3_000_000: (100, 100, 101), 3_528_240: (52_924, 52_924, 52_924)}
LOW_2025 = {4_000_000: (100, 100, 101), 4_323_780: (64_856, 64_856, 64_857)}
HIGH_2026 = {100_000_000: (4_250_000, 4_250_000, 4_250_001), 109_574_470: (7_122_341, 7_122_341, 7_122_341)}
EDGES = [
    (T8, HOME, LOW_2024 | COMMON_EDGES),
    (LAST_T8, OTHER, LOW_2024 | COMMON_EDGES),
    (T9, HOME, LOW_2025 | COMMON_EDGES),
    (LAST_T9, OTHER, LOW_2025 | COMMON_EDGES),
    (T10, HOME, LOW_2025 | COMMON_EDGES | HIGH_2026),
    (date(2030, 1, 1), HOME, LOW_2025 | COMMON_EDGES | HIGH_2026),
    (T10, OTHER, LOW_2025 | COMMON_EDGES),
]


@pytest.mark.parametrize(("day", "kind", "edges"), EDGES)
def test_every_edge_to_the_cent(day: date, kind: PropertyKind, edges: dict[int, tuple[int, int, int]]) -> None:
    """Goal: no edge is off by a cent. Method: each edge, a cent below and above; and there are no other edges."""
    for edge, wanted in edges.items():
        assert tuple(duty(edge * 100 + cent, day, kind).duty_hkd for cent in (-1, 0, 1)) == wanted, edge
    assert [notch.edge_hkd for notch in notches(day, kind)] == sorted(edges)


def _twin(price: Fraction, day: date, kind: str, rows: list[dict[str, str]]) -> int:
    for row in rows:
        inside = Fraction(row["over"]) < price and (not row["up_to"] or price <= Fraction(row["up_to"]))
        dated = row["valid_from"] <= day.isoformat() and (not row["valid_to"] or day.isoformat() <= row["valid_to"])
        if inside and dated and row["property_class"] in ("all", kind):
            if row["pct_of_whole"]:
                return ceil(price * Fraction(row["pct_of_whole"]) / 100)
            excess = (price - Fraction(row["over"])) * Fraction(row["pct_of_excess"] or 0) / 100
            return ceil(Fraction(row["base_hkd"]) + excess)
    raise LookupError((price, day, kind))


@given(
    price_cents=st.one_of(st.integers(1, 10**11), st.integers(1, 130_000_000_00)),
    day=st.dates(T8, date(2030, 1, 1)),
    kind=st.sampled_from(PropertyKind),
)
def test_a_plain_twin_agrees(shared: Path, price_cents: int, day: date, kind: PropertyKind) -> None:
    """Goal: the retyped bands are right. Method: exact fractions over the compiled table of the reference data."""
    with (shared / "data" / "hk" / "hk_avd_bands.csv").open(encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    word = "residential" if kind is HOME else "nonresidential"
    assert duty(price_cents, day, kind).duty_hkd == _twin(Fraction(price_cents, 100), day, word, rows)


@given(price=st.integers(1, 200_000_000_00), more=st.integers(1, 1_000_000_00), day=st.dates(T8, date(2030, 1, 1)))
def test_duty_never_falls_as_the_price_rises(price: int, more: int, day: date) -> None:
    """Goal: a schedule without a cliff downwards. Method: random pairs of prices; marginal relief joins the bands."""
    assert duty(price, day, HOME).duty_hkd <= duty(price + more, day, HOME).duty_hkd


def test_notches_say_where_the_next_dollar_is_dear() -> None:
    """Goal: the dearest dollar is above HK$100 million. Method: the 2026 edges; relief costs 30 %, then 6.5 %."""
    edge = {notch.edge_hkd: notch for notch in notches(T10, HOME)}[100_000_000]
    assert (edge.marginal_below_bp, edge.marginal_above_bp) == (425, 3000)
    assert edge.duty_a_cent_above_hkd - edge.duty_hkd == 1


def test_a_conveyance_after_a_stamped_agreement() -> None:
    """Goal: HK$100. Method: any price and day."""
    assert duty(88_000_000_00, T10, HOME, duty_paid_on_agreement=True).duty_hkd == 100


def test_wrong_questions_are_refused() -> None:
    """Goal: no silent default. Method: no price, and a day before the first schedule."""
    with pytest.raises(Rejected, match="no price"):
        duty(0, T10, HOME)
    with pytest.raises(Rejected, match="kept from 2024-02-28"):
        duty(100, date(2024, 2, 27), HOME)


def test_schedules_follow_each_other_without_a_gap() -> None:
    """Goal: one schedule a day and kind. Method: sorted by date, each begins the day after the one before ends."""
    for kind in PropertyKind:
        rows = [row for row in schedules() if kind in row.kinds]
        for before, after in itertools.pairwise(rows):
            assert (after.valid_from - before.valid_to).days == 1
        assert rows[-1].valid_to == date.max
