"""Many accounts at once must give what one account at a time gives, and the compiled kernel what integers give."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import numpy as np
import pytest

from hkscc_example import PARAMETERS, PARTICIPANT, POSITIONS
from tsingma.basics.rejection import Rejected
from tsingma.basics.rounding import divide_half_away
from tsingma.kernels import scenario
from tsingma.margin.hkscc.many import HouseBook, margin_many
from tsingma.margin.hkscc.parameters import BetaHedge, CorporateAction, Parameters, PriceThreshold, StructuredProduct
from tsingma.margin.hkscc.requirement import margin
from tsingma.margin.hkscc.terms import MarginablePosition, ParticipantTerms, PositionLimit
from tsingma.messages.participant_file import read_participant
from tsingma.messages.positions import read_positions
from tsingma.messages.rpf01 import read_parameters

SIZE = 40


def _parameters(rng: np.random.Generator, scenarios: tuple[int, int]) -> Parameters:
    tier_p = tuple(f"P{n}" for n in range(SIZE))
    products = {f"P{n}": StructuredProduct(f"P{n - 20}", 10**9, 10**12, 3 * 10**8 + n) for n in range(30, SIZE)}
    hedges = {
        code: BetaHedge(22 * 10**6, 10**10 + n, 10**6 * n, 10**10 * (n + 3)) for n, code in enumerate(tier_p[:30])
    }
    return Parameters(
        valuation_date=date(2026, 1, 5),
        hvar_weight_e10=75 * 10**8,
        svar_weight_e10=25 * 10**8,
        hvar_confidence_e10=9_940_000_000,
        svar_confidence_e10=9_800_000_000,
        rounding=10_000,
        holiday_factor_e10=7_320_508_075,
        instruments=tier_p,
        hvar_returns_e10=rng.integers(-3 * 10**9, 3 * 10**9, (SIZE, scenarios[0])),
        svar_returns_e10=rng.integers(-6 * 10**9, 6 * 10**9, (SIZE, scenarios[1])),
        flat_rates_e10={f"N{n}": (12 + n) * 10**8 for n in range(10)},
        beta_hedges=hedges,
        structured_products=products,
        price_thresholds={code: PriceThreshold(2 * 10**8, 5 * 10**9) for code in ("P31", "N4")},
        corporate_actions={("P1", 1): CorporateAction(1, 0, -5 * 10**9, 3 * 10**9)},
    )


def _book(rng: np.random.Generator, accounts: int, held: int) -> HouseBook:
    codes = (*(f"P{n}" for n in range(SIZE)), *(f"N{n}" for n in range(10)), "DSPP1")
    rows = [
        np.sort(rng.choice(len(codes), size=int(rng.integers(0, held + 1)), replace=False)) for _ in range(accounts)
    ]
    start = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    instrument = np.concatenate(rows).astype(np.int64)
    quantity = rng.integers(-(10**6), 10**6, len(instrument))
    return HouseBook(
        accounts=tuple(f"A{n}" for n in range(accounts)),
        instruments=codes,
        start=start,
        instrument=instrument,
        quantity=quantity,
        contract_value=quantity * rng.integers(1, 100, len(instrument)),
        market_value=quantity * rng.integers(1, 100, len(instrument)),
    )


def _terms(account: int) -> ParticipantTerms:
    limit = PositionLimit(10**6 * account, 4 * 10**10, 25 * 10**8, None if account % 2 else 10**7)
    return ParticipantTerms(
        margin_multiplier_e10=10**10 + account,
        margin_credit=5_000_000 if account % 3 else 0,
        credit_risk_addon=account,
        ad_hoc_addon=0,
        tier_p_floor_e10=32 * 10**7 * (account % 2),
        min_tick_e10=10**7,
        hedge_instrument="P0",
        ipo=("P11", "P12", "P13"),
        position_limit=limit if account % 5 else None,
        flat_rate_groups={"N1": "2", "N2": "2", "N3": "3"},
    )


def _positions(book: HouseBook, account: int) -> list[MarginablePosition]:
    entries = range(int(book.start[account]), int(book.start[account + 1]))
    columns = (book.quantity, book.contract_value, book.market_value)
    return [
        MarginablePosition(book.instruments[int(book.instrument[e])], *(int(column[e]) for column in columns))
        for e in entries
    ]


@pytest.mark.parametrize("compiled_from", [0, 10**12])
def test_many_equal_one_by_one(compiled_from: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: house and single runs agree to the dollar. Method: random books, both kernels, every figure compared."""
    monkeypatch.setattr(scenario, "COMPILED_FROM_PRODUCTS", compiled_from)
    rng = np.random.default_rng(7)
    parameters = _parameters(rng, (333, 257))
    book = _book(rng, 30, 45)
    terms = [_terms(account) for account in range(30)]
    results = margin_many(parameters, book, terms)
    for account in range(30):
        assert results[account] == margin(_positions(book, account), parameters, terms[account]).result


def test_the_published_example_as_a_house() -> None:
    """Goal: given tail means also work for many. Method: the guide's participant twice, total 67,717,169 each."""
    held = read_positions(POSITIONS)
    columns = {
        name: np.array([getattr(one, name) for one in held] * 2, dtype=np.int64)
        for name in ("quantity", "contract_value", "market_value")
    }
    book = HouseBook(
        accounts=("A", "B"),
        instruments=tuple(one.instrument for one in held),
        start=np.array([0, 14, 28]),
        instrument=np.tile(np.arange(14), 2),
        **columns,
    )
    terms = [read_participant(PARTICIPANT)] * 2
    parameters = read_parameters(PARAMETERS, partial=True)
    assert [one.total for one in margin_many(parameters, book, terms)] == [67_717_169] * 2


def test_what_a_book_is_refused_for() -> None:
    """Goal: the house run refuses what the single run does, naming the account. Method: break the book."""
    rng = np.random.default_rng(3)
    parameters = _parameters(rng, (10, 10))
    book = _book(rng, 3, 20)
    terms = [_terms(account) for account in range(3)]
    replace = msgspec.structs.replace
    assert (
        margin_many(
            parameters,
            replace(
                book,
                accounts=(),
                start=np.zeros(1, np.int64),
                instrument=np.zeros(0, np.int64),
                quantity=np.zeros(0, np.int64),
                contract_value=np.zeros(0, np.int64),
                market_value=np.zeros(0, np.int64),
            ),
            [],
        )
        == ()
    )
    with pytest.raises(Rejected, match="do not fit together"):
        margin_many(parameters, book, terms[:2])
    with pytest.raises(Rejected, match="different new listings"):
        margin_many(parameters, book, [*terms[:2], replace(terms[2], ipo=())])
    unknown = ("X", *book.instruments[1:])
    everything = replace(book, instruments=unknown, instrument=np.concatenate([[0], book.instrument[1:]]))
    with pytest.raises(Rejected, match="A0 X: instrument: has no parameters"):
        margin_many(parameters, everything, terms)
    with pytest.raises(Rejected, match="stands twice"):
        margin_many(parameters, replace(book, instrument=np.zeros_like(book.instrument)), terms)
    with pytest.raises(Rejected, match="differ in sign"):
        margin_many(parameters, replace(book, market_value=-book.market_value), terms)
    one = replace(book, market_value=book.market_value * 10**9)
    with pytest.raises(Rejected, match="add up to more"):
        margin_many(parameters, one, terms)


def test_products_are_exact_at_every_size() -> None:
    """Goal: rounding half away from zero, exactly. Method: both kernels against Python integers, ties and extremes."""
    pytest.importorskip("numba")
    from tsingma.kernels.scenario_compiled import tail_sums_compiled

    rng = np.random.default_rng(5)
    values = np.concatenate([[1, -1, 5, -5, 15, 10**14, -(10**14)], rng.integers(-(10**14), 10**14, 60)]).astype(
        np.int64
    )
    edge = [5 * 10**9, -5 * 10**9, 10**9, 3 * 10**9, -(10**9), 10**11, -(10**11), 0, 1]
    returns = np.concatenate([np.tile(edge, (67, 1)), rng.integers(-(10**11), 10**11, (67, 30))], axis=1).astype(
        np.int64
    )
    oracle = [
        [divide_half_away(int(value) * int(one), 10**10) for one in row]
        for value, row in zip(values, returns, strict=True)
    ]
    assert scenario.profit_matrix(values, returns).tolist() == oracle
    start = np.arange(68, dtype=np.int64)
    rows = np.arange(67, dtype=np.int64)
    for count in (1, 7, 39):
        expected = [sum(sorted(row)[:count]) for row in oracle]
        screen = scenario.screen_returns(returns)
        assert tail_sums_compiled(start, rows, values, screen, count).tolist() == expected
        assert scenario.tail_sums_plain(start, rows, values, returns, count).tolist() == expected


def test_given_means_of_a_house_need_every_group() -> None:
    """Goal: a missing mean is refused for houses too. Method: drop the mean of the rest."""
    rng = np.random.default_rng(3)
    book = _book(rng, 2, 20)
    means = {"P11": Decimal(-1)}
    terms = [msgspec.structs.replace(_terms(1), tail_means_hvar=means, tail_means_svar=means)] * 2
    with pytest.raises(Rejected, match="none for this group"):
        margin_many(_parameters(rng, (10, 10)), book, terms)
