"""Explanations and backtests of joint margin.

Goal: attributions add up, what-if is the difference, a day's change is the sum of its steps, tests of cover by name.
Method: a simulated history; identities; the same figures by another way.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from datetime import date, timedelta

import msgspec
import numpy as np
import pytest

from simulated_past import HEDGED, book, simulated
from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.margin.hkscc.backtest_tests import kupiec_statistic
from tsingma.margin.house.holdings import BASKET, INDEX, Book, Holding, House, Product
from tsingma.margin.house.models import HouseModels
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.standalone import house_figure
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.backtest import backtest_book, backtest_products
from tsingma.margin.joint.explain import day_change, explain, margin_on, row_of, what_if
from tsingma.margin.joint.history import statement
from tsingma.margin.joint.requirement import JointSettings
from tsingma.margin.joint.study import CoverageControl, book_series
from tsingma.reports.margin_statement import render_statement

COLLAR = Book(
    "collar",
    (
        Holding(house=House.HKSCC, product=Product.STOCK, factor=BASKET, notional=10**8),
        Holding(house=House.HKCC, product=Product.PUT, factor=INDEX, notional=10**8, strike_e4=9_500, days=60),
        Holding(house=House.HKCC, product=Product.CALL, factor=INDEX, notional=-(10**8), strike_e4=10_500, days=60),
        Holding(house=House.SEOCH, product=Product.CALL, factor="00700", notional=-(10**7), days=20),
    ),
)


@pytest.fixture(scope="module")
def past() -> MarketPast:
    """One prepared history for all tests."""
    return MarketPast(simulated(), HouseModels())


def test_components_add_up_and_scenarios_have_days(past: MarketPast) -> None:
    """Goal: components = expected shortfall; tail profits by house = by position; days are known ones. Method: sums."""
    found = explain(COLLAR, past, past.history.days - 1)
    assert sum(part.component for part in found.positions) == found.margin.expected_shortfall_joint
    for one in found.tail:
        assert sum(one.by_house.values()) == one.profit
        assert date.fromisoformat(one.day) < past.day(past.history.days - 1)
    assert [one.profit for one in found.tail] == sorted(one.profit for one in found.tail)
    for part in found.positions:
        assert part.marginal == pytest.approx(part.component / part.notional)
    called = found.margin.by(Allocation.EULER).called
    rest = Book("rest", COLLAR.holdings[1:])
    without = margin_on(rest, past, past.history.days - 1).by(Allocation.EULER).called
    assert found.positions[0].incremental == called - without


def test_houses_have_their_parts(past: MarketPast) -> None:
    """Goal: components by house add up; incremental is with less without the house. Method: the other houses alone."""
    row = past.history.days - 1
    found = explain(COLLAR, past, row)
    assert sum(one.component for one in found.houses) == found.margin.expected_shortfall_joint
    assert [one.house for one in found.houses] == ["HKSCC", "HKCC", "SEOCH"]
    called = found.margin.by(Allocation.EULER).called
    rest = Book("rest", COLLAR.holdings[:3])
    assert found.houses[2].incremental == called - margin_on(rest, past, row).by(Allocation.EULER).called
    same = Book("twice", (*HEDGED.holdings, HEDGED.holdings[0]))
    twice = explain(same, past, row).positions
    assert (
        twice[0].incremental
        == twice[2].incremental
        == (
            margin_on(same, past, row).by(Allocation.EULER).called
            - margin_on(HEDGED, past, row).by(Allocation.EULER).called
        )
    )


def test_backtest_by_product(past: MarketPast) -> None:
    """Goal: a row a house and product, each its own figure against its own losses. Method: one row counted anew."""
    rows = backtest_products(COLLAR, past, every=10)
    assert [(row.house, row.margin) for row in rows] == [
        ("HKCC", "call"), ("HKCC", "put"), ("HKSCC", "stock"), ("SEOCH", "call")]  # fmt: skip
    days = range(past.first_row, past.last_row + 1, 10)
    stock = COLLAR.holdings[:1]
    uncovered = sum(-past.own_outcome(stock, row) > house_figure(House.HKSCC, stock, past, row).total for row in days)
    assert rows[2].uncovered == uncovered
    assert rows[2].days == len(days)
    with pytest.raises(Rejected, match="too few"):
        backtest_products(COLLAR, MarketPast(simulated(days=262), HouseModels()))


def test_one_house_left_is_margined_alone(past: MarketPast) -> None:
    """Goal: an incremental figure exists when only one house remains. Method: a book at two houses, two lines."""
    found = explain(HEDGED, past, past.history.days - 1)
    assert all(part.incremental for part in found.positions)


def test_what_if_is_the_difference(past: MarketPast) -> None:
    """Goal: before and after are the books' own margins. Method: a put added to a hedge, both margined apart."""
    put = Holding(house=House.SEOCH, product=Product.PUT, factor="00700", notional=10**7, days=30)
    row = past.history.days - 1
    found = what_if(HEDGED, [put], past, row)
    more = Book(HEDGED.name, (*HEDGED.holdings, put))
    assert found.before == margin_on(HEDGED, past, row)
    assert found.after == margin_on(more, past, row)
    assert found.standalone_change == found.after.standalone - found.before.standalone


def test_a_days_change_adds_up(past: MarketPast) -> None:
    """Goal: positions + time + market + parameters = change; each is zero where nothing changed.

    Method: three pairs.
    """
    last = past.history.days - 1
    for before, after in ((COLLAR, COLLAR), (HEDGED, COLLAR), (HEDGED, HEDGED)):
        found = day_change(before, after, past, last - 3, last)
        assert found.before + found.positions + found.time + found.market + found.parameters == found.after
        assert (found.positions == 0) == (before == after)
    assert day_change(HEDGED, HEDGED, past, last - 3, last).time == 0  # no options
    with pytest.raises(Rejected, match="not after the first"):
        day_change(HEDGED, HEDGED, past, last, last)


def test_days_are_found_or_refused(past: MarketPast) -> None:
    """Goal: the last day by default, an unknown day refused, too early a day refused. Method: three days."""
    last = past.history.days - 1
    assert row_of(past, None) == last == row_of(past, past.day(last))
    with pytest.raises(Rejected, match="no day of the price history"):
        row_of(past, past.day(last) + timedelta(days=1))
    with pytest.raises(Rejected, match="no full look-back"):
        margin_on(HEDGED, past, 5)


def test_backtest_rows(past: MarketPast) -> None:
    """Goal: a row a house alone and called, one of the whole; statistics by their own functions. Method: counts."""
    series = book_series(HEDGED, past, every=5)
    rows = backtest_book(series, control=CoverageControl(minimum=0))
    assert [(row.house, row.margin) for row in rows] == [
        ("HKSCC", "alone"), ("HKSCC", "called"), ("HKCC", "alone"), ("HKCC", "called"),
        ("whole book", "called")]  # fmt: skip
    alone = np.array([margin.shares[0].houses[0].standalone for margin in series.margins])
    assert rows[0].uncovered == int((series.losses[:, 0] > alone).sum())
    for row in rows:
        assert row.kupiec == kupiec_statistic(row.days, row.uncovered, 0.01)
        assert row.coverage == 1 - row.uncovered / row.days
        assert 0 <= row.both_p <= 1
        assert row.procyclicality is not None
        assert row.procyclicality.peak_to_trough >= 1


def test_statement_holds_every_figure_and_nothing_from_elsewhere(past: MarketPast) -> None:
    """Goal: one HTML file with figures and four pictures, escaped, the same twice. Method: a hostile name; no link."""
    hostile = Book("<script>alert(1)</script>", COLLAR.holdings)
    given = statement(hostile, past, past.history.days - 4, JointSettings(), Allocation.EULER, 40, 4)
    found, page = given.explanation, render_statement(given)
    assert page == render_statement(given)
    assert "<script>" not in page
    assert "http" not in page.replace("http-equiv", "")
    shares = found.margin.by(found.allocation)
    for each in shares.houses:
        assert f"{each.called:,}" in page
    assert f"{shares.called:,}" in page
    assert f"{found.margin.one_pot:,}" in page
    assert found.tail[0].day in page
    for picture in ("houses-chart", "components-chart", "steps-chart", "tail-chart", "history-chart"):
        assert f'id="{picture}-title"' in page
    for picture in re.findall(r"<svg class=\"chart.*?\n</svg>", page, re.DOTALL):
        ElementTree.fromstring(picture)
    for figure in given.houses:
        for amount in figure.components.values():
            assert f"{amount:,}" in page


def test_history_is_margin_against_the_loss_that_came(past: MarketPast) -> None:
    """Goal: each point is the margin of its day and the loss after it, unknown until it is over. Method: the study."""
    last = past.history.days - 1
    given = statement(HEDGED, past, last, JointSettings(), Allocation.SHAPLEY, 30, 3)
    assert [one.day for one in given.history] == [str(past.day(row)) for row in range(last - 27, last + 1, 3)]
    series = book_series(HEDGED, past)
    for one in given.history:
        if one.loss is None:
            assert one.day > str(past.day(last - 2))
            continue
        place = [str(past.day(row)) for row in series.rows].index(one.day) if one.day <= str(
            past.day(series.rows[-1])) else -1  # fmt: skip
        if place >= 0:
            margin = series.margins[place]
            assert (one.alone, one.one_pot, one.loss) == (
                margin.standalone, margin.one_pot, int(series.joint_losses[place]))  # fmt: skip
            assert one.called == margin.by(Allocation.SHAPLEY).called
    broken = msgspec.structs.replace(given, houses=given.houses[:1])
    with pytest.raises(InvariantBroken, match="components do not add up"):
        render_statement(broken)


def test_a_basket_on_its_own_house_needs_no_index() -> None:
    """Goal: a history without an index takes the basket for it. Method: the last two columns left out."""
    history = simulated()
    bare = msgspec.structs.replace(
        history, instruments=history.instruments[:3], close_e4=history.close_e4[:, :3].copy(),
        missing=history.missing[:, :3].copy(), dates=history.dates.copy(),
    )  # fmt: skip
    past = MarketPast(bare, HouseModels())
    hedge = book((House.HKSCC, Product.STOCK, BASKET, 10**8), (House.HKCC, Product.FUTURE, INDEX, -(10**8)))
    margin = margin_on(hedge, past, past.history.days - 1)
    assert margin.expected_shortfall_joint <= 1  # a perfect hedge, up to rounding
