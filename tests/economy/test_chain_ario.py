"""Days after an outage.

Goal: BoARIO's pins within 1 %, conservation and rationing by hand, refusals. Method: pymrio's 6 x 8 test table where
pymrio is installed (BoARIO itself is not run here); small made-up tables.
"""

from __future__ import annotations

import numpy as np
import pytest

from chain_tables import made_up_table
from tsingma.basics.rejection import Rejected
from tsingma.economy.chain.ario import ArioSettings, Blockade, Outage, run_ario
from tsingma.economy.chain.table import Table, checked_table

# BoARIO 0.7.2 on pymrio's test table: capital of reg2's manufacturing lost on day 5, back in a line over 60 days.
# Its event lasts 5 days and its recovery begins the day after: six days at the whole loss beside the first.
PINS = {0.05: (-0.05, 1.7706, 0.16057, -0.01496)}


@pytest.fixture(scope="module")
def six_by_eight() -> Table:
    """pymrio's test table."""
    pymrio = pytest.importorskip("pymrio")
    system = pymrio.load_test()
    regions = list(dict.fromkeys(region for region, _ in system.Z.columns))
    sectors = list(dict.fromkeys(sector for _, sector in system.Z.columns))
    flows, final = system.Z.to_numpy(), system.Y.to_numpy().reshape(48, 6, -1).sum(axis=2)
    output = flows.sum(axis=1) + final.sum(axis=1)
    return checked_table(regions, sectors, flows, final, output, unit="m EUR", year=0, source="pymrio test")


@pytest.mark.parametrize("share", PINS)
def test_boario_pins(six_by_eight: Table, share: float) -> None:
    """Goal: within 1 % of BoARIO. Method: own minimum, own loss, world loss, worst other sector."""
    loss, struck = np.zeros(48), six_by_eight.row("reg2", "manufactoring")
    loss[struck] = share
    path = run_ario(six_by_eight, (Outage(loss=loss, first_day=5, held_days=6, recovery_days=60),), 365)
    lowest, own, world, other = PINS[share]
    assert path.lowest[struck] == pytest.approx(lowest, rel=0.01)
    assert path.lost_days[struck] == pytest.approx(own, rel=0.01)
    assert path.world_lost_days == pytest.approx(world, rel=0.01)
    assert path.lowest[six_by_eight.row("reg2", "mining")] == pytest.approx(other, rel=0.01)


def test_nothing_lost_nothing_moves() -> None:
    """Goal: the base year is a rest point. Method: 100 days without an outage."""
    path = run_ario(made_up_table(), (), 100)
    assert np.abs(path.output / path.base - 1).max() < 1e-12
    assert np.abs(path.unmet_final).max() < 1e-12


def test_stocks_carry_users_until_they_run_out() -> None:
    """Goal: a user with stock works on; when it is gone it stops. Method: the only maker of a good stops for good."""
    flows = np.zeros((2, 2))
    flows[0, 1] = 365.0
    table = checked_table(
        ["A"],
        ["part", "car"],
        flows,
        np.array([[0.0], [730.0]]),
        np.array([365.0, 730.0]),
        unit="unit",
        year=1,
        source="t",
    )
    outage = Outage(loss=np.array([1.0, 0.0]), first_day=10, held_days=1000)
    path = run_ario(table, (outage,), 120, ArioSettings(psi=0.1, inventory_days=30.0))
    cars = path.output[:, 1] / path.base[1]
    assert cars[:37] == pytest.approx(np.ones(37))  # 30 days of stock, down to 3 before it binds
    assert cars[80] < 0.01
    assert path.unmet_final[80, 1] == pytest.approx(path.base[1], rel=0.01)


def test_who_is_served_first() -> None:
    """Goal: with final demand first households lose less, producers more. Method: the same loss both ways."""
    table, loss = made_up_table(4), np.zeros(12)
    loss[table.row("JPN", "chips")] = 0.2
    unmet = []
    for first in (False, True):
        path = run_ario(table, (Outage(loss=loss, held_days=5),), 40, ArioSettings(final_first=first))
        unmet.append(path.unmet_final[:10].sum())
    assert unmet[1] < 0.1 * unmet[0]


def test_blocked_orders_go_elsewhere_or_nowhere() -> None:
    """Goal: the seller loses its orders, others of its kind gain them. Method: one pair of countries."""
    table = made_up_table(5)
    made = np.zeros(12, np.bool_)
    made[table.row("JPN", "chips")] = True
    users = np.zeros((3, 4), np.bool_)
    users[2] = True
    stop = Blockade(sellers=made, buyers=users.reshape(-1), first_day=3, held_days=20)
    path = run_ario(table, (), 60, ArioSettings(inventory_days=5.0), blockades=(stop,))
    change = path.output / path.base - 1
    assert change[3, table.row("JPN", "chips")] < -0.01
    assert np.abs(change[:3]).max() < 1e-12
    assert change[4:12, table.row("CHN", "chips")].max() > 0
    with pytest.raises(Rejected, match="not one for each cell"):
        run_ario(table, (), 5, blockades=(Blockade(sellers=made[:3], buyers=made),))


def test_a_larger_loss_costs_more_and_recovery_is_whole() -> None:
    """Goal: monotone, and back at base in the end. Method: four sizes on a made-up table."""
    table, lost = made_up_table(2), []
    for part in (0.1, 0.3, 0.6, 0.9):
        loss = np.zeros(12)
        loss[table.row("KOR", "chips")] = part
        path = run_ario(table, (Outage(loss=loss, recovery_days=30),), 700)
        lost.append(path.world_lost_days)
        assert path.output[-1] == pytest.approx(path.base, rel=0.02)
    assert lost == sorted(lost)


@pytest.mark.parametrize(("outage", "days", "message"), [
    (Outage(loss=np.zeros(3)), 10, "12,"),
    (Outage(loss=np.full(12, 1.5)), 10, "outside 0 to 1"),
    (Outage(loss=np.zeros(12), recovery_days=0), 10, "recovery takes none"),
    (Outage(loss=np.zeros(12)), 0, "0 days"),
])  # fmt: skip
def test_bad_outages_are_refused(outage: Outage, days: int, message: str) -> None:
    """Goal: nothing runs on nonsense. Method: one fault each."""
    with pytest.raises(Rejected, match=message):
        run_ario(made_up_table(), (outage,), days)
