"""Small input that would become large work: packed files, numbers with exponents, nesting, paths out of a folder.

Goal: cost is bounded by the size of what was sent. Method: each bomb against the reader that meets it, with time and
memory watched.
"""

from __future__ import annotations

import gzip
import sqlite3
import time
import tracemalloc
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reader_seeds import readers

from tsingma.app.backup import back_up, restore
from tsingma.app.session import Session
from tsingma.basics.documents import DIGITS_MAX, is_whole, parse_toml
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.basics.rounding import parse_scaled
from tsingma.messages import economic_files, prices, trade_file
from tsingma.messages.economic_files import Dates, read_columns
from tsingma.messages.packed import unpacked
from tsingma.messages.prices import read_prices

MEGABYTE = 1024**2


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """A hundred megabytes of zeros in a hundred kilobytes."""
    return gzip.compress(bytes(100 * MEGABYTE), 9)


def test_a_packed_file_is_unpacked_up_to_its_bound(bomb: bytes) -> None:
    """Goal: memory is bounded. Method: a bomb against a bound of one megabyte; what fits, and what is cut, beside."""
    tracemalloc.start()
    with pytest.raises(Rejected) as refused:
        unpacked(bomb, MEGABYTE, file="x.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.rejections[0].reason is RejectionReason.LIMIT
    assert peak < 4 * MEGABYTE
    assert unpacked(gzip.compress(b"good"), 4, file="x.gz") == unpacked(b"good", 4, file="x") == b"good"
    for cut in (bomb[:-9], bomb[:5], b"\x1f\x8b", gzip.compress(b"good")[:-1] + b"!"):
        with pytest.raises(Rejected, match="damaged gzip"):
            unpacked(cut, 200 * MEGABYTE, file="x.gz")


def test_readers_of_packed_files_have_bounds(bomb: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: no reader goes around it. Method: each reader that takes gzip, its bound lowered."""
    file = tmp_path / "file.csv.gz"
    file.write_bytes(bomb)
    monkeypatch.setattr(trade_file, "BYTES_MAX", MEGABYTE)
    monkeypatch.setattr(economic_files, "BYTES_MAX", MEGABYTE)
    monkeypatch.setattr(prices, "TEXT_BYTES_MAX", MEGABYTE)
    for read in (
        lambda: readers()["trades"].read(bomb, tmp_path),
        lambda: read_columns(file, Dates.DAY, "day"),
        lambda: read_prices(file),
    ):
        with pytest.raises(Rejected) as refused:
            read()
        assert refused.value.rejections[0].reason is RejectionReason.LIMIT


@pytest.mark.parametrize(
    "text", ["1e999000", "1e999999999", "-1e999999", "1e-999999999", "9" * 5_000, "0." + "0" * 5_000]
)
def test_a_number_costs_what_it_is_long(text: str) -> None:
    """Goal: an exponent is no bomb: written out, 1e999000 took 39 seconds. Method: refused, at once."""
    began = time.perf_counter()
    with pytest.raises(Rejected) as refused:
        parse_scaled(text, 2, field="amount")
    assert time.perf_counter() - began < 0.1
    assert (refused.value.rejections[0].reason, refused.value.rejections[0].field) == (
        RejectionReason.OUT_OF_RANGE, "amount",
    )  # fmt: skip


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=4))
def test_numbers_are_exact(number: Decimal) -> None:
    """Goal: no digit is rounded away. Method: any number of four decimals; with a fifth it is refused."""
    text = f"{number:f}"
    assert parse_scaled(text, 4) == int(text.replace(".", ""))
    with pytest.raises(Rejected):
        parse_scaled(f"{text}1", 4)


@given(st.text("0123456789\u0660\u00b2+- .", max_size=24))
def test_whole_numbers_are_plain_digits(text: str) -> None:
    """Goal: what is_whole lets by is an int of 64 bits. Method: digits of other scripts, signs, lengths."""
    assert is_whole(text) == (0 < len(text) <= DIGITS_MAX and set(text) <= set("0123456789"))
    if is_whole(text):
        assert 0 <= int(text) < 2**63


@pytest.mark.parametrize("data", [b"x = " + b"[" * 100_000, b"x = " + b"{a=" * 50_000, b"x = 1" + b"0" * 5_000,
                                  b"x = 1e" + b"9" * 50, b"\xff", b"x = "], ids=list("abcdef"))  # fmt: skip
def test_a_document_that_is_none_is_refused(data: bytes) -> None:
    """Goal: no nesting or number of a TOML file is a defect. Method: each, exact and not."""
    for exact in (True, False):
        try:
            assert set(parse_toml(data, file="x.toml", exact=exact)) == {"x"}  # 1e999... is inf, and checked later
        except Rejected as refused:
            told = refused.rejections[0]
            assert told.file == "x.toml" and told.remedy  # noqa: PT018


def test_a_backup_writes_only_where_it_is_told(tmp_path: Path) -> None:
    """Goal: no path in a backup leads out of the folder. Method: files named in it by attack; the folder, listed.

    A backup is one SQLite file: nothing in it names a file.
    """
    with Session.open(tmp_path / "house"):
        pass
    copy = tmp_path / "copy.backup"
    back_up(tmp_path / "house", copy)
    with sqlite3.connect(copy) as connection:
        connection.execute("CREATE TABLE files (name TEXT, content BLOB)")
        connection.execute("INSERT INTO files VALUES ('../../evil', 'x')")
    before = set(tmp_path.rglob("*"))
    restore(copy, tmp_path / "new")
    added = set(tmp_path.rglob("*")) - before
    assert {path.relative_to(tmp_path).parts[0] for path in added} == {"new"}
    assert not [path for path in added if "evil" in path.name]
    other = tmp_path / "other.backup"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE journal (name TEXT)")
    for wrong in (other, tmp_path / "house"):
        with pytest.raises(Rejected):
            restore(wrong, tmp_path / "newer")
    with pytest.raises(Rejected):
        back_up(tmp_path / "house", copy)  # a file that exists is never written over
