"""The study of one book as a task of bytes, for any executor."""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.margin.house.holdings import Book
from tsingma.margin.house.models import HouseModels
from tsingma.margin.joint.requirement import JointSettings
from tsingma.margin.joint.study import BookStudy, MarketPast, study_book
from tsingma.market.history import PriceHistory

STUDY = "tsingma.margin.joint.task:study"


class _History(msgspec.Struct):
    instruments: tuple[str, ...]
    dates: bytes
    close_e4: bytes


class _Question(msgspec.Struct):
    book: Book
    settings: JointSettings
    every: int


_last: tuple[bytes, MarketPast] | None = None


def pack_history(history: PriceHistory) -> bytes:
    """Return a price history as bytes; volumes are left out."""
    return msgspec.msgpack.encode(
        _History(history.instruments, history.dates.tobytes(), np.ascontiguousarray(history.close_e4).tobytes())
    )


def unpack_history(data: bytes) -> PriceHistory:
    """Return the price history of :func:`pack_history`."""
    found = msgspec.msgpack.decode(data, type=_History)
    dates = np.frombuffer(found.dates, np.int32).copy()
    close = np.frombuffer(found.close_e4, np.int64).reshape(dates.size, len(found.instruments)).copy()
    return PriceHistory(dates, found.instruments, close, close == 0)


def pack_question(book: Book, settings: JointSettings, every: int) -> bytes:
    """Return what is asked about one book as bytes."""
    return msgspec.msgpack.encode(_Question(book, settings, every))


def study(shared: bytes, one: bytes) -> bytes:
    """Return the study (msgpack) of a question under a packed history; raises Rejected as ``study_book``."""
    global _last
    if _last is None or _last[0] != shared:
        _last = (shared, MarketPast(unpack_history(shared), HouseModels()))
    asked = msgspec.msgpack.decode(one, type=_Question)
    return msgspec.msgpack.encode(study_book(asked.book, _last[1], asked.settings, every=asked.every))


def unpack_study(data: bytes) -> BookStudy:
    """Return the study of :func:`study`."""
    return msgspec.msgpack.decode(data, type=BookStudy)
