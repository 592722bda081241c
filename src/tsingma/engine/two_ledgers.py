"""A book and a token ledger side by side, each with its own journal, and the synchroniser between them."""

from __future__ import annotations

from tsingma.basics.rejection import InvariantBroken, Rejected, Rejection
from tsingma.custody.tokens.ledger import TokenLedger
from tsingma.custody.tokens.protocol import Progress, Side
from tsingma.engine import tokens
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.sequencer import Sequencer
from tsingma.engine.step import step
from tsingma.journal.commands import Command
from tsingma.journal.events import Accepted, Answer, Refused
from tsingma.journal.store import Store
from tsingma.journal.token_commands import Agreement, Receipt, TellTime
from tsingma.journal.token_events import SettlementDecided

MESSAGES_MAX = 20  # an agreement between two ledgers that answer takes five


def receipt_of(store: Store, command_id: str) -> Receipt | None:
    """Return where a command was recorded, or None when it was never accepted."""
    record = store.find(command_id)
    return None if record is None else Receipt(record.sequence, record.hash)


class TwoLedgers:
    """Two sequencers over two stores. Commands of one never reach the other but as the synchroniser's messages."""

    def __init__(self, book_store: Store, token_store: Store) -> None:
        """Recover both from their journals."""
        self.stores: dict[Side, Store] = {Side.BOOK: book_store, Side.TOKENS: token_store}
        self.book: Sequencer[House] = Sequencer(book_store, House, step, step_all)
        self.tokens: Sequencer[TokenLedger] = Sequencer(token_store, TokenLedger, tokens.step)

    def tell(self, side: Side, command_id: str, command: Command) -> tuple[Answer, Receipt | None]:
        """Carry out one command on one ledger; returns its answer and where it is recorded."""
        sequencer = self.book if side is Side.BOOK else self.tokens
        (answer,) = sequencer.submit([(command_id, command)])
        return answer, None if isinstance(answer, Refused) else receipt_of(self.stores[side], command_id)

    def require(self, side: Side, command_id: str, command: Command) -> Accepted:
        """Carry out one command that must be accepted; raises Rejected with the ledger's reasons."""
        answer, _ = self.tell(side, command_id, command)
        if isinstance(answer, Refused):
            raise Rejected(*answer.rejections)
        return answer

    def tell_time(self, at: int) -> None:
        """Move both settlement clocks to the same second; a clock that is further on stays."""
        for side, now in ((Side.BOOK, self.book.state.synchronised.at), (Side.TOKENS, self.tokens.state.at)):
            if at > now:
                self.require(side, f"time/{at}", TellTime(at))

    def settle(self, agreement: Agreement) -> SettlementDecided | None:
        """Carry an agreement to its end on both ledgers and return the decision; None while it waits for time or hours.

        A refused reservation ends it at once: raises Rejected with the reasons after it was let go.
        """
        progress = Progress(agreement)
        refusals: list[Rejection] = []
        for _ in range(MESSAGES_MAX):
            for message in progress.messages():
                answer, receipt = self.tell(message.side, message.command_id, message.command)
                progress.heard(message.side, answer, receipt)
                if isinstance(answer, Refused):
                    refusals.extend(answer.rejections)
            if progress.done:
                break
        waits = self.book.state.synchronised.at < agreement.settle_from or bool(
            tokens.money_closed(self.book.state, agreement)
        )
        if progress.decision is None and waits and not progress.gives_up:
            return None
        if progress.decision is None or not progress.done:
            raise InvariantBroken(f"{agreement.settlement} does not come to an end")
        if refusals and not progress.decision.committed:
            raise Rejected(*refusals)
        return progress.decision

    def resolve(self) -> list[SettlementDecided]:
        """Bring to an end what is reserved on either ledger, but for what waits for its time; returns the decisions."""
        found = {name: entry.terms for name, entry in self.tokens.state.legs.reserved()}
        found.update({name: entry.terms for name, entry in self.book.state.synchronised.reserved()})
        ended = [self._finish(terms) for terms in found.values() if terms is not None]
        return [one for one in ended if one is not None]

    def _finish(self, agreement: Agreement) -> SettlementDecided | None:
        try:
            return self.settle(agreement)
        except Rejected:
            entry = self.book.state.synchronised.entry(agreement.settlement)
            if entry is None:
                raise
            return SettlementDecided(agreement.settlement, entry.digest, committed=False, decided_at=entry.decided_at)
