"""Defaults as people see them: one flat line a case, for lists, the console and files. Money is in HKD cents."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.default_book import Borne, Case, DefaultStatus
from tsingma.engine.default_sums import HKD, hkd_of
from tsingma.engine.defaulting import open_positions
from tsingma.engine.house import House
from tsingma.margin.resources.waterfall import LayerKind


class DefaultLine(msgspec.Struct, frozen=True):
    """A case: who, how it stands since when and why; what is open, what is owed, and what each layer has borne.

    Moments are UTC, "" where there is none. ``owed_cents`` is lost and borne by nobody yet (a gain is below zero);
    assessments that are not paid are part of it.
    """

    number: int
    participant: str
    status: str
    ground: str
    reason: str
    since: str
    suspended_at: str
    declared_at: str
    closed_at: str
    open_positions: int
    open_series: int
    owed_cents: int
    collateral_cents: int
    contribution_cents: int
    house_cents: int
    survivors_cents: int
    assessments_cents: int
    assessed_open_cents: int
    funds_booked: str


class DefaultLines(msgspec.Struct, frozen=True):
    """A page of cases, in order of number; the cursor is a number."""

    items: list[DefaultLine]
    next: int | None
    at: int


def defaults_of(house: House, at: int, participant: str, cursor: int, limit: int) -> DefaultLines:
    """Return cases of a participant ("": of everybody) from a number on; raises Rejected (unknown)."""
    index = -1
    if participant:
        index = house.resolved.participant_index.get(participant, -1)
        if index < 0:
            raise refuse(RejectionReason.UNKNOWN, f"no participant '{participant}'", field="participant")
    cases = house.defaults.cases
    mine = [number for number in sorted(cases) if number >= cursor and index in (-1, cases[number].participant)]
    items = [default_line(house, cases[number]) for number in mine[:limit]]
    return DefaultLines(items, mine[limit] if len(mine) > limit else None, at)


def default_line(house: House, case: Case) -> DefaultLine:
    """Return one case."""
    moments = {turn.status: _moment(turn.at_s) for turn in case.turns}
    ground = next((turn.ground for turn in case.turns if turn.ground), "")
    lines, series = (0, 0)
    if case.status is DefaultStatus.DECLARED:
        lines, series = open_positions(house, case.participant)
    borne = dict.fromkeys(LayerKind, 0)
    for layer in layers_of(house, case.number):
        borne[LayerKind(layer.kind)] += layer.used
    assessed = sum(cents for key, cents in house.defaults.assessed.items() if key[0] == case.number)
    return DefaultLine(
        number=case.number,
        participant=house.resolved.book.participants[case.participant].code,
        status=str(case.status),
        ground=ground,
        reason=case.turns[-1].reason,
        since=_moment(case.turns[-1].at_s),
        suspended_at=moments.get(DefaultStatus.SUSPENDED, ""),
        declared_at=moments.get(DefaultStatus.DECLARED, ""),
        closed_at=moments.get(DefaultStatus.CLOSED, ""),
        open_positions=lines,
        open_series=series,
        owed_cents=owed_cents(house, case),
        collateral_cents=borne[LayerKind.DEFAULTER_COLLATERAL],
        contribution_cents=borne[LayerKind.DEFAULTER_CONTRIBUTION],
        house_cents=borne[LayerKind.HOUSE],
        survivors_cents=borne[LayerKind.SURVIVOR_CONTRIBUTIONS],
        assessments_cents=borne[LayerKind.ASSESSMENTS],
        assessed_open_cents=assessed,
        funds_booked=" ".join(case.booked),
    )


def layers_of(house: House, number: int) -> list[Borne]:
    """Return what the layers of all funds bore of a case, in order."""
    return [layer for layer in house.defaults.borne if layer.case == number]


def owed_cents(house: House, case: Case) -> int:
    """Return what a case owes in all, HKD cents at the rates of the house."""
    owed = house.defaults.owed_by(case.number)
    return sum(cents if key[3] == HKD else hkd_of(house, key[3], cents) for key, cents in owed)


def owed_lines(house: House, number: int) -> list[tuple[str, str, str, int]]:
    """Return what a case owes by fund, account and currency, in cents."""
    book = house.resolved
    return [
        (fund, book.account_name(account), CURRENCIES[unit], cents)
        for (_, fund, account, unit), cents in house.defaults.owed_by(number)
    ]


def _moment(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat().replace("+00:00", "Z")
