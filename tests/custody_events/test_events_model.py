"""Who ends up with what is decided by the trade date alone: a plain model beside the engine, and what must not change.

Goal: entitlements follow cum positions whatever settles when; nothing is made or lost; a split undone restores the
books. Method: hypothesis draws trades, deliveries and failures around the dates; the model knows trade dates only.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from event_story import EX, MONDAY, OTHER, PAY, RECORD, SHARE, EventStory, cash
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.custody.events.apportion import allocate, apportion
from tsingma.custody.events.entitlement import choose, entitled_accounts
from tsingma.custody.events.outturn import TaxRates, distribute
from tsingma.journal.corporate_action_commands import (
    SCALE_E9,
    CashTerm,
    EventKind,
    EventOption,
    EventTerms,
    FractionRule,
    ShareTerm,
)

WHO = ("A", "B", "C", "D")
RULES = st.sampled_from(list(FractionRule))
Held = tuple[dict[int, int], dict[int, int]]  # settled and pending shares by account


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8), st.data())
def test_apportioning_loses_nothing(weights: list[int], data: st.DataObject) -> None:
    """Goal: shares add up to the total, each within a unit of proportion and its weight. Method: any weights."""
    total = data.draw(st.integers(0, sum(weights)))
    shares = apportion(total, weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert share <= weight
        assert abs(Fraction(total * weight, max(sum(weights), 1)) - share) < 1


@given(st.lists(st.integers(-(10**6), 10**6), max_size=8), st.integers(1, 50), st.integers(1, 50), RULES)
def test_units_and_fractions_are_the_ratio_of_the_whole(
    quantities: list[int], new: int, old: int, rule: FractionRule
) -> None:
    """Goal: units + fractions = ratio x sum, exactly. Method: any signed quantities and rule."""
    allocation = allocate(quantities, new, old, rule)
    assert sum(allocation.units) * old + sum(allocation.fractions) == sum(quantities) * new
    assert all(abs(part) < old for part in allocation.fractions)


@st.composite
def holders(draw: st.DrawFn) -> Held:
    """Return settled holdings, and net pending positions that cancel out."""
    settled = {account: draw(st.integers(0, 5_000)) for account in range(draw(st.integers(1, 6)))}
    pending = dict.fromkeys(range(6), 0)
    for _ in range(draw(st.integers(0, 6))):
        buyer, seller, quantity = draw(st.integers(0, 5)), draw(st.integers(0, 5)), draw(st.integers(1, 3_000))
        pending[buyer] += quantity
        pending[seller] -= quantity
    return settled, pending


@settings(max_examples=150, deadline=None)
@given(holders(), st.integers(1, 9), st.integers(1, 9), RULES, st.integers(1, 10**10), st.data())
def test_a_distribution_gives_what_was_announced_on_what_is_issued(
    held: Held,
    new: int,
    old: int,
    rule: FractionRule,
    amount: int,
    data: st.DataObject,
) -> None:
    """Goal: paid + tax + fractions = announced on issued, claims cancel out. Method: any holders, elections and rule.

    A cent of rounding per option is the most that is not paid in money; shares and their fractions are exact.
    """
    rows = entitled_accounts(*held)
    price = CashTerm(0, 10 * SCALE_E9) if rule is FractionRule.CASH_IN_LIEU else None
    terms = EventTerms(
        reference="P", kind=EventKind.SCRIP_DIVIDEND, security=0, fractions=rule, fraction_price=price,
        options=(EventOption("CASH", cash=(CashTerm(0, amount),), is_default=True),
                 EventOption("SECU", shares=(ShareTerm(0, new, old),))),
    )  # fmt: skip
    elections = {(row.account, 1): data.draw(st.integers(0, row.total)) for row in rows if row.total > 0}
    chosen = choose(rows, elections, 0, 2)
    for row, direct, claims in zip(rows, chosen.direct, chosen.claims, strict=True):
        assert (sum(direct), sum(claims)) == (row.settled, row.pending)
        assert min(direct) >= 0
        assert all(part * row.pending >= 0 for part in claims)
    tax = TaxRates(SCALE_E9 // 10, {0: SCALE_E9 // 5})
    outturn = distribute(terms, rows, chosen, tax)
    assert not any(outturn.total(outturn.claims).values())
    assert all(units >= 0 for part in (outturn.paid, outturn.tax) for units in part.values())
    in_cash, in_shares = (sum(row[option] for row in chosen.direct) for option in (0, 1))
    announced = Fraction(in_cash * amount, 10**7)
    gross = outturn.total(outturn.paid).get(0, 0) + outturn.total(outturn.tax).get(0, 0)
    assert 0 <= announced - gross < 1
    shares = outturn.total(outturn.paid).get(4, 0)
    left = Fraction(in_shares * new, old) - shares
    assert abs(left) <= len(rows)
    if rule in (FractionRule.DROPPED, FractionRule.CASH_IN_LIEU, FractionRule.LARGEST_REMAINDER):
        assert left >= 0
    if rule is FractionRule.CASH_IN_LIEU and outturn.fractions:
        assert 0 <= left * 1_000 - sum(outturn.fractions.values()) < 1


@settings(max_examples=150, deadline=None)
@given(holders(), st.integers(1, 9), st.integers(1, 9), RULES, st.integers(1, 10**10), st.data())
def test_settling_changes_no_entitlement(
    held: Held,
    new: int,
    old: int,
    rule: FractionRule,
    amount: int,
    data: st.DataObject,
) -> None:
    """Goal: it does not matter what of the cum trades has settled. Method: settle part of one pending pair, compare."""
    settled, pending = held
    longs = [one for one, units in pending.items() if units > 0]
    shorts = [one for one, units in pending.items() if units < 0 and settled.get(one, 0) > 0]
    if not longs or not shorts:
        return
    buyer, seller = data.draw(st.sampled_from(longs)), data.draw(st.sampled_from(shorts))
    moved = data.draw(st.integers(1, min(pending[buyer], -pending[seller], settled[seller])))
    later = {**settled, buyer: settled.get(buyer, 0) + moved, seller: settled[seller] - moved}
    rest = {**pending, buyer: pending[buyer] - moved, seller: pending[seller] + moved}
    price = CashTerm(0, 10 * SCALE_E9) if rule is FractionRule.CASH_IN_LIEU else None
    terms = EventTerms(
        reference="P", kind=EventKind.SPIN_OFF, security=0, fractions=rule, fraction_price=price,
        options=(EventOption("SECU", cash=(CashTerm(0, amount),), shares=(ShareTerm(1, new, old),)),),
    )  # fmt: skip

    def ends(have: dict[int, int], wait: dict[int, int]) -> dict[tuple[int, int], int]:
        rows = entitled_accounts(have, wait)
        outturn = distribute(terms, rows, choose(rows, {}, 0, 1), TaxRates())
        total: dict[tuple[int, int], int] = {}
        for part in (outturn.paid, outturn.claims, outturn.fractions):
            for key, units in part.items():
                total[key] = total.get(key, 0) + units
        return {key: units for key, units in total.items() if units}

    assert ends(settled, pending) == ends(later, rest)


Trade = tuple[int, int, int, int]  # day of the week (0 Monday to 3 Thursday, which is ex), buyer, seller, shares
TRADES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(1, 9).map(lambda lots: 100 * lots)),
    max_size=9,
).map(lambda rows: sorted(row for row in rows if row[1] != row[2]))


@settings(max_examples=12, deadline=None)
@given(st.tuples(*[st.integers(0, 12)] * 4), TRADES, st.integers(0, 3), st.integers(0, 20))
def test_the_trade_date_decides(lots: tuple[int, ...], trades: list[Trade], late: int, extra: int) -> None:
    """Goal: a dividend follows trade dates, whoever fails or is bailed out. Method: the model adds up cum trades.

    Whoever lacks shares fails; one account is given shares on the record date, which are issued and entitled too.
    """
    story = EventStory()
    owns = dict(zip(WHO, (100 * lot for lot in lots), strict=True))
    for who, shares in owns.items():
        if shares:
            story.give(who, SHARE, shares)
    story.announce(EventKind.CASH_DIVIDEND, EventOption("CASH", cash=(cash(780),)))
    left = list(trades)
    while story.house.position.day < RECORD:
        today = story.house.position.day - MONDAY
        for _, buyer, seller, shares in [row for row in left if row[0] == today]:
            story.buys(WHO[buyer], WHO[seller], shares)
            if today < EX - MONDAY:
                owns[WHO[buyer]] += shares
                owns[WHO[seller]] -= shares
        story.until(story.house.position.day + 1)
    if extra:
        story.give(WHO[late], SHARE, 100 * extra)
        owns[WHO[late]] += 100 * extra
    story.give("ISSUER/ISSUANCE", "HKD", 10**9)
    story.until(PAY)
    before = {who: story.has(who, "HKD") for who in WHO}
    issuer = story.has("ISSUER/ISSUANCE", "HKD")
    story.run_events()
    assert {who: story.has(who, "HKD") - before[who] for who in WHO} == {who: owns[who] * 78 for who in WHO}
    assert issuer - story.has("ISSUER/ISSUANCE", "HKD") == sum(owns.values()) * 78
    story.evening()
    story.night()  # the close proves that the central counterparty is flat
    story.end()


@settings(max_examples=10, deadline=None)
@given(st.tuples(*[st.integers(0, 900)] * 4), TRADES, st.integers(2, 10))
def test_a_split_undone_restores_the_books(lots: tuple[int, ...], trades: list[Trade], ratio: int) -> None:
    """Goal: n for one, then one for n, changes nothing. Method: any balances and pending positions, whole dumps."""
    story = EventStory()
    for who, shares in zip(WHO, lots, strict=True):
        if shares:
            story.give(who, SHARE, shares)
    for day, buyer, seller, shares in trades:
        story.until(MONDAY + day)
        story.buys(WHO[buyer], WHO[seller], shares)
    while story.house.position.day < EX - 1:
        story.until(story.house.position.day + 1)
    if story.house.position.day >= EX:
        story.until(EX + 1)
    story.run("fails-and-fees")
    day = {"ex_day": story.next_settlement_day()}
    before = story.end_books()
    story.announce(EventKind.SPLIT, EventOption("SECU", shares=(story.shares(SHARE, ratio, 1),)), **day)
    story.run_events()
    story.announce(
        EventKind.CONSOLIDATION, EventOption("SECU", shares=(story.shares(SHARE, 1, ratio),)), reference="CA2", **day
    )
    story.run_events()
    after = story.end_books()
    assert after[:-1] == before[:-1]
    for price, restated in zip(before[-1], after[-1], strict=True):  # type: ignore[call-overload]
        assert abs(price - restated) <= ratio  # ten-thousandths: the restated price is rounded once
    story.night()


@pytest.mark.parametrize("kind", [EventKind.MERGER, EventKind.CONSOLIDATION])
@settings(max_examples=8, deadline=None)
@given(lots=st.tuples(*[st.integers(0, 900)] * 4), trades=TRADES, new=st.integers(1, 9), old=st.integers(10, 19))
def test_a_conversion_conserves(
    kind: EventKind, lots: tuple[int, ...], trades: list[Trade], new: int, old: int
) -> None:
    """Goal: contract money stays, positions cancel out, only fractions are dropped. Method: sums before and after."""
    story = EventStory()
    story.give("ISSUER/ISSUANCE", "HKD", 10**9)
    for who, shares in zip(WHO, lots, strict=True):
        if shares:
            story.give(who, SHARE, shares)
    for _, buyer, seller, shares in [row for row in trades if row[0] == 0]:
        story.buys(WHO[buyer], WHO[seller], shares)
    target = OTHER if kind is EventKind.MERGER else SHARE
    paid = (cash(1_500),) if kind is EventKind.MERGER else ()
    story.announce(kind, EventOption("SECU", cash=paid, shares=(story.shares(target, new, old),)))
    while story.house.position.day < EX - 1:
        story.until(story.house.position.day + 1)
    story.run("fails-and-fees")
    issued, money = story.issued(), story.end_books()[3]
    total = sum(story.has(who, "HKD") for who in (*WHO, "ISSUER/ISSUANCE", "HKSCC/CNS"))
    held = {who: story.has(who, SHARE) for who in WHO}
    story.run_events()
    assert {who: story.has(who, target) for who in WHO} == {who: held[who] * new // old for who in WHO}
    assert story.issued(target) == sum(units * new // old for units in held.values())
    assert issued * new - story.issued(target) * old < old * len(WHO)
    assert story.end_books()[3] == money
    assert sum(story.has(who, "HKD") for who in (*WHO, "ISSUER/ISSUANCE", "HKSCC/CNS")) == total
    assert sum(story.pending(who, target) + story.coming(who, target) for who in WHO) == 0
    story.night()
    story.end()
