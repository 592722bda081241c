"""The synchroniser: who carries messages between the two ledgers. It decides nothing and need remember nothing.

Every message may be lost, doubled, late or out of order, and the synchroniser may forget everything at any moment: it
starts an agreement again from its first message, and each ledger answers as it did before. Who has forgotten finds the
agreements that are open on either ledger, word for word.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tsingma.custody.tokens.legs import digest_of
from tsingma.journal.commands import Command
from tsingma.journal.events import Accepted, Answer
from tsingma.journal.token_commands import Agreement, CompleteLegs, DecideSettlement, Receipt, ReserveLegs
from tsingma.journal.token_events import LegsCompleted, LegsReserved, SettlementDecided


class Side(StrEnum):
    """A ledger."""

    BOOK = "book"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Message:
    """A command for one of the ledgers; the same message has the same id and the same content for ever."""

    side: Side
    command_id: str
    command: Command


@dataclass(slots=True)
class Progress:
    """What the synchroniser has heard of one agreement since it began with it.

    A refused reservation is tried again ``patience`` times; then the book is asked to let go.
    """

    agreement: Agreement
    patience: int = 0
    reserved: dict[Side, Receipt] = field(default_factory=dict)
    decision: SettlementDecided | None = None
    decision_receipt: Receipt | None = None
    gives_up: bool = False
    done: bool = False

    def messages(self) -> list[Message]:
        """Return what to send now; sending it again does no harm."""
        name, digest = self.agreement.settlement, digest_of(self.agreement)
        if self.done:
            return []
        if self.decision is not None and self.decision_receipt is not None:
            told = CompleteLegs(name, digest, self.decision.committed, self.decision.decided_at, self.decision_receipt)
            return [Message(Side.TOKENS, f"{name}/complete", told)]
        if self.gives_up:
            return [Message(Side.BOOK, f"{name}/let-go", DecideSettlement(name, digest, commit=False))]
        if len(self.reserved) == len(Side):
            asked = DecideSettlement(name, digest, commit=True, token_receipt=self.reserved[Side.TOKENS])
            return [Message(Side.BOOK, f"{name}/commit", asked)]
        missing = [side for side in (Side.TOKENS, Side.BOOK) if side not in self.reserved]
        return [Message(side, f"{name}/reserve", ReserveLegs(self.agreement)) for side in missing]

    def heard(self, side: Side, answer: Answer, receipt: Receipt | None) -> None:
        """Take in a ledger's answer; ``receipt`` says where it was recorded (None: it was refused)."""
        if not isinstance(answer, Accepted) or receipt is None:
            if len(self.reserved) < len(Side):  # a refusal to commit comes too early: ask again
                self.patience -= 1
                self.gives_up = self.gives_up or self.patience < 0
            return
        for event in answer.events:
            if isinstance(event, LegsReserved):
                self.reserved[side] = receipt
            elif isinstance(event, SettlementDecided) and self.decision is None:
                self.decision, self.decision_receipt = event, receipt
            elif isinstance(event, LegsCompleted):
                self.done = True
