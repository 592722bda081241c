"""A standby that will serve: it keeps both sessions of a service warm and hands them over when the writer is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date

from tsingma.app.house_service import HouseService, open_day
from tsingma.app.session import Session, open_store
from tsingma.app.standby import TakeOver, open_standby, stand_by
from tsingma.basics.clock import Clock

Taken = Callable[[HouseService, TakeOver], None]
Failed = Callable[[BaseException], None]


class _Ended(Exception):
    """The standby was told to end before it took over."""


class ServingStandby:
    """Follows a house on PostgreSQL in a thread of its own until it takes it over, once."""

    def __init__(
        self, house: str, clock: Clock, *, lease_seconds: float, poll_seconds: float, day: date | None = None
    ) -> None:
        """Open both sessions to read; raises Rejected as ``open_standby`` does. ``day`` is opened after taking over."""
        self._house, self._clock, self._poll_seconds, self._day = house, clock, poll_seconds, day
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self.writer = open_standby(house, lambda _id, _sequence: None, lease_seconds)
        try:
            self._follower = Session.open(house, read_only=True)
        except BaseException:
            self.writer.close()
            raise
        self._handed_over = False

    def start(self, taken: Taken, failed: Failed) -> None:
        """Follow from now on; one of the two is called at the end, in the standby's thread, unless it is closed."""
        self._thread = threading.Thread(target=self._run, args=(taken, failed), name="standby", daemon=True)
        self._thread.start()

    def sequence(self) -> int:
        """Return the number of the last record that was carried out."""
        return self.writer.sequencer.sequence

    def close(self) -> None:
        """Stop following; sessions that were not handed over are closed."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        if not self._handed_over:
            self._follower.close()
            self.writer.close()

    def _run(self, taken: Taken, failed: Failed) -> None:
        try:
            told = stand_by(self.writer, self._clock, poll_seconds=self._poll_seconds, sleep=self._wait)
            open_day(self.writer, self._day)
            service = HouseService(self.writer, self._follower, open_store(self._house, read_only=True))
            service.place = self._house
            self._handed_over = True
            taken(service, told)
        except _Ended:
            return
        except BaseException as error:  # noqa: BLE001 - whoever serves is told, and ends the process
            failed(error)

    def _wait(self, seconds: float) -> None:
        self._follower.sequencer.catch_up()
        if self._end.wait(seconds):
            raise _Ended
