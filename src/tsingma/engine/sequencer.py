"""The one writer: sequence, step, journal, answer - in that order, a batch at a time.

A command is carried out in memory, its record is made durable, and only then is it answered. When the store
or a rule fails in between, memory and journal may differ, so the sequencer stops for good and the house is
opened again from the journal. A refused command changes nothing and is not journalled: sent again it is judged
again. The same id with the same command gets the stored answer, whoever tells it; with another it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Generic, Protocol, Self, TypeVar

from tsingma.basics.rejection import InvariantBroken, Rejected, Rejection, RejectionReason, refuse
from tsingma.journal.commands import Command, Submitted, command_of, decode, encode
from tsingma.journal.events import Answer, Refused, decode_answer, encode_answer
from tsingma.journal.origin import command_bytes
from tsingma.journal.record import BATCH_COMMANDS_MAX, GENESIS, Record, beyond_limits, chain, is_whole
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
StepAll = Callable[[S, Sequence[Command]], list[Answer]]
REPLAY_BYTES = 4 * 1024 * 1024  # bodies carried out together on replay, so that memory stays bounded


@dataclass(frozen=True, slots=True)
class Standing(Generic[S]):
    """A state, the number of the record after which it is, and that record's hash."""

    state: S
    sequence: int
    head: bytes


class Sequencer(Generic[S]):
    """Carries out commands on one state over one store."""

    def __init__(
        self, store: Store, fresh: Callable[[], S], step: Step[S], step_all: StepAll[S] | None = None,
        standing: Standing[S] | None = None,
    ) -> None:  # fmt: skip
        """Recover the state from the store: newest whole snapshot and the tail, or from zero.

        With ``standing`` nothing is recovered: it is where another one over the same journal stands. ``step_all``
        carries out commands in a row with the same answers as ``step`` one by one, only faster.
        """
        self._store = store
        self._fresh = fresh
        self._step_all: StepAll[S] = step_all or (lambda state, commands: [step(state, one) for one in commands])
        self._poisoned = ""
        self._sequence, self._head = 0, GENESIS
        if standing is not None:
            self._state, self._sequence, self._head = standing.state, standing.sequence, standing.head
        else:
            self._state = self._recover()

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
        return None if record is None else decode_answer(_whole(record).answer)

    def submit(self, batch: Sequence[tuple[str, Submitted]], *, whole: bool = False) -> list[Answer]:
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

    def standing(self) -> Standing[S]:
        """Return where it stands, with a copy of the state, for another sequencer over the same journal."""
        return Standing(type(self._state).load(self.state.dump()), self._sequence, self._head)

    def catch_up(self, until: int | None = None) -> int:
        """Carry out what another writer appended since, checking chain and answers; returns the number of records.

        ``until`` stops after that record; by default everything is carried out.

        Raises InvariantBroken when a record does not follow the last one or replays to another answer, or when the
        journal has become shorter: a store that lost its end, or fell back to a copy that lags.
        """
        self._refuse_when_poisoned()
        before = self._sequence
        if until is not None and until <= before:
            return 0
        length = self._store.length()
        if length == before:
            return 0
        if length < before:
            self._poisoned = f"record {before} was carried out, the journal now ends at record {length}"
            raise InvariantBroken(self._poisoned)
        try:
            records = takewhile(lambda one: until is None or one.sequence <= until, self._store.read(before))
            self._apply(self._state, self._following(records))
        except BaseException as error:
            self._poisoned = f"{type(error).__name__}: {error}"
            raise
        return self._sequence - before

    def _carry_out(self, batch: Sequence[tuple[str, Submitted]], *, whole: bool) -> list[Answer]:
        """Step in runs of ids not met before: a repeat is answered only after its first has been judged."""
        answers: dict[int, Answer] = {}
        known = self._store.find_all([command_id for command_id, _ in batch])
        commit = _Commit(self._sequence, self._head)
        waiting: dict[str, _Waiting] = {}
        for place, (command_id, submitted) in enumerate(batch):
            if command_id in waiting or (whole and waiting):
                answers.update(self._step_waiting(waiting, commit))
                if whole and isinstance(refused := answers[place - 1], Refused):
                    return _nothing_kept(refused, commit)
            body = encode(submitted)
            record = commit.by_id.get(command_id) or known.get(command_id)
            beyond = beyond_limits(command_id, body)
            if record is not None:
                answers[place] = _repeat(record, body)
            elif beyond is not None:
                answers[place] = Refused((beyond,))
            else:
                waiting[command_id] = _Waiting(place, command_of(submitted), body)
                continue
            if whole and isinstance(refused := answers[place], Refused):
                return _nothing_kept(refused, commit)
        answers.update(self._step_waiting(waiting, commit))
        if whole and batch and isinstance(refused := answers[len(batch) - 1], Refused):
            return _nothing_kept(refused, commit)
        if commit.records:
            self._store.append(commit.records)
            self._sequence, self._head = commit.sequence, commit.head
        return [answers[place] for place in range(len(batch))]

    def _step_waiting(self, waiting: dict[str, _Waiting], commit: _Commit) -> dict[int, Answer]:
        answers = {}
        told = self._step_all(self._state, [one.command for one in waiting.values()]) if waiting else []
        for (command_id, one), answer in zip(waiting.items(), told, strict=True):
            answers[one.place] = answer
            if not isinstance(answer, Refused):
                commit.add(command_id, one.body, encode_answer(answer))
        waiting.clear()
        return answers

    def _following(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield records that continue the chain, moving sequence and head along."""
        for record in records:
            if record.sequence != self._sequence + 1 or record.previous != self._head:
                raise InvariantBroken(f"record {record.sequence} does not follow record {self._sequence}")
            self._sequence, self._head = record.sequence, record.hash
            yield record

    def _recover(self) -> S:
        """Return the state of the newest whole snapshot and the tail behind it; sequence and head go along.

        They come from the records that were carried out, not from where the journal ends: another process may write.
        """
        state = self._fresh()
        for sequence in reversed(self._store.snapshots()):
            record = next(iter(self._store.read(sequence - 1)), None)
            if record is None or record.sequence != sequence:
                continue  # it stands after the last record
            try:
                state = self._load(sequence)
            except Rejected:
                continue  # a damaged snapshot is passed over; the journal has everything
            self._sequence, self._head = sequence, record.hash
            break
        return self._apply(state, self._following(self._store.read(self._sequence)))

    def _load(self, sequence: int) -> S:
        snapshot = self._store.snapshot(sequence)
        state = type(self._fresh()).load(snapshot.parts)
        if state.digest() != snapshot.state_hash:
            raise refuse(RejectionReason.MALFORMED, f"the snapshot at record {sequence} does not match its state hash")
        return state

    def _apply(self, state: S, records: Iterable[Record]) -> S:
        for part in parts(records):
            answers = self._step_all(state, [decode(_whole(record).body) for record in part])
            for record, answer in zip(part, answers, strict=True):
                if encode_answer(answer) != record.answer:
                    raise InvariantBroken(
                        f"record {record.sequence} ({record.command_id}): replay gives another answer"
                    )
        return state

    def _refuse_when_poisoned(self) -> None:
        if self._poisoned:
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                f"the house stopped after a failure ({self._poisoned})",
                remedy="open it again: it recovers from its journal",
            )


@dataclass(slots=True)
class _Waiting:
    """A command of a batch that is not carried out yet."""

    place: int
    command: Command
    body: bytes


class _Commit:
    """The records a batch adds, chained in the order in which its commands were accepted."""

    def __init__(self, sequence: int, head: bytes) -> None:
        self.sequence = sequence
        self.head = head
        self.records: list[Record] = []
        self.by_id: dict[str, Record] = {}

    def add(self, command_id: str, body: bytes, answer: bytes) -> None:
        record = chain(self.sequence + 1, command_id, body, answer, self.head)
        self.sequence, self.head = record.sequence, record.hash
        self.records.append(record)
        self.by_id[command_id] = record


def _nothing_kept(refused: Refused, commit: _Commit) -> list[Answer]:
    """Return the refusal when nothing of the batch was carried out; raise it, to stop the house, when something was."""
    if commit.records:
        raise Rejected(*refused.rejections)
    return [refused]


def parts(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Split records into lists of bounded number and size, to be carried out together."""
    part: list[Record] = []
    size = 0
    for record in records:
        part.append(record)
        size += len(record.body)
        if size >= REPLAY_BYTES or len(part) >= BATCH_COMMANDS_MAX:
            yield part
            part, size = [], 0
    if part:
        yield part


def _whole(record: Record) -> Record:
    """Return the record; raises InvariantBroken when its content is not what its hash says."""
    if not is_whole(record):
        raise InvariantBroken(f"record {record.sequence} ({record.command_id}) was changed: restore the house")
    return record


def _repeat(record: Record, body: bytes) -> Answer:
    if command_bytes(_whole(record).body) == command_bytes(body):  # whoever told it
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
