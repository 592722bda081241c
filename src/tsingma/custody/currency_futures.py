"""Renminbi currency futures at their end: dollars against renminbi, or the difference in renminbi.

Source: HKEX, USD/CNH futures: the seller delivers USD, the buyer pays the final settlement value in RMB (contract
size x final settlement price, RMB per USD to 4 decimals); mini USD/CNH futures: cash settled in RMB. The final
settlement price is the TMA's USD/CNY(HK) spot rate of the last trading day and comes with the command.
"""

from __future__ import annotations

from datetime import date

import msgspec

from tsingma.basics.money import CURRENCIES, PRICE_SCALE
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.custody.bond_futures import contract_row
from tsingma.custody.legs import Leg
from tsingma.custody.limits import PRICE_MAX_E4

CNY, USD = CURRENCIES.index("CNY"), CURRENCIES.index("USD")
DELIVERY, CASH = "delivery", "cash"
CONTRACTS_MAX = 1_000_000


class CurrencyFuture(msgspec.Struct, frozen=True, kw_only=True):
    """One contract of the table: dollars of a contract (cents) and how it settles."""

    code: str
    dollars_cents: int
    settlement: str


def currency_future(code: str, day: date) -> CurrencyFuture:
    """Return a contract in force on a day; raises Rejected (unknown)."""
    return msgspec.convert(contract_row("currency_future", code, day), CurrencyFuture)


def settlement_legs(
    contract: CurrencyFuture, seller: int, buyer: int, contracts: int, final_e4: int, last_e4: int
) -> list[Leg]:
    """Return the legs of a settlement; raises Rejected (out-of-range).

    In delivery both legs move at one instant, so that nobody pays first. In cash the difference between the final
    price and the last daily settlement price moves: to the buyer when it rose. Half a cent goes away from zero.
    """
    if not 0 < contracts <= CONTRACTS_MAX or not 0 < final_e4 <= PRICE_MAX_E4 or not 0 <= last_e4 <= PRICE_MAX_E4:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{contracts} contracts at {final_e4}", field="contracts, final_e4")
    dollars = contracts * contract.dollars_cents
    if contract.settlement == DELIVERY:
        value = divide_half_away(dollars * final_e4, PRICE_SCALE)
        return [Leg(seller, buyer, USD, dollars), Leg(buyer, seller, CNY, value)]
    if not last_e4:
        raise refuse(RejectionReason.MISSING, "the last daily settlement price", field="last_e4")
    gain = divide_half_away(dollars * (final_e4 - last_e4), PRICE_SCALE)
    return [Leg(seller, buyer, CNY, gain)] if gain >= 0 else [Leg(buyer, seller, CNY, -gain)]
