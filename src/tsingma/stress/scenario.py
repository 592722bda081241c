"""Scenarios as files: a market's moves, the economic run behind them, in words of two languages."""

from __future__ import annotations

import csv
import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from tsingma.basics.documents import parse_toml
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.house.holdings import House
from tsingma.margin.resources.default_fund import FundRules
from tsingma.stress.plausibility import WorstOnRecord
from tsingma.stress.rates import CurveMove, CurveShock, last_sizes, moves_of, standard_currencies, standard_move
from tsingma.stress.shocks import Assumptions, LayerPart, MarketShock

SCENARIOS_MAX = 1_000


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scenario: returns are parts of one within ``horizon_days``; ``economy`` is ``room/run`` or empty.

    ``rates`` are shocks of zero curves by currency (``CNY``) or curve (``CNY.FR007``).
    """

    id: str
    title: str
    title_zh: str
    story: str
    story_zh: str
    horizon_days: int
    source: str
    source_zh: str
    index_return: float = 0.0
    volatility_ratio: float = 1.0
    renminbi_return: float = 0.0
    correlation: float = 0.0
    economy: str = ""
    assumed: bool = False
    layers: dict[str, float] = {}
    names: dict[str, float] = {}
    rates: dict[str, CurveShock] = {}

    def shock(self, day: date | None = None) -> MarketShock:
        """Return the market's moves, rates by their sizes of a day (those that stand last without one).

        Raises Rejected for impossible ones.
        """
        return MarketShock(
            horizon_days=self.horizon_days, index_return=self.index_return, volatility_ratio=self.volatility_ratio,
            renminbi_return=self.renminbi_return, correlation=self.correlation, layers=self.layers, names=self.names,
            rates=moves_of(self.rates, day or last_sizes()),
        )  # fmt: skip


class FundShock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the shocks on which default funds are sized; ``rates`` is a shape, ``times`` of its dated size."""

    id: str
    index_return: float = 0.0
    volatility_ratio: float = 1.0
    rates: str = ""
    times: float = 1.0

    def moves(self, day: date) -> dict[str, CurveMove]:
        """Return the moves of every currency's curves on a day."""
        if not self.rates:
            return {}
        return {each: standard_move(each, self.rates, self.times, day) for each in standard_currencies()}


def parse_scenarios(text: str, *, file: str) -> tuple[Scenario, ...]:
    """Return the scenarios of a TOML document (``[[scenario]]``).

    Raises Rejected naming file and field: not TOML, an unknown or missing field, an id twice, an impossible move.
    """
    try:
        rows = parse_toml(text, file=file).get("scenario", [])
        found = msgspec.convert(rows, tuple[Scenario, ...])
    except msgspec.ValidationError as error:
        raise refuse(RejectionReason.MALFORMED, str(error), file=file) from None
    if not 0 < len(found) <= SCENARIOS_MAX:
        message = f"{len(found)} scenarios, 1 to {SCENARIOS_MAX} expected"
        raise refuse(RejectionReason.LIMIT, message, file=file, remedy="write [[scenario]] tables")
    ids = [one.id for one in found]
    for one in found:
        if ids.count(one.id) > 1:
            raise refuse(RejectionReason.DUPLICATE, "stands twice", file=file, field="id", subject=one.id)
        one.shock()
    return found


@cache
def shipped_scenarios() -> tuple[Scenario, ...]:
    """Return the scenarios that come with the house."""
    return parse_scenarios(_data("scenarios.toml"), file="scenarios.toml")


def scenario_named(name: str) -> Scenario:
    """Return one shipped scenario; raises Rejected (unknown) naming those there are."""
    for one in shipped_scenarios():
        if one.id == name:
            return one
    remedy = "one of " + ", ".join(one.id for one in shipped_scenarios()) + ", or a file"
    raise refuse(RejectionReason.UNKNOWN, f"no scenario '{name}'", field="scenario", remedy=remedy)


@cache
def assumptions() -> Assumptions:
    """Return the assumptions of ``data/assumptions.toml``."""
    return msgspec.convert(_table()["assumptions"], Assumptions)


def worst_on_record() -> tuple[WorstOnRecord, ...]:
    """Return the worst falls of the Hang Seng Index over some days."""
    return msgspec.convert(_table()["record"], tuple[WorstOnRecord, ...])


def fund_shocks() -> tuple[FundShock, ...]:
    """Return the shocks on which default funds are sized."""
    return msgspec.convert(_table()["fund"], tuple[FundShock, ...])


@cache
def layer_parts() -> tuple[LayerPart, ...]:
    """Return which listed names live off which layer of the AI value chain (our reading of their business)."""
    rows = csv.DictReader(_data("layers.csv").splitlines())
    return tuple(LayerPart(row["counter"], row["layer"], float(row["part"])) for row in rows)


def fund_rules() -> dict[House, FundRules]:
    """Return the least fund and contribution of every house; cover, threshold and the house's part are the standard."""
    return {
        House(row["house"]): FundRules(minimum=row["minimum"], least_contribution=row["least_contribution"])
        for row in _table()["house_fund"]
    }


def _table() -> dict[str, Any]:
    return tomllib.loads(_data("assumptions.toml"))


def _data(name: str) -> str:
    return files("tsingma.stress").joinpath("data", name).read_text(encoding="utf-8")
