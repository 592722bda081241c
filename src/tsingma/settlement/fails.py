"""What happens to stock that was not delivered on its day: late-delivery fee, then a buy-in request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES, consideration_cents
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.ledger.ledger import Ledger
from tsingma.reference.tables import read_table, row_on
from tsingma.settlement.positions import CnsPositions

Int64 = npt.NDArray[np.int64]

RATE_SCALE_E6 = 1_000_000


@dataclass(frozen=True, slots=True)
class FailedDelivery:
    """One short position that stayed open at day end; money in HKD cents."""

    account: int
    security: int
    quantity: int
    market_value_cents: int
    fee_cents: int
    since_day: int
    buy_in: bool


def late_delivery_fee_cents(market_value_cents: int, day: date) -> int:
    """Return the fee of one failed short position in HKD cents: a rate of its market value, capped per position.

    Source: table ``late_delivery_fee`` of settlement_rules.toml. Rounded to the cent, halves up.
    """
    row = row_on(read_table("settlement_rules.toml")["late_delivery_fee"], day, table="late_delivery_fee")
    return min(divide_half_away(market_value_cents * row["rate_e6"], RATE_SCALE_E6), int(row["cap_cents"]))


def buy_in_short(
    positions: CnsPositions,
    ledger: Ledger,
    account: int,
    security: int,
    agent: int,
    quantity: int,
    price_e4: int,
    currency: int,
    settlement_day_before: int,
) -> int:
    """Buy stock for a failing short position, for its own account: the agent delivers to it against its price.

    Returns the cents it paid; the stock goes out in the next batch settlement run. Raises Rejected: not-allowed when
    the account has no short position due on or before ``settlement_day_before``, out-of-range above what is missing,
    insufficient when the agent lacks the stock or the account the money. Source: CCASS compulsory buy-in, table
    ``buy_in`` of settlement_rules.toml.
    """
    mine = (positions.account == account) & (positions.security == security) & (positions.open < 0)
    line = np.flatnonzero(mine & (positions.since_day <= settlement_day_before))
    if not line.size:
        raise refuse(
            RejectionReason.NOT_ALLOWED, "no short position is old enough to be bought in", field="account, security"
        )
    if not 0 < quantity <= -int(positions.open[line[0]]) or price_e4 <= 0:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"{quantity} at {price_e4} ten-thousandths, {-int(positions.open[line[0]])} are missing",
            field="quantity, price_e4",
        )
    paid = consideration_cents(quantity, price_e4)
    rows = ledger.count
    assets = np.array([security + len(CURRENCIES), currency], np.int32)
    debit = ledger.rows(np.array([agent, account], np.int32), assets)
    credit = ledger.rows(np.array([account, agent], np.int32), assets)
    if ledger.post_all(debit, credit, np.array([quantity, paid], np.int64)) is not None:
        ledger.close_rows(rows)
        raise refuse(
            RejectionReason.INSUFFICIENT,
            f"{quantity} shares against {paid} cents cannot be delivered",
            field="quantity",
            remedy="the agent needs the stock, the account the money: call it first",
        )
    return paid


def failed_deliveries(
    positions: CnsPositions,
    day: int,
    markets: tuple[int, ...],
    price_e4: Int64,
    fx_e6: Int64,
    settlement_day_before: int,
) -> list[FailedDelivery]:
    """Return every short position of the markets that is still open, with its fee and whether a buy-in is requested.

    ``price_e4`` and ``fx_e6`` are per security: price of the settlement counter and HKD per unit of its currency.
    A position due on or before ``settlement_day_before`` (the settlement day before today) is bought in.
    Raises Rejected (missing) when a failed security has no price.
    """
    line = np.flatnonzero((positions.open < 0) & np.isin(positions.market, markets))
    failed = []
    for i in line.tolist():
        security, quantity = int(positions.security[i]), -int(positions.open[i])
        price, rate = int(price_e4[security]), int(fx_e6[security])
        if price <= 0 or rate <= 0:
            raise refuse(
                RejectionReason.MISSING,
                f"security number {security} failed and has no closing price or rate",
                field="price",
                remedy="set the closing prices first",
            )
        value = divide_half_away(consideration_cents(quantity, price) * rate, RATE_SCALE_E6)
        failed.append(
            FailedDelivery(
                account=int(positions.account[i]),
                security=security,
                quantity=quantity,
                market_value_cents=value,
                fee_cents=late_delivery_fee_cents(value, to_date(day)),
                since_day=int(positions.since_day[i]),
                buy_in=int(positions.since_day[i]) <= settlement_day_before,
            )
        )
    return failed
