"""Goal: losses, calls, defaults and waterfalls of a stress are right and add up.

Method: a plain-Python twin of the revaluation; a book small enough to work by hand; properties on random books (layers
add up to the loss, nobody with money falls, more money never means more defaults).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stress_books import LINES, moves, small_book

from tsingma.basics.rejection import Rejected
from tsingma.margin.house.holdings import INDEX, House
from tsingma.margin.house.revaluation import unit_profit
from tsingma.stress.book import HOUSES, StressBook, profits, with_liquidity
from tsingma.stress.defaults import HouseFund, StressRules, run_defaults
from tsingma.stress.liquidity import liquidity_needs
from tsingma.stress.run import with_credit

HKSCC, HKCC = HOUSES.index(House.HKSCC), HOUSES.index(House.HKCC)
FUNDS = {
    House.HKSCC: HouseFund(contributions={0: 10, 1: 10, 2: 10}, house_part=5),
    House.HKCC: HouseFund(contributions={0: 20, 1: 20, 2: 20}, house_part=5),
}


def plain_profits(book: StressBook, scenarios: object) -> np.ndarray:
    """Return profits position by position with Python integers."""
    count = len(scenarios.returns[INDEX])  # type: ignore[attr-defined]
    found = np.zeros((len(book.accounts), len(HOUSES), count), np.int64)
    for account, line, notional in zip(book.position_account, book.position_line, book.notional, strict=True):
        each = unit_profit(book.lines[line], scenarios)  # type: ignore[arg-type]
        for place in range(count):
            found[account, HOUSES.index(book.lines[line].house), place] += round(float(notional) * float(each[place]))
    return found


def test_profits_are_those_of_every_position_rounded_and_summed() -> None:
    """Goal: the vectorised revaluation is the plain one. Method: three scenarios beside the twin."""
    book, scenarios = small_book(), moves(-0.2, 0.0, 0.13, ratio=1.5)
    assert np.array_equal(profits(book, scenarios), plain_profits(book, scenarios))


def test_positions_that_cancel_have_profits_that_cancel() -> None:
    """Goal: novation leaves the house flat in a stress too. Method: futures and stock alone, sums over accounts."""
    book = small_book()
    linear = book.position_line != LINES.index(LINES[3])
    book = replace(book, position_account=book.position_account[linear], position_line=book.position_line[linear],
                   notional=book.notional[linear])  # fmt: skip
    found = profits(book, moves(-0.1, 0.25))
    assert not found.sum(axis=0).any()


def test_a_factor_without_moves_is_named() -> None:
    """Goal: no position is left out in silence. Method: take one factor's moves away."""
    scenarios = moves(-0.1)
    del scenarios.returns["981"]  # type: ignore[attr-defined]
    with pytest.raises(Rejected, match="981"):
        profits(small_book(), scenarios)


def test_a_default_worked_by_hand() -> None:
    """Goal: every step of a default is right. Method: the index falls 20 %, volatility stays; worked out beside.

    A's client loses 400 on its future and gains 80 on stock it is short: called 400, it has 100, so A must bring 300.
    A's own account loses 200 on stock and its put gains. A has 350: it needs 200 + 300 and falls. Closed out: at HKSCC
    A/HOUSE loses 200 with margin 100, at HKCC A/CLIENT loses 400 with margin 160.
    """
    book = small_book((350, 100, 10_000, 10_000))
    found = profits(book, moves(-0.2))[:, :, 0]
    assert found[0, HKSCC] == -200
    assert (found[1, HKSCC], found[1, HKCC]) == (80, -400)
    result = run_defaults(book, found, FUNDS, StressRules(), 1.0)
    assert result.calls.for_clients.tolist()[0] == 300
    assert result.calls.needed.tolist()[0] == 500
    assert result.calls.default_round.tolist()[0] == 1
    fall = result.houses[HKSCC].waterfall
    assert fall is not None
    assert [(str(layer.kind), layer.used) for layer in fall.layers] == [
        ("defaulter-collateral", 100), ("defaulter-contribution", 10), ("house", 5), ("survivor-contributions", 20),
        ("assessments", 20),
    ]  # fmt: skip
    assert (fall.loss, fall.uncovered) == (200, 45)
    assert result.houses[HKSCC].fund_use == pytest.approx(100 / 35)
    assert result.houses[HKSCC].gains_cut == 45
    other = result.houses[HKCC].waterfall
    assert other is not None
    assert (other.loss, other.layers[0].used) == (400, 160)


def test_survivors_fall_by_what_the_fund_asks_again() -> None:
    """Goal: replenishment can bring a second round. Method: B has just enough before it, not after."""
    book = small_book((350, 100, 140, 10_000))
    found = profits(book, moves(-0.2))[:, :, 0]
    base = run_defaults(replace(book, liquid=np.array([10_000] * 4)), found, FUNDS, StressRules(), 1.0).calls.needed
    book = replace(book, liquid=np.array([350, 100, int(base[1]) + 10, 10_000]))
    assert run_defaults(book, found, FUNDS, StressRules(), 1.0).calls.default_round.tolist() == [1, 2, 0]


def test_higher_volatility_asks_for_margin() -> None:
    """Goal: the scaling part of margin follows volatility. Method: ratio 2 asks for 75 % of what was called."""
    book = small_book()
    still = np.zeros((4, 4), np.int64)
    calls = run_defaults(book, still, FUNDS, StressRules(), 2.0).calls
    assert calls.more_margin.tolist() == [(100 + 30) * 3 // 4 + (40 + 160) * 3 // 4, 230 * 3 // 4, 230 * 3 // 4]


def test_liquidity_to_find_is_what_the_fallen_owed() -> None:
    """Goal: the house must find unpaid losses and what was due for securities. Method: A alone falls."""
    book = small_book()
    found = profits(book, moves(-0.2))[:, :, 0]
    needs = liquidity_needs(book, found, np.array([True, False, False]))
    assert [(str(need.day), need.gains, need.securities) for need in needs] == [
        ("2026-01-07", int(np.maximum(-found[:2], 0).sum()), 0), ("2026-01-08", 0, 124),
    ]  # fmt: skip
    assert liquidity_needs(book, found, np.zeros(3, np.bool_)) == ()


amounts = st.integers(-(10**7), 10**7)


@settings(max_examples=60, deadline=None)
@given(
    profit=st.lists(st.tuples(amounts, amounts), min_size=4, max_size=4),
    liquid=st.lists(st.integers(0, 10**7), min_size=4, max_size=4),
    ratio=st.floats(0.5, 4.0),
)
def test_waterfalls_add_up_and_money_helps(profit: list[tuple[int, int]], liquid: list[int], ratio: float) -> None:
    """Goal: layers bear the loss exactly; those with money stand. Method: random profits, money and volatility."""
    book = small_book(tuple(liquid))
    values = np.zeros((4, 4), np.int64)
    values[:, (HKSCC, HKCC)] = profit
    result = run_defaults(book, values, FUNDS, StressRules(), ratio)
    for house in result.houses:
        if house.waterfall is not None:
            used = sum(layer.used for layer in house.waterfall.layers)
            assert used + house.waterfall.uncovered == house.waterfall.loss
            assert house.gains_cut <= house.waterfall.uncovered
    standing = ~result.calls.defaulted
    assert (result.calls.needed[standing] <= result.calls.liquid[standing]).all()
    rich = run_defaults(replace(book, liquid=book.liquid + 10**9), values, FUNDS, StressRules(), ratio)
    assert not rich.calls.defaulted.any()


def test_joint_margin_moves_credit_to_free_money() -> None:
    """Goal: credit is margin not called, so it stays with the account. Method: sums before and after."""
    book = small_book()
    joint = with_credit(book)
    assert int(joint.margin.sum() + joint.liquid.sum()) == int(book.margin.sum() + book.liquid.sum())
    assert not joint.credit.any()


def test_free_money_is_cut_to_a_multiple_of_margin() -> None:
    """Goal: own accounts answer for all a participant's margin, clients for their own. Method: multiple one half."""
    book = with_liquidity(small_book((10**6,) * 4), 5_000)
    assert book.liquid.tolist() == [(130 + 200) // 2, 200 // 2, 230 // 2, 230 // 2]
    with pytest.raises(Rejected, match="negative"):
        with_liquidity(book, -1)


def test_a_book_that_contradicts_itself_is_refused() -> None:
    """Goal: nothing is stressed on a broken book. Method: a wrong shape, an unknown line, credit above margin."""
    book = small_book()
    for change in (
        {"liquid": np.zeros(3, np.int64)},
        {"position_line": np.full(book.position_line.size, 9, np.int32)},
        {"credit": book.margin + 1},
        {"notional": np.full(book.notional.size, 2**51)},
    ):
        with pytest.raises(Rejected):
            replace(book, **change)
