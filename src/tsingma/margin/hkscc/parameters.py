"""Risk parameters of one day: the content of HKEX's Initial Margin Risk Parameter File (RPF01).

Source: HKSCC VaR Platform Initial Margin Calculation Guide v1.4 (October 2025), file specification. Rates, returns
and deltas are integers scaled by 10**10 (the file carries up to ten decimals); money is whole HKD.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.basics.rounding import divide_up

SCALE_E10 = 10**10
EXPECTED_SHORTFALL_DISCRETE = 4  # "FHS ES (Discrete)": the plain average of the worst scenarios, no interpolation
FAULTS_SHOWN = 20  # a file of the wrong kind is wrong everywhere; the first faults say enough
RETURN_E10_MAX = 10 * SCALE_E10  # a return of 1,000%; keeps market value x return exact in the kernel
ENTITLEMENTS: Mapping[int, str] = {1: "DSP", 2: "SRI", 3: "DIV"}  # in specie, rights, cash dividend


class BetaHedge(msgspec.Struct, frozen=True):
    """FieldType 4: what closing out a large position of one underlying costs, and its beta to the hedge."""

    bucket_rate_e10: int
    beta_e10: int
    threshold: int  # HKD of delta-equivalent market value free of charge
    cash_delta_e10: int  # HKD per share: the market price


class StructuredProduct(msgspec.Struct, frozen=True):
    """FieldType 5: a warrant or CBBC in terms of its underlying."""

    underlying: str
    delta_e10: int
    conversion_ratio_e10: int
    cash_delta_e10: int  # HKD of underlying per unit: delta / conversion ratio x underlying price


class PriceThreshold(msgspec.Struct, frozen=True):
    """FieldType 6: a structured product trading so low that one tick is a large move."""

    price_threshold_e10: int
    tick_multiplier_tenth_e10: int  # the file carries one tenth of the tick-size multiplier


class CorporateAction(msgspec.Struct, frozen=True):
    """FieldType 7: the add-on on an entitlement, by direction of its net market value (short rates are negative)."""

    entitlement_type: int
    price_e10: int
    short_addon_e10: int
    long_addon_e10: int


class Parameters(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Risk parameters of one valuation date.

    ``instruments`` are the Tier P instruments in row order; ``hvar_returns_e10`` [instruments, H] and
    ``svar_returns_e10`` [instruments, S] are their scenario returns x 10**10. A file may declare more scenarios than
    it carries (the guide's sample does): ``hvar_declared`` and ``svar_declared`` then exceed the widths, and 0 means
    that the width is the number declared. ``hvar_dates`` and ``svar_dates`` label the scenarios when they are known.
    """

    valuation_date: date
    hvar_weight_e10: int
    svar_weight_e10: int
    hvar_confidence_e10: int
    svar_confidence_e10: int
    hvar_measure: int = EXPECTED_SHORTFALL_DISCRETE
    svar_measure: int = EXPECTED_SHORTFALL_DISCRETE
    rounding: int
    holiday_factor_e10: int
    stress_count: int = 0
    instruments: tuple[str, ...]
    hvar_returns_e10: npt.NDArray[np.int64]
    svar_returns_e10: npt.NDArray[np.int64]
    hvar_declared: int = 0
    svar_declared: int = 0
    flat_rates_e10: dict[str, int] = {}
    beta_hedges: dict[str, BetaHedge] = {}
    structured_products: dict[str, StructuredProduct] = {}
    price_thresholds: dict[str, PriceThreshold] = {}
    corporate_actions: dict[tuple[str, int], CorporateAction] = {}  # by stock code and entitlement type
    hvar_dates: tuple[str, ...] = ()
    svar_dates: tuple[str, ...] = ()
    name: str = "RPF01"

    @property
    def hvar_count(self) -> int:
        """Return the number of HVaR scenarios declared."""
        return self.hvar_declared or self.hvar_returns_e10.shape[1]

    @property
    def svar_count(self) -> int:
        """Return the number of SVaR scenarios declared."""
        return self.svar_declared or self.svar_returns_e10.shape[1]

    @property
    def hvar_tail_count(self) -> int:
        """Return how many of the worst HVaR scenarios are averaged."""
        return tail_count(self.hvar_confidence_e10, self.hvar_count)

    @property
    def svar_tail_count(self) -> int:
        """Return how many of the worst SVaR scenarios are averaged."""
        return tail_count(self.svar_confidence_e10, self.svar_count)

    @property
    def is_partial(self) -> bool:
        """Return whether fewer scenarios are carried than declared, so that no tail can be computed."""
        carried = int(self.hvar_returns_e10.shape[1]), int(self.svar_returns_e10.shape[1])
        return carried[0] < self.hvar_count or carried[1] < self.svar_count


def tail_count(confidence_e10: int, scenario_count: int) -> int:
    """Return ceil((1 - confidence) x scenarios), in integers: 99.4% of 1,000 is 6 (binary floats would say 7)."""
    return divide_up((SCALE_E10 - confidence_e10) * scenario_count, SCALE_E10)


def check_parameters(parameters: Parameters, *, file: str = "") -> Parameters:
    """Return the parameters, or raise Rejected with the contradictions found in them (the first twenty).

    Checked: weights sum to 1, confidence levels inside (0, 1), the supported measure, positive rounding unit, shapes
    of the return arrays and their size, label counts, no instrument in both tiers, no structured product without an
    underlying, no negative price, rate or threshold.
    """
    found = [*_header_faults(parameters), *_array_faults(parameters), *_row_faults(parameters)]
    if found:
        raise Rejected(
            *(msgspec.structs.replace(fault, file=file or parameters.name) for fault in found[:FAULTS_SHOWN])
        )
    return parameters


def _fault(reason: RejectionReason, field: str, message: str, remedy: str, subject: str = "") -> Rejection:
    return Rejection(reason=reason, field=field, message=message, remedy=remedy, subject=subject)


def _header_faults(parameters: Parameters) -> list[Rejection]:
    out = RejectionReason.OUT_OF_RANGE
    found = []
    weight = parameters.hvar_weight_e10 + parameters.svar_weight_e10
    if weight != SCALE_E10 or min(parameters.hvar_weight_e10, parameters.svar_weight_e10) < 0:
        text = f"HVaR_WGT and SVaR_WGT sum to {weight / SCALE_E10:g}, not 1"
        found.append(_fault(out, "HVaR_WGT", text, "weights are not negative and sum to 1"))
    for field, level_e10 in (("HVaR_CL", parameters.hvar_confidence_e10), ("SVaR_CL", parameters.svar_confidence_e10)):
        if not 0 < level_e10 < SCALE_E10:
            text = f"confidence {level_e10 / SCALE_E10:g} is outside 0 to 1"
            found.append(_fault(out, field, text, "write 99.4% as 0.994"))
    for field, measure in (("HVaR_Measure", parameters.hvar_measure), ("SVaR_Measure", parameters.svar_measure)):
        if measure != EXPECTED_SHORTFALL_DISCRETE:
            text = f"measure {measure} is not supported"
            found.append(_fault(RejectionReason.UNKNOWN, field, text, "only 4 = FHS ES (Discrete) is published"))
    if parameters.rounding <= 0:
        found.append(_fault(out, "Rounding", f"rounding unit {parameters.rounding} is not positive", "use 10000"))
    if parameters.holiday_factor_e10 < 0 or parameters.stress_count < 0:
        found.append(
            _fault(out, "Holiday_Factor", "negative holiday factor or stress count", "use 0 when there is none")
        )
    return found


def _array_faults(parameters: Parameters) -> list[Rejection]:
    rows = len(parameters.instruments)
    found = []
    if len(set(parameters.instruments)) != rows:
        found.append(_fault(RejectionReason.DUPLICATE, "InstrumentId", "an instrument has two rows", "keep one"))
    for name, returns, declared, dates in (
        ("HVaR", parameters.hvar_returns_e10, parameters.hvar_count, parameters.hvar_dates),
        ("SVaR", parameters.svar_returns_e10, parameters.svar_count, parameters.svar_dates),
    ):
        field = f"{name}_Scen_Count"
        if returns.ndim != 2 or returns.shape[0] != rows or returns.dtype != np.int64:
            text = f"{name} returns have shape {returns.shape} and type {returns.dtype} for {rows} instruments"
            found.append(_fault(RejectionReason.MALFORMED, field, text, "give int64 [instruments, scenarios]"))
            continue
        if returns.shape[1] > declared or declared < 1:
            text = f"{returns.shape[1]} scenarios where {declared} are declared"
            found.append(_fault(RejectionReason.CONFLICT, field, text, "declare as many as there are, at least one"))
        if dates and len(dates) != returns.shape[1]:
            text = f"{len(dates)} labels for {returns.shape[1]} scenarios"
            found.append(_fault(RejectionReason.CONFLICT, field, text, "label every scenario or none"))
        if returns.size and int(np.abs(returns).max()) > RETURN_E10_MAX:
            text = f"a {name} return is larger than {RETURN_E10_MAX // SCALE_E10}00%"
            found.append(_fault(RejectionReason.OUT_OF_RANGE, field, text, "write returns as fractions, 1% as 0.01"))
    return found


def _row_faults(parameters: Parameters) -> list[Rejection]:
    out = RejectionReason.OUT_OF_RANGE
    found = []
    for code in sorted(set(parameters.instruments) & set(parameters.flat_rates_e10)):
        text = "has scenario returns and a flat rate"
        found.append(_fault(RejectionReason.CONFLICT, "FieldType", text, "an instrument is in one tier", code))
    for code, rate_e10 in parameters.flat_rates_e10.items():
        if rate_e10 < 0:
            found.append(_fault(out, "FieldType 3", "negative flat rate", "rates are fractions of value", code))
    for code, hedge in parameters.beta_hedges.items():
        if min(hedge.bucket_rate_e10, hedge.threshold, hedge.cash_delta_e10) < 0:
            text = "negative bucket rate, threshold or price"
            found.append(_fault(out, "FieldType 4", text, "only the beta may be negative", code))
    for code, product in parameters.structured_products.items():
        if product.conversion_ratio_e10 <= 0:
            found.append(_fault(out, "FieldType 5", "conversion ratio is not positive", "correct column 3", code))
        if product.underlying not in parameters.beta_hedges:
            text = f"underlying '{product.underlying}' has no FieldType 4 row"
            found.append(_fault(RejectionReason.UNKNOWN, "FieldType 5", text, "add the row of the underlying", code))
    for code, threshold in parameters.price_thresholds.items():
        if min(threshold.price_threshold_e10, threshold.tick_multiplier_tenth_e10) < 0:
            found.append(_fault(out, "FieldType 6", "negative price or tick multiplier", "correct the row", code))
    for (code, kind), action in parameters.corporate_actions.items():
        if kind not in ENTITLEMENTS or kind != action.entitlement_type:
            text = f"entitlement type {kind} is unknown"
            found.append(_fault(RejectionReason.UNKNOWN, "FieldType 7", text, "1 DSP, 2 SRI, 3 DIV", code))
        if action.price_e10 < 0:
            found.append(_fault(out, "FieldType 7", "negative entitlement price", "correct column 2", code))
    return found
