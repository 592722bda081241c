"""A renminbi day for the demo: both ways over a link, a token trade, a coupon, a substitution of collateral.

Three small houses beside the week's: the link's, run from its rule file; one that keeps renminbi bonds and a pool of
collateral; and the book and token ledger of the government's issue. Every journal stays in the folder, to be verified.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tsingma.app.link_figures import DirectionFigures
from tsingma.app.link_rules import find_rules
from tsingma.app.link_run import run_link
from tsingma.app.session import Session
from tsingma.app.token_issue import TokenIssue
from tsingma.app.token_ledgers import open_ledgers
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.custody.tokens.issues import issue_named
from tsingma.engine.pooling import valuation
from tsingma.engine.proof import prove
from tsingma.journal.commands import (
    CloseDay,
    Command,
    DepositAssets,
    LoadReference,
    OpenDay,
    RunStep,
    SetClosingPrices,
)
from tsingma.journal.custody_commands import IssueUnits, OpenDepository, PayDue, RegisterSecurity
from tsingma.journal.pool_commands import (
    ArrangePool,
    DeliverSubstitute,
    ListCollateral,
    PledgeCollateral,
    ProposeSubstitution,
    ReleaseSubstituted,
    SetPoolCalls,
)
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
from tsingma.reports.renminbi_figures import Coupon, Exchange, Flow, RenminbiFigures
from tsingma.settlement.timetable import timetable
from tsingma.simulate.universe import invented_isin

LINK, ISSUE = "stock-connect-shanghai", "HKSAR-2025"
ISSUED, BEFORE, COUPON_DAY = date(2025, 7, 7), date(2026, 1, 6), date(2026, 1, 7)
HELD, BROUGHT_IN = invented_isin(910_001), invented_isin(910_002)
NAMES = {HELD: "the bond of 2028", BROUGHT_IN: "the bond of 2030"}
FX_E6 = (1_000_000, 1_080_000, 7_800_000, 8_500_000)
UNITS, FACE_CENTS, COUPON_E9, CALL_CENTS = 100_000, 10_000, 19_000_000, 10_000_000_00
CNY = CURRENCIES.index("CNY")
TAKER = "SHCH"
ORDERS = 200  # of each product and direction


def run_renminbi_day(folder: Path, seed: int) -> RenminbiFigures:
    """Run the day in fresh houses under ``folder`` and return its figures; raises Rejected when a house is there."""
    with Session.open(folder / "link") as session:
        link = run_link(find_rules(LINK), seed=seed, orders=ORDERS, session=session)
    with Session.open(folder / "bonds") as session:
        coupon, exchange = _bonds(session)
        bonds = prove(session.store)
    with open_ledgers(folder / "tokens", fresh=True) as ledgers:
        issue = TokenIssue(ledgers, issue_named(ISSUE)).run("trades")
    return RenminbiFigures(
        link=link.title,
        day=link.day,
        flows=tuple(_flow(one) for one in link.directions),
        lodged_hkd_cents=link.lodged_at_close_cents,
        coupon=coupon,
        exchange=exchange,
        token_lines=tuple(f"{line.day} {line.what}" for line in issue.lines if "same day" in line.what),
        token_days_compared=issue.days_reconciled,
        token_breaks=issue.breaks,
        proved=link.records + bonds.records + issue.book_records + issue.token_records,
        faults=(*(str(fault) for fault in link.faults), *(str(fault) for fault in bonds.faults)),
    )


def _flow(found: DirectionFigures) -> Flow:
    return Flow(
        direction=found.direction,
        currency=found.currency,
        orders=found.orders,
        trades=found.trades,
        bought_cents=found.bought_cents,
        sold_cents=found.sold_cents,
        net_buy_cents=found.net_buy_cents,
        quota_left_cents=min(found.quota_left_cents.values()),
        charges_cents=found.charges_cents,
        converted_cents=found.converted_cents,
    )


def _book() -> ReferenceBook:
    kinds = {
        "HKSCC": ParticipantKind.HOUSE, "CHINACLEAR": ParticipantKind.LINK, "ISSUER": ParticipantKind.ISSUER,
        "BANK": ParticipantKind.SETTLEMENT_BANK, "MOF": ParticipantKind.ISSUER,
        "FIRM": ParticipantKind.DIRECT_CLEARING, "FUND": ParticipantKind.CUSTODIAN,
    }  # fmt: skip
    own = (("HKSCC", "CNS"), ("HKSCC", "HOUSE"), ("ISSUER", "ISSUANCE"), ("BANK", "ISSUANCE"))
    return ReferenceBook(
        counters=tuple(
            Counter(
                code=code, isin=isin, currency="CNY", kind=InstrumentKind.BOND, market=Market.CMU, lot=1, tick_e4=1,
                settlement_counter=True, name=NAMES[isin],
            )
            for code, isin in (("CGB28", HELD), ("CGB30", BROUGHT_IN))
        ),
        participants=tuple(Participant(code=code, name=code, kind=kind) for code, kind in kinds.items()),
        accounts=tuple(
            Account(participant=code, account_class=AccountClass(of))
            for code, of in (*own, ("MOF", "HOUSE"), ("FIRM", "HOUSE"), ("FUND", "HOUSE"))
        ),
    )  # fmt: skip


class _Desk:
    """A house whose commands are named by day and place."""

    def __init__(self, session: Session) -> None:
        self.session, self.day, self.told = session, ISSUED, 0

    def tell(self, *commands: Command) -> None:
        for command in commands:
            self.told += 1
            self.session.once(f"{self.day}/{self.told}", lambda command=command: command)  # type: ignore[misc]

    def end_day(self) -> None:
        markets = self.session.house.resolved.markets
        self.tell(*(RunStep(step.name) for step in timetable(markets)), CloseDay())

    def open_day(self, day: date) -> None:
        self.day = day
        self.tell(OpenDay(to_day(day)), SetClosingPrices(pack([0, 1], "i4"), pack([1_010_000, 1_025_000], "i8"), FX_E6))

    def balance(self, account: int, asset: int) -> int:
        row = self.session.house.ledger.find(account, asset)
        return int(self.session.house.ledger.balance[row]) if row >= 0 else 0


def _bonds(session: Session) -> tuple[Coupon, Exchange]:
    """Issue two bonds, pledge one for a call, pay its coupon while it is pledged, and exchange it for the other."""
    desk = _Desk(session)
    desk.tell(LoadReference(_book()))
    book = session.house.resolved
    accounts = {code: book.account_index[code, AccountClass.HOUSE] for code in ("MOF", "FIRM", "FUND")}
    assets = {isin: book.asset_of_security(book.securities.index(isin)) for isin in (HELD, BROUGHT_IN)}
    desk.open_day(ISSUED)
    desk.tell(
        DepositAssets(pack([accounts["MOF"]], "i4"), pack([CNY], "i4"), pack([10**10], "i8")),
        OpenDepository("CMU", "Central Moneymarkets Unit"),
        *(RegisterSecurity(_terms(isin, accounts["MOF"], years)) for isin, years in ((HELD, 3), (BROUGHT_IN, 5))),
        IssueUnits(HELD, (accounts["FIRM"], accounts["FUND"]), (UNITS, UNITS)),
        IssueUnits(BROUGHT_IN, (accounts["FIRM"],), (UNITS,)),
        ListCollateral(tuple((asset, "cgb", "CMU") for asset in assets.values())),
        PledgeCollateral(accounts["FIRM"], assets[HELD], UNITS),
        ArrangePool("pledged whole", accounts["FIRM"], ((TAKER, assets[HELD], UNITS),)),
        SetPoolCalls("swaps cleared through the link", TAKER, pack([accounts["FIRM"]], "i4"), pack([CALL_CENTS], "i8")),
    )
    desk.end_day()
    desk.open_day(BEFORE)
    desk.end_day()
    desk.open_day(COUPON_DAY)
    coupon = _pay_coupon(desk, accounts, assets)
    exchange = _exchange(desk, accounts["FIRM"], assets)
    desk.end_day()
    return coupon, exchange


def _terms(isin: str, payer: int, years: int) -> SecurityTerms:
    return SecurityTerms(
        isin=isin,
        product=Product.SOVEREIGN,
        payer=payer,
        currency="CNY",
        face_cents=FACE_CENTS,
        issue_day=to_day(ISSUED),
        maturity_day=to_day(ISSUED.replace(year=ISSUED.year + years)),
        coupon_e9=COUPON_E9,
        months=6,
    )


def _pay_coupon(desk: _Desk, accounts: dict[str, int], assets: dict[str, int]) -> Coupon:
    holders = ("FIRM", "FUND")
    dues = desk.session.house.custody.dues
    due = {dues[number].asset: number for number in dues.overdue(to_day(COUPON_DAY))}
    before = {code: desk.balance(accounts[code], CNY) for code in holders}
    desk.tell(PayDue(due.pop(assets[HELD])))
    paid = {code: desk.balance(accounts[code], CNY) - before[code] for code in holders}
    desk.tell(*(PayDue(number) for number in due.values()))
    pledged = desk.session.house.pool.pledged[accounts["FIRM"], assets[HELD]]
    return Coupon(name=NAMES[HELD], day=str(COUPON_DAY), paid_cents=paid, pledged_units=pledged)


def _exchange(desk: _Desk, firm: int, assets: dict[str, int]) -> Exchange:
    """Bring the other bond in, then take the first one back; the call is covered at every step."""
    house = desk.session.house

    def covered() -> int:
        return house.pool.covered(firm, TAKER, valuation(house))

    steps = [covered()]
    desk.tell(ProposeSubstitution(firm, TAKER, assets[HELD], UNITS, assets[BROUGHT_IN], UNITS, to_day(COUPON_DAY)))
    (number,) = house.pool.substitutions
    desk.tell(DeliverSubstitute(number))
    steps.append(covered())
    desk.tell(ReleaseSubstituted(number))
    steps.append(covered())
    return Exchange(
        taker=TAKER, called_cents=CALL_CENTS, covered_cents=(steps[0], steps[1], steps[2]),
        gone=NAMES[HELD], come=NAMES[BROUGHT_IN],
    )  # fmt: skip
