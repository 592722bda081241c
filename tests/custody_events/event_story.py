"""The words of corporate-action stories: announce, elect, trade around the ex-date, and the books of each day."""

from __future__ import annotations

from datetime import date

import numpy as np
from story import Story

from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.clearing.trades import COLUMN_TYPES, Trades
from tsingma.custody.events.book import CorporateAction
from tsingma.engine.cycle import settlement_days_after
from tsingma.engine.house import House
from tsingma.engine.pending import market_of, trade_day_of
from tsingma.journal import commands as do
from tsingma.journal import corporate_action_commands as act
from tsingma.journal.corporate_action_events import CorporateActionsRun, EventStep
from tsingma.reference.book import (
    Account,
    AccountClass,
    Counter,
    InstrumentKind,
    Market,
    Participant,
    ParticipantKind,
    ReferenceBook,
)
from tsingma.settlement.timetable import timetable

SHARE, OTHER, RIGHT, A_SHARE = "HK0005000002", "HK0006000001", "HK0007000000", "CNE0000018R8"
MONDAY = to_day(date(2026, 1, 5))
EX, RECORD = MONDAY + 3, MONDAY + 4  # Thursday and Friday: who buys on Wednesday is settled on Friday
DEADLINE, PAY = MONDAY + 9, MONDAY + 11  # Wednesday and Friday of the week after
ONE = act.SCALE_E9
FX_E6 = (1_000_000, 1_100_000, 7_800_000, 9_000_000)
PRICES_E4 = {SHARE: 600_000, OTHER: 200_000, RIGHT: 10_000, A_SHARE: 15_000_000}


def event_book() -> ReferenceBook:
    """Return a dual-counter share, another one, its nil-paid rights and an A-share; five members and ChinaClear."""
    kind, market = InstrumentKind, Market
    rows = (
        ("5", SHARE, "HKD", kind.EQUITY, market.XHKG, True),
        ("80005", SHARE, "CNY", kind.EQUITY, market.XHKG, False),
        ("6", OTHER, "HKD", kind.EQUITY, market.XHKG, True),
        ("80006", OTHER, "CNY", kind.EQUITY, market.XHKG, False),
        ("2951", RIGHT, "HKD", kind.RIGHT, market.XHKG, True),
        ("600519", A_SHARE, "CNY", kind.EQUITY, market.XSHG, True),
    )
    counters = tuple(
        Counter(code=code, isin=isin, currency=currency, kind=of, market=where, lot=100, tick_e4=100,
                settlement_counter=settles, name=code)
        for code, isin, currency, of, where, settles in rows
    )  # fmt: skip
    own = (("HKSCC", ParticipantKind.HOUSE), ("CHINACLEAR", ParticipantKind.LINK), ("ISSUER", ParticipantKind.ISSUER),
           ("BANK", ParticipantKind.SETTLEMENT_BANK))  # fmt: skip
    members = ("A", "B", "C", "D", "BIDDER")
    accounts = [("HKSCC", AccountClass.CNS), ("HKSCC", AccountClass.HOUSE), ("ISSUER", AccountClass.ISSUANCE),
                ("BANK", AccountClass.ISSUANCE), *((code, AccountClass.HOUSE) for code in members),
                ("A", AccountClass.CLIENT), ("CHINACLEAR", AccountClass.OMNIBUS)]  # fmt: skip
    return ReferenceBook(
        counters=counters,
        participants=(
            *(Participant(code=code, name=code, kind=of) for code, of in own),
            *(Participant(code=code, name=code, kind=ParticipantKind.DIRECT_CLEARING) for code in members),
        ),
        accounts=tuple(Account(participant=code, account_class=of) for code, of in accounts),
    )


def cash(amount: int, currency: str = "HKD", rate: int = ONE) -> act.CashTerm:
    """Return money for each share: thousandths of a unit, and the announced rate x 10**9."""
    return act.CashTerm(CURRENCIES.index(currency), amount * ONE // 1_000, rate)


class EventStory(Story):
    """A house on Monday 5 January 2026, open, with prices; the issuer has money only where a story says so."""

    def __init__(self) -> None:
        """Open the house and give every member ten million of both monies."""
        self.house, self.told, self.references, self.trades = House(), [], 0, 0
        self._tell(do.LoadReference(event_book()))
        self.book = self.house.resolved
        self._tell(do.OpenDay(MONDAY))
        self.price(PRICES_E4)
        for who in ("A", "B", "C", "D", "BIDDER"):
            for currency in ("HKD", "CNY"):
                self.give(who, currency, 10**9)

    def price(self, prices_e4: dict[str, int]) -> None:
        """Fix closing prices of settlement counters."""
        places = [self.book.settlement_counter[self.book.securities.index(isin)] for isin in prices_e4]
        self._tell(do.SetClosingPrices(pack(places, "i4"), pack(list(prices_e4.values()), "i8"), FX_E6))

    def security(self, isin: str) -> int:
        """Return the number of a security."""
        return self.book.securities.index(isin)

    def shares(self, isin: str, new: int, old: int) -> act.ShareTerm:
        """Return ``new`` of a security for every ``old``."""
        return act.ShareTerm(self.security(isin), new, old)

    # when

    def announce(self, kind: act.EventKind, *options: act.EventOption, isin: str = SHARE, **fields: object) -> str:
        """Announce an event and return its reference; dates are those above where the kind has them."""
        return self._tell(self.terms(kind, *options, isin=isin, **fields)).reference

    def terms(
        self, kind: act.EventKind, *options: act.EventOption, isin: str = SHARE, **fields: object
    ) -> act.AnnounceCorporateAction:
        """Return the command that announces an event."""
        values: dict[str, object] = {"reference": "CA1", "kind": kind, "security": self.security(isin)}
        if kind in (act.EventKind.SPLIT, act.EventKind.CONSOLIDATION, act.EventKind.MERGER):
            values["ex_day"] = EX
        elif kind in (act.EventKind.TAKE_OVER, act.EventKind.RIGHTS_EXERCISE):
            values |= {"deadline_day": DEADLINE, "pay_day": PAY}
        else:
            values |= {"ex_day": EX, "record_day": RECORD, "pay_day": PAY}
            values["deadline_day"] = DEADLINE if len(options) > 1 else 0
        return act.AnnounceCorporateAction(act.EventTerms(options=options, **{**values, **fields}))  # type: ignore[arg-type]

    def elect(self, who: str, option: int, quantity: int, reference: str = "CA1") -> int:
        """Set an election; returns what the account may still elect."""
        return self._tell(act.ElectOption(reference, self.account(who), option, quantity)).left

    def cannot_elect(self, who: str, option: int, quantity: int, reference: str = "CA1") -> str:
        """Elect in vain; returns why."""
        return self.refuse(act.ElectOption(reference, self.account(who), option, quantity))

    def buys(
        self, buyer: str, seller: str, quantity: int, *, counter: str = "5", price: int = 60, mode: int = 0
    ) -> None:
        """Trade today, through the central counterparty (mode 0) or isolated (1)."""
        self.trades += 1
        row = {"trade_id": self.trades, "time_s": 36_000, "counter": self.book.counter_index[counter],
               "buyer": self.account(buyer), "seller": self.account(seller), "quantity": quantity,
               "price_e4": price * 10_000, "mode": mode, "maker": 0}  # fmt: skip
        columns = {name: np.array([row[name]], kind) for name, kind in COLUMN_TYPES.items()}
        self._tell(next(iter(Trades("story", self.house.position.day, **columns).commands())))

    def run_events(self) -> dict[str, dict[str, int]]:
        """Carry out what is due now; returns figures by step."""
        event = self._tell(act.RunCorporateActions())
        assert isinstance(event, CorporateActionsRun)
        self.last: tuple[EventStep, ...] = event.steps
        return {one.step: one.figures for one in event.steps}

    def evening(self) -> dict[str, dict[str, int]]:
        """Finish the timetable and carry out what is due; returns figures by step."""
        self.run(timetable()[-1].name)
        return self.run_events()

    def night(self) -> None:
        """Close the day and open the next settlement day."""
        self._tell(do.CloseDay())
        self._tell(do.OpenDay(settlement_days_after(self.house.position.day, 1)))

    def until(self, day: int) -> dict[str, dict[str, int]]:
        """Run whole days up to the morning of a day; returns figures of all steps carried out on the way."""
        steps: dict[str, dict[str, int]] = {}
        while self.house.position.day < day:
            steps |= self.evening()
            self.night()
        return steps

    # then

    def action(self, reference: str = "CA1") -> CorporateAction:
        """Return an event as the house keeps it."""
        return self.house.corporate_actions.get(reference)

    def pending(self, who: str, isin: str = SHARE) -> int:
        """Return an account's open net position with the central counterparty: due already, to receive +."""
        positions = self.house.settlement.positions
        mine = (positions.account == self.account(who)) & (positions.security == self.security(isin))
        return int(positions.open[mine].sum())

    def coming(self, who: str, isin: str = SHARE) -> int:
        """Return what an account is to receive (deliver -) on the days to come."""
        total = 0
        for day in self.house.obligations.days:
            due = self.house.obligations.due(day)
            mine = (due.account == self.account(who)) & (self.book.counter_security[due.counter] == self.security(isin))
            total += int(due.quantity[mine].sum())
        return total

    def owes(self, who: str) -> int:
        """Return what an account is to pay (be paid -) the central counterparty by contract, in cents of all monies."""
        positions = self.house.settlement.positions
        mine = positions.money_account == self.account(who)
        total = int((positions.due_cents - positions.settled_cents)[mine].sum())
        for day in self.house.obligations.days:
            due = self.house.obligations.due(day)
            total += int(due.amount_cents[due.account == self.account(who)].sum())
        return total

    def end_books(self) -> tuple[object, ...]:
        """Return what stands in the share: balances, open positions, coming ones, contract money, issued, prices."""
        who = ("A", "B", "C", "D")
        return (
            {one: self.has(one, SHARE) for one in who}, {one: self.pending(one) for one in who},
            {one: self.coming(one) for one in who}, {one: self.owes(one) for one in who}, self.issued(),
            self.house.price_e4.tolist(),
        )  # fmt: skip

    def next_settlement_day(self) -> int:
        """Return the settlement day after the one the house stands at."""
        return settlement_days_after(self.house.position.day, 1)

    def issued(self, isin: str = SHARE) -> int:
        """Return what the issuer has issued: the negative of its account."""
        return -self.has("ISSUER/ISSUANCE", isin)

    def traded_on(self, due_day: int, isin: str = SHARE) -> int:
        """Return the trade date of what is due on a day."""
        return trade_day_of(due_day, market_of(self.house, self.security(isin)))
