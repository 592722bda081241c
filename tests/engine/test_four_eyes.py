"""Four-eyes: no interleaving of proposals and decisions lets one person carry an act out, and each goes through once.

Method: a stateful machine of three people with two keys each (one key is shared by two) against a plain model, on a
real house behind a real sequencer; time passes, runs back, the house is opened again from its journal.
"""

from __future__ import annotations

import msgspec
from clearing_book import MONDAY, book
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from tsingma.engine.act_book import DECIDED_KEPT, ActStatus
from tsingma.engine.acts import BODY_BYTES_MAX, LIFETIME_SECONDS_MAX, PENDING_MAX
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.sequencer import Sequencer
from tsingma.engine.step import step
from tsingma.journal.act_commands import DecideAct, ProposeAct
from tsingma.journal.act_events import ActDecided, ActProposed
from tsingma.journal.commands import (
    ChangeInstruction,
    CollectClaims,
    Command,
    LoadReference,
    OpenDay,
    PostTransfers,
    decode,
    encode,
)
from tsingma.journal.events import Accepted, ClaimsCollected, DayOpened, Refused
from tsingma.store.memory import MemoryStore

PEOPLE = ("chan", "lee", "wong")
KEYS = {"chan": ("c1", "c2"), "lee": ("l1", "shared"), "wong": ("w1", "shared")}
WHO = st.sampled_from([(person, key) for person in PEOPLE for key in KEYS[person]])


def opened(store: MemoryStore) -> Sequencer[House]:
    """Return a sequencer over a store."""
    return Sequencer(store, House, step, step_all)


class Model(msgspec.Struct):
    """An act as the model knows it."""

    person: str
    key: str
    until: int
    status: str = "pending"


class FourEyes(RuleBasedStateMachine):
    """People propose and decide; the model says what must happen."""

    numbers = Bundle("numbers")

    def __init__(self) -> None:
        """Begin with a house that has a book."""
        super().__init__()
        self.store = MemoryStore()
        self.sequencer = opened(self.store)
        self.sequencer.submit([("book", LoadReference(book()))])
        self.acts: dict[int, Model] = {}
        self.now, self.latest = 1_000, 0
        self.names = 0
        self.carried_out = 0

    def tell(self, command: Command) -> Accepted | Refused:
        """Submit under a new id."""
        self.names += 1
        return self.sequencer.submit([(f"n{self.names}", command)])[0]

    @rule(target=numbers, who=WHO, lifetime=st.sampled_from([1, 60, 300, LIFETIME_SECONDS_MAX]))
    def propose(self, who: tuple[str, str], lifetime: int) -> object:
        """Propose to collect claims: it may always be done, whatever the clocks of earlier acts said."""
        told = ProposeAct(encode(CollectClaims()), *who, self.now, 0, lifetime)
        if self.latest - self.now > LIFETIME_SECONDS_MAX:  # a clock was far ahead: nothing waits, time goes on from now
            self.latest = self.now
            for act in self.acts.values():
                act.status = "lapsed" if act.status == "pending" else act.status
        self.latest = max(self.now, self.latest)
        answer = self.tell(told)
        assert isinstance(answer, Accepted), answer
        assert answer.events == (ActProposed(len(self.acts) + 1, self.latest + lifetime),)
        self.acts[len(self.acts) + 1] = Model(*who, self.latest + lifetime)
        return len(self.acts)

    @rule(target=numbers, who=WHO, lifetime=st.sampled_from([1, 60, 300, 3_000]))
    def propose_as_before(self, who: tuple[str, str], lifetime: int) -> object:
        """Propose as older programs did, which told when an act lapses."""
        answer = self.tell(ProposeAct(encode(CollectClaims()), *who, self.now, self.now + lifetime))
        until = self.now + lifetime
        if until <= max(self.now, self.latest):
            assert isinstance(answer, Refused)  # the clock ran back behind its end
            return multiple()
        self.latest = max(self.now, self.latest)
        assert isinstance(answer, Accepted), answer
        proposed = answer.events[0]
        assert isinstance(proposed, ActProposed)
        self.acts[proposed.act] = Model(*who, until)
        return proposed.act

    @rule(who=WHO, number=st.integers(-1, 30), decision=st.sampled_from(["approve", "reject", "withdraw"]))
    def decide_any(self, who: tuple[str, str], number: int, decision: str) -> None:
        """Decide an act that may not be there."""
        self.decide(who, number, decision)

    @rule(who=WHO, number=numbers, decision=st.sampled_from(["approve", "approve", "reject", "withdraw"]))
    def decide_one(self, who: tuple[str, str], number: int, decision: str) -> None:
        """Decide an act that was proposed."""
        self.decide(who, number, decision)

    def decide(self, who: tuple[str, str], number: int, decision: str) -> None:
        """Decide any act, as anybody, with any of one's keys."""
        answer = self.tell(DecideAct(number, decision, *who, self.now))  # type: ignore[arg-type]
        act, now = self.acts.get(number), max(self.now, self.latest)
        may = act is not None and act.status == "pending" and now < act.until
        if act is not None and decision == "withdraw":
            may = may and who[0] == act.person
        elif act is not None:
            may = may and who[0] != act.person and who[1] != act.key
        assert isinstance(answer, Accepted) == may, (answer, act, who)
        if not may or act is None or isinstance(answer, Refused):
            return
        self.latest = now
        act.status = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"}[decision]
        decided = answer.events[0]
        assert isinstance(decided, ActDecided)
        assert (decided.act, decided.status) == (number, act.status)
        assert [type(event) for event in answer.events[1:]] == ([ClaimsCollected] if decision == "approve" else [])
        self.carried_out += decision == "approve"

    @rule(seconds=st.sampled_from([-400, -1, 1, 59, 60, 299, 400, 10**9, -(10**9), LIFETIME_SECONDS_MAX]))
    def wait(self, seconds: int) -> None:
        """Let time pass, or the clock run back."""
        self.now = max(self.now + seconds, 1)

    @rule()
    def open_again(self) -> None:
        """End the process and recover from the journal, by replay or from a snapshot."""
        before = self.sequencer.state.digest()
        if self.names % 2:
            self.sequencer.snapshot()
        self.sequencer = opened(self.store)
        assert self.sequencer.state.digest() == before

    @invariant()
    def every_act_carried_out_had_two_people_and_two_keys(self) -> None:
        """Look at the journal alone: who proposed, who approved, how often."""
        proposals: dict[int, ProposeAct] = {}
        done: list[int] = []
        for record in self.store.read():
            command = decode(record.body)
            if isinstance(command, ProposeAct):
                proposals[len(proposals) + 1] = command
            elif isinstance(command, DecideAct) and command.decision == "approve":
                first = proposals[command.act]
                assert first.person != command.person
                assert first.key != command.key
                done.append(command.act)
            else:
                assert isinstance(command, LoadReference | DecideAct)
        assert len(done) == len(set(done)) == self.carried_out

    @invariant()
    def the_book_of_acts_is_the_models(self) -> None:
        """Compare every act the house remembers; what has lapsed may still read as pending."""
        for number, act in self.sequencer.state.acts.acts.items():
            model = self.acts[number]
            lapsed = model.status == "pending" and model.until <= self.latest
            assert act.status in ((ActStatus.LAPSED, ActStatus.PENDING) if lapsed else (model.status,))


FourEyes.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestFourEyes = FourEyes.TestCase


def test_who_decides_what() -> None:
    """Goal: the whole rule. Method: one act of chan's by c1 for every person, key and decision, in time and late."""
    people = [("chan", "c1"), ("chan", "c2"), ("lee", "l1"), ("lee", "c1"), ("", "l1"), ("lee", "")]
    for person, key in people:
        for decision in ("approve", "reject", "withdraw"):
            for at_s in (59, 60):
                house = _house()
                assert isinstance(_propose(house, CollectClaims()), Accepted)
                before = house.digest()
                answer = step(house, DecideAct(1, decision, person, key, at_s))  # type: ignore[arg-type]
                alone = person == "chan" and key
                may = at_s < 60 and (alone if decision == "withdraw" else (person, key) == ("lee", "l1"))
                assert isinstance(answer, Accepted) == bool(may), (person, key, decision, at_s)
                assert may or house.digest() == before
                again = step(house, DecideAct(1, "approve", "wong", "w1", 59))
                assert isinstance(again, Accepted) == (not may)


def test_a_clock_that_runs_back_brings_nothing_back() -> None:
    """Goal: expiry is for ever. Method: another command tells a later time; then a decision with an earlier one."""
    house = _house()
    assert isinstance(_propose(house, CollectClaims(), 0, 60), Accepted)
    assert isinstance(_propose(house, CollectClaims(), 50, 100), Accepted)
    assert isinstance(step(house, DecideAct(2, "reject", "lee", "l1", 70)), Accepted)
    late = step(house, DecideAct(1, "approve", "lee", "l1", 10))
    assert isinstance(late, Refused)
    third = _propose(house, CollectClaims(), 10, 65)
    assert isinstance(third, Refused)  # it would have lapsed before it was made


def _house() -> House:
    house = House()
    assert isinstance(step(house, LoadReference(book())), Accepted)
    return house


def _propose(house: House, command: Command | bytes, at_s: int = 0, until_s: int = 60) -> Accepted | Refused:
    body = command if isinstance(command, bytes) else encode(command)
    return step(house, ProposeAct(body, "chan", "c1", at_s, until_s))


def test_an_act_that_the_house_refuses_goes_on_waiting() -> None:
    """Goal: nothing half done. Method: approve the opening of a Saturday, then of a day; the state in between."""
    house = _house()
    for day in (MONDAY + 5, MONDAY):  # a Saturday first
        assert isinstance(_propose(house, OpenDay(day)), Accepted)
    before = house.digest()
    refused = step(house, DecideAct(1, "approve", "lee", "l1", 1))
    assert isinstance(refused, Refused)
    assert "no settlement day" in refused.rejections[0].message
    assert house.digest() == before
    accepted = step(house, DecideAct(2, "approve", "lee", "l1", 1))
    assert isinstance(accepted, Accepted)
    assert isinstance(accepted.events[1], DayOpened)
    assert decode(accepted.events[0].body) == OpenDay(MONDAY)  # type: ignore[union-attr]
    assert house.position.is_open
    assert isinstance(step(house, DecideAct(2, "approve", "wong", "w1", 2)), Refused)
    assert house.acts.acts[1].status is ActStatus.PENDING


def test_only_acts_of_the_operator_may_be_proposed() -> None:
    """Goal: an allow-list. Method: other commands, an act within an act, a participant's change, broken bodies."""
    house, before = _house(), _house().digest()
    empty = b""
    for body in (
        PostTransfers(empty, empty, empty, empty, empty), LoadReference(book()),
        ProposeAct(encode(CollectClaims()), "chan", "c1", 0, 9), DecideAct(1, "approve", "lee", "l1", 1),
        ChangeInstruction(0, "cancel", "A"), b"", b"\x81\xa4type\xa1x", encode(CollectClaims()) + b"x",
        b"\0" * (BODY_BYTES_MAX + 1),
    ):  # fmt: skip
        assert isinstance(_propose(house, body), Refused)
    assert isinstance(step(house, ProposeAct(encode(CollectClaims()), "", "c1", 0, 9)), Refused)
    assert isinstance(step(house, ProposeAct(encode(CollectClaims()), "chan", "", 0, 9)), Refused)
    for until in (0, -1, LIFETIME_SECONDS_MAX + 1):
        assert isinstance(_propose(house, CollectClaims(), until_s=until), Refused)
    assert house.digest() == before
    assert house.dump().keys() == _house().dump().keys()  # an unused book of acts leaves no trace


def test_memory_is_bounded_and_what_lapsed_makes_room() -> None:
    """Goal: limits. Method: fill it with pending acts; wait until they lapse; decide many more than are kept."""
    house = _house()
    for _ in range(PENDING_MAX):
        assert isinstance(_propose(house, CollectClaims()), Accepted)
    assert isinstance(_propose(house, CollectClaims()), Refused)
    assert isinstance(_propose(house, CollectClaims(), 60, 120), Accepted)
    assert [act.status for act in house.acts.acts.values()].count(ActStatus.PENDING) == 1
    for turn in range(DECIDED_KEPT):
        assert isinstance(_propose(house, CollectClaims(), 61 + turn, 1_000), Accepted)
        number = house.acts.numbered
        assert isinstance(step(house, DecideAct(number, "withdraw", "chan", "c2", 61 + turn)), Accepted)
    assert len(house.acts.acts) <= DECIDED_KEPT + PENDING_MAX
    assert isinstance(step(house, DecideAct(1, "approve", "lee", "l1", 70)), Refused)
    assert House.load(house.dump()).digest() == house.digest()


def test_a_day_by_two_people_ends_as_a_day_by_the_house() -> None:
    """Goal: an act is the command itself. Method: open a day and collect by acts, and plainly; all else is equal."""
    acted, plain = _house(), _house()
    for place, command in enumerate([OpenDay(MONDAY), CollectClaims()]):
        assert isinstance(_propose(acted, command, place, place + 9), Accepted)
        answer = step(acted, DecideAct(place + 1, "approve", "lee", "l1", place))
        told = step(plain, command)
        assert isinstance(answer, Accepted)
        assert isinstance(told, Accepted)
        assert answer.events[1:] == told.events
    dumps = [
        {name: part for name, part in house.dump().items() if not name.startswith("acts.")} for house in (acted, plain)
    ]
    assert dumps[0] == dumps[1]


def _told(house: House, at_s: int, lifetime_s: int = 1_800) -> Accepted | Refused:
    return step(house, ProposeAct(encode(CollectClaims()), "chan", "c1", at_s, 0, lifetime_s))


def test_a_clock_that_was_far_ahead_blocks_nothing() -> None:
    """Goal: one wrong clock is no end of all acts. Method: one proposal years ahead, then the time as it is, approved.

    What was proposed before, and what the wrong clock proposed, has lapsed; time runs on from the right one.
    """
    house, now = _house(), 1_767_600_000
    assert isinstance(_told(house, now), Accepted)
    assert isinstance(_told(house, now + 10**9), Accepted)
    assert house.acts.acts[1].status is ActStatus.LAPSED
    assert isinstance(_told(house, now + 60), Accepted)
    assert [act.status for act in house.acts.acts.values()] == [ActStatus.LAPSED, ActStatus.LAPSED, ActStatus.PENDING]
    assert house.acts.last_s == now + 60
    for number in (1, 2):
        assert isinstance(step(house, DecideAct(number, "approve", "lee", "l1", now + 61)), Refused)
    assert isinstance(step(house, DecideAct(3, "approve", "lee", "l1", now + 61)), Accepted)
    assert House.load(house.dump()).digest() == house.digest()


def test_a_clock_set_back_a_little_brings_nothing_back() -> None:
    """Goal: what has lapsed stays so. Method: an act lapses; the clock goes back an hour; another act goes its way."""
    house, now = _house(), 1_767_600_000
    assert isinstance(_told(house, now), Accepted)
    assert isinstance(_told(house, now + 3_600), Accepted)
    assert house.acts.acts[1].status is ActStatus.LAPSED
    assert isinstance(_told(house, now), Accepted)
    assert house.acts.acts[3].until_s == now + 3_600 + 1_800
    assert isinstance(step(house, DecideAct(1, "approve", "lee", "l1", now + 1)), Refused)
    assert isinstance(step(house, DecideAct(3, "approve", "lee", "l1", now + 1)), Accepted)


def test_times_that_are_none_are_refused_and_older_proposals_mean_what_they_did() -> None:
    """Goal: bounds for what comes, none for what was. Method: times beyond the calendar, in both shapes; the bytes."""
    house, before = _house(), _house().digest()
    for at_s in (-1, 253_402_300_800, 2**62):
        assert isinstance(_told(house, at_s), Refused)
    for lifetime_s in (-1, LIFETIME_SECONDS_MAX + 1):
        assert isinstance(_told(house, 1, lifetime_s), Refused)
    assert house.digest() == before
    old = ProposeAct(encode(CollectClaims()), "chan", "c1", 2**62, 2**62 + 60)
    assert set(msgspec.msgpack.decode(encode(old))) == {"type", "body", "person", "key", "at_s", "until_s"}
    assert isinstance(step(house, old), Accepted)
    assert isinstance(_told(house, 1_767_600_000), Accepted)
