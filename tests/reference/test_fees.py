"""Charges: the published sums, rounding at its edges, exemptions, history, and the columns against the scalar rule."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected
from tsingma.reference.book import InstrumentKind, Market
from tsingma.reference.fees import (
    charge_columns,
    charges,
    portfolio_fee_cents,
    settlement_instruction_fee,
    voluntary_transfer_duty_cents,
)

NOW = date(2026, 1, 5)


def _lines(amount_cents: int, kind: str = "equity", **more: object) -> dict[str, int]:
    asked = {"market": Market.XHKG, "side": "buy", "currency": "HKD", "day": NOW, **more}
    found = charges(kind=InstrumentKind(kind), amount_cents=amount_cents, **asked)  # type: ignore[arg-type]
    return {line.name: line.amount_cents for line in found}


def test_a_million_dollar_buy() -> None:
    """Goal: HK$1,127.00 to the cent. Method: the worked sum of the fee schedule (hk-markets 2.1)."""
    lines = _lines(100_000_000)
    assert lines == {
        "stamp duty": 100_000,
        "trading fee": 5_650,
        "SFC levy": 2_700,
        "AFRC levy": 150,
        "settlement fee": 4_200,
    }
    assert sum(lines.values()) == 112_700


def test_a_thousand_dollar_buy() -> None:
    """Goal: small trades. Method: 1 + 0.06 + 0.03 + 0.00 + 0.042 rounded to the cent (hk-markets 2.1)."""
    assert list(_lines(100_000).values()) == [100, 6, 3, 0, 4]


@pytest.mark.parametrize(
    ("cents", "duty"), [(100_000, 100), (100_001, 200), (99_999, 100), (1, 100), (10_000_000, 10_000)]
)
def test_duty_is_rounded_up_to_the_dollar(cents: int, duty: int) -> None:
    """Goal: the edge of the dollar. Method: consideration one cent around HK$1,000."""
    assert _lines(cents)["stamp duty"] == duty


@pytest.mark.parametrize("kind", ["etf", "warrant", "cbbc", "reit"])
def test_exempt_kinds_pay_no_duty(kind: str) -> None:
    """Goal: exemptions by kind. Method: none of these has a duty line in 2026, all other lines stay."""
    assert "stamp duty" not in _lines(100_000_000, kind)
    assert _lines(100_000_000, kind)["trading fee"] == 5_650


def test_history_of_rates() -> None:
    """Goal: the rate of the day. Method: last and first day around every change the table has for Hong Kong."""
    assert _lines(100_000_000, day=date(2023, 11, 16))["stamp duty"] == 130_000
    assert _lines(100_000_000, day=date(2023, 11, 17))["stamp duty"] == 100_000
    assert _lines(100_000_000, "reit", day=date(2024, 12, 20))["stamp duty"] == 100_000
    assert "stamp duty" not in _lines(100_000_000, "reit", day=date(2024, 12, 21))
    assert _lines(100_000_000, day=date(2025, 6, 29))["settlement fee"] == 2_000
    assert _lines(100_000_000, day=date(2025, 6, 30))["settlement fee"] == 4_200
    assert _lines(1_000_000, day=date(2025, 6, 29))["settlement fee"] == 200
    assert _lines(10**10, day=date(2025, 6, 29))["settlement fee"] == 10_000


def test_market_makers_and_crossed_trades() -> None:
    """Goal: reduced settlement fees and exemptions. Method: the four rates of 30 June 2025 on HK$1,000,000."""
    etf = {
        (maker, cross): _lines(100_000_000, "etf", market_maker=maker, crossed=cross)
        for maker in (0, 1)
        for cross in (0, 1)
    }
    assert [etf[key]["settlement fee"] for key in ((0, 0), (1, 0), (0, 1), (1, 1))] == [4_200, 2_000, 2_100, 1_000]
    made = _lines(100_000_000, market_maker=True)
    assert set(made) == {"trading fee", "settlement fee"}


def test_renminbi_counter_converts_levies_and_not_the_settlement_fee() -> None:
    """Goal: one day rate for duty, fee and levies. Method: CNY 1,000,000 at 1.08, lines and their currencies."""
    found = charges(
        market=Market.XHKG,
        kind=InstrumentKind.EQUITY,
        side="sell",
        amount_cents=100_000_000,
        currency="CNY",
        day=NOW,
        fx_e6=1_080_000,
    )
    assert [(line.name, line.currency, line.amount_cents) for line in found] == [
        ("stamp duty", "HKD", 108_000),
        ("trading fee", "HKD", 6_102),
        ("SFC levy", "HKD", 2_916),
        ("AFRC levy", "HKD", 162),
        ("settlement fee", "CNY", 4_200),
    ]


@pytest.mark.parametrize(
    ("kind", "side", "total"),
    [("equity", "buy", 8_410), ("equity", "sell", 58_410), ("etf", "buy", 6_000), ("etf", "sell", 6_000)],
)
def test_northbound_sums(kind: str, side: str, total: int) -> None:
    """Goal: 0.00841 % a side for stocks and 0.006 % for ETFs, duty the seller's. Method: CNY 1,000,000."""
    assert (
        sum(_lines(100_000_000, kind, market=Market.XSHG, side=side, currency="CNY", fx_e6=1_080_000).values()) == total
    )


def test_other_charges() -> None:
    """Goal: portfolio fee, settlement instruction fee, transfer duty. Method: hand-worked amounts."""
    assert portfolio_fee_cents(365_000_000_00, 1, NOW) == 8_000
    assert portfolio_fee_cents(100_000_000, 365, NOW) == 8_000
    assert settlement_instruction_fee(InstrumentKind.EQUITY, 100_000_000, "HKD", NOW).amount_cents == 2_000
    assert settlement_instruction_fee(InstrumentKind.EQUITY, 100_000, "HKD", NOW).amount_cents == 200
    assert voluntary_transfer_duty_cents(100_000_000, NOW) == 200_500


@pytest.mark.parametrize(
    "wrong",
    [
        {"side": "hold"},
        {"currency": "JPY"},
        {"fx_e6": 1_080_000},
        {"currency": "CNY", "fx_e6": 0},
        {"market": Market.CMU},
        {"day": date(1990, 1, 1)},
    ],
)
def test_wrong_questions_are_refused(wrong: dict[str, object]) -> None:
    """Goal: no silent default. Method: each impossible question is refused."""
    with pytest.raises(Rejected):
        _lines(100_000, **wrong)
    with pytest.raises(Rejected, match="negative"):
        _lines(-1)


@given(
    amounts=st.lists(st.integers(0, 10**15), min_size=1, max_size=30),
    kind=st.sampled_from(["equity", "etf", "reit", "warrant"]),
    side=st.sampled_from(["buy", "sell"]),
    fx_e6=st.sampled_from([1_000_000, 1_083_217]),
    flags=st.randoms(use_true_random=False),
)
def test_columns_equal_the_scalar_rule(amounts: list[int], kind: str, side: str, fx_e6: int, flags: object) -> None:
    """Goal: one rule. Method: random amounts up to ten trillion, makers and crosses, against the scalar."""
    currency = "HKD" if fx_e6 == 1_000_000 else "CNY"
    maker = np.array([flags.random() < 0.5 for _ in amounts])  # type: ignore[attr-defined]
    crossed = np.array([flags.random() < 0.5 for _ in amounts])  # type: ignore[attr-defined]
    common = {"market": Market.XHKG, "kind": InstrumentKind(kind), "side": side, "currency": currency, "day": NOW}
    columns = charge_columns(
        amount_cents=np.array(amounts, np.int64),
        fx_e6=fx_e6,
        market_maker=maker,
        crossed=crossed,
        **common,  # type: ignore[arg-type]
    )
    for place, amount in enumerate(amounts):
        single = charges(
            amount_cents=amount,
            fx_e6=fx_e6,
            market_maker=bool(maker[place]),
            crossed=bool(crossed[place]),
            **common,  # type: ignore[arg-type]
        )
        wanted = {line.name: line.amount_cents for line in single}
        assert {column.name: int(column.amount_cents[place]) for column in columns} == {
            column.name: wanted.get(column.name, 0) for column in columns
        }
