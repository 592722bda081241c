"""Custody against a plain model, tenders and substitutions over anything hypothesis can think of.

Goal: issued = held whatever happens, interest to the cent, no bid passed over, no moment uncovered. Method: stateful
test on the production step beside dictionaries and fractions; properties of the allotment; legs walked one by one.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from custody_story import ISIN, CustodyStory, day
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tsingma.basics.rejection import Rejected
from tsingma.custody.dues import shared
from tsingma.custody.repo import Repo, change_legs, changed
from tsingma.custody.tender import COUPON, MULTIPLE, SINGLE, Bid, allot
from tsingma.engine.cycle import settlement_day_before, settlement_days_after
from tsingma.engine.step import step
from tsingma.journal import commands as do
from tsingma.journal import custody_commands as custody
from tsingma.journal import events

WHO = ("A", "B", "C")
MONEY = 10**9


class Register(RuleBasedStateMachine):
    """A bond with monthly coupons beside a dictionary of units and one of cents."""

    @initialize()
    def start(self) -> None:
        """Open the house, register the bond, give everybody money."""
        self.story = CustodyStory()
        self.story.register("BOND", issue_day=day(2026, 1, 5), maturity_day=day(2026, 6, 5), months=1,
                            coupon_e9=36_500_000, adjusted=False)  # fmt: skip
        self.units = {"A": 137, "B": 51, "C": 0}
        self.story.issue("BOND", A=137, B=51)
        self.cents = dict.fromkeys((*WHO, "MOF"), MONEY)
        self.paid = 0
        self.recorded: dict[int, dict[str, int]] = {}
        for who in self.cents:
            self.story.give(who, "CNY", MONEY)

    @rule(who=st.sampled_from(WHO), units=st.integers(-3, 500))
    def issue(self, who: str, units: int) -> None:
        """Issue units; not positive, or after redemption, it is refused."""
        accepted = self._try(custody.IssueUnits(ISIN["BOND"], (self.story.account(who),), (units,)))
        assert accepted == (units > 0)
        self.units[who] += max(units, 0)

    @rule(who=st.sampled_from(WHO), units=st.integers(1, 300))
    def cancel(self, who: str, units: int) -> None:
        """Take units back, as far as they are there."""
        accepted = self._try(custody.CancelUnits(ISIN["BOND"], self.story.account(who), units))
        assert accepted == (units <= self.units[who])
        self.units[who] -= units if accepted else 0

    @rule(giver=st.sampled_from(WHO), taker=st.sampled_from(WHO), units=st.integers(1, 300))
    def move(self, giver: str, taker: str, units: int) -> None:
        """Deliver units free of payment."""
        if giver == taker or units > self.units[giver]:
            return
        self.story.move(giver, taker, "BOND", units)
        self.units[giver] -= units
        self.units[taker] += units

    @rule(days=st.integers(1, 24))
    def later(self, days: int) -> None:
        """Close the day and open one up to 24 days on; who held at the last close before a record day is on record."""
        today = self.story.house.position.day
        if today > day(2026, 4, 30):
            return
        self.story.run_timetable()
        self.story.tell(do.CloseDay())
        opened = settlement_days_after(today + days - 1, 1)
        self.story.tell(do.OpenDay(opened))
        for number in range(4):
            payment = settlement_days_after(day(2026, 2 + number, 5) - 1, 1)
            record = settlement_day_before(payment)
            if today <= record < opened:
                self.recorded[number] = dict(self.units)
            if self.paid == number and payment <= opened:
                self._pay(number)

    def _pay(self, number: int) -> None:
        start, end = (day(2026, 1 + number + more, 5) for more in (0, 1))
        self.story.tell(custody.PayDue(number))
        self.paid = number + 1
        for who, units in self.recorded[number].items():
            exact = Fraction(units * 10_000 * 36_500_000 * (end - start), 10**9 * 365)
            cents = int(exact + Fraction(1, 2))
            self.cents[who] += cents
            self.cents["MOF"] -= cents

    @invariant()
    def books_agree(self) -> None:
        """Units, money and the register are those of the model."""
        if not hasattr(self, "story"):
            return
        assert {who: self.story.has(who, "BOND") for who in WHO} == self.units
        assert {who: self.story.has(who, "CNY") for who in self.cents} == self.cents
        issue = self.story.house.custody.register.of(self.story.asset("BOND"))
        assert issue.issued == sum(self.units.values())

    def _try(self, command: do.Command) -> bool:
        before = self.story.house.digest()
        answer = step(self.story.house, command)
        if isinstance(answer, events.Refused):
            assert self.story.house.digest() == before
            return False
        self.story.told.append(command)
        return True

    def teardown(self) -> None:
        """Replay."""
        if hasattr(self, "story"):
            self.story.end()


Register.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestRegister = Register.TestCase

_BIDS = st.lists(
    st.builds(Bid, st.integers(0, 5), st.integers(1, 60).map(lambda lots: lots * 10),
              st.sampled_from([0, 990_000, 995_000, 1_000_000, 1_005_000]), st.sampled_from([False, False, True])),
    min_size=1, max_size=12,
)  # fmt: skip


@given(_BIDS, st.integers(1, 100).map(lambda lots: lots * 10), st.sampled_from([COUPON, SINGLE, MULTIPLE]),
       st.integers(0, 300))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_a_tender_passes_nobody_over(bids: list[Bid], units: int, method: str, noncompetitive: int) -> None:
    """Goal: the rule of allotment. Method: whole lots, never beyond offer or bid; better bids are full before worse."""
    if not any(bid.at and not bid.withdrawn for bid in bids):
        return
    result = allot(bids, units, 10, method, noncompetitive)
    wanted = sum(bid.units for bid in bids if not bid.withdrawn and bid.at)
    open_wanted = sum(bid.units for bid in bids if not bid.withdrawn and not bid.at)
    first = (
        min(open_wanted, min(units, noncompetitive) // 10 * 10)
        if open_wanted > min(units, noncompetitive)
        else open_wanted
    )
    assert sum(result.units) == min(units, first + min(wanted, units - first))
    for bid, given_units in zip(bids, result.units, strict=True):
        assert 0 <= given_units <= (0 if bid.withdrawn else bid.units)
        assert given_units % 10 == 0
    better = -1 if method == COUPON else 1
    for bid, given_units in zip(bids, result.units, strict=True):
        if not bid.at or bid.withdrawn:
            continue
        if (bid.at - result.cut_off) * better > 0:
            assert given_units == bid.units
        if (bid.at - result.cut_off) * better < 0:
            assert given_units == 0
    level = [(bid.units, part) for bid, part in zip(bids, result.units, strict=True)
             if bid.at == result.cut_off and not bid.withdrawn]  # fmt: skip
    asked, got = sum(size for size, _ in level), sum(part for _, part in level)
    assert all(abs(part - Fraction(got * size, asked)) < 10 for size, part in level)


_LINES = st.dictionaries(st.integers(4, 7), st.integers(1, 500), max_size=4).map(
    lambda lines: tuple(sorted(lines.items()))
)


@given(_LINES.filter(len), _LINES, _LINES, st.lists(st.integers(1, 200), min_size=4, max_size=4))
@settings(max_examples=300, deadline=None)
def test_collateral_never_falls_below_both_ends(
    held: tuple[tuple[int, int], ...], give: tuple[tuple[int, int], ...], take: tuple[tuple[int, int], ...],
    prices: list[int],
) -> None:  # fmt: skip
    """Goal: no moment uncovered in a substitution. Method: walk the legs one by one, as they are booked.

    At every step the buyer holds what is worth at least the smaller of before and after; and so, where the house lets
    the change pass only when what is left covers the requirement, at least that, if it was covered before.
    """
    cut = tuple((asset, min(units, dict(held).get(asset, 0) + dict(give).get(asset, 0))) for asset, units in take)
    cut = tuple(line for line in cut if line[1])
    repo = Repo(
        seller=1, buyer=2, currency=1, cash_cents=1, rate_e9=0, day_count="ACT/365F", start_day=0, end_day=0,
        margin_e9=10**9, collateral=held, since=0,
    )  # fmt: skip
    after = dict(changed(held, give, cut))
    hands = dict(held)

    def worth(lines: dict[int, int]) -> int:
        return sum(units * prices[asset - 4] for asset, units in lines.items())

    floor = min(worth(hands), worth(after))
    for leg in change_legs(repo, give, cut):
        hands[leg.asset] = hands.get(leg.asset, 0) + (leg.amount if leg.taker == 2 else -leg.amount)
        assert worth(hands) >= floor
        assert min(hands.values()) >= 0
    assert {asset: units for asset, units in hands.items() if units} == after


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=12), st.data())
@settings(max_examples=200, deadline=None)
def test_a_call_takes_the_same_share_of_everybody(held: list[int], data: st.DataObject) -> None:
    """Goal: a call in part is fair. Method: parts add up, none is more than a unit off its share, and the units that
    are left over go to the largest remainders, the lower account first among equals."""
    units = data.draw(st.integers(1, sum(held)))
    parts = dict(shared(units, tuple(enumerate(held))))
    assert sum(parts.values()) == units
    exact = {account: Fraction(units * part, sum(held)) for account, part in enumerate(held)}
    more = {account for account, share in exact.items() if parts.get(account, 0) == int(share) + 1}
    assert all(parts.get(account, 0) == int(share) for account, share in exact.items() if account not in more)
    rank = {account: (int(share) - share, account) for account, share in exact.items()}
    assert all(rank[one] < rank[other] for one in more for other in rank if other not in more)


def test_more_than_there_is_cannot_be_called() -> None:
    """Goal: a refusal, no division by nothing. Method: too many units, none, and nobody who holds."""
    for units, holders in ((3, ((0, 2),)), (0, ((0, 2),)), (1, ())):
        with pytest.raises(Rejected, match="units"):
            shared(units, holders)
