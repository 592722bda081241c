"""Use case: a house's public quantitative disclosure from books, collateral and stress losses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tsingma.app.fund_sizing import fund_of_files
from tsingma.basics.rejection import Rejected, refuse
from tsingma.margin.disclosure import (
    Field,
    collateral_fields,
    house_paths,
    margin_fields,
    resource_fields,
)
from tsingma.margin.house.holdings import Book
from tsingma.margin.house.past import MarketPast
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.requirement import JointSettings
from tsingma.margin.joint.study import book_series
from tsingma.margin.resources.default_fund import FundRules
from tsingma.messages.fund_files import read_lodged


def disclose_margin(
    books: Sequence[Book], past: MarketPast, allocation: Allocation | None, collateral: Path | None, *, every: int
) -> list[Field]:
    """Return fields 5, 6 and 18 of every house; raises Rejected naming file, line and field."""
    lodged = read_lodged(collateral.read_bytes(), file=str(collateral)) if collateral else ()
    series = [book_series(book, past, JointSettings(), every=every) for book in books]
    fields: list[Field] = []
    for paths in house_paths(series, past, allocation):
        fields += margin_fields(paths, past, series)
        try:
            fields += collateral_fields(paths, lodged)
        except Rejected as wrong:
            one = wrong.rejections[0]
            raise refuse(one.reason, one.message, file=str(collateral), line=one.line, field=one.field,
                         remedy=one.remedy) from None  # fmt: skip
    return fields


def disclose_resources(house: str, exposures: Path, keys: Path, rules: FundRules) -> list[Field]:
    """Return fields 4 of a house; raises Rejected naming file, line and field."""
    fund, losses = fund_of_files(exposures, keys, rules)
    return resource_fields(house, fund, rules.cover, losses)
