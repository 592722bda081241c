"""The auditor: foretells every answer, keeps a witness of what was acknowledged, compares books and journal with both.

A command id says what must become of it: ``seed/number/kind/outcome/digest``. The outcome is ``accepted``, ``refused-``
with the reasons, or ``unknown`` when a fault may strike before the answer; the digest is of what the answer must say.
So any journal can be checked long after by its ids alone (``check_ids``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

import msgspec

from tsingma.basics.rejection import RejectionReason
from tsingma.journal.commands import Submitted, command_of, decode, encode
from tsingma.journal.events import Accepted, Answer, Refused, decode_answer, encode_answer
from tsingma.journal.origin import command_bytes
from tsingma.journal.record import COMMAND_ID_LENGTH_MAX, Record
from tsingma.simulate.plain_house import Figures
from tsingma.simulate.plain_ledger import Refusal

UNKNOWN = "unknown"
# Figures of a step or a close that the auditor keeps for itself; the house may report more.
_FORETOLD = (
    "deliveries", "receipts", "shares", "open", "payable_", "settled", "passes", "gross_", "paid_", "unpaid_", "left",
    "payment_failures", "released_shares", "due_positions", "failed_", "late_fee_", "buy_in_requests", "instructions_",
    "with_credit", "parts", "loans_", "charges_", "stock_", "positions_open",
    "money_settled_", "money_open_", "house_line_", "charge|", "reservations_expired", "derivatives_owed_",
)  # fmt: skip

# What orders of one side tell beside what became of them.
_NOT_FORETOLD = ("checked", "allegements_removed", "late_matching_penalties", "rejections")


class Violation(Exception):
    """The house did what it must not do."""


class Twin(Protocol):
    """A house beside the house, which tells what every command must answer."""

    def copy(self) -> Self:
        """Return an independent copy."""
        ...

    def carry_out(self, command: Any) -> Figures:
        """Carry out a command and return what its answer must say; raises Refusal with the reasons."""
        ...


T = TypeVar("T", bound=Twin)
Said = Callable[[Accepted], Figures]  # what of an answer is foretold


@dataclass(frozen=True, slots=True)
class Foretold:
    """What must become of one command: accepted with figures, refused with reasons, or answered as before."""

    kind: str
    figures: Figures | None = None
    reasons: frozenset[RejectionReason] = frozenset()
    repeats: Answer | None = None

    @property
    def outcome(self) -> str:
        """``accepted``, ``refused-`` with reasons, or ``repeated``."""
        if self.repeats is not None:
            return "repeated"
        return "refused-" + "+".join(sorted(self.reasons)) if self.reasons else "accepted"

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits of what the answer must say."""
        return _digest(self.figures or {})


@dataclass(frozen=True, slots=True)
class Sent:
    """One command with its id and what must become of it."""

    command_id: str
    command: Submitted
    foretold: Foretold


class Auditor(Generic[T]):
    """Holds the house beside and the witness: id, body and answer of every acknowledged command, in order."""

    def __init__(self, seed: int, house: T, said: Said | None = None) -> None:
        """Start with an empty house beside and nothing acknowledged; ``said`` is what of an answer it foretells."""
        self.seed = seed
        self.house = house
        self.said: Said = said or event_essence
        self.acknowledged: dict[str, tuple[bytes, Answer]] = {}
        self.number = 0

    def foretell(self, draft: T, command: Submitted) -> Foretold:
        """Carry the command out on ``draft`` and return what the house must answer."""
        kind = command_of(command).__struct_config__.tag
        try:
            return Foretold(str(kind), essence(draft.carry_out(command)))
        except Refusal as refusal:
            return Foretold(str(kind), reasons=refusal.reasons)

    def send(self, draft: T, command: Submitted, *, at_risk: bool, oversized: bool = False) -> Sent:
        """Return the command under a new id that says what must become of it."""
        self.number += 1
        if oversized:
            limit = Foretold("oversized", reasons=frozenset({RejectionReason.LIMIT}))
            return Sent(f"{self.seed}/{self.number}/" + "x" * COMMAND_ID_LENGTH_MAX, command, limit)
        foretold = self.foretell(draft, command)
        outcome = UNKNOWN if at_risk and not foretold.reasons else foretold.outcome
        return Sent(f"{self.seed}/{self.number:04d}/{foretold.kind}/{outcome}/{foretold.digest}", command, foretold)

    def repeat(self, command_id: str, command: Submitted) -> Sent:
        """Return an acknowledged id sent again, with the same command, whoever tells it, or another one."""
        body, answer = self.acknowledged[command_id]
        if command_bytes(body) == command_bytes(encode(command)):
            return Sent(command_id, command, Foretold("repeat", repeats=answer))
        return Sent(command_id, command, Foretold("altered", reasons=frozenset({RejectionReason.CONFLICT})))

    def check_answers(self, sent: Sequence[Sent], answers: Sequence[Answer]) -> None:
        """Raise Violation unless every answer is what was foretold."""
        if len(sent) != len(answers):
            raise Violation(f"{len(sent)} commands sent, {len(answers)} answered")
        for one, answer in zip(sent, answers, strict=True):
            if not self.answers_as(one.foretold, answer):
                raise Violation(f"{one.command_id}: foretold {one.foretold}, answered {answer}")

    def adopt(self, draft: T, sent: Sequence[Sent], answers: Sequence[Answer]) -> None:
        """Take over what became durable: the draft is the house now, and its answers are acknowledged."""
        self.house = draft
        for one, answer in zip(sent, answers, strict=True):
            if isinstance(answer, Accepted) and one.foretold.repeats is None:
                self.acknowledged[one.command_id] = (encode(one.command), answer)

    def answers_as(self, foretold: Foretold, answer: Answer) -> bool:
        """Return whether an answer is what was foretold."""
        if foretold.repeats is not None:
            return answer == foretold.repeats
        if isinstance(answer, Refused):
            return {rejection.reason for rejection in answer.rejections} == foretold.reasons
        return not foretold.reasons and self.said(answer) == foretold.figures

    def check_records(self, records: Iterable[Record]) -> None:
        """Raise Violation unless the journal is exactly what was acknowledged: nothing lost, doubled or changed."""
        found = [(record.command_id, record.body, record.answer) for record in records]
        wanted = [(name, body, encode_answer(answer)) for name, (body, answer) in self.acknowledged.items()]
        if found != wanted:
            raise Violation(_first_difference(found, wanted))

    def is_prefix(self, records: Sequence[Record]) -> bool:
        """Return whether the journal is a beginning of what was acknowledged."""
        wanted = list(self.acknowledged.items())[: len(records)]
        return all(
            (record.command_id, record.body, record.answer) == (name, body, encode_answer(answer))
            for record, (name, (body, answer)) in zip(records, wanted, strict=True)
        )


def _first_difference(found: Sequence[tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]]) -> str:
    for place, (have, want) in enumerate(zip(found, wanted, strict=False), 1):
        if have != want:
            return f"record {place} is {have[0]}, acknowledged was {want[0]} (id, command or answer differs)"
    more = [one[0] for one in found[len(wanted) :]]
    lost = [one[0] for one in wanted[len(found) :]]
    return f"acknowledged and missing: {lost}" if lost else f"in the journal and never acknowledged: {more}"


def event_essence(answer: Accepted) -> Figures:
    """Return what the events of an answer say, as far as the auditor foretells it.

    A second event, if there is one, is what settled at once.
    """
    figures, *more = msgspec.to_builtins(answer.events, builtin_types=(bytes,))
    if figures.pop("type") == "act-decided":
        told = {f"act_{name}": value for name, value in figures.items() if value}
        return {**told, **(event_essence(Accepted(answer.events[1:])) if more else {})}
    for name in _NOT_FORETOLD:
        figures.pop(name, None)
    for other in more:
        figures |= {f"woken_{name}": value for name, value in other["figures"].items()}
    return essence(figures)


def essence(figures: Figures) -> Figures:
    """Return figures without zeros, with the named totals of a step or close that are foretold."""
    flat = dict(figures)
    totals = flat.pop("figures", {})
    flat |= {name: value for name, value in totals.items() if name.startswith(_FORETOLD)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in flat.items() if value}


def _digest(figures: Figures) -> str:
    return hashlib.blake2b(repr(sorted(figures.items())).encode(), digest_size=4).hexdigest()


def check_ids(records: Iterable[Record], said: Said = event_essence) -> int:
    """Check a journal by its ids alone and return how many records it has; raises Violation.

    Nothing refused may be in it, no id twice, and every answer must say what its id foretold.
    """
    seen: set[str] = set()
    for record in records:
        _, _, kind, outcome, digest = record.command_id.split("/")
        command, answer = decode(record.body), decode_answer(record.answer)
        if record.command_id in seen:
            raise Violation(f"{record.command_id} is in the journal twice")
        seen.add(record.command_id)
        told = _digest(said(answer)) if isinstance(answer, Accepted) else ""
        if outcome not in ("accepted", UNKNOWN) or told != digest or command.__struct_config__.tag != kind:
            raise Violation(f"{record.command_id}: the journal has another outcome")
    return len(seen)
