"""A day's orders over one direction of a link, invented from a seed, and the trades that pass its checks.

Orders go through the house's own checks (sessions, quota, holdings, client ids) as commands; what is accepted is traded
at its limit. New shares are subscribed and allotted: everyone gets the same share of what was asked for, in whole lots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from tsingma.app.link_book import DirectionBook, LinkBook
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken
from tsingma.clearing.trades import Trades
from tsingma.engine.house import FX_UNIT_E6
from tsingma.journal.commands import Command
from tsingma.journal.events import Event
from tsingma.journal.link_order_commands import (
    CloseLinkOrders,
    LinkDayTerms,
    MapClients,
    OpenLinkOrders,
    RouteOrders,
    TakeHoldingsSnapshot,
    UseQuota,
)
from tsingma.journal.link_order_events import LinkOrdersClosed, OrdersRouted, QuotaUsed
from tsingma.links import results
from tsingma.links.day_terms import day_terms, direction_of
from tsingma.links.rule_file import shipped_rules
from tsingma.links.rule_rows import LinkRules, PreTradeCheck, Product, QuotaKind, SessionKind, rows_on

Int64 = npt.NDArray[np.int64]
Once = Callable[[str, Callable[[], Command]], Event]

BUY, SELL, EXECUTION = 0, 1, 2
BUY_SHARE = 0.6
LOTS_MAX = 20
MULTIPLIER = 10  # of a future
SWAP_PAR_E4 = 1_000_000  # a swap's order is of notional: its limit is a spread over par in ticks
ALLOTTED = (2, 5)  # of what is subscribed for new shares
CONTRACTS = {Product.FUTURE, Product.SWAP}  # no securities: held against a quota of notional
CLEARING_LIMIT = "clearing-limit"
_WAITING_ROOMS = (SessionKind.INPUT, SessionKind.OPENING_AUCTION, SessionKind.CLOSING_AUCTION)


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders of one direction in order of time: columns int64 [n]; ``holder`` is who is behind, ``account`` whose."""

    side: Int64
    time_s: Int64
    account: Int64
    holder: Int64
    counter: Int64
    quantity: Int64
    price_e4: Int64
    product: tuple[Product, ...]

    @property
    def size(self) -> int:
        """Number of orders."""
        return int(self.side.size)

    @property
    def is_swap(self) -> npt.NDArray[np.bool_]:
        """Which orders are of swaps, bool [n]."""
        return np.array([product is Product.SWAP for product in self.product], np.bool_)

    def cents(self, quantity: Int64) -> Int64:
        """Return what a quantity of each order is worth at its limit, cents of the market; notional of swaps."""
        contracts = np.array([MULTIPLIER if product is Product.FUTURE else 1 for product in self.product], np.int64)
        price_e4 = np.where(self.is_swap, SWAP_PAR_E4, self.price_e4)
        worth: Int64 = quantity * price_e4 * contracts // 100
        return worth


@dataclass(slots=True)
class Routed:
    """What became of a direction's orders: those accepted, how many were refused and why, and what quota is left."""

    accepted: npt.NDArray[np.bool_]
    traded: Int64  # quantity of each order that was traded
    refused: dict[str, int]
    quota: dict[str, int]  # cents, and what is left of them
    note: str = ""


def invent_orders(
    book: LinkBook,
    one: DirectionBook,
    terms: LinkDayTerms,
    close_e4: Int64,
    each: int,
    chance: np.random.Generator,
) -> Orders:
    """Return ``each`` orders for every product of a direction, spread over its sessions of trading."""
    rows: list[tuple[int, int, int, int, int, int, int, Product]] = []
    for product, counters in one.counters.items():
        for _ in range(each):
            account = one.home[int(chance.integers(len(one.home)))]
            holders = one.under[account]
            counter = counters[int(chance.integers(len(counters)))]
            listed = book.resolved.book.counters[counter]
            price = int(close_e4[counter]) + int(chance.integers(-3, 4)) * listed.tick_e4
            buys = product is Product.NEW_SHARE or chance.random() < BUY_SHARE
            rows.append(
                (
                    BUY if buys else SELL,
                    _moment(terms, chance),
                    account,
                    holders[int(chance.integers(len(holders)))],
                    counter,
                    int(chance.integers(1, LOTS_MAX + 1)) * listed.lot,
                    int(close_e4[counter]) if product is Product.NEW_SHARE else max(price, listed.tick_e4),
                    product,
                )
            )
    rows.sort(key=lambda row: row[1])
    sides, times, owners, behind, listed_at, units, limits = (
        np.array([row[place] for row in rows], np.int64) for place in range(7)
    )
    return Orders(sides, times, owners, behind, listed_at, units, limits, tuple(row[7] for row in rows))


def _moment(terms: LinkDayTerms, chance: np.random.Generator) -> int:
    """Return a second of the day at which orders are traded."""
    windows = [(one.start_s, one.end_s) for one in terms.sessions if one.kind not in _WAITING_ROOMS]
    start, end = windows[int(chance.integers(len(windows)))] if windows else (36_000, 43_200)
    return int(chance.integers(start, end))


def terms_of(rules: LinkRules, one: DirectionBook, day: date, fx_e6: tuple[int, ...]) -> tuple[LinkDayTerms, str]:
    """Return what a direction's orders are held against on a day, and whose quota it is when it is another link's.

    ``fx_e6`` is HKD per unit of each currency x 1,000,000: a net-buy quota is converted to the money of the orders.
    Raises Rejected when the direction does not trade on the day, or shares the quota of a link that does not ship.
    """
    source, name, note = rules, one.plan.name, ""
    direction = direction_of(rules, name)
    if direction.quota_of:
        link, _, name = direction.quota_of.partition("/")
        source, note = shipped_rules(link), f"routed over {direction.quota_of}, whose quota it shares"
        direction = direction_of(source, name)
    quotas = rows_on(direction.quotas, day)
    unit = next((quota.currency for quota in quotas if quota.kind is QuotaKind.DAILY_NET_BUY), one.plan.currency)
    rate = fx_e6[CURRENCIES.index(one.plan.currency)] * FX_UNIT_E6 // fx_e6[CURRENCIES.index(unit)]
    return day_terms(source, name, day, fx_e6=rate), note


def map_clients(book: LinkBook, one: DirectionBook, terms: LinkDayTerms) -> MapClients:
    """Return the command that maps every lowest holder's client id at its participant."""
    owner = book.resolved.account_participant
    pairs = sorted((int(owner[account]), leaf + 1) for account, leaves in one.under.items() for leaf in leaves)
    participant, client = zip(*pairs, strict=True)
    return MapClients(terms.link, pack(np.array(participant), "i4"), pack(np.array(client), "i8"))


def holdings_snapshot(book: LinkBook, terms: LinkDayTerms, held: dict[tuple[int, int], int]) -> TakeHoldingsSnapshot:
    """Return the command that fixes what participants may sell; ``held`` is units by (account, counter)."""
    owner = book.resolved.account_participant
    keys = sorted(held)
    columns = {
        "participant": ([int(owner[account]) for account, _ in keys], "i4"),
        "investor": ([0] * len(keys), "i8"),
        "counter": ([counter for _, counter in keys], "i4"),
        "quantity": ([held[key] for key in keys], "i8"),
    }
    packed = {name: pack(np.array(values, np.int64), kind) for name, (values, kind) in columns.items()}
    return TakeHoldingsSnapshot(terms.link, terms.direction, **packed)


def route(
    once: Once, book: LinkBook, one: DirectionBook, orders: Orders, terms: LinkDayTerms, fx_e6: tuple[int, ...],
    held: dict[tuple[int, int], int], clears: Callable[[Orders, Int64], npt.NDArray[np.bool_]] | None = None,
) -> Routed:  # fmt: skip
    """Send a direction's orders through the house's checks and trade what is accepted.

    ``held`` is what accounts may sell, units by (account, counter): the snapshot before the open. Contracts go to no
    order book of securities: they are held against the quota of notional alone. ``clears`` says which of the trades the
    clearing houses take; what they do not take gives its quota back.
    """
    name = one.plan.name
    once(f"{name}/open-orders", lambda: OpenLinkOrders(terms))
    codes = np.zeros(orders.size, np.int64)
    left: dict[str, int] = {}
    securities = not CONTRACTS & set(orders.product)
    if securities and terms.pre_trade != PreTradeCheck.NONE:
        once(f"{name}/snapshot", lambda: holdings_snapshot(book, terms, held))
    if securities:
        routed = once(f"{name}/orders", lambda: _new_orders(book, terms, orders))
        if isinstance(routed, OrdersRouted):
            codes = np.frombuffer(routed.results, np.int8).astype(np.int64)
    if any(quota.kind != QuotaKind.DAILY_NET_BUY for quota in terms.quotas):
        passed = np.flatnonzero(codes == results.ACCEPTED)
        used = once(f"{name}/quota", lambda: _use(one, orders, terms, fx_e6, passed, orders.quantity))
        if isinstance(used, QuotaUsed):
            codes[passed] = np.frombuffer(used.results, np.int8)
            left.update(used.left_cents)
    accepted = codes == results.ACCEPTED
    traded = _traded(orders, accepted)
    refused_there = 0
    if clears is not None:
        taken = clears(orders, traded)
        refused_there = int((accepted & ~taken).sum())
        traded = np.where(taken, traded, 0)
    unfilled = np.flatnonzero(accepted & ((orders.side == BUY) | orders.is_swap) & (traded < orders.quantity))
    if left and unfilled.size:  # what was not allotted comes back, and with it its share of the quota
        back = once(f"{name}/quota-back", lambda: _use(one, orders, terms, fx_e6, unfilled, traded - orders.quantity))
        if isinstance(back, QuotaUsed):
            left.update(back.left_cents)
    if securities:
        done = once(f"{name}/executions", lambda: _executions(terms, orders, traded))
        if isinstance(done, OrdersRouted) and done.accepted != int((traded > 0).sum()):
            raise InvariantBroken(
                f"{name}: {done.accepted} of {int((traded > 0).sum())} trades of accepted orders taken"
            )
    closed = once(f"{name}/close-orders", lambda: CloseLinkOrders(terms.link, terms.direction))
    if isinstance(closed, LinkOrdersClosed) and any(q.kind == QuotaKind.DAILY_NET_BUY for q in terms.quotas):
        left[QuotaKind.DAILY_NET_BUY] = closed.figures["balance_e4"] // 100
    words, counts = np.unique(codes[~accepted], return_counts=True)
    refused = {results.word(int(code)): int(count) for code, count in zip(words, counts, strict=True)}
    if refused_there:
        refused[CLEARING_LIMIT] = refused_there
    return Routed(accepted, traded, refused, {str(kind): cents for kind, cents in left.items()})


def _traded(orders: Orders, accepted: npt.NDArray[np.bool_]) -> Int64:
    """Return the quantity of each order that trades: all of what is accepted, a share of it where it is allotted."""
    traded = np.where(accepted, orders.quantity, 0)
    allotted = np.array([product is Product.NEW_SHARE for product in orders.product], np.bool_)
    part, whole = ALLOTTED
    lot = 100
    traded[allotted] = traded[allotted] * part // whole // lot * lot
    return traded


def _use(
    one: DirectionBook, orders: Orders, terms: LinkDayTerms, fx_e6: tuple[int, ...], chosen: Int64, quantity: Int64
) -> UseQuota:
    """Return the flows of the chosen orders in the money of the quota, out for buys and back for sells.

    ``quantity`` of an order is negative where what went out comes back.
    """
    rate, unit = fx_e6[CURRENCIES.index(one.plan.currency)], fx_e6[CURRENCIES.index(terms.currency)]
    cents = np.sign(quantity) * np.maximum(orders.cents(np.abs(quantity)) * rate // unit, 1)
    signed = np.where(orders.side == BUY, cents, -cents)[chosen]
    channel = np.zeros(chosen.size, np.int64)
    investor = pack(orders.holder[chosen] + 1, "i8")
    return UseQuota(terms.link, terms.direction, investor, pack(channel, "i1"), pack(signed, "i8"))


def _new_orders(book: LinkBook, terms: LinkDayTerms, orders: Orders) -> RouteOrders:
    owner = book.resolved.account_participant[orders.account].astype(np.int64)
    return _messages(
        terms, kind=orders.side, order=np.arange(orders.size), time_s=orders.time_s, participant=owner,
        client=orders.holder + 1, counter=orders.counter, quantity=orders.quantity, price_e4=orders.price_e4,
    )  # fmt: skip


def _executions(terms: LinkDayTerms, orders: Orders, traded: Int64) -> RouteOrders:
    rows = np.flatnonzero(traded > 0)
    zero = np.zeros(rows.size, np.int64)
    last = int(orders.time_s.max()) if orders.size else 0
    return _messages(
        terms, kind=np.full(rows.size, EXECUTION), order=rows, time_s=np.full(rows.size, last), participant=zero,
        client=zero, counter=zero, quantity=traded[rows], price_e4=orders.price_e4[rows],
    )  # fmt: skip


def _messages(terms: LinkDayTerms, **columns: Int64) -> RouteOrders:
    kinds = {
        "kind": "i1", "order": "i8", "time_s": "i4", "participant": "i4", "client": "i8", "counter": "i4",
        "quantity": "i8", "price_e4": "i8",
    }  # fmt: skip
    packed = {name: pack(columns[name], kind) for name, kind in kinds.items()}
    investor = pack(np.zeros(columns["kind"].size, np.int64), "i8")
    return RouteOrders(terms.link, terms.direction, investor=investor, **packed)


def trades_of(
    book: LinkBook, one: DirectionBook, orders: Orders, routed: Routed, day: date, first_id: int
) -> tuple[Trades, Int64]:
    """Return the trades of a direction that settle in the books, and the lowest holder behind each."""
    rows = np.flatnonzero((routed.traded > 0) & ~np.array([p in CONTRACTS for p in orders.product], np.bool_))
    other = np.array(one.other, np.int64)[np.arange(rows.size) % len(one.other)]
    buys = orders.side[rows] == BUY
    mode = one.plan.rule.mode_numbers[0]
    trades = Trades(
        source=f"{book.plan.name}/{one.plan.name}, simulated",
        trade_day=to_day(day),
        trade_id=np.arange(first_id, first_id + rows.size, dtype=np.int64),
        time_s=orders.time_s[rows].astype(np.int32),
        counter=orders.counter[rows].astype(np.int32),
        buyer=np.where(buys, orders.account[rows], other).astype(np.int32),
        seller=np.where(buys, other, orders.account[rows]).astype(np.int32),
        quantity=routed.traded[rows],
        price_e4=orders.price_e4[rows],
        mode=np.full(rows.size, mode, np.int8),
        maker=np.zeros(rows.size, np.int8),
    )
    return trades, orders.holder[rows]
