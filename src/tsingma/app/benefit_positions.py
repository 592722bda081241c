"""What pending positions are still owed by corporate actions: benefit lines beside the positions that are margined.

From the ex-date to the payment date a position bought cum carries its dividend, shares or rights. The amounts are those
custody will claim through the central counterparty (``engine.entitling.expected``): one source for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES, MINOR_SCALE, PRICE_SCALE
from tsingma.basics.rounding import divide_half_away
from tsingma.custody.events.terms import DISTRIBUTIONS
from tsingma.engine.entitling import expected
from tsingma.engine.house import FX_UNIT_E6, House
from tsingma.margin.hkscc.corporate_actions import benefit_code

Int64 = npt.NDArray[np.int64]
Columns = tuple[Int64, Int64, Int64, Int64, Int64]


class BenefitLine(NamedTuple):
    """One benefit of one account: code of the guide, quantity, contract value and market value in whole HKD."""

    account: int
    code: str
    quantity: int
    contract_value: int
    market_value: int


def benefit_lines(house: House, codes: Sequence[str]) -> list[BenefitLine]:
    """Return the benefits of pending positions, of every distribution that is ex and not paid, in HKD.

    ``codes`` are the codes of settlement counters by security.
    """
    lines = []
    for action in house.corporate_actions.live():
        terms = action.terms
        if terms.kind not in DISTRIBUTIONS or terms.ex_day > house.position.day:
            continue
        code = codes[terms.security]
        for (account, asset), units in sorted(expected(house, action).claims.items()):
            if asset < len(CURRENCIES):
                contract = divide_half_away(-units * house.fx_e6[asset], FX_UNIT_E6 * MINOR_SCALE)
                lines.append(BenefitLine(account, benefit_code(terms.kind, code, money=True), 0, contract, 0))
            else:
                name = benefit_code(terms.kind, code, money=False) or code
                lines.append(BenefitLine(account, name, units, 0, _value(house, asset - len(CURRENCIES), units)))
    return lines


def _value(house: House, security: int, units: int) -> int:
    """Return the market value of shares to come in whole HKD at the last closing price (0 where there is none)."""
    counter = int(house.resolved.settlement_counter[security])
    rate = house.fx_e6[int(house.resolved.counter_currency[counter])]
    return divide_half_away(units * int(house.price_e4[counter]) * rate, PRICE_SCALE * FX_UNIT_E6)


def with_benefits(
    codes: tuple[str, ...], columns: Columns, lines: Iterable[BenefitLine]
) -> tuple[tuple[str, ...], Columns]:
    """Return codes and columns (account, code, quantity, contract, market value) with benefits added, sorted.

    A benefit in a code that is there already joins its position.
    """
    added = list(lines)
    if not added:
        return codes, columns
    place = {code: number for number, code in enumerate(codes)}
    for line in added:
        place.setdefault(line.code, len(place))
    more = [(line.account, place[line.code], line.quantity, line.contract_value, line.market_value) for line in added]
    joined = np.concatenate([np.stack(columns), np.array(more, np.int64).T], axis=1)
    keys, where = np.unique(joined[0] * len(place) + joined[1], return_inverse=True)
    sums = np.zeros((3, keys.size), np.int64)
    for row in range(3):
        np.add.at(sums[row], where, joined[row + 2])
    owner, code = np.divmod(keys, len(place))
    return tuple(place), (owner, code, sums[0], sums[1], sums[2])
