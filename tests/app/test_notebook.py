"""The Python face: every name of it, against the use case or the command line it stands for.

Goal: ``import tsingma as tm`` answers what the command line answers, typed, and as frames. Method: small markets, the
same question asked both ways; names that never hide a room; an import that costs nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

import tsingma as tm
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import root

HEADER = "book,house,product,factor,notional,strike,days"
LINES = ("desk,HKSCC,stock,00001,60000000,,", "desk,HKCC,future,INDEX,-50000000,,")


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small simulated market."""
    return tm.write_market(tmp_path_factory.mktemp("face") / "market", days=1, trades=300)


@pytest.fixture(scope="module")
def book_file(market: Path) -> Path:
    """Return a file with one book of two houses."""
    path = market / "books.csv"
    path.write_text("\n".join((HEADER, *LINES)) + "\n", encoding="utf-8")
    return path


def test_no_name_hides_a_room() -> None:
    """Goal: ``tsingma.margin`` stays a room. Method: the names of the face beside the package's folders."""
    package = Path(tm.__file__).parent
    rooms = {path.name for path in package.iterdir() if path.is_dir()}
    assert not rooms & set(tm.FACE)
    assert set(tm.FACE) <= set(dir(tm))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tm.nothing


def test_import_costs_nothing() -> None:
    """Goal: a quick ``--help``. Method: a fresh process imports the package; neither numpy nor msgspec is loaded."""
    code = "import sys, tsingma; print(sorted({'numpy', 'msgspec', 'polars'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_margins_and_joint_as_on_the_command_line(market: Path, book_file: Path) -> None:
    """Goal: the same figures. Method: ``margin explain --json`` beside explain, joint and margins."""
    past, (book,) = tm.load(market / "prices.csv"), tm.books(book_file)
    studied = tm.joint([book], past, every=50).frame().row(0, named=True)
    asked = ["margin", "explain", "--prices", str(market / "prices.csv"), "--books", str(book_file), "--json"]
    told = json.loads(CliRunner().invoke(root, [*asked, "--day", str(studied["day"])]).output)
    found = tm.explain(book, past, day=studied["day"])
    assert found.frame()["component"].to_list() == [part["component"] for part in told["positions"]]
    assert studied["one_pot"] == told["margin"]["one_pot"]
    assert studied["alone"] == told["margin"]["standalone"]
    frame = tm.margins(book, past, day=studied["day"]).frame()
    totals = frame.filter(pl.col("component") == "total")["hkd"].sum()
    parts = frame.filter(pl.col("component") != "total")["hkd"].sum()
    assert totals == parts == studied["alone"]


def test_what_if(market: Path, book_file: Path, tmp_path: Path) -> None:
    """Goal: a trade that takes risk off. Method: sell the stock; alone and one pot fall to the future's."""
    sale = tmp_path / "sale.csv"
    sale.write_text(f"{HEADER}\nsale,HKSCC,stock,00001,-60000000,,\n", encoding="utf-8")
    past, (book,), (trades,) = tm.load(market / "prices.csv"), tm.books(book_file), tm.books(sale)
    found = tm.what_if(book, trades, past)
    before, after = found.frame()["alone"].to_list()
    assert after - before == found.value.standalone_change < 0


def test_days_run_once(market: Path, tmp_path: Path) -> None:
    """Goal: the same days again change nothing. Method: clear twice on one house."""
    first, again = (tm.clear(tmp_path / "house", market).frame() for _ in range(2))
    assert first.equals(again)
    assert first["trades"].to_list() == [300]


def test_settlement_instance(tmp_path: Path) -> None:
    """Goal: the optimiser's proposal, stage by stage. Method: a written instance; the last stage is the result."""
    file = tmp_path / "I.jsonl"
    asked = ["simulate", "settlement", "--n", "200", "--seed", "1", "--beta", "0.5", "--alpha", "0", "--short", "0.1"]
    assert CliRunner().invoke(root, [*asked, "--out", str(file)]).exit_code == 0
    found = tm.settle(file, objective="value", time_limit=0.5)
    assert found.frame()["settled_value"].to_list()[-1] == found.value.settled_value
    assert 0 < found.value.settled_value <= found.value.submitted_value


def test_stress_and_economy_rows() -> None:
    """Goal: a row a scenario and house; a row an indicator, date and level. Method: shapes and bounds."""
    stressed = tm.stress_test(["hbm-stop"], trades=300, days=1, draws=0).frame()
    assert set(stressed["house"]) <= {"HKSCC", "HKCC", "SEOCH", "OTC Clear"}
    fan = tm.run_economy("renminbi", "offshore-squeeze", replications=20).frame()
    levels = fan["level"].unique().to_list()
    assert min(levels) >= 0 <= max(levels) <= 1
    chain = tm.run_economy("chain", "hbm-stop", replications=2).frame()
    assert chain["value"].null_count() == 0
    with pytest.raises(Rejected, match="no model 'weather'"):
        tm.run_economy("weather", "offshore-squeeze")
    assert not [name for name in tm.books()[0].__struct_fields__ if name.startswith("_")]
