"""Futures and options in business days.

Goal: a folder with series runs, replays to the same hash, margins and pays; broken files are refused by line; losers
who cannot pay owe. Method: a small simulated market as files, a house of two accounts by hand.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.messages.derivative_files import read_derivative_trades, read_series_list, read_settlement
from tsingma.messages.market_files import read_book
from tsingma.reference.book import resolve


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated market of two days as files, with parameters."""
    folder = tmp_path_factory.mktemp("market")
    assert main(["simulate", "market", "--trades", "1000", "--days", "2", "--out", str(folder)]) == 0
    prices = str(folder / "prices.csv")
    assert main(["margin", "parameters", "--prices", prices, "--out", str(folder / "RPF01.csv")]) == 0
    return folder


def test_a_folder_runs_and_replays(market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: days with futures and options run from files and replay to the same state. Method: the commands."""
    house = tmp_path / "house"
    call = ["--house", str(house), "--market", str(market), "--parameters", str(market / "RPF01.csv")]
    assert main(["day", "run", *call]) == 0
    assert main(["day", "verify", "--house", str(house)]) == 0
    assert main(["day", "replay", "--house", str(house)]) == 0
    capsys.readouterr()


def test_a_day_moves_money_between_accounts(market: Path, tmp_path: Path) -> None:
    """Goal: positions are flat, called margin contains PRiME's, money cancels. Method: the house after its days."""
    from tsingma.app.house_derivatives import DerivativeMargin, cross_house
    from tsingma.app.house_margin import house_margin
    from tsingma.app.margin_rule import rule_call
    from tsingma.app.session import Session
    from tsingma.messages.rpf01 import read_parameters

    house = tmp_path / "house"
    call = ["--house", str(house), "--market", str(market), "--parameters", str(market / "RPF01.csv")]
    assert main(["day", "run", *call]) == 0
    parameters = read_parameters((market / "RPF01.csv").read_bytes())
    with Session.open(house) as session:
        book = session.house.derivatives
        assert book.quantity.sum() == 0
        assert book.index_e4 > 0
        derivatives = DerivativeMargin(session.house, parameters)
        securities = house_margin(session.house, parameters)
        wanted = sum(result.total for result in securities.results) + sum(derivatives.totals().values())
        assert int(session.house.margin.requirement_cents.sum()) == wanted * 100
        called = dict(zip(session.house.margin.account.tolist(), session.house.margin.requirement_cents, strict=True))
        for account, cents in called.items():
            assert rule_call(session.house, account, parameters).total * 100 == cents
        for one in cross_house(session.house, securities, derivatives):
            shares = one.margin.shares[2]
            assert shares.called <= one.margin.standalone
            assert all(each.called >= min(each.needed, each.standalone) for each in shares.houses)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("series.csv", "HSI-F,HKCC", "HSI-F,LCH", "LCH future"),
        ("series.csv", ",future,INDEX,50", ",future,INDEX,x", "series.csv:2: multiplier: 'x' is no whole number"),
        ("series.csv", "INDEX", "99999", "'99999' is no counter"),
        ("settlement", "HSI-F,", "HSI-X,", "settlement-2026-01-05.csv:2: series: 'HSI-X' is not known"),
        ("settlement", "INDEX,", "HSI-F,", "is priced twice"),
        ("derivatives", "/CLIENT,", "/NOBODY,", "is not known"),
        ("derivatives", "trade_id,", "id,", "wrong header"),
    ],
)
def test_broken_files_are_refused(
    market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, old: str, new: str, message: str
) -> None:
    """Goal: refusals name file, line and field, and the house stays as it was. Method: one fault a copy."""
    copy = tmp_path / "market"
    copy.mkdir()
    for path in market.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    path = copy / (name if name.endswith(".csv") else f"{name}-2026-01-05.csv")
    path.write_text(path.read_text().replace(old, new, 1))
    assert main(["day", "run", "--house", str(tmp_path / "house"), "--market", str(copy)]) == 2
    assert message in capsys.readouterr().err


def test_files_round_trip(market: Path) -> None:
    """Goal: what the simulator wrote is what is read. Method: counts and every series priced."""
    series = read_series_list(market / "series.csv")
    book = resolve(read_book(market / "reference.json"))
    trades = read_derivative_trades(market / "derivatives-2026-01-05.csv", series, book)
    prices, index = read_settlement(market / "settlement-2026-01-05.csv", series)
    assert trades.trade_id.size >= 40
    assert prices.size == len(series)
    assert index > 0
    (market / "short.csv").write_text("series,price\nINDEX,20000\n")
    with pytest.raises(Rejected, match="no price for HSI-F"):
        read_settlement(market / "short.csv", series)
    (market / "short.csv").unlink()
