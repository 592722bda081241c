"""What filtered historical simulation needs to be told, each input named, with a documented default.

HKSCC publishes the results (1,000 HVaR and 1,018 SVaR returns, weights, confidence levels, rounding: sample file of
the Initial Margin Calculation Guide v1.4, October 2025), not how they are made. Decay, holding period, seed, floor,
cap, stress window and liquidity figures are therefore assumptions of this house, and every one can be changed.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse

ONE_E10 = 10**10
STRESS_SCENARIOS_MIN = 50  # below this, 98% leaves no tail to average


class Proxy(StrEnum):
    """How the scenarios of a counter without prices on those days are made; never by zero."""

    BETA = "beta"  # beta times the index: no risk of its own, hence too low; for comparison only
    BETA_AND_RESIDUALS = "beta-and-residuals"  # plus the counter's own residuals, repeated in order of time


class LiquidityBucket(msgspec.Struct, frozen=True):
    """Counters that trade at least so much a day pay this liquidation rate above their threshold."""

    traded_value_from: int  # HKD a day
    rate_e10: int


class FilterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs of the parameter file; the defaults are HKSCC's published ones where there are any.

    Raises Rejected when an input is out of its range or two contradict each other.
    """

    decay_e4: int = 9_700  # weight of yesterday's variance; 0.97 reacts within about 33 days
    look_back_days: int = 1_000  # HVaR scenarios (published count)
    holding_period_days: int = 2  # CNS settles two days after the trade (T+2)
    seed_days: int = 60  # the recursion starts from the mean square of a counter's first returns
    volatility_floor_e6: int = 2_000  # 0.2% a day: a counter that stands still must not blow up its own past
    rescale_cap_e2: int = 300  # today's volatility over that day's, at most 3
    stress_from: date | None = None  # first start day of an SVaR return; None: the most volatile window is found
    stress_to: date | None = None  # last day an SVaR return may end
    stress_days: int = 250  # scenarios of a window that is found
    scale_stress: bool = False  # SVaR returns as they were; True rescales them like HVaR returns
    proxy: Proxy = Proxy.BETA_AND_RESIDUALS
    minimum_observed_days: int = 120  # a counter with fewer returns has no volatility to speak of: flat rate
    hvar_weight_e10: int = 7_500_000_000  # published: 0.75
    svar_weight_e10: int = 2_500_000_000  # published: 0.25
    hvar_confidence_e10: int = 9_940_000_000  # published: 0.994
    svar_confidence_e10: int = 9_800_000_000  # published: 0.98
    rounding: int = 10_000  # published: HKD 10,000
    holiday_factor_e10: int = 0  # published: stated as not applied at launch
    floor_rate_e10: int = 320_000_000  # Tier P minimum margin level, 3.2% from 14 August 2023 (HKSCC margin page)
    hedge_instrument: str = "02800"  # published: the Tracker Fund
    traded_value_days: int = 60  # average over so many last days
    threshold_share_e4: int = 500  # threshold: 5% of the average daily traded value
    threshold_unknown: int = 100_000_000  # HKD, without volumes: the least one of the guide's sample file
    buckets: tuple[LiquidityBucket, ...] = (
        LiquidityBucket(1_000_000_000, 20_000_000),  # 0.20%, as in the guide's sample file
        LiquidityBucket(250_000_000, 22_000_000),  # 0.22%, likewise
        LiquidityBucket(0, 25_000_000),  # 0.25%, likewise
    )

    def __post_init__(self) -> None:
        """Refuse inputs out of range."""
        for field, low, high in (
            ("decay_e4", 5_000, 9_999),
            ("look_back_days", 100, 10_000),
            ("holding_period_days", 1, 20),
            ("seed_days", 5, 1_000),
            ("volatility_floor_e6", 1, 100_000),
            ("rescale_cap_e2", 100, 10_000),
            ("stress_days", STRESS_SCENARIOS_MIN, 10_000),
            ("minimum_observed_days", self.seed_days, self.look_back_days),
            ("hvar_weight_e10", 0, ONE_E10),
            ("svar_weight_e10", ONE_E10 - self.hvar_weight_e10, ONE_E10 - self.hvar_weight_e10),
            ("hvar_confidence_e10", ONE_E10 // 2, ONE_E10 - 1),
            ("svar_confidence_e10", ONE_E10 // 2, ONE_E10 - 1),
            ("rounding", 1, 10**9),
            ("holiday_factor_e10", 0, 10 * ONE_E10),
            ("floor_rate_e10", 0, ONE_E10),
            ("traded_value_days", 1, 1_000),
            ("threshold_share_e4", 1, 10_000),
            ("threshold_unknown", 0, 10**12),
        ):
            value = getattr(self, field)
            if not low <= value <= high:
                raise refuse(RejectionReason.OUT_OF_RANGE, f"{value} is not from {low} to {high}", field=field)
        if (self.stress_from is None) != (self.stress_to is None):
            raise refuse(RejectionReason.MISSING, "a stress window needs both its first and last day", field="stress")
        if self.stress_from is not None and self.stress_to is not None and self.stress_from >= self.stress_to:
            raise refuse(RejectionReason.CONFLICT, "the stress window ends before it starts", field="stress")
        starts = [bucket.traded_value_from for bucket in self.buckets]
        if not starts or starts[-1] != 0 or starts != sorted(starts, reverse=True):
            raise refuse(RejectionReason.CONFLICT, "give buckets from the largest value down to 0", field="buckets")

    @property
    def days_min(self) -> int:
        """Return how many days of prices the look-back needs."""
        return self.look_back_days + self.holding_period_days
