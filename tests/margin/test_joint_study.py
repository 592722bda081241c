"""Books through time.

Goal: margins of every house alone and joint, walk-forward, with realised cover. Method: a simulated history with an
index and a currency, nothing known of later days, real closes, refusals of files and factors.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from simulated_past import HEDGED, book, simulated, simulated_market, write_files
from tsingma.app.joint_study import MarketFiles, books_of_file, past_of_files, study_books
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.margin.house.holdings import BASKET, INDEX, Holding, House, Product
from tsingma.margin.house.models import HouseModels
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.revaluation import Moves, profits, unit_profit
from tsingma.margin.joint.allocation import Allocation, tail_loss
from tsingma.margin.joint.requirement import (
    Correlations,
    JointSettings,
    coverage_margin,
    equal_percentage_e4,
    joint_margin,
)
from tsingma.margin.joint.study import BookStudy, CoverageControl, Outcomes, book_series, house_risks, study_book
from tsingma.margin.joint.two_pot import legs_of, two_pots
from tsingma.messages.book_file import read_books


@pytest.fixture(scope="module")
def past() -> MarketPast:
    """One prepared history for all tests."""
    return MarketPast(simulated(), HouseModels())


def mean_saving(study: BookStudy) -> int:
    """Return what the houses together call less, mean over days, credit by Euler."""
    return study.whole["alone"].mean_margin - study.whole["euler"].mean_margin


def test_a_hedge_saves_and_a_bet_does_not(past: MarketPast) -> None:
    """Goal: credit for a hedge, none for one direction. Method: the same basket with futures short and long."""
    control = CoverageControl(minimum=0)
    hedge = study_book(HEDGED, past, every=10, control=control)
    long = book((House.HKSCC, Product.STOCK, BASKET, 10**8), (House.HKCC, Product.FUTURE, BASKET, 10**8))
    bet = study_book(long, past, every=10, control=control)
    assert hedge.last.saving > hedge.last.standalone // 3
    assert mean_saving(hedge) > 0
    assert bet.last.saving <= bet.last.standalone // 1000
    flipped = JointSettings(correlations=Correlations.FLIPPED)
    assert mean_saving(study_book(HEDGED, past, flipped, every=10)) == 0


def test_two_pots_by_spread_and_by_scenario(past: MarketPast) -> None:
    """Goal: opposite legs get credit rate x the smaller leg, cut for cover; one direction none. Method: by hand."""
    row = past.history.days - 1
    lines = [(House.HKSCC, Product.STOCK, "00700", 10**8), (House.SEOCH, Product.PUT, "00700", 10**8)]
    hedge, bet = book(*lines), book(lines[0], (House.SEOCH, Product.CALL, "00700", 10**8))
    risks = house_risks(hedge, past, row)
    legs = legs_of(hedge, past, row)
    assert [leg.underlying for leg in legs] == ["00700", "00700"]
    assert legs[0].delta_value == 10**8
    assert -(10**8) < legs[1].delta_value < -(10**7)  # a put near the money
    found = two_pots(hedge, risks, past, row)
    spread = found.spreads[0]
    matched = -legs[1].delta_value
    assert spread.matched == matched
    smaller = min(legs[0].outright_margin * matched // 10**8, legs[1].outright_margin)
    assert spread.reduction == pytest.approx(0.75 * smaller, abs=2)
    assert sum(found.min_leg_by_house.values()) == found.min_leg
    for risk in risks:
        called = found.min_leg_by_house[risk.house]
        assert min(coverage_margin(risk, "0.01"), risk.standalone) <= called <= risk.standalone
    assert two_pots(hedge, risks, past, row, credit_rate_e4=0).min_leg == sum(risk.standalone for risk in risks)
    none = house_risks(bet, past, row)
    assert two_pots(bet, none, past, row).min_leg == sum(risk.standalone for risk in none)
    assert found.scenario_netted < sum(risk.standalone for risk in risks)
    assert {leg.underlying for leg in legs_of(HEDGED, past, row)} == {INDEX}  # the basket is the index's
    curves = simulated_market()
    bonds = book((House.OTC_CLEAR, Product.BOND, "CGB5", 10**9), (House.HKCC, Product.BOND_FUTURE, "TF", -(10**9)))
    spreads = two_pots(bonds, house_risks(bonds, curves, row), curves, row).spreads
    assert [(one.underlying, one.first, one.second) for one in spreads] == [("CNY.CGB", "HKCC", "OTC Clear")]


def test_equal_percentage_is_the_smallest_that_any_house_sees(past: MarketPast) -> None:
    """Goal: each house's own scenarios over everything, the smaller reduction for all. Method: profits summed anew."""
    row = past.history.days - 1
    risks = house_risks(HEDGED, past, row)
    factors = {one.factor for one in HEDGED.holdings}
    seen = []
    for days in (2, 1):  # HKSCC, HKCC
        each = [profits([one], past.scenarios(row, days, factors)) for one in HEDGED.holdings]
        alone, together = sum(tail_loss(one, 3) for one in each), tail_loss(each[0] + each[1], 3)
        seen.append((alone - together) * 10_000 // alone)
    assert [equal_percentage_e4([risk.reduction]) for risk in risks if risk.reduction] == seen
    assert joint_margin("B", risks).equal_percentage_e4 == min(seen) > 0
    for reductions, smallest in (([(10, 4), (10, 7)], 3_000), ([(10, 8), (10, 7)], 2_000)):
        given = [msgspec.structs.replace(one, reduction=each) for one, each in zip(risks, reductions, strict=True)]
        assert joint_margin("B", given).equal_percentage_e4 == smallest


def test_nothing_is_known_of_later_days() -> None:
    """Goal: a day's margin does not look ahead. Method: later prices changed, the same figures."""
    history = simulated()
    models = HouseModels()
    past = MarketPast(history, models)
    row = past.first_row + 5
    close = history.close_e4.copy()
    close[row + 1 :] = close[row + 1 :] * 3
    other = MarketPast(
        msgspec.structs.replace(history, close_e4=close, missing=history.missing.copy(), dates=history.dates.copy()),
        models,
    )
    for one, two in zip(house_risks(HEDGED, past, row), house_risks(HEDGED, other, row), strict=True):
        assert one.standalone == two.standalone
        assert (one.profit == two.profit).all()


def test_credit_waits_and_stops_when_cover_is_gone(past: MarketPast) -> None:
    """Goal: no credit before enough days, none with cover below the tolerance. Method: two controls."""
    never = study_book(HEDGED, past, every=10, control=CoverageControl(minimum=1000))
    assert mean_saving(never) == 0
    always = study_book(HEDGED, past, every=10, control=CoverageControl(minimum=0, tolerance_e4=10_000))
    free = {row.house: row.credit_factor for row in always.coverage[str(Allocation.EULER)]}
    assert set(free.values()) == {1.0}
    strict = study_book(HEDGED, past, every=10, control=CoverageControl(minimum=0, tolerance_e4=0))
    for name in Allocation:
        for row, loose in zip(strict.coverage[name], always.coverage[name], strict=True):
            assert row.mean_standalone >= row.mean_called >= loose.mean_called
            assert row.uncovered_before <= row.uncovered_after <= loose.uncovered_after


def test_one_pot_is_governed_by_its_own_cover(past: MarketPast) -> None:
    """Goal: no saving before enough days or without cover, all of it when cover is good. Method: losses planted."""
    series = book_series(HEDGED, past, every=5)
    alone = np.array([one.standalone for one in series.margins])
    pot = np.array([one.one_pot for one in series.margins])
    calm = msgspec.structs.replace(series, joint_losses=np.zeros(alone.size, np.int64))
    free = Outcomes(calm, CoverageControl(minimum=0)).one_pot(governed=True)
    assert (free[series.lag :] == pot[series.lag :]).all()
    later = Outcomes(calm, CoverageControl(minimum=100)).one_pot(governed=True)
    waiting = 20 + series.lag - 1  # every fifth day
    assert (later[:waiting] == alone[:waiting]).all()
    assert (later[waiting:] == pot[waiting:]).all()
    losses = np.zeros(alone.size, np.int64)
    losses[2] = alone[2] - 1  # covered alone, not in one pot
    worn = Outcomes(msgspec.structs.replace(series, joint_losses=losses), CoverageControl(minimum=0, tolerance_e4=0))
    governed = worn.one_pot(governed=True)
    known = 2 + series.lag
    assert (governed[known:] == alone[known:]).all()
    assert (worn.one_pot(governed=False) == pot).all()


def test_futures_alone_are_linear_and_options_are_revalued() -> None:
    """Goal: profits by hand. Method: a future; put-call parity of a call and a put in every scenario."""
    returns = np.array([-0.5, -0.1, 0.0, 0.2])
    moves = Moves(
        horizon_days=1, returns={INDEX: returns}, volatility_ratio={INDEX: np.array([2.0, 1.5, 1.0, 0.8])},
        volatility={INDEX: 0.2},
    )  # fmt: skip
    future = Holding(house=House.HKCC, product=Product.FUTURE, factor=INDEX, notional=-1000)
    assert profits([future], moves).tolist() == [500, 100, 0, -200]
    call = Holding(house=House.HKCC, product=Product.CALL, factor=INDEX, notional=1, strike_e4=9_500)
    put = msgspec.structs.replace(call, product=Product.PUT)
    assert unit_profit(call, moves) - unit_profit(put, moves) == pytest.approx(returns, abs=1e-12)
    assert unit_profit(call, moves)[2] < 0  # time decay
    with pytest.raises(Rejected, match="there are no scenarios for '00001'"):
        profits([msgspec.structs.replace(future, factor="00001")], moves)
    with pytest.raises(Rejected, match="no holding"):
        profits([], moves)


def test_twelve_books_of_real_prices(shared: Path) -> None:
    """Goal: twelve books at up to four houses on real closes, all identities held. Method: every 60th day."""
    econ = shared / "data" / "econ"
    prices = econ / "hk_stocks" / "hsi_constituents_adjclose_2020_2025.csv.gz"
    past = past_of_files(
        MarketFiles(prices=prices, index=econ / "indices" / "HSI.csv", fx=econ / "indices" / "USD_CNY.csv")
    )
    books, name = books_of_file(None)
    assert len(books) == 12
    studies = study_books(books, past, JointSettings(), every=60, file=name)
    found = {study.book: study for study in studies}
    assert len(found["all four houses"].last.shares[0].houses) == 4
    hedge, bet = found["index hedge"].last, found["directional"].last
    assert hedge.saving * bet.standalone > 3 * bet.saving * hedge.standalone
    for study in studies:
        alone, pot = study.whole["alone"], study.whole["one pot"]
        called = [study.whole[str(name)] for name in Allocation]
        assert pot.mean_margin <= study.whole["one pot governed"].mean_margin <= alone.mean_margin
        assert study.whole["one pot governed"].uncovered <= pot.uncovered
        assert all(alone.uncovered <= one.uncovered <= 1 for one in called)
        assert all(one.mean_margin <= alone.mean_margin for one in called)
        last = study.last
        assert all(sum(parts) == last.one_pot for parts in last.one_pot_parts.values())


HEADER = "book,house,product,factor,notional,strike,days\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("B,HKSCC,stock,00005", "B.csv:2: 4 columns"),
        (",HKSCC,stock,00005,1,,", "book: is empty"),
        ("B,HKSCC,stock,,1,,", "factor: is empty"),
        ("B,LCH,stock,00005,1,,", "house: 'LCH' is none of"),
        ("B,HKSCC,share,00005,1,,", "product: 'share' is none of"),
        ("B,HKSCC,call,00005,1,1,30", "product: HKSCC clears stock"),
        ("B,HKSCC,stock,00005,1.5,,", "notional: '1.5' is no whole HKD"),
        ("B,HKSCC,stock,00005,0,,", "notional: '0'"),
        ("B,SEOCH,call,00005,1,,", "an option needs strike and days"),
        ("B,SEOCH,call,00005,1,0,30", "strike: '0' is not"),
        ("B,SEOCH,call,00005,1,1,0", "days: '0' is not 2 to"),
        ("B,SEOCH,call,00005,1,nan,9", "strike"),
    ],
)
def test_broken_book_files_are_refused(line: str, message: str) -> None:
    """Goal: refusals name file, line and field. Method: one fault each."""
    with pytest.raises(Rejected, match=message):
        read_books((HEADER + line + "\n").encode(), file="B.csv")


def test_book_files_as_a_whole() -> None:
    """Goal: no file without holdings, no other header, no other encoding. Method: three files."""
    for data, message in ((HEADER.encode(), "no holding"), (b"a,b\n", "wrong header"), (b"\xff", "not UTF-8")):
        with pytest.raises(Rejected, match=message):
            read_books(data)


def test_short_histories_and_unknown_factors(past: MarketPast) -> None:
    """Goal: no margin without prices. Method: a history that is too short, a factor that is not there."""
    short = MarketPast(simulated(days=262), HouseModels())
    with pytest.raises(Rejected, match="262 days of prices"):
        study_book(HEDGED, short)
    with pytest.raises(Rejected, match="'00001' is not in the price history"):
        study_book(book((House.HKSCC, Product.STOCK, "00001", 1)), past)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: files in, table and JSON out. Method: the simulated history as files, two books, a broken index file."""
    write_files(tmp_path)
    lines = "B,HKSCC,stock,BASKET,100000000,,\nB,HKCC,future,INDEX,-100000000,,\nC,HKSCC,stock,00700,5000,,\n"
    (tmp_path / "books.csv").write_text(HEADER + lines + "C,SEOCH,put,00700,5000,1,30\n")
    call = ["margin", "joint", "--prices", str(tmp_path / "closes.csv"), "--index", str(tmp_path / "index.csv"),
            "--books", str(tmp_path / "books.csv"), "--every", "20"]  # fmt: skip
    assert main([*call, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [study["book"] for study in answer] == ["B", "C"]
    assert sum(house["called"] for house in answer[0]["last"]["shares"][2]["houses"]) == (
        answer[0]["last"]["shares"][2]["called"])  # fmt: skip
    assert main([*call, "--flipped"]) == 0
    assert "HKSCC" in capsys.readouterr().out
    (tmp_path / "index.csv").write_text("date,open,close,volume\n2020-01-02,1,-5,0\n")
    assert main(call) != 0
    assert "close: -5.0 is no price" in capsys.readouterr().err
    (tmp_path / "index.csv").write_text("day\n")
    assert main(call) != 0
