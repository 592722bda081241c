"""The days of a simulated market through an open house: what the demo and the stress run share."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tsingma.app.business_day import DayInput, DayRecord, DerivativeInput, run_day
from tsingma.app.house_margin import HouseMargin
from tsingma.app.progress import Progress
from tsingma.app.session import Session
from tsingma.basics.clock import Clock
from tsingma.journal.commands import ListSeries, LoadReference
from tsingma.margin.hkscc.parameters import Parameters
from tsingma.simulate.derivatives import DerivativeMarket
from tsingma.simulate.market import SimulatedMarket


def run_market(
    session: Session, market: SimulatedMarket, parameters: Parameters, clock: Clock, progress: Progress
) -> Iterator[tuple[DayRecord, DayInput, HouseMargin | None]]:
    """Load the market's book, deposits and series into the house, then run its days one by one."""
    session.once("reference", lambda: LoadReference(market.book))
    session.once("deposits", market.deposits)
    futures = DerivativeMarket(market)
    session.once("series", lambda: ListSeries(tuple(msgspec.structs.astuple(one) for one in futures.series)))
    for place, day in enumerate(market.days()):
        other = futures.day(place)
        traded = DerivativeInput(f"{market.label}, day {place + 1}", other.trades, other.price_e4, other.index_e4)
        entry = DayInput(day.date, day.trades, day.close_e4, day.fx_e6, traded)
        record, margin = run_day(session, entry, parameters, clock, progress)
        yield record, entry, margin
