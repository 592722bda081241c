"""The demo's renminbi day: both ways over a link, a coupon on pledged bonds, a substitution, a token trade.

Goal: every figure shown is in the books, and every house of the day proves. Method: run it once in a folder, recompute
what can be by hand, verify the journals it left behind.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tsingma.app.inspect import verify_house
from tsingma.app.renminbi_day import run_renminbi_day
from tsingma.reports.renminbi_figures import RenminbiFigures
from tsingma.reports.renminbi_terminal import summary


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the day's houses."""
    return tmp_path_factory.mktemp("renminbi")


@pytest.fixture(scope="module")
def found(folder: Path) -> RenminbiFigures:
    """Return the figures of the day."""
    return run_renminbi_day(folder, 1)


def test_quota_is_what_was_bought_and_sold(found: RenminbiFigures) -> None:
    """Goal: 52 bn less net purchases. Method: northbound orders that all traded, to the cent."""
    north, south = found.flows
    assert (north.direction, south.direction) == ("northbound", "southbound")
    assert north.net_buy_cents == north.bought_cents - north.sold_cents
    assert north.quota_left_cents == 52_000_000_000_00 - north.net_buy_cents
    assert set(found.lodged_hkd_cents) == {"HKSCC with CHINACLEAR", "CHINACLEAR with HKSCC"}


def test_the_coupon_by_hand(found: RenminbiFigures) -> None:
    """Goal: 184 days of 1.9 % on 10 m, to pledged bonds too. Method: ACT/365F, rounded to the cent."""
    assert set(found.coupon.paid_cents.values()) == {round(100_000 * 10_000 * 0.019 * 184 / 365)}
    assert found.coupon.pledged_units == 100_000


def test_the_call_is_covered_at_every_step(found: RenminbiFigures) -> None:
    """Goal: never below the call. Method: cover before, with both, after: 100,000 bonds at price, rate and haircut."""
    value = 100_000 * 1_080_000 * 9_500 // (1_000_000 * 10_000)
    assert found.exchange.covered_cents == (value * 10_100, value * 10_100 + value * 10_250, value * 10_250)
    assert min(found.exchange.covered_cents) >= found.exchange.called_cents


def test_every_house_proves(folder: Path, found: RenminbiFigures) -> None:
    """Goal: the journals stand for the figures. Method: verify each from outside; the lines name all of it."""
    assert not found.faults
    for name in ("link", "bonds"):
        assert not verify_house(folder / name).faults
    assert found.token_breaks == 0
    assert found.token_days_compared > 0
    text = "\n".join(summary(found))
    for word in ("northbound", "southbound", "coupon", "substitution", "token:", "nothing amiss"):
        assert word in text
