"""Random weeks of trades, fails, events and elections against a plain model that knows trade dates only.

Goal: in any order of trades, deliveries, announcements, elections, splits and payments, what each account ends up with
is what the trade dates say. Method: a state machine on the production engine; the model keeps one number of shares for
each account and, for each event, the shares that were bought before its ex-date.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from event_story import MONDAY, PRICES_E4, RIGHT, SHARE, EventStory, cash
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tsingma.engine.cycle import settlement_days_after
from tsingma.journal.corporate_action_commands import EventKind, EventOption

WHO = ("A", "B", "C", "D")
ACCOUNT = st.sampled_from(WHO)
SHARES = st.integers(1, 9).map(lambda lots: 100 * lots)
DISTRIBUTED = (EventKind.CASH_DIVIDEND, EventKind.BONUS_ISSUE, EventKind.RIGHTS_ISSUE, EventKind.SCRIP_DIVIDEND)


@dataclass
class Event:
    """What the model knows of an event: its days, and shares bought cum or held, until the record date is taken."""

    reference: str
    kind: EventKind
    ex: int
    record: int
    deadline: int
    pay: int
    shares: dict[str, int] = field(default_factory=dict)
    scrip: dict[str, int] = field(default_factory=dict)
    taken: bool = False


class Weeks(RuleBasedStateMachine):
    """Four members, one share and its rights, from Monday 5 January 2026 on."""

    @initialize(lots=st.tuples(*[st.integers(0, 8)] * 4), kinds=st.tuples(*[st.sampled_from(DISTRIBUTED)] * 2))
    def begin(self, lots: tuple[int, ...], kinds: tuple[EventKind, EventKind]) -> None:
        """Give everybody some shares and announce two events; the issuer has money enough."""
        self.story, self.events, self.number, self.splitting = EventStory(), [], 0, 0
        self.story.give("ISSUER/ISSUANCE", "HKD", 10**14)
        for who in WHO:
            self.story.give(who, "HKD", 10**14)
        self.owns = {who: 100 * lot for who, lot in zip(WHO, lots, strict=True)}
        self.rights = dict.fromkeys(WHO, 0)
        for who, shares in self.owns.items():
            if shares:
                self.story.give(who, SHARE, shares)
        for wait, kind in enumerate(kinds):
            self.announce(kind, wait + 1)

    @property
    def day(self) -> int:
        """Return the open day."""
        return self.story.house.position.day

    def later(self, count: int) -> int:
        """Return the settlement day ``count`` after the open one."""
        return settlement_days_after(self.day, count) if count else self.day

    @rule(buyer=ACCOUNT, seller=ACCOUNT, shares=SHARES)
    def trade(self, buyer: str, seller: str, shares: int) -> None:
        """Buy; whether the seller has the shares does not matter."""
        if buyer == seller:
            return
        self.story.buys(buyer, seller, shares)
        for who, change in ((buyer, shares), (seller, -shares)):
            self.owns[who] += change
            for event in self.events:
                if self.day < event.ex and not event.taken:
                    event.shares[who] = event.shares.get(who, 0) + change

    @rule(who=ACCOUNT, shares=SHARES)
    def deposit(self, who: str, shares: int) -> None:
        """Bring shares into the house: held on the record date is entitled, whenever it came."""
        self.story.give(who, SHARE, shares)
        self.owns[who] += shares
        for event in self.events:
            if not event.taken:
                event.shares[who] = event.shares.get(who, 0) + shares

    @precondition(lambda self: len(self.events) < 4 and self.day < MONDAY + 60)
    @rule(kind=st.sampled_from(DISTRIBUTED), wait=st.integers(0, 2))
    def announce(self, kind: EventKind, wait: int) -> None:
        """Announce a distribution: ex after ``wait`` days or more, paid four days after the record date."""
        self.number += 1
        ex = self.later(wait + 1)
        record, deadline, pay = self.later(wait + 2), self.later(wait + 4), self.later(wait + 6)
        story = self.story
        options = {
            EventKind.CASH_DIVIDEND: (EventOption("CASH", cash=(cash(780),)),),
            EventKind.BONUS_ISSUE: (EventOption("SECU", shares=(story.shares(SHARE, 1, 1),)),),
            EventKind.RIGHTS_ISSUE: (EventOption("SECU", shares=(story.shares(RIGHT, 3, 1),)),),
            EventKind.SCRIP_DIVIDEND: (EventOption("CASH", cash=(cash(500),), is_default=True),
                                       EventOption("SECU", shares=(story.shares(SHARE, 1, 50),))),
        }[kind]  # fmt: skip
        story.announce(
            kind, *options, reference=f"E{self.number}", ex_day=ex, record_day=record, pay_day=pay,
            deadline_day=deadline if len(options) > 1 else 0,
        )  # fmt: skip
        self.events.append(Event(f"E{self.number}", kind, ex, record, deadline, pay, dict(self.owns)))

    @precondition(lambda self: not self.splitting and max(map(abs, self.owns.values())) < 10**9)
    @rule()
    def split(self) -> None:
        """Announce a split, two for one, tomorrow."""
        self.number += 1
        option = EventOption("SECU", shares=(self.story.shares(SHARE, 2, 1),))
        self.story.announce(EventKind.SPLIT, option, reference=f"E{self.number}", ex_day=self.later(1))
        self.splitting = 2

    @rule(who=ACCOUNT, part=st.integers(0, 4))
    def elect(self, who: str, part: int) -> None:
        """Take shares on a quarter, a half ... of what a scrip dividend gives, in fifties."""
        for event in self.events:
            total = max(event.shares.get(who, 0), 0)
            if event.kind is EventKind.SCRIP_DIVIDEND and event.taken and self.day <= event.deadline:
                wanted = total * part // 4 // 50 * 50
                self.story.elect(who, 1, wanted, event.reference)
                event.scrip[who] = wanted

    @rule(days=st.integers(1, 4))
    def next_days(self, days: int) -> None:
        """Let days pass."""
        for _ in range(days):
            self.next_day()

    def next_day(self) -> None:
        """Pay in the morning's name, take the evening's dates, close the day with its proof and open the next."""
        due = [event for event in self.events if event.pay <= self.day]
        before = {who: self.story.has(who, "HKD") for who in WHO}
        self.story.run_events()
        expected = dict.fromkeys(WHO, 0)
        for event in due:
            self.pay(event, expected)
        self.pay_scrips([event for event in due if event.kind is EventKind.SCRIP_DIVIDEND], expected)
        self.events = [event for event in self.events if event not in due]
        self.got = {who: self.story.has(who, "HKD") - before[who] for who in WHO}
        assert self.story.house.corporate_actions.owed == {}
        scrips = [event for event in due if event.kind is EventKind.SCRIP_DIVIDEND]
        for who in WHO:  # a short owes what the longs have chosen: money only where they chose money
            owes = any(event.shares.get(who, 0) < 0 for event in scrips)
            assert self.got[who] <= expected[who] if owes else self.got[who] == expected[who]
        self.story.run("fails-and-fees")
        for event in self.events:
            event.taken = event.taken or event.record <= self.day
        self.story.run_events()
        if self.splitting:
            self.owns = {who: 2 * shares for who, shares in self.owns.items()}
            for event in self.events:
                if not event.taken:
                    event.shares = {who: 2 * shares for who, shares in event.shares.items()}
            self.splitting = 0
        self.story.night()
        self.story.price(PRICES_E4)

    def pay(self, event: Event, expected: dict[str, int]) -> None:
        """Add what an event comes to: money to ``expected``, shares and rights to the model's own."""
        others = [one for one in self.events if not one.taken and one is not event]
        for who, shares in event.shares.items():
            more = 0
            if event.kind is EventKind.CASH_DIVIDEND:
                expected[who] += 78 * shares
            elif event.kind is EventKind.RIGHTS_ISSUE:
                self.rights[who] += 3 * shares
            elif event.kind is EventKind.BONUS_ISSUE:
                more = shares
            self.owns[who] += more
            for one in others:
                one.shares[who] = one.shares.get(who, 0) + more

    def pay_scrips(self, events: list[Event], expected: dict[str, int]) -> None:
        """Read what longs chose in the scrip dividends of a day, once all else that day gave is in the model.

        Shorts mirror the longs: their shares are read back from the engine and must add up.
        """
        for event in events:
            for who, total in event.shares.items():
                if total >= 0:
                    expected[who] += 50 * (total - event.scrip.get(who, 0))
        others = [one for one in self.events if not one.taken]
        now = {who: self.held(who) for who in WHO} if events else {}
        for who in now:
            change = now[who] - self.owns[who]
            chosen = sum(one.scrip.get(who, 0) // 50 for one in events if one.shares.get(who, 0) >= 0)
            if all(one.shares.get(who, 0) >= 0 for one in events):
                assert change == chosen
            else:
                assert change <= chosen
            self.owns[who] = now[who]
            for one in others:
                one.shares[who] = one.shares.get(who, 0) + change

    def held(self, who: str, isin: str = SHARE) -> int:
        """Return what an account has and is still to receive or deliver."""
        return self.story.has(who, isin) + self.story.pending(who, isin) + self.story.coming(who, isin)

    @invariant()
    def shares_are_where_trades_put_them(self) -> None:
        """Compare settled and pending shares with the model's one number."""
        assert {who: self.held(who) for who in WHO} == self.owns
        assert {who: self.held(who, RIGHT) for who in WHO} == self.rights
        assert self.story.issued() == sum(self.owns.values())

    def teardown(self) -> None:
        """Replay everything."""
        if hasattr(self, "story"):
            self.story.end()


TestWeeks = Weeks.TestCase
TestWeeks.settings = settings(max_examples=12, stateful_step_count=30, deadline=None)


@pytest.mark.soak
class TestManyWeeks(Weeks.TestCase):  # type: ignore[name-defined,misc]
    """The same, longer."""

    settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
