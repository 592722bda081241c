"""What accounts hold: every asset with what of it is on hold, pledged and available, and its value at the last price.

Securities are in units, money in cents of its currency, values in HKD cents. Lists are pages as in ``house_reads``.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.app.house_reads import of_participant
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected
from tsingma.engine.house import House
from tsingma.engine.pooling import valuation
from tsingma.margin.pool.terms import Valuation


class HoldingLine(msgspec.Struct, frozen=True):
    """An account's asset (a currency or ISIN); ``value_cents`` is None where it has no price or rate yet.

    ``depository`` is where a registered security is kept ("": money, or a security without a register here).
    """

    account: str
    asset: str
    name: str
    balance: int
    held: int
    pledged: int
    available: int
    value_cents: int | None
    depository: str = ""


class Holdings(msgspec.Struct, frozen=True):
    """A page of holdings by account and asset, and the value of all of them; the cursor counts them."""

    items: list[HoldingLine]
    next: int | None
    at: int
    lines: int


def holdings_of(house: House, at: int, participant: str, cursor: int, limit: int) -> Holdings:
    """Return what a participant ("": everybody) holds behind the first ``cursor`` lines; raises Rejected (unknown)."""
    ledger = house.ledger
    owner, asset = ledger.owner, ledger.asset
    some = (ledger.balance != 0) | (ledger.held != 0) | (ledger.pledged != 0)
    rows = np.flatnonzero(of_participant(house, owner, participant) & some)
    rows = rows[np.lexsort([asset[rows], owner[rows]])]
    end, moment = cursor + limit, valuation(house)
    chosen = rows[cursor:end]
    columns = (column[chosen].tolist() for column in (owner, asset, ledger.balance, ledger.held, ledger.pledged))
    items = [_line(house, moment, *cells) for cells in zip(*columns, strict=True)]
    return Holdings(items, end if end < rows.size else None, at, int(rows.size))


def _line(
    house: House, moment: Valuation, owner: int, asset: int, balance: int, held: int, pledged: int
) -> HoldingLine:
    book = house.resolved
    counter = int(book.settlement_counter[asset - len(CURRENCIES)]) if asset >= len(CURRENCIES) else -1
    return HoldingLine(
        account=book.account_name(owner), asset=book.asset_name(asset),
        name=book.book.counters[counter].name if counter >= 0 else "", balance=balance, held=held, pledged=pledged,
        available=balance - held - pledged, value_cents=_worth(moment, asset, balance),
        depository=_kept_at(house, owner, asset),
    )  # fmt: skip


def _kept_at(house: House, account: int, asset: int) -> str:
    register, holdings = house.custody.register, house.custody.holdings
    return holdings.where(register, account, asset) if asset in register.issues else ""


def value_of(house: House, asset: int, amount: int) -> int | None:
    """Return the HKD cents of an amount of an asset at the last price, None where there is no price or rate."""
    return _worth(valuation(house), asset, amount)


def _worth(moment: Valuation, asset: int, amount: int) -> int | None:
    try:
        worth = moment.market_cents(asset, abs(amount))
    except Rejected:
        return None
    return worth if amount >= 0 else -worth
