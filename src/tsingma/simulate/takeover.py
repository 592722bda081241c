"""A standby beside the writer, and a lease that only one of them has: what a takeover may and may not do.

The standby follows the journal; when the writer dies it goes on from where it stands. It may also take the lease while
the writer is only slow: then the writer's next commit must be refused whole, and it must stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tsingma.basics.rejection import Rejected
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.sequencer import Sequencer, Standing
from tsingma.engine.step import step
from tsingma.journal.record import Record
from tsingma.journal.store import Store
from tsingma.simulate.auditor import Violation
from tsingma.store.lease import taken_over


class Lease:
    """The right to write, by the number of its holder."""

    def __init__(self) -> None:
        """Start with the first holder."""
        self.epoch = 1


class LeasedStore:
    """A store that writes only while its holder has the lease; everything else is the store's own."""

    def __init__(self, store: Store, lease: Lease) -> None:
        """Hold the lease as it stands."""
        self._store, self._lease, self._epoch = store, lease, lease.epoch

    def __getattr__(self, name: str) -> Any:
        """Return what the store has."""
        return getattr(self._store, name)

    def append(self, records: Sequence[Record]) -> None:
        """Write the records; raises Rejected (not-allowed) when another has the lease."""
        if self._lease.epoch != self._epoch:
            raise taken_over("the simulated disk")
        self._store.append(records)


class Standby:
    """Where a second process stands in the journal, if there is one."""

    def __init__(self) -> None:
        """Start without one."""
        self.standing: Standing[House] | None = None

    def follow(self, store: Store, writer: Sequencer[House]) -> None:
        """Carry out what was appended since; raises Violation when the standby is not where the writer is."""
        standing = self.standing or Standing(House(), 0, bytes(32))
        sequencer = self._over(store, writer.standing() if self.standing is None else standing)
        sequencer.catch_up()
        if (sequencer.sequence, sequencer.head) != (writer.sequence, writer.head):
            raise Violation("a standby that has caught up stands at another record than the writer")
        if sequencer.state.digest() != writer.state.digest():
            raise Violation("a standby that has caught up is in another state than the writer")
        self.standing = Standing(sequencer.state, sequencer.sequence, sequencer.head)

    def take_over(self, store: Store) -> Sequencer[House]:
        """Return the standby as the writer, after it has carried out what is left; cold where there was none."""
        if self.standing is None:
            return Sequencer(store, House, step, step_all)
        sequencer = self._over(store, self.standing)
        self.standing = None
        sequencer.catch_up()
        return sequencer

    @staticmethod
    def _over(store: Store, standing: Standing[House]) -> Sequencer[House]:
        return Sequencer(store, House, step, step_all, standing)


def must_stop(writer: Sequencer[House], error: Rejected) -> None:
    """Raise Violation unless a writer that lost its lease has stopped for good."""
    try:
        writer.submit([])
    except Rejected:
        return
    raise Violation(f"a writer went on after another took its house ({error})")
