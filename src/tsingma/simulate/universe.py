"""Who takes part and what is traded: a reference book of invented firms and securities.

Invented ISINs begin with ZZ, a code ISO 3166 leaves to users, so that none can be taken for a real one.
"""

from __future__ import annotations

import numpy as np

from tsingma.basics.identifiers import isin_check_digit, lei_check_digits
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
from tsingma.simulate.shape import MarketShape

REAL_DUAL_COUNTERS = {"00700": "80700", "09988": "89988", "03690": "83690", "00388": "80388", "01299": "81299"}
_LOTS = (100, 200, 500, 1000, 2000)


def invented_isin(number: int) -> str:
    """Return a fictitious ISIN with a right check digit."""
    body = f"ZZ{number:09d}"
    return body + isin_check_digit(body)


def participants(shape: MarketShape) -> tuple[tuple[Participant, ...], tuple[Account, ...]]:
    """Return the invented participants and their accounts, the house's own first."""
    firms = [
        Participant(code="HKSCC", name="The house", kind=ParticipantKind.HOUSE),
        Participant(code="CHINACLEAR", name="Mainland link (simulated)", kind=ParticipantKind.LINK),
        Participant(code="ISSUER", name="Issuers", kind=ParticipantKind.ISSUER),
        Participant(code="BANK", name="Settlement bank", kind=ParticipantKind.SETTLEMENT_BANK),
    ]
    accounts = [
        Account(participant="HKSCC", account_class=AccountClass.CNS),
        Account(participant="HKSCC", account_class=AccountClass.HOUSE),
        Account(participant="CHINACLEAR", account_class=AccountClass.HOUSE),
        Account(participant="ISSUER", account_class=AccountClass.ISSUANCE),
        Account(participant="BANK", account_class=AccountClass.ISSUANCE),
    ]
    for rank in range(1, shape.participants.count + 1):
        general = rank % 10 == 1
        kind = ParticipantKind.GENERAL_CLEARING if general else ParticipantKind.DIRECT_CLEARING
        firms.append(
            Participant(code=f"B{rank:05d}", name=f"Simulated broker {rank}", kind=kind, lei=_invented_lei(rank))
        )
        classes = [AccountClass.HOUSE, AccountClass.CLIENT] + [AccountClass.OMNIBUS] * general
        accounts += [Account(participant=f"B{rank:05d}", account_class=name) for name in classes]
    for rank in range(1, shape.participants.custodians + 1):
        firms.append(
            Participant(code=f"C{rank:05d}", name=f"Simulated custodian {rank}", kind=ParticipantKind.CUSTODIAN)
        )
        accounts.append(Account(participant=f"C{rank:05d}", account_class=AccountClass.SEGREGATED))
    return tuple(firms), tuple(accounts)


def _invented_lei(rank: int) -> str:
    body = f"ZZZZ00SIMULATED{rank:03d}"
    return body + lei_check_digits(body)


class _Listing:
    """Collects counters with their opening prices."""

    def __init__(self, shape: MarketShape) -> None:
        self.shape = shape
        self.counters: list[Counter] = []
        self.price_e4: list[int] = []

    def add(
        self, code: str, isin: str, kind: InstrumentKind, market: Market, currency: str, price_e4: int, **more: object
    ) -> None:
        tick = 1 if market == Market.CMU else self.shape.tick_e4(price_e4 // 2)
        price = max(price_e4 // tick * tick, tick)
        fields = {"lot": 100, "settlement_counter": True, "name": f"Simulated {kind} {code}", **more}
        self.counters.append(
            Counter(code=code, isin=isin, currency=currency, kind=kind, market=market, tick_e4=tick, **fields)  # type: ignore[arg-type]
        )
        self.price_e4.append(price)


def invented_counters(shape: MarketShape, seed: int) -> tuple[tuple[Counter, ...], tuple[int, ...]]:
    """Return invented counters and their opening prices (e4, in the counter's currency)."""
    chance = np.random.Generator(np.random.PCG64([seed, 1]))
    listing, size = _Listing(shape), shape.instruments
    for place in range(size.equities):
        code = f"{place + 1:05d}"
        price = int(chance.lognormal(3.0, 1.1) * 10_000) + 5_000
        lot = _LOTS[int(chance.integers(len(_LOTS)))]
        listing.add(code, invented_isin(place + 1), InstrumentKind.EQUITY, Market.XHKG, "HKD", price, lot=lot)
        if place < size.dual_counters:
            yuan = price * 1_000_000 // shape.rates["CNY_e6"]
            listing.add(
                f"8{code[1:]}",
                invented_isin(place + 1),
                InstrumentKind.EQUITY,
                Market.XHKG,
                "CNY",
                yuan,
                lot=lot,
                settlement_counter=False,
                name=f"Simulated equity {code}-R",
            )
    _funds_and_rights(listing, chance)
    _structured(listing, chance)
    _mainland_and_bonds(listing, chance)
    return tuple(listing.counters), tuple(listing.price_e4)


def _funds_and_rights(listing: _Listing, chance: np.random.Generator) -> None:
    size = listing.shape.instruments
    for place in range(size.etfs):
        code = f"{2800 + place:05d}"
        price = int(chance.uniform(8, 60) * 10_000)
        listing.add(code, invented_isin(2800 + place), InstrumentKind.ETF, Market.XHKG, "HKD", price, lot=500)
    for place in range(size.reits):
        code = f"{820 + place:05d}"
        price = int(chance.uniform(2, 40) * 10_000)
        listing.add(code, invented_isin(820 + place), InstrumentKind.REIT, Market.XHKG, "HKD", price, lot=500)
    for place in range(size.rights):
        code = f"{2990 + place:05d}"
        listing.add(code, invented_isin(2990 + place), InstrumentKind.RIGHT, Market.XHKG, "HKD", 4_000, lot=1000)


def _structured(listing: _Listing, chance: np.random.Generator) -> None:
    size = listing.shape.instruments
    for first, count, kind in (
        (15_001, size.warrants, InstrumentKind.WARRANT),
        (55_001, size.cbbcs, InstrumentKind.CBBC),
    ):
        for place in range(count):
            listing.add(
                f"{first + place:05d}",
                invented_isin(first + place),
                kind,
                Market.XHKG,
                "HKD",
                int(chance.uniform(0.05, 0.4) * 10_000),
                lot=10_000,
                underlying=f"{int(chance.integers(1, min(20, size.equities) + 1)):05d}",
                conversion_ratio=100,
            )


def _mainland_and_bonds(listing: _Listing, chance: np.random.Generator) -> None:
    size = listing.shape.instruments
    for place in range(size.mainland):
        shanghai = place % 2 == 0
        number = (600_000 if shanghai else 300_000) + place
        market = Market.XSHG if shanghai else Market.XSHE
        price = int(chance.lognormal(3.2, 0.8) * 10_000) + 20_000
        listing.add(f"{number}", invented_isin(number), InstrumentKind.EQUITY, market, "CNY", price)
    for place in range(size.bonds):
        currency = "HKD" if place % 3 == 0 else "CNY"
        price = int(chance.uniform(97, 104) * 10_000)
        isin = invented_isin(900_000 + place)
        listing.add(f"BOND{place + 1:03d}", isin, InstrumentKind.BOND, Market.CMU, currency, price, lot=500)


def real_counters(
    shape: MarketShape, codes: tuple[str, ...], price_e4: tuple[int, ...]
) -> tuple[tuple[Counter, ...], tuple[int, ...]]:
    """Return counters for real codes at given prices, with the renminbi counters known for some of them.

    Closes that are adjusted for dividends are no prices of the exchange's steps, so a thousandth is the step.
    """
    counters, prices = [], []
    for code, price in zip(codes, price_e4, strict=True):
        common = {"isin": invented_isin(int(code)), "kind": InstrumentKind.EQUITY, "market": Market.XHKG, "lot": 100}
        counters.append(
            Counter(code=code, currency="HKD", tick_e4=10, settlement_counter=True, name=code, **common)  # type: ignore[arg-type]
        )
        prices.append(price)
        if code in REAL_DUAL_COUNTERS:
            yuan = REAL_DUAL_COUNTERS[code]
            counters.append(
                Counter(code=yuan, currency="CNY", tick_e4=10, settlement_counter=False, name=f"{code}-R", **common)  # type: ignore[arg-type]
            )
            prices.append(max(price * 1_000_000 // shape.rates["CNY_e6"], 10))
    return tuple(counters), tuple(prices)


def reference_book(shape: MarketShape, counters: tuple[Counter, ...]) -> ReferenceBook:
    """Return the book of invented participants and the given counters."""
    firms, accounts = participants(shape)
    return ReferenceBook(counters=counters, participants=firms, accounts=accounts)
