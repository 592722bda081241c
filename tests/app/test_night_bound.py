"""How good a night was: the bound of what could have settled.

Goal: no set settles more than the bound, whatever it leaves out, and it is near the linear bound of the whole night.
Method: small nights solved whole by HiGHS, with credit and links as well, and with a linear programme of a few columns.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tsingma.app.night_batch import run_night
from tsingma.app.night_bound import night_bound
from tsingma.app.night_files import write_night
from tsingma.app.proposals import propose
from tsingma.basics.clock import FixedClock
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.cli.main import main
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import LoadReference, OpenDay, SetClosingPrices, SetCreditLine
from tsingma.journal.events import Accepted
from tsingma.reference.markets import EVERY_MARKET
from tsingma.settlement import short_accounts
from tsingma.settlement.exact import relax, solve_whole
from tsingma.settlement.model import model_of
from tsingma.settlement.proposal import Objective, weights
from tsingma.settlement.waiting import waiting_problem
from tsingma.simulate.night import simulate_night

DAY = date(2026, 1, 5)
FX_E6 = (1_000_000, 1_080_000, 7_800_000, 9_000_000)


@pytest.mark.parametrize("objective", [Objective.NUMBER, Objective.VALUE])
@pytest.mark.parametrize(("seed", "columns"), [(1, 100_000), (2, 100_000), (2, 40)])
def test_no_set_settles_more_than_the_bound(
    monkeypatch: pytest.MonkeyPatch, objective: Objective, seed: int, columns: int
) -> None:
    """Goal: optimum <= bound, near the linear bound of all accounts. Method: 2,000 instructions, HiGHS on the whole."""
    monkeypatch.setattr(short_accounts, "COLUMNS_MAX", columns)
    house = captured(seed)
    instructions = house.settlement.instructions
    problem = waiting_problem(instructions, house.ledger, np.arange(len(instructions)), house.fx_e6)
    weight = weights(problem, objective)
    best, _ = solve_whole(problem, weight, 20.0)
    relaxed = relax(model_of(problem), weight / weight.mean(), 20.0)
    assert relaxed is not None
    answer = step(house, propose(house, objective, FixedClock(), EVERY_MARKET))
    assert isinstance(answer, Accepted)
    before = house.digest()
    found = night_bound(house, objective)
    assert house.digest() == before
    settled = instructions.table["status"] == 2
    assert found.lp_bound is not None
    assert weight[settled].sum() <= best * (1 + 1e-9) <= found.lp_bound * (1 + 2e-9)
    assert relaxed.bound * weight.mean() <= found.lp_bound * (1 + 1e-6)
    assert found.lp_bound <= relaxed.bound * weight.mean() * (1.02 if columns > 1_000 else 1.2)
    assert found.gap == pytest.approx(1 - weight[settled].sum() / found.lp_bound)
    assert len(found.blocking) == len(found.accounts) > 3
    book = house.resolved
    for one, (account, asset) in zip(found.blocking, found.accounts, strict=True):
        assert one.account == f"{book.account_name(account)} {book.asset_name(asset)}"
        assert one.waiting > 0 < one.shortage


def captured(seed: int) -> House:
    """Return a house with a small night's instructions, none settled."""
    book, deposits, batch = simulate_night(2_000, seed=seed)
    house = House()
    commands = [LoadReference(book), deposits, OpenDay(to_day(DAY))]
    for wave in range(5):
        commands += batch.commands(wave, "test", to_day(DAY))
    for command in commands:
        assert isinstance(step(house, command), Accepted)
    return house


def test_credit_that_is_drawn_and_pledged_does_not_lower_the_bound() -> None:
    """Goal: with lines of credit the bound is above what settles without and with. Method: a line for everybody."""
    house = captured(3)
    plain = House.load(house.dump())
    assert isinstance(step(plain, propose(plain, Objective.NUMBER, FixedClock(), EVERY_MARKET)), Accepted)
    counters = np.arange(len(house.resolved.book.counters))
    prices = SetClosingPrices(pack(counters, "i4"), pack(np.full(counters.size, 100_000), "i8"), FX_E6)
    assert isinstance(step(house, prices), Accepted)
    for account in range(len(house.resolved.book.accounts)):
        if house.resolved.account_name(account).endswith("OMNIBUS"):
            assert isinstance(step(house, SetCreditLine(account, 0, 0, -1, 10**12)), Accepted)
    assert isinstance(step(house, propose(house, Objective.NUMBER, FixedClock(), EVERY_MARKET)), Accepted)
    assert len(house.settlement.loans) > 0
    counts = [one.settlement.instructions.counts()["settled"] for one in (plain, house)]
    found = night_bound(house, Objective.NUMBER)
    assert found.lp_bound is not None
    assert max(counts) <= found.lp_bound <= 2_000 + 1e-6


def test_the_night_says_how_good_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: bound, gap and accounts in what a night answers and prints. Method: a night by function and by command."""
    write_night(tmp_path, 2_000, seed=1, beta=0.5, alpha=0.0, short=0.1, suffix="csv")
    done = run_night(tmp_path / "instructions.csv", tmp_path / "house", DAY, Objective.NUMBER, FixedClock())
    assert done.lp_bound is not None
    assert done.settled <= done.lp_bound < done.submitted
    assert done.gap == pytest.approx(1 - done.settled / done.lp_bound)
    assert "OMNIBUS" in done.blocking[0].account
    call = ["settle", "night", "--file", str(tmp_path / "instructions.csv"), "--house", str(tmp_path / "house")]
    assert main(call) == 0
    printed = capsys.readouterr().out
    assert f"no set settles more than {done.lp_bound:,.1f}; gap {done.gap:.3%}" in printed
    assert f"wait on {done.blocking[0].account}" in printed
