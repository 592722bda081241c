"""Trade files: what goes in comes out, the two parsers agree, and every kind of broken file is refused by name."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tsingma.app.business_day import DayInput, capture
from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.rejection import Rejected
from tsingma.clearing.trades import COLUMN_TYPES, Trades
from tsingma.engine.house import House
from tsingma.journal.commands import LoadReference, OpenDay, SetClosingPrices
from tsingma.messages import trade_columns, trade_file
from tsingma.messages.trade_file import FIELDS, HEADER, read_trades, write_trades
from tsingma.simulate.market import MarketDay, SimulatedMarket, simulate_market

COUNT = 1_000


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    """A small simulated market of one day."""
    return simulate_market(3, date(2026, 1, 5), 1, COUNT)


@pytest.fixture(scope="module")
def day(market: SimulatedMarket) -> MarketDay:
    """Its day."""
    return market.day(0)


@pytest.fixture(scope="module")
def lines(market: SimulatedMarket, day: MarketDay, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The lines of a good file."""
    path = tmp_path_factory.mktemp("good") / "trades.csv"
    write_trades(path, day.trades, market.resolved)
    return path.read_text(encoding="ascii").splitlines()


@pytest.fixture(scope="module")
def session(market: SimulatedMarket, day: MarketDay) -> Session:
    """A house in memory with the day open and prices fixed."""
    opened = Session.in_memory()
    counters = np.arange(day.close_e4.size)
    opened.once("reference", lambda: LoadReference(market.book))
    opened.once("open", lambda: OpenDay(to_day(day.date)))
    opened.once("prices", lambda: SetClosingPrices(pack(counters, "i4"), pack(day.close_e4, "i8"), day.fx_e6))
    return opened


@pytest.mark.parametrize("name", ["trades.csv", "trades.csv.gz"])
def test_round_trip(name: str, market: SimulatedMarket, day: MarketDay, tmp_path: Path) -> None:
    """Goal: nothing is lost in a file. Method: write a day, read it, compare every column."""
    write_trades(tmp_path / name, day.trades, market.resolved)
    back = read_trades(tmp_path / name, market.resolved)
    assert back.trade_day == day.trades.trade_day
    for column in COLUMN_TYPES:
        assert np.array_equal(getattr(back, column), getattr(day.trades, column)), column


def test_plain_and_polars_parsers_agree(market: SimulatedMarket, lines: list[str]) -> None:
    """Goal: the fallback is a twin. Method: parse a body with good and bad values in every field, compare columns."""
    odd = "2026-01-05,x,25:00:00,99999,B1,HOUSE,B00001,NONE,0,1.00001,WHAT,X"
    empty = "2026-01-05,,,,,,,,,,,"
    edges = "2026-01-05,999999999999999999,23:59:59,00001,B00001,HOUSE,B00002,CLIENT,000000100,0.0001,,BS"
    zero = "2026-01-05,7,00:00:00,00001,B00001,HOUSE,B00002,CLIENT,100,0.0000,CNS,"
    body = ("\n".join([*lines[1:300], odd, empty, edges, zero]) + "\n").encode()
    maps = trade_file._code_maps(market.resolved)
    fast, plain = trade_columns.parse_columns(body, FIELDS, maps), trade_columns.parse_plain(body, FIELDS, maps)
    assert set(fast) == set(plain)
    for name, column in fast.items():
        assert np.array_equal(column, plain[name]), name
    assert fast["price"].tolist()[-2:] == [1, trade_columns.NOT_PARSED]


def test_without_polars_the_same_trades_are_read(
    market: SimulatedMarket, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: the core install reads files. Method: hide polars, read, compare with the fast way."""
    path = tmp_path / "trades.csv"
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    fast = read_trades(path, market.resolved)
    monkeypatch.setattr(trade_columns, "_polars", lambda: None)
    plain = read_trades(path, market.resolved)
    for column in COLUMN_TYPES:
        assert np.array_equal(getattr(fast, column), getattr(plain, column)), column


def test_default_mode_is_the_markets_own(market: SimulatedMarket, tmp_path: Path) -> None:
    """Goal: an empty mode is filled, never guessed wrong. Method: a stock and a bond without mode."""
    path = tmp_path / "trades.csv"
    rows = [
        "2026-01-05,1,10:00:00,00001,B00001,HOUSE,B00002,CLIENT,100,10.0,,",
        "2026-01-05,2,10:00:00,BOND001,B00001,HOUSE,B00002,CLIENT,500,100,,",
    ]
    path.write_text("\r\n".join([HEADER, *rows]), encoding="ascii")
    assert read_trades(path, market.resolved).mode.tolist() == [0, 2]


def _set(line: int, field: str, value: str) -> Callable[[list[str]], bytes]:
    def spoil(lines: list[str]) -> bytes:
        cells = lines[line - 1].split(",")
        cells[FIELDS.index(field)] = value
        changed = [*lines[: line - 1], ",".join(cells), *lines[line:]]
        return ("\n".join(changed) + "\n").encode("utf-8")

    return spoil


def _text(change: Callable[[str], str]) -> Callable[[list[str]], bytes]:
    return lambda lines: change("\n".join(lines) + "\n").encode("utf-8")


def _packed(change: Callable[[bytes], bytes]) -> Callable[[list[str]], bytes]:
    return lambda lines: change(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))


BROKEN: dict[str, tuple[Callable[[list[str]], bytes], str]] = {
    "empty file": (lambda _: b"", r":1: the header is ''"),
    "header only": (_text(lambda text: HEADER + "\n"), r":2: there is no trade"),
    "no header": (_text(lambda text: text.split("\n", 1)[1]), r":1: the header is"),
    "misspelt header": (_text(lambda text: text.replace("quantity", "quantitiy", 1)), r":1: the header is"),
    "reordered header": (_text(lambda text: text.replace("buyer,buyer_account", "buyer_account,buyer", 1)), r":1:"),
    "semicolons": (_text(lambda text: text.replace(",", ";")), r":1: the header is"),
    "a column too few": (_text(lambda text: text.replace(",CNS,", ",", 1)), r"11 columns, 12 expected"),
    "a column too many": (_text(lambda text: text.replace(",CNS,", ",CNS,,", 1)), r"13 columns, 12 expected"),
    "blank line": (_text(lambda text: text.replace("\n", "\n\n", 2)), r":2: 1 columns"),
    "quotes": (_text(lambda text: text.replace("B00001", '"B00001"', 1)), r"no plain character.*without quotes"),
    "chinese text": (_text(lambda text: text.replace("B00001", "青馬", 1)), r"no plain character"),
    "nul byte": (_text(lambda text: text.replace("HOUSE", "HO\0SE", 1)), r"byte 0 is no plain"),
    "utf-16": (lambda lines: "\n".join(lines).encode("utf-16"), r":1: the header is"),
    "two byte order marks": (_text(lambda text: "\ufeff\ufeff" + text), r":1: the header is"),
    "truncated gzip": (_packed(lambda data: data[:-200]), r"damaged gzip"),
    "gzip with a flipped byte": (_packed(lambda data: data[:500] + bytes([data[500] ^ 255]) + data[501:]), r"gzip"),
    "date of another day": (_set(9, "trade_date", "2026-01-06"), r":9: trade_date: this trade is not of 2026-01-05"),
    "no such date": (_text(lambda text: text.replace("2026-01-05", "2026-02-30")), r":2: trade_date.*is not a date"),
    "date in another order": (_text(lambda text: text.replace("2026-01-05", "05/01/2026")), r"YYYY-MM-DD"),
    "bad time": (_set(5, "trade_time", "24:00:00"), r":5: trade 4: trade_time: '24:00:00' is not a time"),
    "time without seconds": (_set(5, "trade_time", "10:00"), r":5: trade 4: trade_time"),
    "unknown instrument": (_set(7, "instrument", "99999"), r":7: trade 6: instrument: '99999' is not known"),
    "unknown participant": (_set(7, "buyer", "B99999"), r":7: trade 6: buyer: 'B99999/\w+' is not known"),
    "unknown account": (_set(7, "seller_account", "SECRET"), r":7: trade 6: seller: '\w+/SECRET' is not known"),
    "the house's own account": (_text(lambda text: text.replace("B00001,HOUSE", "HKSCC,CNS", 1)), r"HKSCC/CNS"),
    "negative quantity": (_set(6, "quantity", "-100"), r":6: trade 5: quantity: '-100' is not a positive"),
    "zero quantity": (_set(6, "quantity", "0"), r":6: trade 5: quantity: '0'"),
    "fraction of a share": (_set(6, "quantity", "100.5"), r":6: trade 5: quantity: '100.5'"),
    "quantity beyond 64 bits": (_set(6, "quantity", "9" * 20), r":6: trade 5: quantity"),
    "negative price": (_set(6, "price", "-1.5"), r":6: trade 5: price: '-1.5'"),
    "zero price": (_set(6, "price", "0.0000"), r":6: trade 5: price: '0.0000'"),
    "price with five decimals": (_set(6, "price", "1.00001"), r":6: trade 5: price"),
    "price in words": (_set(6, "price", "ten"), r":6: trade 5: price: 'ten'"),
    "price not a number": (_set(6, "price", "nan"), r":6: trade 5: price: 'nan'"),
    "price in scientific notation": (_set(6, "price", "1e3"), r":6: trade 5: price: '1e3'"),
    "id in words": (_set(8, "trade_id", "seven"), r":8: trade seven: trade_id"),
    "unknown mode": (_set(8, "mode", "NET"), r":8: trade 7: mode: 'NET' is not known"),
    "unknown maker flag": (_set(8, "maker", "M"), r":8: trade 7: maker: 'M' is not known"),
    "duplicate id": (_set(8, "trade_id", "3"), r":8: trade 3: trade_id: 3 is in this file before"),
    "zero id": (_set(8, "trade_id", "0"), r":8: trade 0: trade_id: 0 is not positive"),
    "price off the tick": (_set(2, "price", "12.3457"), r":2: trade 1: price: 12\.3457 is no multiple of the tick"),
    "overflowing amount": (_set(2, "quantity", "9" * 15), r":2: trade 1: quantity: .* is too large"),
    "mode the market does not have": (_set(2, "mode", "DVP"), r":2: trade 1: mode: not a way to settle in"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused_whole(
    name: str, market: SimulatedMarket, day: MarketDay, lines: list[str], session: Session, tmp_path: Path
) -> None:
    """Goal: a bad file is named and leaves nothing. Method: spoil a good file, capture it, compare state."""
    spoil, message = BROKEN[name]
    path = tmp_path / ("trades.csv.gz" if "gzip" in name else "trades.csv")
    path.write_bytes(spoil(lines))
    before = (session.house.digest(), session.sequencer.sequence)
    with pytest.raises(Rejected, match=message) as refused:
        capture(session, DayInput(day.date, read_trades(path, market.resolved), day.close_e4, day.fx_e6))
    assert "trades.csv" in str(refused.value)
    assert (session.house.digest(), session.sequencer.sequence) == before


def test_missing_and_oversized_files_are_refused(
    market: SimulatedMarket, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: limits hold. Method: a path that leads nowhere, then a good file under lowered bounds."""
    with pytest.raises(Rejected, match="cannot be read"):
        read_trades(tmp_path / "none.csv", market.resolved)
    path = tmp_path / "trades.csv"
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    monkeypatch.setattr(trade_file, "ROWS_MAX", 10)
    with pytest.raises(Rejected, match="1000 trades, 10 at most"):
        read_trades(path, market.resolved)
    monkeypatch.setattr(trade_file, "BYTES_MAX", 100)
    with pytest.raises(Rejected, match="100 at most"):
        read_trades(path, market.resolved)


def test_every_fault_is_named_up_to_a_hundred(market: SimulatedMarket, lines: list[str], tmp_path: Path) -> None:
    """Goal: one upload shows all faults. Method: spoil 150 quantities, count the reasons."""
    rows = [",".join([*line.split(",")[:8], "-1", *line.split(",")[9:]]) for line in lines[1:151]]
    path = tmp_path / "trades.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="ascii")
    with pytest.raises(Rejected) as refused:
        read_trades(path, market.resolved)
    assert [rejection.line for rejection in refused.value.rejections] == list(range(2, 102))


def test_trades_of_a_day_that_is_not_open(market: SimulatedMarket, day: MarketDay) -> None:
    """Goal: no trade without its day. Method: capture before any day is open."""
    closed = Session.in_memory()
    closed.once("reference", lambda: LoadReference(market.book))
    with pytest.raises(Rejected, match="no day is open"):
        capture(closed, DayInput(day.date, day.trades, day.close_e4, day.fx_e6))
    assert isinstance(closed.house, House)
    assert isinstance(day.trades, Trades)
