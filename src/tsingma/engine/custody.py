"""Commands on custody: the register, depositories, issue, what falls due; and what a day's open and close do to it."""

from __future__ import annotations

from collections.abc import Sequence

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.custody.dues import (
    CALL,
    DISTRIBUTION,
    MATURITY,
    OWED,
    PAID,
    RECORDED,
    Due,
    Lent,
    manufactured_legs,
    money_legs,
    redemption_legs,
)
from tsingma.custody.holdings import Depository
from tsingma.custody.issuance import Issue
from tsingma.custody.legs import Leg, book
from tsingma.custody.limits import (
    AMOUNT_MAX_E9,
    PRICE_MAX_E4,
    UNITS_MAX,
    require_between,
    require_days,
    require_items,
    require_text,
)
from tsingma.custody.repo import OPEN, redeemed
from tsingma.engine.custody_values import values
from tsingma.engine.house import Handlers, House
from tsingma.engine.pending import late_deliveries, late_positions
from tsingma.journal.custody_commands import (
    AnnounceDistribution,
    CallBonds,
    CancelUnits,
    IssueUnits,
    OpenDepository,
    PayDue,
    PlaceHolding,
    RecordNonPayment,
    RegisterSecurity,
    ReportNominee,
)
from tsingma.journal.custody_events import (
    DepositoryOpened,
    DueAnnounced,
    DuePaid,
    HoldingPlaced,
    NomineeReported,
    NonPaymentRecorded,
    SecurityRegistered,
    UnitsIssued,
)
from tsingma.reference.book import ACCOUNT_CLASSES, AccountClass
from tsingma.reference.terms import DEBT, Product

_INNER = (ACCOUNT_CLASSES.index(AccountClass.CNS), ACCOUNT_CLASSES.index(AccountClass.ISSUANCE))

CHECKED = (
    "issued = held, per security: the register, the issuer's account and the statements of holdings agree",
    "every nominee holds what its depository shares out",
    "what fell due on securities is paid, or its non-payment is on record",
)


def asset_of(house: House, isin: str) -> int:
    """Return the asset number of a security; raises Rejected (unknown)."""
    securities = house.resolved.securities
    if isin not in securities:
        raise refuse(RejectionReason.UNKNOWN, f"'{isin}' is no security of the book", field="isin", subject=isin)
    return house.resolved.asset_of_security(securities.index(isin))


def issue_of(house: House, isin: str) -> tuple[int, Issue]:
    """Return the asset number and the registered issue of a security; raises Rejected (unknown)."""
    asset = asset_of(house, isin)
    return asset, house.custody.register.of(asset, isin)


def require_account(house: House, account: int, field: str = "account") -> None:
    """Refuse a number that is no account of a participant."""
    book_ = house.resolved
    if not 0 <= account < book_.account_participant.size or int(book_.account_class[account]) in _INNER:
        raise refuse(RejectionReason.UNKNOWN, f"number {account} is no account of a participant", field=field)


def require_open(house: House) -> int:
    """Return the open day; raises Rejected (not-allowed) between days."""
    if not house.position.is_open:
        raise refuse(RejectionReason.NOT_ALLOWED, "no day is open", remedy="open the day first")
    return house.position.day


def post(house: House, legs: Sequence[Leg], subject: str = "") -> None:
    """Book legs of custody at one instant, or refuse and book none."""
    book(house.ledger, legs, issuer=house.internal.issuer, subject=subject)


def register_security(house: House, command: RegisterSecurity) -> SecurityRegistered:
    """Enter a security in the register; what the ledger knows as issued is its opening balance."""
    terms = command.terms
    asset = asset_of(house, terms.isin)
    require_account(house, terms.payer, "terms.payer")
    row = house.ledger.find(house.internal.issuer, asset)
    issued = 0 if row < 0 else -int(house.ledger.balance[row])
    house.custody.register.enter(asset, terms, issued, house.position.day)
    return SecurityRegistered(terms.isin, issued)


def open_depository(house: House, command: OpenDepository) -> DepositoryOpened:
    """Add a depository to the chain of nominees."""
    holdings = house.custody.holdings
    holdings.open(Depository(command.code, command.name, command.upper))
    return DepositoryOpened(command.code, tuple(holdings.chain(command.code)))


def place_holding(house: House, command: PlaceHolding) -> HoldingPlaced:
    """Say at which depository an account keeps a security."""
    require_account(house, command.account)
    asset, _ = issue_of(house, command.isin)
    house.custody.holdings.place(house.custody.register, command.account, asset, command.depository)
    return HoldingPlaced(command.account, command.isin, command.depository)


def report_nominee(house: House, command: ReportNominee) -> NomineeReported:
    """Take in the statement of the depository above; the close of the day compares."""
    asset, _ = issue_of(house, command.isin)
    custody = house.custody
    custody.holdings.report(custody.register, command.depository, asset, command.units)
    found = [
        one.held - one.reported
        for one in custody.holdings.differences(custody.register, house.ledger)
        if (one.depository, one.asset) == (command.depository, asset)
    ]
    return NomineeReported(command.depository, command.isin, command.units, found[0] if found else 0)


def issue_units(house: House, command: IssueUnits) -> UnitsIssued:
    """Issue units free of payment; the whole command or nothing."""
    require_open(house)
    asset, issue = issue_of(house, command.isin)
    _not_gold(issue)
    if not command.accounts or len(command.accounts) != len(command.units):
        raise refuse(RejectionReason.MALFORMED, "accounts and units differ in length, or are none", field="units")
    require_items("accounts", len(command.accounts))
    for account in command.accounts:
        require_account(house, account, "accounts")
    if min(command.units) <= 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{min(command.units)} units to issue", field="units")
    total = sum(command.units)
    house.custody.register.require_room(asset, total)
    legs = [
        Leg(house.internal.issuer, account, asset, units)
        for account, units in zip(command.accounts, command.units, strict=True)
    ]
    post(house, legs, command.isin)
    house.custody.register.add(asset, total)
    return UnitsIssued(command.isin, total, house.custody.register.of(asset).issued)


def cancel_units(house: House, command: CancelUnits) -> UnitsIssued:
    """Take units back free of payment; refused when the account does not have them free."""
    require_open(house)
    require_account(house, command.account)
    asset, issue = issue_of(house, command.isin)
    _not_gold(issue)
    require_between("units", command.units, 1, UNITS_MAX)
    post(house, [Leg(command.account, house.internal.issuer, asset, command.units)], command.isin)
    house.custody.register.add(asset, -command.units)
    return UnitsIssued(command.isin, -command.units, house.custody.register.of(asset).issued)


def announce_distribution(house: House, command: AnnounceDistribution) -> DueAnnounced:
    """Announce money on each unit; not for debt, whose schedule says what it pays."""
    day = require_open(house)
    asset, issue = issue_of(house, command.isin)
    if issue.terms.product in DEBT:
        raise refuse(RejectionReason.NOT_ALLOWED, "debt pays by its schedule", subject=command.isin)
    require_days(record_day=command.record_day, payment_day=command.payment_day)
    require_between("amount_e9", command.amount_e9, 1, AMOUNT_MAX_E9)
    if command.record_day < day:
        raise refuse(RejectionReason.OUT_OF_RANGE, "the record day is over", field="record_day")
    return _announce(house, command.isin, Due(
        kind=DISTRIBUTION, asset=asset, record_day=command.record_day, payment_day=command.payment_day,
        amount_e9=command.amount_e9,
    ))  # fmt: skip


def call_bonds(house: House, command: CallBonds) -> DueAnnounced:
    """Announce an early redemption in part; refused when fewer units are outstanding."""
    day = require_open(house)
    asset, issue = issue_of(house, command.isin)
    if issue.terms.product not in DEBT or not 0 < command.units <= issue.issued:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"{command.units} of {issue.issued} units",
            field="units",
            subject=command.isin,
        )
    require_days(record_day=command.record_day, payment_day=command.payment_day)
    require_between("price_e4", command.price_e4, 1, PRICE_MAX_E4)
    if command.record_day < day or command.payment_day >= issue.terms.maturity_day:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            "a record day not over, and payment before maturity",
            field="payment_day",
            subject=command.isin,
        )
    face = issue.terms.face_cents - sum(issue.terms.repaid_cents[: issue.next_period])
    return _announce(house, command.isin, Due(
        kind=CALL, asset=asset, record_day=command.record_day, payment_day=command.payment_day, face_cents=face,
        units=command.units, price_e4=command.price_e4,
    ))  # fmt: skip


def pay_due(house: House, command: PayDue) -> DuePaid:
    """Pay a due on its day or later, every holder or none; refused when the payer or a holder lacks what it gives.

    What is passed on follows payment by payment; what one cannot pass on stays owed, and the same command tries it
    again.
    """
    day = require_open(house)
    custody = house.custody
    due = custody.dues[command.due]
    issue = custody.register.of(due.asset)
    if due.status not in (RECORDED, OWED) or due.payment_day > day:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"it is {due.status}, to be paid on {to_date(due.payment_day)}",
            field="due",
            subject=_name(house, command.due),
        )
    figures = _pay_holders(house, command.due, day) if due.status == RECORDED else {}
    passed = custody.dues[command.due].passing
    left = [leg for leg in passed if not _paid(house, leg)]
    custody.dues.change(command.due, status=OWED if left else PAID, passing=tuple(left))
    figures["passed_on_cents"] = sum(leg.amount for leg in passed) - sum(leg.amount for leg in left)
    figures["owed_cents"] = sum(leg.amount for leg in left)
    return DuePaid(command.due, due.kind, issue.terms.isin, figures)


def _pay_holders(house: House, number: int, day: int) -> dict[str, int]:
    """Pay holders on record, take units back, and repay repos whose collateral is redeemed; all or nothing."""
    custody, issuer = house.custody, house.internal.issuer
    due = custody.dues[number]
    issue = custody.register.of(due.asset)
    money, back = money_legs(due, issue), redemption_legs(due, issue, house.ledger, issuer)
    post(house, [*money, *back], _name(house, number))
    taken = sum(leg.amount for leg in back if leg.asset == due.asset)
    cents = sum(leg.amount for leg in (*money, *back) if leg.asset != due.asset)
    custody.register.add(due.asset, -taken)
    passing = manufactured_legs(due, issue)
    if due.kind == MATURITY:
        custody.register.change(due.asset, redeemed=True)
        for place, repo in enumerate(custody.repos.rows):
            if repo.status == OPEN and due.asset in dict(repo.collateral):
                after, over = redeemed(repo, due.asset, due.face_cents, day)
                custody.repos.rows[place] = after
                passing.append(Leg(repo.buyer, repo.seller, repo.currency, over))
    custody.dues.change(number, paid_cents=cents, passing=tuple(passing))
    return {"holders": len(due.holders), "units_redeemed": taken, "paid_cents": cents}


def _paid(house: House, leg: Leg) -> bool:
    try:
        post(house, [leg])
    except Rejected:
        return False
    return True


def _name(house: House, number: int) -> str:
    due = house.custody.dues[number]
    return f"{due.kind} {number} of {house.custody.register.of(due.asset).terms.isin}"


def record_non_payment(house: House, command: RecordNonPayment) -> NonPaymentRecorded:
    """Write down that a due was not paid on its day; the day may close, and the due may still be paid."""
    day = require_open(house)
    custody = house.custody
    due = custody.dues[command.due]
    require_text(reason=command.reason)
    if due.status not in (RECORDED, OWED) or due.payment_day > day or due.excused:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"it is {due.status}, to be paid on {to_date(due.payment_day)}",
            field="due",
            remedy="record once what was due and not paid, with its reason",
        )
    issue = custody.register.of(due.asset)
    legs = list(due.passing)
    if due.status == RECORDED:
        legs = [*money_legs(due, issue), *redemption_legs(due, issue, house.ledger, house.internal.issuer)]
    custody.dues.change(command.due, excused=True)
    return NonPaymentRecorded(command.due, issue.terms.isin, sum(leg.amount for leg in legs if leg.asset != due.asset))


def open_custody(house: House, day: int) -> None:
    """Record who held at the close of record days since the last open day: nothing has moved in between."""
    _take_records(house, day - 1)


def require_custody_done(house: House) -> None:
    """Refuse to close the day while custody has something left to do."""
    left = house.custody.unfinished(house.ledger, house.position.day) if house.custody.in_use else []
    if left:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            "; ".join(left[:10]),
            field="custody",
            remedy="pay what is due or record its non-payment, reconcile nominees, finish what is open",
        )


def close_custody(house: House) -> tuple[dict[str, int], tuple[str, ...]]:
    """Prove issued = held and record who holds at the close; returns figures and what was checked, none when unused."""
    custody = house.custody
    if not custody.in_use:
        return {}, ()
    custody.check(house.ledger, house.internal.issuer)
    figures = {
        "securities_registered": len(custody.register.issues),
        "units_issued": sum(issue.issued for issue in custody.register.issues.values()),
    }
    for number, cents in custody.repos.deficits(values(house), house.position.day):
        name = f"repo_margin_deficit_{CURRENCIES[custody.repos[number].currency]}_cents"
        figures[name] = figures.get(name, 0) + cents
    figures["dues_recorded"] = _take_records(house, house.position.day)
    return figures, CHECKED


def _not_gold(issue: Issue) -> None:
    if issue.terms.product is Product.GOLD:
        raise refuse(RejectionReason.NOT_ALLOWED, "gold moves with its bars", subject=issue.terms.isin)


def _take_records(house: House, day: int) -> int:
    custody = house.custody
    if not custody.in_use:
        return 0

    def passed_on(asset: int, record_day: int) -> Lent:
        security = asset - len(CURRENCIES)
        late = (*late_deliveries(house, security, record_day), *late_positions(house, security))
        return (*custody.repos.lent(asset), *late)

    return custody.dues.take_records(custody.register, house.ledger, house.internal.issuer, day, passed_on)


def _announce(house: House, isin: str, due: Due) -> DueAnnounced:
    number = house.custody.dues.announce(due)
    return DueAnnounced(number, due.kind, isin, due.record_day, due.payment_day)


HANDLERS: Handlers = {
    RegisterSecurity: register_security,
    OpenDepository: open_depository,
    PlaceHolding: place_holding,
    ReportNominee: report_nominee,
    IssueUnits: issue_units,
    CancelUnits: cancel_units,
    AnnounceDistribution: announce_distribution,
    CallBonds: call_bonds,
    PayDue: pay_due,
    RecordNonPayment: record_non_payment,
}
