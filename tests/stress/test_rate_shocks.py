"""Goal: curves move as the standard writes, contracts are revalued exactly, and rates reach margin, fund and liquidity.

Method: published sizes and the formula by hand; duration and convexity with a third-order bound; QuantLib beside for a
swap and a bond; a small book whose only loss is a swap's; the renminbi scenario from its economy to the house.
"""

from __future__ import annotations

from datetime import date, timedelta
from math import exp
from pathlib import Path

import msgspec
import numpy as np
import pytest
import QuantLib as ql  # noqa: N813
from hypothesis import given
from hypothesis import strategies as st
from stress_books import small_book

from tsingma.app.stress_rates import RatesBook, rates_of_files, rates_past, simulated_rates, with_rates
from tsingma.app.stress_run import economy_path
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.economy.path import Indicator, Likelihood, LikelihoodKind, Provenance, Unit
from tsingma.economy.path import Path as EconomyPath
from tsingma.margin.house.contracts import Contract, ContractKind
from tsingma.margin.house.holdings import INDEX, Holding, House, Product
from tsingma.messages.curve_file import write_curves
from tsingma.pricing.cash_flows import Bond, bond_flows
from tsingma.simulate.curves import TENORS, simulate_curves
from tsingma.simulate.rates import simulate_rates
from tsingma.stress.book import StressBook, profits, profits_by_currency
from tsingma.stress.liquidity import liquidity_needs
from tsingma.stress.rates import CurveMove, CurveNow, CurveShock, RatesNow, path_moves, shapes, standard_move
from tsingma.stress.run import sized_funds
from tsingma.stress.scenario import assumptions, fund_rules, fund_shocks, parse_scenarios, scenario_named
from tsingma.stress.shocks import FactorModel, MarketShock, path_shock, shock_moves

DAY = date(2026, 1, 7)
NODE_DAYS = (91, 182, 365, 730, 1095, 1825, 2555, 3650, 7300, 10950)
YEARS = np.array(NODE_DAYS) / 365.0
RATES = np.interp(YEARS, [0.25, 1.0, 5.0, 30.0], [0.018, 0.019, 0.023, 0.029])
HKD = {"CNY": 1.10, "CNH": 1.10, "USD": 7.8, "HKD": 1.0}
CONTRACTS = {
    one.id: one
    for one in (
        Contract(id="swap", kind=ContractKind.SWAP, curve="CNY.FR007", maturity=date(2031, 1, 7), rate=0.0205,
                 start=date(2026, 1, 9)),
        Contract(id="bond", kind=ContractKind.BOND, curve="CNY.FR007", maturity=date(2035, 7, 15), rate=0.025,
                 start=date(2025, 7, 15), months=6),
        Contract(id="note", kind=ContractKind.FLOATER, curve="CNY.FR007", maturity=date(2029, 3, 1), rate=0.001,
                 start=date(2025, 3, 1), fixing=0.019),
        Contract(id="future", kind=ContractKind.BOND_FUTURE, curve="CNY.FR007", maturity=date(2026, 6, 12), rate=0.03,
                 basket=("bond",)),
        Contract(id="dollar", kind=ContractKind.SWAP, curve="USD.SOFR", maturity=24, rate=None),
    )
}  # fmt: skip


def now(contracts: dict[str, Contract] = CONTRACTS) -> RatesNow:
    """Return the contracts on two curves of a day."""
    curves = {name: CurveNow(name, YEARS, RATES) for name in ("CNY.FR007", "USD.SOFR")}
    return RatesNow(day=DAY, contracts=contracts, curves=curves, hkd=HKD)


def test_sizes_and_shapes_are_those_of_the_standard() -> None:
    """Goal: the published figures. Method: BCBS d368 table 1 (Delegated Regulation (EU) 2024/856 gives the same) before
    2026, and its formulas by hand at one and ten years.
    """
    day = date(2025, 12, 31)
    assert standard_move("CNY", "parallel-up", 1.0, day) == CurveMove(parallel=250.0)
    assert standard_move("HKD", "short-down", 1.0, day) == CurveMove(short=-250.0)
    assert standard_move("USD", "parallel-down", 0.2, day) == CurveMove(parallel=-40.0)
    steep, flat = (standard_move("USD", shape, 1.0, day) for shape in ("steepener", "flattener"))
    for years in (1.0, 10.0):
        short, long = 300 * exp(-years / 4), 150 * (1 - exp(-years / 4))
        assert steep.shift(np.array([years]))[0] * 1e4 == pytest.approx(-0.65 * short + 0.9 * long)
        assert flat.shift(np.array([years]))[0] * 1e4 == pytest.approx(0.8 * short - 0.6 * long)
    assert standard_move("CNH", "inversion", 1.0, day) == standard_move("CNY", "inversion", 1.0, day)
    assert len(shapes()) == 7


@given(
    parallel=st.floats(-300, 300), short=st.floats(-300, 300), long=st.floats(-300, 300),
    renminbi=st.floats(-0.2, 0.2),
)  # fmt: skip
def test_no_move_gains_nothing_and_another_currency_does_not_matter(
    parallel: float, short: float, long: float, renminbi: float
) -> None:
    """Goal: zero in, zero out, exactly. Method: no move at any exchange rate; dollars moved, renminbi contracts still;
    a curve's own move counts before its currency's.
    """
    assert set(now().gains({}, renminbi).values()) == {0.0}
    move = CurveMove(parallel=parallel, short=short, long=long)
    found = now().gains({"USD": move}, renminbi)
    assert [found[name] for name in ("swap", "bond", "note", "future")] == [0.0] * 4
    assert now().gains({"USD": move, "USD.SOFR": CurveMove()}, renminbi)["dollar"] == 0.0


@given(shift=st.floats(-150, 150), rate=st.floats(0.0, 0.08), years=st.integers(1, 30), months=st.sampled_from((6, 12)))
def test_a_parallel_move_is_duration_and_convexity_to_the_third_order(
    shift: float, rate: float, years: int, months: int
) -> None:
    """Goal: the size of a revaluation. Method: D = sum t c v, C = sum t^2 c v over a bond's flows; what is left is at
    most s^3 / 6 x sum t^3 c v x exp(|s| t).
    """
    end = date(DAY.year + years, DAY.month, DAY.day)
    terms = Contract(id="b", kind=ContractKind.BOND, curve="CNY.FR007", maturity=end, rate=rate, start=DAY,
                     months=months)  # fmt: skip
    gain = now({"b": terms}).gains({"CNY": CurveMove(parallel=shift)}, 0.0)["b"]
    flows = bond_flows(Bond(start=DAY, maturity=end, coupon=rate, face=1.0, months=months))
    t = np.array([(flow.day - DAY).days / 365.0 for flow in flows])
    value = np.array([flow.amount for flow in flows]) * np.exp(-np.interp(t, YEARS, RATES) * t)
    s = shift * 1e-4
    guess = -s * float(value @ t) + 0.5 * s * s * float(value @ t**2)
    bound = abs(s) ** 3 / 6 * float(value @ (t**3 * np.exp(abs(s) * t)))
    assert abs(gain - guess) <= bound + 1e-12
    assert (gain < 0) == (shift > 0) or abs(shift) < 1e-6


@pytest.mark.parametrize("shape", shapes())
def test_a_swap_and_a_bond_gain_what_quantlib_says(shape: str) -> None:
    """Goal: an oracle. Method: both curves in QuantLib, linear in zero rates, a payer swap that starts in two days and
    a bond of ten years; every shape at full size; 1e-10 of the face.
    """
    move = standard_move("CNY", shape, 1.0, DAY)
    found = now().gains({"CNY": move}, 0.0)
    ql.Settings.instance().evaluationDate = ql.Date(7, 1, 2026)
    days = [DAY, *(DAY + timedelta(days=each) for each in NODE_DAYS)]

    def values(shift: CurveMove) -> tuple[float, float]:
        zero = RATES + shift.shift(YEARS)
        nodes = [ql.Date(day.day, day.month, day.year) for day in days]
        curve = ql.YieldTermStructureHandle(ql.ZeroCurve(nodes, [zero[0], *zero.tolist()], ql.Actual365Fixed()))
        index = ql.IborIndex("FR007", ql.Period(3, ql.Months), 0, ql.CNYCurrency(), ql.NullCalendar(), ql.Unadjusted,
                             False, ql.Actual365Fixed(), curve)  # fmt: skip
        fixed, floating = (_schedule(date(2026, 1, 9), date(2031, 1, 7), months) for months in (12, 3))
        swap = ql.VanillaSwap(ql.Swap.Payer, 1.0, fixed, 0.0205, ql.Actual365Fixed(), floating, index, 0.0,
                              ql.Actual365Fixed())  # fmt: skip
        swap.setPricingEngine(ql.DiscountingSwapEngine(curve))
        bond = ql.FixedRateBond(0, 1.0, _schedule(date(2025, 7, 15), date(2035, 7, 15), 6), [0.025],
                                ql.Actual365Fixed())  # fmt: skip
        bond.setPricingEngine(ql.DiscountingBondEngine(curve))
        return swap.NPV(), bond.NPV()

    before, after = values(CurveMove()), values(move)
    assert found["swap"] == pytest.approx(after[0] - before[0], abs=1e-10)
    assert found["bond"] == pytest.approx(after[1] - before[1], abs=1e-10)


def _schedule(start: date, end: date, months: int) -> ql.Schedule:
    days = (ql.Date(day.day, day.month, day.year) for day in (start, end))
    return ql.Schedule(*days, ql.Period(months, ql.Months), ql.NullCalendar(), ql.Unadjusted, ql.Unadjusted,
                       ql.DateGeneration.Backward, False)  # fmt: skip


def with_swap() -> tuple[StressBook, StressBook]:
    """Return the small book without and with a swap: B pays fixed on a hundred million, C receives."""
    contracts = {"pay": Contract(id="pay", kind=ContractKind.SWAP, curve="CNY.FR007", maturity=60, rate=None)}
    curves = simulate_curves(3, DAY - timedelta(days=560), 400)
    book = small_book()
    rates = rates_past(curves, contracts)
    held = {
        name: (Holding(house=House.OTC_CLEAR, product=Product.SWAP, factor="pay", notional=size, days=0),)
        for name, size in (("B/HOUSE", 100_000_000), ("C/HOUSE", -100_000_000))
    }
    return book, with_rates(book, RatesBook(holdings=held, past=rates), HKD)


def model() -> FactorModel:
    """Return a model without residuals over two days."""
    factors = ("700", "981", INDEX)
    return FactorModel(factors=factors, beta=np.ones(3), fit=np.zeros(3), volatility=np.full(3, 0.2),
                       residual=np.zeros((60, 3)), days=np.arange(60, dtype=np.int32), horizon_days=2)  # fmt: skip


def test_rates_reach_margin_fund_and_liquidity() -> None:
    """Goal: a swap is margined, sizes the fund of its house and is paid in renminbi. Method: rates fall by 45 bp; only
    B loses, about notional x annuity x 45 bp; with it fallen the gain of C is to be found in renminbi at the rate.
    """
    plain, book = with_swap()
    at = 3
    assert (book.margin - plain.margin)[:, at].tolist()[:2] == [0, 0]
    assert (book.margin[2:, at] > 0).all()
    shock = MarketShock(horizon_days=2, rates={"CNY": CurveMove(parallel=-45.0)})
    moves = shock_moves(model(), shock, (), assumptions(), rates=book.rates)
    found = profits(book, moves)[:, :, 0]
    assert found[2, at] == -found[3, at]
    assert 0.0045 * 4.0 < -found[2, at] / 100_000_000 < 0.0045 * 5.2
    without = shock_moves(model(), MarketShock(horizon_days=2), (), assumptions(), rates=book.rates)
    np.testing.assert_array_equal(profits(book, without)[:, at, 0], 0)
    own = profits_by_currency(book, moves)
    np.testing.assert_array_equal(own["CNY"][:, at], found[:, at])
    needs = liquidity_needs(book, found, np.array([False, True, False]), own)
    in_money = {(need.day, need.currency): need.gains for need in needs}
    assert in_money[book.day, "CNY"] == -(-int(-found[2, at]) // 1.10)
    assert in_money[book.day, "HKD"] == int(np.maximum(-(found - own["CNY"])[2], 0).sum())
    rules = {house: msgspec.structs.replace(rule, minimum=0) for house, rule in fund_rules().items()}
    funds = sized_funds(book, model(), (), assumptions(), fund_shocks(), rules)
    old = sized_funds(plain, model(), (), assumptions(), fund_shocks(), rules)
    assert House.OTC_CLEAR not in old
    assert funds[House.OTC_CLEAR].total > 0
    assert funds[House.HKCC] == old[House.HKCC]
    equity_alone = [one for one in fund_shocks() if not one.rates]
    assert sized_funds(book, model(), (), assumptions(), equity_alone, rules)[House.OTC_CLEAR].total < (
        funds[House.OTC_CLEAR].total
    )


def test_invented_positions_are_flat_and_the_same_again() -> None:
    """Goal: every deal has two sides. Method: sums by contract are nothing; a seed twice, another seed differs."""
    names = [f"B{number:05d}/HOUSE" for number in range(1, 40)]
    one, again, other = (simulate_rates(seed, DAY, names) for seed in (1, 1, 2))
    assert one.holdings == again.holdings != other.holdings
    sums: dict[str, int] = {}
    for holdings in one.holdings.values():
        for held in holdings:
            sums[held.factor] = sums.get(held.factor, 0) + held.notional
    assert set(sums) == set(one.contracts)
    assert set(sums.values()) == {0}
    assert simulate_rates(1, DAY, names[:1]).holdings == {}


def path(**indicators: tuple[float, ...]) -> EconomyPath:
    """Return a path of months with rates in percent a year."""
    size = len(next(iter(indicators.values())))
    return EconomyPath(
        name="test", dates=tuple(date(2026, 1 + month, 28) for month in range(size)),
        indicators=tuple(Indicator(name.replace("__", "."), Unit.PERCENT_A_YEAR, v) for name, v in indicators.items()),
        likelihood=Likelihood(kind=LikelihoodKind.PLAUSIBILITY, value=0.5, basis="none"),
        provenance=Provenance(model="test", scenario="test", calibration="none", uncertainty="none"),
    )  # fmt: skip


def test_a_paths_rates_become_moves_of_curves() -> None:
    """Goal: the step that counts. Method: a squeeze that comes and goes counts as it came; a fall is a fall; a quarter
    of an offshore step onshore; half the arrival, half the step; no rate, no move.
    """
    squeeze = path(rate__CNH=(1.6, 1.5, 5.5, 9.0, 2.0, 1.0), rate__HIBOR_1M=(3.0, 2.5, 2.4, 2.4, 2.4, 2.5))
    found = path_moves(squeeze, 1.0)
    assert found["CNH"].short == pytest.approx(400.0)
    assert found["CNY"].short == pytest.approx(100.0)
    assert found["HKD"].short == pytest.approx(-50.0)
    assert path_moves(squeeze, 0.5)["CNH"].short == pytest.approx(200.0)
    assert path_moves(path(rate__other=(1.0, 2.0)), 1.0) == {}
    told = MarketShock(horizon_days=2, rates={"USD": CurveMove(parallel=10.0), "CNH": CurveMove(long=5.0)})
    both = path_shock(squeeze, told, assumptions()).rates
    assert both["USD"] == CurveMove(parallel=10.0)
    assert both["CNH"] == found["CNH"]


@pytest.mark.parametrize(
    ("scenario", "rises"), [("offshore-funding-squeeze", "CNH"), ("renminbi-jump", "CNH"), ("reunion-down", "HKD")]
)
def test_an_economys_rates_reach_the_swap_book(scenario: str, rises: str) -> None:
    """Goal: the bridge from model to margin, end to end. Method: the economy's own run, the shock it makes, invented
    swaps: a payer in that currency gains and a receiver loses what it gains; without the run's rates, nothing at all.
    """
    chosen = scenario_named(scenario)
    shock = path_shock(economy_path(chosen.economy, DAY), chosen.shock(DAY), assumptions())
    assert shock.rates[rises].short > 20.0
    book = small_book()
    book = with_rates(book, simulated_rates(1, book), HKD)
    at = 3
    found = profits(book, shock_moves(model(), shock, (), assumptions(), rates=book.rates))[:, at, 0]
    assert found.min() < -10_000
    assert abs(int(found.sum())) <= len(book.lines)  # each position is rounded to a dollar
    still = msgspec.structs.replace(shock, rates={})
    assert not profits(book, shock_moves(model(), still, (), assumptions(), rates=book.rates))[:, at, 0].any()


@pytest.mark.parametrize(
    ("shock", "field"),
    [({"shape": "twist"}, "rates.shape"), ({"shape": "steepener", "times": -1.0}, "rates.times"),
     ({"parallel": float("nan")}, "rates.parallel"), ({"short": 1e6}, "rates.short")],
)  # fmt: skip
def test_impossible_moves_are_refused(shock: dict[str, object], field: str) -> None:
    """Goal: no curve beyond what can be. Method: one thing wrong at a time; an unknown currency; one in a file."""
    with pytest.raises(Rejected) as refused:
        CurveShock(**shock).move("CNY", DAY)  # type: ignore[arg-type]
    assert refused.value.rejections[0].field == field
    with pytest.raises(Rejected, match="no curves of 'ZZZ'"):
        CurveShock(parallel=1.0).move("ZZZ", DAY)
    text = "\n".join(
        ["[[scenario]]", *(f'{name} = "x"' for name in ("id", "title", "title_zh", "story", "story_zh", "source",
                                                       "source_zh")), "horizon_days = 2",
         'rates = { CNY = { shape = "twist" } }'])  # fmt: skip
    with pytest.raises(Rejected, match="no shape"):
        parse_scenarios(text, file="mine.toml")


def test_positions_come_from_files_and_faults_name_the_line(tmp_path: Path) -> None:
    """Goal: a house's own swaps. Method: the margin room's formats; an account and a contract that are not there."""
    curves = tmp_path / "curves.csv"
    curves.write_bytes(write_curves(simulate_curves(3, DAY - timedelta(days=560), 400), TENORS))
    contracts = tmp_path / "contracts.csv"
    head = "id,kind,curve,start,maturity,rate,months,count,floating_months,fixing,repaid,basket"
    contracts.write_text(f"{head}\nCNY-5Y,swap,CNY.FR007,,5Y,par,,,,,,\n", encoding="utf-8")
    books = tmp_path / "books.csv"

    def read(*rows: str) -> StressBook:
        books.write_text("\n".join(["book,house,product,factor,notional,strike,days", *rows]) + "\n", encoding="utf-8")
        return with_rates(small_book(), rates_of_files(books, contracts, curves), HKD)

    made = read("B/HOUSE,OTC Clear,swap,CNY-5Y,1000000,,", "C/HOUSE,OTC Clear,swap,CNY-5Y,-1000000,,")
    assert (made.margin[2:, 3] > 0).all()
    for row, reason in (
        ("Z/HOUSE,OTC Clear,swap,CNY-5Y,1000000,,", RejectionReason.UNKNOWN),
        ("B/HOUSE,OTC Clear,swap,CNY-7Y,1000000,,", RejectionReason.UNKNOWN),
        ("B/HOUSE,OTC Clear,bond,CNY-5Y,1000000,,", RejectionReason.UNKNOWN),
        ("B/HOUSE,HKSCC,stock,5,1000000,,", RejectionReason.UNKNOWN),
    ):
        with pytest.raises(Rejected) as refused:
            read(row)
        assert (refused.value.rejections[0].reason, refused.value.rejections[0].line) == (reason, 2)
