"""secl.005, the margin report: what a member was called for last, account by account, and what it has pledged for it.

Figures are those of the margin call that stands in the books (HKD): requirement, money pledged, and what is missing.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.messages.iso20022 import clearing
from tsingma.messages.iso20022.leaves import (
    Leaves,
    amount,
    document,
    moment_text,
    read_moment,
    repeated,
    tag,
    text,
    under,
)
from tsingma.messages.iso20022.parties import read_amount

MESSAGE, BODY = "secl.005.001.02", "MrgnRpt"
CURRENCY = "HKD"


class AccountMargin(msgspec.Struct, frozen=True):
    """What one account is called for and has pledged, HKD cents."""

    account: str
    required_cents: int
    pledged_cents: int


class MarginReport(msgspec.Struct, frozen=True):
    """The margin of a member; there is no report without an account that was called."""

    identifier: str
    calculated: datetime
    member: str
    accounts: tuple[AccountMargin, ...]


def margin_of(house: House, member: str, identifier: str, moment: datetime) -> MarginReport | None:
    """Return what a member was called for by the last call; None when it was not."""
    book, margin = house.resolved, house.margin
    index = book.participant_index[member]
    rows = zip(margin.account.tolist(), margin.requirement_cents.tolist(), margin.pledged_cents.tolist(), strict=True)
    found = tuple(
        AccountMargin(book.account_name(account), required, pledged)
        for account, required, pledged in rows
        if book.account_participant[account] == index
    )
    return MarginReport(identifier, moment, member, found) if found else None


def write_margin(report: MarginReport) -> str:
    """Return a secl.005 Document of one page, the sum of its accounts first."""
    required = sum(one.required_cents for one in report.accounts)
    pledged = sum(one.pledged_cents for one in report.accounts)
    when = moment_text(report.calculated)
    return document(
        MESSAGE, BODY,
        tag("RptParams", text("RptId", report.identifier), tag("RptDtAndTm", text("DtTm", when)),
            text("RptCcy", CURRENCY), text("ClctnDtAndTm", when), text("Frqcy", "ONDE")),
        clearing.ONE_PAGE, clearing.member(report.member),
        tag("RptSummry", *_figures(required, pledged)),
        *(
            tag("RptDtls", clearing.account("MrgnAcct", one.account),
                tag("MrgnClctn", *_figures(one.required_cents, one.pledged_cents)))
            for one in report.accounts
        ),
    )  # fmt: skip


def read_margin(leaves: Leaves) -> MarginReport:
    """Return a report; raises Rejected: several pages, another currency, accounts that do not add up to the sum."""
    clearing.require_whole(leaves)
    accounts = []
    for start in repeated(leaves, "RptDtls"):
        inner = under(leaves, start)
        accounts.append(AccountMargin(inner["MrgnAcct/Id"], *_read(inner, "MrgnClctn", start)))
    total = _read(leaves, "RptSummry", "RptSummry") if "RptSummry/TtlMrgnAmt/Amt" in leaves else None
    sums = sum(one.required_cents for one in accounts), sum(one.pledged_cents for one in accounts)
    if total is not None and total != sums:
        raise refuse(RejectionReason.CONFLICT, "the accounts do not add up to it", field="RptSummry")
    return MarginReport(
        leaves["RptParams/RptId"], read_moment(leaves["RptParams/ClctnDtAndTm"], "RptParams/ClctnDtAndTm"),
        clearing.read_member(leaves), tuple(accounts),
    )  # fmt: skip


def collateral(name: str, cents: int, currency: str) -> str:
    """Return money that lies as collateral: without haircut it counts for what it is."""
    return tag(name, amount("PstHrcutVal", cents, currency), amount("MktVal", cents, currency), text("CollTp", "CASH"))


def _figures(required: int, pledged: int) -> list[str]:
    missing = required - pledged
    left = amount("DfcitAmt", missing, CURRENCY) if missing > 0 else amount("XcssAmt", -missing, CURRENCY)
    return [clearing.signed_amount("TtlMrgnAmt", required, CURRENCY), collateral("CollOnDpst", pledged, CURRENCY),
            tag("MrgnRslt", left)]  # fmt: skip


def _read(leaves: Leaves, path: str, where: str) -> tuple[int, int]:
    """Return (required, pledged) of a calculation whose result follows from them."""
    required, unit = clearing.read_signed_amount(leaves, f"{path}/TtlMrgnAmt")
    if len(repeated(under(leaves, path), "CollOnDpst")) != 1:
        raise refuse(RejectionReason.NOT_ALLOWED, "is not money alone", field=where, remedy="one CollOnDpst, CASH")
    pledged, other = read_amount(leaves, f"{path}/CollOnDpst/PstHrcutVal")
    short = f"{path}/MrgnRslt/DfcitAmt"
    missing = read_amount(leaves, short)[0] if short in leaves else -read_amount(leaves, f"{path}/MrgnRslt/XcssAmt")[0]
    if (unit, other) != (CURRENCY, CURRENCY) or missing != required - pledged:
        raise refuse(RejectionReason.CONFLICT, "requirement, collateral and result differ", field=where,
                     remedy=f"{CURRENCY}; result is requirement less collateral")  # fmt: skip
    return required, pledged
