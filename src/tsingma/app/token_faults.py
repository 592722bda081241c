"""Many seeds of the protocol between two ledgers, fanned out and counted, so that any failure can be replayed."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tsingma.app.faults import Batch
from tsingma.executor.local import InProcess, ProcessPool
from tsingma.simulate.token_run import MUST_OCCUR, Outcome, simulate

SEEDS_A_TASK = 50
SEEDS_A_LINE = 500


def batch_of(outcome: Outcome) -> Batch:
    """Return the batch of one seed."""
    return Batch(
        first=outcome.seed,
        count=1,
        records=outcome.records,
        marks=dict(outcome.marks),
        digest=outcome.state_hash,
        violations=[(outcome.seed, outcome.violation)] if outcome.violation else [],
    )


def simulate_seeds(shared: bytes, one: bytes) -> bytes:
    """Run the seeds of one task (first, count, on disks or not); returns their batch. A task of the executor."""
    first, count, disk = msgspec.msgpack.decode(one, type=tuple[int, int, bool])
    total = batch_of(simulate(first, disk=disk))
    for seed in range(first + 1, first + count):
        total.add(batch_of(simulate(seed, disk=disk)))
    return msgspec.msgpack.encode(total)


def simulate_many(first: int, count: int, processes: int, *, disk: bool = False) -> Iterator[Batch]:
    """Yield a batch for every five hundred seeds, in order; the same for any number of processes."""
    executor = InProcess() if processes == 1 else ProcessPool(processes)
    for start in range(first, first + count, SEEDS_A_LINE):
        end = min(start + SEEDS_A_LINE, first + count)
        tasks = [(seed, min(SEEDS_A_TASK, end - seed), disk) for seed in range(start, end, SEEDS_A_TASK)]
        found = executor.run(
            "tsingma.app.token_faults:simulate_seeds", b"", [msgspec.msgpack.encode(one) for one in tasks]
        )
        line, *others = [msgspec.msgpack.decode(part, type=Batch) for part in found]
        for other in others:
            line.add(other)
        yield line


def never_met(total: Batch) -> list[str]:
    """Return what a long run must have met and did not."""
    return [name for name in MUST_OCCUR if not total.marks.get(name)]
