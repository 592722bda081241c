"""A default fund from files, and a default through its waterfall."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.resources.default_fund import Exposure, Fund, FundRules, size_fund
from tsingma.margin.resources.waterfall import Resources, Waterfall, waterfall
from tsingma.messages.fund_files import read_exposures, read_keys


def fund_of_files(exposures: Path, keys: Path, rules: FundRules) -> tuple[Fund, tuple[Exposure, ...]]:
    """Return the fund and the stress losses it was sized on; raises Rejected naming file, line and field."""
    losses = read_exposures(exposures.read_bytes(), file=str(exposures))
    return size_fund(losses, read_keys(keys.read_bytes(), file=str(keys)), rules), losses


def default_of(fund: Fund, exposures: tuple[Exposure, ...], losses: Mapping[str, int]) -> Waterfall:
    """Return how losses of defaulters run through the fund; collateral is that of the last day on file.

    Raises Rejected (unknown) for a participant that is not on file.
    """
    last = max(one.day for one in exposures)
    collateral = {one.participant: one.collateral for one in exposures if one.day == last}
    for name in losses:
        if name not in collateral:
            raise refuse(RejectionReason.UNKNOWN, f"has no collateral on {last}", subject=name, field="default")
    contributions = {name: fund.contributions.get(name, 0) for name in {*collateral, *fund.contributions}}
    return waterfall(losses, Resources(collateral=collateral, contributions=contributions, house_part=fund.house_part))
