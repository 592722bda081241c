"""Swaps over a link: cleared by the rule file, margined, marked in its money, lodged both ways, within the limit.

Method: whole days of the shipped file and of changed ones; figures against the house's own books.
"""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import msgspec
import pytest

from tsingma.app.house_derivatives import DerivativeMargin
from tsingma.app.house_margin import house_margin
from tsingma.app.house_swaps import house_rates, swap_margins
from tsingma.app.link_book import LinkBook, link_book
from tsingma.app.link_run import run_link
from tsingma.app.link_swaps import Swaps
from tsingma.app.parameter_file import build_parameters
from tsingma.app.session import Session
from tsingma.app.stress_book import stress_book
from tsingma.app.stress_rates import hkd_rates, with_rates
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.clearing.swaps import SERIES_MAX
from tsingma.links.machine import LinkPlan, plan_link
from tsingma.links.rule_file import read_rules, shipped_rules
from tsingma.links.rule_rows import LinkRules
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.margin.house.revaluation import Moves
from tsingma.simulate.market import simulate_market
from tsingma.store.memory import MemoryStore
from tsingma.stress.book import HOUSES, profits
from tsingma.stress.rates import CurveMove

LINK = "swap-connect"
AT = [str(house) for house in HOUSES].index("OTC Clear")


def limited(amount: int) -> LinkRules:
    """Return the shipped rules with another limit on what is lodged, whole renminbi."""
    rules = shipped_rules(LINK)
    risks = tuple(msgspec.structs.replace(row, limit=amount if row.limit else 0) for row in rules.risks)
    return msgspec.structs.replace(rules, risks=risks)


def test_swaps_are_novated_marked_margined_and_lodged() -> None:
    """Goal: a cleared day. Method: nothing is left out; investors against one account of the other house; what is
    lodged is the margin of that account, the same both ways; every evening collects what it pays, all in renminbi.
    """
    store = MemoryStore()
    found = run_link(shipped_rules(LINK), orders=30, session=Session(store))
    house = Session(store).house
    assert (found.faults, found.left_out) == ([], [])
    assert [row["day"] for row in found.swaps] == [row["day"] for row in found.days]
    for row in found.swaps:
        assert row["collected_CNY"] == row["paid_CNY"]
        assert set(row) <= {"day", "collected_CNY", "paid_CNY"}
    plan = plan_link(shipped_rules(LINK), date.fromisoformat(found.day))
    swaps = Swaps(_book(plan), date.fromisoformat(found.day), 1)
    called = swap_margins(house, swaps.curves)
    other = {key // SERIES_MAX for key in house.swaps.positions} - set(_book(plan).directions[0].home)
    assert len(other) == 1
    assert found.days[-1]["margin_called_HKD_cents"] == 100 * sum(
        amount for account, amount in called.items() if account not in other
    )
    (across,) = other
    lodged = found.days[-1]["lodged_cents"]
    assert len(lodged) == 2
    rate = hkd_rates(house)["CNY"]
    assert len(set(lodged.values())) == 1
    assert next(iter(lodged.values())) == pytest.approx(called[across] * 100 / rate, abs=1)
    notional = sum(abs(one.notional_cents) for key, one in house.swaps.positions.items() if key // SERIES_MAX != across)
    assert 0 < notional <= found.directions[0].bought_cents + found.directions[0].sold_cents


def _book(plan: LinkPlan) -> LinkBook:
    return link_book(shipped_rules(LINK), plan)


def test_the_clearing_limit_refuses_and_gives_the_quota_back() -> None:
    """Goal: what the houses would lodge stays within the limit. Method: a limit of RMB 100,000: some trades are
    refused, what is lodged is within it when trading stops, quota is used by the net of what was taken; the shipped
    limit refuses nothing and gives the same day as none.
    """
    found = run_link(limited(100_000), orders=30)
    one = found.directions[0]
    assert one.refused["clearing-limit"] > 0
    assert one.trades == 30 - sum(one.refused.values())
    assert 0 < max(found.lodged_at_close_cents.values()) <= 100_000_00
    (quota,) = one.quota_left_cents.values()
    assert quota == 45_000_000_000_00 - abs(one.net_buy_cents)
    free, shipped = run_link(limited(0), orders=30), run_link(shipped_rules(LINK), orders=30)
    assert "clearing-limit" not in shipped.directions[0].refused
    assert shipped == free


def test_without_a_row_of_swaps_they_are_held_against_their_quota_only() -> None:
    """Goal: older rule files run as before. Method: the row taken out."""
    rules = shipped_rules(LINK)
    (direction,) = rules.directions
    plain = msgspec.structs.replace(rules, directions=(msgspec.structs.replace(direction, swaps=()),))
    found = run_link(plain, orders=12)
    assert found.left_out == ["northbound: swap is not settled in this house"]
    assert (found.swaps, found.margin_at_close_hkd_cents) == ([], 0)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('curve = "USD.SOFR"\nmonths = [12]', "curve"),
        ('curve = "CNY.FR007"\nmonths = []', "months"),
        ('curve = "CNY.FR007"\nmonths = [361]', "months"),
        ('curve = "CNY.FR007"\nmonths = [12]\nfixed_months = 13', "fixed_months"),
    ],
)
def test_rows_of_swaps_that_cannot_be_are_refused(line: str, field: str) -> None:
    """Goal: a fault names its field. Method: the shipped file with one wrong row."""
    text = files("tsingma.links").joinpath("rules", f"{LINK}.toml").read_text(encoding="utf-8")
    wrong = text.replace('curve = "CNY.FR007"\nmonths = [12, 60]', line)
    assert wrong != text
    with pytest.raises(Rejected) as refused:
        read_rules(wrong.encode(), file="mine.toml")
    assert refused.value.rejections[0].field.endswith(field)


def test_a_houses_own_swaps_are_stressed() -> None:
    """Goal: what is cleared over the link loses when rates move. Method: the day's house as a stress book: margin is
    what was called at OTC Clear, a parallel move gains what it loses; without curves it is refused with what to do.
    """
    store = MemoryStore()
    found = run_link(shipped_rules(LINK), orders=30, session=Session(store))
    house, day = Session(store).house, date.fromisoformat(found.day)
    curves = Swaps(_book(plan_link(shipped_rules(LINK), day)), day, 1).curves
    parameters = build_parameters(simulate_market(1, date(2026, 1, 5), 1, 100).history, FilterSettings())
    plain = stress_book(house, house_margin(house, parameters), DerivativeMargin(house, parameters), ())
    rates = house_rates(house, curves)
    assert rates is not None
    with pytest.raises(Rejected) as refused:
        house_rates(house, ())
    assert refused.value.rejections[0].reason is RejectionReason.MISSING
    held = {name: lines for name, lines in rates.holdings.items() if name in plain.accounts}
    book = with_rates(plain, msgspec.structs.replace(rates, holdings=held), hkd_rates(house))
    assert book.margin[:, AT].sum() * 100 == found.days[-1]["margin_called_HKD_cents"]
    assert book.rates is not None
    sums = []
    for basis_points in (0.0, 45.0, -45.0):
        gains = book.rates.gains({"CNY": CurveMove(parallel=basis_points)}, 0.0)
        moves = Moves(horizon_days=5, returns={}, volatility_ratio={}, volatility={},
                      contracts={name: [gain] for name, gain in gains.items()})  # fmt: skip
        sums.append(int(profits(book, moves)[:, AT, 0].sum()))
    assert sums[0] == 0
    assert sums[1] * sums[2] < 0
    assert abs(sums[1]) > 10_000
