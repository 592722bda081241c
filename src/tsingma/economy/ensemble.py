"""Many paths at once: an array of replications, each with its seed, and what is read from it (fans, ranks, paths)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.draws import Seeds
from tsingma.economy.path import Indicator, Likelihood, LikelihoodKind, Path, Provenance, Shock, Unit

Floats = npt.NDArray[np.float64]
FAN_LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


class Fan(msgspec.Struct, frozen=True, kw_only=True):
    """A fan chart: for each level of probability the value of each date."""

    indicator: str
    unit: Unit
    dates: tuple[date, ...]
    levels: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Replications of one scenario; ``values`` is float64 [replications, indicators, dates]."""

    name: str
    dates: tuple[date, ...]
    names: tuple[str, ...]
    units: tuple[Unit, ...]
    values: Floats
    seeds: Seeds
    provenance: Provenance
    shocks: tuple[Shock, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an array that does not fit the names, dates and seeds, or holds a number that is none."""
        shape = (len(self.seeds), len(self.names), len(self.dates))
        if self.values.shape != shape or len(self.units) != len(self.names):
            message = f"values are {self.values.shape}, replications x indicators x dates are {shape}"
            raise refuse(RejectionReason.MALFORMED, message, subject=self.name)
        if not np.isfinite(self.values).all():
            row, column, step = np.argwhere(~np.isfinite(self.values))[0]
            message = f"no number for {self.names[column]} on {self.dates[step]} in replication {row}"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, subject=self.name, remedy="the model did not converge")

    def of(self, name: str) -> Floats:
        """Return one indicator, float64 [replications, dates]; raises Rejected (unknown)."""
        if name not in self.names:
            remedy = f"there are: {', '.join(self.names)}"
            raise refuse(RejectionReason.UNKNOWN, f"no indicator '{name}'", subject=self.name, remedy=remedy)
        return self.values[:, self.names.index(name)]

    def fan(self, name: str, levels: Sequence[float] = FAN_LEVELS) -> Fan:
        """Return the quantiles of one indicator by date; levels strictly between 0 and 1, rising."""
        if not levels or min(levels) <= 0 or max(levels) >= 1 or list(levels) != sorted(set(levels)):
            raise refuse(RejectionReason.OUT_OF_RANGE, f"levels {levels} do not rise within 0 to 1", field="levels")
        found = np.quantile(self.of(name), levels, axis=0)
        unit = self.units[self.names.index(name)]
        values = tuple(tuple(map(float, row)) for row in found)
        return Fan(indicator=name, unit=unit, dates=self.dates, levels=tuple(levels), values=values)

    def path(self, replication: int, *, by: str) -> Path:
        """Return one replication as a path; its probability is the share at least as low in ``by`` on the last date."""
        if not 0 <= replication < len(self.seeds):
            message = f"replication {replication} of {len(self.seeds)}"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="replication")
        last = self.of(by)[:, -1]
        likelihood = Likelihood(
            kind=LikelihoodKind.PROBABILITY,
            value=float(np.mean(last <= last[replication])),
            basis=f"share of {len(last):,} replications that end at or below it in {by}",
        )
        rows = zip(self.names, self.units, self.values[replication], strict=True)
        return Path(
            name=self.name,
            dates=self.dates,
            indicators=tuple(Indicator(name, unit, tuple(map(float, row))) for name, unit, row in rows),
            likelihood=likelihood,
            provenance=msgspec.structs.replace(self.provenance, seed=int(self.seeds[replication])),
            shocks=self.shocks,
        )

    def path_at(self, level: float, *, by: str) -> Path:
        """Return the replication that ends at a quantile of ``by`` (0.5 the middle one, 0.01 one in a hundred)."""
        if not 0.0 <= level <= 1.0:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"level {level} is not between 0 and 1", field="level")
        order = np.argsort(self.of(by)[:, -1], kind="stable")
        return self.path(int(order[round(level * (len(order) - 1))]), by=by)
