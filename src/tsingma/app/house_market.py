"""The market a served house is margined and stressed on: prices of a folder, read once, at the first question."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Hashable
from pathlib import Path

import msgspec

from tsingma.app.joint_study import MarketFiles, past_of_files
from tsingma.app.parameter_file import build_parameters
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.margin.hkscc.parameters import Parameters
from tsingma.margin.house.past import MarketPast
from tsingma.market.history import PriceHistory
from tsingma.messages.rpf01 import read_parameters

PRICES = ("prices.csv", "prices.csv.gz")
ANSWERS_KEPT = 256
NO_MARKET = "the house is served without a market, so there are no prices"


class MarketData(msgspec.Struct, frozen=True, kw_only=True):
    """Which data a figure rests on: files by their SHA-256, and the first and last day of the prices."""

    files: dict[str, str]
    first_day: str
    last_day: str
    instruments: int


class Remembered:
    """The last answers to questions that cost a processor time, by what they were asked; from any thread."""

    def __init__(self, kept: int) -> None:
        """Start empty; ``kept`` answers at most."""
        self._lock = threading.Lock()
        self._kept, self._found = kept, dict[Hashable, object]()

    def get(self, question: Hashable) -> object:
        """Return the answer, or None."""
        with self._lock:
            return self._found.get(question)

    def put(self, question: Hashable, answer: object) -> None:
        """Keep an answer, and forget the oldest beyond the bound."""
        with self._lock:
            self._found[question] = answer
            while len(self._found) > self._kept:
                del self._found[next(iter(self._found))]


class HouseMarket:
    """A folder as ``tsingma simulate market`` writes it: prices, and where they are there an index, USD/CNH, RPF01."""

    def __init__(self, folder: Path) -> None:
        """Find the files; raises Rejected (missing) for a folder without prices."""
        found = [folder / name for name in PRICES if (folder / name).is_file()]
        if not found:
            remedy = f"a folder with {' or '.join(PRICES)}"
            raise refuse(
                RejectionReason.MISSING, "there are no prices", file=str(folder), field="market", remedy=remedy
            )
        self.folder = folder
        self._prices = found[0]
        self._lock = threading.Lock()
        self.remembered = Remembered(ANSWERS_KEPT)
        self._past: MarketPast | None = None
        self._parameters: Parameters | None = None
        self._data: MarketData | None = None

    def past(self) -> MarketPast:
        """Return the past with its scenarios; raises Rejected naming file and line of what is wrong in it."""
        with self._lock:
            if self._past is None:
                files = MarketFiles(prices=self._prices, index=self._file("index.csv"), fx=self._file("fx.csv"))
                self._past = past_of_files(files)
            return self._past

    @property
    def history(self) -> PriceHistory:
        """Closes by day and instrument."""
        return self.past().history

    def parameters(self) -> Parameters:
        """Return the risk parameters of ``RPF01.csv``, or those the prices give; raises Rejected for a bad file."""
        history = self.history
        with self._lock:
            if self._parameters is None:
                given = self._file("RPF01.csv")
                if given is None:
                    self._parameters = build_parameters(history, FilterSettings())
                else:
                    self._parameters = read_parameters(given.read_bytes(), file=given.name)
            return self._parameters

    def data(self) -> MarketData:
        """Return what the figures rest on."""
        past = self.past()
        with self._lock:
            if self._data is None:
                names = (self._prices, *(self._file(name) for name in ("index.csv", "fx.csv", "RPF01.csv")))
                used = [path for path in names if path is not None]
                self._data = MarketData(
                    files={path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in used},
                    first_day=str(past.day(0)), last_day=str(past.day(past.history.days - 1)),
                    instruments=len(past.history.instruments),
                )  # fmt: skip
            return self._data

    def _file(self, name: str) -> Path | None:
        path = self.folder / name
        return path if path.is_file() else None


def require_market(market: HouseMarket | None) -> HouseMarket:
    """Return the market; raises Rejected (missing) when the house is served without one."""
    if market is None:
        raise refuse(RejectionReason.MISSING, NO_MARKET, field="market", remedy="serve it with --market FOLDER")
    return market
