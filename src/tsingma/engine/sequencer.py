"""The one writer: sequence, step, journal, answer - in that order, a batch at a time.

A command is carried out in memory, its record is made durable, and only then is it answered. When the store
or a rule fails in between, memory and journal may differ, so the sequencer stops for good and the house is
opened again from the journal. A refused command changes nothing and is not journalled: sent again it is judged
again. The same id with the same body gets the stored answer; with another body it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from typing import Generic, Protocol, Self, TypeVar

from tsingma.basics.rejection import InvariantBroken, Rejected, Rejection, RejectionReason, refuse
from tsingma.journal.commands import Command, decode, encode
from tsingma.journal.events import Answer, Refused, decode_answer, encode_answer
from tsingma.journal.record import BATCH_COMMANDS_MAX, GENESIS, Record, beyond_limits, chain, faults
from tsingma.journal.store import Snapshot, Store


class State(Protocol):
    """What the sequencer needs of the state of a house."""

    def digest(self) -> bytes:
        """Return the state hash."""
        ...

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings."""
        ...

    @classmethod
    def load(cls, parts: dict[str, bytes]) -> Self:
        """Return the state of a dump."""
        ...


S = TypeVar("S", bound=State)
Step = Callable[[S, Command], Answer]


class Sequencer(Generic[S]):
    """Carries out commands on one state over one store."""

    def __init__(self, store: Store, fresh: Callable[[], S], step: Step[S]) -> None:
        """Recover the state from the store: newest whole snapshot and the tail, or from zero."""
        self._store = store
        self._fresh = fresh
        self._step = step
        self._poisoned = ""
        self._state, self._sequence, self._head = self._recover()

    @property
    def state(self) -> S:
        """The current state; read it, never change it. Raises Rejected (not-allowed) after a failure."""
        self._refuse_when_poisoned()
        return self._state

    @property
    def sequence(self) -> int:
        """Number of the last durable record."""
        return self._sequence

    @property
    def head(self) -> bytes:
        """Hash of the last durable record."""
        return self._head

    def answered(self, command_id: str) -> Answer | None:
        """Return the stored answer of a command id, or None when it was never accepted."""
        record = self._store.find(command_id)
        return None if record is None else decode_answer(record.answer)

    def submit(self, batch: Sequence[tuple[str, Command]], *, whole: bool = False) -> list[Answer]:
        """Carry out up to 8,190 commands in one durable commit and answer each, in order.

        With ``whole``, every command of the batch must be accepted: the caller checked them before, and a refusal
        after an acceptance stops the sequencer, so that no part of the batch becomes durable.
        Raises Rejected (limit) for an oversized batch, (not-allowed) after a failure.
        """
        self._refuse_when_poisoned()
        if len(batch) > BATCH_COMMANDS_MAX:
            raise refuse(RejectionReason.LIMIT, f"{len(batch)} commands in a batch, {BATCH_COMMANDS_MAX} at most")
        try:
            return self._carry_out(batch, whole=whole)
        except BaseException as error:
            self._poisoned = f"{type(error).__name__}: {error}"
            raise

    def snapshot(self) -> bytes:
        """Keep a snapshot at the current record and return its state hash."""
        state_hash = self.state.digest()
        self._store.put_snapshot(Snapshot(self._sequence, state_hash, self.state.dump()))
        return state_hash

    def replay(self, from_snapshot: int = 0, *, until: int | None = None) -> S:
        """Return the state that the journal gives from zero, or from a snapshot's record, checking every answer.

        ``until`` stops after that record; by default the journal is replayed to its end.

        Raises InvariantBroken naming the record whose replayed answer differs, Rejected when a snapshot is unknown.
        """
        state = self._load(from_snapshot) if from_snapshot else self._fresh()
        records = self._store.read(from_snapshot)
        return self._apply(state, takewhile(lambda record: until is None or record.sequence <= until, records))

    def _carry_out(self, batch: Sequence[tuple[str, Command]], *, whole: bool) -> list[Answer]:
        answers: list[Answer] = []
        records: list[Record] = []
        fresh: dict[str, Record] = {}
        sequence, head = self._sequence, self._head
        for command_id, command in batch:
            body = encode(command)
            known = fresh.get(command_id) or self._store.find(command_id)
            if known is not None:
                answers.append(_repeat(known, body))
                continue
            beyond = beyond_limits(command_id, body)
            answer = self._step(self._state, command) if beyond is None else Refused((beyond,))
            answers.append(answer)
            if isinstance(answer, Refused):
                if whole and records:
                    raise Rejected(*answer.rejections)
                if whole:
                    return [answer]
                continue
            record = chain(sequence + 1, command_id, body, encode_answer(answer), head)
            sequence, head = record.sequence, record.hash
            records.append(record)
            fresh[command_id] = record
        if records:
            self._store.append(records)
            self._sequence, self._head = sequence, head
        return answers

    def _recover(self) -> tuple[S, int, bytes]:
        start, state = 0, self._fresh()
        for sequence in reversed(self._store.snapshots()):
            try:
                state = self._load(sequence)
            except Rejected:
                continue  # a damaged snapshot is passed over; the journal has everything
            start = sequence
            break
        state = self._apply(state, self._store.read(start))
        last = self._store.head()
        return (state, 0, GENESIS) if last is None else (state, last.sequence, last.hash)

    def _load(self, sequence: int) -> S:
        snapshot = self._store.snapshot(sequence)
        state = type(self._fresh()).load(snapshot.parts)
        if state.digest() != snapshot.state_hash:
            raise refuse(RejectionReason.MALFORMED, f"the snapshot at record {sequence} does not match its state hash")
        return state

    def _apply(self, state: S, records: Iterable[Record]) -> S:
        for record in records:
            answer = self._step(state, decode(record.body))
            if encode_answer(answer) != record.answer:
                raise InvariantBroken(f"record {record.sequence} ({record.command_id}): replay gives another answer")
        return state

    def _refuse_when_poisoned(self) -> None:
        if self._poisoned:
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                f"the house stopped after a failure ({self._poisoned})",
                remedy="open it again: it recovers from its journal",
            )


def verify(store: Store) -> list[str]:
    """Return every fault of a journal's chain as readable lines; empty means it is whole."""
    return [f"record {fault.sequence}: {fault.message}" for fault in faults(store.read())]


def _repeat(record: Record, body: bytes) -> Answer:
    if record.body == body:
        return decode_answer(record.answer)
    return Refused(
        (
            Rejection(
                reason=RejectionReason.CONFLICT,
                subject=record.command_id,
                message=f"the id was used at record {record.sequence} with another content",
                remedy="choose a new id, or send the same content",
            ),
        )
    )
