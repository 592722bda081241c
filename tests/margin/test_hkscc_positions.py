"""Collateral cover, counters, corporate actions, netting, marks, fund: the appendices of the HKSCC guide v1.4."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from tsingma.basics.rejection import Rejected
from tsingma.margin.hkscc.combination import (
    CurrencyTerms,
    Entitlement,
    Preparation,
    apply_entitlements,
    china_clear_haircut_e10,
    combine_counters,
    net_positions,
    prepare_positions,
    revalue,
)
from tsingma.margin.hkscc.cover import CashCover, DatedPosition, StockCover, cover_with_cash, cover_with_stock
from tsingma.margin.hkscc.fund import guarantee_fund_risk_collateral
from tsingma.margin.hkscc.legacy import legacy_margin, legacy_rate_e10
from tsingma.margin.hkscc.marks import Exchange, mark_line, marks, marks_at_11, marks_at_14, offset_ratio

TODAY = date(2019, 11, 5)
ONE = 10**10
COUNTERS = {"80700": "700", "80941": "941", "80388": "388"}
RATES = {"CNY": 11 * 10**9}
FX = CurrencyTerms(RATES, {"CNY": 3 * 10**8}, 4 * 10**8)


def _line(code: str, trade: int, settle: int, quantity: int, amount: int, currency: str = "HKD") -> DatedPosition:
    return DatedPosition(
        instrument=code,
        quantity=quantity,
        contract_value=amount,
        market_value=quantity * 10,
        currency=currency,
        trade_date=date(2019, 11, trade),
        settlement_date=date(2019, 11, settle),
    )


def test_stock_collateral_of_the_guide() -> None:
    """Goal: the SSC table (941's sign corrected to -32,500). Method: 1,500 shares pledged of each of five codes."""
    lines = [
        _line("5", 4, 6, -4_000, -240_000),
        _line("388", 1, 5, -1_500, -360_000),
        _line("700", 4, 6, -1_000, -300_000),
        _line("80700", 4, 6, -10, 2_700, "CNY"),
        _line("941", 4, 6, -1_000, -65_000),
        _line("80941", 4, 6, -1_000, -60_000, "CNY"),
        _line("2828", 5, 7, -2_000, -120_000),
        _line("5", 4, 6, 100, 6_000),
    ]
    covers = [StockCover(code, date(2019, 11, 6), 1_500) for code in ("5", "700", "941")]
    covers += [StockCover("388", date(2019, 11, 5), 1_500), StockCover("2828", date(2019, 11, 7), 1_500)]
    left = cover_with_stock(lines, covers, TODAY, COUNTERS, RATES)
    assert [(one.quantity, one.contract_value) for one in left] == [
        (-2_500, -150_000),
        (-1_500, -360_000),
        (0, 0),
        (0, 0),
        (-500, -32_500),
        (0, 0),
        (-500, -30_000),
        (100, 6_000),
    ]
    assert left[0].market_value == -25_000


def test_cash_collateral_of_the_guide() -> None:
    """Goal: the SCC table, 666 of 2,000 covered. Method: HKD 60,000 arranged per line; a short takes none."""
    lines = [
        _line("5", 4, 6, 4_000, 240_000),
        _line("388", 1, 5, 1_500, 360_000),
        _line("700", 4, 6, 100, 30_000),
        _line("5", 5, 7, 2_000, 180_000),
        _line("5", 5, 7, -1, -60),
    ]
    covers = [CashCover("5", "HKD", date(2019, 11, 4), 60_000), CashCover("388", "HKD", date(2019, 11, 1), 60_000)]
    covers += [CashCover("700", "HKD", date(2019, 11, 4), 60_000), CashCover("5", "HKD", date(2019, 11, 5), 60_000)]
    left = cover_with_cash(lines, covers, TODAY, COUNTERS)
    assert [(one.quantity, one.contract_value) for one in left] == [
        (3_000, 180_000),
        (1_500, 360_000),
        (0, 0),
        (1_334, 120_000),
        (-1, -60),
    ]


def test_cover_and_rates_that_cannot_be_are_refused() -> None:
    """Goal: no silent cover. Method: nothing pledged, negative cash, a currency without rate or haircut."""
    short = [_line("80700", 4, 6, -10, 2_700, "CNY")]
    with pytest.raises(Rejected, match="not positive"):
        cover_with_stock(short, [StockCover("700", date(2019, 11, 6), 0)], TODAY, COUNTERS, RATES)
    with pytest.raises(Rejected, match="not positive"):
        cover_with_cash(short, [CashCover("700", "CNY", date(2019, 11, 4), -1)], TODAY, COUNTERS)
    with pytest.raises(Rejected, match="no rate of CNY"):
        cover_with_stock(short, [StockCover("700", date(2019, 11, 6), 1)], TODAY, COUNTERS, {})
    with pytest.raises(Rejected, match="no haircut of CNY"):
        combine_counters(short, COUNTERS, {}, CurrencyTerms(RATES, {}))


def test_counters_of_the_guide() -> None:
    """Goal: vector M1. Method: 388 and 700 in HKD and CNY, CNY1 = HKD1.1, haircut 3%."""
    lines = [
        _line("388", 4, 6, -1_000, -300_000),
        _line("80388", 4, 6, 2_500, 675_000, "CNY"),
        _line("700", 4, 6, 500, 150_000),
        _line("80700", 4, 6, -1_000, -270_000, "CNY"),
    ]
    combined = combine_counters(lines, COUNTERS, {}, FX)
    assert [(one.instrument, one.quantity, one.contract_value) for one in combined] == [
        ("388", 1_500, 464_775),
        ("700", -500, -138_090),
    ]


def test_mainland_counter_keeps_its_currency_and_haircut() -> None:
    """Goal: a CNY risk currency and ChinaClear's haircut. Method: HKD into CNY, and CNY at 4% instead of 3%."""
    line = msgspec.structs.replace(_line("80388", 4, 6, 1, 1_000, "CNY"), market="CHINACLEAR")
    assert combine_counters([line], COUNTERS, {}, FX)[0].contract_value == 1_144
    home = combine_counters([_line("82800", 4, 6, 1, 1_100)], {}, {"82800": "CNY"}, FX)[0]
    assert (home.currency, home.contract_value) == ("CNY", 1_030)


def test_china_clear_haircut_steps() -> None:
    """Goal: base + 1%, and from 4.45% a notified buffer of 1.2% or more by 0.2%. Method: both sides of the edge."""
    assert china_clear_haircut_e10(260_000_000) == 360_000_000
    assert china_clear_haircut_e10(444_900_000) == 544_900_000
    assert china_clear_haircut_e10(445_000_000, 140_000_000) == 585_000_000
    for buffer in (None, 100_000_000, 130_000_000):
        with pytest.raises(Rejected, match=r"4\.45%"):
            china_clear_haircut_e10(445_000_000, buffer)
    with pytest.raises(Rejected, match="negative"):
        china_clear_haircut_e10(-1)


HELD = [_line("5", 4, 6, 400, 24_000), _line("5", 5, 7, -600, -20_000)]
SPLIT = Entitlement(ex_date=TODAY, market="HK", instrument="5", converted_instrument="5", conversion_ratio_e10=2 * ONE)
CASH = Entitlement(ex_date=TODAY, market="HK", instrument="5", cash_dividend_code="DIV5", cash_dividend_e10=-78 * 10**8)
STOCK = Entitlement(
    ex_date=TODAY, market="HK", instrument="5", stock_dividend_code="DSP5", stock_dividend_e10=13 * 10**8
)
RIGHTS = Entitlement(ex_date=TODAY, market="HK", instrument="5", rights_code="SRI5", rights_e10=15 * 10**9)


def _short(lines: list[DatedPosition]) -> list[tuple[str, int, int]]:
    return [(one.instrument, one.quantity, one.contract_value) for one in lines]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([SPLIT], [("5", 800, 24_000)]),
        ([CASH], [("5", 400, 24_000), ("DIV5", 0, -312)]),
        ([STOCK], [("5", 400, 24_000), ("DSP5", 52, 0)]),
        ([RIGHTS], [("5", 400, 24_000), ("SRI5", 600, 0)]),
        ([SPLIT, CASH, STOCK, RIGHTS], [("5", 800, 24_000), ("DIV5", 0, -312), ("DSP5", 52, 0), ("SRI5", 600, 0)]),
    ],
)
def test_corporate_actions_of_the_guide(rows: list[Entitlement], expected: list[tuple[str, int, int]]) -> None:
    """Goal: the corporate-action table, all together too. Method: 400 bought before the ex-date, 600 sold on it."""
    assert _short(apply_entitlements(HELD, rows, TODAY)) == [*expected, ("5", -600, -20_000)]


def test_corporate_actions_in_time_and_number() -> None:
    """Goal: truncation toward zero, later ex-dates wait, one conversion a day. Method: small and doubled events."""
    third = msgspec.structs.replace(STOCK, stock_dividend_e10=ONE // 3)
    short = [_line("5", 4, 6, -5, -100)]
    assert _short(apply_entitlements(short, [third], TODAY))[1] == ("DSP5", -1, 0)
    assert apply_entitlements(HELD, [SPLIT], date(2019, 11, 4)) == HELD
    earlier = msgspec.structs.replace(SPLIT, ex_date=date(2019, 11, 4))
    with pytest.raises(Rejected, match="two conversions"):
        apply_entitlements(HELD, [SPLIT, SPLIT], TODAY)
    old = [_line("5", 1, 6, 10, 100)]
    assert _short(apply_entitlements(old, [CASH, earlier], TODAY)) == [("5", 20, 100), ("DIV5", 0, -16)]


def test_revaluation_after_the_ex_date() -> None:
    """Goal: ex-prices value every line. Method: price two lines, then leave a price out and make one negative."""
    lines = apply_entitlements(HELD, [SPLIT, CASH], TODAY)
    assert [one.market_value for one in revalue(lines, {"5": 30 * 10**4})] == [24_000, 0, -18_000]
    for prices, words in (({}, "no price"), ({"5": -1}, "negative")):
        with pytest.raises(Rejected, match=words):
            revalue(lines, prices)


def test_netting_across_days_and_the_whole_preparation() -> None:
    """Goal: the four steps in order. Method: one code with cover, counter, split and two dates."""
    assert net_positions([_line("80700", 4, 6, 1, 15, "CNY"), _line("80700", 5, 7, 1, 15, "CNY")], RATES)[0] == (
        msgspec.structs.replace(net_positions([_line("80700", 4, 6, 2, 34, "CNY")], {"CNY": ONE})[0], market_value=22)
    )
    how = Preparation(
        business_date=TODAY,
        fx=FX,
        counters={"80005": "5"},
        stock_covers=(StockCover("5", date(2019, 11, 7), 100),),
        cash_covers=(CashCover("5", "HKD", date(2019, 11, 4), 12_000),),
        entitlements=(SPLIT,),
    )
    lines = [*HELD, _line("80005", 4, 6, 10, 1_000, "CNY")]
    [netted] = prepare_positions(lines, how)
    assert netted.quantity == (200 + 10) * 2 - 500
    assert netted.contract_value == 12_000 + 1_133 - 16_667


EXCHANGE = {"CNY": Exchange(115 * 10**8, 3 * 10**8), "USD": Exchange(78 * 10**9, 10**8)}


def _both_ways(*lines: tuple[str, int, int, str, int]) -> tuple[list[object], list[object]]:
    ours = [mark_line(*line) for line in lines]
    theirs = [mark_line(code, -quantity, -value, currency, price) for code, quantity, value, currency, price in lines]
    return list(ours), list(theirs)


def test_cross_currency_marks_of_the_guide() -> None:
    """Goal: A pays 3,154, its mirror B gains 3,056. Method: four lines in three currencies, haircut by direction."""
    ours, theirs = _both_ways(
        ("700", 100, 40_000, "HKD", 380 * 10**4),
        ("80737", -5_000, -15_000, "CNY", 35_000),
        ("3188", -600, -25_200, "CNY", 400_000),
        ("3167", 100, 900, "USD", 95_000),
    )
    a = marks(ours, EXCHANGE)  # type: ignore[arg-type]
    b = marks(theirs, EXCHANGE)  # type: ignore[arg-type]
    assert (a.requirement, a.favourable) == (3_154, 0)
    assert [part.amount for part in a.explanation.parts] == [2_000, 1_540, -386]
    assert (b.requirement, b.favourable) == (0, 3_056)
    assert [part.amount for part in b.explanation.parts] == [-2_000, -1_450, 394]


def test_intra_day_runs_of_the_guide() -> None:
    """Goal: 11:00 A 4,168, B 606 favourable; 14:00 A 2,961, B 2,789. Method: the printed lines and flags."""
    ours = [
        mark_line("700", 100, 20_000, "HKD", 380 * 10**4, due_today=True),
        mark_line("80737", -5_000, -15_000, "CNY", 35_000),
        mark_line("9167", 100, 900, "USD", 95_000, due_today=True),
    ]
    a = marks_at_11(ours, EXCHANGE, unposted_debits={"HKD": 20_000}, paid_hkd=11_755)
    assert (a.requirement, a.favourable) == (4_168, 0)
    assert [part.amount for part in a.explanation.parts] == [1_500, 2_961, -293]
    theirs = [
        mark_line("700", -50, -20_000, "HKD", 380 * 10**4, due_today=True),
        mark_line("80737", 5_000, 15_000, "CNY", 35_000, due_today=True),  # flagged due at 11:00, not at 14:00
        mark_line("9167", -100, -900, "USD", 95_000, due_today=True),
    ]
    b = marks_at_11(theirs, EXCHANGE, unposted_debits={}, paid_hkd=20_000)
    assert (b.requirement, b.favourable) == (0, 606)
    assert marks_at_14(ours, EXCHANGE).requirement == 2_961
    not_due = [*theirs[:1], msgspec.structs.replace(theirs[1], due_today=False), *theirs[2:]]
    assert marks_at_14(not_due, EXCHANGE).favourable == 2_789
    assert offset_ratio(theirs[:1], EXCHANGE, 5) == 0


def test_marks_refuse_what_cannot_be() -> None:
    """Goal: no mark without a rate or with a negative price. Method: one of each."""
    with pytest.raises(Rejected, match="no rate of USD"):
        marks([mark_line("1", 1, 1, "USD", 1)], {})
    with pytest.raises(Rejected, match="price is negative"):
        mark_line("1", 1, 1, "USD", -1)
    with pytest.raises(Rejected, match="negative"):
        marks_at_11([], {}, unposted_debits={}, paid_hkd=-1)


def test_guarantee_fund_collateral_splits_exactly() -> None:
    """Goal: group excess over HKD 3.65 billion, by share, to the dollar. Method: thirds, below threshold, negative."""
    losses = {"A": 1_216_666_667 + 1, "B": 1_216_666_667 + 1, "C": 1_216_666_667 + 1}
    shares = guarantee_fund_risk_collateral(losses, 3_650_000_000, fund_at_threshold=True)
    assert sum(shares.values()) == sum(losses.values()) - 3_650_000_000 == 4
    assert sorted(shares.values()) == [1, 1, 2]
    assert guarantee_fund_risk_collateral(losses, 3_650_000_000, fund_at_threshold=False) == dict.fromkeys("ABC", 0)
    assert guarantee_fund_risk_collateral({"A": 1}, 2, fund_at_threshold=True) == {"A": 0}
    with pytest.raises(Rejected, match="negative"):
        guarantee_fund_risk_collateral({"A": -1}, 0, fund_at_threshold=True)


def test_single_rate_of_the_years_before() -> None:
    """Goal: max(5%, 110% of the benchmark), less marks and credit. Method: both sides of the floor, and zero."""
    assert legacy_rate_e10(3 * 10**8) == 5 * 10**8
    assert legacy_rate_e10(6 * 10**8) == 66 * 10**7
    assert legacy_margin(1_000_000_000, 6 * 10**8, ONE, 10_000_000, 5_000_000) == 45_000_000
    assert legacy_margin(1_000_000, 6 * 10**8, ONE, 0, 5_000_000) == 0
