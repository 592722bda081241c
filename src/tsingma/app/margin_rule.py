"""What the rules of the houses would call of one account at the last closing prices, term by term: the way to a call.

The study of ``margin_reads`` has neither marks nor margin credit nor flat rates, and takes its scenarios from its own
history; a call has all of these. The terms here add up to what a call made now would be; what is left to the last call
came from positions and prices since. Whole HKD.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.app.house_derivatives import DerivativeMargin
from tsingma.app.house_margin import marginable_positions, terms_of, with_benefit_rates, with_flat_rates
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected
from tsingma.engine.house import House as TheHouse
from tsingma.margin.hkscc.many import HouseBook, margin_many
from tsingma.margin.hkscc.parameters import Parameters
from tsingma.margin.hkscc.requirement import MarginResult
from tsingma.margin.house.holdings import House


class RuleTerm(msgspec.Struct, frozen=True, kw_only=True):
    """One signed term of a house's call, whole HKD: marks in favour and margin credit take away."""

    house: str
    term: str
    amount: int


class RuleCall(msgspec.Struct, frozen=True, kw_only=True):
    """What a call made now would be: terms that add up to ``total``, by parameters of a day; else why there is none.

    ``scenarios`` is the number of HKSCC's ordinary scenarios in the parameters.
    """

    parameters_day: str
    scenarios: int
    terms: tuple[RuleTerm, ...]
    total: int
    refused: str = ""


def rule_call(house: TheHouse, account: int, parameters: Parameters) -> RuleCall:
    """Return what a call of an account number would be; what parameters do not cover is told in ``refused``."""
    day, scenarios = str(parameters.valuation_date), int(parameters.hvar_returns_e10.shape[1])
    try:
        terms = (*_securities(house, account, parameters), *_derivatives(house, account, parameters))
    except Rejected as rejected:
        return RuleCall(
            parameters_day=day, scenarios=scenarios, terms=(), total=0, refused=rejected.rejections[0].message
        )
    return RuleCall(parameters_day=day, scenarios=scenarios, terms=terms, total=sum(one.amount for one in terms))


def _securities(house: TheHouse, account: int, parameters: Parameters) -> tuple[RuleTerm, ...]:
    book, accounts = marginable_positions(house)
    own = [_only(book, place) for place in np.flatnonzero(accounts == account).tolist()]
    if not own:
        return ()
    day = to_date(house.position.day)
    complete = with_benefit_rates(with_flat_rates(parameters, house.resolved, day), own[0].instruments, day)
    result = margin_many(complete, own[0], (terms_of(house.resolved, account, day),))[0]
    return terms_of_result(result)


def _only(book: HouseBook, place: int) -> HouseBook:
    """Return the book of one of its accounts."""
    here = slice(int(book.start[place]), int(book.start[place + 1]))
    return HouseBook(
        accounts=book.accounts[place : place + 1], instruments=book.instruments,
        start=np.array([0, here.stop - here.start], np.int64), instrument=book.instrument[here],
        quantity=book.quantity[here], contract_value=book.contract_value[here], market_value=book.market_value[here],
    )  # fmt: skip


def terms_of_result(result: MarginResult) -> tuple[RuleTerm, ...]:
    """Return the terms of HKSCC's figure in the guide's order, without those that are nothing; they add up to it.

    Source: HKSCC Initial Margin Calculation Guide v1.4 (October 2025), aggregation: marks in favour count up to the
    rounded margin, and the credit up to what is left.
    """
    amounts = {
        "portfolio margin": result.portfolio_margin,
        "flat rates": result.flat_rate_margin,
        "liquidation risk": result.liquidation_risk_addon,
        "structured products": result.structured_product_addon,
        "corporate actions": result.corporate_action_margin,
        "holidays": result.holiday_addon,
        "rounding up": result.rounded - result.aggregate,
        "marks in favour": result.net_margin - result.rounded,
        "margin credit": result.net_margin_after_credit - result.net_margin,
        "marks against": result.mtm_requirement,
        "position limit": result.position_limit_addon,
        "credit risk": result.credit_risk_addon,
        "by notice": result.ad_hoc_addon,
    }
    return tuple(
        RuleTerm(house=str(House.HKSCC), term=term, amount=amount) for term, amount in amounts.items() if amount
    )


def _derivatives(house: TheHouse, account: int, parameters: Parameters) -> tuple[RuleTerm, ...]:
    calls = DerivativeMargin(house, parameters, account).calls.get(account, {})
    return tuple(RuleTerm(house=str(one), term="scan risk", amount=amount) for one, amount in calls.items() if amount)
