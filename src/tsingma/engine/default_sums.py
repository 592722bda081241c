"""What every step of default management asks: who may take, whose account it is, money between rows, HKD of a sum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.basics.rounding import divide_up
from tsingma.clearing.default_book import FUNDS, Case, DefaultStatus
from tsingma.engine.barring import require_account_active
from tsingma.engine.house import FX_UNIT_E6, House
from tsingma.engine.resources import require_account

HKD = CURRENCIES.index("HKD")
PRICE_MAX_E4 = 10**12
Move = tuple[int, int, int, int]  # from account, to account, asset, amount


def declared(house: House, number: int) -> Case:
    """Return a declared default; by day and by night, once a day was opened. Raises Rejected (unknown, not-allowed)."""
    case = house.defaults.case(number, DefaultStatus.DECLARED)
    if not house.position.day:
        raise refuse(RejectionReason.NOT_ALLOWED, "no day was ever open", field="default", remedy="open a day first")
    return case


def require_mine(house: House, case: Case, account: int) -> None:
    """Refuse an account that is not the defaulter's; raises Rejected (unknown, not-allowed)."""
    require_account(house, account, "account")
    if int(house.resolved.account_participant[account]) != case.participant:
        raise refuse(
            RejectionReason.NOT_ALLOWED, "the account is not the defaulter's", field="account",
            subject=house.resolved.account_name(account),
        )  # fmt: skip


def require_taker(house: House, account: int, field: str) -> None:
    """Refuse who cannot take from a defaulter: unknown, or barred as it is itself; raises Rejected."""
    require_account(house, account, field)
    require_account_active(house, account, field)


def require_price(price_e4: int) -> None:
    """Refuse a price (ten-thousandths) that is none; raises Rejected (out-of-range)."""
    if not 0 < price_e4 <= PRICE_MAX_E4:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{price_e4} ten-thousandths is no price", field="price_e4")


def require_fund(fund: str) -> None:
    """Refuse a fund there is not; raises Rejected (unknown)."""
    if fund not in FUNDS:
        raise refuse(RejectionReason.UNKNOWN, f"no fund '{fund}'", field="fund", remedy=f"one of {', '.join(FUNDS)}")


def available(house: House, account: int, asset: int) -> int:
    """Return what an account has of an asset, neither held nor pledged nor lent to it; not below zero."""
    ledger = house.ledger
    row = ledger.find(account, asset)
    if row < 0:
        return 0
    free = int(ledger.balance[row] - ledger.held[row] - ledger.pledged[row])
    return max(min(free, free - int(ledger.floor[row])), 0)


def try_postings(house: House, moves: Sequence[Move]) -> bool:
    """Book moves as one linked chain; returns False, with nothing booked and no row opened, when one cannot be."""
    if not moves:
        return True
    before = house.ledger.count
    columns = [np.array(column, np.int64) for column in zip(*moves, strict=True)]
    assets = columns[2].astype(np.int32)
    debit = house.ledger.rows(columns[0].astype(np.int32), assets)
    credit = house.ledger.rows(columns[1].astype(np.int32), assets)
    if house.ledger.post_all(debit, credit, columns[3]) is None:
        return True
    house.ledger.close_rows(before)
    return False


def bank_postings(house: House, moves: Sequence[Move]) -> None:
    """Book moves that were checked before; raises InvariantBroken when they cannot be booked."""
    if not try_postings(house, moves):
        raise InvariantBroken(f"a checked posting of a default could not be booked: {moves[0]}")


def require_rate(house: House, unit: int) -> None:
    """Refuse where a currency has no conversion rate yet; raises Rejected (missing)."""
    if house.fx_e6[unit] <= 0:
        raise refuse(
            RejectionReason.MISSING, f"no conversion rate of {CURRENCIES[unit]}", field="fx_e6",
            remedy="set the closing prices first",
        )  # fmt: skip


def hkd_of(house: House, unit: int, cents: int) -> int:
    """Return HKD cents of a sum at the house's rate, rounded up: a loss is never told too small."""
    return cents if unit == HKD else divide_up(cents * house.fx_e6[unit], FX_UNIT_E6)
