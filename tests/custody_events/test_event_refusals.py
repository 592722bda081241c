"""What is refused: terms that contradict themselves, dates the cycle does not give, commands at the wrong time.

Goal: every fault is named and nothing changes; a day does not close over what is due. Method: one fault each on a house
that must have the same digest afterwards.
"""

from __future__ import annotations

import msgspec
import pytest
from event_story import DEADLINE, EX, MONDAY, OTHER, PAY, RECORD, RIGHT, SHARE, EventStory, cash

from tsingma.engine.house import House
from tsingma.journal.commands import CloseDay, decode, encode
from tsingma.journal.corporate_action_commands import (
    AnnounceCorporateAction,
    DeclareTaxStatus,
    ElectOption,
    EventKind,
    EventOption,
    FractionRule,
    RunCorporateActions,
    ShareTerm,
    WithdrawCorporateAction,
)

K = EventKind
CASH = EventOption("CASH", cash=(cash(780),))
DEFAULT = EventOption("CASH", cash=(cash(780),), is_default=True)
SHARES = EventOption("SECU", shares=(ShareTerm(1, 1, 10),))  # of the share itself
OTHERS = EventOption("SECU", shares=(ShareTerm(2, 1, 10),))
PAYS = EventOption("EXER", cash=(cash(-5_000),), shares=(ShareTerm(1, 1, 1),))


@pytest.mark.parametrize(
    ("kind", "options", "fields", "message"),
    [
        (K.CASH_DIVIDEND, (CASH,), {"reference": "ca 1"}, "a reference has"),
        (K.CASH_DIVIDEND, (CASH,), {"security": 99}, "no security 99"),
        (K.CASH_DIVIDEND, (CASH,), {"counterparty": 4}, "no offeror"),
        (K.CASH_DIVIDEND, (CASH,), {"limit": 4}, "only a take-over takes part"),
        (K.TAKE_OVER, (CASH,), {"minimum": 9, "limit": 4}, "at most 4"),
        (K.CASH_DIVIDEND, (CASH,), {"fraction_price": cash(1)}, "given with cash in lieu"),
        (K.BONUS_ISSUE, (SHARES,), {"fractions": FractionRule.CASH_IN_LIEU}, "given with cash in lieu"),
        (K.TAKE_OVER, (CASH,), {"tax_regime": "h-share"}, "from distributions only"),
        (K.CASH_DIVIDEND, (CASH,), {"tax_regime": "moon"}, "no regime 'moon'"),
        (K.CASH_DIVIDEND, (), {}, "0 options"),
        (K.SPLIT, (SHARES, SHARES), {}, "2 options"),
        (K.CASH_DIVIDEND, (CASH, CASH), {}, "0 default options"),
        (K.CASH_DIVIDEND, (DEFAULT, DEFAULT), {}, "2 default options"),
        (K.TAKE_OVER, (DEFAULT,), {}, "no default option"),
        (K.CASH_DIVIDEND, (EventOption("CASH"),), {}, "gives money or shares"),
        (K.CASH_DIVIDEND, (EventOption("CASH", cash=(cash(780, rate=0),)),), {}, "no amount and rate"),
        (K.CASH_DIVIDEND, (EventOption("CASH", cash=(cash(-780),)),), {}, "for nothing else"),
        (K.CASH_DIVIDEND, (SHARES,), {}, "one amount of money"),
        (K.BONUS_ISSUE, (CASH,), {}, "shares only"),
        (K.BONUS_ISSUE, (OTHERS,), {}, "gives the security itself"),
        (K.SPIN_OFF, (SHARES,), {}, "gives another security"),
        (K.BONUS_ISSUE, (EventOption("SECU", shares=(ShareTerm(1, 0, 1),)),), {}, "is no ratio"),
        (K.SPLIT, (SHARES,), {}, "is no split"),
        (K.CONSOLIDATION, (EventOption("SECU", shares=(ShareTerm(1, 2, 1),)),), {}, "is no consolidation"),
        (K.RIGHTS_EXERCISE, (EventOption("EXER", cash=(cash(-5),)),), {}, "shares against payment"),
        (K.RIGHTS_EXERCISE, (PAYS,), {}, "gives another security"),
        (K.CASH_DIVIDEND, (CASH,), {"pay_day": RECORD}, "a later payment date"),
        (K.CASH_DIVIDEND, (CASH,), {"deadline_day": DEADLINE}, "nothing to choose"),
        (K.SCRIP_DIVIDEND, (DEFAULT, SHARES), {"deadline_day": RECORD}, "between record date and payment date"),
        (K.SPLIT, (EventOption("S", shares=(ShareTerm(1, 2, 1),)),), {"pay_day": PAY}, "no other date"),
        (K.TAKE_OVER, (CASH,), {"pay_day": DEADLINE}, "a later payment date"),
        (K.CASH_DIVIDEND, (CASH,), {"pay_day": MONDAY + 12}, "no settlement day"),
        (K.CASH_DIVIDEND, (CASH,), {"record_day": MONDAY - 3, "ex_day": MONDAY - 3}, "is over"),
        (K.CASH_DIVIDEND, (CASH,), {"ex_day": MONDAY + 2}, "would settle by the record date"),
        (K.CASH_DIVIDEND, (CASH,), {"ex_day": MONDAY + 8}, "later than the settlement day after"),
        (K.SPLIT, (EventOption("S", shares=(ShareTerm(1, 2, 1),)),), {"ex_day": MONDAY}, "which is over"),
        (K.TAKE_OVER, (CASH,), {"deadline_day": MONDAY - 3}, "is over"),
    ],
)  # fmt: skip
def test_terms_that_contradict_themselves(
    story: EventStory, kind: EventKind, options: tuple[EventOption, ...], fields: dict[str, object], message: str
) -> None:
    """Goal: refused with what is wrong. Method: one fault in terms that are good without it."""
    assert message in story.refuse(story.terms(kind, *options, **fields))


def test_only_one_event_at_a_time_holds_or_converts_shares(story: EventStory) -> None:
    """Goal: no offer for shares that are about to be exchanged. Method: an offer, then a split; a dividend is free."""
    story.announce(K.TAKE_OVER, CASH)
    two = EventOption("S", shares=(ShareTerm(1, 2, 1),))
    assert "CA1 converts or holds" in story.refuse(story.terms(K.SPLIT, two, reference="CA2"))
    story.announce(K.CASH_DIVIDEND, CASH, reference="CA3")
    story.tell(WithdrawCorporateAction("CA1"))
    story.announce(K.SPLIT, two, reference="CA2")


def test_terms_are_amended_until_something_is_carried_out(story: EventStory) -> None:
    """Goal: versions are kept, and the last one is paid. Method: 78 cents, then 80; another kind; after the record."""
    story.give("A", SHARE, 100)
    story.give("ISSUER/ISSUANCE", "HKD", 10_000)
    story.announce(K.CASH_DIVIDEND, CASH)
    more = EventOption("CASH", cash=(cash(800),))
    answer = story.tell(story.terms(K.CASH_DIVIDEND, more))
    assert answer.version == 2  # type: ignore[attr-defined]
    assert story.action().amended == ((MONDAY, story.terms(K.CASH_DIVIDEND, CASH).terms),)
    assert "another event has this reference" in story.refuse(story.terms(K.CAPITAL_RETURN, more))
    story.until(RECORD + 3)
    assert "only what has not begun" in story.refuse(
        story.terms(K.CASH_DIVIDEND, CASH, ex_day=PAY, record_day=PAY, pay_day=PAY + 3)
    )
    assert "the event is entitled" in story.refuse(WithdrawCorporateAction("CA1"))
    story.until(PAY)
    before = story.has("A", "HKD")
    story.run_events()
    assert story.has("A", "HKD") - before == 8_000


def test_a_day_does_not_close_over_what_is_due(story: EventStory) -> None:
    """Goal: record date, deadline and payment are carried out on their day. Method: close in vain, run, close."""
    story.give("A", SHARE, 100)
    story.give("ISSUER/ISSUANCE", "HKD", 10_000)
    story.announce(K.SCRIP_DIVIDEND, DEFAULT, SHARES)
    for day, what in ((RECORD, "record date"), (DEADLINE, "deadline"), (PAY, "payment")):
        story.until(day)
        early = story.run_events()
        assert list(early) == (["paid"] if what == "payment" else [])
        story.run("fails-and-fees")
        if what != "payment":
            assert f"the {what} of a scrip-dividend is due today" in story.refuse(CloseDay())
            story.run_events()
        assert story.run_events() == {}
        story.night()


def test_what_nobody_may_do(story: EventStory) -> None:
    """Goal: unknown events, options, accounts and holders; no day open. Method: one command each."""
    story.give("A", SHARE, 100)
    story.announce(K.TAKE_OVER, CASH)
    a, cns = story.account("A"), story.account("HKSCC/CNS")
    for command, message in (
        (WithdrawCorporateAction("NONE"), "no such event"),
        (ElectOption("NONE", a, 0, 1), "no such event"),
        (ElectOption("CA1", a, 1, 1), "no option 1"),
        (ElectOption("CA1", a, 0, -1), "-1 shares"),
        (ElectOption("CA1", cns, 0, 1), "no holder's account"),
        (ElectOption("CA1", 99, 0, 1), "no holder's account"),
        (DeclareTaxStatus(cns, "standard"), "no holder's account"),
    ):
        assert message in story.refuse(command)
    from tsingma.engine.step import step
    from tsingma.journal.events import Refused

    assert isinstance(step(House(), RunCorporateActions()), Refused)


def test_an_unused_book_leaves_the_state_hash_alone(story: EventStory) -> None:
    """Goal: older snapshots load, older hashes hold. Method: no parts without events; a dump without them loads."""
    assert not [name for name in story.house.dump() if name.startswith("corporate_actions")]
    story.announce(K.CASH_DIVIDEND, CASH)
    parts = story.house.dump()
    assert [name for name in parts if name.startswith("corporate_actions")] == ["corporate_actions.book"]
    assert House.load(parts).digest() == story.house.digest()
    del parts["corporate_actions.book"]
    assert House.load(parts).corporate_actions.events == {}


def test_commands_come_back_from_the_journal(story: EventStory) -> None:
    """Goal: terms survive the journal to the last field. Method: encode and decode the fullest terms."""
    command = story.terms(
        K.TAKE_OVER, EventOption("CASH", cash=(cash(66_000, "CNY", 910_000_000),), shares=(ShareTerm(2, 1, 3),)),
        fractions=FractionRule.CASH_IN_LIEU, fraction_price=cash(1_000), minimum=1, limit=2, counterparty=4,
    )  # fmt: skip
    assert decode(encode(command)) == command
    assert isinstance(command, AnnounceCorporateAction)
    assert msgspec.structs.asdict(command.terms)["limit"] == 2


def test_a_registered_security_stays_issued_as_held(story: EventStory) -> None:
    """Goal: the register of issues follows corporate actions. Method: a bonus issue and a split of a registered one."""
    from tsingma.journal.custody_commands import RegisterSecurity
    from tsingma.reference.terms import Product, SecurityTerms

    story.give("A", SHARE, 1_000)
    terms = SecurityTerms(isin=SHARE, product=Product.EQUITY, currency="HKD", payer=story.account("A"))
    story.tell(RegisterSecurity(terms))
    story.announce(K.SPLIT, EventOption("S", shares=(ShareTerm(1, 3, 1),)))
    story.announce(K.BONUS_ISSUE, SHARES, reference="CA2")
    story.until(PAY)
    story.run_events()
    story.evening()
    story.night()  # the close proves that issued = held
    assert story.issued() == 3_300
    assert story.house.custody.register.of(story.asset(SHARE)).issued == 3_300


def test_what_the_books_cannot_hold_is_not_paid(story: EventStory) -> None:
    """Goal: no overflow, a clear step instead. Method: a billion for one: of a trillion shares, pending, instructed."""
    story.give("A", SHARE, 10**12)
    story.buys("B", "C", 10**9, price=1)
    number = story.agree("C", "D", isin=SHARE, quantity=10**12, amount_cents=100)
    billion = EventOption("SECU", shares=(ShareTerm(1, 10**9, 1),))
    story.announce(K.BONUS_ISSUE, billion)
    story.until(RECORD)
    assert story.evening()["blocked"]["too_large_claims"] == 10**21
    story.act("C", number, "cancel")
    story.act("D", number, "cancel")
    assert "entitled" in story.run_events()
    story.night()
    story.until(PAY)
    story.agree("C", "D", isin=SHARE, quantity=10**12, amount_cents=100)
    assert story.run_events()["blocked"]["too_large_HK0005000002"] > 10**21
    story.announce(K.SPLIT, billion, reference="CA2", ex_day=PAY + 3)
    assert story.evening()["blocked"]["too_large_HK0005000002"] > 10**21
    assert "conversion of a split" in story.refuse(CloseDay())
    story.tell(WithdrawCorporateAction("CA2"))
    story.night()
    assert story.issued() == 10**12


def test_names_of_the_parametrised_securities(story: EventStory) -> None:
    """Goal: the numbers used above are what they say. Method: look them up."""
    assert [story.security(isin) for isin in (SHARE, OTHER, RIGHT)] == [1, 2, 3]
    assert EX < RECORD < DEADLINE < PAY
