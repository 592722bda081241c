"""What securities are worth to custody: collateral of repos and baskets of funds at the last closing prices."""

from __future__ import annotations

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rounding import divide_half_away
from tsingma.custody.limits import VALUE_MAX_CENTS, require_between
from tsingma.custody.repo import Value
from tsingma.engine.house import House

_PRICE_TO_CENTS = 100  # price_e4 x units / 100 is cents


def value_of(house: House, asset: int, units: int, currency: int) -> int | None:
    """Return what units are worth in cents of a currency at the last closing price; None without price or rate.

    Raises Rejected (out-of-range) when that is more than VALUE_MAX_CENTS.
    """
    counter = int(house.resolved.settlement_counter[asset - len(CURRENCIES)])
    price, kept_in = int(house.price_e4[counter]), int(house.resolved.counter_currency[counter])
    if not price:
        return None
    rate, other = (1, 1) if kept_in == currency else (house.fx_e6[kept_in], house.fx_e6[currency])
    if not rate or not other:
        return None
    cents = divide_half_away(units * price * rate, _PRICE_TO_CENTS * other)
    require_between("price_e4", cents, 0, VALUE_MAX_CENTS)
    return cents


def values(house: House) -> Value:
    """Return the valuation of collateral at the house's last closing prices and rates."""
    return lambda asset, units, currency: value_of(house, asset, units, currency)
