"""What the auditor does on acts under four-eyes: kept until a second person with a second key approves or rejects them.

Source of the rule: ``engine/acts``; here the clock of proposals stands still, so that none lapses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tsingma.basics.rejection import RejectionReason
from tsingma.journal.act_commands import DecideAct, ProposeAct
from tsingma.journal.commands import decode

if TYPE_CHECKING:
    from tsingma.simulate.plain_house import Figures, PlainHouse

WORDS = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"}
PENDING_MAX = 50


@dataclass(slots=True)
class PlainAct:
    """One act, and how it stands."""

    body: bytes
    person: str
    key: str
    status: str = "pending"


def propose(house: PlainHouse, command: ProposeAct) -> Figures:
    """Keep the act; nothing of it is carried out."""
    waiting = sum(act.status == "pending" for act in house.acts)
    house.require(waiting < PENDING_MAX, RejectionReason.LIMIT)
    house.acts.append(PlainAct(command.body, command.person, command.key))
    return {
        "act": len(house.acts),
        "until_s": command.at_s + command.lifetime_s if command.lifetime_s else command.until_s,
    }


def decide(house: PlainHouse, command: DecideAct) -> Figures:
    """End the act; an approval is refused when the house refuses the act itself, which then goes on waiting."""
    house.require(0 < command.act <= len(house.acts), RejectionReason.UNKNOWN)
    act = house.acts[command.act - 1]
    house.require(act.status == "pending", RejectionReason.NOT_ALLOWED)
    if command.decision == "withdraw":
        house.require(command.person == act.person, RejectionReason.NOT_ALLOWED)
    else:
        other = command.person != act.person and command.key != act.key
        house.require(other, RejectionReason.NOT_ALLOWED)
    figures = house.carry_out(decode(act.body)) if command.decision == "approve" else {}
    act.status = WORDS[command.decision]
    told = {"act": command.act, "status": act.status, "body": act.body if act.status == "approved" else b""}
    return {**{f"act_{name}": value for name, value in told.items()}, **figures}
