"""Simulated positions on curves: swaps, government bonds and bond futures of invented firms, flat in every contract.

Sizes are round figures of a dealer's book beside the simulated market's; seeded and invented, like everything here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
import numpy as np

from tsingma.margin.house.contracts import PRODUCT_OF, Contract, ContractKind, check_contracts
from tsingma.margin.house.holdings import Holding, House, Product
from tsingma.market.curve_history import CurveSeries
from tsingma.simulate.curves import simulate_curves

HISTORY_DAYS = 400  # weekdays of curves that end before the day
DEALERS = 12
UNIT_HKD = 1_000_000
DEAL_UNITS = (5, 60)  # least and most of one deal, millions of HKD
DEALS = 3  # of each contract
_STREAM = 6

_TERMS: tuple[tuple[str, ContractKind, str, int, float | None, tuple[str, ...]], ...] = (
    ("CNY-1Y", ContractKind.SWAP, "CNY.FR007", 12, None, ()),
    ("CNY-5Y", ContractKind.SWAP, "CNY.FR007", 60, None, ()),
    ("CNY-10Y", ContractKind.SWAP, "CNY.FR007", 120, None, ()),
    ("CNH-2Y", ContractKind.SWAP, "CNH.HIBOR", 24, None, ()),
    ("HKD-5Y", ContractKind.SWAP, "HKD.HIBOR", 60, None, ()),
    ("USD-5Y", ContractKind.SWAP, "USD.SOFR", 60, None, ()),
    ("CGB-5Y", ContractKind.BOND, "CNY.CGB", 60, 0.025, ()),
    ("CGB-10Y", ContractKind.BOND, "CNY.CGB", 120, 0.027, ()),
    ("CGB-F", ContractKind.BOND_FUTURE, "CNY.CGB", 3, 0.03, ("CGB-5Y",)),
)


class RatesPositions(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Contracts, curves by day up to the last one before the day, and what each account holds, whole HKD."""

    contracts: dict[str, Contract]
    curves: tuple[CurveSeries, ...]
    holdings: dict[str, tuple[Holding, ...]]


def simulate_rates(seed: int, day: date, accounts: Sequence[str]) -> RatesPositions:
    """Return positions of a few of the accounts as of a day; the same seed gives the same ones.

    Every deal has two sides, so each contract adds up to nothing over all accounts.
    """
    chance = np.random.Generator(np.random.PCG64([seed, _STREAM]))
    contracts = check_contracts(
        [
            Contract(id=name, kind=kind, curve=curve, maturity=months, rate=rate, basket=basket)
            for name, kind, curve, months, rate, basket in _TERMS
        ]
    )
    curves = simulate_curves(seed, day - timedelta(days=HISTORY_DAYS // 5 * 7), HISTORY_DAYS)
    size = min(DEALERS, len(accounts))
    dealers = [accounts[place] for place in sorted(chance.permutation(len(accounts))[:size].tolist())]
    held: dict[tuple[str, str], int] = {}
    for name in contracts:
        for _ in range(DEALS if size > 1 else 0):
            buyer, seller = (dealers[place] for place in chance.permutation(size)[:2].tolist())
            amount = int(chance.integers(*DEAL_UNITS)) * UNIT_HKD
            for dealer, signed in ((buyer, amount), (seller, -amount)):
                held[dealer, name] = held.get((dealer, name), 0) + signed
    holdings: dict[str, tuple[Holding, ...]] = {}
    for (dealer, name), amount in sorted(held.items()):
        if amount:
            product = PRODUCT_OF[contracts[name].kind]
            house = House.HKCC if product is Product.BOND_FUTURE else House.OTC_CLEAR
            one = Holding(house=house, product=product, factor=name, notional=amount, days=0)
            holdings[dealer] = (*holdings.get(dealer, ()), one)
    return RatesPositions(contracts=contracts, curves=curves, holdings=holdings)
