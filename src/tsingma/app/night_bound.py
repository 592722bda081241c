"""How good a night was: what could have settled at most, and which accounts held most up, by their names."""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.engine.house import House
from tsingma.settlement.instruction import FAILING, FROM_MATCHED, MATCHED, SETTLED
from tsingma.settlement.proposal import Objective
from tsingma.settlement.short_accounts import NightBound, bound_of_night

BOUND_SECONDS = 10.0  # then there is none; nothing in the books rests on it


def night_bound(house: House, objective: Objective) -> NightBound:
    """Return the bound over what came matched and settled today or waits, as the books are now; changes nothing."""
    instructions, day = house.settlement.instructions, house.position.day
    table = instructions.table
    waits = np.isin(table["status"], (MATCHED, FAILING)) & (table["intended_day"] <= day)
    mine = (table["origin"] == FROM_MATCHED) & (waits | ((table["status"] == SETTLED) & (table["settled_day"] == day)))
    found = bound_of_night(
        instructions, house.ledger, house.settlement.credit_lines, np.flatnonzero(mine).astype(np.int64), house.fx_e6,
        objective, BOUND_SECONDS,
    )  # fmt: skip
    book = house.resolved
    names = [f"{book.account_name(account)} {book.asset_name(asset)}" for account, asset in found.accounts]
    named = zip(found.blocking, names, strict=True)
    return msgspec.structs.replace(
        found, blocking=tuple(msgspec.structs.replace(one, account=name) for one, name in named)
    )
