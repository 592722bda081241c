"""The moment a read is about: now, after a record of the journal (``at``), or at the end of a business day (``on``)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, TypeVar

from litestar.di import NamedDependency
from litestar.params import QueryParameter

from tsingma.api.bench import Bench
from tsingma.app.as_of import AsOf
from tsingma.app.house_service import HouseService
from tsingma.app.journal_index import JournalIndex
from tsingma.basics.dates import to_day
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House

T = TypeVar("T")
RECORD_MAX = 2**53


class Look:
    """Reads a house at one moment; of earlier ones few at a time."""

    def __init__(
        self, service: HouseService, past: AsOf, index: JournalIndex, bench: Bench, at: int | None, on: date | None
    ) -> None:
        """Keep the moment; what is wrong with it is said by the first read."""
        self._service, self._past, self._index, self._bench = service, past, index, bench
        self._at, self._on = at, on

    def read(self, question: Callable[[House, int], T]) -> T:
        """Return what ``question`` finds at the moment, and the record it is true as of; raises Rejected, 429."""
        if self._at is None and self._on is None:
            return self._service.read(question)
        with self._bench.place():
            return self._past.read(self._record(), question)

    def _record(self) -> int:
        if self._at is not None and self._on is not None:
            raise refuse(RejectionReason.CONFLICT, "at and on are two moments", field="on", remedy="give one of them")
        if self._on is not None:
            self._at, self._on = self._index.last_record(to_day(self._on)), None
        return self._at or 0


def give_look(
    service: NamedDependency[HouseService],
    past: NamedDependency[AsOf],
    index: NamedDependency[JournalIndex],
    bench: NamedDependency[Bench],
    at: Annotated[
        int | None, QueryParameter(ge=0, le=RECORD_MAX, description="as of this record of the journal")
    ] = None,
    on: Annotated[date | None, QueryParameter(description="as of the last record of this business day")] = None,
) -> Look:
    """Return the moment a request asks about."""
    return Look(service, past, index, bench, at, on)


Looking = NamedDependency[Look]
