"""Published figures of each link, from the shipped rule files."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected
from tsingma.basics.rounding import divide_half_away
from tsingma.links.day_terms import day_terms, direction_of
from tsingma.links.eligibility import Measured, Verdict, review, within_host_share
from tsingma.links.portfolio_fee import month_bill
from tsingma.links.quota import FlowQuotas
from tsingma.links.results import word
from tsingma.links.rule_file import shipped_rules
from tsingma.links.rule_rows import rows_on
from tsingma.reference.book import InstrumentKind, Market
from tsingma.reference.fees import charges, lines_in_force, portfolio_fee_cents

DAY = date(2026, 1, 5)
BILLION_CENTS = 10**11


def _flows(link: str, side: str, day: date = DAY) -> FlowQuotas:
    flows = FlowQuotas()
    flows.open_day(day_terms(shipped_rules(link), side, day))
    return flows


def _use(flows: FlowQuotas, *rows: tuple[int, int, int]) -> list[str]:
    """Use quota by (investor, channel, cents) and return a word for each answer."""
    investor, channel, cents = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return [word(code) for code in flows.use(investor, channel, cents).tolist()]


@pytest.mark.parametrize(
    ("link", "side", "day", "billions"),
    [
        ("stock-connect-shanghai", "northbound", DAY, 52),
        ("stock-connect-shanghai", "southbound", DAY, 42),
        ("stock-connect-shenzhen", "northbound", DAY, 52),
        ("stock-connect-shenzhen", "southbound", DAY, 42),
        ("swap-connect", "northbound", date(2025, 10, 10), 20),
        ("swap-connect", "northbound", date(2025, 10, 13), 45),
    ],
)
def test_daily_quotas(link: str, side: str, day: date, billions: int) -> None:
    """Goal: published daily quotas by date. Method: the terms of the day."""
    assert day_terms(shipped_rules(link), side, day, fx_e6=10**6).quotas[0].amount_cents == billions * BILLION_CENTS


def test_southbound_quota_in_the_money_of_orders() -> None:
    """Goal: RMB 42 bn for orders in Hong Kong dollars. Method: at 0.92 it is HK$45.652 bn, to the cent and down."""
    rules = shipped_rules("stock-connect-shanghai")
    terms = day_terms(rules, "southbound", DAY, fx_e6=920_000)
    assert (terms.currency, terms.quotas[0].amount_cents) == ("HKD", 4_565_217_391_304)
    with pytest.raises(Rejected):
        day_terms(rules, "southbound", DAY)


@pytest.mark.parametrize(
    ("product", "rate_e9", "cents"), [(InstrumentKind.EQUITY, 84_100, 8_410), (InstrumentKind.ETF, 60_000, 6_000)]
)
def test_northbound_fees_add_up(product: InstrumentKind, rate_e9: int, cents: int) -> None:
    """Goal: 0.00841 % a side on stocks without duty, 0.006 % on ETFs (swhyhk.com). Method: the direction's tariff."""
    direction = direction_of(shipped_rules("stock-connect-shanghai"), "northbound")
    assert sum(line.rate_e9 for line in lines_in_force(direction.tariff, product, "buy", DAY)) == rate_e9
    lines = charges(
        market=Market.XSHG, kind=product, side="buy", amount_cents=10**8, currency="CNY", day=DAY, fx_e6=1_080_000
    )
    assert sum(line.amount_cents for line in lines) == cents  # of RMB 1,000,000


def test_portfolio_fee_of_a_month() -> None:
    """Goal: 0.008 % a year on 365, a bill a month (sctrade.com, swhyhk.com). Method: HK$1 bn through January 2026.

    1,000,000,000 x 0.00008 x 31 / 365 = 6,794.52 HKD. A position that halves on the 16th pays 15 days of the whole and
    16 of the half.
    """
    whole = 10**11
    assert month_bill({date(2025, 12, 31): whole}, 2026, 1).fee_cents == 679_452 == portfolio_fee_cents(whole, 31, DAY)
    halved = month_bill({date(2025, 12, 31): whole, date(2026, 1, 16): whole // 2}, 2026, 1)
    assert halved.fee_cents == divide_half_away((15 * 2 + 16) * whole // 2 * 80_000, 365 * 10**9)
    assert month_bill({date(2026, 1, 30): whole}, 2026, 1).days == 2
    with pytest.raises(Rejected):
        month_bill({DAY: -1}, 2026, 1)


@given(st.lists(st.integers(0, 10**14), min_size=31, max_size=31))
def test_portfolio_fee_is_rounded_once(values: list[int]) -> None:
    """Goal: a bill is exact to half a cent. Method: the sum of a month's values times the rate, in integers."""
    first = date(2026, 1, 1)
    bill = month_bill({first + timedelta(days=place): value for place, value in enumerate(values)}, 2026, 1)
    assert abs(2 * (bill.fee_cents * 365 * 10**9 - sum(values) * 80_000)) <= 365 * 10**9


@pytest.mark.parametrize(
    ("side", "in_size", "out_size"),
    [("northbound-shanghai", 500_000_000, 400_000_000), ("southbound", 550_000_000, 450_000_000)],
)
def test_etf_thresholds(side: str, in_size: int, out_size: int) -> None:
    """Goal: in at RMB 500 m / HK$550 m over six months and 60 %, out below 400 m / 450 m or 55 %.

    Method: each side of each threshold, by one unit.
    """
    row = rows_on(direction_of(shipped_rules("etf-connect"), side).eligibility, DAY)[0]
    assert row.months == 6
    cases = [
        ("large", (in_size, in_size), 6_000, False, Verdict.COMES_IN),
        ("average", (in_size - 1, in_size + 1), 6_000, False, Verdict.COMES_IN),
        ("small", (in_size, in_size - 1), 6_000, False, Verdict.STAYS_OUT),
        ("light", (in_size,), 5_999, False, Verdict.STAYS_OUT),
        ("shrunk", (out_size,), 5_500, True, Verdict.STAYS),
        ("too-small", (out_size, out_size - 1), 6_000, True, Verdict.GOES_OUT),
        ("too-light", (in_size,), 5_499, True, Verdict.GOES_OUT),
    ]
    found = review(row, [Measured(code=c, sizes=s, weight_e4=w, eligible=e) for c, s, w, e, _ in cases])
    assert found == {code: verdict for code, *_, verdict in cases}


def test_fund_sales_in_the_host_market() -> None:
    """Goal: half until 2024, four fifths from 2025. Method: both rows, at the cap and above it."""
    rows = direction_of(shipped_rules("mutual-recognition-of-funds"), "northbound").eligibility
    before, after = rows_on(rows, date(2024, 12, 31))[0], rows_on(rows, date(2025, 1, 1))[0]
    assert within_host_share(before, 50, 100)
    assert not within_host_share(before, 51, 100)
    assert within_host_share(after, 80, 100)
    assert not within_host_share(after, 81, 100)


def test_wealth_connect_caps() -> None:
    """Goal: RMB 3 m an investor, 1.5 m each with bank and broker, 150 bn each way (WMC 2.0, 26 February 2024).

    Method: investor 1 uses a bank alone, investor 2 both; the aggregate is filled by the rest.
    """
    million = 10**8
    flows = _flows("wealth-connect", "southbound")
    assert _use(flows, (1, 0, 3 * million), (1, 0, 1), (1, 0, -million), (1, 1, 1)) == [
        "accepted", "over-individual", "accepted", "over-channel",
    ]  # fmt: skip
    assert _use(flows, (2, 0, 15 * million // 10), (2, 1, 15 * million // 10), (2, 1, 1)) == [
        "accepted", "accepted", "over-individual",
    ]  # fmt: skip
    assert _use(flows, (3, 0, million), (3, 1, 16 * million // 10), (3, 1, 15 * million // 10)) == [
        "accepted", "over-channel", "accepted",
    ]  # fmt: skip
    assert flows.investor_cents(2) == 3 * million
    left = flows.left_cents()["aggregate-net-outflow"]
    assert left == 150 * BILLION_CENTS - 75 * million // 10
    people = left // (3 * million)
    assert set(_use(flows, *((10 + i, 0, 3 * million) for i in range(people)))) == {"accepted"}
    rest = left - people * 3 * million
    assert _use(flows, (9, 0, rest + 1), (9, 0, rest)) == ["over-aggregate", "accepted"]


def test_southbound_bonds_have_a_daily_and_a_yearly_quota() -> None:
    """Goal: RMB 20 bn a day and 500 bn a year, net (bayarea.gov.hk). Method: 25 full days, the next, the last."""
    rules = shipped_rules("bond-connect")
    flows = FlowQuotas()
    day = DAY
    for place in range(25):
        flows.open_day(day_terms(rules, "southbound", day))
        full = [(1, 0, 20 * BILLION_CENTS), (1, 0, 1), (1, 0, -5), (2, 0, 5)]
        assert _use(flows, *full) == ["accepted", "over-daily", "accepted", "accepted"], place
        day += timedelta(days=1 if day.weekday() < 4 else 3)
    flows.open_day(day_terms(rules, "southbound", date(2026, 3, 2)))
    assert _use(flows, (1, 0, 1)) == ["over-yearly"]
    flows.open_day(day_terms(rules, "southbound", date(2026, 12, 31)))
    assert flows.left_cents() == {"daily-net-outflow": 20 * BILLION_CENTS, "yearly-net-outflow": 0}


def test_swap_connect_limits_the_net_of_the_day() -> None:
    """Goal: RMB 45 bn net notional a day from 13 October 2025. Method: both sides of the net, then what narrows it."""
    flows = _flows("swap-connect", "northbound")
    bn = BILLION_CENTS
    rows = [(1, 0, 45 * bn), (1, 0, 1), (2, 0, -90 * bn), (2, 0, -1), (3, 0, 10 * bn), (3, 0, -10 * bn)]
    assert _use(flows, *rows) == ["accepted", "over-notional", "accepted", "over-notional", "accepted", "accepted"]
    assert flows.left_cents() == {"daily-net-notional": 0}


def test_bond_connect_northbound_has_no_quota() -> None:
    """Goal: no quota Northbound (cmu.org.hk). Method: the terms of a day have none, and any amount is taken."""
    flows = _flows("bond-connect", "northbound")
    assert _use(flows, (1, 0, 10**15)) == ["accepted"]
    assert not flows.has_quota
