"""What the house tells one participant: how its orders and instructions stand, what settled, what is alleged.

Compared with an earlier state of the same house only what changed since is told, so that a sender gets each status
once. Parts that settled between the two states are confirmed as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.messages.iso20022.allegement import Allegement, AllegementRemoval
from tsingma.messages.iso20022.codes import State, state_of
from tsingma.messages.iso20022.confirmation import Confirmation
from tsingma.messages.iso20022.status import StatusAdvice
from tsingma.settlement.instruction import (
    BY_BOTH,
    BY_DELIVERER,
    BY_HOUSE,
    BY_RECEIVER,
    CANCELLED,
    DVP,
    KINDS,
    LACK_OF_CASH,
    MATCHED,
    NOT_TRIED,
    ON_HOLD,
    REASONS,
    SETTLED,
    WAITS_FOR_LINK,
)
from tsingma.settlement.orders import ALLEGED, ALLEGEMENT_REMOVED, PAIRED, WAITING

ADVICE = "sese.024"
SPOKEN = ("dvp", "fop", "dwp", "pfod")
_WATCHED = ("status", "reason", "holds", "cancels", "open_quantity")
Told = StatusAdvice | Confirmation | Allegement | AllegementRemoval


@dataclass(frozen=True, slots=True)
class Marks:
    """What was so earlier: orders' status and allegement, and what is watched of instructions."""

    orders: npt.NDArray[np.int64]
    alleged: npt.NDArray[np.int64]
    instructions: npt.NDArray[np.int64]  # a row for each of _WATCHED


def marks(house: House) -> Marks:
    """Return what a house is like now, to compare with later."""
    orders, table = house.settlement.orders.table, house.settlement.instructions.table
    watched = np.array([table[name] for name in _WATCHED], np.int64)
    return Marks(orders["status"].astype(np.int64), orders["alleged"].astype(np.int64), watched)


def answers(house: House, participant: str, before: Marks | None = None) -> Iterator[Told]:
    """Return what a participant is to be told, orders first, each in the order of entry; raises Rejected (unknown).

    Instructions of kinds that sese.023 does not have are told of as well; their second leg is left out.
    """
    index = house.resolved.participant_index.get(participant)
    if index is None:
        raise refuse(RejectionReason.UNKNOWN, f"no participant '{participant}'", field="participant")
    orders = house.settlement.orders.table
    now = marks(house)
    fresh = _changed(now.orders[None], None if before is None else before.orders[None])
    own = np.flatnonzero(fresh & (orders["participant"] == index) & (orders["status"] != PAIRED))
    for number in own.tolist():
        yield order_advice(house, number)
    fresh = _changed(now.alleged[None], None if before is None else before.alleged[None])
    spoken = np.isin(orders["kind"], [KINDS.index(kind) for kind in SPOKEN])
    alleged = fresh & spoken & (orders["alleged"] == ALLEGED) & (orders["status"] == WAITING)
    for number in np.flatnonzero(alleged & (orders["counterparty"] == index)).tolist():
        yield _allegement(house, number)
    if before is not None:
        known = before.alleged.size
        ended = (before.alleged == ALLEGED) & (orders["alleged"][:known] == ALLEGEMENT_REMOVED) & spoken[:known]
        for number in np.flatnonzero(ended & (orders["counterparty"][:known] == index)).tolist():
            one = _allegement(house, number)
            yield AllegementRemoval(
                number=one.number, delivers=one.delivers, free=not one.currency, account=one.account, alleged=one
            )
    yield from _of_instructions(house, index, now, before)


def _changed(now: npt.NDArray[np.int64], before: npt.NDArray[np.int64] | None) -> npt.NDArray[np.bool_]:
    """Return which columns of ``now`` are new or differ from before; rows are what is watched."""
    fresh = np.ones(now.shape[1], np.bool_)
    if before is not None:
        fresh[: before.shape[1]] = (now[:, : before.shape[1]] != before).any(axis=0)
    return fresh


def _of_instructions(house: House, index: int, now: Marks, before: Marks | None) -> Iterator[Told]:
    table, owner = house.settlement.instructions.table, house.resolved.account_participant
    fresh = _changed(now.instructions, None if before is None else before.instructions)
    known = 0 if before is None else before.instructions.shape[1]
    sides = {True: owner[table["deliverer"]] == index, False: owner[table["receiver"]] == index}
    for number in np.flatnonzero(fresh & (sides[True] | sides[False])).tolist():
        earlier = int(table["quantity"][number])
        if before is not None and number < known:
            earlier = int(before.instructions[_WATCHED.index("open_quantity"), number])
        open_now, status = int(table["open_quantity"][number]), int(table["status"][number])
        was_settled = before is not None and number < known and before.instructions[0, number] == SETTLED
        for delivers in (True, False):
            if not sides[delivers][number]:
                continue
            if open_now < earlier or (status == SETTLED and not was_settled):
                yield _confirmation(house, number, delivers, earlier)
            if status != SETTLED:
                yield instruction_advice(house, number, delivers)


def order_advice(house: House, number: int) -> StatusAdvice:
    """Return where an order without a match stands."""
    table = house.settlement.orders.table
    our = "order.waiting" if table["status"][number] == WAITING else "order.cancelled"
    state = state_of(ADVICE, our, to_date(house.position.day))
    return StatusAdvice(str(int(table["reference"][number])), f"O{number}", (state,))


def instruction_advice(house: House, number: int, delivers: bool) -> StatusAdvice:
    """Return where an instruction that has not settled stands, seen from one side."""
    day = to_date(house.position.day)
    table = house.settlement.instructions.table
    states = []
    if table["status"][number] == CANCELLED:
        states.append(state_of(ADVICE, "instruction.cancelled", day))
    else:
        mine = BY_DELIVERER if delivers else BY_RECEIVER
        asked = int(table["cancels"][number]) & BY_BOTH
        if asked:
            states.append(state_of(ADVICE, "cancellation.own" if asked & mine else "cancellation.other", day))
        states.append(state_of(ADVICE, "instruction.matched", day))
        states.append(_settlement(house, number, delivers))
    return StatusAdvice(reference_of(house, number, delivers), f"I{number}", tuple(states))


def _settlement(house: House, number: int, delivers: bool) -> State:
    """Return why an instruction has not settled, seen from one side."""
    table, day = house.settlement.instructions.table, house.position.day
    late = table["status"][number] not in (MATCHED, ON_HOLD) or table["intended_day"][number] < day
    when, reason = "failing" if late else "pending", int(table["reason"][number])
    if table["status"][number] == ON_HOLD:
        our = f"{when}.held.{_holder(int(table['holds'][number]), delivers)}"
    elif reason == NOT_TRIED:
        our = "pending.future" if table["intended_day"][number] > day else f"{when}.not tried"
    elif reason == WAITS_FOR_LINK:
        our = f"{when}.{REASONS[reason]}"
    else:
        our = f"{when}.{REASONS[reason]}.{'own' if _is_short(house, number, delivers) else 'other'}"
    return state_of(ADVICE, our, to_date(day))


def _holder(holds: int, delivers: bool) -> str:
    own, other = (BY_DELIVERER, BY_RECEIVER) if delivers else (BY_RECEIVER, BY_DELIVERER)
    if holds & BY_BOTH == BY_BOTH:
        return "both"
    return "own" if holds & own else "other" if holds & other else "house" if holds & BY_HOUSE else "own"


def _is_short(house: House, number: int, delivers: bool) -> bool:
    """Return whether the row that was short is this side's; without a row it follows from the kind."""
    table = house.settlement.instructions.table
    row = int(table["blocked_on"][number])
    if row >= 0:
        account = table["deliverer" if delivers else "receiver"][number]
        return int(house.ledger.owner[row]) == int(account)
    pays = table["reason"][number] == LACK_OF_CASH
    return delivers != bool(pays and table["kind"][number] == DVP)


def reference_of(house: House, number: int, delivers: bool) -> str:
    """Return the reference one side of an instruction gave it."""
    table, orders = house.settlement.instructions.table, house.settlement.orders.table
    order = int(table["deliverer_order" if delivers else "receiver_order"][number])
    return str(int(orders["reference"][order] if order >= 0 else table["reference"][number]))


def _confirmation(house: House, number: int, delivers: bool, earlier: int) -> Confirmation:
    """Return what settled since ``earlier`` units were open."""
    instructions, book = house.settlement.instructions, house.resolved
    table, chosen = instructions.table, np.array([number], np.int64)
    cell = {name: int(column[number]) for name, column in table.items()}
    sides = ("deliverer", "receiver") if delivers else ("receiver", "deliverer")
    kind, money = KINDS[cell["kind"]], 0 <= cell["against"] < len(CURRENCIES)
    whole, left = cell["quantity"], cell["open_quantity"]
    total = int(instructions.second_leg(chosen)[0]) if money else 0
    before = total * (whole - earlier) // whole if whole else 0
    after = total if cell["status"] == SETTLED else total * (whole - left) // whole
    is_stock = cell["asset"] >= len(CURRENCIES)
    order = cell["deliverer_order" if delivers else "receiver_order"]
    trade_day = int(house.settlement.orders.table["trade_day"][order]) if order >= 0 else 0
    return Confirmation(
        reference=reference_of(house, number, delivers),
        number=f"I{number}",
        delivers=delivers,
        account=book.account_name(cell[sides[0]]),
        counterparty=book.book.accounts[cell[sides[1]]].participant,
        counterparty_account=book.account_name(cell[sides[1]]),
        settled_date=str(to_date(cell["settled_day"] or house.position.day)),
        intended_date=str(to_date(cell["intended_day"])),
        trade_date=str(to_date(trade_day)) if trade_day else "",
        isin=book.asset_name(cell["asset"]) if is_stock else "",
        quantity=earlier - left if is_stock else 0,
        quantity_before=whole - earlier if is_stock else 0,
        quantity_left=left if is_stock else 0,
        currency=CURRENCIES[cell["against"]] if money else "",
        cents=after - before,
        cents_before=before if is_stock else 0,
        cents_left=total - after if is_stock else 0,
        credited=money and (kind in ("dvp", "pvp")) == delivers,
    )


def _allegement(house: House, number: int) -> Allegement:
    """Return an order as the other side would have to instruct it."""
    book = house.resolved
    cell = {name: int(column[number]) for name, column in house.settlement.orders.table.items()}
    delivers, kind = not cell["delivers"], KINDS[cell["kind"]]
    named = cell["counterparty_account"]
    return Allegement(
        number=f"O{number}",
        delivers=delivers,
        alleging=book.book.participants[cell["participant"]].code,
        alleging_account=book.account_name(cell["account"]),
        trade_date=str(to_date(cell["trade_day"])),
        intended_date=str(to_date(cell["intended_day"])),
        isin=book.asset_name(cell["asset"]) if cell["asset"] >= len(CURRENCIES) else "",
        quantity=cell["quantity"],
        currency=CURRENCIES[cell["against"]] if kind != "fop" else "",
        cents=cell["amount_cents"],
        credited=(kind == "dvp") == delivers if kind != "fop" else False,
        account=book.account_name(named) if named >= 0 else "",
    )
