"""Routes of the books beside instructions: holdings, obligations, trades, payments, collateral, defaults."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from tsingma.api.bench import Bench
from tsingma.api.guard import access
from tsingma.api.listing import LISTS, Listed, ListOperation
from tsingma.api.moments import Looking
from tsingma.api.permissions import Action, Resource
from tsingma.api.reading import MOMENT, Code, Number, Reached, Status
from tsingma.app import collateral_reads, payment_reads, trade_reads
from tsingma.app.default_reads import DefaultLine, DefaultLines, defaults_of
from tsingma.app.holding_reads import HoldingLine, Holdings, holdings_of
from tsingma.app.journal_index import JournalIndex
from tsingma.app.obligation_reads import Obligation, Obligations, obligations_of
from tsingma.basics.dates import to_day

Index = NamedDependency[JournalIndex]
OnDay = Annotated[date | None, QueryParameter(description="of this business day; left out: of the day of the house")]


@get(
    "/holdings",
    opt=access(Resource.HOLDINGS, Action.READ),
    sync_to_thread=True,
    responses=LISTS,
    operation_class=ListOperation,
)
def holdings(listing: Listed, reach: Reached, participant: Code = "") -> Holdings:
    """Return what accounts hold in custody and in money: on hold, pledged, available, and at which depository."""
    mine = reach.participant(participant)
    return listing.answer(HoldingLine, lambda house, at, cursor, limit: holdings_of(house, at, mine, cursor, limit))


@get(
    "/obligations",
    opt=access(Resource.OBLIGATIONS, Action.READ),
    sync_to_thread=True,
    responses=LISTS,
    operation_class=ListOperation,
)
def obligations(listing: Listed, reach: Reached, participant: Code = "") -> Obligations:
    """Return what accounts have to receive and to deliver by settlement day: net with the house, and gross."""
    mine = reach.participant(participant)
    return listing.answer(Obligation, lambda house, at, cursor, limit: obligations_of(house, at, mine, cursor, limit))


@get(
    "/trades",
    opt=access(Resource.TRADES, Action.READ),
    sync_to_thread=True,
    responses=LISTS,
    operation_class=ListOperation,
)
def trades(
    listing: Listed, index: Index, bench: NamedDependency[Bench], reach: Reached, participant: Code = "",
    day: OnDay = None
) -> trade_reads.TradeSides:  # fmt: skip
    """Return the trades of a day, one's own side of each; overseers see both sides."""
    mine = reach.participant(participant)
    asked = to_day(day) if day is not None else listing.read(lambda house, _at: house.position.day)
    with bench.place():
        found = trade_reads.trades_of_records(index.trades(asked)) if asked else None
    return listing.answer(
        trade_reads.TradeSide,
        lambda house, at, cursor, limit: trade_reads.trades_page(house, at, found, mine, cursor, limit),
    )


@get(
    "/payments",
    opt=access(Resource.PAYMENTS, Action.READ),
    sync_to_thread=True,
    responses=LISTS,
    operation_class=ListOperation,
)
def payments(
    listing: Listed, reach: Reached, participant: Code = "", status: Status = ""
) -> payment_reads.PaymentStates:
    """Return the gross payments of the day that one's accounts pay or get, in order of their numbers."""
    mine = reach.participant(participant)
    return listing.answer(
        payment_reads.PaymentState,
        lambda house, at, cursor, limit: payment_reads.payments_of(house, at, mine, status, cursor, limit),
    )


@get("/payments/{payment:int}", opt=access(Resource.PAYMENTS, Action.READ), sync_to_thread=True, responses=MOMENT)
def payment(look: Looking, reach: Reached, payment: Number) -> payment_reads.PaymentState:
    """Return one payment of the day."""
    owners = look.read(lambda house, _at: payment_reads.parties_of_payment(house, payment))
    reach.require(owners, f"payment {payment}")
    return look.read(lambda house, _at: payment_reads.payment_state(house, payment))


@get(
    "/collateral",
    opt=access(Resource.COLLATERAL, Action.READ),
    sync_to_thread=True,
    responses=LISTS,
    operation_class=ListOperation,
)
def collateral(listing: Listed, reach: Reached, participant: Code = "") -> collateral_reads.PoolLines:
    """Return what accounts have in the pool of collateral, for whom it counts, and its value after haircut."""
    mine = reach.participant(participant)
    return listing.answer(
        collateral_reads.PoolLine,
        lambda house, at, cursor, limit: collateral_reads.pool_lines(house, at, mine, cursor, limit),
    )


@get(
    "/collateral/calls",
    opt=access(Resource.COLLATERAL, Action.READ),
    sync_to_thread=True,
    responses=LISTS,
    operation_class=ListOperation,
)
def collateral_calls(listing: Listed, reach: Reached, participant: Code = "") -> collateral_reads.PoolCalls:
    """Return what takers call of the pool, what covers it, and what is short."""
    mine = reach.participant(participant)
    return listing.answer(
        collateral_reads.PoolCall,
        lambda house, at, cursor, limit: collateral_reads.pool_calls(house, at, mine, cursor, limit),
    )


@get(
    "/defaults",
    opt=access(Resource.DEFAULTS, Action.READ),
    sync_to_thread=True,
    responses=LISTS,
    operation_class=ListOperation,
)
def defaults(listing: Listed, reach: Reached, participant: Code = "") -> DefaultLines:
    """Return suspensions and defaults: how each stands since when, what is open and owed, and which layer bore what."""
    mine = reach.participant(participant)
    return listing.answer(DefaultLine, lambda house, at, cursor, limit: defaults_of(house, at, mine, cursor, limit))


ROUTES = (holdings, obligations, trades, payments, payment, collateral, collateral_calls, defaults)
