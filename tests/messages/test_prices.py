"""Price files: good ones are read exactly, broken ones are refused with file, line and column."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.messages import prices as module
from tsingma.messages.prices import read_prices

GOOD = "Date,0001.HK,0700.HK\n2024-01-02,57.0901,340.29\n2024-01-03,,341\n2024-01-04,58.1,0.0001\n"


def _write(folder: Path, text: str | bytes, name: str = "closes.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_good_file_is_read_exactly(tmp_path: Path) -> None:
    """Goal: no price is off by a ten-thousandth. Method: compare with the integers written by hand."""
    history = read_prices(_write(tmp_path, GOOD))
    assert history.instruments == ("00001", "00700")
    assert history.close_e4.tolist() == [[570_901, 3_402_900], [0, 3_410_000], [581_000, 1]]
    assert history.missing.tolist() == [[False, False], [True, False], [False, False]]
    assert history.volumes is None
    assert history.dates.tolist() == [19_724, 19_725, 19_726]


@pytest.mark.parametrize("name", ["closes.csv", "closes.csv.gz"])
def test_gzip_byte_order_mark_and_line_ends_make_no_difference(tmp_path: Path, name: str) -> None:
    """Goal: the same content is the same history. Method: gzip it, mark it, give it Windows line ends."""
    plain = read_prices(_write(tmp_path, GOOD, "plain.csv"))
    packed = gzip.compress(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    other = read_prices(_write(tmp_path, packed, name))
    assert other.close_e4.tolist() == plain.close_e4.tolist()


def test_volumes_come_from_a_second_file(tmp_path: Path) -> None:
    """Goal: volumes lie on the grid of the prices. Method: blanks and decimals of a quote service."""
    text = "Date,0001.HK,0700.HK\n2024-01-02,100,0\n2024-01-03,,200.0\n2024-01-04,5,6\n"
    history = read_prices(_write(tmp_path, GOOD), volumes=_write(tmp_path, text, "volumes.csv"))
    assert history.volumes is not None
    assert history.volumes.tolist() == [[100, 0], [0, 200], [5, 6]]


HEAD = "Date,0001.HK,0700.HK\n"
BROKEN = {
    "empty": (b"", 1, "", RejectionReason.MALFORMED),
    "wrong header": (b"Day,0001.HK\n2024-01-02,1\n", 1, "", RejectionReason.MALFORMED),
    "no counter": (b"Date\n2024-01-02\n", 1, "", RejectionReason.MALFORMED),
    "not a ticker": (b"Date,AAPL\n2024-01-02,1\n", 1, "ticker", RejectionReason.MALFORMED),
    "ticker twice": (b"Date,0001.HK,00001\n2024-01-02,1,2\n", 1, "00001", RejectionReason.DUPLICATE),
    "bad date": (HEAD.encode() + b"02/01/2024,1,2\n", 2, "Date", RejectionReason.MALFORMED),
    "day twice": (HEAD.encode() + b"2024-01-02,1,2\n2024-01-02,1,2\n", 3, "Date", RejectionReason.MALFORMED),
    "days turn back": (HEAD.encode() + b"2024-01-03,1,2\n2024-01-02,1,2\n", 3, "Date", RejectionReason.MALFORMED),
    "negative": (HEAD.encode() + b"2024-01-02,1,-2\n", 2, "0700.HK", RejectionReason.OUT_OF_RANGE),
    "zero": (HEAD.encode() + b"2024-01-02,0,2\n", 2, "0001.HK", RejectionReason.OUT_OF_RANGE),
    "too large": (HEAD.encode() + b"2024-01-02,99999999999,2\n", 2, "0001.HK", RejectionReason.OUT_OF_RANGE),
    "no number": (HEAD.encode() + b"2024-01-02,n/a,2\n", 2, "0001.HK", RejectionReason.MALFORMED),
    "exponent": (HEAD.encode() + b"2024-01-02,1e999999,2\n", 2, "0001.HK", RejectionReason.MALFORMED),
    "not finite": (HEAD.encode() + b"2024-01-02,NaN,2\n", 2, "0001.HK", RejectionReason.MALFORMED),
    "five decimals": (HEAD.encode() + b"2024-01-02,1.00001,2\n", 2, "0001.HK", RejectionReason.MALFORMED),
    "two points": (HEAD.encode() + b"2024-01-02,1.0.1,2\n", 2, "0001.HK", RejectionReason.MALFORMED),
    "row cut short": (HEAD.encode() + b"2024-01-02,1\n", 2, "", RejectionReason.MALFORMED),
    "day without prices": (HEAD.encode() + b"2024-01-02,,\n", 2, "", RejectionReason.MISSING),
    "encoding": (HEAD.encode() + b"2024-01-02,1,2\n\xff\xfe", 3, "", RejectionReason.MALFORMED),
    "too few days": (HEAD.encode() + b"2024-01-02,1,2\n", 0, "", RejectionReason.MISSING),
    "gzip cut short": (gzip.compress(GOOD.encode())[:-12], 0, "", RejectionReason.MALFORMED),
    "gzip damaged": (gzip.compress(GOOD.encode())[:20] + b"\x00" * 40, 0, "", RejectionReason.MALFORMED),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused_whole(tmp_path: Path, name: str) -> None:
    """Goal: a fault is named by reason, line and column. Method: one broken file per kind."""
    data, line, field, reason = BROKEN[name]
    path = _write(tmp_path, data)
    with pytest.raises(Rejected) as caught:
        read_prices(path)
    first = caught.value.rejections[0]
    assert (first.line, first.field, first.reason, first.file) == (line, field, reason, str(path))


def test_a_plain_file_called_gz_is_refused(tmp_path: Path) -> None:
    """Goal: a wrong name is no crash. Method: plain text under a gzip name."""
    with pytest.raises(Rejected, match="damaged or cut short"):
        read_prices(_write(tmp_path, GOOD, "closes.csv.gz"))


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    """Goal: no traceback for a typing error. Method: read a path that is not there."""
    with pytest.raises(Rejected, match="cannot be read"):
        read_prices(tmp_path / "absent.csv")


def test_every_fault_is_told_up_to_a_limit(tmp_path: Path) -> None:
    """Goal: one pass shows the faults, not one a run, nor thousands. Method: three bad rows, then thirty."""
    rows = [f"2024-01-{day:02d},x,2\n" for day in range(2, 5)]
    with pytest.raises(Rejected) as caught:
        read_prices(_write(tmp_path, HEAD + "".join(rows)))
    assert [rejection.line for rejection in caught.value.rejections] == [2, 3, 4]
    with pytest.raises(Rejected) as caught:
        read_prices(_write(tmp_path, HEAD + "2024-01-02,x,2\n" * 30))
    assert len(caught.value.rejections) == module.REJECTIONS_MAX


@pytest.mark.parametrize("limit", ["FILE_BYTES_MAX", "TEXT_BYTES_MAX", "COLUMNS_MAX", "DAYS_MAX"])
def test_limits_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """Goal: an unreasonable file is refused, not swallowed. Method: lower each limit below the good file."""
    monkeypatch.setattr(module, limit, 1)
    with pytest.raises(Rejected) as caught:
        read_prices(_write(tmp_path, GOOD))
    assert caught.value.rejections[0].reason is RejectionReason.LIMIT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Date,0001.HK\n2024-01-02,1\n2024-01-03,1\n2024-01-04,1\n", RejectionReason.CONFLICT),
        (HEAD + "2024-01-02,1,2\n", RejectionReason.CONFLICT),
        (HEAD + "2024-01-02,1,-2\n", RejectionReason.OUT_OF_RANGE),
    ],
)
def test_volumes_of_another_grid_are_refused(tmp_path: Path, text: str, reason: RejectionReason) -> None:
    """Goal: volumes never slip by a row or column. Method: other tickers, other days, a negative one."""
    with pytest.raises(Rejected) as caught:
        read_prices(_write(tmp_path, GOOD), volumes=_write(tmp_path, text, "volumes.csv"))
    assert caught.value.rejections[0].reason is reason


@given(
    place=st.integers(0, len(GOOD) - 1), byte=st.integers(0, 255), cut=st.integers(0, len(GOOD)), packed=st.booleans()
)
@example(place=0, byte=0x1F, cut=len(GOOD), packed=False)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, place: int, byte: int, cut: int, packed: bool) -> None:
    """Goal: no damage gets past the reader as a traceback. Method: change a byte, cut the end, pack it or not."""
    data = bytearray(gzip.compress(GOOD.encode(), mtime=0) if packed else GOOD.encode())
    data[place % len(data)] = byte
    try:
        history = read_prices(_write(tmp_path, bytes(data[:cut])))
    except Rejected:
        pass  # any other exception fails the test
    else:
        assert ((history.close_e4 > 0) | history.missing).all()


def test_real_prices(shared: Path) -> None:
    """Goal: five years of 83 counters are read. Method: the shape, and the count of closes before a listing."""
    history = read_prices(shared / "data/econ/hk_stocks/hsi_constituents_adjclose_2020_2025.csv.gz")
    assert history.close_e4.shape == (1323, 83)
    assert int(history.missing.sum()) == 2598
