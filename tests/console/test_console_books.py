"""A member's books against plain sums over the house: obligations, holdings, the pledge proposed."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from console_house import Served
from story import Story

from tsingma.app.holding_reads import holdings_of
from tsingma.app.obligation_reads import obligations_of
from tsingma.app.pledge_proposals import proposals_of
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.engine.house import House
from tsingma.journal import commands as do
from tsingma.margin.resources.collateral import E4

MANY = 10_000


def plain(house: House) -> dict[tuple[str, str, str, str], int]:
    """Return what is to be received less what is to be delivered by (day, account, asset, basis), one by one."""
    book, sums = house.resolved, defaultdict(int)
    today, lines = str(to_date(house.position.day)), house.settlement.positions
    for k in range(lines.key.size):
        name = book.account_name(int(lines.account[k]))
        sums[today, name, book.securities[int(lines.security[k])], "net"] += int(lines.open[k])
    for k in range(lines.money_key.size):
        name, money = book.account_name(int(lines.money_account[k])), CURRENCIES[int(lines.money_currency[k])]
        sums[today, name, money, "net"] -= int(lines.due_cents[k] - lines.settled_cents[k])
    for number in house.obligations.days:
        day, due = str(to_date(number)), house.obligations.due(number)
        for k in range(len(due)):
            counter, name = book.book.counters[int(due.counter[k])], book.account_name(int(due.account[k]))
            sums[day, name, counter.isin, "net"] += int(due.quantity[k])
            sums[day, name, str(counter.currency), "net"] -= int(due.amount_cents[k])
    table = house.settlement.instructions.table
    for k in range(len(house.settlement.instructions)):
        row: dict[str, Any] = {name: int(column[k]) for name, column in table.items()}
        if row["status"] in (2, 4):
            continue
        day = str(to_date(row["intended_day"]))
        giver, taker = book.account_name(row["deliverer"]), book.account_name(row["receiver"])
        asset, money = book.asset_name(row["asset"]), book.asset_name(row["against"])
        sums[day, giver, asset, "gross"] -= row["open_quantity"]
        sums[day, taker, asset, "gross"] += row["open_quantity"]
        sums[day, giver, money, "gross"] += row["amount_cents"]
        sums[day, taker, money, "gross"] -= row["amount_cents"]
    return {key: total for key, total in sums.items() if total}


def test_obligations_are_what_a_plain_sum_says(console: Served) -> None:
    """Goal: nothing is left out or counted twice. Method: every line against sums in Python; each member's own part."""

    def compare(house: House, at: int) -> None:
        found = obligations_of(house, at, "", 0, MANY).items
        told = {(one.day, one.account, one.asset, one.basis): one.to_receive - one.to_deliver for one in found}
        assert {key: total for key, total in told.items() if total} == plain(house)
        assert all(not (one.to_receive and one.to_deliver) for one in found if one.basis == "net")
        mine = [one for who in ("A", "B", "C", "D") for one in obligations_of(house, at, who, 0, MANY).items]
        members = [one for one in found if one.account.split("/")[0] in ("A", "B", "C", "D")]
        assert sorted(mine, key=repr) == sorted(members, key=repr)
        pages, cursor = [], 0
        while cursor is not None:
            page = obligations_of(house, at, "", cursor, 3)
            pages, cursor = pages + page.items, page.next
        assert pages == found

    console.service.read(compare)


def test_holdings_are_the_ledger(console: Served) -> None:
    """Goal: balance = available + on hold + pledged, of every row that has something. Method: sums with the ledger."""

    def compare(house: House, at: int) -> None:
        found = holdings_of(house, at, "", 0, MANY)
        assert found.lines == len(found.items) == int((house.ledger.balance != 0).sum())
        assert all(one.balance == one.available + one.held + one.pledged for one in found.items)
        assert sum(one.balance for one in found.items) == 0
        own = holdings_of(house, at, "A", 0, 1)
        assert own.items[0].account.startswith("A/")
        assert own.next == 1

    console.service.read(compare)


def test_the_pledge_covers_the_call_with_the_least_value() -> None:
    """Goal: what is proposed is there, covers at the haircuts, and is least. Method: C has USD and CNY for 300 HKD.

    HKSCC takes USD at 0.7 % and CNY at 2.6 % (collateral.toml): of USD alone 300 / 0.993 is 302.11, rounded up 303.
    """
    told = Story()
    told.give("C", "CNY", 100_000)
    told.give("C", "USD", 10_000)
    told.tell(do.CallMargin("test", pack([told.account("C")], "i4"), pack([30_000], "i8")))
    (one,) = proposals_of(told.house, "C")
    assert (one.account, one.calls, one.refused) == ("C/HOUSE", (("HKSCC", 300),), "")
    usd = next(pledge for pledge in one.pledges if pledge.asset == "USD")
    assert (usd.available, usd.haircut_e4) == (780, 70)
    assert all(pledge.lendable == pledge.value * (E4 - pledge.haircut_e4) // E4 for pledge in one.pledges)
    assert one.lendable >= 300
    assert 303 <= one.pledged <= 308  # whole dollars are pledged, at most a dollar an asset and one more too many
    assert usd.value >= 302
    assert proposals_of(told.house, "A") == ()


def test_too_little_is_said_with_the_call(console: Served) -> None:
    """Goal: who cannot cover is told what for. Method: C of the served house has shares only; B has covered."""
    assert [
        (one.calls, bool(one.refused)) for one in console.service.read(lambda house, _at: proposals_of(house, "C"))
    ] == [((("HKSCC", 300),), True)]
    assert console.service.read(lambda house, _at: proposals_of(house, "B")) == ()
    assert "HK$300.00" in console.get("operator", "/console/calls?participant=C").text


def test_what_pledging_costs_decides_what_is_pledged(console: Served) -> None:
    """Goal: the cheapest by the reader's own costs. Method: USD at 5 % a year, CNY at 1: CNY is pledged."""
    told = Story()
    told.give("C", "CNY", 100_000)
    told.give("C", "USD", 10_000)
    told.tell(do.CallMargin("test", pack([told.account("C")], "i4"), pack([30_000], "i8")))
    (one,) = proposals_of(told.house, "C", {"USD": 500, "CNY": 100})
    main = max(one.pledges, key=lambda pledge: pledge.value)
    assert (main.asset, main.haircut_e4) == ("CNY", 260)
    assert one.lendable >= 300
    assert one.cost_a_year in (3, 4)  # 1 % of 308 and a few dollars
    for text, status in (("3.5", 200), ("-1", 400), ("100", 400), ("1.234", 400), ("x", 400), ("\u0663", 400)):
        answer = console.get("operator", f"/console/calls?participant=C&cost_HKD={text}")
        assert answer.status_code == status, text
