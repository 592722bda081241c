"""The trades of one simulated day, drawn column by column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.clearing.trades import MODE_CNS, MODE_DVP, MODE_ISOLATED, Trades
from tsingma.reference.book import (
    KINDS,
    MARKETS,
    AccountClass,
    InstrumentKind,
    Market,
    ParticipantKind,
    ReferenceBook,
    ResolvedBook,
)
from tsingma.simulate.shape import MarketShape

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_MORNING_S = (9 * 3600 + 1800, 12 * 3600)
_AFTERNOON_S = (13 * 3600, 16 * 3600)
_LOTS_MAX = 5_000
_MAINLAND = (MARKETS.index(Market.XSHG), MARKETS.index(Market.XSHE))


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who trades what, as cumulative weights: fixed for a market, so that every day has the same leaders."""

    house_account: Int64  # per broker, in order of rank
    client_account: Int64
    broker_weight: Float64  # cumulative, ends at 1
    link_account: int
    groups: dict[str, tuple[Int64, Float64]]  # "hong-kong", "mainland", "bond" -> counters, cumulative weights
    lot: Int64
    tick_e4: Int64


def crowd(book: ReferenceBook, resolved: ResolvedBook, shape: MarketShape) -> Crowd:
    """Return the weights of brokers and counters: both fall like a power of rank (Zipf)."""
    brokers = [
        firm.code
        for firm in book.participants
        if firm.kind in (ParticipantKind.DIRECT_CLEARING, ParticipantKind.GENERAL_CLEARING)
    ]
    account = resolved.account_index
    market = np.array([MARKETS.index(counter.market) for counter in book.counters])
    base = 1.0 / np.arange(1, len(book.counters) + 1) ** shape.instruments.zipf_exponent
    yuan_line = np.array([not counter.settlement_counter for counter in book.counters])
    base[yuan_line] = base[np.flatnonzero(yuan_line) - 1] * shape.instruments.dual_counter_share
    groups = {}
    for name, chosen in (
        ("hong-kong", market == MARKETS.index(Market.XHKG)),
        ("mainland", np.isin(market, _MAINLAND)),
        ("bond", market == MARKETS.index(Market.CMU)),
    ):
        counters = np.flatnonzero(chosen).astype(np.int64)
        if counters.size:
            groups[name] = (counters, _cumulative(base[counters]))
    ranks = np.arange(1, len(brokers) + 1)
    return Crowd(
        house_account=np.array([account[code, AccountClass.HOUSE] for code in brokers], np.int64),
        client_account=np.array([account[code, AccountClass.CLIENT] for code in brokers], np.int64),
        broker_weight=_cumulative(1.0 / ranks**shape.participants.zipf_exponent),
        link_account=account["CHINACLEAR", AccountClass.HOUSE],
        groups=groups,
        lot=np.array([counter.lot for counter in book.counters], np.int64),
        tick_e4=np.array([counter.tick_e4 for counter in book.counters], np.int64),
    )


def day_trades(
    crowd_: Crowd,
    resolved: ResolvedBook,
    shape: MarketShape,
    day: int,
    count: int,
    opening_e4: Int64,
    closing_e4: Int64,
    chance: np.random.Generator,
    *,
    links_open: bool,
) -> Trades:
    """Return ``count`` trades of one day between opening and closing prices (per counter, e4).

    ``links_open`` says whether both sides of the Stock Connect links trade; without it there are no link trades.
    """
    counter = _counters(crowd_, shape, count, chance, links_open=links_open)
    market = resolved.counter_market[counter]
    mainland = np.isin(market, _MAINLAND)
    bond = market == MARKETS.index(Market.CMU)
    buyer, seller = _parties(crowd_, shape, count, chance)
    linked = mainland | ((chance.random(count) < shape.trading.southbound_share) & ~bond & links_open)
    side = chance.random(count) < 0.5
    buyer[linked & side] = crowd_.link_account
    seller[linked & ~side] = crowd_.link_account
    mode = np.full(count, MODE_CNS, np.int8)
    mode[~mainland & ~linked & (chance.random(count) < shape.trading.isolated_share)] = MODE_ISOLATED
    mode[bond] = MODE_DVP
    time, price = _times_and_prices(crowd_, counter, opening_e4, closing_e4, chance)
    lots = np.minimum(
        np.ceil(shape.trading.median_lots * np.exp(chance.normal(0, shape.trading.size_sigma, count))), _LOTS_MAX
    )
    return Trades(
        source=f"simulated {day}",
        trade_day=day,
        trade_id=np.arange(1, count + 1, dtype=np.int64),
        time_s=time,
        counter=counter.astype(np.int32),
        buyer=buyer.astype(np.int32),
        seller=seller.astype(np.int32),
        quantity=lots.astype(np.int64) * crowd_.lot[counter],
        price_e4=price,
        mode=mode,
        maker=_makers(shape, resolved, counter, chance),
    )


def _cumulative(weight: npt.NDArray[np.floating]) -> Float64:
    total = np.cumsum(weight, dtype=np.float64)
    shares: Float64 = total / total[-1]
    return shares


def _draw(cumulative: Float64, count: int, chance: np.random.Generator) -> Int64:
    return np.minimum(np.searchsorted(cumulative, chance.random(count)), cumulative.size - 1).astype(np.int64)


def _counters(crowd_: Crowd, shape: MarketShape, count: int, chance: np.random.Generator, *, links_open: bool) -> Int64:
    shares = {
        "mainland": shape.trading.northbound_share if links_open and "mainland" in crowd_.groups else 0.0,
        "bond": shape.trading.bond_share if "bond" in crowd_.groups else 0.0,
    }
    group = chance.random(count)
    counter = np.empty(count, np.int64)
    edge = 0.0
    rest = np.ones(count, np.bool_)
    for name, share in shares.items():
        here = (group >= edge) & (group < edge + share)
        edge += share
        rest &= ~here
        if here.any():
            counters, weight = crowd_.groups[name]
            counter[here] = counters[_draw(weight, int(here.sum()), chance)]
    counters, weight = crowd_.groups["hong-kong"]
    counter[rest] = counters[_draw(weight, int(rest.sum()), chance)]
    return counter


def _parties(crowd_: Crowd, shape: MarketShape, count: int, chance: np.random.Generator) -> tuple[Int64, Int64]:
    buying = _draw(crowd_.broker_weight, count, chance)
    selling = _draw(crowd_.broker_weight, count, chance)
    crossed = chance.random(count) < shape.trading.cross_share
    selling[crossed] = buying[crossed]
    sides = []
    for broker in (buying, selling):
        client = chance.random(count) < shape.participants.client_share
        sides.append(np.where(client, crowd_.client_account[broker], crowd_.house_account[broker]))
    return sides[0], sides[1]


def _times_and_prices(
    crowd_: Crowd, counter: Int64, opening_e4: Int64, closing_e4: Int64, chance: np.random.Generator
) -> tuple[npt.NDArray[np.int32], Int64]:
    """Times crowd towards open and close; prices go from opening to closing with a little noise, on the tick."""
    morning = _MORNING_S[1] - _MORNING_S[0]
    length = morning + _AFTERNOON_S[1] - _AFTERNOON_S[0]
    elapsed = np.sort(chance.beta(0.7, 0.7, counter.size) * (length - 1)).astype(np.int64)
    time = np.where(elapsed < morning, _MORNING_S[0] + elapsed, _AFTERNOON_S[0] + elapsed - morning)
    share = elapsed / length
    path = opening_e4[counter] * (1 - share) + closing_e4[counter] * share
    tick = crowd_.tick_e4[counter]
    price = np.rint(path * np.exp(chance.normal(0, 0.0015, counter.size)) / tick).astype(np.int64) * tick
    return time.astype(np.int32), np.maximum(price, tick)


def _makers(
    shape: MarketShape, resolved: ResolvedBook, counter: Int64, chance: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Market-maker flags: one side at most, in ETFs and in renminbi counters of dual-counter stocks only."""
    yuan_line = resolved.settlement_counter[resolved.counter_security[counter]] != counter
    made = yuan_line | (resolved.counter_kind[counter] == KINDS.index(InstrumentKind.ETF))
    flagged = made & (chance.random(counter.size) < shape.trading.maker_share)
    return np.where(flagged, chance.integers(1, 3, counter.size), 0).astype(np.int8)
