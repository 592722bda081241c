"""The register: every figure, lever and claim with what became of it, none left out, and the honest count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.claims import Claim, Kind, Result
from tsingma.reference.tables import read_table

NO_DATA = "the public series do not ship with the house: give their folder with --data"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a test found: the result, the figure and how it decides the result."""

    result: Result
    figure: str
    why: str


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``reference/data/claims.toml``: the words, the test, what was quoted and a check beside it."""

    id: str
    form: str
    kind: Kind
    english: str
    chinese: str
    test: str
    source: str
    quoted: str = ""
    check: str = ""
    check_source: str = ""
    flagged: bool = False
    standing: Finding | None = None


@cache
def statements() -> tuple[Statement, ...]:
    """Return every statement, in the order of the columns."""
    return tuple(msgspec.convert(row, Statement) for row in read_table("claims.toml")["statement"])


def supported(holds: bool, figure: str, why: str) -> Finding:
    """Return the finding of a test that could be made: supported when it holds, else not supported."""
    return Finding(result=Result.SUPPORTED if holds else Result.NOT_SUPPORTED, figure=figure, why=why)


def not_testable(figure: str, why: str) -> Finding:
    """Return the finding of a test that could not be made."""
    return Finding(result=Result.NOT_TESTABLE, figure=figure, why=why)


def register(findings: Mapping[str, Finding], whole: Iterable[Claim] = ()) -> tuple[Claim, ...]:
    """Return one claim for each statement, in order: a whole claim, else a finding, else what stands without either.

    ``whole`` are claims another model wrote out itself. Raises Rejected (unknown) for an id that is no statement.
    """
    ready = {claim.id: claim for claim in whole}
    known = {statement.id for statement in statements()}
    for identity in (*findings, *ready):
        if identity not in known:
            raise refuse(RejectionReason.UNKNOWN, f"no statement '{identity}'", field="claims")
    return tuple(ready.get(statement.id) or _claim(statement, findings.get(statement.id)) for statement in statements())


def _claim(statement: Statement, found: Finding | None) -> Claim:
    finding = found or statement.standing or not_testable(statement.check or "none", NO_DATA)
    figure, why = finding.figure, finding.why
    if statement.quoted:
        figure = f"quoted {statement.quoted}; found {figure}"
    if statement.flagged:
        why = f"flagged, check value: {statement.check} ({statement.check_source}); {why}"
    return Claim(
        id=statement.id,
        english=statement.english,
        chinese=statement.chinese,
        kind=statement.kind,
        test=statement.test,
        result=finding.result,
        figure=figure,
        why=why,
        source=statement.source,
    )
