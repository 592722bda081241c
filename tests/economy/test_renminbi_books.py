"""Renminbi statistics from a house's books, the flows they become, and relief from duty on renminbi counters."""

from __future__ import annotations

import csv
import json
import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tsingma.app.renminbi_statistics import HEADER, dual_turnover, renminbi_statistics, to_csv
from tsingma.app.session import Session
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import root
from tsingma.economy.renminbi.duty_relief import duty_relief, responses
from tsingma.economy.renminbi.parameters import parameters
from tsingma.economy.renminbi.statistics import Measure, Statistics, StatisticsRow, with_statistics
from tsingma.journal.commands import CaptureTrades, CloseDay, RunStep, decode
from tsingma.reference.fees import charges
from tsingma.settlement.timetable import timetable

DAY = date(2026, 1, 5)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the house of a small simulated week of two days."""
    out = tmp_path_factory.mktemp("renminbi")
    ran = CliRunner().invoke(root, ["demo", "--trades", "400", "--days", "2", "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    return out / "house"


def test_turnover_and_duty_against_the_trades_one_by_one(house: Path) -> None:
    """Goal: the table is the books. Method: every captured trade priced and charged by the scalar tariff, in a loop."""
    found = renminbi_statistics(house)
    turnover: dict[str, int] = {}
    duty: dict[str, int] = {}
    net = {"north": 0, "south": 0}
    with Session.open(house, read_only=True) as session:
        book, fx = session.house.resolved, {}
        commands = [decode(record.body) for record in session.store.read(0)]
    for command in commands:
        if hasattr(command, "fx_e6"):
            fx = dict(zip(("HKD", "CNY", "USD", "EUR"), command.fx_e6, strict=True))
        if not isinstance(command, CaptureTrades):
            continue
        read = {name: np.frombuffer(getattr(command, name), kind).tolist() for name, kind in (
            ("counter", "<i4"), ("buyer", "<i4"), ("seller", "<i4"), ("quantity", "<i8"), ("price_e4", "<i8"),
            ("maker", "<i1"))}  # fmt: skip
        for number, buyer, seller, quantity, price, maker in zip(*read.values(), strict=True):
            counter = book.book.counters[number]
            cents = (quantity * price + 50) // 100
            turnover[counter.code] = turnover.get(counter.code, 0) + cents
            parties = [book.book.accounts[one].participant for one in (buyer, seller)]
            sign = (parties[0] == "CHINACLEAR") - (parties[1] == "CHINACLEAR")
            side = "north" if counter.market in ("XSHG", "XSHE") else "south"
            net[side] += (-sign if side == "north" else sign) * cents * (counter.currency == "CNY")
            if counter.market == "CMU":
                continue
            for bit, side in ((1, "buy"), (2, "sell")):
                lines = charges(
                    market=counter.market, kind=counter.kind, side=side, amount_cents=cents, currency=counter.currency,
                    day=DAY, fx_e6=fx[counter.currency], market_maker=bool(maker & bit),
                    crossed=parties[0] == parties[1],
                )  # fmt: skip
                due = sum(line.amount_cents for line in lines if line.name == "stamp duty")
                duty[counter.code] = duty.get(counter.code, 0) + due
    rows = {(row.measure, row.key): row.amount for row in found.rows}
    assert {key: rows[Measure.TURNOVER, key] for key in turnover} == turnover
    assert {key: rows.get((Measure.DUTY, key), 0) for key in duty} == duty
    assert found.total(Measure.NORTHBOUND) == net["north"]
    assert found.total(Measure.SOUTHBOUND) == net["south"]
    assert (found.first, found.last, found.days) == ("2026-01-05", "2026-01-06", 2)
    table = list(csv.reader(to_csv(found).splitlines()))
    assert tuple(table[0]) == HEADER
    assert len(table) == len(found.rows) + 1


def test_the_pool_of_the_books_is_what_the_bank_issued(house: Path) -> None:
    """Goal: nothing of the pool is missing. Method: holders' balances are what the settlement bank's account is short.

    The central counterparty may stand below zero too: what its members owe it is its line at the bank.
    """
    found = renminbi_statistics(house)
    with Session.open(house, read_only=True) as session:
        ledger, internal = session.house.ledger, session.house.internal
        owed = sum(int(ledger.balance[ledger.find(owner, 1)]) for owner in (internal.bank, internal.cns))
    assert found.total(Measure.POOL) == -owed


def test_gross_payments_are_in_the_table(tmp_path: Path) -> None:
    """Goal: what settled gross counts as payments. Method: a simulated payment day; the table beside its close."""
    place = tmp_path / "money"
    ran = CliRunner().invoke(root, ["money", "day", "--payments", "300", "--seed", "1", "--house", str(place)])
    assert ran.exit_code == 0, ran.output
    with Session.open(place) as session:
        run = session.house.position.steps_run
        left = [RunStep(step.name) for step in timetable(session.house.resolved.markets)[len(run) :]]
        accepted = session.submit([(f"end/{k}", command) for k, command in enumerate([*left, CloseDay()])])
        (closed,) = accepted[-1].events
    found = {row.currency: row.amount for row in renminbi_statistics(place).rows if row.key == "gross payments"}
    assert found["CNY"] == closed.figures["payments_settled_CNY_cents"] > 0
    assert found["HKD"] == closed.figures["payments_settled_HKD_cents"] > 0


def _statistics(**amounts: int) -> Statistics:
    rows = tuple(StatisticsRow(Measure(name), "x", "CNY", amount, 1) for name, amount in amounts.items())
    return Statistics(first="2026-01-05", last="2026-01-09", days=5, rows=rows)


@given(north=st.integers(-(10**15), 10**15), south=st.integers(-(10**15), 10**15), issued=st.integers(0, 10**15))
def test_flows_keep_sign_and_size(north: int, south: int, issued: int) -> None:
    """Goal: net flows of a week become the month's. Method: northbound less southbound equals the books' difference."""
    before = parameters()
    after = with_statistics(before, _statistics(northbound=north, southbound=south, issued=issued), gross_up=10)
    scale = 10 * 21 / 5 / 1e11
    assert after.pool.northbound - after.pool.southbound == pytest.approx((north - south) * scale, abs=1e-9)
    assert min(after.pool.northbound, after.pool.southbound) >= 0
    assert after.pool.proceeds_kept == pytest.approx(issued * scale)
    assert after.pool.deposits == before.pool.deposits


def test_flows_need_days_and_a_factor() -> None:
    """Goal: no silent scale. Method: a period without days, a factor of zero."""
    with pytest.raises(Rejected, match="0 days"):
        with_statistics(parameters(), Statistics(first="", last="", days=0, rows=()), gross_up=1)
    with pytest.raises(Rejected, match="gross-up 0"):
        with_statistics(parameters(), _statistics(), gross_up=0)


def test_relief_by_hand() -> None:
    """Goal: cost, turnover and revenue. Method: HKD 100 bn and 0.1 bn a side; duty 10 of 21.27 basis points waived.

    Tariff of January 2026: duty 0.1 %, trading fee 0.00565 %, levies 0.0027 and 0.00015 %, settlement fee 0.0042 %;
    ten basis points beside it are assumed by the table.
    """
    liu, hu = duty_relief(hkd=100e9, renminbi=0.1e9, relief=1.0, moved=0.05, day=DAY)
    assert liu.cost_before * 1e4 == pytest.approx(10 + 0.565 + 0.27 + 0.015 + 0.42 + 10)
    assert liu.turnover_after - liu.moved == pytest.approx(0.1e9 * 21.27 / 11.27)
    assert hu.turnover_after == pytest.approx(0.1e9 + 5e9)
    assert hu.revenue_forgone == liu.revenue_forgone == pytest.approx(2 * 0.001 * (0.1e9 + 5e9))
    assert [one.elasticity for one in responses()] == [-1.0, 0.0]


@given(relief=st.floats(0, 1), moved=st.floats(0, 1), hkd=st.floats(0, 1e12), renminbi=st.floats(0, 1e12))
def test_relief_is_bounded(relief: float, moved: float, hkd: float, renminbi: float) -> None:
    """Goal: no relief, no change; revenue adds up. Method: any parts and turnover."""
    for one in duty_relief(hkd=hkd, renminbi=renminbi, relief=relief, moved=moved, day=DAY):
        assert one.turnover_after >= one.turnover_before - 1e-3
        assert one.revenue_before - one.revenue_forgone == pytest.approx(one.revenue_after, abs=1e-3)
        if relief == 0:
            assert one.revenue_forgone == pytest.approx(0, abs=1e-3)
        assert one.revenue_after >= -1e-6


@pytest.mark.parametrize("wrong", [{"relief": 1.1}, {"moved": -0.1}, {"hkd": -1.0}, {"renminbi": float("nan")}])
def test_relief_refuses(wrong: dict[str, float]) -> None:
    """Goal: bad input is named. Method: one out of range at a time."""
    asked = {"hkd": 1e9, "renminbi": 1e9, "relief": 1.0, "moved": 0.0} | wrong
    with pytest.raises(Rejected, match=next(iter(wrong))):
        duty_relief(**asked, day=DAY)


def test_commands(house: Path, tmp_path: Path) -> None:
    """Goal: an economist's path. Method: statistics to CSV with a scenario beside; relief from the same books."""
    file = tmp_path / "renminbi.csv"
    asked = ["economy", "renminbi", "statistics", "--house", str(house), "--csv", str(file)]
    ran = CliRunner().invoke(root, [*asked, "--scenario", "offshore-squeeze", "--gross-up", "1000", "--json"])
    assert ran.exit_code == 0, ran.output
    pools = json.loads(ran.output)["pool_CNY_bn"]
    assert set(pools) == {"calibrated", "from books"}
    assert pools["calibrated"] != pools["from books"]
    assert file.read_text(encoding="utf-8").startswith(",".join(HEADER))
    assert re.search(r"turnover +[\d,.]+ +[\d,.]+", CliRunner().invoke(root, asked).output)
    ran = CliRunner().invoke(root, ["economy", "renminbi", "duty-relief", "--house", str(house), "--json"])
    told = json.loads(ran.output)[0]
    turnover = dual_turnover(house, renminbi_statistics(house))
    assert told["turnover_before"] == pytest.approx(turnover.renminbi_cents / 100)
    assert turnover.securities > 0
