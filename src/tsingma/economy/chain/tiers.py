"""Leaders and small firms: how use makes quality, when one firm takes all, what open source and costs change.

Two or more providers meet a CES demand of elasticity h; use makes quality, ``A_f = a_f s_f^g``. Then shares satisfy
``log(s_1/s_2) = (h-1) log(a_1/a_2) / (1 - g (h-1))``: use amplifies a lead by ``1 / (1 - g (h-1))``, and above ``g
(h-1) = 1`` the market tips. Open source makes a part ``o`` of the effect common to all: ``g (1-o)``. Sources: Katz
and Shapiro 1985, Arthur 1989 for tipping; reference A1.2 for the closed forms. Adoption follows Bass 1969.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.table import Float64

ROUNDS_MAX = 100_000
SETTLED = 1e-13


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """How providers compete: ``elasticity`` h of demand, ``feedback`` g of use on quality, ``openness`` o."""

    elasticity: float = 2.0
    feedback: float = 0.0
    openness: float = 0.0

    def __post_init__(self) -> None:
        """Refuse an elasticity of 1 or less, a negative feedback, an openness outside 0 to 1."""
        if self.elasticity <= 1:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{self.elasticity:g} is not above 1", field="elasticity")
        if self.feedback < 0:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{self.feedback:g} is negative", field="feedback")
        if not 0 <= self.openness <= 1:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{self.openness:g} is outside 0 to 1", field="openness")

    @property
    def pull(self) -> float:
        """Return g (1-o) (h-1): the market tips from 1 upwards."""
        return self.feedback * (1.0 - self.openness) * (self.elasticity - 1.0)

    @property
    def amplification(self) -> float:
        """Return 1 / (1 - pull), infinite where the market tips."""
        return 1.0 / (1.0 - self.pull) if self.pull < 1 else float("inf")


def provider_shares(market: Market, quality: Float64, start: Float64 | None = None) -> Float64:
    """Return the shares [F] that providers of own quality a [F] end with, from shares ``start`` (equal).

    Below tipping the start does not matter (closed form). Above it use decides: the shares run to a corner, which may
    be the one of a worse provider that had more users. Raises Rejected: a quality or start that is not positive.
    """
    quality = np.asarray(quality, np.float64)
    share = np.full(quality.shape, 1.0 / quality.size) if start is None else np.asarray(start, np.float64)
    if (quality <= 0).any() or share.shape != quality.shape or (share <= 0).any():
        raise refuse(RejectionReason.OUT_OF_RANGE, "a quality or starting share is not positive", field="quality")
    steep = market.elasticity - 1.0
    if market.pull < 1:
        logs = steep * np.log(quality) * market.amplification
        weight = np.exp(logs - logs.max())
        return np.asarray(weight / weight.sum(), np.float64)
    logs = np.log(share / share.sum())
    for _ in range(ROUNDS_MAX):
        new = steep * np.log(quality) + market.pull * logs
        new -= new.max() + np.log(np.exp(new - new.max()).sum())
        new = np.maximum(new, -700.0)
        if np.abs(np.exp(new) - np.exp(logs)).max() < SETTLED and np.abs(new - logs).max() < 1e-9:
            return np.asarray(np.exp(new), np.float64)
        logs = new
    return np.asarray(np.exp(logs), np.float64)


def leader_share(base: float, before: Market, after: Market, lead: float = 0.0) -> float:
    """Return the leaders' share after a change of the market and of their lead, from a base share.

    The base share implies the leaders' log quality ``a``; ``lead`` is added to it (log points). Raises Rejected: a base
    outside 0 to 1, or a market that tips before the change (the base share then says nothing of quality).
    """
    if not 0 < base < 1:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{base:g} is outside 0 to 1", field="leaders")
    if before.pull >= 1:
        raise refuse(RejectionReason.OUT_OF_RANGE, "the market has tipped before the change", field="feedback")
    odds = np.log(base / (1.0 - base))
    quality = odds / ((before.elasticity - 1.0) * before.amplification) + lead
    return float(provider_shares(after, np.exp([quality, 0.0]), np.array([base, 1.0 - base]))[0])


def bertrand_markup(elasticity: float, suppliers: int) -> float:
    """Return price over cost of ``suppliers`` equal firms that set prices: e/(e-1), e = h - (h-1)/n.

    Source: Atkeson and Burstein 2008 with an outer elasticity of 1. Raises Rejected for fewer than two suppliers.
    """
    if suppliers < 2:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{suppliers} suppliers, two or more expected", field="suppliers")
    seen = elasticity - (elasticity - 1.0) / suppliers
    return seen / (seen - 1.0)


def logit_fixed_points(steepness: float) -> tuple[float, ...]:
    """Return the shares at which ``s = 1 / (1 + exp(-b (2s - 1)))``, ascending: one up to b = 2, three above."""
    if steepness <= 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{steepness:g} is not positive", field="steepness")
    if steepness <= 2.0:
        return (0.5,)
    low, high = 0.0, 0.5 - 1e-9 if steepness > 2.0 + 1e-6 else 0.5
    for _ in range(200):
        middle = 0.5 * (low + high)
        if 1.0 / (1.0 + np.exp(-steepness * (2.0 * middle - 1.0))) > middle:
            low = middle
        else:
            high = middle
    return (0.5 * (low + high), 0.5, 1.0 - 0.5 * (low + high))


class Adopters(msgspec.Struct, frozen=True, kw_only=True):
    """A group that may adopt: ``benefit`` and ``cost`` of AI per year over its scale (cost: set-up and compliance)."""

    benefit: float
    cost: float
    innovation: float = 0.03  # p
    imitation: float = 0.38  # q: means over many goods, Bass 1969 and later surveys; recalled, not read
    scale: float = 0.25  # how much firms differ

    @property
    def ceiling(self) -> float:
        """Return the part that adopts in the end: firms differ logistically in what they gain."""
        return float(1.0 / (1.0 + np.exp(-(self.benefit - self.cost) / self.scale)))


def adoption_path(group: Adopters, years: int, start: float = 0.0) -> Float64:
    """Return the adopted part at the end of each year [years]: ``a + (p + q a) (ceiling - a)``.

    Raises Rejected: a start outside 0 to 1 or no years.
    """
    if years < 1 or not 0 <= start <= 1:
        message = f"{years} years from {start:g}: one or more, from 0 to 1"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="years")
    adopted, path = start, np.empty(years)
    for year in range(years):
        adopted += (group.innovation + group.imitation * adopted) * (group.ceiling - adopted)
        path[year] = adopted
    return path


def output_under_orders(subsidy: float, supply_elasticity: float, orders: float) -> float:
    """Return output over base of firms that a subsidy lets make more, where ``orders`` over base limit what they sell.

    Supply alone would grow by ``(1 + subsidy)^elasticity``. Raises Rejected: a negative subsidy or orders.
    """
    if subsidy < 0 or orders < 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"subsidy {subsidy:g}, orders {orders:g}", field="subsidy")
    return float(min((1.0 + subsidy) ** supply_elasticity, orders))
