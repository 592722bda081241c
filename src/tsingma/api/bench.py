"""A bench for work that takes a processor a while: few at once, few that wait, the rest are asked to come again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from litestar.exceptions import TooManyRequestsException

from tsingma.app.serve_settings import LimitsSection

AT_ONCE, WAITING_MAX = LimitsSection().questions_at_once, LimitsSection().questions_waiting
WAIT_SECONDS_MAX = 10.0


class Bench:
    """Places for work in threads, so that it can neither take the machine nor all threads of the server."""

    def __init__(self, at_once: int = AT_ONCE, waiting_max: int = WAITING_MAX) -> None:
        """Start free."""
        self._places = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._waiting, self._waiting_max = 0, waiting_max

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place; raises 429 when too many wait, or none became free in time."""
        with self._lock:
            if self._waiting >= self._waiting_max:
                raise _come_again()
            self._waiting += 1
        try:
            got = self._places.acquire(timeout=WAIT_SECONDS_MAX)
        finally:
            with self._lock:
                self._waiting -= 1
        if not got:
            raise _come_again()
        try:
            yield
        finally:
            self._places.release()


def _come_again() -> TooManyRequestsException:
    return TooManyRequestsException("too many ask for work that takes long", headers={"Retry-After": "2"})
