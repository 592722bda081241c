"""Guarantee Fund risk collateral: what a group pays when its expected loss outgrows its share of the fund.

Source: HKSCC Initial Margin Calculation Guide v1.4 (October 2025), Guarantee Fund risk. It is no part of the margin
total.
"""

from __future__ import annotations

from collections.abc import Mapping

from tsingma.basics.rejection import RejectionReason, refuse


def guarantee_fund_risk_collateral(
    expected_losses: Mapping[str, int], predefined_limit: int, *, fund_at_threshold: bool
) -> dict[str, int]:
    """Return whole HKD by participant of one group: the group's excess over the limit, split by expected loss.

    ``expected_losses`` are expected uncollateralised losses in HKD by participant; ``predefined_limit`` is half the
    fund's threshold (HKD 3,650,000,000 of 7.3 billion). Nothing is collected before the fund reaches its threshold.
    Shares are cut to whole HKD and the rest goes to the largest remainders, so that they sum to the excess.
    """
    if predefined_limit < 0 or any(loss < 0 for loss in expected_losses.values()):
        raise refuse(
            RejectionReason.OUT_OF_RANGE, "a limit or expected loss is negative", field="expected loss", remedy="use 0"
        )
    total = sum(expected_losses.values())
    excess = max(total - predefined_limit, 0)
    if not fund_at_threshold or excess == 0:
        return dict.fromkeys(expected_losses, 0)
    shares = {name: divmod(excess * loss, total) for name, loss in expected_losses.items()}
    left = excess - sum(whole for whole, _ in shares.values())
    by_remainder = sorted(shares, key=lambda name: (-shares[name][1], name))
    favoured = set(by_remainder[:left])
    return {name: whole + (name in favoured) for name, (whole, _) in shares.items()}
