"""secl.006, what a member brings to the default fund, as the fund was sized.

The house keeps no money of the fund in its books, so nothing is on deposit and the whole contribution is due.
"""

from __future__ import annotations

import msgspec

from tsingma.basics.money import MINOR_SCALE
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.resources.default_fund import Fund
from tsingma.messages.iso20022 import clearing
from tsingma.messages.iso20022.leaves import Leaves, amount, document, tag, text
from tsingma.messages.iso20022.margin_report import CURRENCY, collateral
from tsingma.messages.iso20022.parties import read_amount

MESSAGE, BODY = "secl.006.001.02", "DfltFndCntrbtnRpt"
_DETAILS = "RptDtls/DfltFndClctn"


class FundContribution(msgspec.Struct, frozen=True):
    """A member's contribution and what of it lies on deposit, HKD cents, and the account of the fund."""

    identifier: str
    date: str
    member: str
    fund: str
    contribution_cents: int
    deposited_cents: int = 0


def contribution_of(fund: Fund, member: str, identifier: str, date: str) -> FundContribution | None:
    """Return what a member brings to a fund (sized in whole HKD); None when it is no part of it."""
    if member not in fund.contributions:
        return None
    cents = fund.contributions[member] * MINOR_SCALE
    return FundContribution(identifier, date, member, f"{clearing.DEPOSITORY}-FUND", cents)


def write_contribution(one: FundContribution) -> str:
    """Return a secl.006 Document."""
    due = one.contribution_cents - one.deposited_cents
    return document(
        MESSAGE, BODY,
        tag("RptParams", text("RptId", one.identifier), tag("RptDtAndTm", text("Dt", one.date)),
            text("Frqcy", "ONDE"), text("RptCcy", CURRENCY)),
        clearing.member(one.member),
        tag("RptDtls",
            tag("DfltFndClctn", tag("DfltFndAcct", tag("Othr", text("Id", one.fund))),
                amount("TtlDfltFndAmt", one.contribution_cents, CURRENCY)),
            collateral("CollDesc", one.deposited_cents, CURRENCY),
            clearing.signed_amount("NetXcssOrDfcit", due, CURRENCY)),
    )  # fmt: skip


def read_contribution(leaves: Leaves) -> FundContribution:
    """Return a contribution; raises Rejected (conflict) when what is due is not contribution less deposit."""
    cents, unit = read_amount(leaves, f"{_DETAILS}/TtlDfltFndAmt")
    deposited, other = read_amount(leaves, "RptDtls/CollDesc/PstHrcutVal")
    due, third = clearing.read_signed_amount(leaves, "RptDtls/NetXcssOrDfcit")
    if {unit, other, third} != {CURRENCY} or due != cents - deposited:
        raise refuse(RejectionReason.CONFLICT, "is not contribution less deposit", field="RptDtls/NetXcssOrDfcit",
                     remedy=f"send it in {CURRENCY}")  # fmt: skip
    return FundContribution(
        leaves["RptParams/RptId"], leaves.get("RptParams/RptDtAndTm/Dt", ""), clearing.read_member(leaves),
        leaves.get(f"{_DETAILS}/DfltFndAcct/Othr/Id", ""), cents, deposited,
    )  # fmt: skip
