"""Commands that stopped the house, or left a trace when refused, until simulated days found them.

Goal: a command with a spoilt figure is refused, changes nothing, and never stops the one writer of a house; an accepted
one never makes a later command impossible. Method: each command on a small open house whose state hash is compared.
"""

from __future__ import annotations

from datetime import date

import pytest

from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal import commands as do
from tsingma.journal import corporate_action_commands as events
from tsingma.journal import payment_commands as payments
from tsingma.journal import pool_commands as pool
from tsingma.journal import token_commands as token
from tsingma.journal.act_commands import ProposeAct
from tsingma.journal.events import Accepted, Answer, Refused
from tsingma.settlement.timetable import timetable
from tsingma.simulate.whole.book import COUNTERS, whole_book

MONDAY = to_day(date(2026, 1, 5))
FX_E6 = (1_000_000, 1_080_000, 7_800_000, 9_000_000)
FIRM, OTHER = 4, 6  # house accounts of two firms
WHOLE = whole_book(2)
SHARE = 0  # security number of the first counter


def told(house: House, *commands: do.Command) -> Answer:
    """Carry out commands that must be accepted and return the last answer."""
    for command in commands:
        answer = step(house, command)
        assert isinstance(answer, Accepted), answer
    return answer


def refusal(house: House, command: do.Command) -> str:
    """Return why a command is refused, having checked that it left no trace."""
    before = house.digest()
    answer = step(house, command)
    assert isinstance(answer, Refused), answer
    assert house.digest() == before
    return " | ".join(str(one) for one in answer.rejections)


def opened(*, day: int = MONDAY) -> House:
    """Return a house with stock and money on an open day (0: before the first day)."""
    house = House()
    prices = [row[4] for row in COUNTERS]
    told(
        house,
        do.LoadReference(WHOLE.book),
        do.DepositAssets(pack([FIRM, FIRM, OTHER], "i4"), pack([0, 4, 0], "i4"), pack([10**9, 5_000, 10**9], "i8")),
        do.SetClosingPrices(pack(range(len(prices)), "i4"), pack(prices, "i8"), FX_E6),
    )
    if day:
        told(house, do.OpenDay(day))
    return house


def dividend(**days: int) -> events.AnnounceCorporateAction:
    """Return a cash dividend of the first share, with other days where given."""
    usual = {"ex_day": MONDAY, "record_day": MONDAY, "pay_day": MONDAY + 2}
    option = events.EventOption("CASH", cash=(events.CashTerm(0, 10**9),))
    terms = events.EventTerms(
        reference="EV-1", kind=events.EventKind.CASH_DIVIDEND, security=SHARE, options=(option,), **{**usual, **days}
    )
    return events.AnnounceCorporateAction(terms)


def captured(intended_day: int) -> do.CaptureInstructions:
    """Return one matched delivery of the first share, intended for a day."""
    names = ("reference", "deliverer", "receiver", "security", "quantity", "currency", "amount_cents", "priority")
    kinds = ("i8", "i4", "i4", "i4", "i8", "i1", "i8", "i1")
    row = (1, FIRM, OTHER, SHARE, 100, 0, 10**6, 3)
    columns = {name: pack([cell], kind) for name, kind, cell in zip(names, kinds, row, strict=True)}
    return do.CaptureInstructions(source="test", intended_day=intended_day, **columns)


@pytest.mark.parametrize("day", [2**31, 2**53 + 1, 2**63 - 1])
@pytest.mark.parametrize(
    "spoilt",
    [
        lambda day: do.OpenDay(day),
        lambda day: do.ReserveAssets("F1", FIRM, 0, 10, day),
        lambda day: dividend(pay_day=day),
        lambda day: payments.OpenWallet(1, FIRM, 4, day),
        lambda day: payments.MoveWallet(0, "top-up", FIRM, 100, day),
        lambda day: captured(day),
    ],
    ids=[
        "open-day",
        "reserve-assets",
        "announce-corporate-action",
        "open-wallet",
        "move-wallet",
        "capture-instructions",
    ],
)
def test_a_day_that_is_none_is_refused(spoilt: object, day: int) -> None:
    """Goal: no overflow stops the house. Method: day numbers that no calendar has, in every command that names one."""
    house = opened()
    told(house, payments.OpenWallet(1, FIRM, 4, MONDAY))
    if spoilt(day) == do.OpenDay(day):  # type: ignore[operator]
        house = opened(day=0)
    assert "is no day number" in refusal(house, spoilt(day))  # type: ignore[operator]


@pytest.mark.parametrize("intended", [to_day(date(2020, 1, 2)), to_day(date(2031, 1, 2)), to_day(date(9999, 1, 4))])
def test_a_delivery_outside_the_calendar_does_not_stop_corporate_actions(intended: int) -> None:
    """Goal: an instruction that is intended for a day the calendar lacks blocks no event of its security.

    Method: such a delivery of a share with a dividend: the record date is taken, the day closes. It used to refuse to
    run corporate actions, so that the day never closed, and left what had been done before it.
    """
    house = opened()
    told(house, captured(intended), dividend(), *(do.RunStep(one.name) for one in timetable()))
    answer = told(house, events.RunCorporateActions())
    assert isinstance(answer, Accepted)
    assert [one.step for one in answer.events[0].steps] == ["entitled"]
    told(house, do.CloseDay())


def test_shares_of_an_agreement_are_in_the_way_of_a_conversion() -> None:
    """Goal: what is promised to the token ledger is not converted under it, and nothing breaks.

    Method: a split of shares of which some are set aside for an agreement: blocked; decided, it is carried out. It used
    to stop the house with a move that could not be booked.
    """
    house = opened()
    split = events.EventTerms(
        reference="EV-2", kind=events.EventKind.SPLIT, security=SHARE, ex_day=MONDAY + 1,
        options=(events.EventOption("SECU", shares=(events.ShareTerm(SHARE, 2, 1),)),),
    )  # fmt: skip
    agreement = token.Agreement("deal-1", (token.Leg(FIRM, OTHER, 4, 70),), (token.Leg(0, 1, 0, 1),), 1_000)
    told(house, events.AnnounceCorporateAction(split), token.ReserveLegs(agreement))
    told(house, *(do.RunStep(one.name) for one in timetable()))
    answer = told(house, events.RunCorporateActions())
    assert isinstance(answer, Accepted)
    (found,) = answer.events[0].steps
    assert (found.step, found.figures) == ("blocked", {"agreed_shares": 70})
    assert "the conversion of a split is due today" in refusal(house, do.CloseDay())
    told(house, token.TellTime(1_000))  # the agreement is let go
    answer = told(house, events.RunCorporateActions())
    assert isinstance(answer, Accepted)
    assert [one.step for one in answer.events[0].steps] == ["converted"]
    told(house, do.CloseDay())


def test_a_proposed_act_that_is_no_text_is_refused() -> None:
    """Goal: bytes that are no command stop nobody. Method: a byte of a name that is no UTF-8."""
    body = do.encode(do.CollectClaims()).replace(b"collect-claims", b"collect-clai\xeds")
    assert "is no command" in refusal(opened(), ProposeAct(body, "chan", "chan-key", 1, 2))


def test_calls_refused_before_the_first_day_leave_no_trace() -> None:
    """Goal: a refusal changes nothing. Method: a call of collateral on a house whose day no row of the rules covers."""
    call = pool.SetPoolCalls("test", "HKSCC", pack([FIRM], "i4"), pack([100], "i8"))
    house = opened(day=0)
    assert "is in force on" in refusal(house, call)
    assert house.pool.required == {}
