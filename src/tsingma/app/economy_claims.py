"""The claim register printed whole, and forecasts scored on what came after, from the models and a folder of series."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec

from tsingma.app.economy_data import read_economic_data
from tsingma.economy.calibration import HoldOut
from tsingma.economy.chain.claims import chain_findings
from tsingma.economy.claims import Claim, count
from tsingma.economy.property.claims import duty_findings, property_findings
from tsingma.economy.property.forecast import rise_probability, score_hold_outs
from tsingma.economy.register import Finding, not_testable, register, statements
from tsingma.economy.renminbi.claims import renminbi_findings


class ClaimReport(msgspec.Struct, frozen=True, kw_only=True):
    """Every statement with its result, how many of each form and result, and the scores of held-out forecasts."""

    claims: tuple[Claim, ...]
    count: dict[str, int]
    forms: dict[str, int]
    flagged: tuple[str, ...]
    hold_outs: tuple[HoldOut, ...]


def claim_report(data: Path | None) -> ClaimReport:
    """Return the register; with a folder of public series, everything they can test is tested.

    Raises Rejected naming a file of the folder that is missing or broken.
    """
    findings = {**duty_findings(), **renminbi_findings(), **chain_findings(), "F8": _second_half()}
    hold_outs: tuple[HoldOut, ...] = ()
    if data is not None:
        series = read_economic_data(data)
        findings |= property_findings(series)
        hold_outs = score_hold_outs(series)
    found = register(findings)
    forms: dict[str, int] = {}
    for statement in statements():
        forms[statement.form] = forms.get(statement.form, 0) + 1
    return ClaimReport(
        claims=found,
        count={str(result): number for result, number in count(found).items()},
        forms=forms,
        flagged=tuple(statement.id for statement in statements() if statement.flagged),
        hold_outs=hold_outs,
    )


def _second_half() -> Finding:
    chance = rise_probability(date(2026, 12, 31))
    return not_testable(
        f"probability {chance:.0%} of the baseline; Centaline 160.77 in June, 159.54 in July 2026",
        "the half-year is not over; its first month fell by 0.8 percent",
    )
