"""A path: dated, named indicators with their units, how likely they are, and where every shock came from.

A path is what an economic model answers and all that the stress side reads. Names are dotted: a subject, then what
it is of (``equity.HSI``, ``value_added.KOR.memory``). A path is immutable, refused whole when something in it is
wrong, and goes to JSON and TOML and back without loss.
"""

from __future__ import annotations

import math
import re
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.documents import parse_toml
from tsingma.basics.rejection import RejectionReason, refuse

INDICATORS_MAX = 10_000
DATES_MAX = 100_000
_NAME = re.compile(r"[a-z_]+(\.[A-Za-z0-9_]+)+")

# Indicators that more than one room knows by name.
HSI = "equity.HSI"
HOME_PRICE = "home_price.RVD"
HOME_RENT = "home_rent.RVD"
HOME_SALES = "volume.home_sales"
HIBOR = "rate.HIBOR_1M"
CNH_RATE = "rate.CNH"
USDCNH = "fx.USDCNH"
POOL = "pool.deposits"


class Unit(StrEnum):
    """What a number of an indicator is in; the unit decides which numbers are possible."""

    INDEX = "index level"  # above zero
    RATIO = "ratio to base"  # above zero; 1 is the base date
    QUOTE = "quote currency for one of the base currency"  # above zero
    SHARE = "share of one"  # 0 to 1
    COUNT = "count a period"  # not negative
    PERCENT = "percent"
    PERCENT_A_YEAR = "percent a year"
    LOG_CHANGE = "log change a period"
    CNY_BN = "billion CNY"
    HKD_BN = "billion HKD"
    USD_BN = "billion USD"


_ABOVE_ZERO = (Unit.INDEX, Unit.RATIO, Unit.QUOTE)


class LikelihoodKind(StrEnum):
    """What the number of a likelihood means."""

    PROBABILITY = "probability"  # share of an ensemble, or of history, that is at least as bad
    PLAUSIBILITY = "plausibility"  # rank against history of a path nobody drew: 1 ordinary, 0 beyond all of it


class Likelihood(msgspec.Struct, frozen=True, kw_only=True):
    """How likely a path is: a number from 0 to 1, what it means, what it is measured on, and a label to print."""

    kind: LikelihoodKind
    value: float
    basis: str
    label: str = ""

    def __post_init__(self) -> None:
        """Refuse a number outside 0 to 1, or one without its basis."""
        if not 0.0 <= self.value <= 1.0:
            message = f"likelihood {self.value} is not between 0 and 1"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="likelihood.value")
        if not self.basis:
            raise refuse(RejectionReason.MISSING, "say what it is measured on", field="likelihood.basis")


class Shock(msgspec.Struct, frozen=True, kw_only=True):
    """One cause of a path: what was moved, when, by how much, why, and the source of the size."""

    name: str
    day: date
    size: float
    unit: str
    why: str
    source: str


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where a path comes from: model, scenario, data, calibration, uncertainty, seed (design invariant 11)."""

    model: str
    scenario: str
    calibration: str
    uncertainty: str
    data: tuple[str, ...] = ()
    seed: int | None = None


class Indicator(msgspec.Struct, frozen=True):
    """One named series of a path; ``values`` has one number for each date of the path."""

    name: str
    unit: Unit
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse a name that is not dotted, and numbers the unit rules out."""
        if not _NAME.fullmatch(self.name):
            message = f"'{self.name}' is no indicator name"
            remedy = "write subject.detail, for example equity.HSI"
            raise refuse(RejectionReason.MALFORMED, message, field="indicators", remedy=remedy)
        for place, value in enumerate(self.values):
            if not _possible(value, self.unit):
                message = f"{value} (number {place + 1}) is not possible for {self.unit}"
                raise refuse(RejectionReason.OUT_OF_RANGE, message, field="indicators", subject=self.name)


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """One way the economy may go. Dates rise strictly; every indicator has a number for each date."""

    name: str
    dates: tuple[date, ...]
    indicators: tuple[Indicator, ...]
    likelihood: Likelihood
    provenance: Provenance
    shocks: tuple[Shock, ...] = ()

    def __post_init__(self) -> None:
        """Refuse dates out of order, missing numbers, names twice, and what is past the limits."""
        if not self.dates or not self.indicators:
            raise refuse(RejectionReason.MISSING, "a path needs dates and indicators", subject=self.name)
        if len(self.dates) > DATES_MAX or len(self.indicators) > INDICATORS_MAX:
            message = f"at most {DATES_MAX} dates and {INDICATORS_MAX} indicators"
            raise refuse(RejectionReason.LIMIT, message, subject=self.name)
        for before, after in zip(self.dates, self.dates[1:], strict=False):
            if after <= before:
                raise refuse(RejectionReason.CONFLICT, f"{after} follows {before}", field="dates", subject=self.name)
        seen: set[str] = set()
        for indicator in self.indicators:
            if indicator.name in seen:
                raise refuse(RejectionReason.DUPLICATE, f"'{indicator.name}' twice", field="indicators")
            seen.add(indicator.name)
            if len(indicator.values) != len(self.dates):
                message = f"{len(indicator.values)} numbers for {len(self.dates)} dates"
                raise refuse(RejectionReason.MISSING, message, field="indicators", subject=indicator.name)

    def names(self) -> tuple[str, ...]:
        """Return the names of the indicators, in order."""
        return tuple(indicator.name for indicator in self.indicators)

    def indicator(self, name: str) -> Indicator:
        """Return one indicator; raises Rejected (unknown) naming those there are."""
        for indicator in self.indicators:
            if indicator.name == name:
                return indicator
        remedy = f"there are: {', '.join(self.names()[:20])}"
        raise refuse(RejectionReason.UNKNOWN, f"no indicator '{name}'", subject=self.name, remedy=remedy)

    def values(self, name: str) -> npt.NDArray[np.float64]:
        """Return the numbers of one indicator, float64 [dates]."""
        return np.array(self.indicator(name).values, np.float64)

    def log_change(self, name: str) -> npt.NDArray[np.float64]:
        """Return ln(value / value before), float64 [dates - 1]; only for units above zero."""
        unit = self.indicator(name).unit
        if unit not in _ABOVE_ZERO:
            message = f"{unit} has no logarithm"
            raise refuse(RejectionReason.NOT_ALLOWED, message, subject=name)
        return np.diff(np.log(self.values(name)))

    def worst_fall(self, name: str) -> float:
        """Return the largest fall from a high to a later low as a part of the high, 0 or negative."""
        values = self.values(name)
        return float(np.min(values / np.maximum.accumulate(values) - 1.0))


def _possible(value: float, unit: Unit) -> bool:
    if not math.isfinite(value):
        return False
    if unit in _ABOVE_ZERO:
        return value > 0.0
    if unit is Unit.SHARE:
        return 0.0 <= value <= 1.0
    return unit is not Unit.COUNT or value >= 0.0


def to_json(path: Path) -> str:
    """Return the path as one JSON object."""
    return msgspec.json.encode(path).decode()


def from_json(text: str | bytes, *, file: str = "") -> Path:
    """Return the path of a JSON object; raises Rejected (malformed) with the place of the fault."""
    try:
        return msgspec.json.decode(text, type=Path)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise refuse(RejectionReason.MALFORMED, str(error), file=file) from None


def from_toml(text: str, *, file: str = "") -> Path:
    """Return the path of a TOML document (see :func:`to_toml`); raises Rejected with the place of the fault."""
    try:
        return msgspec.convert(parse_toml(text, file=file), Path)
    except msgspec.ValidationError as error:
        raise refuse(RejectionReason.MALFORMED, str(error), file=file) from None


def to_toml(path: Path) -> str:
    """Return the path as a TOML document: the fields, then a table for each shock and each indicator."""
    fields = msgspec.structs.asdict(path)
    lines = [f"name = {_toml(path.name)}", f"dates = {_toml(path.dates)}"]
    for table in ("likelihood", "provenance"):
        lines += [f"\n[{table}]", *_rows(fields[table])]
    for table in ("shocks", "indicators"):
        for row in fields[table]:
            lines += [f"\n[[{table}]]", *_rows(row)]
    return "\n".join(lines) + "\n"


def _rows(struct: Any) -> list[str]:
    pairs = msgspec.structs.asdict(struct).items()
    return [f"{key} = {_toml(value)}" for key, value in pairs if value is not None]


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return msgspec.json.encode(str(value)).decode().replace("\x7f", "\\u007f")  # a JSON string is a TOML string
    return value.isoformat() if isinstance(value, date) else repr(value)
