"""Many seeds of simulated days with faults: fanned out, counted, and reported so that any failure can be replayed."""

from __future__ import annotations

import hashlib
import subprocess
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import msgspec

from tsingma.executor.local import InProcess, ProcessPool
from tsingma.journal.act_commands import RunDayStep
from tsingma.journal.commands import Command
from tsingma.journal.default_commands import DefaultCommand
from tsingma.journal.events import Event
from tsingma.journal.payment_commands import SetPaymentLimit
from tsingma.journal.swap_commands import SwapCommand
from tsingma.journal.token_commands import KeepMoneyHours, TokenLedgerCommand
from tsingma.simulate.run import Outcome, simulate
from tsingma.simulate.world import WORLDS

SEEDS_A_TASK = 10
SEEDS_A_LINE = 100
SEEDS_A_ROUND = 1_000  # a round starts its processes anew

# What a long run must have met: a generator that never comes by one of these is blind there.
MUST_OCCUR = (
    *(f"command:{kind}:accepted" for kind in (
        "load-reference", "open-day", "deposit-assets", "post-transfers", "capture-trades", "set-closing-prices",
        "run-step", "change-instruction", "call-margin", "close-day",
    )),
    *(f"command:{kind}:refused-not-allowed" for kind in (
        "load-reference", "open-day", "deposit-assets", "post-transfers", "capture-trades", "run-step",
        "change-instruction", "close-day",
    )),
    "command:repeat:repeated", "command:altered:refused-conflict", "command:oversized:refused-limit",
    *(f"fault:{name}" for name in ("power-loss", "kill", "disk-full", "failed-write", "failed-sync")),
    *(f"survived:{name}" for name in ("nothing", "prefix", "any", "everything")),
    "torn-writes", "dropped-writes", "stopped-at-write", "stopped-at-sync", "stopped-at-truncate", "stopped-at-delete",
    "deletion-undone", "recoveries", "recovery:cut-off", "in-doubt:durable", "in-doubt:lost", "batch:retried",
    "standby:followed", "standby:took-over", "lease:lost", "backups", "batch:reordered",
    "snapshots", "snapshot:failed", "flip:found", "flip:found-on-write", "flip:harmless",
)  # fmt: skip


# Why some kinds are not met here. Commands of the token ledger are refused by a house, and are carried out in
# ``tsingma token simulate``, which has its own faults; their events are of that ledger.
_TOKEN_LEDGER = get_args(TokenLedgerCommand)
ELSEWHERE = frozenset(str(kind.__struct_config__.tag) for kind in _TOKEN_LEDGER)
EVENTS_ELSEWHERE = frozenset({
    "legs-completed", "wallets-opened", "token-issued", "wallets-permitted", "tokens-transferred", "wallet-frozen",
    "coupon-paid",
})  # fmt: skip
# Collecting claims asks for nothing: with none owed it collects nothing.
NEVER_REFUSED = frozenset({"collect-claims"})
# Kinds that the whole workload does not draw: nothing is known here of how they meet faults. The log names them.
_NOT_DRAWN = (*get_args(DefaultCommand), *get_args(SwapCommand), SetPaymentLimit, RunDayStep, KeepMoneyHours)
NOT_DRAWN = frozenset(str(kind.__struct_config__.tag) for kind in _NOT_DRAWN)
COMMANDS = tuple(str(kind.__struct_config__.tag) for kind in get_args(Command))
DRAWN = tuple(name for name in COMMANDS if name not in NOT_DRAWN)
EVENTS = tuple(str(kind.__struct_config__.tag) for kind in get_args(Event))


class Coverage(msgspec.Struct, frozen=True):
    """How many kinds of commands and events there are and were met, and which were not and should have been."""

    commands: int
    carried_out: int
    refused: int
    events: int
    events_met: int
    never_carried_out: list[str]
    never_refused: list[str]
    events_never_met: list[str]
    not_drawn: list[str]


class Batch(msgspec.Struct):
    """What a run of consecutive seeds did; ``digest`` covers every final state, in order of seeds."""

    first: int
    count: int
    records: int = 0
    simulated_ns: int = 0
    marks: dict[str, int] = {}
    digest: str = ""
    violations: list[tuple[int, str]] = []

    def add(self, other: Batch) -> None:
        """Take in the batch that follows."""
        self.count += other.count
        self.records += other.records
        self.simulated_ns += other.simulated_ns
        self.marks = dict(Counter(self.marks) + Counter(other.marks))
        self.digest = hashlib.sha256((self.digest + other.digest).encode()).hexdigest()[:16]
        self.violations = self.violations + other.violations

    def total(self, *prefixes: str) -> int:
        """Return the sum of the marks with one of these beginnings."""
        return sum(count for name, count in self.marks.items() if name.startswith(prefixes))

    def coverage(self) -> Coverage:
        """Return which kinds of commands and events the runs met."""
        carried_out, refused = (self._kinds("command:", end) for end in ("accepted", "refused-"))
        events = self._kinds("event:", "")
        return Coverage(
            commands=len(COMMANDS), carried_out=len(carried_out), refused=len(refused), events=len(EVENTS),
            events_met=len(events),
            never_carried_out=[name for name in DRAWN if name not in carried_out and name not in ELSEWHERE],
            never_refused=[name for name in DRAWN if name not in refused and name not in NEVER_REFUSED],
            events_never_met=[name for name in EVENTS if name not in events and name not in EVENTS_ELSEWHERE],
            not_drawn=sorted(NOT_DRAWN),
        )  # fmt: skip

    def _kinds(self, start: str, end: str) -> set[str]:
        """Return the kinds among the marks that begin with ``start``, whose outcome begins with ``end``."""
        rows = (name.removeprefix(start).partition(":") for name in self.marks if name.startswith(start))
        return {kind for kind, _, outcome in rows if outcome.startswith(end)}

    def never(self) -> list[str]:
        """Return what must occur in a long run and did not."""
        return [name for name in MUST_OCCUR if not self.marks.get(name)]


def batch_of(outcome: Outcome) -> Batch:
    """Return the batch of one seed."""
    return Batch(
        first=outcome.seed,
        count=1,
        records=outcome.records,
        simulated_ns=outcome.simulated_ns,
        marks=dict(outcome.marks),
        digest=outcome.state_hash,
        violations=[(outcome.seed, outcome.violation)] if outcome.violation else [],
    )


def batch_of_seed(seed: int) -> Batch:
    """Run a seed in every world and return its batch."""
    first, *others = (batch_of(simulate(seed, world)) for world in WORLDS)
    for other in others:
        first.add(other)
    first.count = 1
    return first


def simulate_seeds(shared: bytes, one: bytes) -> bytes:
    """Run the seeds of one task (first and count); returns their batch. A task of the executor."""
    first, count = msgspec.msgpack.decode(one, type=tuple[int, int])
    total = batch_of_seed(first)
    for seed in range(first + 1, first + count):
        total.add(batch_of_seed(seed))
    return msgspec.msgpack.encode(total)


def simulate_many(first: int, count: int, processes: int) -> Iterator[Batch]:
    """Yield a batch for every hundred seeds, in order; the same for any number of processes."""
    executor = InProcess() if processes == 1 else ProcessPool(processes)
    stop = first + count
    for start in range(first, stop, SEEDS_A_ROUND if processes > 1 else SEEDS_A_LINE):
        end = min(start + (SEEDS_A_ROUND if processes > 1 else SEEDS_A_LINE), stop)
        tasks = [(seed, min(SEEDS_A_TASK, end - seed)) for seed in range(start, end, SEEDS_A_TASK)]
        found = executor.run("tsingma.app.faults:simulate_seeds", b"", [msgspec.msgpack.encode(one) for one in tasks])
        parts = [msgspec.msgpack.decode(part, type=Batch) for part in found]
        for place in range(0, len(parts), SEEDS_A_LINE // SEEDS_A_TASK):
            line, *others = parts[place : place + SEEDS_A_LINE // SEEDS_A_TASK]
            for other in others:
                line.add(other)
            yield line


def commit() -> str:
    """Return the commit of the source that runs, with ``-dirty`` when it was changed, or the version installed."""
    here = Path(__file__).resolve().parent
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"], cwd=here, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() if asked.returncode == 0 else version("tsingma")
