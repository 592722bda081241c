"""A simulated week with a dividend and a split in its most traded shares, through the business day with margin.

Goal: events run by themselves on their days, in the company of thousands of trades and fails, and the journal replays.
Method: the simulated market, events announced on the first morning, the week run as any week is.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tsingma.app.business_day import DayInput, run_day
from tsingma.app.inspect import replay_house
from tsingma.app.parameter_file import build_parameters
from tsingma.app.progress import Silent
from tsingma.app.session import Session
from tsingma.basics.clock import FixedClock
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.engine.pending import settled_balances
from tsingma.journal.commands import DepositAssets, LoadReference, PostTransfers
from tsingma.journal.corporate_action_commands import (
    AnnounceCorporateAction,
    CashTerm,
    EventKind,
    EventOption,
    EventTerms,
    ShareTerm,
)
from tsingma.journal.corporate_action_events import CorporateActionsRun
from tsingma.journal.events import Accepted, decode_answer
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.simulate.market import SimulatedMarket, simulate_market

FIRST = to_day(date(2026, 1, 5))


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    """A small simulated market over four days."""
    return simulate_market(11, date(2026, 1, 5), 4, 2_000)


def _most_traded(market: SimulatedMarket, session: Session) -> list[int]:
    """Return the securities of Hong Kong shares by number of trades, most first."""
    book = session.house.resolved
    counts = np.zeros(len(book.securities), np.int64)
    for day in market.days():
        np.add.at(counts, book.counter_security[day.trades.counter], 1)
    hong_kong = book.counter_market[book.settlement_counter] == 0
    return [one for one in np.argsort(-counts, kind="stable").tolist() if hong_kong[one]]


def _empty_a_seller(market: SimulatedMarket, session: Session, security: int) -> None:
    """Move all shares of Monday's largest net seller to somebody else: it fails over the record date."""
    house, trades = session.house, next(iter(market.days())).trades
    net = np.zeros(house.resolved.account_participant.size, np.int64)
    mine = house.resolved.counter_security[trades.counter] == security
    np.add.at(net, trades.buyer[mine], trades.quantity[mine])
    np.subtract.at(net, trades.seller[mine], trades.quantity[mine])
    seller, buyer = int(net.argmin()), int(net.argmax())
    asset = security + len(CURRENCIES)
    columns = (pack([seller], "i4"), pack([buyer], "i4"), pack([asset], "i4"))
    shares = int(house.ledger.balance[house.ledger.find(seller, asset)])
    session.once("emptied", lambda: PostTransfers(*columns, pack([shares], "i8"), pack([0], "i1")))


def test_events_in_a_week(market: SimulatedMarket, tmp_path: Path) -> None:
    """Goal: paid and converted on their days, flat at every close. Method: HKD 1 a share, and five for one."""
    steps: dict[str, dict[str, int]] = {}
    with Session.open(tmp_path) as session:
        session.once("reference", lambda: LoadReference(market.book))
        session.once("deposits", market.deposits)
        paying, splitting = _most_traded(market, session)[:2]
        _empty_a_seller(market, session, paying)
        issuer = pack([session.house.internal.issuer], "i4")
        session.once("funds", lambda: DepositAssets(issuer, pack([0], "i4"), pack([10**15], "i8")))
        dividend = EventTerms(
            reference="DIV", kind=EventKind.CASH_DIVIDEND, security=paying, ex_day=FIRST + 1, record_day=FIRST + 2,
            pay_day=FIRST + 3, options=(EventOption("CASH", cash=(CashTerm(0, 10**9),)),),
        )  # fmt: skip
        split = EventTerms(
            reference="SPLIT", kind=EventKind.SPLIT, security=splitting, ex_day=FIRST + 3,
            options=(EventOption("SECU", shares=(ShareTerm(splitting, 5, 1),)),),
        )  # fmt: skip
        session.once("dividend", lambda: AnnounceCorporateAction(dividend))
        session.once("split", lambda: AnnounceCorporateAction(split))
        parameters = build_parameters(market.history, FilterSettings())
        before = sum(settled_balances(session.house, splitting).values())
        for day in market.days():
            _, margin = run_day(
                session, DayInput(day.date, day.trades, day.close_e4, day.fx_e6), parameters, FixedClock(), Silent()
            )
            assert margin is not None
            found = any(code.startswith("DIV") for code in margin.book.instruments)
            assert found == (day.date in (date(2026, 1, 6), date(2026, 1, 7)))  # from the ex-date to the payment
        for record in session.store.read(0):
            answer = decode_answer(record.answer)
            if isinstance(answer, Accepted) and isinstance(answer.events[0], CorporateActionsRun):
                steps |= {f"{one.reference} {one.step}": one.figures for one in answer.events[0].steps}
        assert set(steps) == {"DIV entitled", "DIV paid", "SPLIT converted"}
        assert steps["DIV entitled"]["pending_long"] > 0
        assert steps["DIV paid"]["paid_HKD_cents"] == 100 * steps["DIV entitled"]["settled"]
        assert steps["DIV paid"]["claims_collected_cents"] + steps["DIV paid"]["claims_owed_cents"] > 0
        assert steps["SPLIT converted"]["net_positions"] > 0
        assert sum(settled_balances(session.house, splitting).values()) == 5 * before
    assert replay_house(tmp_path)["same"]
