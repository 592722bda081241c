"""What parties and the house may do to a matched instruction, and what they may not.

Sources: Delegated Regulation (EU) 2018/1229, articles 7 (both sides cancel what is matched), 8 (hold and release) and
10 (parts); T2S UDFS R2026.JUN, 1.6.1.4 (only priority, parts and links are amended, once part has settled only the
priority; anything else is cancelled and instructed anew), 1.6.1.6 (holds of parties and house are independent) and
T2S-0653-URD (the deliverer releases part of what it holds); CCASS, Hold / Release ISI (either side, while pending).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.settlement.instruction import (
    BY_BOTH,
    BY_DELIVERER,
    BY_HOUSE,
    CANCELLED,
    FAILING,
    HIGH,
    MATCHED,
    NORMAL,
    ON_HOLD,
    PRIORITIES,
    SETTLED,
    STATUSES,
    Instructions,
)
from tsingma.settlement.links import Links


def act(
    instructions: Instructions, links: Links, number: int, action: str, by: int, *, value: int = 0, day: int = 0
) -> str:
    """Carry out an action ``by`` parties (bits BY_DELIVERER, BY_RECEIVER, BY_HOUSE) and return the status after it.

    ``value`` is the priority of ``prioritise`` and the quantity of ``release-part``. Raises Rejected: unknown number or
    action, not-allowed when the instruction belongs to others or its state does not permit the action.
    """
    if action not in _ACTIONS:
        raise refuse(
            RejectionReason.UNKNOWN, f"no action '{action}'", field="action", remedy=f"one of {', '.join(_ACTIONS)}"
        )
    if not 0 <= number < len(instructions):
        raise refuse(RejectionReason.UNKNOWN, f"there is no instruction {number}", field="instruction")
    if not by:
        raise refuse(RejectionReason.NOT_ALLOWED, "the instruction belongs to others", subject=str(number))
    status = int(instructions.table["status"][number])
    if status in (SETTLED, CANCELLED):
        raise refuse(
            RejectionReason.NOT_ALLOWED, f"cannot {action} an instruction that is {STATUSES[status]}",
            subject=str(number),
        )  # fmt: skip
    _ACTIONS[action](instructions, links, number, by, value, day)
    instructions.table["changed_day"][number] = day
    return STATUSES[int(instructions.table["status"][number])]


def _hold(instructions: Instructions, _links: Links, number: int, by: int, _value: int, _day: int) -> None:
    table = instructions.table
    if int(table["holds"][number]) & by == by:
        raise refuse(RejectionReason.NOT_ALLOWED, "you hold it already", subject=str(number))
    table["holds"][number] |= by
    if table["status"][number] != ON_HOLD:
        instructions.change(np.array([number]), ON_HOLD)


def _release(instructions: Instructions, _links: Links, number: int, by: int, _value: int, day: int) -> None:
    """Take the caller's own flags off; the instruction is free when no flag is left."""
    table = instructions.table
    if not table["holds"][number] & by:
        status = STATUSES[int(table["status"][number])]
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"cannot release an instruction that is {status} without a hold of yours",
            subject=str(number),
            remedy="who holds it releases it",
        )
    table["holds"][number] &= ~by
    if by & BY_DELIVERER:
        table["released_quantity"][number] = 0
    if not table["holds"][number]:
        late = int(table["intended_day"][number]) < day
        instructions.change(np.array([number]), FAILING if late else MATCHED)


def _release_part(instructions: Instructions, links: Links, number: int, by: int, value: int, _day: int) -> None:
    """Let part of a held instruction settle; the rest stays on hold (T2S-0653-URD: on the delivering side only)."""
    table = instructions.table
    if by & BY_DELIVERER == 0 or int(table["holds"][number]) != BY_DELIVERER:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            "the deliverer releases part of what it alone holds",
            subject=str(number),
            remedy="hold it first, or have the others release it",
        )
    require_parts(instructions, links, number)
    if not 0 < value < int(table["open_quantity"][number]):
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"{value} of {int(table['open_quantity'][number])} open",
            field="value",
            subject=str(number),
            remedy="release a part between nothing and all, or release the instruction",
        )
    table["released_quantity"][number] = value


def require_parts(instructions: Instructions, links: Links, number: int) -> None:
    """Raise Rejected (not-allowed) unless an instruction may settle in parts: both permit it, and it is not linked."""
    table = instructions.table
    if int(table["partial"][number]) != BY_BOTH or number in links.linked(instructions):
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            "it does not settle in parts: one side has opted out, or it is linked",
            subject=str(number),
        )


def _cancel(instructions: Instructions, links: Links, number: int, by: int, _value: int, _day: int) -> None:
    """Ask to cancel; done once both sides have asked, or at once by the house."""
    table = instructions.table
    table["cancels"][number] |= BY_BOTH if by & BY_HOUSE else by
    if int(table["cancels"][number]) & BY_BOTH == BY_BOTH:
        links.part(instructions, number)
        instructions.change(np.array([number]), CANCELLED)


def _keep(instructions: Instructions, _links: Links, number: int, by: int, _value: int, _day: int) -> None:
    table = instructions.table
    if not table["cancels"][number] & by:
        raise refuse(RejectionReason.NOT_ALLOWED, "you have not asked to cancel it", subject=str(number))
    table["cancels"][number] &= ~by


def _prioritise(instructions: Instructions, _links: Links, number: int, by: int, value: int, _day: int) -> None:
    """Set the priority: parties choose high or normal, and not where the house has set a higher one."""
    table = instructions.table
    if not 0 <= value < len(PRIORITIES):
        raise refuse(
            RejectionReason.OUT_OF_RANGE, f"no priority {value}", field="value", remedy=f"0 to {len(PRIORITIES) - 1}"
        )
    own = (HIGH, NORMAL)
    if not by & BY_HOUSE and (value not in own or int(table["priority"][number]) not in own):
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            "reserved and top are the house's to give and to take",
            field="value",
            subject=str(number),
            remedy="choose high (2) or normal (3)",
        )
    table["priority"][number] = value


def _require_whole(instructions: Instructions, number: int) -> None:
    """Refuse to amend anything but the priority once part has settled (T2S UDFS 1.6.1.4.2, table 59)."""
    if instructions.table["open_quantity"][number] != instructions.table["quantity"][number]:
        raise refuse(
            RejectionReason.NOT_ALLOWED, "part of it has settled: only its priority may change", subject=str(number)
        )


def _permit_parts(instructions: Instructions, _links: Links, number: int, by: int, _value: int, _day: int) -> None:
    _require_whole(instructions, number)
    instructions.table["partial"][number] |= by & BY_BOTH


def _refuse_parts(instructions: Instructions, _links: Links, number: int, by: int, _value: int, _day: int) -> None:
    _require_whole(instructions, number)
    table = instructions.table
    table["partial"][number] &= ~(by & BY_BOTH)
    table["released_quantity"][number] = 0


def _unlink(instructions: Instructions, links: Links, number: int, _by: int, _value: int, _day: int) -> None:
    _require_whole(instructions, number)
    if not links.part(instructions, number):
        raise refuse(RejectionReason.NOT_ALLOWED, "it is not linked", subject=str(number))


_ACTIONS: dict[str, Callable[[Instructions, Links, int, int, int, int], None]] = {
    "hold": _hold,
    "release": _release,
    "release-part": _release_part,
    "cancel": _cancel,
    "keep": _keep,
    "prioritise": _prioritise,
    "permit-parts": _permit_parts,
    "refuse-parts": _refuse_parts,
    "unlink": _unlink,
}
ACTIONS: tuple[str, ...] = tuple(_ACTIONS)
