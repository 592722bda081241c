"""The engine's state and the auditor's, brought to the same plain form, so that any difference has a name."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsingma.basics.money import CURRENCIES
from tsingma.clearing.derivatives import SERIES_MAX
from tsingma.engine.house import House
from tsingma.settlement.instruction import STATUSES
from tsingma.settlement.reservation import RESERVATION_STATUSES
from tsingma.simulate.plain_house import PlainHouse

Contents = dict[str, Any]


def differences(house: House, plain: PlainHouse) -> list[str]:
    """Return one line for each part of the state in which the house differs from the auditor's books."""
    found, wanted = engine_contents(house), plain_contents(plain)
    return [f"{name}: {_apart(found[name], wanted[name])}" for name in wanted if found[name] != wanted[name]]


def _apart(found: Any, wanted: Any) -> str:
    if isinstance(found, dict) and isinstance(wanted, dict):
        apart = {key for key in {*found, *wanted} if found.get(key) != wanted.get(key)}
        key = min(apart, key=repr)
        return f"{len(apart)} differ, first {key}: the house has {found.get(key)}, the auditor {wanted.get(key)}"
    return f"the house has {found}, the auditor {wanted}"


def plain_contents(plain: PlainHouse) -> Contents:
    """Return the auditor's state without what is nothing."""
    positions = plain.positions
    return {
        "clock": (plain.day, plain.is_open, plain.steps),
        "ledger": plain.ledger.contents(),
        "open stock": _nonzero(positions.opened),
        "stock on hold": _nonzero(positions.on_hold),
        "age of stock": {line: day for line, day in positions.since.items() if positions.opened[line]},
        "pending money": _nonzero(positions.pending),
        "unpaid money": _nonzero({one: owed - positions.confirmed[one] for one, owed in positions.owed.items()}),
        "obligations": {
            (day, *key): tuple(both) for day, due in plain.obligations.items() for key, both in due.items()
        },
        "instructions": [
            (
                one.deliverer,
                one.receiver,
                one.security,
                one.quantity,
                one.cents,
                one.intended_day,
                one.priority,
                one.status,
            )
            for one in plain.instructions
        ],
        "orders": [(one.participant, one.reference, one.instruction) for one in plain.orders],
        "acts": [(act.person, act.key, act.body, act.status) for act in plain.acts],
        "charges": {
            (who, line, CURRENCIES[unit]): cents for (who, line, unit), cents in plain.accrued.items() if cents
        },
        "charges owed": _nonzero(plain.charges_owed),
        "margin": plain.margin,
        "reservations": [(one.account, one.asset, one.amount, one.status) for one in plain.reservations],
        "contracts": {key: (much, plain.contracts.cost_e4[key]) for key, much in plain.contracts.quantity.items()},
        "contract money owed": plain.contracts.owed,
        "prices": plain.price_e4,
        "rates": plain.fx_e6,
    }


def engine_contents(house: House) -> Contents:
    """Return the engine's state in the same form."""
    position, ledger = house.position, house.ledger
    rows = zip(
        ledger.owner.tolist(), ledger.asset.tolist(), ledger.balance.tolist(), ledger.held.tolist(),
        ledger.pledged.tolist(), strict=True,
    )  # fmt: skip
    return {
        "clock": (position.day, position.is_open, position.steps_run),
        "ledger": {(who, what): (a, b, c) for who, what, a, b, c in rows if a or b or c},
        **_settlement(house),
        "acts": [(act.proposer, act.proposer_key, act.body, str(act.status)) for act in house.acts.acts.values()],
        "obligations": _obligations(house),
        "charges": {(who, line, unit): cents for who, line, unit, cents in house.charges.rows() if cents},
        "charges owed": _charges_owed(house),
        "margin": {
            who: (wanted, taken)
            for who, wanted, taken in zip(
                house.margin.account.tolist(),
                house.margin.requirement_cents.tolist(),
                house.margin.pledged_cents.tolist(),
                strict=True,
            )
        },
        **_resources(house),
        "prices": dict(enumerate(house.price_e4.tolist())),
        "rates": house.fx_e6,
    }


def _resources(house: House) -> Contents:
    table, book = house.settlement.reservations.table, house.derivatives
    columns = (table[name].tolist() for name in ("account", "asset", "amount", "status"))
    keys = (divmod(key, SERIES_MAX) for key in book.key.tolist())
    numbers = zip(book.quantity.tolist(), book.cost_e4.tolist(), strict=True)
    return {
        "reservations": [(*row[:-1], RESERVATION_STATUSES[row[-1]]) for row in zip(*columns, strict=True)],
        "contracts": dict(zip(keys, numbers, strict=True)),
        "contract money owed": book.owed,
    }


def _settlement(house: House) -> Contents:
    positions, table = house.settlement.positions, house.settlement.instructions.table
    lines = list(zip(positions.account.tolist(), positions.security.tolist(), strict=True))
    money = list(
        zip(
            positions.money_account.tolist(),
            (positions.money_key >> 3 & 0xFFFFFF).tolist(),
            positions.money_currency.tolist(),
            strict=True,
        )
    )
    opened = dict(zip(lines, positions.open.tolist(), strict=True))
    since = dict(zip(lines, positions.since_day.tolist(), strict=True))
    names = ("deliverer", "receiver", "security", "quantity", "amount_cents", "intended_day", "priority", "status")
    orders = (house.settlement.orders.table[name].tolist() for name in ("participant", "reference", "instruction"))
    return {
        "orders": list(zip(*orders, strict=True)),
        "open stock": _nonzero(opened),
        "stock on hold": _nonzero(dict(zip(lines, positions.on_hold.tolist(), strict=True))),
        "age of stock": {line: day for line, day in since.items() if opened[line]},
        "pending money": _nonzero(dict(zip(money, positions.pending_cents.tolist(), strict=True))),
        "unpaid money": _nonzero(
            dict(zip(money, (positions.due_cents - positions.settled_cents).tolist(), strict=True))
        ),
        "instructions": [
            (*row[:-1], STATUSES[row[-1]]) for row in zip(*(table[name].tolist() for name in names), strict=True)
        ],
    }


def _obligations(house: House) -> dict[tuple[int, int, int], tuple[int, int]]:
    found = {}
    for day in house.obligations.days:
        due = house.obligations.due(day)
        columns = (due.account, due.counter, due.quantity, due.amount_cents)
        for account, counter, quantity, cents in zip(*(column.tolist() for column in columns), strict=True):
            found[day, account, counter] = (quantity, cents)
    return found


def _charges_owed(house: House) -> dict[tuple[int, int], int]:
    parts = house.charges.dump()
    keys, cents = (np.frombuffer(parts[name], np.int64).tolist() for name in ("owed_key", "owed_cents"))
    return {divmod(key, len(CURRENCIES)): much for key, much in zip(keys, cents, strict=True)}


def _nonzero(numbers: dict[Any, int]) -> dict[Any, int]:
    return {key: value for key, value in numbers.items() if value}
