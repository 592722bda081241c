"""Every interleaving of one agreement between the two ledgers, by explicit search over the production rules.

Goal: in no reachable state is one leg done and the other let go, and from every reachable state the agreement comes
to its end. Method: breadth-first search. A state is both ledgers, every message ever sent and what the synchroniser
knows. Any message sent may be delivered at any time, any number of times, or never (loss, repeats, delay, any order);
its answer may be heard or lost; the synchroniser may forget everything, give up, or send; either clock may pass the
deadline before the other; the seller's tokens and the buyer's money may be spent first. A ledger's crash changes
nothing durable: it is a lost answer (records that fail half-way are tried by the simulation). Planted defects show
that the search finds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.custody.tokens.deciding import BookLegs, TokenLegs
from tsingma.custody.tokens.legs import COMMITTED, NONE, RELEASED, RESERVED, digest_of
from tsingma.custody.tokens.protocol import Message, Progress, Side
from tsingma.journal.events import Accepted, Answer, Refused
from tsingma.journal.token_commands import (
    Agreement,
    CompleteLegs,
    DecideSettlement,
    Leg,
    Receipt,
    ReserveLegs,
    TellTime,
)
from tsingma.journal.token_events import SettlementDecided, TimeTold
from tsingma.ledger.ledger import NO_FLOOR, Ledger

SELLER, BUYER, OTHER, SOURCE = 1, 2, 3, 0
ASSET = {Side.BOOK: 0, Side.TOKENS: 7}
PAYER = {Side.BOOK: BUYER, Side.TOKENS: SELLER}
DEADLINE = 100
DEAL = Agreement("deal", (Leg(BUYER, SELLER, 0, 50),), (Leg(SELLER, BUYER, 7, 10),), DEADLINE)


def replace_name(deal: Agreement) -> Agreement:
    """Return the same legs under another name."""
    return Agreement("rival", deal.book_legs, deal.token_legs, deal.decide_by)


AMOUNT = {Side.BOOK: 50, Side.TOKENS: 10}
RECEIPT = {Side.BOOK: Receipt(1, bytes(32)), Side.TOKENS: Receipt(2, bytes(32))}
SPEND = "spend"  # the payer's asset goes elsewhere, if it is free

Parts = tuple[tuple[str, bytes], ...]
Knowledge = tuple[frozenset[Side], tuple[bool, int] | None, bool, bool]


@dataclass(frozen=True)
class State:
    """Both ledgers as dumps, the messages sent so far, and what the synchroniser knows."""

    book: Parts
    tokens: Parts
    sent: frozenset[str] = frozenset()
    known: Knowledge = (frozenset(), None, False, False)


@dataclass
class Search:
    """The search with its two sides, which a test may replace by defective ones."""

    book: type[BookLegs] = BookLegs
    tokens: type[TokenLegs] = TokenLegs
    messages: dict[str, Message] = field(default_factory=dict)
    done: dict[tuple[Parts, Side, str], tuple[Parts, Answer | None]] = field(default_factory=dict)
    seen: dict[State, None] = field(default_factory=dict)
    ended: set[tuple[Parts, Parts]] = field(default_factory=set)
    known_statuses: dict[tuple[Side, Parts], str] = field(default_factory=dict)

    def start(self) -> State:
        """Return the seller with ten tokens and the buyer with fifty of money."""
        first = {}
        for side in Side:
            ledger = Ledger()
            source = ledger.row(SOURCE, ASSET[side], floor=NO_FLOOR)
            payer = ledger.row(PAYER[side], ASSET[side])
            ledger.post_all(*(np.array([one], np.int64) for one in (source, payer, AMOUNT[side])))
            first[side] = self.dump(ledger, self.side(side)())
        return State(first[Side.BOOK], first[Side.TOKENS])

    def side(self, side: Side) -> type[BookLegs] | type[TokenLegs]:
        """Return the class of one side."""
        return self.book if side is Side.BOOK else self.tokens

    @staticmethod
    def dump(ledger: Ledger, legs: BookLegs | TokenLegs) -> Parts:
        """Return a ledger and its table as a value."""
        return tuple(sorted({**{f"l.{k}": v for k, v in ledger.dump().items()}, **legs.dump()}.items()))

    def load(self, side: Side, parts: Parts) -> tuple[Ledger, BookLegs | TokenLegs]:
        """Return a ledger and its table of a value."""
        ledger, legs = Ledger(), self.side(side)()
        ledger.load({key[2:]: value for key, value in parts if key.startswith("l.")})
        legs.load({key: value for key, value in parts if not key.startswith("l.")})
        return ledger, legs

    def deliver(self, side: Side, parts: Parts, what: str) -> tuple[Parts, Answer | None]:
        """Return the ledger after a message, a clock that passes the deadline, or a spender, and its answer."""
        key = parts, side, what
        if key not in self.done:
            ledger, legs = self.load(side, parts)
            answer: Answer | None
            try:
                answer = self.carry_out(side, ledger, legs, what)
            except Rejected as refused:
                answer = Refused(refused.rejections)
            ledger.check()
            self.done[key] = self.dump(ledger, legs), answer
        return self.done[key]

    def carry_out(self, side: Side, ledger: Ledger, legs: BookLegs | TokenLegs, what: str) -> Answer | None:
        """Do it on a loaded ledger."""
        if what == SPEND:
            rows = [ledger.row(owner, ASSET[side]) for owner in (PAYER[side], OTHER)]
            ledger.post_all(*(np.array([one], np.int64) for one in (*rows, AMOUNT[side])))
            return None
        command = self.messages[what].command
        if isinstance(command, ReserveLegs):
            return Accepted((legs.reserve_own(ledger, command.agreement),))
        if isinstance(legs, BookLegs):
            if isinstance(command, DecideSettlement):
                return Accepted((legs.decide(ledger, command),))
            legs.tell(ledger, DEADLINE)
        elif isinstance(command, CompleteLegs):
            return Accepted((legs.complete(ledger, command),))
        else:
            legs.move_clock(DEADLINE)
            getattr(legs, "expire", lambda ledger: None)(ledger)  # only a defective side has one
        return Accepted((TimeTold(DEADLINE, 0, 0, 0),))

    def progress(self, known: Knowledge) -> Progress:
        """Return the synchroniser that knows this."""
        reserved, decision, gives_up, done = known
        decided = None if decision is None else SettlementDecided("deal", digest_of(DEAL), *decision)
        receipt = None if decision is None else RECEIPT[Side.BOOK]
        return Progress(DEAL, 0, {side: RECEIPT[side] for side in reserved}, decided, receipt, gives_up, done)

    @staticmethod
    def knowledge(progress: Progress) -> Knowledge:
        """Return what a synchroniser knows, as a value."""
        told = progress.decision
        decision = None if told is None else (told.committed, told.decided_at)
        return frozenset(progress.reserved), decision, progress.gives_up, progress.done

    def following(self, state: State) -> list[State]:
        """Return every state one step away."""
        progress = self.progress(state.known)
        found = [replace(state, known=(frozenset(), None, False, False))]  # it forgets
        progress.gives_up = True
        found.append(replace(state, known=self.knowledge(progress)))  # a party takes it back
        for message in self.progress(state.known).messages():
            name = f"{message.side}:{message.command_id}:{message.command!r}"
            self.messages[name] = message
            found.append(replace(state, sent=state.sent | {name}))
        for name in state.sent:
            found.extend(self.delivered(state, name))
        for side in Side:
            clock = f"{side}:clock"
            self.messages[clock] = Message(side, clock, TellTime(DEADLINE))
            for what in (clock, SPEND):
                parts, _ = self.deliver(side, getattr(state, side), what)
                found.append(replace(state, **{str(side): parts}))
        return found

    def delivered(self, state: State, name: str) -> list[State]:
        """Return what a delivery leads to: its answer heard, or lost."""
        side = self.messages[name].side
        parts, answer = self.deliver(side, getattr(state, side), name)
        lost = replace(state, **{str(side): parts})
        progress = self.progress(state.known)
        if answer is not None:
            progress.heard(side, answer, RECEIPT[side] if isinstance(answer, Accepted) else None)
        return [lost, replace(lost, known=self.knowledge(progress))]

    def status(self, side: Side, parts: Parts) -> str:
        """Return what the deal is on one ledger."""
        if (side, parts) not in self.known_statuses:
            self.known_statuses[side, parts] = self.load(side, parts)[1].status("deal")
        return self.known_statuses[side, parts]

    def statuses(self, state: State) -> tuple[str, str]:
        """Return what the deal is on the book and on the token ledger."""
        return self.status(Side.BOOK, state.book), self.status(Side.TOKENS, state.tokens)

    def run(self, check: Callable[[Search, State], None]) -> int:
        """Visit every reachable state and check it; returns how many there are."""
        waiting = deque([self.start()])
        self.seen = dict.fromkeys(waiting)
        while waiting:
            state = waiting.popleft()
            check(self, state)
            for after in self.following(state):
                if after not in self.seen:
                    self.seen[after] = None
                    waiting.append(after)
        return len(self.seen)


def never_one_leg(search: Search, state: State) -> None:
    """Raise AssertionError when one leg is done and the other let go, or done before it was decided."""
    book, tokens = search.statuses(state)
    assert (book, tokens) not in {(COMMITTED, RELEASED), (RELEASED, COMMITTED)}, (book, tokens, sorted(state.sent))
    assert tokens != COMMITTED or book == COMMITTED, "delivered before the decision"
    assert book != COMMITTED or tokens in (RESERVED, COMMITTED), "paid without a promise"


def comes_to_an_end(search: Search, state: State) -> None:
    """Raise AssertionError when a synchroniser that starts anew on a calm network leaves something reserved."""
    if (state.book, state.tokens) in search.ended:
        return
    search.ended.add((state.book, state.tokens))
    progress = search.progress((frozenset(), None, False, False))
    sides: dict[Side, Parts] = {side: getattr(state, side) for side in Side}
    for _ in range(6):
        for message in progress.messages():
            name = f"{message.side}:{message.command_id}:{message.command!r}"
            search.messages[name] = message
            sides[message.side], answer = search.deliver(message.side, sides[message.side], name)
            if answer is not None:
                receipt = RECEIPT[message.side] if isinstance(answer, Accepted) else None
                progress.heard(message.side, answer, receipt)
    ends = {side: search.load(side, sides[side])[1].status("deal") for side in Side}
    assert progress.done, ends
    allowed = {(COMMITTED, COMMITTED), (RELEASED, RELEASED), (RELEASED, NONE)}
    assert (ends[Side.BOOK], ends[Side.TOKENS]) in allowed, ends
    for side in Side:
        ledger, _ = search.load(side, sides[side])
        assert not ledger.held.any(), "something is still reserved"


def test_no_interleaving_parts_the_legs_and_every_one_ends() -> None:
    """Goal: never one leg without the other, never stuck. Method: check both in every reachable state."""
    search, ends = Search(), set()

    def check(search: Search, state: State) -> None:
        never_one_leg(search, state)
        comes_to_an_end(search, state)
        ends.add(search.statuses(state))

    states = search.run(check)
    assert states > 1_000
    reached = {(COMMITTED, COMMITTED), (RELEASED, RELEASED), (COMMITTED, RESERVED), (RELEASED, RESERVED)}
    assert reached | {(NONE, NONE), (NONE, RESERVED), (RESERVED, NONE), (RESERVED, RESERVED)} <= ends


class ExpiresAlone(TokenLegs):
    """A token ledger that lets go by its own clock."""

    def expire(self, ledger: Ledger) -> None:
        """Let go what is overdue."""
        for name in self.overdue():
            self.release(ledger, name, DEAL.token_legs, decided_at=self.at)


class DecidesTwice(BookLegs):
    """A book that lets go on request even what it has committed."""

    def decide(self, ledger: Ledger, asked: DecideSettlement) -> SettlementDecided:
        """Answer what was asked for."""
        told = super().decide(ledger, asked)
        return told if asked.commit else SettlementDecided(told.settlement, told.agreement, False, told.decided_at)


class ForgetsRefusals(BookLegs):
    """A book that keeps no record of letting go what it never heard of."""

    def decide(self, ledger: Ledger, asked: DecideSettlement) -> SettlementDecided:
        """Answer without recording."""
        if self.entry(asked.settlement) is None and not asked.commit:
            return SettlementDecided(asked.settlement, asked.agreement, False, self.at)
        return super().decide(ledger, asked)


class CommitsUnpromised(BookLegs):
    """A book that commits as soon as its own leg is reserved."""

    def reserve_own(self, ledger: Ledger, agreement: Agreement):  # type: ignore[no-untyped-def]
        """Reserve and commit."""
        told = super().reserve_own(ledger, agreement)
        self.commit(ledger, agreement.settlement, agreement.book_legs, decided_at=self.at)
        return told


class LeavesNoTrace(TokenLegs):
    """A token ledger that lets a late reservation in after it was told to let go."""

    def refuse_for_good(self, settlement, digest, *, decided_at):  # type: ignore[no-untyped-def]
        """Forget it."""
        entry = super().refuse_for_good(settlement, digest, decided_at=decided_at)
        del self._entries[settlement]
        return entry


@pytest.mark.parametrize(
    ("book", "tokens"),
    [(BookLegs, ExpiresAlone), (DecidesTwice, TokenLegs), (ForgetsRefusals, TokenLegs), (CommitsUnpromised, TokenLegs)],
    ids=["tokens-expire-alone", "book-decides-twice", "book-forgets-refusals", "book-commits-unpromised"],
)
def test_planted_defects_are_found(book: type[BookLegs], tokens: type[TokenLegs]) -> None:
    """Goal: the search can fail. Method: four defects, each of which must break safety or the books."""
    with pytest.raises((AssertionError, InvariantBroken)):
        Search(book, tokens).run(never_one_leg)


def test_a_late_reservation_that_gets_in_is_still_ended() -> None:
    """Goal: the rule that a refusal is kept is convenience, not safety. Method: search without it on the token side."""
    Search(BookLegs, LeavesNoTrace).run(
        lambda search, state: (never_one_leg(search, state), comes_to_an_end(search, state))
    )  # type: ignore[arg-type,return-value]


RIVAL = replace_name(DEAL)
Two = tuple[Parts, Parts, frozenset[str]]  # the book, the token ledger, what the token ledger has ever promised


def possible(search: Search, state: Two) -> list[Message]:
    """Return every message that may be under way: whatever a synchroniser could have sent by now, however late."""
    book, _, promised = state
    found = [Message(side, "clock", TellTime(DEADLINE)) for side in Side]
    for deal in (DEAL, RIVAL):
        name, digest = deal.settlement, digest_of(deal)
        found += [Message(side, "reserve", ReserveLegs(deal)) for side in Side]
        found.append(Message(Side.BOOK, "let-go", DecideSettlement(name, digest, commit=False)))
        if name in promised:
            asked = DecideSettlement(name, digest, commit=True, token_receipt=RECEIPT[Side.TOKENS])
            found.append(Message(Side.BOOK, "commit", asked))
        entry = search.load(Side.BOOK, book)[1].entry(name)
        if entry is not None and entry.status in (COMMITTED, RELEASED):
            told = CompleteLegs(name, digest, entry.status == COMMITTED, entry.decided_at, RECEIPT[Side.BOOK])
            found.append(Message(Side.TOKENS, "complete", told))
    return found


def rivals(search: Search) -> list[Two]:
    """Return every state of two agreements over the same tokens and the same money, under any such message."""
    start = search.start()
    first: Two = start.book, start.tokens, frozenset()
    seen, waiting = {first: None}, deque([first])
    while waiting:
        state = waiting.popleft()
        for message in possible(search, state):
            what = f"{message.command_id}:{message.command!r}"
            search.messages[what] = message
            book, tokens, promised = state
            if message.side is Side.BOOK:
                book, _ = search.deliver(Side.BOOK, book, what)
            else:
                tokens, _ = search.deliver(Side.TOKENS, tokens, what)
                table = search.load(Side.TOKENS, tokens)[1]
                promised |= {one.settlement for one in (DEAL, RIVAL) if table.status(one.settlement) == RESERVED}
            after = book, tokens, promised
            if after not in seen:
                seen[after] = None
                waiting.append(after)
    return list(seen)


def test_two_agreements_over_the_same_tokens_and_money() -> None:
    """Goal: rivals do not help one another to part. Method: every state two of them reach; at most one is done."""
    search, ends = Search(), set()
    for book, tokens, _ in rivals(search):
        pairs = []
        for deal in (DEAL, RIVAL):
            sides = (search.load(Side.BOOK, book)[1], search.load(Side.TOKENS, tokens)[1])
            pairs.append(tuple(side.status(deal.settlement) for side in sides))
            assert pairs[-1] not in {(COMMITTED, RELEASED), (RELEASED, COMMITTED), (COMMITTED, NONE)}
            assert pairs[-1][1] != COMMITTED or pairs[-1][0] == COMMITTED
        assert [pair[0] for pair in pairs].count(COMMITTED) <= 1
        ends.add(tuple(sorted(pairs)))
    assert ((COMMITTED, COMMITTED), (RELEASED, RELEASED)) in ends
    assert ((RELEASED, RESERVED), (RESERVED, NONE)) in ends  # each has one side of it: neither can be done
