"""Renminbi statistics as a table of rows, and as the monthly flows that the offshore pool takes."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.renminbi.parameters import Parameters

CENTS_A_BILLION = 100 * 10**9
DAYS_A_MONTH = 21  # business days; what a month of the model stands for


class Measure(StrEnum):
    """What a row counts; amounts are cents of its currency, summed over the period unless it says otherwise."""

    TURNOVER = "turnover"  # consideration, one side; key: counter
    DUTY = "duty"  # stamp duty of both sides; key: counter
    NORTHBOUND = "northbound"  # net purchases of Mainland securities from the link; key: counter
    SOUTHBOUND = "southbound"  # net purchases of Hong Kong securities by the link; key: counter
    PAYMENTS = "payments"  # money that settled; key: what moved it
    POOL = "pool"  # balances at the end of the period; key: kind of holder
    OUTSTANDING = "outstanding"  # face or units in issue at the end of the period; key: ISIN
    ISSUED = "issued"  # the change of that over the period; key: ISIN


class StatisticsRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One figure: measure, key, currency, cents (units for securities that are no bonds), and what was counted."""

    measure: Measure
    key: str
    currency: str
    amount: int
    count: int


class Statistics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the books of a house say of a period: first and last day (ISO dates), business days, rows in order."""

    first: str
    last: str
    days: int
    rows: tuple[StatisticsRow, ...]

    def total(self, measure: Measure, currency: str = "CNY") -> int:
        """Return the sum of a measure in a currency, cents."""
        return sum(row.amount for row in self.rows if row.measure is measure and row.currency == currency)


def with_statistics(given: Parameters, found: Statistics, *, gross_up: float) -> Parameters:
    """Return the parameters with the pool's monthly flows (CNY bn) as the books show them.

    North- and southbound net purchases and the proceeds of bonds issued are scaled from the period to a month of
    ``DAYS_A_MONTH`` business days and by ``gross_up`` (how many such houses the market is); net purchases below zero
    are a flow the other way. The level of the pool and what the books do not show stay as calibrated. Raises Rejected
    (out-of-range) for a period without days or a factor that is not positive.
    """
    if found.days < 1 or gross_up <= 0:
        message = f"{found.days} days, gross-up {gross_up:g}"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="gross_up", remedy="both must be positive")
    scale = gross_up * DAYS_A_MONTH / found.days / CENTS_A_BILLION
    north, south = found.total(Measure.NORTHBOUND), found.total(Measure.SOUTHBOUND)
    bonds = max(found.total(Measure.ISSUED), 0)
    flows = {
        "northbound": scale * (max(north, 0) + max(-south, 0)),
        "southbound": scale * (max(south, 0) + max(-north, 0)),
        "proceeds_kept": scale * bonds,
    }
    return msgspec.structs.replace(given, pool=msgspec.structs.replace(given.pool, **flows))
