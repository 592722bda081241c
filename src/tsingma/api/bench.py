"""A bench for work that takes a processor a while: few at once, few that wait, the rest are asked to come again.

Nobody takes all of it: one owner of keys has half of the places, those in which one waits among them.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, TypeVar

from litestar.exceptions import TooManyRequestsException

from tsingma.api.budget import held
from tsingma.app.serve_settings import LimitsSection

AT_ONCE, WAITING_MAX = LimitsSection().questions_at_once, LimitsSection().questions_waiting
WAIT_SECONDS_MAX = 10.0
T = TypeVar("T")


class Bench:
    """Places for work in threads, so that it can neither take the machine nor all threads of the server."""

    def __init__(self, at_once: int = AT_ONCE, waiting_max: int = WAITING_MAX) -> None:
        """Start free."""
        self._places = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._waiting, self._waiting_max = 0, waiting_max
        self._of_one_max = max((at_once + waiting_max) // 2, 1)
        self._of: Counter[str] = Counter()
        self._workers = ThreadPoolExecutor(at_once + waiting_max, thread_name_prefix="bench")

    async def work(self, function: Callable[..., T], *given: Any) -> T:
        """Return what a function answers at a place of the bench; raises 429 as ``place`` does, and what it raises.

        It waits in threads of the bench's own: those of others are not kept from what is quick.
        """
        context = copy_context()

        def worked() -> T:
            with self.place():
                return function(*given)

        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, lambda: context.run(worked))

    def close(self) -> None:
        """Begin nothing more."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place; raises 429 when too many wait, all or of one owner, or none became free in time."""
        hold = held()
        owner = hold.owner if hold is not None else ""
        with self._lock:
            if self._waiting >= self._waiting_max or (owner and self._of[owner] >= self._of_one_max):
                raise _come_again()
            self._waiting += 1
            self._of[owner] += 1
        try:
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
        finally:
            with self._lock:
                self._of[owner] -= 1
                if not self._of[owner]:
                    del self._of[owner]


def _come_again() -> TooManyRequestsException:
    return TooManyRequestsException("too many ask for work that takes long", headers={"Retry-After": "2"})
