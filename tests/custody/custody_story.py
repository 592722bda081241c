"""The words in which custody stories are told: given terms and accounts, when days pass, then books.

A story runs the production step on a small house. After every command the state must come back from its dump with the
same digest; at its end the commands told so far give the same state again from nothing.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.engine.cycle import settlement_days_after
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal import commands as do
from tsingma.journal import custody_commands as custody
from tsingma.journal import events
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
from tsingma.reference.terms import Product, SecurityTerms
from tsingma.settlement.timetable import timetable
from tsingma.simulate.universe import invented_isin

MONDAY = date(2026, 1, 5)
FX_E6 = (1_000_000, 1_080_000, 7_800_000, 9_000_000)
SECURITIES: dict[str, tuple[InstrumentKind, str, Market]] = {
    "BOND": (InstrumentKind.BOND, "CNY", Market.CMU),
    "BOND2": (InstrumentKind.BOND, "CNY", Market.CMU),
    "SHARE": (InstrumentKind.EQUITY, "HKD", Market.XHKG),
    "SHARE2": (InstrumentKind.EQUITY, "HKD", Market.XHKG),
    "ETF": (InstrumentKind.ETF, "HKD", Market.XHKG),
    "GOLD": (InstrumentKind.GOLD, "HKD", Market.XHKG),
    "BARS": (InstrumentKind.GOLD, "HKD", Market.XHKG),
    "BILL": (InstrumentKind.BILL, "HKD", Market.CMU),
    "CD": (InstrumentKind.CERTIFICATE, "CNY", Market.CMU),
    "FUND": (InstrumentKind.FUND, "CNY", Market.XHKG),
}
ISIN = {name: invented_isin(place + 1) for place, name in enumerate(SECURITIES)}
MEMBERS = ("A", "B", "C", "D", "MOF", "CORP", "TRUST", "VAULT")


def small_book() -> ReferenceBook:
    """Return the reference book of every story: a few securities, members with house accounts, A and B with clients."""
    kinds = (("HKSCC", ParticipantKind.HOUSE), ("CHINACLEAR", ParticipantKind.LINK),
             ("ISSUER", ParticipantKind.ISSUER), ("BANK", ParticipantKind.SETTLEMENT_BANK),
             *((code, ParticipantKind.CUSTODIAN) for code in MEMBERS))  # fmt: skip
    accounts = [("HKSCC", AccountClass.CNS), ("HKSCC", AccountClass.HOUSE), ("ISSUER", AccountClass.ISSUANCE),
                ("BANK", AccountClass.ISSUANCE), *((code, AccountClass.HOUSE) for code in MEMBERS),
                ("A", AccountClass.CLIENT), ("B", AccountClass.CLIENT)]  # fmt: skip
    return ReferenceBook(
        counters=tuple(
            Counter(code=name, isin=ISIN[name], currency=currency, kind=kind, market=market, lot=1, tick_e4=1,
                    settlement_counter=True, name=name)
            for name, (kind, currency, market) in SECURITIES.items()
        ),
        participants=tuple(Participant(code=code, name=code, kind=kind) for code, kind in kinds),
        accounts=tuple(Account(participant=code, account_class=of) for code, of in accounts),
    )  # fmt: skip


class CustodyStory:
    """A house that opens on Monday 5 January 2026; steps of the day run when the day ends."""

    def __init__(self, day: date = MONDAY) -> None:
        """Open the house."""
        self.house, self.told = House(), []
        self.tell(do.LoadReference(small_book()))
        self.book = self.house.resolved
        self.tell(do.OpenDay(to_day(day)))

    # given

    def give(self, who: str, what: str, amount: int) -> None:
        """Deposit units of a security that is not registered, or cents."""
        owner, asset = pack([self.account(who)], "i4"), pack([self.asset(what)], "i4")
        self.tell(do.DepositAssets(owner, asset, pack([amount], "i8")))

    def price(self, prices_e4: dict[str, int]) -> None:
        """Fix closing prices by security name."""
        places = [self.book.counter_index[name] for name in prices_e4]
        self.tell(do.SetClosingPrices(pack(places, "i4"), pack(list(prices_e4.values()), "i8"), FX_E6))

    def terms(self, what: str = "BOND", product: Product = Product.SOVEREIGN, **fields: object) -> SecurityTerms:
        """Return terms: by default three years of 3 % semi-annual from 7 January 2026, CNY 100 a unit, paid by MOF."""
        usual: dict[str, object] = {
            "isin": ISIN[what], "product": product, "payer": self.account(str(fields.pop("payer", "MOF"))),
            "currency": SECURITIES[what][1],
        }  # fmt: skip
        if SECURITIES[what][0] in (InstrumentKind.BOND, InstrumentKind.BILL, InstrumentKind.CERTIFICATE):
            usual |= {"face_cents": 10_000, "issue_day": day(2026, 1, 7), "maturity_day": day(2029, 1, 7),
                      "coupon_e9": 30_000_000, "months": 6}  # fmt: skip
        return SecurityTerms(**{**usual, **fields})  # type: ignore[arg-type]

    def register(self, what: str = "BOND", product: Product = Product.SOVEREIGN, **fields: object) -> SecurityTerms:
        """Register a security; fields are those of its terms, the payer by name."""
        terms = self.terms(what, product, **fields)
        self.tell(custody.RegisterSecurity(terms))
        return terms

    def issue(self, what: str, **units: int) -> None:
        """Issue units free of payment: ``issue("BOND", A=100, B=50)``."""
        accounts = tuple(self.account(who) for who in units)
        self.tell(custody.IssueUnits(ISIN[what], accounts, tuple(units.values())))

    # when

    def move(self, giver: str, taker: str, what: str, amount: int) -> None:
        """Move units or cents between accounts, free."""
        columns = ([self.account(giver)], [self.account(taker)], [self.asset(what)])
        event = self.tell(
            do.PostTransfers(*(pack(column, "i4") for column in columns), pack([amount], "i8"), pack([0], "i1"))
        )
        assert event.booked == 1

    def end_day(self) -> dict[str, int]:
        """Run what is left of the timetable and close the day; returns the proof."""
        self.run_timetable()
        return self.tell(do.CloseDay()).figures

    def run_timetable(self) -> None:
        """Run what is left of the day's timetable."""
        done = self.house.position.steps_run
        for entry in timetable():
            if entry.name not in done:
                self.tell(do.RunStep(entry.name))

    def next_day(self) -> None:
        """Close the day and open the next settlement day."""
        self.end_day()
        self.tell(do.OpenDay(settlement_days_after(self.house.position.day, 1)))

    def go_to(self, year: int, month: int, of_month: int) -> None:
        """Close the day and open a later one; the days between stay closed."""
        self.end_day()
        self.tell(do.OpenDay(day(year, month, of_month)))

    def tell(self, command: do.Command) -> object:
        """Carry out a command that must be accepted; returns its event."""
        answer = step(self.house, command)
        assert isinstance(answer, events.Accepted), answer
        self.told.append(command)
        if not isinstance(command, do.RunStep | do.CloseDay):  # what these do is seen after the next one
            assert House.load(self.house.dump()).digest() == self.house.digest()
        if self.house.custody.in_use:
            self.house.custody.check(self.house.ledger, self.house.internal.issuer)
        return answer.events[0]

    def refuse(self, command: do.Command) -> str:
        """Carry out a command that must be refused and leave no trace; returns the reasons."""
        before = self.house.digest()
        answer = step(self.house, command)
        assert isinstance(answer, events.Refused), answer
        assert self.house.digest() == before
        return " | ".join(f"{rejection.reason}: {rejection}" for rejection in answer.rejections)

    # then

    def has(self, who: str, what: str) -> int:
        """Return a balance: units, or cents."""
        row = self.house.ledger.find(self.account(who), self.asset(what))
        return 0 if row < 0 else int(self.house.ledger.balance[row])

    def books(self, what: str, *names: str) -> tuple[int, ...]:
        """Return the balances of accounts in one asset, in the order asked."""
        return tuple(self.has(who, what) for who in names)

    def issued(self, what: str) -> int:
        """Return units outstanding by the register, after comparing them with the issuer's account."""
        issued = self.house.custody.register.of(self.asset(what)).issued
        row = self.house.ledger.find(self.house.internal.issuer, self.asset(what))
        assert -issued == int(self.house.ledger.balance[row])
        return issued

    def end(self) -> None:
        """Tell the same commands to another house: the same state must come out."""
        again = House()
        for command in self.told:
            step(again, command)
        assert again.digest() == self.house.digest()

    def account(self, who: str) -> int:
        """Return an account by "A" (its house account) or "A/CLIENT"."""
        code, _, of = who.partition("/")
        return self.book.account_index[code, AccountClass(of or "HOUSE")]

    def asset(self, what: str) -> int:
        """Return an asset by currency or the name of a security."""
        return CURRENCIES.index(what) if what in CURRENCIES else 4 + self.book.securities.index(ISIN[what])

    def free(self, who: str, what: str) -> int:
        """Return what of a balance is neither on hold nor pledged."""
        row = self.house.ledger.find(self.account(who), self.asset(what))
        return 0 if row < 0 else int(self.house.ledger.available(np.array([row]))[0])


def day(year: int, month: int, of_month: int) -> int:
    """Return a day number."""
    return to_day(date(year, month, of_month))
