"""A small reference book and trade maker that the clearing and engine tests share."""

from __future__ import annotations

import numpy as np

from tsingma.clearing.trades import COLUMN_TYPES, Trades
from tsingma.reference.book import (
    Account,
    AccountClass,
    Counter,
    InstrumentKind,
    Market,
    Participant,
    ReferenceBook,
    ResolvedBook,
    resolve,
)
from tsingma.reference.book import ParticipantKind as Kind

MONDAY = 20_458  # 2026-01-05


def counter(code: str, isin: str, currency: str, market: Market, kind: InstrumentKind, settles: bool = True) -> Counter:
    """Return one counter with a lot of 100 and a tick of one cent."""
    return Counter(
        code=code, isin=isin, currency=currency, kind=kind, market=market, lot=100, tick_e4=100,
        settlement_counter=settles, name=code,
    )  # fmt: skip


def book() -> ReferenceBook:
    """Return a dual-counter equity, an A-share and a bond; two members with house and client accounts."""
    equity, bond = InstrumentKind.EQUITY, InstrumentKind.BOND
    return ReferenceBook(
        counters=(
            counter("700", "KYG875721634", "HKD", Market.XHKG, equity),
            counter("80700", "KYG875721634", "CNY", Market.XHKG, equity, settles=False),
            counter("600519", "CNE0000018R8", "CNY", Market.XSHG, equity),
            counter("CGB", "HK0000096088", "CNY", Market.CMU, bond),
        ),
        participants=(
            Participant(code="HKSCC", name="HKSCC", kind=Kind.HOUSE),
            Participant(code="CHINACLEAR", name="ChinaClear", kind=Kind.LINK),
            Participant(code="ISSUER", name="Issuers", kind=Kind.ISSUER),
            Participant(code="BANK", name="Bank", kind=Kind.SETTLEMENT_BANK),
            Participant(code="A", name="Alpha", kind=Kind.DIRECT_CLEARING),
            Participant(code="B", name="Beta", kind=Kind.GENERAL_CLEARING),
        ),
        accounts=(
            Account(participant="HKSCC", account_class=AccountClass.CNS),
            Account(participant="HKSCC", account_class=AccountClass.HOUSE),
            Account(participant="ISSUER", account_class=AccountClass.ISSUANCE),
            Account(participant="BANK", account_class=AccountClass.ISSUANCE),
            Account(participant="A", account_class=AccountClass.HOUSE),
            Account(participant="A", account_class=AccountClass.CLIENT),
            Account(participant="B", account_class=AccountClass.HOUSE),
            Account(participant="B", account_class=AccountClass.OMNIBUS),
        ),
    )


CNS, HOUSE, ISSUER, BANK, A, A_CLIENT, B, B_OMNIBUS = range(8)


def resolved() -> ResolvedBook:
    """Return the book as indices."""
    return resolve(book())


def trades(
    rows: list[tuple[int, int, int, int, int]], *, mode: int = 0, day: int = MONDAY, first_id: int = 1
) -> Trades:
    """Return trades of (counter, buyer, seller, quantity, price_e4) rows at ten in the morning."""
    number = len(rows)
    columns = dict(zip(("counter", "buyer", "seller", "quantity", "price_e4"), zip(*rows, strict=True), strict=True))
    columns |= {"trade_id": range(first_id, first_id + number), "time_s": [36_000] * number}
    columns |= {"mode": [mode] * number, "maker": [0] * number}
    return Trades(
        "trades.csv", day, **{name: np.array(list(columns[name]), kind) for name, kind in COLUMN_TYPES.items()}
    )
