"""The rules of settling across two ledgers: the token ledger promises, the book decides, the token ledger obeys.

Who may end a reservation (docs/tokens.md): on the book its one decision, taken on request or by the book's clock; on
the token ledger only that decision. The token ledger's clock ends nothing, it only makes an agreement overdue; so no
clock but the book's takes part, and an expiry cannot race a commit: both are records of one journal, and the first
counts.
"""

from __future__ import annotations

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.tokens.legs import COMMITTED, RELEASED, RESERVED, Entry, LegTable
from tsingma.journal.token_commands import Agreement, CompleteLegs, DecideSettlement, Leg, Receipt
from tsingma.journal.token_events import LegsCompleted, LegsReserved, SettlementDecided
from tsingma.ledger.ledger import Ledger

HASH_BYTES = 32


class BookLegs(LegTable):
    """The book's side, which decides. Its record of a decision to commit is also the money's move.

    ``money_hours`` says whether the house holds money legs to the hours of their systems.
    """

    money_hours = False

    def dump(self) -> dict[str, bytes]:
        """Return the table as named byte strings, with the rule of hours where it is kept."""
        return {**super().dump(), **({"money_hours": b"1"} if self.money_hours else {})}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump; one without the rule keeps no hours."""
        self.money_hours = "money_hours" in parts
        super().load({name: value for name, value in parts.items() if name != "money_hours"})

    def reserve_own(self, ledger: Ledger, agreement: Agreement) -> LegsReserved:
        """Set the book's legs aside; see ``LegTable.reserve``."""
        return LegsReserved(agreement.settlement, self.reserve(ledger, agreement, agreement.book_legs))

    def decide(self, ledger: Ledger, asked: DecideSettlement) -> SettlementDecided:
        """Decide once and answer the same ever after: commit when asked in time with a receipt, else let go.

        Raises Rejected: conflict (another agreement), not-allowed (to commit what is not reserved here, or before its
        time), missing (no receipt of the token ledger). A refusal decides nothing.
        """
        entry = self.known(asked.settlement, asked.agreement)
        if entry is None:
            if asked.commit:
                raise refuse(
                    RejectionReason.NOT_ALLOWED,
                    "nothing is reserved for it on the book",
                    subject=asked.settlement,
                    remedy="reserve first",
                )
            entry = self.refuse_for_good(asked.settlement, asked.agreement, decided_at=self.at)
        elif entry.status == RESERVED and entry.terms is not None:
            legs = entry.terms.book_legs
            if asked.commit and self.at < entry.terms.decide_by:
                if asked.token_receipt is None:
                    raise refuse(
                        RejectionReason.MISSING, "the token ledger's receipt is not there", subject=asked.settlement
                    )
                _check_receipt(asked.token_receipt, asked.settlement)
                if self.at < entry.terms.settle_from:
                    raise refuse(
                        RejectionReason.NOT_ALLOWED,
                        f"it is {self.at}, and it settles from {entry.terms.settle_from} on",
                        field="settle_from",
                        subject=asked.settlement,
                        remedy="ask again then",
                    )
                entry = self.commit(ledger, asked.settlement, legs, decided_at=self.at)
                entry.receipt = asked.token_receipt
            else:
                entry = self.release(ledger, asked.settlement, legs, decided_at=self.at)
        return SettlementDecided(asked.settlement, asked.agreement, entry.status == COMMITTED, entry.decided_at)

    def held_from(self, first_asset: int) -> int:
        """Return how much is reserved of assets from ``first_asset`` on."""
        return sum(leg.amount for leg in self._held() if leg.asset >= first_asset)

    def held_of(self, asset: int) -> int:
        """Return how much is reserved of one asset."""
        return sum(leg.amount for leg in self._held() if leg.asset == asset)

    def _held(self) -> list[Leg]:
        terms = [entry.terms for _, entry in self.reserved() if entry.terms is not None]
        return [leg for one in terms for leg in one.book_legs]

    def tell(self, ledger: Ledger, at: int) -> int:
        """Move the clock and let go what was not decided in time; returns how many agreements ended so."""
        self.move_clock(at)
        over = [(name, entry.terms) for name, entry in self.reserved() if entry.terms and entry.terms.decide_by <= at]
        for name, terms in over:
            self.release(ledger, name, terms.book_legs, decided_at=at)
        return len(over)


class TokenLegs(LegTable):
    """The token ledger's side, which promises: what is reserved stays so until the book's decision is told."""

    def reserve_own(self, ledger: Ledger, agreement: Agreement) -> LegsReserved:
        """Set the token ledger's legs aside, which is a promise; see ``LegTable.reserve``."""
        return LegsReserved(agreement.settlement, self.reserve(ledger, agreement, agreement.token_legs))

    def complete(self, ledger: Ledger, told: CompleteLegs) -> LegsCompleted:
        """Do what the book decided; a repeat changes nothing.

        Raises Rejected (conflict) when it contradicts what was told before or commits what was never promised here:
        neither can come from a book that keeps the rules.
        """
        _check_receipt(told.book_receipt, told.settlement)
        wanted = COMMITTED if told.committed else RELEASED
        entry = self.known(told.settlement, told.agreement)
        if entry is None and not told.committed:
            entry = self.refuse_for_good(told.settlement, told.agreement, decided_at=told.decided_at)
        elif entry is not None and entry.status == RESERVED and entry.terms is not None:
            legs = entry.terms.token_legs
            end = self.commit if told.committed else self.release
            entry = end(ledger, told.settlement, legs, decided_at=told.decided_at)
        if entry is None or entry.status != wanted:
            there = "was never promised here" if entry is None else f"is {entry.status}"
            message = f"told that it is {wanted}, and it {there}"
            raise refuse(RejectionReason.CONFLICT, message, subject=told.settlement, remedy="compare the journals")
        entry.receipt = entry.receipt or told.book_receipt
        return LegsCompleted(told.settlement, told.committed)

    def overdue(self) -> list[str]:
        """Return what should have been decided by this ledger's clock: the book has to be asked."""
        return [name for name, entry in self.reserved() if _is_overdue(entry, self.at)]


def _is_overdue(entry: Entry, at: int) -> bool:
    return entry.terms is not None and entry.terms.decide_by <= at


def _check_receipt(receipt: Receipt, settlement: str) -> None:
    if receipt.sequence < 1 or len(receipt.hash) != HASH_BYTES:
        raise refuse(RejectionReason.MALFORMED, "no receipt of a journal", field="receipt", subject=settlement)
