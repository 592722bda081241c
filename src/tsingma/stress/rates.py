"""Shocks of interest rate curves: how a currency's zero curve moves, and what contracts then gain.

    move at t years = parallel + short x exp(-t / 4) + long x (1 - exp(-t / 4))        basis points

the form of BCBS d368 (April 2016), annex 2. Sizes and shapes are dated rows of ``data/rate_shocks.toml``. Contracts
(swaps, bonds, floaters, bond futures) are valued anew on the moved curve; no duration stands in for it.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.path import Path
from tsingma.margin.house.contracts import Contract, CurveBook
from tsingma.reference.tables import row_on

Float64 = npt.NDArray[np.float64]

BASIS_POINT = 1e-4
POINT_BP = 100.0  # basis points of a percentage point
DECAY_YEARS = 4.0  # BCBS d368, annex 2
MOVE_MAX_BP = 2_000.0
TIMES_MAX = 10.0
RENMINBI = ("CNY", "CNH")
TABLE = "rate_shocks.toml"


class CurveMove(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A move of all zero curves of a currency, basis points; see the head of this module."""

    parallel: float = 0.0
    short: float = 0.0
    long: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no number, or beyond 2,000 basis points."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if not math.isfinite(value) or abs(value) > MOVE_MAX_BP:
                message = f"{value} is not within {MOVE_MAX_BP:g} basis points"
                raise refuse(RejectionReason.OUT_OF_RANGE, message, field=f"rates.{name}")

    def shift(self, years: Float64) -> Float64:
        """Return the move of zero rates at ``years`` float64 [nodes], as decimals."""
        fade = np.exp(-years / DECAY_YEARS)
        moved: Float64 = (self.parallel + self.short * fade + self.long * (1.0 - fade)) * BASIS_POINT
        return moved


class CurveShock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A move as a scenario writes it: a named shape ``times`` its dated size, and basis points beside it."""

    shape: str = ""
    times: float = 1.0
    parallel: float = 0.0
    short: float = 0.0
    long: float = 0.0

    def move(self, currency: str, day: date) -> CurveMove:
        """Return the move on a day; raises Rejected for an unknown shape or currency, or one beyond what can be."""
        if not 0.0 <= self.times <= TIMES_MAX:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{self.times} is not 0 to {TIMES_MAX:g}", field="rates.times")
        if currency not in standard_currencies():
            remedy = "one of " + ", ".join(standard_currencies())
            raise refuse(RejectionReason.UNKNOWN, f"no curves of '{currency}'", field="rates", remedy=remedy)
        own = standard_move(currency, self.shape, self.times, day) if self.shape else CurveMove()
        return CurveMove(parallel=own.parallel + self.parallel, short=own.short + self.short, long=own.long + self.long)


def standard_move(currency: str, shape: str, times: float, day: date) -> CurveMove:
    """Return a shape of the standard for a currency on a day, ``times`` its size.

    Raises Rejected (unknown) for a shape there is not, (beyond-horizon) for a currency without a size on the day.
    """
    table = _table()
    parts = next((row for row in table["shape"] if row["id"] == shape), None)
    if parts is None:
        remedy = "one of " + ", ".join(row["id"] for row in table["shape"])
        raise refuse(RejectionReason.UNKNOWN, f"no shape '{shape}'", field="rates.shape", remedy=remedy)
    name = "CNY" if currency in RENMINBI else currency
    size = row_on([row for row in table["size"] if row["currency"] == name], day, table=f"{TABLE}: {name}")
    return CurveMove(**{each: parts.get(each, 0.0) * size[each] * times for each in CurveMove.__struct_fields__})


def shapes() -> tuple[str, ...]:
    """Return the names of the shapes there are."""
    return tuple(row["id"] for row in _table()["shape"])


def standard_currencies() -> tuple[str, ...]:
    """Return the currencies that have sizes, offshore renminbi among them, in order of name."""
    return tuple(sorted({row["currency"] for row in _table()["size"]} | {"CNH"}))


class CurveNow(msgspec.Struct, frozen=True, eq=False):
    """A zero curve of the day: ``years`` and ``rates`` float64 [nodes], decimals, compounded continuously."""

    name: str
    years: Float64
    rates: Float64


class RatesNow(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Contracts of a book with the curves of its day; ``hkd`` is what a unit of a currency is worth in HKD."""

    day: date
    contracts: Mapping[str, Contract]
    curves: Mapping[str, CurveNow]
    hkd: Mapping[str, float]

    def currency(self, contract: str) -> str:
        """Return the currency in which a contract pays; raises Rejected (unknown) for one that is not there."""
        one = self.contracts.get(contract)
        if one is None:
            raise refuse(RejectionReason.UNKNOWN, f"no contract '{contract}'", field="factor")
        return one.curve.partition(".")[0]

    def gains(self, moves: Mapping[str, CurveMove], renminbi_return: float) -> dict[str, float]:
        """Return what a face of one HKD of every contract gains when curves move, at the moved exchange rate.

        ``moves`` are by currency or by curve; the curve's own counts. Raises Rejected (missing) for a contract without
        its curve, and what valuing raises.
        """
        found: dict[str, float] = {}
        for name in sorted({one.curve for one in self.contracts.values()}):
            curve = self.curves.get(name)
            chosen = [one for one in self.contracts.values() if one.curve == name]
            if curve is None:
                remedy = f"there are: {', '.join(sorted(self.curves)) or 'none'}"
                raise refuse(
                    RejectionReason.MISSING, f"there is no curve '{name}'", field="curve",
                    subject=f"contract {chosen[0].id}", remedy=remedy,
                )  # fmt: skip
            currency = name.partition(".")[0]
            move = moves.get(name) or moves.get(currency) or CurveMove()
            money = 1.0 + renminbi_return if currency in RENMINBI else 1.0
            book = CurveBook(chosen, self.contracts, self.day, curve.years, curve.rates[None, :])
            values = book.values(np.vstack([curve.rates, curve.rates + move.shift(curve.years)]))
            found |= {one: float(value[1] - value[0]) * money for one, value in values.items()}
        return found


def path_moves(path: Path, arrival: float) -> dict[str, CurveMove]:
    """Return the moves of curves that a path's rates bring, by currency; none for a path without rates.

    The step that counts is the largest on the way to where the rate stands furthest from its start, since a squeeze
    that comes and goes ends where it began.
    """
    found = {}
    for row in _table()["path_rate"]:
        if row["indicator"] in path.names():
            step = _step_out(path.values(row["indicator"])) * arrival * row["part"] * POINT_BP
            found[row["currency"]] = CurveMove(short=float(np.clip(step, -MOVE_MAX_BP, MOVE_MAX_BP)))
    return found


def _step_out(values: Float64) -> float:
    """Return the largest step towards the furthest value from the first, up to there; 0 for a rate that stands."""
    away = values - values[0]
    furthest = int(np.abs(away).argmax())
    sign = 1.0 if away[furthest] >= 0 else -1.0
    steps = sign * np.diff(values[: furthest + 1])
    return sign * max(float(steps.max(initial=0.0)), 0.0)


def moves_of(shocks: Mapping[str, CurveShock], day: date) -> dict[str, CurveMove]:
    """Return the moves that a scenario writes, by currency or curve, on a day; raises Rejected as :meth:`move`."""
    return {name: one.move(name.partition(".")[0], day) for name, one in shocks.items()}


def last_sizes() -> date:
    """Return the first day of the sizes that stand last: what a scenario is checked on before its day is known."""
    found: date = max(row["valid_from"] for row in _table()["size"])
    return found


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("tsingma.stress").joinpath("data", TABLE).read_text(encoding="utf-8"))
