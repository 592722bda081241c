"""The process of a faulty run: a house over a disk that fails, opened, stopped, killed, or taken over by a standby."""

from __future__ import annotations

from collections import Counter
from typing import cast

import numpy as np

from tsingma.basics.clock import FixedClock
from tsingma.basics.rejection import Rejected
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.sequencer import Sequencer
from tsingma.engine.step import step
from tsingma.journal.store import Store
from tsingma.simulate.auditor import Violation
from tsingma.simulate.disk import Fault, Latency, SimulatedDisk
from tsingma.simulate.disk_store import DiskConnection
from tsingma.simulate.swarm import Swarm
from tsingma.simulate.takeover import Lease, LeasedStore, Standby

TAKE_OVER_SHARE = 0.7  # of openings with a standby, those at which it takes over; else the journal is replayed


class FaultyProcess:
    """One process after the other over one disk; beside it perhaps a standby, and the lease they share."""

    swarm: Swarm

    def __init__(self, disk_chance: np.random.Generator, chance: np.random.Generator, swarm: Swarm) -> None:
        """Start with an empty disk and no process."""
        self._chance, self.swarm = chance, swarm
        self.clock = FixedClock()
        self.disk = SimulatedDisk(disk_chance, self.clock, Latency(sync_ns=swarm.sync_ns))
        self.marks: Counter[str] = Counter()
        self.standby, self.lease = Standby(), Lease()
        self.connection: DiskConnection | None = None
        self.sequencer: Sequencer[House] | None = None

    def abandon(self) -> None:
        """Let go of the connection as a dying process does."""
        if self.connection is not None:
            if self.disk.stopped is None:
                self.disk.stop(Fault.KILL, marked=False)
            self.connection.close()
        self.connection = self.sequencer = None

    @property
    def _house(self) -> Sequencer[House]:
        if self.sequencer is None:
            raise Violation("the house is not open")
        return self.sequencer

    @property
    def _errors(self) -> type[Exception]:
        return DiskConnection.errors()

    def _struck(self) -> int:
        return sum(count for name, count in self.disk.marks.items() if name.startswith("fault:"))

    @property
    def _owing(self) -> bool:
        """Whether a synchronisation of the log failed and no commit was made since.

        The next process reads the commit in doubt from the cache, and SQLite writes it back before its log: a power
        loss on top of that, before the next commit, may leave a file that SQLite calls malformed. No run does that.
        """
        return any(name.endswith("-wal") for name in self.disk.owes)

    def _leased(self) -> Store:
        return cast("Store", LeasedStore(self._whole_store, self.lease))

    def _stop(self, *, power: bool = True) -> None:
        """End the process: it was killed, lost power (if it may), or closes its file on a disk that may be full."""
        if self.disk.stopped is None:
            how = int(self._chance.integers(3))
            if how:
                self.disk.stop(Fault.POWER_LOSS if how == 2 and power else Fault.KILL)
        stopped = self.disk.stopped
        if self.connection is not None:
            self.connection.close()
        stopped = self.disk.stopped or stopped
        self.connection = self.sequencer = None
        if stopped is Fault.POWER_LOSS:
            survivals = self.swarm.survivals
            self.disk.power_loss(survivals[int(self._chance.integers(len(survivals)))])
        else:
            self.disk.kill()

    def _open(self) -> bool:
        struck = self._struck()
        try:
            self.connection = DiskConnection(self.disk, self.swarm.page_size, self.swarm.checkpoint_pages)
            self._whole_store = self.connection.store()
            self._store = self._leased()
            if self.standby.standing is not None and self._chance.random() < TAKE_OVER_SHARE:
                self.sequencer = self.standby.take_over(self._store)
                self.marks["standby:took-over"] += 1
            else:
                self.sequencer = Sequencer(self._store, House, step, step_all)
        except (self._errors, Rejected) as error:
            if self._struck() == struck:
                raise Violation(f"the house does not open on a whole disk: {error}") from error
            return False
        return self.disk.stopped is None
