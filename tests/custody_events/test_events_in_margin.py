"""One event, two rooms: what margin adds to pending positions is what custody pays on them.

Goal: the corporate actions of the HKSCC guide from the terms that custody carries out. Method: the published vectors
(hkex-margin.md 1.14) through the report row of an announced event, and the same position in a house, margined on each
day and paid at the end.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from event_story import EX, PAY, RECORD, RIGHT, SHARE, EventStory

from tsingma.app.house_margin import house_margin, marginable_positions
from tsingma.basics.dates import to_day
from tsingma.basics.rejection import Rejected
from tsingma.journal.corporate_action_commands import (
    CashTerm,
    EventKind,
    EventOption,
    EventTerms,
    ShareTerm,
)
from tsingma.margin.hkscc.combination import apply_entitlements
from tsingma.margin.hkscc.corporate_actions import report_row
from tsingma.margin.hkscc.cover import DatedPosition
from tsingma.margin.hkscc.parameters import Parameters

GUIDE_EX = date(2019, 11, 5)
STOCK, RIGHTS_CODE = 5, 7
CODES = {STOCK: "5", RIGHTS_CODE: "2951"}


def _terms(kind: EventKind, *options: EventOption) -> EventTerms:
    day = to_day(GUIDE_EX)
    return EventTerms(reference="G", kind=kind, security=STOCK, options=options, ex_day=day, record_day=day + 1,
                      pay_day=day + 9)  # fmt: skip


def _line(day: int, quantity: int, contract: int) -> DatedPosition:
    return DatedPosition(
        instrument="5", quantity=quantity, contract_value=contract, market_value=0, currency="HKD",
        trade_date=date(2019, 11, day), settlement_date=date(2019, 11, day + 2),
    )  # fmt: skip


DIVIDEND = EventOption("CASH", cash=(CashTerm(0, 780_000_000),))
SPLIT = _terms(EventKind.SPLIT, EventOption("SECU", shares=(ShareTerm(STOCK, 2, 1),)))
BONUS = _terms(EventKind.BONUS_ISSUE, EventOption("SECU", shares=(ShareTerm(STOCK, 1, 1),)))
CASH = _terms(EventKind.CASH_DIVIDEND, DIVIDEND)
STOCK_DIVIDEND = _terms(EventKind.STOCK_DIVIDEND, EventOption("SECU", shares=(ShareTerm(STOCK, 13, 100),)))
RIGHTS = _terms(EventKind.RIGHTS_ISSUE, EventOption("SECU", shares=(ShareTerm(RIGHTS_CODE, 3, 2),)))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([SPLIT], [("5", 800, 24_000)]),
        ([BONUS], [("5", 800, 24_000)]),
        ([CASH], [("5", 400, 24_000), ("DIV5", 0, -312)]),
        ([STOCK_DIVIDEND], [("5", 400, 24_000), ("DSP5", 52, 0)]),
        ([RIGHTS], [("5", 400, 24_000), ("SRI5", 600, 0)]),
        (
            [SPLIT, CASH, STOCK_DIVIDEND, RIGHTS],
            [("5", 800, 24_000), ("DIV5", 0, -312), ("DSP5", 52, 0), ("SRI5", 600, 0)],
        ),
    ],
)
def test_terms_of_custody_give_the_figures_of_the_guide(
    events: list[EventTerms], expected: list[tuple[str, int, int]]
) -> None:
    """Goal: the table of hkex-margin.md 1.14. Method: 400 bought before the ex-date, 600 sold on it."""
    rows = [report_row(terms, CODES, 0) for terms in events]
    lines = apply_entitlements([_line(4, 400, 24_000), _line(5, -600, -20_000)], rows, GUIDE_EX)
    found = [(line.instrument, line.quantity, line.contract_value) for line in lines]
    assert found == [*expected, ("5", -600, -20_000)]


def test_elections_and_other_currencies_in_the_report() -> None:
    """Goal: an option of the position's currency counts, an offer adjusts nothing. Method: CNY default, HKD beside."""
    cny = EventOption("CASH", cash=(CashTerm(1, 700_000_000),), is_default=True)
    hkd = EventOption("CASH", cash=(CashTerm(0, 700_000_000, 1_080_000_000),))
    assert report_row(_terms(EventKind.CASH_DIVIDEND, cny, hkd), CODES, 0).cash_dividend_e10 == -7_560_000_000
    assert report_row(_terms(EventKind.CASH_DIVIDEND, cny, hkd), CODES, 1).cash_dividend_e10 == -7_000_000_000
    with pytest.raises(Rejected, match="no option pays"):
        report_row(_terms(EventKind.CASH_DIVIDEND, cny), CODES, 0)
    with pytest.raises(Rejected, match="adjusts no position"):
        report_row(_terms(EventKind.TAKE_OVER, DIVIDEND), CODES, 0)


def margined(story: EventStory, who: str) -> dict[str, tuple[int, int]]:
    """Return quantity and contract value (HKD) of an account's lines as they are margined."""
    book, accounts = marginable_positions(story.house)
    place = int(np.flatnonzero(accounts == story.account(who))[0])
    part = slice(int(book.start[place]), int(book.start[place + 1]))
    return {
        book.instruments[i]: (quantity, contract)
        for i, quantity, contract in zip(
            book.instrument[part].tolist(),
            book.quantity[part].tolist(),
            book.contract_value[part].tolist(),
            strict=True,
        )
        if quantity or contract
    }


def test_the_guide_in_a_house(story: EventStory) -> None:
    """Goal: 1.14's position in a house, 400 pending cum and 600 sold ex, all four events of one ex-date.

    Method: margined on the ex-date as the guide has it, and in the end claimed and paid: HKD 312, 52, 600 and 400.
    """
    story.give("A", SHARE, 10_000)
    story.give("ISSUER/ISSUANCE", "HKD", 780_000)
    story.announce(EventKind.CASH_DIVIDEND, DIVIDEND, reference="DIV")
    story.announce(
        EventKind.STOCK_DIVIDEND, EventOption("SECU", shares=(story.shares(SHARE, 13, 100),)), reference="DSP"
    )
    story.announce(EventKind.RIGHTS_ISSUE, EventOption("SECU", shares=(story.shares(RIGHT, 3, 2),)), reference="SRI")
    story.announce(EventKind.BONUS_ISSUE, EventOption("SECU", shares=(story.shares(SHARE, 1, 1),)), reference="BON")
    story.until(EX - 1)
    story.buys("B", "D", 400)  # D never has them: B waits for them over the record date
    assert margined(story, "B") == {"5": (400, 24_000)}
    story.until(EX)
    story.buys("A", "B", 600, price=33)
    cum_and_ex = {"5": (800 - 600, 24_000 - 19_800), "DIV5": (0, -312), "DSP5": (52, 0), "SRI5": (600, 0)}
    assert margined(story, "B") == cum_and_ex
    assert margined(story, "D") == {"5": (-800, -24_000), "DIV5": (0, 312), "DSP5": (-52, 0), "SRI5": (-600, 0)}
    story.until(RECORD + 3)
    assert margined(story, "B") == {**cum_and_ex, "5": (200, 24_000 - 19_800)}
    story.until(PAY)
    money = {who: story.has(who, "HKD") for who in "BD"}
    story.run_events()
    assert {who: story.has(who, "HKD") - money[who] for who in "BD"} == {"B": 31_200, "D": -31_200}
    assert (story.pending("B", RIGHT), story.pending("D", RIGHT)) == (600, -600)
    assert story.pending("B") == 400 + 400 + 52 - 600
    assert margined(story, "B") == {"5": (252, 24_000 - 19_800), "2951": (600, 0)}


def test_a_house_margins_benefits_that_its_parameters_do_not_know(story: EventStory) -> None:
    """Goal: a right to come has a rate, money to come counts as a mark. Method: parameters without FieldType 7."""
    empty = np.zeros((0, 1_000), np.int64)
    parameters = Parameters(
        valuation_date=date(2026, 1, 5), hvar_weight_e10=7_500_000_000, svar_weight_e10=2_500_000_000,
        hvar_confidence_e10=9_940_000_000, svar_confidence_e10=9_800_000_000, rounding=10_000, holiday_factor_e10=0,
        instruments=(), hvar_returns_e10=empty, svar_returns_e10=empty,
    )  # fmt: skip
    story.give("A", SHARE, 1_000)
    story.announce(EventKind.CASH_DIVIDEND, DIVIDEND, reference="DIV")
    story.announce(EventKind.RIGHTS_ISSUE, EventOption("SECU", shares=(story.shares(RIGHT, 3, 2),)), reference="SRI")
    story.buys("B", "D", 100_000)
    story.until(EX)
    margin = house_margin(story.house, parameters)
    rates = margin.parameters.flat_rates_e10
    assert rates["SRI5"] == rates["5"] > 0
    by_account = dict(zip(margin.account.tolist(), margin.results, strict=True))
    buyer, seller = by_account[story.account("B")], by_account[story.account("D")]
    # Bought at 60 and worth 60; to come: HKD 78,000, and rights worth HKD 150,000 at a dollar each.
    assert (buyer.favourable_mtm, seller.mtm_requirement) == (228_000, 228_000)
    assert buyer.flat_rate_margin == (6_000_000 + 150_000) * rates["5"] // 10**10
