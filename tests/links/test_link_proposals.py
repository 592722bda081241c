"""The three proposals in full: goods netted and lodged for, futures marked and margined, new shares allotted."""

from __future__ import annotations

import numpy as np

from tsingma.app.link_run import run_link
from tsingma.app.session import Session
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.engine.house import House
from tsingma.journal.commands import CaptureTrades, LoadReference, decode
from tsingma.journal.link_commands import LodgeMargin
from tsingma.links.rule_file import shipped_rules
from tsingma.reference.kinds import InstrumentKind
from tsingma.settlement.reservation import ACTIVE
from tsingma.store.memory import MemoryStore

CNY = CURRENCIES.index("CNY")


def commands(store: MemoryStore, kind: type) -> list[object]:
    """Return the commands of one kind in a journal, in order."""
    return [found for found in (decode(record.body) for record in store.read()) if isinstance(found, kind)]


def test_goods_settle_net_and_margin_is_lodged_for_what_is_open() -> None:
    """Goal: warrants of goods clear, settle and are margined. Method: the journal's trades summed plainly by hand.

    Net per account and lot is what settles; a tenth of what is open at the close is lodged in renminbi, and comes back.
    """
    store = MemoryStore()
    found = run_link(shipped_rules("commodity-connect"), session=Session(store))
    (loaded,) = commands(store, LoadReference)
    book = loaded.book  # type: ignore[attr-defined]
    assert {counter.kind for counter in book.counters} == {InstrumentKind.COMMODITY}
    assert {counter.lot for counter in book.counters} == {1}, "one warrant is one lot"
    (taken,) = commands(store, CaptureTrades)
    columns = {
        name: np.frombuffer(getattr(taken, name), kind).astype(np.int64)
        for name, kind in (("buyer", "<i4"), ("seller", "<i4"), ("counter", "<i4"), ("quantity", "<i8"))
    }
    net: dict[tuple[int, int], int] = {}
    for buyer, seller, counter, quantity in zip(*(column.tolist() for column in columns.values()), strict=True):
        net[buyer, counter] = net.get((buyer, counter), 0) + quantity
        net[seller, counter] = net.get((seller, counter), 0) - quantity
    assert found.days[-1]["stock_settled"] == sum(abs(units) for units in net.values())
    across = next(
        place for place, one in enumerate(book.accounts) if one.participant == "SGE" and one.account_class == "CLIENT"
    )
    house = Session(store).house
    prices = _closes_of_the_day(store)
    hkd = sum(
        abs(units) * prices[counter] * house.fx_e6[CNY] // (10**6 * 10**4)
        for (who, counter), units in net.items()
        if who == across
    )
    lodged = [one.amount_cents for one in commands(store, LodgeMargin)]  # type: ignore[attr-defined]
    assert abs(lodged[0] - hkd * 10**8 // 10**9 * 100 * 10**6 // house.fx_e6[CNY]) <= 200, "whole HKD are lodged for"
    assert lodged[-1] == 0


def _closes_of_the_day(store: MemoryStore) -> list[int]:
    """Return the closing prices (e4) that were fixed on the second day of a journal."""
    from tsingma.journal.commands import SetClosingPrices

    fixed = commands(store, SetClosingPrices)[1]
    return np.frombuffer(fixed.price_e4, "<i8").tolist()  # type: ignore[attr-defined,no-any-return]


def test_futures_are_marked_in_their_money_and_margined_at_the_rules_rate() -> None:
    """Goal: losers pay what winners get, in renminbi; 12 % of notional is called. Method: recompute from the state."""
    store = MemoryStore()
    found = run_link(shipped_rules("futures-connect"), orders=60, session=Session(store))
    assert found.futures
    for mark in found.futures:
        assert mark["collected_CNY"] == mark["paid_CNY"] > 0
    house = Session(store).house
    called = _called(house)
    assert found.days[-1]["margin_called_HKD_cents"] == called * 100
    assert found.days[-1]["charges_cents"] == {}
    assert found.directions[0].charges_cents["CNY"] > 0
    levels = {row["holder"]: row["units"] for row in found.chains}
    across = next(place for place, one in enumerate(house.resolved.book.accounts) if one.participant == "CFFEX")
    contracts = dict(zip((house.derivatives.key // 2**20).tolist(), house.derivatives.quantity.tolist(), strict=True))
    assert set(levels.values()) == {-contracts[across]}, "what investors hold is what the other house owes them"


def _called(house: House) -> int:
    """Return 12 % of every member's notional in whole HKD, each series rounded up."""
    total = 0
    for key, quantity in zip(house.derivatives.key.tolist(), house.derivatives.quantity.tolist(), strict=True):
        account, place = divmod(key, 2**20)
        series = house.derivatives.series[place]
        price = int(house.price_e4[house.resolved.counter_index[series.underlying]])
        notional = abs(quantity) * series.multiplier * price * house.fx_e6[CNY] // (10**6 * 10**4)
        if not house.resolved.book.accounts[account].participant.startswith("CFFEX"):
            total += -(-notional * 12 // 100)
    return total


def test_new_shares_are_paid_from_what_was_set_aside_and_the_rest_comes_back() -> None:
    """Goal: subscription, allotment, delivery against payment, refund. Method: the sums of money and of the quota."""
    store = MemoryStore()
    found = run_link(shipped_rules("ipo-connect"), session=Session(store))
    (one,) = found.directions
    aside, paid = one.prefunded_cents["set aside CNY"], one.prefunded_cents["paid from it CNY"]
    assert 0 < paid < aside
    assert one.converted_cents == {"sold CNY": paid, "bought HKD": one.bought_cents}
    assert abs(10_000_000_000_00 - paid - one.quota_left_cents["daily-net-outflow"]) <= one.orders, "a cent an order"
    house = Session(store).house
    reservations = house.settlement.reservations.table
    assert reservations["amount"].sum() == aside
    assert not (reservations["status"] == ACTIVE).any()
    assert found.days[-1]["instructions_settled"] == one.trades
    units = {row["units"] for row in found.chains}
    assert units == {sum(_allotted(store))}
    assert str(to_date(house.position.day)) == "2026-01-07"


def _allotted(store: MemoryStore) -> list[int]:
    """Return the shares of every allotment in a journal; whole lots of 100."""
    (taken,) = commands(store, CaptureTrades)
    shares = np.frombuffer(taken.quantity, "<i8").tolist()  # type: ignore[attr-defined]
    assert all(quantity % 100 == 0 for quantity in shares)
    return [int(quantity) for quantity in shares]
