"""PRiME aggregation.

Goal: portfolio figures computed from published rows, each step of standard SPAN, client margin as published. Method:
vectors from the rows of HKEX's file of March 2019, hand-worked spreads, marginism as oracle, properties.
"""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prime_books import DELTAS, HSI, MARCH, future, held, hsi_parameters, two_commodities
from prime_rows import OPTIONS, row
from tsingma.basics.rejection import Rejected
from tsingma.margin.prime.client import client_margin
from tsingma.margin.prime.commodity import (
    Commodity,
    Contract,
    IntermonthSpread,
    Kind,
    PrimeParameters,
    ShortOptionMethod,
    Side,
    SpotCharge,
    Tier,
    TierLeg,
)
from tsingma.margin.prime.requirement import Basis, Pairing, Position, PrimeSettings, prime_margin, totals_in


@pytest.mark.parametrize(
    ("positions", "scan", "scenario", "minimum", "risk"),
    [
        (held(HSI_Mar_28000_P=-1, HSI_Mar_28200_P=1, HSI_Mar_29000_C=-1), 70_100, 15, 17_200, 70_100),
        (held(HSI_Mar_29000_P=-1, HSI_Mar_29000_C=-1), 64_730, 16, 17_200, 64_730),
        (held(HSI_Mar=1, HSI_Mar_29000_C=-1), 71_120, 16, 8_600, 71_120),
        (held(HSI_Mar_29000_C=1), 20_930, 14, 0, 20_930),
        (held(HSI_Mar_28000_P=-1), 61_320, 16, 8_600, 61_320),
    ],
    ids=["P1", "P2", "P4", "P6", "P7"],
)
def test_portfolios(positions: list[Position], scan: int, scenario: int, minimum: int, risk: int) -> None:
    """Goal: portfolios P1 to P7 to the dollar. Method: published arrays summed, with the scenario named."""
    margin = prime_margin(hsi_parameters(), positions).commodities[0]
    assert (margin.scan_risk, margin.scenario, margin.short_option_minimum) == (scan, scenario, minimum)
    assert (margin.intermonth_charge, margin.risk_margin, margin.total) == (0, risk, risk)


CIRCULARS = [
    (date(2017, 5, 2), "60100 79933 63946|12050 16026 12820|12020 15986 12788|2410 3205 2564|25100 33383 26706|"
     "7550 10041 8032|5020 6676 5340|1510 2008 1606|13570 18048 14438|4080 5426 4340|1570 2088 1670|1890 2513 2010|"
     "3400 4522 3617|16480 21918 17534|4950 6583 5266|8350 11105 8884|2510 3338 2670"),
    (date(2019, 7, 2), "85300 113449 90759|19650 26134 20907|17060 22689 18151|3930 5226 4180|32650 43424 34739|"
     "12750 16957 13565|6530 8684 6947|2550 3391 2712"),
]  # fmt: skip


@pytest.mark.parametrize(("day", "rows"), CIRCULARS, ids=["2017", "2019"])
def test_client_margin(day: date, rows: str) -> None:
    """Goal: published client levels. Method: HKCC circulars of 2017 and 2019, every row; earlier days are refused."""
    for published in rows.split("|"):
        house, initial, maintenance = map(int, published.split())
        assert msgspec.structs.astuple(client_margin(house, day)) == (initial, maintenance)
    with pytest.raises(Rejected, match="client_multiplier"):
        client_margin(1, date(2016, 1, 1))


MARKS = [
    (1000, [(40, 1.61), (100, 0.05), (-50, 0.15), (35, 0.03), (-120, 1.92), (-30, 0.71), (50, 7.37), (-50, 5.46)]),
    (400, [(7, 10.92), (-88, 6.88), (-20, 12.56), (20, 5.58), (-30, 8.54), (-20, 12.08), (-150, 2.95), (60, 12.93)]),
]


def test_mark_to_market_example() -> None:
    """Goal: 93,250 + 333,240 = 426,490. Method: the published stock-option example, two classes."""
    contracts, positions, commodities = {}, [], {}
    for number, (size, lines) in enumerate(MARKS):
        code = f"CL{number}"
        commodities[code] = Commodity(code=code, premium_style=True)
        for place, (quantity, price) in enumerate(lines):
            name = f"{code} {place}"
            contracts[name] = Contract(
                id=name, commodity=code, kind=Kind.OPTION_ON_PHYSICAL, month=MARCH, array=(0,) * 16, delta_e4=0,
                right="C", settlement_price_e4=round(price * 10_000), multiplier=size,
            )  # fmt: skip
            positions.append(Position(name, max(quantity, 0), max(-quantity, 0), len(positions)))
    parameters = PrimeParameters(name="m", business_date="", commodities=commodities, contracts=contracts)
    margin = prime_margin(parameters, positions)
    assert [each.mark_to_market for each in margin.commodities] == [93_250, 333_240]
    assert margin.total == {"HKD": 426_490}


def test_intermonth_spread_and_spot_month() -> None:
    """Goal: three March against two April pay two spreads; the spot month pays both rates. Method: by hand."""
    commodity = msgspec.structs.replace(HSI, spot=(SpotCharge(MARCH, 100, 1000),))
    margin = prime_margin(hsi_parameters(commodity), held(HSI_Mar=3, HSI_Apr=-2)).commodities[0]
    assert margin.scan_risk == 86_000
    assert margin.intermonth_charge == 2 * 19_800
    assert margin.spot_charge == 2 * 100 + 1 * 1000
    assert margin.commodity_risk == 86_000 + 39_600 + 1_200 == margin.total


def test_tiers_in_priority() -> None:
    """Goal: rules take delta in order of priority. Method: a butterfly 1:2:1 before single spreads, by hand."""
    tiers = (Tier(1, MARCH, MARCH), Tier(2, 201904, 201904), Tier(3, 201905, 201912))
    butterfly = (TierLeg(1, 10_000, Side.A), TierLeg(2, 20_000, Side.B), TierLeg(3, 10_000, Side.A))
    pair = (TierLeg(1, 10_000, Side.A), TierLeg(2, 10_000, Side.B))
    commodity = Commodity(
        code="HSI", tiers=tiers, intermonth=(IntermonthSpread(2, 500, pair), IntermonthSpread(1, 300, butterfly))
    )
    parameters = hsi_parameters(commodity)
    contracts = parameters.contracts | {"HSI Jun": future("HSI Jun", 201906)}
    parameters = msgspec.structs.replace(parameters, contracts=contracts)
    margin = prime_margin(parameters, held(HSI_Mar=-3, HSI_Apr=5, HSI_Jun=-1)).commodities[0]
    assert [(each.priority, each.number_e4, each.amount) for each in margin.intermonth] == [
        (1, 10_000, 300),
        (2, 20_000, 1000),
    ]
    assert [each.left_e4 for each in margin.months] == [0, 10_000, 0]


def test_intercommodity_credit() -> None:
    """Goal: half of both legs is given back on opposite sides, nothing on the same side. Method: by hand."""
    margin = prime_margin(two_commodities(), held(HSI=1, HHI=-2))
    assert [each.scan_risk for each in margin.commodities] == [67_900, 86_000]
    assert [each.intercommodity_credit for each in margin.commodities] == [33_950, 43_000]
    assert margin.total == {"HKD": (67_900 + 86_000) // 2}
    assert prime_margin(two_commodities(), held(HSI=1, HHI=2)).total == {"HKD": 153_900}
    gross = prime_margin(two_commodities(), held(HSI=1, HHI=-2), Basis.GROSS)
    assert gross.total == {"HKD": 153_900}  # one client is no hedge of another


def test_gross_basis_and_larger_side() -> None:
    """Goal: a gross account margins both sides; the minimum can take the larger side. Method: by hand."""
    parameters = hsi_parameters()
    both = [Position("HSI Mar", 2, 2, 2)]
    assert prime_margin(parameters, both).total == {"HKD": 0}
    assert prime_margin(parameters, both, Basis.GROSS).total == {"HKD": 4 * 86_000}
    larger = msgspec.structs.replace(
        HSI, short_option_minimum=100_000, short_option_method=ShortOptionMethod.LARGER_SIDE
    )
    shorts = held(HSI_Mar_29000_P=-1, HSI_Mar_29000_C=-2)
    assert prime_margin(hsi_parameters(larger), shorts).total == {"HKD": 200_000}


def test_long_options_are_capped_at_their_value() -> None:
    """Goal: long options never owe more than they are worth. Method: a far call, capped and as an option not capped."""
    positions = held(HSI_Mar_30000_C=1)
    parameters = hsi_parameters()
    contracts = dict(parameters.contracts)
    contracts["HSI Mar 30000 C"] = msgspec.structs.replace(
        contracts["HSI Mar 30000 C"], settlement_price_e4=100 * 10_000
    )
    parameters = msgspec.structs.replace(parameters, contracts=contracts)
    assert prime_margin(parameters, positions).total == {"HKD": 5_000}
    free = PrimeSettings(pairing=Pairing.NONE, cap_long_options=False)
    assert prime_margin(parameters, positions, Basis.NET, free).total == {"HKD": 5_350}


def test_currencies_stay_apart_until_converted() -> None:
    """Goal: totals by currency; conversion rounds up and needs its rate. Method: CUS in CNY beside HSI."""
    parameters = hsi_parameters()
    parameters = msgspec.structs.replace(
        parameters,
        commodities=parameters.commodities | {"CUS": Commodity(code="CUS", currency="CNY")},
        contracts=parameters.contracts | {"CUS": future("CUS", MARCH, 9410, 8469, "CUS")},
    )
    margin = prime_margin(parameters, held(HSI_Mar=1, CUS=-1))
    assert margin.total == {"CNY": 9410, "HKD": 86_000}
    assert totals_in(margin, "HKD", {"CNY": 1_085_003}) == 86_000 + 10_210  # 10,209.878 rounded up
    with pytest.raises(Rejected, match="no rate from CNY"):
        totals_in(margin, "HKD", {})


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        ([Position("HSI Jan", 1, 0, 2)], r"P.csv:2: contract HSI Jan: contract: is not in test"),
        ([Position("HSI Mar", 1, 0, 2), Position("HSI Mar", 1, 0, 3)], "stands on line 2 already"),
        ([Position("HSI Mar", -1, 0, 2)], "long: -1 is not 0 to"),
    ],
)
def test_bad_positions_are_refused(positions: list[Position], message: str) -> None:
    """Goal: refusals name file, line, contract and field. Method: one broken line each."""
    with pytest.raises(Rejected, match=message):
        prime_margin(hsi_parameters(), positions, file="P.csv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tiers": ()}, "tier 1, which is not defined"),
        ({"short_option_minimum": -1}, "short_option_minimum: is negative"),
        ({"intermonth": (IntermonthSpread(1, 5, (TierLeg(1, 10_000, Side.A),)),)}, "no leg on one of the sides"),
        (
            {"intermonth": (IntermonthSpread(1, 5, (TierLeg(1, 0, Side.A), TierLeg(1, 1, Side.B))),)},
            "ratio that is not",
        ),
    ],
)
def test_bad_parameters_are_refused(change: dict[str, object], message: str) -> None:
    """Goal: parameters that contradict themselves are refused. Method: one broken commodity each."""
    with pytest.raises(Rejected, match=message):
        hsi_parameters(msgspec.structs.replace(HSI, **change))


quantities = st.lists(st.integers(-20, 20), min_size=len(DELTAS) + 2, max_size=len(DELTAS) + 2)


@given(quantities, quantities)
def test_scan_risk_is_a_coherent_measure(one: list[int], two: list[int]) -> None:
    """Goal: two books together never scan above their sum; doubling doubles. Method: random books."""
    parameters = hsi_parameters(Commodity(code="HSI"))
    names = list(parameters.contracts)

    def scan(book: list[int]) -> int:
        positions = [
            Position(name, max(q, 0), max(-q, 0), i) for i, (name, q) in enumerate(zip(names, book, strict=True))
        ]
        return prime_margin(parameters, positions).commodities[0].scan_risk

    together = scan([a + b for a, b in zip(one, two, strict=True)])
    assert together <= scan(one) + scan(two)
    assert scan([2 * a for a in one]) == 2 * scan(one)


def test_marginism_agrees_on_scan_risk() -> None:
    """Goal: an independent SPAN agrees. Method: 100 random books on the published rows, scan less option value."""
    from marginism import Position as PeerPosition
    from marginism import SpanCalculator
    from marginism.model import CombinedCommodity, OptionContract, RiskArray, SpanFile

    unit = CombinedCommodity(cc="HSI", underlying_price=28_885.0)
    for index, name in enumerate(DELTAS):
        fields, array = row(index)
        unit.options.append(
            OptionContract(
                cc="HSI", pf_id=1, contract_id=index, price=0.0, delta=DELTAS[name] / 10_000, volatility=0.2, cvf=1.0,
                risk_array=RiskArray([float(value) for value in array], 1.0), pf_type="OOP",
                expiry="20190429" if "Apr" in name else "20190328", option_type=fields["right"],
                strike=fields["strike"],
            )
        )  # fmt: skip
    peer = SpanCalculator(SpanFile(business_date="20190304", commodities={"HSI": unit}))
    parameters = hsi_parameters(Commodity(code="HSI"))
    rng = np.random.default_rng(3)
    for _ in range(100):
        book = rng.integers(-9, 10, len(DELTAS)).tolist()
        mine = prime_margin(
            parameters,
            [Position(name, max(q, 0), max(-q, 0), i) for i, (name, q) in enumerate(zip(DELTAS, book, strict=True))],
        )
        theirs = peer.calculate(
            [
                PeerPosition("HSI", "CE" if row(i)[0]["right"] == "C" else "PE", quantity=float(q),
                             expiry="20190429" if "Apr" in name else "20190328", strike=float(row(i)[0]["strike"]))
                for i, (name, q) in enumerate(zip(DELTAS, book, strict=True)) if q
            ]
        )  # fmt: skip
        assert mine.commodities[0].scan_risk == pytest.approx(theirs.span_margin, abs=1e-6)
    assert len(OPTIONS) > len(DELTAS)
