"""A ledger over the production SQLite store on a disk that fails: power lost, killed, full, a write that fails."""

from __future__ import annotations

import numpy as np

from tsingma.basics.clock import FixedClock
from tsingma.custody.tokens.protocol import Side
from tsingma.journal.store import Store
from tsingma.simulate.disk import Fault, SimulatedDisk, Survival
from tsingma.simulate.disk_store import DiskConnection
from tsingma.simulate.token_world import Node

FAULTS = (Fault.POWER_LOSS, Fault.KILL, Fault.FULL, Fault.FAILED_WRITE)
SURVIVALS = tuple(Survival)
OPERATIONS_TO_A_FAULT = 12


class DiskNode(Node):
    """A ledger as a process on a machine of its own; ``chance`` decides what fails, when, and what survives."""

    def __init__(self, side: Side, chance: np.random.Generator) -> None:
        """Start on an empty disk."""
        self._chance = chance
        self.disk = SimulatedDisk(chance, FixedClock())
        self._connection: DiskConnection | None = None
        super().__init__(side)

    def open_store(self) -> Store:
        """Connect to the disk; raises what SQLite or the store finds wrong."""
        self.disk.heal()
        self._connection = DiskConnection(self.disk, page_size=1_024, checkpoint_pages=40)
        return self._connection.store()

    def plan_failure(self, *, before: bool) -> None:
        """Plan a fault some operations ahead; which one is drawn."""
        fault = FAULTS[int(self._chance.integers(len(FAULTS)))]
        self.failing = str(fault)
        self.disk.plan(fault, int(self._chance.integers(1 if before else OPERATIONS_TO_A_FAULT)))

    def heal(self) -> None:
        """Plan no fault."""
        self.failing = ""
        self.disk.heal()

    def crash(self) -> None:
        """Stop the process, or the machine, and keep what the disk keeps."""
        super().crash()
        if self._connection is None:
            return
        if self.disk.stopped is None:
            self.disk.stop(Fault.POWER_LOSS if self._chance.random() < 0.5 else Fault.KILL)
        stopped = self.disk.stopped
        self._connection.close()
        self._connection = None
        if stopped is Fault.POWER_LOSS:
            self.disk.power_loss(SURVIVALS[int(self._chance.integers(len(SURVIVALS)))])
        else:
            self.disk.kill()

    def dead(self) -> bool:
        """Return whether the disk stopped behind an answer, for example while it wrote the log back."""
        return self.disk.stopped is not None

    def errors(self) -> type[Exception]:
        """Return what a failing disk raises."""
        return DiskConnection.errors()
