"""One seed: agreements between two ledgers that crash, over a network that loses, doubles, delays and reorders.

Safety first: at every step both ledgers are compared for an agreement done on one and let go on the other. Then
liveness: the network is healed, both ledgers run, and every agreement must end within a bounded number of rounds; what
was still in the network arrives late and must change nothing. The same seed gives the same run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import msgspec
import numpy as np

from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.custody.tokens.protocol import Message, Progress, Side
from tsingma.journal.events import Accepted, Answer
from tsingma.journal.token_commands import Agreement, Receipt, TellTime
from tsingma.journal.token_events import SettlementDecided
from tsingma.simulate import token_audit as audit
from tsingma.simulate.auditor import Violation
from tsingma.simulate.disk_store import unheard_errors_ignored
from tsingma.simulate.token_deals import KINDS, draw_deal, draw_own_command
from tsingma.simulate.token_disk import DiskNode
from tsingma.simulate.token_world import START, Node, StoreFailed, open_world

ROUNDS_MAX = 12
_DEFECTS = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
)  # no seed ends a long run


class TokenSwarm(msgspec.Struct, frozen=True):
    """What a seed tries: how many steps, how hostile; rates are chances from 0 to 1, weights are relative."""

    steps: int
    deals_max: int
    patience: int
    decide_within_s: int
    tick_s: int
    skew: float  # how much slower the token ledger's clock runs, on average
    lose: float
    double: float
    weights: tuple[float, ...]  # of the actions below


ACTIONS = (
    "agree", "send", "deliver", "tick-book", "tick-tokens", "own", "crash-book", "crash-tokens", "fail-book",
    "fail-tokens", "start", "forget", "take-back", "snapshot", "reconcile",
)  # fmt: skip
# What a long run must have met.
MUST_OCCUR = (
    *(f"{kind}:committed" for kind in KINDS), *(f"{kind}:released" for kind in KINDS),
    *(f"action:{name}" for name in ACTIONS), "network:lost", "network:doubled", "network:to-a-ledger-that-is-down",
    "store:failed-before", "store:failed-after", "recovered", "record-date:passed-while-promised", "late:delivered",
    "expired-by-the-clock", "healed:open",
    *(f"stopped:{side}:{stage}" for side in Side for stage in (
        "none-reserved", "reserved-none", "reserved-reserved", "committed-reserved", "released-reserved",
    )),
)  # fmt: skip


def draw(chance: np.random.Generator) -> TokenSwarm:
    """Return the parameters of a seed."""
    faulty = float(chance.choice((0.0, 0.3, 1.0), p=(0.1, 0.4, 0.5)))
    weights = [3.0, 9.0, 20.0, 1.0, 1.0, 1.5, *(faulty * float(chance.choice((0.0, 0.5, 1.5))) for _ in range(4)),
               3.0, faulty * 0.4, 0.3, 0.2, 0.5]  # fmt: skip
    return TokenSwarm(
        steps=int(chance.integers(60, 220)),
        deals_max=int(chance.choice((1, 3, 12))),
        patience=int(chance.choice((0, 3))),
        decide_within_s=int(chance.choice((30, 120, 900))),
        tick_s=int(chance.choice((5, 60, 200))),
        skew=float(chance.choice((0.1, 1.0, 4.0))),
        lose=float(chance.choice((0.0, 0.05, 0.3))),
        double=float(chance.choice((0.0, 0.05, 0.3))),
        weights=tuple(weights),
    )


@dataclass(slots=True)
class Outcome:
    """What one seed did; ``violation`` is empty when green, ``trace`` has a line for every step when asked for."""

    seed: int
    swarm: TokenSwarm
    marks: Counter[str] = field(default_factory=Counter)
    records: int = 0
    state_hash: str = ""
    violation: str = ""
    trace: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Request:
    """A message under way to a ledger, of the synchroniser's ``generation`` (it forgets between generations)."""

    name: str
    message: Message
    generation: int


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer under way back."""

    name: str
    side: Side
    answer: Answer
    receipt: Receipt | None
    generation: int


def simulate(seed: int, *, disk: bool = False) -> Outcome:
    """Run one seed to its end, or to the first violation; with ``disk``, over SQLite on two disks that fail."""
    with unheard_errors_ignored():
        run = TokenRun(seed, disk=disk)
        try:
            run.safety()
            run.liveness()
            run.finish()
        except (Violation, InvariantBroken, Rejected, StoreFailed, *_DEFECTS) as broken:
            run.outcome.violation = f"{type(broken).__name__} at step {run.step}: {broken}"
        for node in run.nodes.values():
            node.crash()
    for node in run.nodes.values():
        run.outcome.marks += node.marks
    return run.outcome


class TokenRun:
    """The two nodes, the network between them, and the synchroniser with what it knows."""

    def __init__(self, seed: int, *, disk: bool = False) -> None:
        """Draw the parameters and open both ledgers."""
        streams = [np.random.Generator(np.random.PCG64([seed, place])) for place in range(4)]
        self.swarm, self.chance = draw(streams[0]), streams[1]
        self.outcome = Outcome(seed, self.swarm)
        self.marks, self.trace = self.outcome.marks, self.outcome.trace
        self.nodes: dict[Side, Node] = (
            {side: DiskNode(side, streams[2 + place]) for place, side in enumerate(Side)}
            if disk
            else {side: Node(side) for side in Side}
        )
        self.network: list[Request | Reply] = []
        self.known: dict[str, Progress] = {}
        self.deals: dict[str, Agreement] = {}
        self.times = dict.fromkeys(Side, START)
        self.generation = self.step = self._own = 0
        total = sum(self.swarm.weights)
        self._odds = np.cumsum(self.swarm.weights) / total
        for deal in open_world(self.nodes[Side.BOOK], self.nodes[Side.TOKENS]):
            self.deals[deal.settlement] = deal
            self._carry_through(Progress(deal))

    def safety(self) -> None:
        """Take steps under faults, comparing the ledgers after each."""
        for step in range(1, self.swarm.steps + 1):
            self.step = step
            action = ACTIONS[int(np.searchsorted(self._odds, self.chance.random(), side="right"))]
            self.marks[f"action:{action}"] += 1
            self._act(action)
            self._compare()

    def liveness(self) -> None:
        """Heal everything and bring every agreement to its end, at once or after its time."""
        self._start_all()
        self._mark_open()
        if self.chance.random() < 0.5:
            latest = max(self.times.values()) + self.swarm.decide_within_s + 1
            for side in Side:
                self._tick(side, latest)
        self._bring_to_an_end()
        late, self.network = [one for one in self.network if isinstance(one, Request)], []
        for place in self.chance.permutation(len(late)):  # what was under way arrives when all is over
            message = late[int(place)].message
            self.nodes[message.side].tell(message.command_id, message.command)
            self.marks["late:delivered"] += 1
            self._compare()
        self._bring_to_an_end()

    def finish(self) -> None:
        """Prove the end: nothing reserved, nothing under way, books as the journals say, replays give the state."""
        book, ledger = self.nodes[Side.BOOK], self.nodes[Side.TOKENS]
        audit.check_quiet(book.house, ledger.token_ledger)
        audit.check_reconciled(book.house, ledger.token_ledger, quiet=True)
        audit.check_receipts(book.house, ledger.token_ledger, book.store, ledger.store)
        audit.check_books(book.house, ledger.token_ledger, book.store, ledger.store)
        for name in self.deals:
            status = book.house.synchronised.status(name)
            self.marks[f"{name.split('/')[0]}:{status}"] += 1
        hashes = []
        for node in self.nodes.values():
            wanted = node.sequencer.state.digest()
            if node.sequencer.replay().digest() != wanted:
                raise Violation(f"replay of the {node.side} ends in another state")
            hashes.append(wanted.hex())
            self.outcome.records += node.store.length()
        self.outcome.state_hash = hashes[0][:16] + hashes[1][:16]

    def _act(self, action: str) -> None:
        what, _, where = action.partition("-")
        if action == "agree":
            self._agree()
        elif action == "send":
            self._send()
        elif action == "deliver":
            self._deliver()
        elif action == "own":
            side, command = draw_own_command(self.chance)
            self._own += 1
            self._tell(side, f"own/{self._own}", command)
        elif action == "start":
            self._start_all()
        elif action == "forget":
            self._forget()
        elif action == "take-back" and self.known:
            self._pick_known().gives_up = True
        elif action == "snapshot":
            for node in self.nodes.values():
                if node.up:
                    node.snapshot()
        elif action == "reconcile" and all(node.up for node in self.nodes.values()):
            nodes = self.nodes
            audit.check_reconciled(nodes[Side.BOOK].house, nodes[Side.TOKENS].token_ledger, quiet=False)
        elif what == "tick":
            self._tick_some(Side(where))
        elif what == "crash":
            self._mark_stop(Side(where))
            self.nodes[Side(where)].crash()
        elif what == "fail":
            self.nodes[Side(where)].plan_failure(before=bool(self.chance.random() < 0.5))

    def _agree(self) -> None:
        if len(self.deals) >= self.swarm.deals_max + 4:
            return
        kind = KINDS[int(self.chance.integers(len(KINDS)))]
        name = f"{kind}/{len(self.deals)}"
        now = max(self.times.values())
        decide_by = now + int(self.chance.integers(1, self.swarm.decide_within_s + 1))
        self.deals[name] = deal = draw_deal(self.chance, name, decide_by, now)
        self.known[name] = Progress(deal, self.swarm.patience)
        self._note(f"agree {name}, decide by {decide_by - START}")

    def _send(self) -> None:
        open_ = [name for name, progress in self.known.items() if not progress.done]
        if not open_:
            return
        name = open_[int(self.chance.integers(len(open_)))]
        for message in self.known[name].messages():
            self.network.append(Request(name, message, self.generation))

    def _deliver(self) -> None:
        """Take anything out of the network: lose it, double it, or hand it over."""
        if not self.network:
            return
        place = int(self.chance.integers(len(self.network)))
        one = self.network[place]
        if self.chance.random() < self.swarm.double:
            self.marks["network:doubled"] += 1
        else:
            del self.network[place]
        if self.chance.random() < self.swarm.lose:
            self.marks["network:lost"] += 1
            return
        if isinstance(one, Reply):
            self._hear(one)
            return
        told = self._tell(one.message.side, one.message.command_id, one.message.command)
        if told is not None:
            self.network.append(Reply(one.name, one.message.side, *told, one.generation))

    def _hear(self, reply: Reply) -> None:
        progress = self.known.get(reply.name)
        if progress is not None and reply.generation == self.generation:
            progress.heard(reply.side, reply.answer, reply.receipt)

    def _tell(self, side: Side, command_id: str, command: object) -> tuple[Answer, Receipt | None] | None:
        """Hand a command to a ledger; None when it is down, or goes down over it."""
        node = self.nodes[side]
        if not node.up:
            self.marks["network:to-a-ledger-that-is-down"] += 1
            return None
        planned = node.failing
        if planned:
            self._mark_stop(side)
        try:
            told = node.tell(command_id, command)  # type: ignore[arg-type]
        except StoreFailed:
            self.marks[f"store:failed-{planned}"] += 1
            node.heal()
            self._note(f"{side} {command_id}: the store fails {planned}")
            return None
        self._note(f"{side} {command_id}: {_short(told[0])}")
        return told

    def _tick_some(self, side: Side) -> None:
        factor = self.swarm.skew if side is Side.TOKENS else 1.0
        self._tick(side, self.times[side] + 1 + int(self.chance.integers(self.swarm.tick_s) * factor))

    def _tick(self, side: Side, at: int) -> None:
        node = self.nodes[side]
        promised = side is Side.TOKENS and node.up and any(True for _ in node.token_ledger.legs.reserved())
        told = self._tell(side, f"time/{at}", TellTime(at))
        if told is None:
            return
        self.times[side] = at
        for event in told[0].events if isinstance(told[0], Accepted) else ():
            self.marks["expired-by-the-clock"] += getattr(event, "ended", 0)
            self.marks["record-date:passed-while-promised"] += promised * getattr(event, "snapshots", 0)

    def _forget(self) -> None:
        """The synchroniser starts again: what is open on a ledger that runs, it finds there."""
        self.generation += 1
        self.known = {}
        for terms in self._open():
            self.known[terms.settlement] = Progress(terms, self.swarm.patience)

    def _open(self) -> list[Agreement]:
        found = {}
        if self.nodes[Side.BOOK].up:
            found.update(dict(self.nodes[Side.BOOK].house.synchronised.reserved()))
        if self.nodes[Side.TOKENS].up:
            found.update(dict(self.nodes[Side.TOKENS].token_ledger.legs.reserved()))
        return [entry.terms for entry in found.values() if entry.terms is not None]

    def _start_all(self) -> None:
        for node in self.nodes.values():
            if not node.up:
                node.start()
                self.marks["recovered"] += 1
            node.heal()
        self.times[Side.BOOK] = max(self.times[Side.BOOK], self.nodes[Side.BOOK].house.synchronised.at)
        self.times[Side.TOKENS] = max(self.times[Side.TOKENS], self.nodes[Side.TOKENS].token_ledger.at)

    def _bring_to_an_end(self) -> None:
        for _ in range(ROUNDS_MAX):
            open_ = self._open()
            if not open_:
                return
            earliest = max(terms.settle_from for terms in open_)
            if earliest > self.times[Side.BOOK]:  # time goes on
                self._tick(Side.BOOK, earliest)
            for terms in open_:
                self._carry_through(Progress(terms))
                self._compare()
        raise Violation(f"still open after {ROUNDS_MAX} rounds: {', '.join(one.settlement for one in self._open())}")

    def _carry_through(self, progress: Progress) -> None:
        for _ in range(ROUNDS_MAX):
            for message in progress.messages():
                progress.heard(message.side, *self.nodes[message.side].tell(message.command_id, message.command))
            if progress.done:
                return

    def _mark_stop(self, side: Side) -> None:
        """Count in which state of the protocol a ledger is stopped: what is open is on the book, and in tokens."""
        book, ledger = self.nodes[Side.BOOK], self.nodes[Side.TOKENS]
        if not (book.up and ledger.up):
            return
        for name in {terms.settlement for terms in self._open()}:
            stage = f"{book.house.synchronised.status(name)}-{ledger.token_ledger.legs.status(name)}"
            self.marks[f"stopped:{side}:{stage}"] += 1

    def _mark_open(self) -> None:
        self.marks["healed:open"] += len(self._open())
        self._note(f"healed with {len(self._open())} open")

    def _pick_known(self) -> Progress:
        names = list(self.known)
        return self.known[names[int(self.chance.integers(len(names)))]]

    def _compare(self) -> None:
        book, ledger = self.nodes[Side.BOOK], self.nodes[Side.TOKENS]
        if book.up and ledger.up:
            audit.check_pairs(book.house, ledger.token_ledger, self.deals)

    def _note(self, line: str) -> None:
        self.trace.append(f"{self.step:>4} {line}")


def _short(answer: Answer) -> str:
    if not isinstance(answer, Accepted):
        return f"refused, {answer.rejections[0]}"
    (event, *_) = answer.events
    told = f" {'commit' if event.committed else 'let go'}" if isinstance(event, SettlementDecided) else ""
    return type(event).__name__ + told
