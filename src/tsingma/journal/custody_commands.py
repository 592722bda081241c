"""Commands on custody: registering securities, depositories, issue, what falls due."""

from __future__ import annotations

import msgspec

from tsingma.reference.terms import SecurityTerms


class RegisterSecurity(msgspec.Struct, frozen=True, tag="register-security", forbid_unknown_fields=True):
    """Enter a security of the reference book, with its terms, in the register.

    What accounts hold of it already counts as issued; from now on it comes into the house by issue alone.
    """

    terms: SecurityTerms


class OpenDepository(msgspec.Struct, frozen=True, tag="open-depository", forbid_unknown_fields=True):
    """Add a depository; ``upper`` is the one at which its nominee holds ("" for a home of registers)."""

    code: str
    name: str
    upper: str = ""


class PlaceHolding(msgspec.Struct, frozen=True, tag="place-holding", forbid_unknown_fields=True):
    """Keep what an account (index) holds of a security at a depository."""

    account: int
    isin: str
    depository: str


class ReportNominee(msgspec.Struct, frozen=True, tag="report-nominee", forbid_unknown_fields=True):
    """Take in what the depository above says the nominee of ``depository`` holds there."""

    depository: str
    isin: str
    units: int


class IssueUnits(msgspec.Struct, frozen=True, tag="issue-units", forbid_unknown_fields=True):
    """Issue units to accounts free of payment; account indices and units side by side."""

    isin: str
    accounts: tuple[int, ...]
    units: tuple[int, ...]


class CancelUnits(msgspec.Struct, frozen=True, tag="cancel-units", forbid_unknown_fields=True):
    """Take units of an account back and cancel them, free of payment."""

    isin: str
    account: int
    units: int


class AnnounceDistribution(msgspec.Struct, frozen=True, tag="announce-distribution", forbid_unknown_fields=True):
    """Announce money on each unit of a fund or ETF: ``amount_e9`` of a currency unit x 10**9, to holders on record."""

    isin: str
    amount_e9: int
    record_day: int
    payment_day: int


class CallBonds(msgspec.Struct, frozen=True, tag="call-bonds", forbid_unknown_fields=True):
    """Announce the early redemption of units, pro rata to holders on record, at ``price_e4`` per 100 of face."""

    isin: str
    units: int
    price_e4: int
    record_day: int
    payment_day: int


class PayDue(msgspec.Struct, frozen=True, tag="pay-due", forbid_unknown_fields=True):
    """Pay a recorded due out of the payer's account: every holder or none."""

    due: int


class RecordNonPayment(msgspec.Struct, frozen=True, tag="record-non-payment", forbid_unknown_fields=True):
    """Write down that the payer failed on a due; it may still be paid later."""

    due: int
    reason: str


CustodyCommand = (
    RegisterSecurity
    | OpenDepository
    | PlaceHolding
    | ReportNominee
    | IssueUnits
    | CancelUnits
    | AnnounceDistribution
    | CallBonds
    | PayDue
    | RecordNonPayment
)
