"""Routes of the business days: those the house has had, with the steps run, and the timetable in force."""

from __future__ import annotations

import msgspec
from litestar import get

from tsingma.api.books import Index
from tsingma.api.guard import access
from tsingma.api.permissions import Action, Resource
from tsingma.api.problems import responses
from tsingma.api.reading import Cursor, Limit, Service
from tsingma.app.journal_index import DayRecord
from tsingma.settlement.timetable import timetable as steps_of


class Days(msgspec.Struct, frozen=True):
    """A page of the house's business days, the newest first; the cursor counts them."""

    items: list[DayRecord]
    next: int | None


class Step(msgspec.Struct, frozen=True):
    """A step of the timetable: ``time`` in Hong Kong, whether it was run today, and what its time rests on."""

    step: str
    time: str
    kind: str
    was_run: bool
    assumed: bool
    source: str


class Timetable(msgspec.Struct, frozen=True):
    """The steps of a business day in order of time."""

    items: list[Step]
    at: int


@get("/days", opt=access(Resource.DAY, Action.READ), sync_to_thread=True, responses=responses())
def days(index: Index, cursor: Cursor = 0, limit: Limit = 100) -> Days:
    """Return the house's business days with the records that opened and closed them and the steps run."""
    found = index.days()
    end = cursor + limit
    return Days(found[cursor:end], end if end < len(found) else None)


@get("/timetable", opt=access(Resource.DAY, Action.READ), sync_to_thread=True, responses=responses())
def timetable(service: Service) -> Timetable:
    """Return the timetable of the house's markets, and which steps were run today."""
    markets = service.book.markets
    run, at = service.read(lambda house, at: (frozenset(house.position.steps_run), at))
    return Timetable(
        [Step(one.name, one.time, one.kind, one.name in run, one.assumed, one.source) for one in steps_of(markets)], at
    )


ROUTES = (days, timetable)
