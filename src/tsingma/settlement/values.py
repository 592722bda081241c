"""What securities are worth in a currency of the house, in whole cents: for penalties, haircuts and compensation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.rounding import divide_half_away

Int64 = npt.NDArray[np.int64]

PRICE_TO_CENTS = 100  # price_e4 x quantity / 100 is cents


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Per security: price (e4), its currency, kind of instrument, smallest unit that moves; HKD per unit of a currency.

    ``price_e4`` 0 stands for a price that is not fixed, ``fx_e6`` 0 for a rate that is not.
    """

    price_e4: Int64
    currency: Int64
    kind: Int64
    unit: Int64
    fx_e6: tuple[int, ...]

    def cents(self, security: int, quantity: int, currency: int) -> int | None:
        """Return the market value in cents of a currency, half a cent away from zero; None without price or rate."""
        price, rate = int(self.price_e4[security]), self.fx_e6[int(self.currency[security])]
        if not price or not rate or not self.fx_e6[currency]:
            return None
        return divide_half_away(quantity * price * rate, PRICE_TO_CENTS * self.fx_e6[currency])

    def quantity_worth(self, security: int, cents: int, currency: int, share_e6: int) -> int | None:
        """Return the least quantity, in whole units, of which a share (e6) is worth ``cents``; None without price."""
        price, rate = int(self.price_e4[security]), self.fx_e6[int(self.currency[security])]
        if not price or not rate or not self.fx_e6[currency] or share_e6 <= 0:
            return None
        needed = -(-cents * PRICE_TO_CENTS * self.fx_e6[currency] * 1_000_000 // (price * rate * share_e6))
        unit = int(self.unit[security])
        return -(-needed // unit) * unit
