"""The proof of a whole journal: chain, answers by replay, snapshots, books; in one reading of it."""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.sequencer import parts
from tsingma.journal.commands import decode
from tsingma.journal.events import encode_answer
from tsingma.journal.record import GENESIS, Record, faults
from tsingma.journal.store import Store

CHECKED = (
    "every record follows the one before, and its content matches its hash",
    "every record is found by its command id",
    "every command replays to the answer it was given",
    "every snapshot is whole and is the state that replay gives there",
    "every asset sums to zero and no account is below its floor",
)


class Proof(msgspec.Struct, frozen=True):
    """What a journal proved to be: its end, the state hash there, and everything that is wrong (empty: nothing)."""

    records: int
    head: str
    state_hash: str
    snapshots: int
    faults: list[str]
    checked: tuple[str, ...] = CHECKED


def prove(store: Store) -> Proof:
    """Read the journal once from its first record to its last and return its proof; never raises for its content.

    A fault of the chain ends the replay there, and the chain is read on; ``state_hash`` is empty then.
    """
    replay = _Replay(store)
    try:
        for part in parts(store.read()):
            replay.follow_chain(part)
            if not replay.faults:
                replay.carry_out(part)
        if not replay.faults:
            replay.prove_end()
    except Rejected as damaged:  # the store itself cannot read on
        replay.faults.append(str(damaged))
    state_hash = "" if replay.faults else replay.house.digest().hex()
    return Proof(replay.sequence, replay.head.hex(), state_hash, replay.snapshots_proved, replay.faults)


class _Replay:
    """A house carried along the records, with what was found wrong on the way."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.house = House()
        self.sequence = 0
        self.head = GENESIS
        self.faults: list[str] = []
        self.snapshots_proved = 0
        self._snapshots = store.snapshots()

    def follow_chain(self, part: list[Record]) -> None:
        """Check that records follow one another, from where the last part ended, and are found by their ids.

        A command whose id is not found would be carried out twice.
        """
        self.faults += [f"record {one.sequence}: {one.message}" for one in faults(part, self.sequence, self.head)]
        found = self.store.find_all([record.command_id for record in part])
        lost = [record for record in part if found.get(record.command_id) != record]
        self.faults += [f"record {one.sequence}: it is not what is found by its id {one.command_id}" for one in lost]
        self.sequence, self.head = part[-1].sequence, part[-1].hash

    def carry_out(self, part: list[Record]) -> None:
        """Step through records, pausing at every snapshot to compare it."""
        start = 0
        while start < len(part) and not self.faults:
            here = part[start].sequence - 1
            self._snapshots = [sequence for sequence in self._snapshots if sequence > here]
            stop = min([len(part), *(sequence - here + start for sequence in self._snapshots[:1])])
            self._step(part[start:stop])
            if not self.faults and self._snapshots[:1] == [here + stop - start]:
                self._compare(self._snapshots[0])
            start = stop

    def prove_end(self) -> None:
        """Check the books at the end; a snapshot beyond it belongs to another journal."""
        self._check_books()
        beyond = [sequence for sequence in self._snapshots if sequence > self.sequence]
        self.faults += [f"snapshot {sequence}: it stands after the last record" for sequence in beyond]

    def _step(self, records: list[Record]) -> None:
        try:
            answers = step_all(self.house, [decode(record.body) for record in records])
        except (InvariantBroken, msgspec.ValidationError) as broken:
            self.faults.append(f"records {records[0].sequence} to {records[-1].sequence}: {broken}")
            return
        for record, answer in zip(records, answers, strict=True):
            if encode_answer(answer) != record.answer:
                self.faults.append(f"record {record.sequence} ({record.command_id}): replay gives another answer")
                return

    def _compare(self, sequence: int) -> None:
        try:
            snapshot = self.store.snapshot(sequence)
            loaded = House.load(snapshot.parts).digest()
        except (Rejected, InvariantBroken, KeyError, ValueError, msgspec.MsgspecError) as damaged:
            self.faults.append(f"snapshot {sequence}: {damaged}")
            return
        if not loaded == snapshot.state_hash == self.house.digest():
            self.faults.append(f"snapshot {sequence}: it is not the state that replay gives there")
            return
        self._check_books()
        self.snapshots_proved += 1

    def _check_books(self) -> None:
        try:
            self.house.ledger.check()
            self.house.settlement.positions.check()
            self.house.derivatives.check_flat()
            self.house.swaps.check_flat()
            if self.house.custody.in_use:
                self.house.custody.check(self.house.ledger, self.house.internal.issuer)
        except InvariantBroken as broken:
            self.faults.append(f"record {self.sequence}: {broken}")
