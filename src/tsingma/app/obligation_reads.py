"""What accounts have to receive and to deliver, by settlement day and asset: net with the house, and gross.

Lists are pages as in ``house_reads``. Securities are in units, money in cents of its currency. Net lines are what is
still open of continuous net settlement (today's, with what failed before) and what is due on days to come; gross lines
are open instructions, by their intended day.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.app.house_reads import of_participant
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.engine.house import House
from tsingma.settlement.instruction import CANCELLED, DWP, PFOD, SETTLED

Int64 = npt.NDArray[np.int64]

BASES = ("net", "gross")
_COLUMNS = ("day", "account", "asset", "basis", "receive", "deliver", "legs")


class Obligation(msgspec.Struct, frozen=True):
    """What an account has to receive and deliver of an asset (a currency or ISIN) on a day, of how many legs.

    On a net line one of both is zero. ``legs`` is 0 where the house keeps no count.
    """

    day: str
    account: str
    asset: str
    basis: str
    to_receive: int
    to_deliver: int
    legs: int


class Obligations(msgspec.Struct, frozen=True):
    """A page of obligations by day, account, asset and basis; the cursor counts them."""

    items: list[Obligation]
    next: int | None
    at: int


def obligations_of(house: House, at: int, participant: str, cursor: int, limit: int) -> Obligations:
    """Return obligations of a participant ("": of everybody) behind the first ``cursor``; raises Rejected (unknown)."""
    parts = [_open_net(house), *_due_net(house), _gross(house)]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in _COLUMNS}
    mine = of_participant(house, joined["account"], participant) & ((joined["receive"] != 0) | (joined["deliver"] != 0))
    lines = _summed({name: column[mine] for name, column in joined.items()})
    end = cursor + limit
    chosen = range(cursor, min(end, lines["day"].size))
    book = house.resolved
    items = [
        Obligation(
            str(to_date(int(lines["day"][k]))), book.account_name(int(lines["account"][k])),
            book.asset_name(int(lines["asset"][k])), BASES[int(lines["basis"][k])], int(lines["receive"][k]),
            int(lines["deliver"][k]), int(lines["legs"][k]),
        )
        for k in chosen
    ]  # fmt: skip
    return Obligations(items, end if end < lines["day"].size else None, at)


def _columns(day: Int64, account: Int64, asset: Int64, basis: int, signed: Int64, legs: Int64) -> dict[str, Int64]:
    """Return columns of lines whose amount is to receive + or to deliver -."""
    return {
        "day": day, "account": account, "asset": asset, "basis": np.full(day.size, basis, np.int64),
        "receive": np.maximum(signed, 0), "deliver": np.maximum(-signed, 0), "legs": legs,
    }  # fmt: skip


def _open_net(house: House) -> dict[str, Int64]:
    """Return what is open of the net positions that stand now: stock not moved, money not confirmed."""
    lines, today = house.settlement.positions, house.position.day
    stock = (lines.account.astype(np.int64), lines.security.astype(np.int64) + len(CURRENCIES), lines.open)
    money = (
        lines.money_account.astype(np.int64), lines.money_currency.astype(np.int64),
        lines.settled_cents - lines.due_cents,
    )  # fmt: skip
    account, asset, signed = (np.concatenate([one, other]) for one, other in zip(stock, money, strict=True))
    none = np.zeros(signed.size, np.int64)
    return _columns(np.full(signed.size, today, np.int64), account, asset, 0, signed, none)


def _due_net(house: House) -> list[dict[str, Int64]]:
    """Return what is due on days to come; money to pay is + there, to deliver here."""
    book, found = house.resolved, []
    for day in house.obligations.days:
        due = house.obligations.due(day)
        account, days = due.account.astype(np.int64), np.full(len(due), day, np.int64)
        security = book.counter_security[due.counter].astype(np.int64) + len(CURRENCIES)
        currency = book.counter_currency[due.counter].astype(np.int64)
        found.append(_columns(days, account, security, 0, due.quantity, due.legs))
        found.append(_columns(days, account, currency, 0, -due.amount_cents, due.legs))
    return found


def _gross(house: House) -> dict[str, Int64]:
    """Return both legs of open instructions, for the deliverer and the receiver."""
    instructions = house.settlement.instructions
    table = instructions.table
    chosen = np.flatnonzero(~np.isin(table["status"], (SETTLED, CANCELLED))).astype(np.int64)
    deliverer, receiver = (table[side][chosen].astype(np.int64) for side in ("deliverer", "receiver"))
    day = table["intended_day"][chosen].astype(np.int64)
    asset, against = (table[leg][chosen].astype(np.int64) for leg in ("asset", "against"))
    units = table["open_quantity"][chosen].astype(np.int64)
    money = instructions.second_leg(chosen) - instructions.settled_amount(chosen)
    pays = np.isin(table["kind"][chosen], (DWP, PFOD))  # the deliverer pays as well, or nothing but pays
    sign = np.where(pays, -1, 1)
    sides = [
        (deliverer, asset, -units), (receiver, asset, units),
        (deliverer, against, sign * money), (receiver, against, -sign * money),
    ]  # fmt: skip
    kept = [(account[what >= 0], what[what >= 0], signed[what >= 0], day[what >= 0]) for account, what, signed in sides]
    account, what, signed, days = (np.concatenate(list(column)) for column in zip(*kept, strict=True))
    return _columns(days, account, what, 1, signed, np.ones(signed.size, np.int64))


def _summed(lines: dict[str, Int64]) -> dict[str, Int64]:
    """Return lines in order of day, account, asset and basis, those of one key added up."""
    order = np.lexsort([lines[name] for name in reversed(_COLUMNS[:4])])
    ordered = {name: column[order] for name, column in lines.items()}
    if not order.size:
        return ordered
    keys = np.stack([ordered[name] for name in _COLUMNS[:4]])
    start = np.flatnonzero(np.concatenate([[True], (keys[:, 1:] != keys[:, :-1]).any(axis=0)]))
    heads = {name: ordered[name][start] for name in _COLUMNS[:4]}
    receive, deliver, legs = (np.add.reduceat(ordered[name], start) for name in _COLUMNS[4:])
    both = np.where(heads["basis"] == 0, np.minimum(receive, deliver), 0)  # what the lines of one net line cancel
    return {**heads, "receive": receive - both, "deliver": deliver - both, "legs": legs}
