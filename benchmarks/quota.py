"""Quota in real time: messages a second through a link's order day, plain and compiled, and through a durable house.

    python benchmarks/quota.py [ORDERS]

A seeded day of Northbound Stock Connect (simulated): new orders, executions in part and at better prices, cancellations
and rejections, every one judged by what stood before it, with sessions, client ids and holdings checked. The plain twin
keeps dictionaries and Python integers, with running sums, and checks quota and holdings alone. The answers of all are
compared, code by code. Seconds are of one core (``process_time``); the durable line is wall clock, each batch flushed
to disk before it is answered.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from pathlib import Path

import numpy as np

from machine import best_of, describe, verdict
from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.journal import link_order_commands as link
from tsingma.journal.commands import LoadReference, OpenDay
from tsingma.journal.link_order_events import OrdersRouted
from tsingma.kernels import link_orders as kernel
from tsingma.links.day_terms import day_terms
from tsingma.links.order_day import Messages, OrderDay
from tsingma.links.pretrade import ClientIds, SegregatedAccounts
from tsingma.links.rule_file import shipped_rules
from tsingma.simulate.link_orders import SimulatedOrders, simulate_orders
from tsingma.simulate.market import simulate_market

DAY = date(2026, 1, 5)
GOAL_MESSAGES = 100_000
BATCH = 5_000
NAME, SIDE = "stock-connect-shanghai", "northbound"
TYPES = {"kind": "i1", "time_s": "i4", "participant": "i4", "counter": "i4"}
ROUTE = ("kind", "order", "time_s", "participant", "investor", "client", "counter", "quantity", "price_e4")


def main(orders: int) -> None:
    """Draw the day, run it four ways, compare the answers, print messages a second."""
    print(describe("numpy", "numba"))
    terms = day_terms(shipped_rules(NAME), SIDE, DAY)
    drawn = simulate_orders(
        terms, seed=1, orders=orders, value=120_000_000_000, buy_share=0.9, participants=20, securities=100
    )
    size = drawn.messages.kind.size
    _whole(terms, drawn, 1)  # compile
    answers: dict[str, np.ndarray] = {}

    def kept(name: str, run: Callable[[], np.ndarray]) -> Callable[[], None]:
        return lambda: answers.update({name: run()})

    compiled = best_of(kept("compiled", lambda: _whole(terms, drawn, 1)), 3, time.process_time)
    plain = best_of(kept("kernel in Python", lambda: _whole(terms, drawn, 10**12)), 1, time.process_time)
    twin = best_of(kept("dictionaries", lambda: _dictionaries(terms, drawn)), 1, time.process_time)
    answers["durable"], durable = _durable(terms, drawn)
    same = all((answers["compiled"] == other).all() for other in answers.values())
    refused = int((answers["compiled"] != kernel.ACCEPTED).sum())
    print(f"{size:,} messages of {orders:,} orders, {refused:,} refused, answers {'the same' if same else 'DIFFER'}")
    for name, seconds in (
        ("compiled kernel, all checks", compiled),
        ("the same kernel in Python", plain),
        ("dictionaries, quota and holdings", twin),
        (f"durable house, {BATCH:,} a commit", durable),
    ):
        print(f"  {name:<34}{seconds:8.3f} s {size / seconds:14,.0f} messages/s {orders / seconds:12,.0f} orders/s")
    goal = f"{GOAL_MESSAGES:,} orders a second, durable, the same answers"
    print(verdict(goal, same and orders / durable >= GOAL_MESSAGES))


def _whole(terms: link.LinkDayTerms, drawn: SimulatedOrders, least: int) -> np.ndarray:
    """Route the day in batches; ``least`` messages make the kernel worth compiling."""
    kernel.COMPILED_FROM_MESSAGES = least
    day, clients = OrderDay(terms), ClientIds()
    who, what = _holders(drawn)
    day.snapshot.take(who, np.zeros(who.size, np.int64), what, np.full(who.size, drawn.held, np.int64))
    people = np.arange(drawn.participants)
    clients.map(people, people + 1, terms.day - 1)
    found = [day.route(part, clients, SegregatedAccounts()) for part in _batches(drawn.messages)]
    day.close()
    return np.concatenate(found)


def _dictionaries(terms: link.LinkDayTerms, drawn: SimulatedOrders) -> np.ndarray:
    """Judge the day with dictionaries and running sums; no drawn order is entered outside a session."""
    quota = terms.quotas[0].amount_cents * 100
    sellable = {(p, s): drawn.held for p in range(drawn.participants) for s in range(drawn.securities)}
    book: dict[int, list[int]] = {}
    closed, codes = False, []
    hours = [(one.start_s, one.end_s, one.zero == "refuse-rest-of-day", one.cancels) for one in terms.sessions]
    m, place = drawn.messages, 0
    for kind, number, second, who, what, size, price in zip(
        m.kind.tolist(), m.order.tolist(), m.time_s.tolist(), m.participant.tolist(), m.security.tolist(),
        m.quantity.tolist(), m.price_e4.tolist(), strict=True,
    ):  # fmt: skip
        while second >= hours[place][1]:
            place += 1
        closes, cancels = hours[place][2:] if second >= hours[place][0] else (False, False)
        closed |= closes and quota <= 0
        code = kernel.ACCEPTED
        if kind == kernel.BUY:
            if closed or quota <= 0:
                code = kernel.QUOTA_CLOSED if closed else kernel.QUOTA_USED
            else:
                quota -= size * price
                closed |= closes and quota <= 0
                book[number] = [kind, size, price, who, what]
        elif kind == kernel.SELL:
            if sellable[who, what] < size:
                code = kernel.ABOVE_SNAPSHOT
            else:
                sellable[who, what] -= size
                book[number] = [kind, size, price, who, what]
        elif number not in book:
            code = kernel.NOT_OPEN
        elif kind == kernel.EXECUTION:
            order = book[number]
            quota += size * (order[2] - price) if order[0] == kernel.BUY else size * price
            order[1] -= size
            if not order[1]:
                del book[number]
        elif kind == kernel.CANCEL and not cancels:
            code = kernel.NO_CANCEL
        else:
            side, left, limit, holder, security = book.pop(number)
            if side == kernel.BUY:
                quota += left * limit
            else:
                sellable[holder, security] += left
        codes.append(code)
    return np.array(codes, np.int8)


def _durable(terms: link.LinkDayTerms, drawn: SimulatedOrders) -> tuple[np.ndarray, float]:
    """Route the day through a house on disk, a commit a batch; returns the codes and the seconds of the messages."""
    kernel.COMPILED_FROM_MESSAGES = 1
    market = simulate_market(1, DAY, 1, 100)
    people = pack(np.arange(drawn.participants), "i4")
    who, what = _holders(drawn)
    snapshot = link.TakeHoldingsSnapshot(
        NAME, SIDE, pack(who, "i4"), pack(np.zeros(who.size, np.int64), "i8"), pack(_counters(market, what), "i4"),
        pack(np.full(who.size, drawn.held), "i8"),
    )  # fmt: skip
    commands = [_command(part, market) for part in _batches(drawn.messages)]
    with tempfile.TemporaryDirectory() as folder, Session.open(Path(folder) / "house") as session:
        session.once("reference", lambda: LoadReference(market.book))
        session.once("friday", lambda: OpenDay(to_day(DAY) - 3))
        session.once("clients", lambda: link.MapClients(NAME, people, pack(np.arange(drawn.participants) + 1, "i8")))
        _next_day(session)
        session.once("open", lambda: link.OpenLinkOrders(terms))
        session.once("snapshot", lambda: snapshot)
        began = time.perf_counter()
        answers = [session.submit([(f"route/{i}", one)])[0].events[0] for i, one in enumerate(commands)]
        spent = time.perf_counter() - began
        session.once("close", lambda: link.CloseLinkOrders(NAME, SIDE))
    codes = [np.frombuffer(one.results, np.int8) for one in answers if isinstance(one, OrdersRouted)]
    return np.concatenate(codes), spent


def _next_day(session: Session) -> None:
    from tsingma.journal.commands import CloseDay, RunStep
    from tsingma.settlement.timetable import timetable

    for one in timetable():
        session.once(f"friday/{one.name}", lambda one=one: RunStep(one.name))
    session.once("friday/close", CloseDay)
    session.once("monday", lambda: OpenDay(to_day(DAY)))


def _counters(market: object, security: np.ndarray) -> np.ndarray:
    """Spread securities over the settlement counters of the simulated market: one counter each."""
    book = market.book  # type: ignore[attr-defined]
    settling = np.array([place for place, one in enumerate(book.counters) if one.settlement_counter])
    return settling[security]


def _command(part: Messages, market: object) -> link.RouteOrders:
    columns = {name: getattr(part, name) for name in ROUTE}
    columns["counter"] = _counters(market, part.security)
    return link.RouteOrders(NAME, SIDE, **{name: pack(columns[name], TYPES.get(name, "i8")) for name in ROUTE})


def _holders(drawn: SimulatedOrders) -> tuple[np.ndarray, np.ndarray]:
    who, what = (part.ravel() for part in np.meshgrid(np.arange(drawn.participants), np.arange(drawn.securities)))
    return who.astype(np.int64), what.astype(np.int64)


def _batches(messages: Messages) -> list[Messages]:
    names = [one.name for one in fields(messages)]
    return [
        Messages(**{name: getattr(messages, name)[start : start + BATCH] for name in names})
        for start in range(0, messages.kind.size, BATCH)
    ]


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 400_000)
