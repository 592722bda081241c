"""The reference book of a whole house: shares, bonds, a fund, gold, rights; firms, issuers and the link."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

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
from tsingma.simulate.universe import invented_isin

OWN_ACCOUNTS = 4  # CNS, house, issuer, bank: the first accounts of the book
OTHERS = ("MOF", "TRUST", "VAULT", "CHINACLEAR")  # who pays for bonds, keeps the fund, keeps the gold, is the link
# code, currency, kind, market, opening price (ten-thousandths), whether it settles
COUNTERS: tuple[tuple[str, str, InstrumentKind, Market, int, bool], ...] = (
    ("00001", "HKD", InstrumentKind.EQUITY, Market.XHKG, 300_000, True),
    ("80001", "CNY", InstrumentKind.EQUITY, Market.XHKG, 280_000, False),
    ("02800", "HKD", InstrumentKind.ETF, Market.XHKG, 250_000, True),
    ("600001", "CNY", InstrumentKind.EQUITY, Market.XSHG, 150_000, True),
    ("000001", "CNY", InstrumentKind.EQUITY, Market.XSHE, 120_000, True),
    ("NEW", "HKD", InstrumentKind.EQUITY, Market.XHKG, 100_000, True),
    ("RTS", "HKD", InstrumentKind.RIGHT, Market.XHKG, 10_000, True),
    ("CGB", "CNY", InstrumentKind.BOND, Market.CMU, 1_010_000, True),
    ("CGB5", "CNY", InstrumentKind.BOND, Market.CMU, 990_000, True),
    ("GREEN", "CNY", InstrumentKind.BOND, Market.CMU, 1_000_000, True),
    ("TAP", "CNY", InstrumentKind.BOND, Market.CMU, 1_000_000, True),
    ("BILL", "HKD", InstrumentKind.BILL, Market.CMU, 995_000, True),
    ("EFN", "HKD", InstrumentKind.BOND, Market.CMU, 1_000_000, True),
    ("FUND", "HKD", InstrumentKind.FUND, Market.XHKG, 110_000, True),
    ("BARS", "HKD", InstrumentKind.GOLD, Market.XHKG, 5_000_000, True),
    ("METAL", "HKD", InstrumentKind.GOLD, Market.XHKG, 5, True),
)
_SAME = {"80001": "00001"}  # counters of one security


@dataclass(frozen=True, slots=True)
class WholeBook:
    """The book, the accounts of firms, and the account of each of ``OTHERS`` by name."""

    book: ReferenceBook
    firms: range
    others: dict[str, int]


@cache
def isin_of(code: str) -> str:
    """Return the invented ISIN of a counter."""
    codes = [row[0] for row in COUNTERS]
    return invented_isin(1 + codes.index(_SAME.get(code, code)))


@cache
def whole_book(firms: int) -> WholeBook:
    """Return the book with so many firms, each with a house and a client account."""
    codes = [f"F{number}" for number in range(1, firms + 1)]
    own = (
        ("HKSCC", AccountClass.CNS),
        ("HKSCC", AccountClass.HOUSE),
        ("ISSUER", AccountClass.ISSUANCE),
        ("BANK", AccountClass.ISSUANCE),
    )
    theirs = tuple((code, name) for code in codes for name in (AccountClass.HOUSE, AccountClass.CLIENT))
    kinds = {
        "HKSCC": ParticipantKind.HOUSE,
        "ISSUER": ParticipantKind.ISSUER,
        "BANK": ParticipantKind.SETTLEMENT_BANK,
        **dict.fromkeys(codes, ParticipantKind.DIRECT_CLEARING),
        **dict.fromkeys(OTHERS, ParticipantKind.CUSTODIAN),
        "CHINACLEAR": ParticipantKind.LINK,
    }
    accounts = (*own, *theirs, *((code, AccountClass.HOUSE) for code in OTHERS))
    first = OWN_ACCOUNTS + len(theirs)
    return WholeBook(
        ReferenceBook(
            counters=tuple(
                Counter(
                    code=code, isin=isin_of(code), currency=currency, kind=kind, market=market, lot=1, tick_e4=1,
                    settlement_counter=settles, name=code,
                )
                for code, currency, kind, market, _, settles in COUNTERS
            ),
            participants=tuple(Participant(code=code, name=code, kind=kind) for code, kind in kinds.items()),
            accounts=tuple(Account(participant=code, account_class=name) for code, name in accounts),
        ),
        range(OWN_ACCOUNTS, first),
        {code: first + place for place, code in enumerate(OTHERS)},
    )  # fmt: skip
