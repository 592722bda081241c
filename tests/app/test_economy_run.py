"""Runs of scenarios: causes add up to the whole, the path stands for the run, odd requests are refused."""

from __future__ import annotations

import pytest

from tsingma.app.economy_run import causes_of, find_scenario, run_scenario
from tsingma.basics.rejection import Rejected


@pytest.mark.parametrize(
    ("model", "name", "causes"),
    [("property", "replay-1997", 5), ("property", "duty-luxury-2026", 1), ("renminbi", "renminbi-opening", 9)],
)
def test_causes_add_up_to_the_whole(model: str, name: str, causes: int) -> None:
    """Goal: a sign that surprises is explained. Method: effects alone and together sum to the end with all."""
    found = causes_of(find_scenario(name, model), model)
    assert len(found.causes) == causes
    total = found.without + sum(one.effect for one in found.causes) + found.together
    assert total == pytest.approx(found.with_all)


def test_signs_of_causes() -> None:
    """Goal: each cause pulls the way it should. Method: the replay of 1997 on home prices, cause by cause."""
    found = causes_of(find_scenario("replay-1997", "property"), "property")
    for one in found.causes:
        assert one.effect < 0, one
    assert found.with_all < found.without


def test_the_level_chooses_the_path() -> None:
    """Goal: one in a hundred is asked for and got. Method: the same run at two levels; the lower ends lower."""
    scenario = find_scenario("homes-baseline", "property")
    low, high = (run_scenario(scenario, "property", replications=400, level=level).path for level in (0.01, 0.99))
    assert low.values("home_price.RVD")[-1] < high.values("home_price.RVD")[-1]
    assert low.likelihood.value <= 0.02


def test_odd_requests_are_refused() -> None:
    """Goal: clear refusals. Method: a model and a scenario nobody has."""
    scenario = find_scenario("homes-baseline", "property")
    with pytest.raises(Rejected, match="no model 'moon'"):
        run_scenario(scenario, "moon")
    with pytest.raises(Rejected, match="a file, or one of"):
        find_scenario("homes-baseline", "renminbi")
