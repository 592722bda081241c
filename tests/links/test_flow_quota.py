"""Quotas on flows against a plain model, over days and a change of year."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.basics.dates import to_day
from tsingma.basics.rejection import Rejected
from tsingma.journal.link_order_commands import LinkDayTerms, QuotaTerm
from tsingma.links.quota import FlowQuotas
from tsingma.links.results import word

DAILY, YEARLY, TOTAL, EACH, SPLIT, NET = 60, 150, 220, 50, 30, 40
TERMS = (
    QuotaTerm("daily-net-outflow", DAILY),
    QuotaTerm("yearly-net-outflow", YEARLY),
    QuotaTerm("aggregate-net-outflow", TOTAL),
    QuotaTerm("individual", EACH, SPLIT, 2),
)
items = st.tuples(st.integers(1, 4), st.integers(0, 1), st.integers(-40, 60).filter(bool))


def _terms(day: date, quotas: tuple[QuotaTerm, ...] = TERMS) -> LinkDayTerms:
    return LinkDayTerms("link", "out", to_day(day), "CNY", quotas, (), "none", 0, -1)


def _use(flows: FlowQuotas, rows: list[tuple[int, int, int]]) -> list[str]:
    columns = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return [word(code) for code in flows.use(*columns).tolist()]


def _expected(past: list[tuple[date, int, int, int]], day: date, item: tuple[int, int, int]) -> str:
    """Judge an item by adding up everything accepted before."""
    investor, channel, cents = item
    if cents < 0:
        return "accepted"
    if sum(c for when, _, _, c in past if when == day) + cents > DAILY:
        return "over-daily"
    if sum(c for when, _, _, c in past if when.year == day.year) + cents > YEARLY:
        return "over-yearly"
    if sum(c for *_, c in past) + cents > TOTAL:
        return "over-aggregate"
    mine = [sum(c for _, who, via, c in past if (who, via) == (investor, one)) for one in (0, 1)]
    mine[channel] += cents
    if sum(mine) > EACH:
        return "over-individual"
    return "over-channel" if min(mine) > 0 and max(mine) > SPLIT else "accepted"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(items, min_size=1, max_size=8), min_size=1, max_size=6))
def test_flows_follow_the_model(story: list[list[tuple[int, int, int]]]) -> None:
    """Goal: no quota is ever passed, in any order. Method: days on both sides of a new year against plain sums."""
    flows, past = FlowQuotas(), []
    days = [date(2026, 12, 28 + place) for place in range(4)] + [date(2027, 1, 4), date(2027, 1, 5)]
    for day, rows in zip(days, story, strict=False):
        flows.open_day(_terms(day))
        restored = FlowQuotas()
        restored.load(flows.dump())
        expected = []
        for row in rows:
            expected.append(_expected(past, day, row))
            if expected[-1] == "accepted":
                past.append((day, *row))
        assert _use(flows, rows) == expected == _use(restored, rows)
        assert restored.dump() == flows.dump()
        assert flows.left_cents()["daily-net-outflow"] == DAILY - sum(c for when, _, _, c in past if when == day)


@settings(deadline=None)
@given(st.lists(st.integers(-70, 70).filter(bool), min_size=1, max_size=30))
def test_net_notional_stays_within_its_limit(amounts: list[int]) -> None:
    """Goal: the net is within the limit either way. Method: a plain running sum; what narrows it is always taken."""
    flows = FlowQuotas()
    flows.open_day(_terms(date(2026, 1, 5), (QuotaTerm("daily-net-notional", NET),)))
    net = 0
    for amount, answer in zip(amounts, _use(flows, [(1, 0, amount) for amount in amounts]), strict=True):
        fits = abs(net + amount) <= NET
        assert answer == ("accepted" if fits else "over-notional")
        net += amount if fits else 0
    assert flows.left_cents() == {"daily-net-notional": NET - abs(net)}


@pytest.mark.parametrize("row", [(1, 0, 0), (1, 0, 10**16), (1, 0, -(2**63)), (1, 2, 5), (1, -1, 5)])
def test_malformed_flows_are_refused_whole(row: Any) -> None:
    """Goal: nothing is taken of a bad batch. Method: a good item before one impossible amount or channel."""
    flows = FlowQuotas()
    flows.open_day(_terms(date(2026, 1, 5)))
    before = flows.dump()
    with pytest.raises(Rejected):
        _use(flows, [(1, 0, 5), row])
    assert flows.dump() == before
