"""What a call by the rules is made of, position by position, to the cent, and the scenarios it was averaged over.

Every term of the call is cut over the positions that cause it: the portfolio margin by their parts of the two tails,
flat rates and marks by their own values, scan risk by their loss in the scenario that is worst for their underlying.
What belongs to no single position (rounding, margin credit, add-ons of the whole account) stands beside. All together
is the call: the cents that a cut leaves over go to the largest remainders.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import msgspec
import numpy as np

from tsingma.app.house_derivatives import DerivativeMargin
from tsingma.app.house_margin import marginable_positions, terms_of, with_benefit_rates, with_flat_rates
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.engine.house import House as TheHouse
from tsingma.margin.hkscc.explanation import Explanation
from tsingma.margin.hkscc.parameters import Parameters
from tsingma.margin.hkscc.requirement import MarginResult, margin
from tsingma.margin.hkscc.terms import MarginablePosition
from tsingma.margin.house.holdings import OPTIONS, Holding, House, Product
from tsingma.market.tickers import counter_code

CENTS = 100
HONG_KONG_DIGITS = 5
COMPONENTS = {
    "portfolio_margin": "portfolio margin", "flat_rate_margin": "flat rates",
    "liquidation_risk_addon": "liquidation risk", "structured_product_addon": "structured products",
    "corporate_action_margin": "corporate actions", "holiday_addon": "holidays",
}  # fmt: skip
MEASURES = ("HVaR", "SVaR")


class PositionName(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A position of an account: counter or underlying, product; of an option strike over today's price and days."""

    code: str
    product: Product = Product.STOCK
    strike_e4: int = 0
    days: int = 0


class CallPart(msgspec.Struct, frozen=True, kw_only=True):
    """A signed part of a call in HKD cents: of one position, or of none."""

    house: str
    position: PositionName | None
    term: str
    cents: int


class CallPosition(msgspec.Struct, frozen=True, kw_only=True):
    """One position of the call: market value or notional in whole HKD, its parts by term and their sum in cents."""

    house: str
    position: PositionName
    value: int
    parts: dict[str, int]
    cents: int


class CallScenario(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario of one of HKSCC's tails: its number, the day it is of where known, profit of all positions (HKD)."""

    measure: str
    scenario: int
    day: str
    profit: int


class CallExplained(msgspec.Struct, frozen=True, kw_only=True):
    """A call made now: positions and what belongs to none of them add up to ``cents``, term by term as called.

    Positions that move the call most, either way, come first.

    ``columns`` names the terms that positions have parts of; ``scenarios`` ordinary and stressed ones were run.
    """

    columns: tuple[str, ...]
    positions: tuple[CallPosition, ...]
    rest: tuple[CallPart, ...]
    cents: int
    tail: tuple[CallScenario, ...]
    scenarios: tuple[int, int]
    refused: str = ""


def call_explained(house: TheHouse, account: int, parameters: Parameters) -> CallExplained:
    """Return what a call of an account number would be made of; what parameters do not cover is told in ``refused``."""
    scenarios = (parameters.hvar_count, parameters.svar_count)
    try:
        parts, tail, value = _securities(house, account, parameters)
        scans = DerivativeMargin(house, parameters, account)
    except Rejected as rejected:
        message = rejected.rejections[0].message
        return CallExplained(columns=(), positions=(), rest=(), cents=0, tail=(), scenarios=scenarios, refused=message)
    for at, underlyings in scans.parts(account).items():
        for called, lines in underlyings:
            parts += _cut(str(at), "scan risk", [(_series(one), Fraction(loss)) for one, loss in lines], called)
            for one, _ in lines:
                value[str(at), _series(one)] = value.get((str(at), _series(one)), 0) + one.notional
    return _gathered(parts, tail, value, scenarios)


def _series(line: Holding) -> PositionName:
    option = {"strike_e4": line.strike_e4, "days": line.days} if line.product in OPTIONS else {}
    return PositionName(code=line.factor, product=line.product, **option)


def _counter(code: str) -> PositionName:
    """Return the position of a parameter file's code: there Hong Kong codes stand without leading zeros."""
    return PositionName(code=counter_code(code) if code.isdigit() and len(code) <= HONG_KONG_DIGITS else code)


def _gathered(
    parts: Sequence[CallPart], tail: Sequence[CallScenario], value: dict[tuple[str, PositionName], int],
    scenarios: tuple[int, int],
) -> CallExplained:  # fmt: skip
    found: dict[tuple[str, PositionName], dict[str, int]] = {key: {} for key in value}
    rest: dict[tuple[str, str], int] = {}
    for one in parts:
        if one.position is not None:
            terms = found[one.house, one.position]
            terms[one.term] = terms.get(one.term, 0) + one.cents
        else:
            rest[one.house, one.term] = rest.get((one.house, one.term), 0) + one.cents
    positions = [
        CallPosition(house=at, position=name, value=value[at, name], parts=terms, cents=sum(terms.values()))
        for (at, name), terms in found.items()
    ]
    columns = tuple(dict.fromkeys(term for one in positions for term in one.parts))
    return CallExplained(
        columns=columns,
        positions=tuple(sorted(positions, key=lambda one: (-abs(one.cents), one.house, one.position))),
        rest=tuple(
            CallPart(house=at, position=None, term=term, cents=cents) for (at, term), cents in rest.items() if cents
        ),
        cents=sum(one.cents for one in parts), tail=tuple(tail), scenarios=scenarios,
    )  # fmt: skip


def _securities(
    house: TheHouse, account: int, parameters: Parameters
) -> tuple[list[CallPart], list[CallScenario], dict[tuple[str, PositionName], int]]:
    book, accounts = marginable_positions(house)
    places = np.flatnonzero(accounts == account).tolist()
    if not places:
        return [], [], {}
    here = slice(int(book.start[places[0]]), int(book.start[places[0] + 1]))
    columns = (book.instrument, book.quantity, book.contract_value, book.market_value)
    positions = [
        MarginablePosition(book.instruments[place], quantity, contract, market)
        for place, quantity, contract, market in zip(*(one[here].tolist() for one in columns), strict=True)
    ]
    day = to_date(house.position.day)
    complete = with_benefit_rates(with_flat_rates(parameters, house.resolved, day), book.instruments, day)
    found = margin(positions, complete, terms_of(house.resolved, account, day))
    tail = [
        CallScenario(measure=node.component, scenario=one.index, day=one.label, profit=one.profit_hkd)
        for node in found.explanation.walk() if node.component in MEASURES for one in node.tail
    ]  # fmt: skip
    value = {(str(House.HKSCC), _counter(one.instrument)): one.market_value for one in positions}
    return parts_of(found.result, found.explanation, positions), tail, value


def parts_of(result: MarginResult, tree: Explanation, positions: Sequence[MarginablePosition]) -> list[CallPart]:
    """Return the parts of HKSCC's figure from its tree; they add up to its total in cents.

    Marks in favour beyond the rounded margin are no part of a call (guide v1.4, aggregation): the excess stands beside.
    """
    at, held = str(House.HKSCC), {one.instrument for one in positions}
    parts = []
    for component, term in COMPONENTS.items():
        node = tree.find(component)
        parts += _cut(at, term, [(_counter(leaf.component) if leaf.component in held else None, Fraction(leaf.amount))
                                 for leaf in _leaves(node)], int(node.amount))  # fmt: skip
    favourable = result.favourable_mtm > 0
    marks: list[tuple[PositionName | None, Fraction]] = [
        (_counter(one.instrument), Fraction(one.contract_value - one.market_value)) for one in positions
    ]
    total = -result.favourable_mtm if favourable else result.mtm_requirement
    parts += _cut(at, "marks", marks, total)
    beside = {
        "rounding up": result.rounded - result.aggregate,
        "marks not used": result.favourable_mtm - (result.rounded - result.net_margin),
        "margin credit": result.net_margin_after_credit - result.net_margin,
        "position limit": result.position_limit_addon,
        "credit risk": result.credit_risk_addon,
        "by notice": result.ad_hoc_addon,
    }
    parts += [CallPart(house=at, position=None, term=term, cents=CENTS * amount) for term, amount in beside.items()]
    if sum(one.cents for one in parts) != CENTS * result.total:
        raise InvariantBroken(f"the parts of a call add up to {sum(one.cents for one in parts)} cents")
    return [one for one in parts if one.cents]


def _leaves(node: Explanation) -> Iterable[Explanation]:
    if not node.parts:
        yield node
    for part in node.parts:
        yield from _leaves(part)


def _cut(house: str, term: str, exact: Iterable[tuple[PositionName | None, Fraction]], total: int) -> list[CallPart]:
    """Return parts in cents that add up to ``total`` whole HKD: each rounded down, then the largest remainders up.

    Leaves of no position (a floor, a rounding) stay among those; raises InvariantBroken when the exact parts are
    more than a dollar from the total.
    """
    whole: dict[PositionName | None, Fraction] = {}
    for name, amount in exact:
        whole[name] = whole.get(name, Fraction(0)) + amount
    if abs(sum(whole.values(), Fraction(0)) - total) > 1:
        raise InvariantBroken(f"parts of {term} miss {total}")
    cents = {name: int(amount * CENTS // 1) for name, amount in whole.items()}
    left = CENTS * total - sum(cents.values())
    order = sorted(whole, key=lambda name: (-(whole[name] * CENTS % 1), name is None, name or PositionName(code="")))
    for number in range(abs(left)):
        cents[order[number % len(order)]] += 1 if left > 0 else -1
    return [CallPart(house=house, position=name, term=term, cents=each) for name, each in cents.items()]
