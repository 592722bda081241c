"""What an account holds at a house, by notional: shares, futures, forwards and options on a factor, swaps and bonds."""

from __future__ import annotations

from enum import StrEnum

import msgspec

BASKET = "BASKET"  # all counters of the price history, equally weighted
INDEX = "INDEX"  # the index beside the price history
FX = "USDCNH"  # Hong Kong dollars are pegged: the renminbi moves against the US dollar
GOLD = "XAU"  # gold factors are named by the currency they are quoted in: XAUUSD, XAUCNH, XAUHKD


NUMERAIRE = "HKD"  # the only series of a history that has no prices: always worth one


class House(StrEnum):
    """Clearing houses."""

    HKSCC = "HKSCC"
    HKCC = "HKCC"
    SEOCH = "SEOCH"
    OTC_CLEAR = "OTC Clear"


class Product(StrEnum):
    """Kinds of holding."""

    STOCK = "stock"
    FUTURE = "future"
    FORWARD = "forward"
    CALL = "call"
    PUT = "put"
    SWAP = "swap"
    BOND = "bond"
    BOND_FUTURE = "bond-future"


OPTIONS = (Product.CALL, Product.PUT)
CONTRACTS = (Product.SWAP, Product.BOND, Product.BOND_FUTURE)  # their factor is the id of a contract
PRODUCTS_OF: dict[House, tuple[Product, ...]] = {
    House.HKSCC: (Product.STOCK,),
    House.HKCC: (Product.FUTURE, Product.BOND_FUTURE, *OPTIONS),
    House.SEOCH: OPTIONS,
    House.OTC_CLEAR: (Product.FORWARD, Product.SWAP, Product.BOND),
}


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One line: signed ``notional`` in whole HKD of the factor (plus is long; of an option, its underlying's value).

    ``strike_e4`` over the price of today (10,000 is at the money) and ``days`` calendar days to expiry, for options.
    Of a swap, plus pays fixed. The notional of a contract is its face at today's exchange rate.
    """

    house: House
    product: Product
    factor: str
    notional: int
    strike_e4: int = 10_000
    days: int = 30
    line: int = 0


class Book(msgspec.Struct, frozen=True):
    """The holdings of one account."""

    name: str
    holdings: tuple[Holding, ...]

    @property
    def houses(self) -> tuple[House, ...]:
        """Return the houses at which the account holds something, in the order of :class:`House`."""
        present = {holding.house for holding in self.holdings}
        return tuple(house for house in House if house in present)


def currency_of(factor: str) -> str:
    """Return the currency in which a factor's futures and forwards pay."""
    if factor == FX:
        return "CNH"
    return factor.removeprefix(GOLD) if factor.startswith(GOLD) else "HKD"


def by_history(holding: Holding) -> bool:
    """Return whether a holding is margined by revalued history rather than by the model of shares or sixteen scenarios.

    All of OTC Clear; at HKCC futures on bonds, gold and currencies.
    """
    if holding.house is House.OTC_CLEAR:
        return True
    other = holding.product is Product.BOND_FUTURE or currency_of(holding.factor) != "HKD"
    linear = holding.product not in OPTIONS
    return holding.house is House.HKCC and linear and (other or holding.factor.startswith(GOLD))
