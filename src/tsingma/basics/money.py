"""Money and prices as integers: cents per currency, prices in ten-thousandths, products checked first."""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away

INT64_MAX = 2**63 - 1
PRICE_SCALE = 10_000  # price_e4: one unit of currency is 10,000
MINOR_SCALE = 100  # cents, fen; every currency of the house has two decimals

CURRENCIES: tuple[str, ...] = ("HKD", "CNY", "USD", "EUR")


def checked_product(left: int, right: int, *, subject: str = "") -> int:
    """Return left * right, refused when it does not fit a signed 64-bit integer (design invariant 1)."""
    product = left * right
    if not -INT64_MAX <= product <= INT64_MAX:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"{left} x {right} does not fit 64 bits",
            subject=subject,
            remedy="split the trade",
        )
    return product


def consideration_cents(quantity: int, price_e4: int) -> int:
    """Return quantity x price in cents, half a cent away from zero; checked for 64-bit overflow."""
    return divide_half_away(checked_product(quantity, price_e4), PRICE_SCALE // MINOR_SCALE)


class Amount(msgspec.Struct, frozen=True):
    """Money in minor units (cents) of one currency; sums refuse to mix currencies."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        """Refuse a currency the house does not keep books in."""
        if self.currency not in CURRENCIES:
            raise refuse(RejectionReason.UNKNOWN, f"currency '{self.currency}' is not kept", field="currency")

    def __add__(self, other: Amount) -> Amount:
        """Return the sum of two amounts of the same currency."""
        return Amount(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Amount) -> Amount:
        """Return the difference of two amounts of the same currency."""
        return Amount(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> Amount:
        """Return the opposite amount."""
        return Amount(-self.minor, self.currency)

    def _same(self, other: Amount) -> Amount:
        if other.currency != self.currency:
            raise refuse(RejectionReason.CONFLICT, f"cannot add {other.currency} to {self.currency}", field="currency")
        return other

    def __str__(self) -> str:
        """Return for example ``HKD 1,127.00``."""
        sign = "-" if self.minor < 0 else ""
        whole, cents = divmod(abs(self.minor), MINOR_SCALE)
        return f"{self.currency} {sign}{whole:,}.{cents:02d}"
