"""The market a served house is margined and stressed on: prices of a folder, read once, at the first question.

Study and call have one setting of scenarios: as many as the risk parameters carry, over the same stressed stretch, so
that what is called is explained by the scenarios it was made of. Only a history too short for that gives fewer.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Hashable
from pathlib import Path

import msgspec
import numpy as np

from tsingma.app.joint_study import MarketFiles, history_of_files
from tsingma.app.parameter_file import build_parameters
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.margin.hkscc.history_settings import STRESS_SCENARIOS_MIN, FilterSettings
from tsingma.margin.hkscc.parameters import Parameters
from tsingma.margin.house.models import HouseModels
from tsingma.margin.house.past import MarketPast
from tsingma.market.curve_history import CurveSeries
from tsingma.market.history import PriceHistory
from tsingma.messages.curve_file import read_curves
from tsingma.messages.rpf01 import read_parameters

CURVES = "curves.csv"
PRICES = ("prices.csv", "prices.csv.gz")
ANSWERS_KEPT = 256
SCENARIOS = FilterSettings()  # of call and study, unless a parameter file says how many it carries
SCENARIOS_MIN = 100  # as FilterSettings has it
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
    """A folder as ``tsingma simulate market`` writes it: prices, and what there is of index, USD/CNH, RPF01, curves."""

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
        self._given: Parameters | None = None
        self._data: MarketData | None = None
        self._curves: tuple[CurveSeries, ...] | None = None

    def past(self) -> MarketPast:
        """Return the past with its scenarios; raises Rejected naming file and line of what is wrong in it."""
        with self._lock:
            return self._read_past()

    def _read_past(self) -> MarketPast:
        if self._past is None:
            files = MarketFiles(prices=self._prices, index=self._file("index.csv"), fx=self._file("fx.csv"))
            history = history_of_files(files)
            self._past = MarketPast(history, models_of_call(history.days, self._read_given()))
        return self._past

    @property
    def history(self) -> PriceHistory:
        """Closes by day and instrument."""
        return self.past().history

    def curves(self) -> tuple[CurveSeries, ...]:
        """Return the zero curves of ``curves.csv``, none without one; raises Rejected naming file and line."""
        with self._lock:
            if self._curves is None:
                given = self._file(CURVES)
                self._curves = () if given is None else read_curves(given.read_bytes(), file=given.name)
            return self._curves

    def parameters(self) -> Parameters:
        """Return the risk parameters of ``RPF01.csv``, or those the prices give; raises Rejected for a bad file."""
        with self._lock:
            if self._parameters is None:
                given, history = self._read_given(), self._read_past().history
                self._parameters = build_parameters(history, SCENARIOS) if given is None else dated(given, history)
            return self._parameters

    def _read_given(self) -> Parameters | None:
        if self._given is None and (path := self._file("RPF01.csv")) is not None:
            self._given = read_parameters(path.read_bytes(), file=path.name)
        return self._given

    def data(self) -> MarketData:
        """Return what the figures rest on."""
        past = self.past()
        with self._lock:
            if self._data is None:
                names = (self._prices, *(self._file(name) for name in ("index.csv", "fx.csv", "RPF01.csv", CURVES)))
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


def dated(given: Parameters, history: PriceHistory) -> Parameters:
    """Return a file's parameters with the days of their scenarios, where these are just what the prices give.

    A parameter file carries no days (guide v1.4); scenarios that are of other prices stay numbers alone.
    """
    try:
        own = build_parameters(history, SCENARIOS)
    except Rejected:
        return given
    same = (
        own.valuation_date == given.valuation_date
        and own.instruments == given.instruments
        and np.array_equal(own.hvar_returns_e10, given.hvar_returns_e10)
        and np.array_equal(own.svar_returns_e10, given.svar_returns_e10)
    )
    return msgspec.structs.replace(given, hvar_dates=own.hvar_dates, svar_dates=own.svar_dates) if same else given


def models_of_call(days: int, given: Parameters | None = None) -> HouseModels:
    """Return the models of the study with the scenarios of the call: those of a parameter file, else of its settings.

    ``days`` of prices that are too few for so many scenarios give as many as they can, 100 at least.
    """
    usual = HouseModels()
    ordinary, stressed = SCENARIOS.look_back_days, SCENARIOS.stress_days
    if given is not None:
        ordinary, stressed = given.hvar_count, given.svar_count
    longest = 2 * max(usual.holding_days.values()) + 2
    settings = msgspec.structs.replace(
        SCENARIOS,
        look_back_days=max(min(ordinary, days - longest), SCENARIOS_MIN),
        stress_days=max(min(stressed, days - longest - 2), STRESS_SCENARIOS_MIN),
        minimum_observed_days=max(SCENARIOS.seed_days, min(SCENARIOS.minimum_observed_days, days - longest)),
    )
    return msgspec.structs.replace(usual, filter=settings)


def require_market(market: HouseMarket | None) -> HouseMarket:
    """Return the market; raises Rejected (missing) when the house is served without one."""
    if market is None:
        raise refuse(RejectionReason.MISSING, NO_MARKET, field="market", remedy="serve it with --market FOLDER")
    return market
