"""What a margin run takes beside the risk parameters: positions and the terms of one participant."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.margin.hkscc.parameters import SCALE_E10

MARKET_VALUE_MAX = 10**14  # HKD of one account, longs and shorts added; keeps the scenario kernel exact
REST = "rest"  # the group of everything that is no initial public offering
DEFAULT_SUBGROUP = "1"


class MarginablePosition(msgspec.Struct, frozen=True):
    """A netted position: quantity > 0 is long; contract value > 0 is payable; market value carries the quantity's sign.

    Values are whole HKD (guide v1.4, sign conventions).
    """

    instrument: str
    quantity: int
    contract_value: int
    market_value: int


class PositionLimit(msgspec.Struct, frozen=True):
    """How much a participant may carry on its liquid capital before it pays more (none for custodians)."""

    liquid_capital: int
    multiplier_e10: int
    addon_rate_e10: int
    cap: int | None = None  # HKD; the guide says that no cap applies at present


class ParticipantTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of one participant (reports DWH0081C and DWH0303, and the daily margin requirement report).

    ``tail_means_hvar`` and ``tail_means_svar`` are given tail means in HKD by group (an IPO's code or ``rest``); they
    take the place of those computed from the scenarios.
    """

    margin_multiplier_e10: int
    margin_credit: int
    credit_risk_addon: int
    ad_hoc_addon: int
    tier_p_floor_e10: int
    min_tick_e10: int
    hedge_instrument: str
    ipo: tuple[str, ...] = ()
    position_limit: PositionLimit | None = None
    flat_rate_groups: dict[str, str] = {}
    tail_means_hvar: dict[str, Decimal] = {}
    tail_means_svar: dict[str, Decimal] = {}

    @property
    def has_tail_means(self) -> bool:
        """Return whether tail means are given for both measures, so that a partial parameter file will do."""
        return bool(self.tail_means_hvar) and bool(self.tail_means_svar)


def check_terms(terms: ParticipantTerms, *, file: str = "") -> ParticipantTerms:
    """Return the terms, or raise Rejected naming every value out of range."""
    limit = terms.position_limit
    values = {
        "margin_multiplier": terms.margin_multiplier_e10,
        "margin_credit": terms.margin_credit,
        "credit_risk_addon": terms.credit_risk_addon,
        "ad_hoc_addon": terms.ad_hoc_addon,
        "tier_p_floor": terms.tier_p_floor_e10,
        "min_tick": terms.min_tick_e10,
    }
    if limit is not None:
        values["position_limit.liquid_capital"] = limit.liquid_capital
        values["position_limit.multiplier"] = limit.multiplier_e10
        values["position_limit.addon_rate"] = limit.addon_rate_e10
        values["position_limit.cap"] = limit.cap or 0
    found = [
        Rejection(reason=RejectionReason.OUT_OF_RANGE, file=file, field=field, message="is negative", remedy="use 0")
        for field, value in values.items()
        if value < 0
    ]
    if terms.tier_p_floor_e10 > SCALE_E10:
        text = "is above 1"
        remedy = "write 3.2% as 0.032"
        reason = RejectionReason.OUT_OF_RANGE
        found.append(Rejection(reason=reason, file=file, field="tier_p_floor", message=text, remedy=remedy))
    if len(set(terms.ipo)) != len(terms.ipo) or REST in terms.ipo:
        text = "lists a code twice, or uses the word 'rest' as a code"
        remedy = "list every new listing once"
        found.append(Rejection(reason=RejectionReason.DUPLICATE, file=file, field="ipo", message=text, remedy=remedy))
    for name, means in (("hvar", terms.tail_means_hvar), ("svar", terms.tail_means_svar)):
        found.extend(
            Rejection(
                reason=RejectionReason.UNKNOWN,
                file=file,
                field=f"tail_means.{name}",
                subject=group,
                message="is no group of the portfolio",
                remedy="groups are the codes under 'ipo' and 'rest'",
            )
            for group in sorted(set(means) - {REST, *terms.ipo})
        )
    if found:
        raise Rejected(*found)
    return terms
