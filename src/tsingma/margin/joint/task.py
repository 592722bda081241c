"""The study of one book as a task of bytes, for any executor."""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.margin.house.contracts import Contract
from tsingma.margin.house.curve_scenarios import RatesPast
from tsingma.margin.house.holdings import Book
from tsingma.margin.house.models import HouseModels
from tsingma.margin.house.past import MarketPast
from tsingma.margin.joint.requirement import JointSettings
from tsingma.margin.joint.study import BookStudy, study_book
from tsingma.market.curve_history import CurveSeries
from tsingma.market.history import PriceHistory

STUDY = "tsingma.margin.joint.task:study"


class _Curve(msgspec.Struct):
    name: str
    dates: bytes
    years: bytes
    rates: bytes


class _Past(msgspec.Struct):
    instruments: tuple[str, ...]
    dates: bytes
    close_e4: bytes
    curves: tuple[_Curve, ...] = ()
    contracts: tuple[Contract, ...] = ()


class _Question(msgspec.Struct):
    book: Book
    settings: JointSettings
    every: int


_last: tuple[bytes, MarketPast] | None = None


def pack_past(past: MarketPast) -> bytes:
    """Return prices, curves and contracts as bytes; volumes are left out."""
    history = past.history
    curves: tuple[CurveSeries, ...] = () if past.rates is None else past.rates.curves
    return msgspec.msgpack.encode(
        _Past(
            history.instruments,
            history.dates.tobytes(),
            np.ascontiguousarray(history.close_e4).tobytes(),
            tuple(_Curve(one.name, one.dates.tobytes(), one.years.tobytes(), one.rates.tobytes()) for one in curves),
            () if past.rates is None else tuple(past.rates.contracts.values()),
        )
    )


def unpack_past(data: bytes) -> MarketPast:
    """Return the past of :func:`pack_past`, with the houses' own models."""
    found = msgspec.msgpack.decode(data, type=_Past)
    dates = np.frombuffer(found.dates, np.int32).copy()
    close = np.frombuffer(found.close_e4, np.int64).reshape(dates.size, len(found.instruments)).copy()
    models = HouseModels()
    curves = []
    for one in found.curves:
        days, years = np.frombuffer(one.dates, np.int32).copy(), np.frombuffer(one.years, np.float64).copy()
        rates = np.frombuffer(one.rates, np.float64).reshape(days.size, years.size).copy()
        curves.append(CurveSeries(one.name, days, years, rates))
    rates_past = RatesPast(curves, {one.id: one for one in found.contracts}, models.filter) if curves else None
    return MarketPast(PriceHistory(dates, found.instruments, close, close == 0), models, rates_past)


def pack_question(book: Book, settings: JointSettings, every: int) -> bytes:
    """Return what is asked about one book as bytes."""
    return msgspec.msgpack.encode(_Question(book, settings, every))


def study(shared: bytes, one: bytes) -> bytes:
    """Return the study (msgpack) of a question under a packed past; raises Rejected as ``study_book``."""
    global _last
    if _last is None or _last[0] != shared:
        _last = (shared, unpack_past(shared))
    asked = msgspec.msgpack.decode(one, type=_Question)
    return msgspec.msgpack.encode(study_book(asked.book, _last[1], asked.settings, every=asked.every))


def unpack_study(data: bytes) -> BookStudy:
    """Return the study of :func:`study`."""
    return msgspec.msgpack.decode(data, type=BookStudy)
