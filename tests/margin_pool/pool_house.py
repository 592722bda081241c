"""A small house with a pool of collateral, which the tests of the pool share."""

from __future__ import annotations

from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal import commands as do
from tsingma.journal import pool_commands as pool
from tsingma.journal.events import Accepted, Refused
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

MONDAY = 20_458  # 2026-01-05
HKD, CNY = CURRENCIES.index("HKD"), CURRENCIES.index("CNY")
FX_E6 = (1_000_000, 1_080_000, 7_800_000, 9_000_000)
BILL, CGB, SHARE = "HK0000096088", "CND10004L6H1", "KYG875721634"
KINDS = {HKD: "cash.HKD", CNY: "cash.CNY", BILL: "exchange-fund", CGB: "cgb", SHARE: "equity"}
CUSTODIANS = {HKD: "BANK", CNY: "BANK", BILL: "CMU", CGB: "CCDC", SHARE: "HKSCC"}
PRICES_E4 = {BILL: 9_900, CGB: 10_100, SHARE: 3_000_000}  # bonds by the unit of face, the share by the share


def _book() -> ReferenceBook:
    kind, market = InstrumentKind, Market
    rows = (
        ("EFB", BILL, "HKD", kind.BOND, market.CMU),
        ("CGB", CGB, "CNY", kind.BOND, market.CMU),
        ("700", SHARE, "HKD", kind.EQUITY, market.XHKG),
    )
    own = {"HKSCC": "house", "CHINACLEAR": "link", "ISSUER": "issuer", "BANK": "settlement-bank"}
    accounts = (("HKSCC", "CNS"), ("HKSCC", "HOUSE"), ("ISSUER", "ISSUANCE"), ("BANK", "ISSUANCE"), ("A", "HOUSE"),
                ("B", "HOUSE"))  # fmt: skip
    return ReferenceBook(
        counters=tuple(
            Counter(code=code, isin=isin, currency=currency, kind=of, market=where, lot=1, tick_e4=1,
                    settlement_counter=True, name=code)
            for code, isin, currency, of, where in rows
        ),
        participants=(
            *(Participant(code=code, name=code, kind=ParticipantKind(of)) for code, of in own.items()),
            *(Participant(code=code, name=code, kind=ParticipantKind.DIRECT_CLEARING) for code in "AB"),
        ),
        accounts=tuple(Account(participant=who, account_class=AccountClass(of)) for who, of in accounts),
    )  # fmt: skip


class PoolHouse:
    """A house on Monday, prices set, everything listed; commands are told and refusals returned."""

    def __init__(self) -> None:
        """Open the house."""
        self.house, self.told = House(), []
        self.do(do.LoadReference(_book()))
        self.book = self.house.resolved
        self.do(do.OpenDay(MONDAY))
        self.price(PRICES_E4)
        listings = tuple((self.asset(what), kind, CUSTODIANS[what]) for what, kind in KINDS.items())
        self.do(pool.ListCollateral(listings))

    def asset(self, what: str | int) -> int:
        """Return the asset number of a currency or an ISIN."""
        return what if isinstance(what, int) else self.book.asset_of_security(self.book.securities.index(what))

    def account(self, who: str) -> int:
        """Return a member's house account."""
        return self.book.account_index[who, AccountClass.HOUSE]

    def price(self, prices_e4: dict[str, int]) -> None:
        """Fix closing prices."""
        places = [int(self.book.settlement_counter[self.book.securities.index(isin)]) for isin in prices_e4]
        self.do(do.SetClosingPrices(pack(places, "i4"), pack(list(prices_e4.values()), "i8"), FX_E6))

    def give(self, who: str, what: str | int, amount: int) -> None:
        """Deposit shares, face or cents."""
        columns = (pack([self.account(who)], "i4"), pack([self.asset(what)], "i4"), pack([amount], "i8"))
        self.do(do.DepositAssets(*columns))

    def pledge(self, who: str, what: str | int, amount: int) -> None:
        """Deposit and pledge."""
        self.give(who, what, amount)
        self.do(pool.PledgeCollateral(self.account(who), self.asset(what), amount))

    def call(self, who: str, taker: str, cents: int) -> None:
        """Set a call."""
        self.do(pool.SetPoolCalls("test", taker, pack([self.account(who)], "i4"), pack([cents], "i8")))

    def arrange(self, who: str, *allotments: tuple[str, str | int, int]) -> None:
        """Set a member's allotments."""
        rows = tuple((taker, self.asset(what), amount) for taker, what, amount in allotments)
        self.do(pool.ArrangePool("test", self.account(who), rows))

    def do(self, command: do.Command) -> object:
        """Carry out a command that must be accepted; returns its event."""
        answer = step(self.house, command)
        assert isinstance(answer, Accepted), answer
        self.told.append(command)
        return answer.events[0]

    def refused(self, command: do.Command) -> str:
        """Carry out a command that must be refused and change nothing; returns what was said."""
        before = self.house.digest()
        answer = step(self.house, command)
        assert isinstance(answer, Refused), answer
        assert self.house.digest() == before
        return str(answer.rejections[0])

    def available(self, who: str, what: str | int) -> int:
        """Return what a member can use of an asset outside the pool."""
        row = self.house.ledger.row(self.account(who), self.asset(what))
        return int(self.house.ledger.balance[row] - self.house.ledger.held[row] - self.house.ledger.pledged[row])
