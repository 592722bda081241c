"""Public quantitative disclosure: what a house tells the market every quarter, computed from its own rooms.

Fields are numbered as in CPMI-IOSCO, "Public quantitative disclosure standards for central counterparties", 2015: 4
default resources, 5 collateral, 6 margin, 18 concentration. Amounts are whole HKD. Breaches compare the margin of each
account on each day with the loss of its positions over their holding period. Where an input was not given the field is
left out, never set to zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.house.historical import historical_settings
from tsingma.margin.house.holdings import House, by_history
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.revaluation import profits
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.study import BookSeries, CoverageControl, Outcomes
from tsingma.margin.resources.collateral import HouseRules, house_rules
from tsingma.margin.resources.default_fund import Exposure, Fund, group_losses

Int64 = npt.NDArray[np.int64]

E4 = 10_000
LARGEST = (5, 10)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One disclosed figure of a house."""

    number: str
    house: str
    name: str
    value: str
    unit: str


class Lodged(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has lodged at a house: a kind of collateral at market value, whole HKD."""

    account: str
    house: str
    kind: str
    value: int
    line: int = 0


class HousePaths(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """One house through time: margin required, losses over the holding period, marks; each int64 [days, accounts].

    ``marks`` are what an account pays after the day (plus) or receives.
    """

    house: House
    accounts: tuple[str, ...]
    days: tuple[date, ...]
    margin: Int64
    losses: Int64
    marks: Int64


def house_paths(
    series: Sequence[BookSeries],
    past: MarketPast,
    allocation: Allocation | None,
    control: CoverageControl | None = None,
) -> tuple[HousePaths, ...]:
    """Return every house's paths over the accounts that hold something there; margin as called, or alone without one.

    Raises Rejected for no account.
    """
    if not series:
        raise refuse(RejectionReason.MISSING, "there is no account", field="books")
    found = []
    outcomes = [Outcomes(one, control) for one in series]
    for house in House:
        places = [(k, one.book.houses.index(house)) for k, one in enumerate(series) if house in one.book.houses]
        if not places:
            continue
        margins = [outcomes[k].standalone if allocation is None else outcomes[k].called(allocation) for k, _ in places]
        found.append(
            HousePaths(
                house=house,
                accounts=tuple(series[k].book.name for k, _ in places),
                days=tuple(past.day(row) for row in series[0].rows),
                margin=np.stack([margin[:, place] for margin, (_, place) in zip(margins, places, strict=True)], axis=1),
                losses=np.stack([series[k].losses[:, place] for k, place in places], axis=1),
                marks=np.stack([_marks(series[k], house, past) for k, _ in places], axis=1),
            )
        )
    return tuple(found)


def _marks(series: BookSeries, house: House, past: MarketPast) -> Int64:
    """Return what an account's positions at a house lose from one close to the next, int64 [days]."""
    own = [one for one in series.book.holdings if one.house is house]
    factors = {one.factor for one in own}
    return np.array([-int(profits(own, past.outcome(row, 1, factors))[0]) for row in series.rows], np.int64)


def margin_fields(paths: HousePaths, past: MarketPast, series: Sequence[BookSeries]) -> list[Field]:
    """Return fields 6.1, 6.4 to 6.8 and 18 of a house."""
    margin, losses, marks = paths.margin, paths.losses, paths.marks
    uncovered = np.maximum(losses - margin, 0)
    breaches, observations = int((uncovered > 0).sum()), int(losses.size)
    paid = np.maximum(marks, 0).sum(axis=1)
    rises = np.maximum(np.diff(margin, axis=0), 0).sum(axis=1)
    house = str(paths.house)

    def field(number: str, name: str, value: object, unit: str = "HKD") -> Field:
        return Field(number=number, house=house, name=name, value=str(value), unit=unit)

    fields = [field("6.1", f"initial margin required on {paths.days[-1]}", int(margin[-1].sum()))]
    fields += [
        field("6.4", name, value, unit) for name, value, unit in _model(paths.house, past, series, paths.days[-1])
    ]
    fields += [
        field("6.5.1", "account-days on which the loss was above the margin", breaches, "count"),
        field("6.5.2", "account-days observed", observations, "count"),
        field("6.5.3", "achieved coverage", f"{1 - breaches / observations:.6f}", "part"),
        field("6.5.4", "peak uncovered exposure", int(uncovered.max())),
        field("6.5.5", "average uncovered exposure", int(uncovered.sum()) // breaches if breaches else 0),
        field("6.6", "average variation margin paid in a day", int(paid.sum()) // paid.size),
        field("6.7", "maximum variation margin paid in a day", int(paid.max())),
    ]
    if rises.size:
        fields.append(field("6.8", "maximum aggregate initial margin call", int(rises.max())))
    ordered = np.sort(margin[-1])[::-1]
    for count in LARGEST:
        share = int(ordered[:count].sum()) / max(int(ordered.sum()), 1)
        fields.append(field("18", f"share of initial margin of the {count} largest accounts", f"{share:.6f}", "part"))
    return fields


def _model(house: House, past: MarketPast, series: Sequence[BookSeries], day: date) -> list[tuple[str, object, str]]:
    """Return (name, value, unit) of what the house's model is told."""
    models = past.models
    if house in (House.HKCC, House.SEOCH):
        scan = models.scan
        rows: list[tuple[str, object, str]] = [
            ("model", "sixteen scenarios (PRiME)", ""),
            ("deviations of the price scan range", scan.deviations, "standard deviations"),
            ("buffer of the price scan range", scan.buffer, "multiple"),
            ("close-out period", models.holding_days[house], "days"),
        ]
    elif house is House.HKSCC:
        rows = [
            ("model", "filtered historical expected shortfall, stressed part (VaR Platform)", ""),
            ("confidence", f"{1 - float(models.hvar_level):.4f}", "part"),
            ("confidence of the stressed part", f"{1 - float(models.svar_level):.4f}", "part"),
            ("weight of the stressed part", models.filter.svar_weight_e10 / 1e10, "part"),
            ("look-back", models.filter.look_back_days, "days"),
            ("floor", models.filter.floor_rate_e10 / 1e10, "part of the larger side"),
            ("close-out period", models.holding_days[house], "days"),
        ]
    else:
        rows = []
    if any(one.house is house and by_history(one) for each in series for one in each.book.holdings):
        own = historical_settings(house, day)
        rows += [
            ("model", f"revalued history, {own.scenarios} expected shortfall, stressed part", ""),
            ("confidence of revalued history", f"{1 - float(own.level):.4f}", "part"),
            ("weight of the stressed part of revalued history", own.stress_weight_e4 / E4, "part"),
            ("look-back of revalued history", models.filter.look_back_days, "days"),
        ]
        rows += [(f"close-out period, {product}", days, "days") for product, days in own.holding_days.items()]
    return rows


def collateral_fields(paths: HousePaths, lodged: Sequence[Lodged]) -> list[Field]:
    """Return fields 5.1 and 6.2 of a house: what it takes, what it holds before and after haircut, and the cover.

    Raises Rejected naming the line of collateral that the house does not take, or of a negative value.
    """
    rules, day, house = house_rules(paths.house, paths.days[-1]), paths.days[-1], str(paths.house)
    fields = [
        Field(number="5.1", house=house, name=f"haircut of {kind} on {day}", value=f"{haircut / E4:g}", unit="part")
        for kind, haircut in rules.haircut_e4.items()
    ]
    own = [one for one in lodged if one.house == house]
    if not own:
        return fields
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    for one in own:
        before[one.kind] = before.get(one.kind, 0) + one.value
        after[one.kind] = after.get(one.kind, 0) + _counted(one, rules)
    for kind in sorted(before):
        for name, amounts in (("before", before), ("after", after)):
            fields.append(Field(number="6.2", house=house, name=f"held in {kind}, {name} haircut",
                                value=str(amounts[kind]), unit="HKD"))  # fmt: skip
    required, held = int(paths.margin[-1].sum()), sum(after.values())
    total = {"before haircut": sum(before.values()), "after haircut": held}
    fields += [
        Field(number="6.2", house=house, name=f"held in all, {name}", value=str(amount), unit="HKD")
        for name, amount in total.items()
    ]
    if required:
        cover = f"{held / required:.6f}"
        fields.append(
            Field(number="6.2", house=house, name="held after haircut over required", value=cover, unit="part")
        )
    return fields


def _counted(one: Lodged, rules: HouseRules) -> int:
    if one.kind not in rules.haircut_e4:
        remedy = f"it takes {', '.join(rules.haircut_e4)}"
        raise refuse(RejectionReason.NOT_ALLOWED, f"{rules.house} does not take '{one.kind}'", line=one.line,
                     field="kind", remedy=remedy)  # fmt: skip
    if one.value < 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, "is negative", line=one.line, field="value")
    return one.value * (E4 - rules.haircut_e4[one.kind]) // E4


def resource_fields(house: str, fund: Fund, cover: int, exposures: Sequence[Exposure]) -> list[Field]:
    """Return fields 4 of a house from its fund and the stress losses of its days; raises Rejected as ``size_fund``."""
    own = fund.house_part
    by_day: dict[str, list[dict[str, int]]] = {}
    for (day, _), groups in group_losses(exposures).items():
        by_day.setdefault(day, []).append(groups)
    resources = own + sum(fund.contributions.values())
    fields = [
        Field(number="4.1", house=house, name="prefunded default resources", value=str(resources), unit="HKD"),
        Field(number="4.2", house=house, name="of which the house's own", value=str(own), unit="HKD"),
        Field(number="4.3", house=house, name="of which participants' contributions",
              value=str(resources - own), unit="HKD"),
        Field(number="4.4.1", house=house, name="cover", value=f"cover {cover}", unit=""),
    ]  # fmt: skip
    for count, words in ((1, "the largest group"), (2, "the two largest groups")):
        worst = [max(sum(sorted(groups.values(), reverse=True)[:count]) for groups in day) for day in by_day.values()]
        number = f"4.4.{3 if count == 1 else 7}"
        above = [loss - resources for loss in worst if loss > resources]
        days, amount = ("4.4.4", "4.4.5") if count == 1 else ("4.4.8", "4.4.9")
        fields += [
            Field(number=number, house=house, name=f"peak stress loss of {words}", value=str(max(worst)), unit="HKD"),
            Field(number=number, house=house, name=f"mean stress loss of {words}",
                  value=str(sum(worst) // len(worst)), unit="HKD"),
            Field(number=days, house=house, name=f"days on which {words} lost more than the resources",
                  value=str(len(above)), unit="count"),
            Field(number=amount, house=house, name=f"largest excess of {words} over the resources",
                  value=str(max(above, default=0)), unit="HKD"),
        ]  # fmt: skip
    return fields
