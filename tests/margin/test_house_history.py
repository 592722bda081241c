"""Swaps, bonds, bond futures, gold and currencies by revalued history.

Goal: every scenario profit is that of a full revaluation, in Hong Kong dollars; figures add up; bad terms are named.
Method: hand-worked figures, identities on random books (values: ``test_house_contract_values.py``; real rates:
``test_house_history_real.py``).
"""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulated_past import RATES, TERMS, book, simulated, simulated_curves, simulated_market
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.margin.house.contracts import Contract, ContractKind, CurveBook
from tsingma.margin.house.curve_scenarios import BASIS_POINT, RatesPast
from tsingma.margin.house.historical import (
    Family,
    GroupRisk,
    Kind,
    historical_figure,
    historical_settings,
)
from tsingma.margin.house.holdings import FX, Holding, House, Product, by_history
from tsingma.margin.house.models import HouseModels
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.standalone import house_figure, tail_days
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.explain import explain
from tsingma.margin.joint.requirement import Correlations, JointSettings, joint_margin
from tsingma.margin.joint.study import house_risks
from tsingma.market.curve_history import CurveSeries
from tsingma.market.history import PriceHistory

NAMES = tuple(TERMS)
SETTINGS = historical_settings(House.OTC_CLEAR, date(2026, 1, 5))


@pytest.fixture(scope="module")
def past() -> MarketPast:
    """One prepared past for all tests."""
    return simulated_market()


def test_profits_in_hong_kong_dollars(past: MarketPast) -> None:
    """Goal: renminbi contracts and currency futures pay at the moved rate. Method: the same by hand."""
    row = past.history.days - 1
    assert past.rates is not None
    starts = past.starts(row, 5, Kind.PLAIN)
    moves = past.moves(row, 5, {"CNY5Y", "HKD10Y", FX}, Kind.PLAIN)
    own = past.rates.profits(["CNY5Y", "HKD10Y"], row, starts, 5, filtered=False)
    close = past.history.close_e4[:, past.history.instruments.index(FX)]
    ratio = close[starts + 5] / close[starts]
    assert moves.returns[FX] == pytest.approx(ratio - 1)
    assert moves.contracts["CNY5Y"] == pytest.approx(own["CNY5Y"] / ratio)
    assert moves.contracts["HKD10Y"] == pytest.approx(own["HKD10Y"])
    future = Holding(house=House.HKCC, product=Product.FUTURE, factor=FX, notional=10**9)
    profit = past.own_profits([future], row, Kind.PLAIN)
    two = past.starts(row, 2, Kind.PLAIN)
    ratio = close[two + 2] / close[two]
    assert profit == pytest.approx(10**9 * (ratio - 1) / ratio, abs=1)


def test_what_came_is_what_was_gained(past: MarketPast) -> None:
    """Goal: an outcome is the gain over the position's own holding period. Method: a forward and a share by hand."""
    row = past.first_row
    close = past.history.close_e4.astype(float)
    fx, share = (past.history.instruments.index(name) for name in (FX, "00700"))
    forward = Holding(house=House.OTC_CLEAR, product=Product.FORWARD, factor=FX, notional=10**9)
    stock = Holding(house=House.HKSCC, product=Product.STOCK, factor="00700", notional=-(10**9))
    ratio = close[row + 5, fx] / close[row, fx]
    assert past.own_outcome([forward], row) == pytest.approx(1e9 * (ratio - 1) / ratio, abs=1)
    two = -1e9 * (close[row + 2, share] / close[row, share] - 1)
    assert past.own_outcome([stock], row) == pytest.approx(two, abs=1)
    assert past.own_outcome([forward, stock], row) == past.own_outcome([forward], row) + past.own_outcome([stock], row)


def test_the_stressed_stretch_is_the_most_volatile_one() -> None:
    """Goal: rates that moved threefold for 150 days are the stressed scenarios, known by the day. Method: planted."""
    curves = []
    for curve in simulated_curves():
        moves = np.diff(curve.rates, axis=0)
        moves[100:250] *= 4
        rates = np.clip(curve.rates[0] + np.vstack([np.zeros(curve.years.size), np.cumsum(moves, axis=0)]), -0.09, 0.9)
        curves.append(CurveSeries(curve.name, curve.dates.copy(), curve.years.copy(), rates))
    history, models = simulated(), HouseModels()
    flat = np.full((history.days, 1), 10_000, np.int64)
    bare = PriceHistory(history.dates.copy(), ("HKD",), flat, flat == 0)
    past = MarketPast(bare, models, RatesPast(curves, TERMS, models.filter))
    first = int(past.starts(history.days - 1, 5, Kind.STRESSED)[0])
    assert abs(first - 100) <= 3
    early = past.starts(200, 5, Kind.STRESSED)
    assert int(early[-1]) + 5 <= 200


def test_filtered_scenarios_keep_the_shape_of_a_move() -> None:
    """Goal: filtered = plain x today's volatility over that of then, one factor a curve. Method: ratios of shifts."""
    rates = RatesPast(simulated_curves(), TERMS, FilterSettings(look_back_days=250, stress_days=150))
    starts, row = np.arange(100, 350), 400
    points = []
    for filtered in (True, False):
        found = rates.profits(["ZERO"], row, starts, 5, filtered=filtered)["ZERO"]
        points.append(np.log1p(found / float(rates._book(rates.curves[-1], ("ZERO",), row).values(
            rates.curves[-1].rates[row : row + 1])["ZERO"][0])))  # fmt: skip
    scale = points[0] / points[1]
    usable = np.abs(points[1]) > 1e-6
    volatility = rates._volatility["USD.SOFR"]
    assert scale[usable] == pytest.approx(np.minimum(volatility[row] / volatility[starts], 3.0)[usable], rel=1e-6)


def test_a_rise_of_rates_pays_who_pays_fixed(past: MarketPast) -> None:
    """Goal: a plain scenario is today's curve plus what it then moved, in that direction. Method: revalued by hand."""
    rates, row, starts = past.rates, past.history.days - 1, np.arange(60, 90)
    assert rates is not None
    curve = next(one for one in rates.curves if one.name == "HKD.HIBOR")
    found = rates.profits(["HKD9Y"], row, starts, 5, filtered=False)["HKD9Y"]
    today = curve.rates[row : row + 1]
    book = CurveBook([TERMS["HKD9Y"]], TERMS, past.day(row), curve.years, today)
    moved = today + curve.rates[starts + 5] - curve.rates[starts]
    assert found == pytest.approx(book.values(moved)["HKD9Y"] - book.values(today)["HKD9Y"][0], abs=1e-14)
    risen = (curve.rates[starts + 5] > curve.rates[starts]).all(axis=1)
    assert risen.any()
    assert (found[risen] > 0).all()


def random_groups(seed: int) -> list[GroupRisk]:
    """Return one to four groups with random profits."""
    rng = np.random.default_rng(seed)
    return [
        GroupRisk(
            group=f"G{k}", family=list(Family)[int(rng.integers(3))],
            size=float(rng.normal(0, 10 ** rng.uniform(3, 9))), days=int(rng.integers(1, 6)),
            profit={kind: np.asarray(rng.standard_t(4, size) * 1e6, np.int64)
                    for kind, size in ((Kind.FILTERED, 250), (Kind.PLAIN, 250), (Kind.STRESSED, 150))},
        )
        for k in range(int(rng.integers(1, 5)))
    ]  # fmt: skip


@settings(max_examples=60)
@given(st.integers(0, 10**6))
def test_components_add_up(seed: int) -> None:
    """Goal: components add up; shortfall >= value at risk; a group alone never asks for less than its part.

    Method: random books; each choice of scenarios.
    """
    groups = random_groups(seed)
    figures = {}
    for choice in ("filtered", "plain", "larger"):
        figure = historical_figure(groups, msgspec.structs.replace(SETTINGS, scenarios=choice))
        assert figure.total == figure.market_risk + figure.liquidity + figure.concentration
        assert figure.market_risk >= figure.floor == sum(one.floor for one in figure.groups)
        assert all(tail.expected_shortfall >= tail.value_at_risk >= 0 for tail in figure.tails)
        apart = [historical_figure([one], msgspec.structs.replace(SETTINGS, scenarios=choice)) for one in groups]
        assert figure.liquidity + figure.concentration == sum(one.liquidity + one.concentration for one in apart)
        assert figure.market_risk <= sum(one.market_risk for one in apart) + len(apart)
        figures[choice] = figure.total
    assert figures["larger"] == max(figures["filtered"], figures["plain"])


def test_add_ons_by_hand() -> None:
    """Goal: floor, spread, concentration and weights as written. Method: one group of each kind, by hand."""
    profit = np.zeros(100, np.int64)
    profit[0] = -1_000_000
    stress = np.full(100, -2_000_000, np.int64)
    one = GroupRisk(group="HKD.HIBOR", family=Family.RATES, size=-80_000_000.0, days=5,
                    profit={Kind.FILTERED: profit, Kind.PLAIN: 2 * profit, Kind.STRESSED: stress})  # fmt: skip
    figure = historical_figure([one], SETTINGS)
    assert figure.tails[0].expected_shortfall == figure.tails[0].value_at_risk == 1_000_000
    assert figure.floor == 400_000_000  # 5 basis points of HKD 80 million each
    assert figure.market_risk == 400_000_000
    assert figure.liquidity == 40_000_000
    assert figure.concentration == 1_000_000  # 20 days to close out over 5: twice the shortfall
    small = historical_figure([msgspec.structs.replace(one, size=1.0)], SETTINGS)
    assert (small.market_risk, small.liquidity, small.concentration) == (1_250_000, 1, 0)
    plain = historical_figure(
        [msgspec.structs.replace(one, size=1.0)], msgspec.structs.replace(SETTINGS, scenarios="plain")
    )
    assert plain.market_risk == 2_000_000


def test_house_figures(past: MarketPast) -> None:
    """Goal: each house's figure adds up, tails have their days, sizes are one basis point. Method: the rates book."""
    row = past.history.days - 1
    for house in RATES.houses:
        own = [one for one in RATES.holdings if one.house is house]
        figure = house_figure(house, own, past, row)
        assert figure.total == sum(figure.components.values()) > 0
        for one in tail_days(figure, own, past, row):
            assert date.fromisoformat(one.day) < past.day(row)
        if figure.historical is None:
            continue
        filtered = [one.profit for one in tail_days(figure, own, past, row) if one.kind is Kind.FILTERED]
        assert (
            -sum(filtered)
            <= figure.historical.tails[0].expected_shortfall * len(filtered)
            < -sum(filtered) + len(filtered)
        )
        by_curve = {one.group: one.size for one in figure.historical.groups}
        if house is House.OTC_CLEAR:
            assert set(by_curve) == {"CNH.HIBOR", "CNY.FR007", "HKD.HIBOR"}
            assert by_curve["CNY.FR007"] == pytest.approx(3e8 * 4.7 * BASIS_POINT, rel=0.1)  # pays fixed: gains
            assert by_curve["HKD.HIBOR"] < 0


def test_holding_periods_follow_the_product(past: MarketPast) -> None:
    """Goal: five days for a swap, three for a bond, two for a future; longer is dearer. Method: periods by product."""
    row = past.history.days - 1
    periods = {one.product: past.period(one, row) for one in RATES.holdings}
    assert periods == {Product.SWAP: 5, Product.BOND: 3, Product.BOND_FUTURE: 2, Product.STOCK: 2}
    bond = Holding(house=House.OTC_CLEAR, product=Product.BOND, factor="CGB5", notional=10**9)
    slow = past.own_profits([bond], row, Kind.PLAIN).std()
    fast = past.own_profits([msgspec.structs.replace(bond, house=House.HKCC, product=Product.BOND_FUTURE, factor="TF")],
                            row, Kind.PLAIN).std()  # fmt: skip
    assert slow > fast
    assert not by_history(Holding(house=House.HKCC, product=Product.FUTURE, factor="INDEX", notional=1))
    assert by_history(Holding(house=House.HKCC, product=Product.FUTURE, factor="XAUHKD", notional=1))


def test_swaps_and_bonds_enter_the_joint_margin(past: MarketPast) -> None:
    """Goal: one portfolio of swaps, bond futures and shares; a hedge across houses saves. Method: identities."""
    row = past.history.days - 1
    margin = joint_margin("rates", house_risks(RATES, past, row))
    for shares in margin.shares:
        assert sum(each.called for each in shares.houses) == shares.called
        assert all(each.called <= each.standalone for each in shares.houses)
    assert sum(explain(RATES, past, row).positions[k].component for k in range(5)) == margin.expected_shortfall_joint
    hedge = book((House.OTC_CLEAR, Product.BOND, "CGB5", 10**9), (House.HKCC, Product.BOND_FUTURE, "TF", -(10**9)))
    bet = book((House.OTC_CLEAR, Product.BOND, "CGB5", 10**9), (House.HKCC, Product.BOND_FUTURE, "TF", 10**9))
    saved, none = (joint_margin("x", house_risks(one, past, row)) for one in (hedge, bet))
    assert saved.one_pot < saved.standalone // 3
    assert none.saving < none.standalone // 50
    assert saved.by(Allocation.EULER).called < saved.standalone


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(("CNY5Y", "HKD10Y", "HKD9Y", "FRN", "THIRDS")), st.integers(-(10**9), 10**9)),
                min_size=1, max_size=5, unique_by=lambda one: one[0]), st.integers(1, 10**8))  # fmt: skip
def test_random_books_of_swaps_and_shares(lines: list[tuple[str, int]], shares: int) -> None:
    """Goal: no house above stand-alone, parts add up, Euler and Shapley exact. Method: random books at two houses."""
    past = _market()
    held = [
        (House.OTC_CLEAR, Product.SWAP if TERMS[name].kind is ContractKind.SWAP else Product.BOND, name, notional or 1)
        for name, notional in lines
    ]
    chosen = book(*held, (House.HKSCC, Product.STOCK, "00700", shares))
    margin = joint_margin("A", house_risks(chosen, past, past.history.days - 1))
    assert margin.one_pot <= margin.standalone
    for each in margin.shares:
        assert each.called + sum(one.credit for one in each.houses) == margin.standalone
        assert all(0 <= one.called <= one.standalone for one in each.houses)
    assert all(sum(parts) == margin.one_pot for parts in margin.one_pot_parts.values())


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=4), st.sampled_from((1, -1)))
def test_books_of_one_direction_save_nothing(sizes: list[int], sign: int) -> None:
    """Goal: zero credit for books that lose together, and with correlations flipped for any book. Method: one factor at
    two houses the same way, random sizes; the opposite way under the switch.
    """
    past = _market()
    row, own = past.history.days - 1, sign * sizes[0]
    same = book((House.OTC_CLEAR, Product.FORWARD, FX, own), (House.HKCC, Product.FUTURE, FX, sign * sizes[1]))
    margin = joint_margin("A", house_risks(same, past, row))
    assert margin.saving <= 2  # lines are rounded to whole HKD
    assert all(each.called >= margin.standalone - 2 for each in margin.shares)
    hedge = book((House.OTC_CLEAR, Product.FORWARD, FX, own), (House.HKCC, Product.FUTURE, FX, -own))
    assert joint_margin("A", house_risks(hedge, past, row)).saving > 0 or abs(own) < 1_000
    flipped = joint_margin("A", house_risks(hedge, past, row), JointSettings(correlations=Correlations.FLIPPED))
    assert flipped.saving == 0
    assert all(each.called == flipped.standalone for each in flipped.shares)


def test_without_shares_the_stressed_stretch_is_that_of_rates() -> None:
    """Goal: a past of curves and currencies alone has a stressed stretch of its own. Method: moves compared."""
    market = _market()
    history = market.history
    assert market.rates is not None
    bare = PriceHistory(history.dates.copy(), (FX,), history.close_e4[:, 4:5].copy(), history.missing[:, 4:5].copy())
    models = HouseModels()
    past = MarketPast(bare, models, RatesPast(simulated_curves(), TERMS, models.filter))
    row = history.days - 1
    found, wanted = past.stress(row, 5, {"CNY5Y"}), past.moves(row, 5, {"CNY5Y"}, Kind.STRESSED)
    assert (found.contracts["CNY5Y"] == wanted.contracts["CNY5Y"]).all()
    assert past.starts(row, 5, Kind.STRESSED)[0] > 0


_kept: list[MarketPast] = []


def _market() -> MarketPast:
    if not _kept:
        _kept.append(simulated_market())
    return _kept[0]


BAD = [
    (Contract(id="X", kind=ContractKind.SWAP, curve="EUR.X", maturity=12, rate=None), "contract X: curve: there is no"),
    (Contract(id="X", kind=ContractKind.SWAP, curve="HKD.HIBOR", maturity=date(2020, 1, 1), rate=0.01,
              start=date(2019, 1, 1)), "contract X: maturity: it matured on 2020-01-01"),
    (Contract(id="X", kind=ContractKind.SWAP, curve="HKD.HIBOR", maturity=60, rate=0.01, start=date(2019, 1, 1)),
     "contract X: fixing: it started on 2019-01-01"),
    (Contract(id="X", kind=ContractKind.BOND, curve="HKD.HIBOR", maturity=12, rate=0.01, repaid=(2.0,)),
     "contract X: repaid"),
]  # fmt: skip


@pytest.mark.parametrize(("contract", "message"), BAD, ids=["curve", "expired", "fixing", "repaid"])
def test_bad_contracts_are_named(contract: Contract, message: str) -> None:
    """Goal: a contract that cannot be valued is refused by name, never margined at zero. Method: one fault each."""
    product = Product.SWAP if contract.kind is ContractKind.SWAP else Product.BOND

    def margin() -> int:
        past = simulated_market(terms={"X": contract})
        own = [Holding(house=House.OTC_CLEAR, product=product, factor="X", notional=1)]
        return house_figure(House.OTC_CLEAR, own, past, past.history.days - 1).total

    with pytest.raises(Rejected, match=message):
        margin()


def test_missing_inputs_are_named(past: MarketPast) -> None:
    """Goal: unknown contracts, wrong products, no renminbi, too few days, no parameters. Method: one fault each."""

    def held(product: Product, factor: str, house: House = House.OTC_CLEAR) -> list[Holding]:
        return [Holding(house=house, product=product, factor=factor, notional=1, line=7)]

    for holdings, message in (
        (held(Product.SWAP, "NONE"), "B.csv:7: factor: 'NONE' is no contract on file"),
        (held(Product.SWAP, "CGB5"), "'CGB5' is a bond"),
        (held(Product.FUTURE, "XAUUSD", House.HKCC), "'XAUUSD' is not in the price history"),
    ):
        with pytest.raises(Rejected, match=message):
            past.require(holdings, file="B.csv")
    with pytest.raises(Rejected, match="days of prices by"):
        house_figure(House.OTC_CLEAR, held(Product.SWAP, "CNY5Y"), past, 100)
    history, models = simulated(), HouseModels()
    bare = PriceHistory(history.dates.copy(), history.instruments[:3], history.close_e4[:, :3].copy(),
                        history.missing[:, :3].copy())  # fmt: skip
    without = MarketPast(bare, models, RatesPast(simulated_curves(), TERMS, models.filter))
    with pytest.raises(Rejected, match="pays in renminbi"):
        without.require(held(Product.SWAP, "CNY5Y"))
    with pytest.raises(Rejected, match="no holding period for a stock"):
        SETTINGS.period(Product.STOCK)
    with pytest.raises(Rejected, match="no rows for 'SEOCH'"):
        historical_settings(House.SEOCH, date(2026, 1, 5))
    with pytest.raises(Rejected, match="in force"):
        historical_settings(House.OTC_CLEAR, date(2000, 1, 1))
    with pytest.raises(Rejected, match="nothing to margin"):
        historical_figure([], SETTINGS)
    with pytest.raises(Rejected, match="none of filtered"):
        historical_figure(random_groups(1), msgspec.structs.replace(SETTINGS, scenarios="guessed"))
    assert to_date(int(past.history.dates[0])) < past.day(past.history.days - 1)
