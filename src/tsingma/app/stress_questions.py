"""What a supervisor asks of the house at a desk: a scenario with its moves set by hand, through the served book.

The book, its margins and its betas are made once for each record of the journal at which the house is asked; a question
then takes a fraction of a second. Nothing is booked.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import msgspec
import numpy as np

from tsingma.app.day_figures import cross_rows
from tsingma.app.house_derivatives import CrossHouse, DerivativeMargin, cross_house
from tsingma.app.house_margin import house_margin
from tsingma.app.house_market import HouseMarket, require_market
from tsingma.app.house_service import HouseService
from tsingma.app.stress_figures import stress_figures
from tsingma.app.stress_run import StressSource, economy_path, less_liquid, source_of_margins, stress_world
from tsingma.basics.money import MINOR_SCALE
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House as TheHouse
from tsingma.margin.house.holdings import House
from tsingma.reports.cross_sections import by_saving
from tsingma.reports.figures import CrossRow
from tsingma.reports.stress_figures import StressFigures
from tsingma.stress.book import HOUSES, StressBook
from tsingma.stress.defaults import HouseFund
from tsingma.stress.run import run_scenario
from tsingma.stress.scenario import Scenario, assumptions, fund_shocks, scenario_named
from tsingma.stress.shocks import path_shock

DRAWS = 20
SEED = 1
LIQUID_TIMES_MAX = 20
FUND_HORIZON_DAYS = 2
MOVES = ("index_return", "volatility_ratio", "renminbi_return", "correlation", "horizon_days")
CHOSEN = "chosen"  # the scenario whose moves are all those of the question


class StressQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A shipped scenario, or "chosen"; moves that are given replace its own. Returns and changes are parts of one.

    ``liquid_times`` cuts free money to so many times margin (0: as it is on the books).
    """

    scenario: str = CHOSEN
    index_return: float | None = None
    volatility_ratio: float | None = None
    renminbi_return: float | None = None
    correlation: float | None = None
    horizon_days: int | None = None
    liquid_times: float = 0.0


class HouseSide(msgspec.Struct, frozen=True, kw_only=True):
    """One clearing house beside the others, whole HKD.

    ``margin`` is what it calls alone, ``credit`` what one portfolio would give back, ``joint`` the rest; ``fund`` its
    default fund, of which ``house_part`` is its own. ``long`` and ``short`` are notionals of open positions, in number
    ``positions``; ``marked`` what positions gained (+) since they were last paid for.
    """

    house: str
    accounts: int
    positions: int
    long: int
    short: int
    marked: int
    margin: int
    credit: int
    joint: int
    fund: int
    house_part: int
    members: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The houses side by side as of a journal record; ``pledged`` and ``liquid`` stand for all houses together."""

    day: str
    at: int
    label: str
    parameters_day: str
    model_scenarios: int
    fund_shocks: tuple[str, ...]
    sides: tuple[HouseSide, ...]
    crossed: tuple[CrossRow, ...]
    required: int
    pledged: int
    liquid: int
    source: StressSource


class RiskDesk:
    """Answers about a served house's risk; what it made for a record is kept until the house has moved on."""

    def __init__(self, service: HouseService, market: HouseMarket | None) -> None:
        """Take the service and its market; without a market every question is refused with what to do."""
        self._service, self._market = service, market
        self._making = threading.Lock()
        self._made: Standing | None = None

    def standing(self) -> Standing:
        """Return the houses side by side; raises Rejected (missing) without a market, a book or a day in the house."""
        market = require_market(self._market)
        with self._making:
            number = self._service.read(lambda _house, at: at)
            if self._made is None or self._made.at != number:
                self._made = self._service.read(lambda house, at: standing_of(house, at, market))
            return self._made

    def ask(self, question: StressQuestion) -> StressFigures:
        """Return a question's scenario through the served book; raises Rejected for an impossible move."""
        return ask_stress(self.standing().source, question)


def standing_of(house: TheHouse, at: int, market: HouseMarket) -> Standing:
    """Return the houses side by side from a house's books as of record ``at``; raises Rejected as margins do."""
    if not house.position.day:
        raise refuse(RejectionReason.MISSING, "the house has had no day yet", remedy="open a business day first")
    parameters, data = market.parameters(), market.data()
    label = f"{', '.join(data.files)}, {data.first_day} – {data.last_day}"
    margin, derivatives = house_margin(house, parameters), DerivativeMargin(house, parameters)
    crossed = cross_house(house, margin, derivatives)
    source = source_of_margins(house, margin, derivatives, crossed, market.history, label, market.curves())
    world = stress_world(source, FUND_HORIZON_DAYS)
    book = source.book
    return Standing(
        day=str(book.day), at=at, label=label, parameters_day=str(parameters.valuation_date),
        model_scenarios=int(parameters.hvar_returns_e10.shape[1]),
        fund_shocks=tuple(one.id for one in fund_shocks()), sides=_sides(book, dict(world.funds)),
        crossed=_crossed(crossed),
        required=int(house.margin.requirement_cents.sum()) // MINOR_SCALE,
        pledged=int(house.margin.pledged_cents.sum()) // MINOR_SCALE,
        liquid=int(book.liquid.sum()), source=source,
    )  # fmt: skip


def _sides(book: StressBook, funds: dict[House, HouseFund]) -> tuple[HouseSide, ...]:
    at_house = np.array([HOUSES.index(line.house) for line in book.lines], np.int64)[book.position_line]
    found = []
    for place, house in enumerate(HOUSES):
        notional, fund = book.notional[at_house == place], funds.get(house)
        margin, credit = int(book.margin[:, place].sum()), int(book.credit[:, place].sum())
        contributions = 0 if fund is None else sum(fund.contributions.values())
        own = 0 if fund is None else fund.house_part
        found.append(
            HouseSide(
                house=str(house), accounts=int((book.margin[:, place] > 0).sum()), positions=int(notional.size),
                long=int(notional[notional > 0].sum()), short=-int(notional[notional < 0].sum()),
                marked=int(book.marked[:, place].sum()), margin=margin, credit=credit, joint=margin - credit,
                fund=contributions + own, house_part=own, members=0 if fund is None else len(fund.contributions),
            )
        )  # fmt: skip
    return tuple(found)


def _crossed(crossed: Sequence[CrossHouse]) -> tuple[CrossRow, ...]:
    """Return the accounts at several houses, those that save most first, credit shared by Euler."""
    return tuple(by_saving(cross_rows(crossed)))


def ask_stress(source: StressSource, question: StressQuestion) -> StressFigures:
    """Return a question's scenario through a book; raises Rejected for an unknown scenario or an impossible move.

    A move that is given counts; what is not given is the scenario's, with what the economy's run behind it says.
    """
    base = by_hand() if question.scenario == CHOSEN else scenario_named(question.scenario)
    if not 0.0 <= question.liquid_times <= LIQUID_TIMES_MAX:
        message = f"{question.liquid_times:g} is not 0 to {LIQUID_TIMES_MAX}"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="liquid_times")
    chosen = less_liquid(source, question.liquid_times) if question.liquid_times else source
    shock, assumed = base.shock(chosen.book.day), assumptions()
    if base.economy:
        shock = path_shock(economy_path(base.economy, chosen.book.day), shock, assumed)
    moved = {name: getattr(question, name) for name in MOVES if getattr(question, name) is not None}
    shock = msgspec.structs.replace(shock, **moved)
    world = stress_world(chosen, shock.horizon_days)
    scenario = msgspec.structs.replace(base, horizon_days=shock.horizon_days)
    return stress_figures(chosen.book, run_scenario(world, scenario, shock, draws=DRAWS, seed=SEED))


def by_hand() -> Scenario:
    """Return the scenario that says nothing itself: the question's moves are all of it."""
    return Scenario(
        id=CHOSEN, title="Moves set by hand", title_zh="自訂變動",
        story="The index, volatility, renminbi and horizon as they were set.",
        story_zh="指數、波幅、人民幣及期限按所設數值。", horizon_days=2, assumed=True,
        source="sizes set by hand", source_zh="數值自行設定",
    )  # fmt: skip
