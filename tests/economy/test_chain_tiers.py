"""Matthew effect, tipping, adoption, orders.

Goal: the closed forms and fixed points of A1.2. Method: stated vectors; iteration against the closed form; properties.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected
from tsingma.economy.chain.tiers import (
    Adopters,
    Market,
    adoption_path,
    bertrand_markup,
    leader_share,
    logit_fixed_points,
    output_under_orders,
    provider_shares,
)


@pytest.mark.parametrize(("steepness", "points"), [
    (1.0, (0.5,)), (2.0, (0.5,)), (2.5, (0.14479, 0.5, 0.85521)), (4.0, (0.02125, 0.5, 0.97875)),
])  # fmt: skip
def test_fixed_points_of_the_network_map(steepness: float, points: tuple[float, ...]) -> None:
    """Goal: one fixed point up to b = 2, three above. Method: the stated five digits."""
    assert logit_fixed_points(steepness) == pytest.approx(points, abs=5e-6)


@given(st.floats(1.2, 4), st.floats(0, 0.25), st.floats(0.5, 2))
def test_amplification_is_the_closed_form(elasticity: float, feedback: float, ahead: float) -> None:
    """Goal: log share ratio = (h-1) log(a1/a2) / (1 - g(h-1)). Method: iterate use and quality by hand."""
    market = Market(elasticity=elasticity, feedback=feedback)
    share = np.array([0.5, 0.5])
    for _ in range(300):
        weight = (np.array([ahead, 1.0]) * share**feedback) ** (elasticity - 1)
        share = weight / weight.sum()
    found = provider_shares(market, np.array([ahead, 1.0]))
    assert found == pytest.approx(share, abs=1e-9)
    assert np.log(found[0] / found[1]) == pytest.approx((elasticity - 1) * np.log(ahead) * market.amplification)


def test_a_tipped_market_keeps_the_worse_incumbent() -> None:
    """Goal: above tipping a better entrant still loses; below it wins. Method: same qualities, two pulls."""
    quality, start = np.array([1.0, 1.3]), np.array([0.9, 0.1])
    tipped = provider_shares(Market(elasticity=3.0, feedback=0.8), quality, start)
    assert tipped[0] > 0.999
    open_market = provider_shares(Market(elasticity=3.0, feedback=0.8, openness=0.7), quality, start)
    assert open_market[1] > open_market[0] > 0
    assert Market(elasticity=3.0, feedback=0.8).amplification == float("inf")


@given(st.floats(0.55, 0.95), st.floats(0.05, 0.9))
def test_open_source_lowers_the_leaders_share(base: float, openness: float) -> None:
    """Goal: sign and size of the lever. Method: closed form of the odds."""
    before = Market(elasticity=2.0, feedback=0.6)
    after = Market(elasticity=2.0, feedback=0.6, openness=openness)
    share = leader_share(base, before, after)
    assert share < base
    odds = np.log(base / (1 - base)) * after.amplification / before.amplification
    assert np.log(share / (1 - share)) == pytest.approx(odds)
    assert leader_share(base, before, before) == pytest.approx(base)


def test_more_suppliers_charge_less() -> None:
    """Goal: markups fall towards h/(h-1). Method: two to a thousand."""
    markups = [bertrand_markup(4.0, n) for n in (2, 3, 10, 1000)]
    assert markups == sorted(markups, reverse=True)
    assert markups[-1] == pytest.approx(4 / 3, rel=1e-3)


def test_costs_lower_the_ceiling_and_the_path_never_passes_it() -> None:
    """Goal: adoption rises to its ceiling; costs bite small firms. Method: two groups over 60 years."""
    large, small = Adopters(benefit=0.5, cost=0.1), Adopters(benefit=0.5, cost=0.4)
    paths = [adoption_path(group, 60) for group in (large, small)]
    for group, path in zip((large, small), paths, strict=True):
        assert (np.diff(path) > 0).all()
        assert path[-1] == pytest.approx(group.ceiling, abs=1e-4)
    assert (paths[0] > paths[1]).all()


def test_a_subsidy_without_orders_does_little() -> None:
    """Goal: the demand constraint binds. Method: 30 % subsidy, orders up 2 % or plenty."""
    assert output_under_orders(0.3, 1.5, 1.02) == 1.02
    assert output_under_orders(0.3, 1.5, 9.0) == pytest.approx(1.3**1.5)


@pytest.mark.parametrize("call", [
    lambda: Market(elasticity=1.0), lambda: Market(feedback=-0.1), lambda: Market(openness=1.2),
    lambda: provider_shares(Market(), np.array([1.0, 0.0])), lambda: leader_share(1.0, Market(), Market()),
    lambda: leader_share(0.6, Market(elasticity=3, feedback=0.6), Market()), lambda: bertrand_markup(2.0, 1),
    lambda: logit_fixed_points(0.0), lambda: adoption_path(Adopters(benefit=1, cost=0), 0),
    lambda: output_under_orders(-0.1, 1.0, 1.0),
])  # fmt: skip
def test_bad_input_is_refused(call: object) -> None:
    """Goal: ranges are kept. Method: one fault each."""
    with pytest.raises(Rejected):
        call()
