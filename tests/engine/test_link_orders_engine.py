"""Orders over a link through the engine: checks before trading, a day from open to close, state, refusals."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from clearing_book import A_CLIENT, MONDAY, book

from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason
from tsingma.engine.house import House
from tsingma.engine.sequencer import Sequencer
from tsingma.engine.step import step
from tsingma.journal import link_order_commands as c
from tsingma.journal.commands import CloseDay, Command, LoadReference, OpenDay, RunStep, decode, encode
from tsingma.journal.events import Accepted, Refused
from tsingma.journal.link_order_events import HoldingsSnapshotTaken, LinkOrdersClosed, OrdersRouted, QuotaUsed
from tsingma.links.day_terms import day_terms
from tsingma.links.results import word
from tsingma.links.rule_file import shipped_rules
from tsingma.settlement.timetable import timetable
from tsingma.store.memory import MemoryStore

LINK, NORTH = "stock-connect-shanghai", "northbound"
BROKER, OTHER = 4, 5  # participants A and B
MOUTAI = 2  # counter 600519
INVESTOR, CLIENT = 4_600_001, 1_234_567_890
MORNING = 9 * 3_600 + 35 * 60  # 09:35, continuous auction
ROW = ("kind", "order", "time_s", "participant", "investor", "client", "counter", "quantity", "price_e4")
TYPES = {"kind": "i1", "time_s": "i4", "participant": "i4", "counter": "i4"}


def _ok(house: House, command: Command) -> Any:
    answer = step(house, decode(encode(command)))
    assert isinstance(answer, Accepted), answer
    return answer.events[0]


def _end_day(house: House) -> None:
    """Run the timetable and close the business day."""
    for one in timetable():
        _ok(house, RunStep(one.name))
    _ok(house, CloseDay())


def _no(house: House, command: Command) -> RejectionReason:
    before = house.digest()
    answer = step(house, command)
    assert isinstance(answer, Refused), answer
    assert house.digest() == before
    return answer.rejections[0].reason


def _terms(day: int = MONDAY) -> c.LinkDayTerms:
    return day_terms(shipped_rules(LINK), NORTH, to_date(day))


def _route(*rows: dict[str, int]) -> c.RouteOrders:
    given = {"client": CLIENT, "participant": BROKER, "counter": MOUTAI, "time_s": MORNING, "price_e4": 10_000}
    columns = {name: pack([row.get(name, given.get(name, 0)) for row in rows], TYPES.get(name, "i8")) for name in ROW}
    return c.RouteOrders(LINK, NORTH, **columns)


def _words(event: Any) -> list[str]:
    assert isinstance(event, OrdersRouted)
    return [word(code) for code in event.results]


def _friday() -> House:
    """Return a house in which ids and an investor were registered on the day before."""
    house = House()
    _ok(house, LoadReference(book()))
    _ok(house, OpenDay(MONDAY - 3))
    _ok(house, c.MapClients(LINK, pack([BROKER, OTHER], "i4"), pack([CLIENT, CLIENT], "i8")))
    _ok(house, c.RegisterInvestor(LINK, INVESTOR, A_CLIENT, (BROKER,)))
    _end_day(house)
    return house


def _monday(quantity: int = 500) -> House:
    """Return a house on Monday before the open, with 500 shares of the broker and 300 of the investor."""
    house = _friday()
    _ok(house, OpenDay(MONDAY))
    _ok(house, c.OpenLinkOrders(_terms()))
    taken = _ok(house, _snapshot((BROKER, 0, quantity), (-1, INVESTOR, 300)))
    assert taken == HoldingsSnapshotTaken(2, quantity + 300)
    return house


def _snapshot(*rows: tuple[int, int, int]) -> c.TakeHoldingsSnapshot:
    participant, investor, quantity = (list(column) for column in zip(*rows, strict=True))
    counter = pack([MOUTAI] * len(rows), "i4")
    return c.TakeHoldingsSnapshot(
        LINK, NORTH, pack(participant, "i4"), pack(investor, "i8"), counter, pack(quantity, "i8")
    )


def test_checks_before_trading() -> None:
    """Goal: snapshot by participant and by segregated account, designated brokers, client ids by T-1.

    Method: sells on both sides of each check; a cancelled sell gives its shares back.
    """
    house = _monday()
    sell, spsa = {"kind": 1}, {"kind": 1, "investor": INVESTOR}
    event = _ok(house, _route(
        {**sell, "order": 0, "quantity": 501},
        {**sell, "order": 1, "quantity": 500},
        {**sell, "order": 2, "quantity": 1},
        {"kind": 3, "order": 1},
        {**sell, "order": 3, "quantity": 400},
        {**spsa, "order": 4, "quantity": 300},
        {**spsa, "order": 5, "quantity": 1},
        {**spsa, "order": 6, "quantity": 1, "participant": OTHER},
        {**spsa, "order": 7, "quantity": 1, "investor": 99},
        {**sell, "order": 8, "quantity": 1, "client": 77},
        {**sell, "order": 9, "quantity": 1, "participant": OTHER},
        {"kind": 0, "order": 10, "quantity": 1, "client": 0},
    ))  # fmt: skip
    assert _words(event) == [
        "above-snapshot", "accepted", "above-snapshot", "accepted", "accepted", "accepted", "above-snapshot",
        "not-designated", "unknown-investor", "no-client-id", "above-snapshot", "no-client-id",
    ]  # fmt: skip


def test_a_client_id_mapped_today_counts_from_tomorrow() -> None:
    """Goal: mapping by T-1 (investor id model of 2018). Method: map on Monday, buy on Monday and on Tuesday."""
    house = _monday()
    _ok(house, c.MapClients(LINK, pack([BROKER], "i4"), pack([42], "i8")))
    assert _words(_ok(house, _route({"kind": 0, "quantity": 1, "client": 42}))) == ["no-client-id"]
    _ok(house, c.CloseLinkOrders(LINK, NORTH))
    _end_day(house)
    _ok(house, OpenDay(MONDAY + 1))
    _ok(house, c.OpenLinkOrders(_terms(MONDAY + 1)))
    assert _words(_ok(house, _route({"kind": 0, "quantity": 1, "client": 42}))) == ["accepted"]


def test_quota_starts_anew_each_day_and_the_day_is_proved() -> None:
    """Goal: no carry-over. Method: use 1 bn on Monday, close with an open order, look at Tuesday's balance."""
    house = _monday()
    bought = _ok(house, _route(
        {"kind": 0, "order": 0, "quantity": 10**9}, {"kind": 2, "order": 0, "quantity": 4 * 10**8, "price_e4": 9_900},
    ))  # fmt: skip
    assert bought.balance_e4 == 52 * 10**13 - 10**13 + 4 * 10**8 * 100
    closed = _ok(house, c.CloseLinkOrders(LINK, NORTH))
    assert isinstance(closed, LinkOrdersClosed)
    assert closed.figures["balance_e4"] == 52 * 10**13 - 4 * 10**8 * 9_900
    assert (closed.figures["orders_lapsed"], closed.figures["orders_open"]) == (1, 0)
    _end_day(house)
    _ok(house, OpenDay(MONDAY + 1))
    _ok(house, c.OpenLinkOrders(_terms(MONDAY + 1)))
    assert house.link_orders.day(LINK, NORTH).balance_e4 == 52 * 10**13


def test_state_survives_a_dump_in_mid_day() -> None:
    """Goal: snapshot plus tail gives the same hash. Method: dump and load between two batches, go on with both."""
    house = _monday()
    _ok(house, _route({"kind": 0, "order": 0, "quantity": 5}, {"kind": 1, "order": 1, "quantity": 200}))
    other = House.load(house.dump())
    assert other.digest() == house.digest()
    more = _route(
        {"kind": 3, "order": 1}, {"kind": 1, "order": 2, "quantity": 501}, {"kind": 2, "order": 0, "quantity": 5}
    )
    assert _ok(house, more) == _ok(other, more)
    assert other.digest() == house.digest()


def test_a_replayed_journal_gives_the_same_state() -> None:
    """Goal: replay from zero and from a snapshot. Method: a day through the sequencer, opened again from its store."""
    store = MemoryStore()
    sequencer = Sequencer(store, House, step)
    commands = [
        LoadReference(book()), OpenDay(MONDAY), c.MapClients(LINK, pack([BROKER], "i4"), pack([CLIENT], "i8")),
        c.OpenLinkOrders(day_terms(shipped_rules("commodity-connect"), NORTH, to_date(MONDAY))),
        c.OpenLinkOrders(_terms()), _snapshot((BROKER, 0, 9)), _route({"kind": 1, "quantity": 9, "client": 0}),
        _route({"kind": 0, "order": 1, "quantity": 5}), c.CloseLinkOrders(LINK, NORTH),
    ]  # fmt: skip
    for place, command in enumerate(commands):
        assert isinstance(sequencer.submit([(f"c{place}", command)])[0], Accepted), command
        if place == 6:
            sequencer.snapshot()
    again = Sequencer(store, House, step)
    assert (again.head, again.state.digest()) == (sequencer.head, sequencer.state.digest())
    assert again.state.link_orders.any_open() == ["commodity-connect/northbound"]


def test_an_older_dump_has_no_links() -> None:
    """Goal: snapshots of before load. Method: a house that never used a link dumps nothing of it."""
    house = House()
    _ok(house, LoadReference(book()))
    assert not [name for name in house.dump() if name.startswith("link_orders")]


def test_what_the_engine_refuses() -> None:
    """Goal: a refused command changes nothing. Method: one fault each, digest before and after."""
    house = _friday()
    assert _no(house, c.OpenLinkOrders(_terms())) is RejectionReason.NOT_ALLOWED  # no day is open
    assert _no(house, _route({"kind": 0, "quantity": 1})) is RejectionReason.NOT_ALLOWED
    house = _monday()
    assert _no(house, c.OpenLinkOrders(_terms())) is RejectionReason.NOT_ALLOWED  # open already
    assert _no(house, c.RegisterInvestor(LINK, 7, A_CLIENT, (99,))) is RejectionReason.UNKNOWN
    assert _no(house, c.RegisterInvestor(LINK, 7, A_CLIENT, (4, 4))) is RejectionReason.DUPLICATE
    assert _no(house, c.RegisterInvestor(LINK, INVESTOR, 0, (4,))) is RejectionReason.CONFLICT
    assert _no(house, c.MapClients(LINK, pack([4, 4], "i4"), pack([5, 10**10], "i8"))) is RejectionReason.OUT_OF_RANGE
    assert _no(house, c.MapClients(LINK, pack([99], "i4"), pack([5], "i8"))) is RejectionReason.UNKNOWN
    assert _no(house, _snapshot((BROKER, 0, 5), (BROKER, 0, 6))) is RejectionReason.DUPLICATE
    assert _no(house, _snapshot((-1, 99, 5))) is RejectionReason.UNKNOWN
    assert _no(house, _route({"kind": 5})) is RejectionReason.UNKNOWN
    assert _no(house, _route({"kind": 0, "counter": 50})) is RejectionReason.UNKNOWN
    assert _no(house, _route({"kind": 0, "time_s": 90_000})) is RejectionReason.MALFORMED
    _ok(house, _route({"kind": 0, "quantity": 1}))
    assert _no(house, _snapshot((BROKER, 0, 5))) is RejectionReason.NOT_ALLOWED  # orders were taken
    assert _no(house, _route({"kind": 3, "time_s": MORNING - 1})) is RejectionReason.MALFORMED
    _ok(house, c.CloseLinkOrders(LINK, NORTH))
    assert _no(house, c.CloseLinkOrders(LINK, NORTH)) is RejectionReason.NOT_ALLOWED
    assert _no(house, c.OpenLinkOrders(_terms())) is RejectionReason.NOT_ALLOWED  # a day is opened once


@pytest.mark.parametrize("many", [20, 21])
def test_at_most_twenty_designated_brokers(many: int) -> None:
    """Goal: 20 brokers an account (HKEX). Method: a book of 30 participants; 20 are taken, 21 refused."""
    small = book()
    extra = tuple(
        type(small.participants[0])(code=f"P{i}", name=f"P{i}", kind=small.participants[4].kind) for i in range(30)
    )
    house = House()
    _ok(
        house,
        LoadReference(
            type(small)(counters=small.counters, participants=(*small.participants, *extra), accounts=small.accounts)
        ),
    )
    _ok(house, OpenDay(MONDAY))
    _ok(house, c.OpenLinkOrders(_terms()))
    command = c.RegisterInvestor(LINK, INVESTOR, A_CLIENT, tuple(range(6, 6 + many)))
    if many <= 20:
        _ok(house, command)
    else:
        assert _no(house, command) is RejectionReason.LIMIT


def test_flows_answer_each_for_itself() -> None:
    """Goal: net outflow through the journal's commands. Method: Southbound bonds beyond RMB 20 bn on one day."""
    house = _friday()
    _ok(house, OpenDay(MONDAY))
    _ok(house, c.OpenLinkOrders(day_terms(shipped_rules("bond-connect"), "southbound", date(2026, 1, 5))))
    used = _ok(house, c.UseQuota(
        "bond-connect", "southbound", pack([1, 2, 1], "i8"), pack([0, 0, 0], "i1"), pack([2 * 10**12, 1, -1], "i8"),
    ))  # fmt: skip
    assert isinstance(used, QuotaUsed)
    assert [word(code) for code in used.results] == ["accepted", "over-daily", "accepted"]
    assert used.left_cents["daily-net-outflow"] == 1
