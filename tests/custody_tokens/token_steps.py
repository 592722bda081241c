"""Two opened ledgers for the tests of tokens, and short ways to tell them things."""

from __future__ import annotations

from tsingma.custody.tokens.protocol import Progress, Side
from tsingma.engine.two_ledgers import TwoLedgers
from tsingma.journal.commands import Command
from tsingma.journal.events import Refused
from tsingma.simulate.token_world import Node, open_world
from tsingma.store.memory import MemoryStore


def opened() -> TwoLedgers:
    """Return ledgers with money, a bond issued to two holders, e-money, and ten denominations on the book."""
    nodes = {side: Node(side) for side in Side}
    for deal in open_world(nodes[Side.BOOK], nodes[Side.TOKENS]):
        progress = Progress(deal)
        while not progress.done:
            for message in progress.messages():
                progress.heard(message.side, *nodes[message.side].tell(message.command_id, message.command))
    stores: dict[Side, MemoryStore] = {side: node.store for side, node in nodes.items()}
    return TwoLedgers(stores[Side.BOOK], stores[Side.TOKENS])


def refusal(ledgers: TwoLedgers, side: Side, command: Command) -> str:
    """Return why a ledger refuses a command ("" when it accepts it), having checked that a refusal changes nothing."""
    sequencer = ledgers.book if side is Side.BOOK else ledgers.tokens
    before = sequencer.state.digest()
    answer, _ = ledgers.tell(side, f"step/{ledgers.book.sequence}/{ledgers.tokens.sequence}", command)
    if not isinstance(answer, Refused):
        return ""
    assert sequencer.state.digest() == before, "a refusal changed the state"
    return str(answer.rejections[0])
