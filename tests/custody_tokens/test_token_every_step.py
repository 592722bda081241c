"""Crash and time-out at every step of the protocol.

Goal: whatever happens at whichever of the five messages, both legs are done or neither, which of the two is known
beforehand, and nothing stays reserved. Method: a trade is stopped at each message in each way on ledgers that recover
from their journals; then everything is healed, at once or after the deadline, and a synchroniser that knows nothing
brings it to its end. Committed is expected exactly when the book's decision became durable or there was still time.
"""

from __future__ import annotations

import pytest

from tsingma.custody.tokens.ledger import asset_of
from tsingma.custody.tokens.legs import COMMITTED, RELEASED
from tsingma.custody.tokens.protocol import Progress, Side
from tsingma.journal.token_commands import Agreement, Leg, TellTime
from tsingma.simulate import token_audit as audit
from tsingma.simulate.token_world import (
    ALPHA,
    BETA,
    BOND,
    DENOMINATION,
    HKD,
    START,
    Node,
    StoreFailed,
    account_of,
    open_world,
)

STEPS = ("reserve-tokens", "reserve-book", "commit", "complete")
COMMIT = STEPS.index("commit")
FAULTS = (
    "store-fails-before",
    "store-fails-after",
    "ledger-dies-before",
    "ledger-dies-after",
    "other-ledger-dies",
    "message-lost",
    "answer-lost",
    "message-doubled",
    "message-late",
)
FACE = 5 * DENOMINATION
DEADLINE = START + 100
DURABLE = ("store-fails-after", "ledger-dies-after", "other-ledger-dies", "answer-lost", "message-doubled")


@pytest.fixture
def nodes() -> dict[Side, Node]:
    """Two ledgers with their opening done."""
    found = {side: Node(side) for side in Side}
    for deal in open_world(found[Side.BOOK], found[Side.TOKENS]):
        carry(found, Progress(deal))
    return found


def carry(nodes: dict[Side, Node], progress: Progress) -> None:
    """Bring one agreement to its end on a calm network."""
    for _ in range(6):
        for message in progress.messages():
            progress.heard(message.side, *nodes[message.side].tell(message.command_id, message.command))


def trade() -> Agreement:
    """Return a trade of five denominations against money on the book."""
    money = (Leg(account_of(BETA), account_of(ALPHA), HKD, FACE),)
    return Agreement("trade/1", money, (Leg(ALPHA, BETA, asset_of(BOND), FACE),), DEADLINE)


@pytest.mark.parametrize("timed_out", [False, True], ids=["in-time", "timed-out"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", range(len(STEPS)), ids=STEPS)
def test_both_legs_or_neither(nodes: dict[Side, Node], step: int, fault: str, timed_out: bool) -> None:
    """Goal and method: see the module."""
    progress, late = Progress(trade()), None
    for place in range(step + 1):
        message = progress.messages()[0]
        node, other = nodes[message.side], next(one for one in nodes.values() if one.side is not message.side)
        if place < step:
            progress.heard(message.side, *node.tell(message.command_id, message.command))
        elif fault == "message-late":
            late = message
        elif fault != "message-lost":
            strike(node, other, message.command_id, message.command, fault)
    for side, node in nodes.items():
        if not node.up:
            node.start()
        if timed_out:
            node.tell(f"time/{side}", TellTime(DEADLINE))
    carry(nodes, Progress(trade()))
    decided = step > COMMIT or (step == COMMIT and fault in DURABLE)
    expected = COMMITTED if decided or not timed_out else RELEASED
    assert_ended(nodes, expected)
    if late is not None:  # it arrives when all is over
        nodes[late.side].tell(late.command_id, late.command)
        carry(nodes, Progress(trade()))
        assert_ended(nodes, expected)


def strike(node: Node, other: Node, command_id: str, command: object, fault: str) -> None:
    """Hand a message over while the fault happens; nobody hears the answer."""
    if fault.startswith("store-fails"):
        node.plan_failure(before=fault == "store-fails-before")
        with pytest.raises(StoreFailed):
            node.tell(command_id, command)  # type: ignore[arg-type]
        return
    if fault == "ledger-dies-before":
        node.crash()
        return
    node.tell(command_id, command)  # type: ignore[arg-type]
    if fault == "message-doubled":
        node.tell(command_id, command)  # type: ignore[arg-type]
    elif fault == "ledger-dies-after":
        node.crash()
    elif fault == "other-ledger-dies":
        other.crash()


def assert_ended(nodes: dict[Side, Node], expected: str) -> None:
    """Assert that both ledgers ended it so, hold nothing back, agree with each other and with their journals."""
    book, tokens = nodes[Side.BOOK], nodes[Side.TOKENS]
    assert book.house.synchronised.status("trade/1") == tokens.token_ledger.legs.status("trade/1") == expected
    audit.check_quiet(book.house, tokens.token_ledger)
    audit.check_reconciled(book.house, tokens.token_ledger, quiet=True)
    audit.check_receipts(book.house, tokens.token_ledger, book.store, tokens.store)
    audit.check_books(book.house, tokens.token_ledger, book.store, tokens.store)
    moved = FACE if expected == COMMITTED else 0
    assert tokens.token_ledger.balance(BETA, BOND) == 20 * DENOMINATION + moved
