"""One seed of a world: a few simulated days on a failing disk, audited all the way, then finished on a healed one.

Safety first: batches of commands go to the production sequencer over the production store while the disk fails as the
seed says; after every answer and every recovery books and journal are compared with the auditor's. Then liveness: the
disk is healed and the day must be finished in a bounded number of commands. The same seed gives the same run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.engine.proof import prove
from tsingma.journal.commands import decode
from tsingma.journal.events import Accepted, Answer
from tsingma.settlement.timetable import timetable
from tsingma.simulate.auditor import Auditor, Sent, Violation, check_ids
from tsingma.simulate.disk import Fault
from tsingma.simulate.disk_store import DiskConnection, unheard_errors_ignored
from tsingma.simulate.flips import flip_one
from tsingma.simulate.plain_ledger import Refusal
from tsingma.simulate.process import FaultyProcess
from tsingma.simulate.swarm import Swarm, draw, settlement_days
from tsingma.simulate.takeover import must_stop
from tsingma.simulate.world import PLAIN, World

RECOVERY_ATTEMPTS = 6
COMMANDS_MAX = 2_000
_DEFECTS = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
)  # no seed ends a long run


@dataclass(slots=True)
class Outcome:
    """What one seed did: marks count commands, answers, faults and recoveries; ``violation`` is empty when green."""

    seed: int
    swarm: Swarm
    marks: Counter[str] = field(default_factory=Counter)
    records: int = 0
    simulated_ns: int = 0
    state_hash: str = ""
    violation: str = ""


def simulate(seed: int, world: World[Any] = PLAIN) -> Outcome:
    """Run one seed of a world to its end, or to the first violation."""
    with unheard_errors_ignored():
        run = FaultyRun(seed, world)
        try:
            run.safety()
            run.liveness()
            run.finish()
        except (Violation, InvariantBroken, Rejected, *_DEFECTS, DiskConnection.errors()) as broken:
            place = f"{world.name}, after command {run.auditor.number}"
            run.outcome.violation = f"{type(broken).__name__} ({place}): {broken}"
        finally:
            run.abandon()
    run.outcome.marks += run.disk.marks
    run.outcome.simulated_ns = run.clock.now_ns()
    return run.outcome


class FaultyRun(FaultyProcess):
    """The state of one run: disk, open house, auditor and workload."""

    def __init__(self, seed: int, world: World[Any] = PLAIN) -> None:
        """Draw the parameters and open the house on an empty disk."""
        streams = [np.random.Generator(np.random.PCG64([seed, place, *world.stream])) for place in range(4)]
        swarm = draw(streams[1])
        days = settlement_days(to_date(swarm.days[0]), len(swarm.days) + world.days_more)
        often = max(swarm.snapshot_rate, world.snapshot_rate)  # a wide day is long to replay
        super().__init__(streams[2], streams[0], msgspec.structs.replace(swarm, days=days, snapshot_rate=often))
        self.world, self.workload = world, world.draws(self.swarm, streams[3])
        self.auditor: Auditor[Any] = Auditor(seed, world.twin(), world.said)
        self.outcome = Outcome(seed, self.swarm, self.marks)
        self._retry: list[Sent] = []
        self._recover((), None)

    def safety(self) -> None:
        """Send batches under faults until the last day is closed, or as many as a run may have."""
        while not self.workload.done(self.auditor.house) and self.auditor.number < COMMANDS_MAX // 2:
            fault = self._plan()
            draft = self.auditor.house.copy()
            batch = self._batch(draft, at_risk=fault is not None)
            if self._chance.random() < self.swarm.lease_rate:
                self._lose_lease(batch)
            self._submit(draft, batch, fault)
            self.disk.heal()
            if self._chance.random() < self.swarm.follow_rate:
                self.standby.follow(self._store, self._house)
                self.marks["standby:followed"] += 1
            if self._chance.random() < self.swarm.backup_rate:
                self._back_up()
            if self._chance.random() < self.swarm.snapshot_rate:
                self._snapshot()
            if self._chance.random() < self.swarm.flip_rate:
                self._flip()

    def liveness(self) -> None:
        """Heal the disk and finish the day; raises Violation when that takes more commands than a day has."""
        self._reopen()
        a_day = len(timetable()) + 4 + self.world.chores
        bound = self.auditor.number + a_day * (len(self.swarm.days) + 1)
        while not self.workload.done(self.auditor.house):
            if self.auditor.number >= bound:
                raise Violation(f"the day is not finished after {bound} commands on a healed disk")
            draft = self.auditor.house.copy()
            command = self.workload.next(draft, calm=True)
            sent = self.auditor.send(draft, command, at_risk=False)
            if sent.foretold.reasons:
                raise Violation(f"{sent.command_id}: the next command of the day would be refused")
            self._submit(draft, [sent], None)

    def finish(self) -> None:
        """Prove the end: chain, ids, replay from zero and from every snapshot, and the file after a clean close."""
        self._reopen()
        house = self._house
        records = list(self._store.read())
        self.auditor.check_records(records)
        check_ids(records, self.world.said)
        proof = prove(self._store)
        if proof.faults:
            raise Violation(f"a whole journal does not prove: {proof.faults[0]}")
        wanted = house.state.digest()
        for start in self._store.snapshots()[:1]:  # the proof replays from zero and compares every snapshot
            if house.replay(start).digest() != wanted:
                raise Violation(f"replay from record {start} ends in another state")
        if proof.state_hash != wanted.hex():
            raise Violation("replay from zero ends in another state")
        self.outcome.records, self.outcome.state_hash = len(records), wanted.hex()

    def _plan(self) -> Fault | None:
        if self._chance.random() >= self.swarm.fault_rate:
            return None
        fault = self.swarm.faults[int(self._chance.integers(len(self.swarm.faults)))]
        if fault is Fault.POWER_LOSS and self._owing:
            fault = Fault.KILL
        self.disk.plan(fault, int(self._chance.integers(self.swarm.fault_distance)))
        return fault

    def _batch(self, draft: Any, *, at_risk: bool) -> list[Sent]:
        """Return what is sent next: what was lost, again, or new commands and repeats of old ones."""
        if self._retry:
            again, self._retry = self._retry, []
            self.marks["batch:retried"] += 1
            return [self._foretold_again(draft, one) for one in again]
        batch: list[Sent] = []
        if self._chance.random() < self.swarm.reorder_rate:
            return self._reordered(draft, at_risk=at_risk)
        for _ in range(int(self._chance.integers(1, self.swarm.batch_max + 1))):
            if self.workload.done(draft):
                break
            if self.auditor.acknowledged and self._chance.random() < self.swarm.repeat_rate:
                batch.append(self._repeated(draft))
            else:
                oversized = self._chance.random() < self.swarm.invalid_rate / 20
                command = self.workload.next(draft, calm=False)
                batch.append(self.auditor.send(draft, command, at_risk=at_risk, oversized=oversized))
        return batch

    def _reordered(self, draft: Any, *, at_risk: bool) -> list[Sent]:
        """Return commands drawn one after the other, as they arrive: in another order."""
        drawn, scratch = [], draft.copy()
        for _ in range(int(self._chance.integers(1, self.swarm.batch_max + 1))):
            if self.workload.done(scratch):
                break
            drawn.append(self.workload.next(scratch, calm=False))
            with suppress(Refusal):
                scratch.carry_out(drawn[-1])
        self.marks["batch:reordered"] += 1
        order = self._chance.permutation(len(drawn)).tolist()
        return [self.auditor.send(draft, drawn[place], at_risk=at_risk) for place in order]

    def _lose_lease(self, batch: list[Sent]) -> None:
        """Let the standby take the lease while the writer goes on with a batch: nothing of it may be written."""
        self.disk.heal()
        before, writer = self._house.head, self._house
        if self._chance.random() < 0.8:
            self.standby.follow(self._store, writer)
        self.lease.epoch += 1
        fresh = any(one.foretold.repeats is None and not one.foretold.reasons for one in batch)
        try:
            writer.submit([(one.command_id, one.command) for one in batch])
            if fresh:
                raise Violation("a writer without the lease answered new commands")
        except Rejected as refused:
            must_stop(writer, refused)
        self._store = self._leased()
        self.sequencer = self.standby.take_over(self._store)
        if self.sequencer.head != before:
            raise Violation("a writer without the lease wrote to the journal")
        self.marks["lease:lost"] += 1
        self._compare()

    def _back_up(self) -> None:
        """Copy the journal while the house runs, and prove the copy to be the house."""
        if self.connection is None:
            raise Violation("the house is not open")
        store = self.connection.backup()
        proof = prove(store)
        self.auditor.check_records(list(store.read()))
        if proof.faults or proof.state_hash != self._house.state.digest().hex():
            raise Violation(f"a backup is not the house: {proof.faults[:1]}")
        self.marks["backups"] += 1

    def _foretold_again(self, draft: Any, one: Sent) -> Sent:
        """Carry a lost command out on the draft again; nothing but repeats may change."""
        if one.foretold.kind in ("repeat", "altered", "oversized"):
            return one
        again = Sent(one.command_id, one.command, self.auditor.foretell(draft, one.command))
        if again.foretold != one.foretold:
            raise Violation(f"{one.command_id}: foretold {one.foretold}, on the recovered books {again.foretold}")
        return again

    def _repeated(self, draft: Any) -> Sent:
        known = list(self.auditor.acknowledged)
        command_id = known[int(self._chance.integers(len(known)))]
        if self._chance.random() < 0.5:
            return self.auditor.repeat(command_id, decode(self.auditor.acknowledged[command_id][0]))
        return self.auditor.repeat(command_id, self.workload.altered(draft))

    def _submit(self, draft: Any, batch: list[Sent], fault: Fault | None) -> None:
        struck, owed = self._struck(), self._owing
        try:
            answers = self._house.submit([(one.command_id, one.command) for one in batch])
        except self._errors as error:
            if self._struck() == struck:
                raise Violation(f"the store failed on a whole disk: {error}") from error
            self._fail(draft, batch, power=not owed)
            return
        self.auditor.check_answers(batch, answers)
        self.auditor.adopt(draft, batch, answers)
        self._mark(batch, answers)
        if any(one.foretold.outcome == "accepted" for one in batch):
            self.disk.owes.clear()  # a commit was synchronised since
        self._compare()
        if self.disk.stopped is not None:  # the fault struck after the commit, for example in a checkpoint
            self._fail_quietly(power=not owed)

    def _mark(self, batch: list[Sent], answers: Sequence[Answer]) -> None:
        for one, answer in zip(batch, answers, strict=True):
            self.marks[f"command:{one.foretold.kind}:{one.foretold.outcome}"] += 1
            for event in answer.events if isinstance(answer, Accepted) else ():
                self.marks[f"event:{event.__struct_config__.tag}"] += 1
        self.marks["batches"] += 1

    def _compare(self) -> None:
        apart = self.world.differences(self._house.state, self.auditor.house)
        if apart:
            raise Violation("; ".join(apart))

    def _fail(self, draft: Any, batch: list[Sent], *, power: bool) -> None:
        """The store failed in mid-batch: the sequencer must have stopped; open again and see what became durable."""
        try:
            self._house.submit([])
            raise Violation("the house goes on after its store failed")
        except Rejected:
            self.marks["batch:in-doubt"] += 1
        self._stop(power=power)
        self._recover(batch, draft)

    def _fail_quietly(self, *, power: bool) -> None:
        self._stop(power=power)
        self._recover((), None)

    def _recover(self, in_doubt: Sequence[Sent], draft: Any | None) -> None:
        """Open the house, perhaps with faults while it recovers, and settle what became of the batch in doubt."""
        for attempt in range(RECOVERY_ATTEMPTS + 1):
            risky = attempt < RECOVERY_ATTEMPTS and self._chance.random() < self.swarm.crash_in_recovery_rate
            if risky:
                power = self._chance.random() < 0.5 and not self._owing
                self.disk.plan(Fault.POWER_LOSS if power else Fault.KILL, int(self._chance.integers(8)))
            if self._open():
                break
            self.marks["recovery:cut-off"] += 1
            self._stop(power=not self._owing)
        self.disk.heal()
        self.marks["recoveries"] += 1
        self._settle(in_doubt, draft)
        self._compare()

    def _settle(self, in_doubt: Sequence[Sent], draft: Any | None) -> None:
        """Adopt the batch in doubt when its records are there; otherwise it is lost whole, and is sent again or not."""
        records = list(self._store.read())
        before = len(self.auditor.acknowledged)
        if draft is not None and len(records) > before:
            answers = [self._durable_answer(one) for one in in_doubt]
            known = [(one, answer) for one, answer in zip(in_doubt, answers, strict=True) if answer is not None]
            self.auditor.adopt(draft, [one for one, _ in known], [answer for _, answer in known])
            self.marks["in-doubt:durable"] += 1
        elif draft is not None:
            self.marks["in-doubt:lost"] += 1
            if self._chance.random() >= self.swarm.abandon_rate:
                self._retry = list(in_doubt)
        self.auditor.check_records(records)

    def _durable_answer(self, one: Sent) -> Answer | None:
        if one.foretold.repeats is not None or one.foretold.reasons:
            return None
        answer = self._house.answered(one.command_id)
        if not isinstance(answer, Accepted) or not self.auditor.answers_as(one.foretold, answer):
            raise Violation(f"{one.command_id}: foretold {one.foretold}, durable is {answer}")
        return answer

    def _snapshot(self) -> None:
        struck, owed = self._struck(), self._owing
        if self._plan() is not None:
            self.marks["snapshot:at-risk"] += 1
        try:
            self._house.snapshot()
            self.marks["snapshots"] += 1
        except self._errors as error:
            if self._struck() == struck:
                raise Violation(f"no snapshot on a whole disk: {error}") from error
            self.marks["snapshot:failed"] += 1
        if self.disk.stopped is not None or self._struck() != struck:
            self._fail_quietly(power=not owed)
        self.disk.heal()

    def _flip(self) -> None:
        """Change one bit of the file of a stopped house; it must be found, or make no difference."""
        state_hash = self._house.state.digest()
        self.abandon()
        self.disk.kill()
        found = flip_one(self.disk, self.auditor, state_hash, self._chance)
        self.marks[f"flip:{found}"] += 1
        self._recover((), None)

    def _reopen(self) -> None:
        """Close in order and open again on a healed disk."""
        self.disk.heal()
        if self.connection is not None:
            self.connection.close()
        self.disk.kill()
        self.connection = self.sequencer = None
        if not self._open():
            raise Violation("the house does not open on a healed disk")
        self._settle((), None)
        self._compare()
