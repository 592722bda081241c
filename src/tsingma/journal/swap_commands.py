"""Commands on cleared interest rate swaps: list what can be traded, register trades, mark them each evening."""

from __future__ import annotations

import msgspec


class SwapTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What trades of one series have in common; days count from 1970-01-01, periods are months, ACT/365."""

    id: str
    house: str
    curve: str
    currency: str
    start_day: int
    end_day: int
    fixed_months: int
    floating_months: int


class ListSwaps(msgspec.Struct, frozen=True, tag="list-swaps", forbid_unknown_fields=True):
    """List series of swaps; refused whole when one is a duplicate, over, or impossible."""

    series: tuple[SwapTerms, ...]


class RegisterSwaps(msgspec.Struct, frozen=True, tag="register-swaps", forbid_unknown_fields=True):
    """Novate swaps of the open day: the clearing house stands between who pays fixed and who receives it.

    Columns: ``trade_id`` i8, ``series`` i4, ``payer`` i4 and ``receiver`` i4 (accounts), ``notional_cents`` i8,
    ``rate_e6`` i8 (the fixed rate a year, 0.021 is 21,000).
    """

    source: str
    trade_id: bytes
    series: bytes
    payer: bytes
    receiver: bytes
    notional_cents: bytes
    rate_e6: bytes


class MarkSwaps(msgspec.Struct, frozen=True, tag="mark-swaps", forbid_unknown_fields=True):
    """Mark every open swap and move the day's variation margin and coupons, each in its currency.

    Columns, one row a series: ``series`` i4; of a notional of one x 10^12, ``floating_e12`` i8 what the floating leg is
    worth and ``annuity_e12`` i8 what a fixed rate of one is; ``floating_paid_e12`` and ``fixed_paid_e12`` i8 what fell
    due since the last mark; ``fixing_e6`` i8 and ``reset_day`` i4 the running floating period.
    """

    source: str
    series: bytes
    floating_e12: bytes
    annuity_e12: bytes
    floating_paid_e12: bytes
    fixed_paid_e12: bytes
    fixing_e6: bytes
    reset_day: bytes


SwapCommand = ListSwaps | RegisterSwaps | MarkSwaps
