"""What the chain says of the first column.

Goal: B1 to B28 each with result, figure and reason; the honest count; B26 as it comes out. Method: the findings, and
the ones that a reader would check first computed another way.
"""

from __future__ import annotations

from collections import Counter

from tsingma.economy.chain.claims import chain_claims, chain_findings
from tsingma.economy.chain.dividends import TRIO, base_dividends, divergence
from tsingma.economy.chain.stylised import stylised_chain
from tsingma.economy.claims import Result

WANTED = {
    Result.SUPPORTED: {"A2", "B1", "B2", "B3", "B4", "B7", "B8", "B14", "B15", "B19", "B20", "B27"},
    Result.NOT_SUPPORTED: {"B5", "B10", "B11", "B21", "B23", "B26", "B28"},
    Result.NOT_TESTABLE: {"B6", "B9", "B12", "B13", "B16", "B17", "B18", "B22", "B24", "B25"},
}


def test_every_claim_has_a_result() -> None:
    """Goal: A2 and 28 claims, none without its words. Method: whole claims as the register prints them."""
    claims = chain_claims()
    assert [claim.id for claim in claims] == ["A2", *(f"B{n}" for n in range(1, 29))]
    found = {result: {claim.id for claim in claims if claim.result is result} for result in Result}
    assert found == WANTED
    assert Counter(claim.result for claim in claims)[Result.SUPPORTED] == 12


def test_the_trilateral_claim_fails_in_its_second_half() -> None:
    """Goal: incomes of all three rise, K does not fall in all. Method: read the figure."""
    claim = chain_findings()["B26"]
    assert claim.result is Result.NOT_SUPPORTED
    income, gap = (claim.figure.split("; ")[k] for k in (0, 1))
    assert income.count("+") == 3
    assert "+" in gap


def test_korea_is_first_and_china_second() -> None:
    """Goal: B10's order. Method: Theil of the base year, not through the findings."""
    chain = stylised_chain()
    base = base_dividends(chain)
    theil = {country: divergence(chain, country, base, base).theil for country in TRIO}
    assert sorted(theil, key=lambda name: -theil[name]) == ["KOR", "CHN", "JPN"]
