"""What an account holds at a house, by notional: shares, futures, forwards and options on a factor."""

from __future__ import annotations

from enum import StrEnum

import msgspec

BASKET = "BASKET"  # all counters of the price history, equally weighted
INDEX = "INDEX"  # the index beside the price history
FX = "USDCNH"  # Hong Kong dollars are pegged: the renminbi moves against the US dollar


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


OPTIONS = (Product.CALL, Product.PUT)
PRODUCTS_OF: dict[House, tuple[Product, ...]] = {
    House.HKSCC: (Product.STOCK,),
    House.HKCC: (Product.FUTURE, *OPTIONS),
    House.SEOCH: OPTIONS,
    House.OTC_CLEAR: (Product.FORWARD,),
}


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One line: signed ``notional`` in whole HKD of the factor (plus is long; of an option, its underlying's value).

    ``strike_e4`` over the price of today (10,000 is at the money) and ``days`` calendar days to expiry, for options.
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
