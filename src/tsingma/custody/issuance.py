"""The register of what issuers have issued: terms, units outstanding, and the proof that somebody holds every unit.

The register counts issues, taps and redemptions by itself; the ledger counts what accounts hold. Issued = held is the
comparison of the two (design, invariant 2: the issuer's account carries the negative of what is issued).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, Rejected, Rejection, RejectionReason, refuse
from tsingma.custody.accrual import coupon_days, period_of
from tsingma.custody.limits import DAY_FIRST, DAY_LAST, UNITS_MAX, VALUE_MAX_CENTS
from tsingma.ledger.ledger import Ledger
from tsingma.pricing.schedule import DayCount, Roll
from tsingma.reference.calendars import calendar
from tsingma.reference.terms import DEBT, Product, SecurityTerms

FACE_MAX_CENTS = 10**9
COUPON_MAX_E9 = 1_000_000_000
_COUNTS = (DayCount.ACT_365F, DayCount.ACT_360, DayCount.THIRTY_360, DayCount.ACT_ACT_ICMA)


class Issue(msgspec.Struct, frozen=True):
    """A registered security: its terms, units outstanding, and how far its schedule has been worked off."""

    terms: SecurityTerms
    issued: int
    next_period: int = 0
    redeemed: bool = False


class Register:
    """Issues by asset number of the reference book."""

    def __init__(self) -> None:
        """Start empty."""
        self.issues: dict[int, Issue] = {}

    def of(self, asset: int, isin: str = "") -> Issue:
        """Return an issue; raises Rejected (unknown) when the security is not registered."""
        issue = self.issues.get(asset)
        if issue is None:
            raise refuse(
                RejectionReason.UNKNOWN,
                "the security is not registered",
                field="isin",
                subject=isin,
                remedy="register its terms first",
            )
        return issue

    def enter(self, asset: int, terms: SecurityTerms, issued: int, day: int) -> None:
        """Register a security with what is outstanding already, as of a day; raises Rejected (duplicate, ...).

        Coupon periods that ended on the day or before are taken as paid.
        """
        if asset in self.issues:
            raise refuse(RejectionReason.DUPLICATE, "the security is registered already", subject=terms.isin)
        require_terms(terms)
        if terms.maturity_day and terms.maturity_day <= day:
            raise refuse(
                RejectionReason.NOT_ALLOWED, f"it matured on {to_date(terms.maturity_day)}", subject=terms.isin
            )
        if _too_much(terms, issued):
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{issued} units are held", subject=terms.isin)
        if terms.product is Product.GOLD and issued:
            raise refuse(RejectionReason.NOT_ALLOWED, "gold comes in bar by bar", subject=terms.isin)
        ended = 0
        if terms.product in DEBT:
            ended = sum(end <= day for end in coupon_days(terms.issue_day, terms.maturity_day, terms.months)[1:])
            period_of(terms, ended)  # refuses now what could not be dated later
        self.issues[asset] = Issue(terms, issued, next_period=ended)

    def require_room(self, asset: int, units: int) -> Issue:
        """Return the issue when so many units can be added; raises Rejected (out-of-range, not-allowed, unknown)."""
        issue = self.of(asset)
        if issue.redeemed:
            raise refuse(RejectionReason.NOT_ALLOWED, "it is redeemed", subject=issue.terms.isin)
        if units <= 0 or _too_much(issue.terms, issue.issued + units):
            raise refuse(
                RejectionReason.OUT_OF_RANGE, f"{units} units to issue", field="units", subject=issue.terms.isin
            )
        return issue

    def add(self, asset: int, units: int) -> None:
        """Count units as issued (plus) or taken back (minus); raises InvariantBroken below zero."""
        issue = self.of(asset)
        if issue.issued + units < 0:
            raise InvariantBroken(f"{issue.terms.isin}: {-units} units taken back of {issue.issued} issued")
        self.issues[asset] = msgspec.structs.replace(issue, issued=issue.issued + units)

    def change(self, asset: int, **changes: object) -> None:
        """Replace fields of an issue."""
        self.issues[asset] = msgspec.structs.replace(self.of(asset), **changes)

    def check(self, ledger: Ledger, issuer: int, assets: Iterable[int] | None = None) -> None:
        """Prove issued = held: raises InvariantBroken unless the issuer's account carries minus what is issued."""
        for asset in sorted(self.issues if assets is None else assets):
            row = ledger.find(issuer, asset)
            balance = 0 if row < 0 else int(ledger.balance[row])
            if balance != -self.issues[asset].issued:
                name = self.issues[asset].terms.isin
                raise InvariantBroken(f"{name}: {self.issues[asset].issued} units issued, {-balance} held")

    def dump(self) -> dict[str, bytes]:
        """Return the register as one named byte string, nothing when it is empty."""
        return {"issues": msgspec.msgpack.encode(sorted(self.issues.items()))} if self.issues else {}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump; a missing one is an empty register."""
        self.issues = dict(msgspec.msgpack.decode(parts["issues"], type=list[tuple[int, Issue]])) if parts else {}


def require_terms(terms: SecurityTerms) -> None:
    """Raise Rejected with every fault of the terms: names, ranges, and what does not go together."""
    faults: list[Rejection] = []

    def fault(field: str, message: str, reason: RejectionReason = RejectionReason.OUT_OF_RANGE) -> None:
        faults.append(Rejection(reason=reason, field=field, message=message, subject=terms.isin))

    for field in ("issue_day", "maturity_day"):
        if not DAY_FIRST <= getattr(terms, field) <= DAY_LAST:
            fault(field, f"day {getattr(terms, field)} is not from 1900 to 2200")
    if faults:
        raise Rejected(*faults)
    if terms.currency not in CURRENCIES:
        fault("currency", f"'{terms.currency}' is not kept", RejectionReason.UNKNOWN)
    if terms.product is Product.GREEN and not terms.purpose:
        fault("purpose", "a green security says what its proceeds are used for", RejectionReason.MISSING)
    if terms.product in DEBT:
        for field, message in _debt_faults(terms):
            fault(field, message)
    elif terms.coupon_e9 or terms.months or terms.maturity_day or terms.repaid_cents or terms.face_cents:
        fault("product", f"a {terms.product} has no face, no coupons and no maturity", RejectionReason.CONFLICT)
    if faults:
        raise Rejected(*faults)


def _too_much(terms: SecurityTerms, units: int) -> bool:
    return units > UNITS_MAX or units * terms.face_cents > VALUE_MAX_CENTS


def _debt_faults(terms: SecurityTerms) -> list[tuple[str, str]]:
    faults = []
    calendar(terms.calendar)  # refuses a name that is none
    if not 0 < terms.face_cents <= FACE_MAX_CENTS:
        faults.append(("face_cents", f"{terms.face_cents} is not 1 to {FACE_MAX_CENTS}"))
    if not 0 <= terms.coupon_e9 < COUPON_MAX_E9:
        faults.append(("coupon_e9", f"{terms.coupon_e9} is not from 0 to below {COUPON_MAX_E9}"))
    if terms.maturity_day <= terms.issue_day:
        faults.append(("maturity_day", "it is not after the issue day"))
    if terms.months < 0 or (terms.months and 12 % terms.months):
        faults.append(("months", f"{terms.months} is no part of a year"))
    if terms.day_count not in tuple(_COUNTS):
        faults.append(("day_count", f"'{terms.day_count}' is none of {', '.join(_COUNTS)}"))
    elif terms.day_count == DayCount.ACT_ACT_ICMA and (terms.adjusted or not terms.months):
        faults.append(("day_count", "ACT/ACT ICMA counts regular coupon periods: unadjusted, and months above 0"))
    if terms.roll not in tuple(Roll):
        faults.append(("roll", f"'{terms.roll}' is none of {', '.join(Roll)}"))
    if not 1 <= terms.record_days <= 30:
        faults.append(("record_days", f"{terms.record_days} is not 1 to 30"))
    if faults:
        return faults
    periods = len(coupon_days(terms.issue_day, terms.maturity_day, terms.months)) - 1
    if terms.repaid_cents and (
        len(terms.repaid_cents) >= periods or min(terms.repaid_cents) < 0 or sum(terms.repaid_cents) >= terms.face_cents
    ):
        faults.append(("repaid_cents", f"at most {periods - 1} parts, none negative, less than the face in all"))
    return faults
