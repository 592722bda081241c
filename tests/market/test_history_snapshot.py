"""Price histories and closing prices: what they refuse, what they answer, and that they never change."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.market.history import PriceHistory
from tsingma.market.tickers import counter_code, file_instrument_id


def _history(**changes: object) -> PriceHistory:
    close = np.array([[10_000, 0], [11_000, 0], [0, 25_000]], dtype=np.int64)
    fields: dict[str, object] = {
        "dates": np.array([19_000, 19_001, 19_004], dtype=np.int32),
        "instruments": ("00005", "00700"),
        "close_e4": close,
        "missing": close == 0,
        **changes,
    }
    return PriceHistory(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ticker", "code", "file_id"),
    [("0700.HK", "00700", "700"), ("700", "00700", "700"), ("00005", "00005", "5"), (" 80737.hk ", "80737", "80737")],
)
def test_one_counter_has_one_code(ticker: str, code: str, file_id: str) -> None:
    """Goal: every way to write a counter gives one code. Method: the spellings in use, against both names."""
    assert counter_code(ticker) == code
    assert file_instrument_id(ticker) == file_id


@pytest.mark.parametrize("ticker", ["", "AAPL", "0000.HK", "123456", "0700.SZ", "-5"])
def test_other_codes_are_refused(ticker: str) -> None:
    """Goal: nothing but a Hong Kong stock code passes. Method: six that are none."""
    with pytest.raises(Rejected, match="no Hong Kong stock code"):
        counter_code(ticker)


def test_arrays_cannot_be_changed() -> None:
    """Goal: a snapshot stays what it was. Method: write into it."""
    with pytest.raises(ValueError, match="read-only"):
        _history().close_e4[0, 0] = 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dates": np.array([3, 2, 4], dtype=np.int32)}, RejectionReason.MALFORMED),
        ({"dates": np.array([1, 2], dtype=np.int32)}, RejectionReason.MALFORMED),
        ({"instruments": ("00005", "00005")}, RejectionReason.DUPLICATE),
        ({"missing": np.zeros((3, 2), dtype=np.bool_)}, RejectionReason.OUT_OF_RANGE),
        ({"volumes": np.full((3, 2), -1)}, RejectionReason.OUT_OF_RANGE),
        ({"close_e4": np.ones((3, 2))}, RejectionReason.MALFORMED),
    ],
)
def test_contradictions_are_refused(changes: dict[str, object], reason: RejectionReason) -> None:
    """Goal: no contradictory history exists. Method: break one field at a time and read the reason."""
    with pytest.raises(Rejected) as caught:
        _history(**changes)
    assert caught.value.rejections[0].reason is reason


def test_an_empty_history_is_refused() -> None:
    """Goal: every history has a last day. Method: give one without days."""
    empty = np.zeros((0, 2), dtype=np.int64)
    with pytest.raises(Rejected, match="at least one day"):
        _history(dates=np.zeros(0, dtype=np.int32), close_e4=empty, missing=empty == 0)


def test_rows_are_found_by_date() -> None:
    """Goal: a day is found or refused with its neighbour. Method: 2022-01-08 is day 19,000, and 19,002 is absent."""
    history = _history()
    assert history.row_of(date(2022, 1, 8)) == 0
    assert history.row_of(None) == 2
    with pytest.raises(Rejected, match="2022-01-09 is the nearest"):
        history.row_of(date(2022, 1, 10))


def test_closing_prices_of_a_day() -> None:
    """Goal: a price is given or refused, never zero. Method: ask for one that is there, one missing, one unknown."""
    closing = _history().closing(1)
    assert closing.price_e4("00005") == 11_000
    with pytest.raises(Rejected, match="no close on 2022-01-09"):
        closing.price_e4("00700")
    with pytest.raises(Rejected, match="no price for counter"):
        closing.price_e4("00001")


def test_last_close_carries_over_a_gap() -> None:
    """Goal: a suspended counter keeps its last price, and its age shows. Method: read rows 1 and 2."""
    history = _history(volumes=np.zeros((3, 2), dtype=np.int64))
    prices, rows = history.last_closing(2)
    assert prices.tolist() == [11_000, 25_000]
    assert rows.tolist() == [1, 2]
    prices, rows = history.until(1).last_closing(1)
    assert (prices.tolist(), rows.tolist()) == ([11_000, 0], [1, -1])
