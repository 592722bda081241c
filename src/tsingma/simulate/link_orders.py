"""Seeded, simulated orders and flows over a link: for what-ifs, tests and benchmarks. Nothing here is measured.

Orders come more often near the open and the close; a part is executed in one or two pieces, often at a better price,
others are cancelled, rejected by the market, or stay. Prices and sizes are drawn, not those of any stock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.journal.link_order_commands import LinkDayTerms
from tsingma.kernels.link_orders import BUY, CANCEL, EXECUTION, REJECTION, SELL
from tsingma.links.order_day import Messages

Int64 = npt.NDArray[np.int64]

LOT = 100
CENT_E4 = 100
ORDERS_MAX = 5_000_000
WORTH_MAX = 10**14  # whole currency units of a day
# Shares of what becomes of orders: executed whole, executed in part and then cancelled, cancelled, rejected; else open.
FATES = (0.55, 0.15, 0.15, 0.02)


@dataclass(frozen=True, slots=True)
class SimulatedOrders:
    """Messages of a day in order of time, and what every participant holds of every security before the open."""

    messages: Messages
    participants: int
    securities: int
    held: int


def simulate_orders(
    terms: LinkDayTerms, *, seed: int, orders: int, value: int, buy_share: float, participants: int = 40,
    securities: int = 500,
) -> SimulatedOrders:  # fmt: skip
    """Return a day's messages: ``orders`` new orders worth ``value`` (whole currency) in all, and what becomes of them.

    Raises Rejected (out-of-range) for 0 or more than five million orders, or shares outside 0 to 1.
    """
    if not 0 < orders <= ORDERS_MAX or not 0 <= buy_share <= 1 or not 0 < value <= WORTH_MAX:
        message = f"{orders} orders of {value} in all, {buy_share} of them buys"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, remedy=f"1 to {ORDERS_MAX}, worth up to {WORTH_MAX}")
    chance = np.random.default_rng(seed)
    entered = _times(terms, orders, chance)
    price = chance.integers(200, 10_000, orders) * CENT_E4  # 2.00 to 99.99, whole cents
    worth = chance.lognormal(0.0, 1.0, orders)
    wanted = worth / worth.sum() * value * 10_000 / price
    quantity = np.maximum((wanted / LOT).astype(np.int64), 1) * LOT
    side = np.where(chance.random(orders) < buy_share, BUY, SELL)
    number = np.arange(orders, dtype=np.int64)
    blocks = [_block(side, number, entered, quantity, price), *_fates(chance, terms, side, entered, quantity, price)]
    kind, order, time_s, size, limit = (np.concatenate(column) for column in zip(*blocks, strict=True))
    place = np.lexsort((kind > SELL, time_s))
    who = chance.integers(0, participants, orders)
    what = chance.integers(0, securities, orders)
    sorted_order = order[place]
    messages = Messages(
        kind=kind[place], order=sorted_order, time_s=time_s[place], participant=who[sorted_order],
        investor=np.zeros(place.size, np.int64), client=who[sorted_order] + 1, counter=what[sorted_order],
        security=what[sorted_order], quantity=size[place], price_e4=limit[place],
    )  # fmt: skip
    return SimulatedOrders(
        messages, participants, securities, int(2 * quantity.sum() / participants / securities) + LOT
    )


def simulate_flows(
    terms: LinkDayTerms, *, seed: int, flows: int, value: int, out_share: float
) -> tuple[Int64, Int64, Int64, Int64]:
    """Return flows of a day (time in seconds, investor, channel, cents): ``value`` (whole currency) in all.

    There is an investor for every three flows.

    Raises Rejected (out-of-range) for 0 or more than five million flows, or shares outside 0 to 1.
    """
    if not 0 < flows <= ORDERS_MAX or not 0 <= out_share <= 1 or not 0 < value <= WORTH_MAX:
        message = f"{flows} flows of {value} in all, {out_share} of them out"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, remedy=f"1 to {ORDERS_MAX}, worth up to {WORTH_MAX}")
    chance = np.random.default_rng(seed)
    time_s = _times(terms, flows, chance)
    worth = chance.lognormal(0.0, 1.0, flows)
    cents = np.maximum((worth / worth.sum() * value * 100).astype(np.int64), 1)
    sign = np.where(chance.random(flows) < out_share, 1, -1)
    channels = max([1, *(one.channels for one in terms.quotas)])
    return time_s, chance.integers(1, flows // 3 + 2, flows), chance.integers(0, channels, flows), cents * sign


def _times(terms: LinkDayTerms, count: int, chance: np.random.Generator) -> Int64:
    """Return times of entry in order, within the sessions, thicker at both ends of the day."""
    seconds = np.concatenate([np.arange(one.start_s, one.end_s) for one in terms.sessions])
    place = (chance.beta(0.7, 0.8, count) * seconds.size).astype(np.int64)
    return np.sort(seconds[np.minimum(place, seconds.size - 1)]).astype(np.int64)


def _block(kind: Int64, order: Int64, time_s: Int64, quantity: Int64, price: Int64) -> tuple[Int64, ...]:
    return kind.astype(np.int64), order, time_s.astype(np.int64), quantity.astype(np.int64), price.astype(np.int64)


def _fates(
    chance: np.random.Generator, terms: LinkDayTerms, side: Int64, entered: Int64, quantity: Int64, price: Int64
) -> list[tuple[Int64, ...]]:
    """Return the messages that follow the orders: executions, cancellations, rejections, each later than its order."""
    draw = chance.random(side.size)
    whole, part, cancelled, rejected = (
        np.flatnonzero((draw >= low) & (draw < high))
        for low, high in zip((0, *np.cumsum(FATES)[:-1]), np.cumsum(FATES), strict=True)
    )
    last = terms.sessions[-1].end_s - 1
    delay = chance.exponential(120.0, side.size).astype(np.int64) + 1
    first_time, second_time = np.minimum(entered + delay, last), np.minimum(entered + 2 * delay, last)
    better = chance.integers(0, 3, side.size) * CENT_E4 * np.where(side == BUY, -1, 1)
    traded = price + better
    some = np.maximum(quantity // (2 * LOT), 1) * LOT
    rest = quantity - some
    left = whole[rest[whole] > 0]
    fates = [
        (EXECUTION, whole, first_time, some, traded),
        (EXECUTION, left, second_time, rest, traded),
        (EXECUTION, part, first_time, some, traded),
        (CANCEL, part, second_time, rest, price),
        (CANCEL, cancelled, first_time, quantity, price),
        (REJECTION, rejected, np.minimum(entered + 1, last), quantity, price),
    ]
    return [
        _block(np.full(chosen.size, kind), chosen, when[chosen], size[chosen], at[chosen])
        for kind, chosen, when, size, at in fates
    ]
