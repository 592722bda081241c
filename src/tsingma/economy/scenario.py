"""A scenario: what is done to a model, when, why and on whose figures; read from TOML, refused whole when wrong."""

from __future__ import annotations

import calendar
from collections.abc import Collection
from datetime import date
from importlib.resources import files

import msgspec

from tsingma.basics.documents import parse_toml
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.path import Shock

MONTHS_MAX = 1_200
REPLICATIONS_MAX = 1_000_000


class LeverSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lever set to a value in its own unit, from a month of the run on (1 is the first)."""

    name: str
    value: float
    from_month: int = 1


class ScenarioShock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cause: what is moved on a day, by how much, for how many months, why, and the source of the size."""

    name: str
    day: date
    size: float
    unit: str
    months: int = 1
    why: str
    source: str

    def recorded(self) -> Shock:
        """Return the shock as a path keeps it."""
        lasting = f"{self.why} ({self.months} months)" if self.months > 1 else self.why
        return Shock(name=self.name, day=self.day, size=self.size, unit=self.unit, why=lasting, source=self.source)


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scenario; ``level`` and ``by`` say which replication stands for it: the quantile of that indicator's end."""

    name: str
    english: str
    chinese: str
    model: str
    start: date
    months: int
    level: float = 0.5
    by: str = ""
    replications: int = 10_000
    seed: int = 1
    lever: tuple[LeverSetting, ...] = ()
    shock: tuple[ScenarioShock, ...] = ()

    def __post_init__(self) -> None:
        """Refuse lengths, counts and days outside the run."""
        if not 1 <= self.months <= MONTHS_MAX or not 1 <= self.replications <= REPLICATIONS_MAX:
            message = f"{self.months} months and {self.replications} replications"
            remedy = f"1 to {MONTHS_MAX} and 1 to {REPLICATIONS_MAX}"
            raise refuse(RejectionReason.LIMIT, message, subject=self.name, remedy=remedy)
        for shock in self.shock:
            if not 1 <= self.month_of(shock.day) <= self.months or shock.months < 1:
                message = f"'{shock.name}' on {shock.day} for {shock.months} months is outside the run"
                raise refuse(RejectionReason.OUT_OF_RANGE, message, field="shock", subject=self.name)
        for lever in self.lever:
            if not 1 <= lever.from_month <= self.months:
                message = f"'{lever.name}' from month {lever.from_month} is outside the run"
                raise refuse(RejectionReason.OUT_OF_RANGE, message, field="lever", subject=self.name)

    def month_of(self, day: date) -> int:
        """Return the month of the run a day falls in; 0 is the month of the start."""
        return 12 * (day.year - self.start.year) + day.month - self.start.month

    def month_ends(self) -> tuple[date, ...]:
        """Return the start and the last day of each month of the run."""
        return (self.start, *(month_end(self.start, month) for month in range(1, self.months + 1)))

    def levers_in(self, month: int) -> dict[str, float]:
        """Return the levers set in a month of the run."""
        return {lever.name: lever.value for lever in self.lever if lever.from_month <= month}

    def shocks_in(self, month: int) -> dict[str, float]:
        """Return the sum of the shocks of each name that act in a month of the run."""
        total: dict[str, float] = {}
        for shock in self.shock:
            if 0 <= month - self.month_of(shock.day) < shock.months:
                total[shock.name] = total.get(shock.name, 0.0) + shock.size
        return total

    def require(self, model: str, shocks: Collection[str]) -> None:
        """Refuse a scenario of another model, or one that moves what this model does not have."""
        if self.model != model:
            message = f"is a scenario of '{self.model}', not of '{model}'"
            raise refuse(RejectionReason.CONFLICT, message, field="model", subject=self.name)
        for shock in self.shock:
            if shock.name not in shocks:
                remedy = f"there are: {', '.join(sorted(shocks))}"
                raise refuse(
                    RejectionReason.UNKNOWN, f"no shock '{shock.name}'", field="shock", subject=self.name, remedy=remedy
                )


def month_end(start: date, months: int) -> date:
    """Return the last day of the month ``months`` after that of ``start``."""
    year, month = divmod(12 * start.year + start.month - 1 + months, 12)
    return date(year, month + 1, calendar.monthrange(year, month + 1)[1])


def parse_scenario(text: str, *, file: str = "") -> Scenario:
    """Return the scenario of a TOML document; raises Rejected naming the file and the field."""
    try:
        return msgspec.convert(parse_toml(text, file=file), Scenario, strict=False)
    except msgspec.ValidationError as error:
        raise refuse(RejectionReason.MALFORMED, str(error), file=file) from None


def shipped_scenarios(model: str = "") -> dict[str, Scenario]:
    """Return the scenarios that come with the house by name, of one model or of all."""
    folder = files("tsingma.reference").joinpath("data", "scenarios")
    found = {}
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".toml"):
            scenario = parse_scenario(entry.read_text(encoding="utf-8"), file=entry.name)
            if model in ("", scenario.model):
                found[scenario.name] = scenario
    return found
