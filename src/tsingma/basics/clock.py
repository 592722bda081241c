"""The one place that reads the machine's clock; everything else takes a Clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Tells elapsed and wall time; injected, so that a run can be repeated."""

    def now_ns(self) -> int:
        """Return nanoseconds since 1970-01-01 UTC."""
        ...

    def elapsed_ns(self) -> int:
        """Return a monotonic count of nanoseconds, for durations only."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Return nanoseconds since 1970-01-01 UTC."""
        return time.time_ns()

    def elapsed_ns(self) -> int:
        """Return a monotonic count of nanoseconds, for durations only."""
        return time.perf_counter_ns()


class FixedClock:
    """A clock that stands still until it is moved; for tests and simulation."""

    def __init__(self, start_ns: int = 0) -> None:
        """Start at ``start_ns`` nanoseconds."""
        self._ns = start_ns

    def now_ns(self) -> int:
        """Return the time it was set to."""
        return self._ns

    def elapsed_ns(self) -> int:
        """Return the time it was set to."""
        return self._ns

    def advance(self, nanoseconds: int) -> None:
        """Move the clock forward."""
        self._ns += nanoseconds
