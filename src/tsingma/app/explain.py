"""Why an instruction of a house is not settled, in a sentence with the names of the book."""

from __future__ import annotations

from pathlib import Path

from tsingma.app.session import Session
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.engine.settling import now
from tsingma.settlement.instruction import CANCELLED, SETTLED
from tsingma.settlement.proposal import Remedy
from tsingma.settlement.remedy import Freed, what_frees


def explain_in_house(folder: Path | str, number: int) -> Remedy:
    """Return why an instruction of a house (folder, or URL) is not settled; doing what is named settles it.

    Raises Rejected: missing (no house), unknown (no such instruction).
    """
    with Session.open(folder, read_only=True) as session:
        return explain_number(session.house, number)


def explain_number(house: House, number: int, reader: str = "") -> Remedy:
    """Return why an instruction of a house is not settled; raises Rejected (unknown) for a number that is none.

    ``reader`` is the participant who asks, "" for somebody who may see everything. How much another has too little
    tells what it has: of the other side a participant learns only that it waits for money or for stock, of anybody else
    only that something does.
    """
    settlement, table = house.settlement, house.settlement.instructions.table
    if not 0 <= number < len(settlement.instructions):
        raise refuse(RejectionReason.UNKNOWN, f"there is no instruction {number}", field="instruction")
    if table["status"][number] == SETTLED:
        day = to_date(int(table["settled_day"][number]))
        return Remedy(instruction=number, settles=True, needs=(), sentence=f"instruction {number} settled on {day}")
    if table["status"][number] == CANCELLED:
        return Remedy(instruction=number, settles=False, needs=(), sentence=f"instruction {number} is cancelled")
    freed = what_frees(
        settlement.instructions, settlement.links, settlement.reservations, house.ledger,
        now(house).lender(settlement), number,
    )  # fmt: skip
    lacks = [one for one in freed.lacks if not reader or _participant(house, one[0]) == reader]
    needs = tuple((_row_name(house, owner, asset), lack) for owner, asset, lack in lacks)
    parts = [f"{name} lacks {lack:,}" for name, lack in needs]
    if reader:
        others = [_other(house, number, one) for one in freed.lacks if one not in lacks]
        parts += dict.fromkeys(others)
    sentence = _sentence(number, freed, parts, house)
    return Remedy(instruction=number, settles=False, needs=needs, sentence=sentence)


def _row_name(house: House, owner: int, asset: int) -> str:
    return f"{house.resolved.account_name(owner)} {house.resolved.asset_name(asset)}"


def _participant(house: House, account: int) -> str:
    return house.resolved.account_name(account).partition("/")[0]


def _other(house: House, number: int, lack: tuple[int, int, int]) -> str:
    """Return what a participant learns of what somebody else lacks."""
    owner, asset, _ = lack
    table = house.settlement.instructions.table
    if owner not in (int(table["deliverer"][number]), int(table["receiver"][number])):
        return "something it is linked to waits"
    is_money = house.resolved.asset_name(asset) in CURRENCIES
    return f"the other side waits for {'money' if is_money else 'stock'}"


def _sentence(number: int, freed: Freed, parts: list[str], house: House) -> str:
    if freed.cancelled:
        return f"instruction {number} never settles: {_numbers(freed.cancelled)}, which it is linked to, is cancelled"
    if freed.on_hold:
        parts.append(f"{_numbers(freed.on_hold)} must be released")
    if freed.early:
        table = house.settlement.instructions.table
        last = max(int(table["intended_day"][one]) for one in freed.early)
        parts.append(f"{_numbers(freed.early)} may not settle before {to_date(last)}")
    others = freed.members.size - 1
    with_them = f" with the {others} it is linked to" if others else ""
    if not parts:
        return f"instruction {number} is covered and settles{with_them} at the next run"
    return f"instruction {number} waits: {', '.join(parts)}; after that it settles{with_them}"


def _numbers(numbers: tuple[int, ...]) -> str:
    return ("instruction " if len(numbers) == 1 else "instructions ") + ", ".join(map(str, numbers))
