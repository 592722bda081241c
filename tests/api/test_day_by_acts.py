"""A business day by acts of the operator over HTTP, by the batch, and by both: one plan, one end.

Goal: whoever runs a day, in whatever turn, each step is done once and the house ends the same. Method: the third day of
a simulated market (the first two are settled in it), with stocks, futures and margin. The twin is the batch alone; what
is compared is the hash of every room of the house but that of the acts themselves, and the figures of the closed day.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from day_desk import (
    BY_ACTS,
    DAY,
    PLAN,
    Stopped,
    batch,
    before,
    desk,
    ends_as,
    market,
    plan_of,
    prices,
    run_by_acts,
    twin,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tsingma.app.house_market import HouseMarket
from tsingma.app.inspect import verify_house
from tsingma.app.market_folder import run_folder_until
from tsingma.app.progress import Silent
from tsingma.basics.clock import FixedClock
from tsingma.engine.day_plan import PlanKind

__all__ = ["before", "market", "prices", "twin"]  # fixtures


def test_a_day_by_acts_alone_ends_as_the_batch_does(
    before: Path, twin: Path, market: Path, prices: HouseMarket, tmp_path: Path
) -> None:
    """Goal: a whole day in a served house. Method: every step proposed and approved; each is an act of its own id."""
    house = Path(shutil.copytree(before, tmp_path / "house"))
    with desk(house, prices) as running:
        assert run_by_acts(running) == len(BY_ACTS)
        by_act = [one["step"] for one in plan_of(running) if one["act"] is not None]
        assert by_act == [step.name for step in BY_ACTS if step.kind is not PlanKind.TRADES]
        trades = running.get("operator", f"/trades?day={DAY}&limit=1").json()["items"]
        assert len(trades) == 1
    ends_as(house, twin)
    before_again = verify_house(house).records
    batch(house, market, DAY)  # nothing is left to do
    assert verify_house(house).records == before_again


@settings(max_examples=2, deadline=None)
@given(st.integers(1, len(BY_ACTS) - 1))
@example(len(BY_ACTS) - 1)
def test_begun_by_acts_and_finished_by_the_batch(
    before: Path, twin: Path, market: Path, prices: HouseMarket, tmp_path_factory: pytest.TempPathFactory, done: int
) -> None:
    """Goal: a step done by an act is done for the batch. Method: k steps by acts, then the batch."""
    house = Path(shutil.copytree(before, tmp_path_factory.mktemp("acts") / "house"))
    with desk(house, prices) as running:
        assert run_by_acts(running, done) == done
    batch(house, market, DAY)
    ends_as(house, twin)


@settings(max_examples=2, deadline=None)
@given(st.integers(1, len(PLAN) - 4))
@example(2)  # between a step and what settles together after it
def test_begun_by_the_batch_and_finished_by_acts(
    before: Path, twin: Path, market: Path, prices: HouseMarket, tmp_path_factory: pytest.TempPathFactory, done: int
) -> None:
    """Goal: a step done by the batch is done for the acts. Method: the batch ends after its k-th record, then acts."""
    house = Path(shutil.copytree(before, tmp_path_factory.mktemp("batch") / "house"))
    with pytest.raises(Stopped):
        batch(house, market, DAY, records=done)
    with desk(house, prices) as running:
        run_by_acts(running)
    ends_as(house, twin)


@pytest.mark.soak
@pytest.mark.parametrize("first", ["acts", "batch"])
def test_every_place_to_change_over(
    before: Path, twin: Path, market: Path, prices: HouseMarket, tmp_path: Path, first: str
) -> None:
    """Goal: no k is special. Method: the two tests above for every k."""
    for done in range(1, len(BY_ACTS) if first == "acts" else len(PLAN) - 3):
        house = Path(shutil.copytree(before, tmp_path / str(done)))
        if first == "batch":
            with pytest.raises(Stopped):
                batch(house, market, DAY, records=done)
        with desk(house, prices) as running:
            run_by_acts(running, done if first == "acts" else 1_000)
        batch(house, market, DAY)
        ends_as(house, twin)


def test_the_batch_stops_where_it_is_told_and_both_change_over_twice(
    before: Path, twin: Path, market: Path, prices: HouseMarket, tmp_path: Path
) -> None:
    """Goal: mixing at will. Method: batch until a step, acts for five, batch until another, acts to the end."""
    house = Path(shutil.copytree(before, tmp_path / "house"))
    run_folder_until(house, market, DAY, "batch-settlement-run-1", FixedClock(), Silent())
    with desk(house, prices) as running:
        assert run_by_acts(running, 5) == 5
    plan = run_folder_until(house, market, DAY, "trades", FixedClock(), Silent())
    done = [one.step for one in plan if one.state == "done"]
    assert done[-1] == "trades"
    with desk(house, prices) as running:
        run_by_acts(running)
    ends_as(house, twin)
