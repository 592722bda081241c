"""Four-eyes: an act of the operator is carried out when a second person, with a second key, approves it.

The rule stands in the engine, not at the door: whatever sends commands, no one person carries an act out alone, and the
journal shows who proposed and who approved. An act is carried out in the step of its approval, so exactly once.
"""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.act_book import Act, ActBook, ActStatus
from tsingma.engine.day_acts import commands_of, require_step
from tsingma.engine.house import Handlers, House
from tsingma.journal.act_commands import DecideAct, ProposeAct, RunDayStep
from tsingma.journal.act_events import ActDecided, ActProposed
from tsingma.journal.commands import (
    ChangeInstruction,
    CloseDay,
    CollectClaims,
    Command,
    DepositAssets,
    OpenDay,
    RunStep,
    SetClosingPrices,
    SetCreditLine,
    decode,
)
from tsingma.journal.corporate_action_commands import RunCorporateActions
from tsingma.journal.default_commands import (
    CloseDefault,
    DeclareDefault,
    DefaultCommand,
    ReinstateParticipant,
    SuspendParticipant,
)

HOUSE = "HKSCC"  # the participant that the house itself is: it may act on every instruction
# What may be proposed; an instruction is changed as the house.
ACTS = (
    OpenDay, RunStep, SetClosingPrices, RunCorporateActions, CollectClaims, SetCreditLine, DepositAssets,
    ChangeInstruction, CloseDay, DefaultCommand, RunDayStep,
)  # fmt: skip
PENDING_MAX = 50
BODY_BYTES_MAX = 64 * 1024
LIFETIME_SECONDS_MAX = 24 * 3600
TEXT_LENGTH_MAX = 200
TIME_MAX = 253_402_300_799 - LIFETIME_SECONDS_MAX  # the end of the year 9999 (ISO 8601: four digits), less a lifetime

_STATUS = {"approve": ActStatus.APPROVED, "reject": ActStatus.REJECTED, "withdraw": ActStatus.WITHDRAWN}


def propose_act(house: House, command: ProposeAct) -> ActProposed:
    """Keep a proposal; raises Rejected when it is no act of the operator, nobody proposes it, or too many wait."""
    book = house.acts
    now_s, until_s = _times(book, command)
    _require_somebody(command.person, command.key)
    proposed = _command_of(command.body)
    if isinstance(proposed, RunDayStep):
        require_step(house, proposed)
    if not 0 < until_s - now_s <= LIFETIME_SECONDS_MAX:
        message = f"an act lapses within {LIFETIME_SECONDS_MAX} seconds"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="until_s")
    set_back = now_s < book.last_s
    waiting = [act for act in book.pending() if act.until_s > now_s and not set_back]
    if len(waiting) >= PENDING_MAX:
        raise refuse(RejectionReason.LIMIT, f"{PENDING_MAX} acts wait for a decision", remedy="decide some first")
    book.lapse(now_s, everything=set_back)
    act = book.add(command.body, command.person, command.key, now_s, until_s)
    return ActProposed(act.number, act.until_s)


def _times(book: ActBook, command: ProposeAct) -> tuple[int, int]:
    """Return the time of a proposal and when it lapses, in seconds since 1970.

    Time never runs back, or what has lapsed would wait again. But when the last act was told more than a day ahead, a
    clock was wrong then, and would end every act that comes: time goes on from now, and whatever waits lapses, as all
    of it would have within that day. Raises Rejected for a time beyond the calendar.
    """
    if not command.lifetime_s:
        return book.time(command.at_s), command.until_s
    if not 0 <= command.at_s <= TIME_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, "no time of the calendar", field="at_s", remedy="set the clock")
    was_ahead = book.last_s - command.at_s > LIFETIME_SECONDS_MAX
    now_s = command.at_s if was_ahead else book.time(command.at_s)
    return now_s, now_s + command.lifetime_s


def approved_commands(house: House, command: DecideAct) -> tuple[Command, ...]:
    """Return the commands that an approval carries out, of them all or none; raises Rejected where it may not.

    Changes nothing. Only a step of the day brings its commands along. What tells a time of default management happens
    when it is approved.
    """
    told = _command_of(_decidable(house, command).body)
    if isinstance(told, RunDayStep):
        return commands_of(house, told, command.bodies)
    _require_no_bodies(command)
    if isinstance(told, SuspendParticipant | ReinstateParticipant | DeclareDefault | CloseDefault):
        return (msgspec.structs.replace(told, at_s=house.acts.time(command.at_s)),)
    return (told,)


def decide_act(house: House, command: DecideAct) -> ActDecided:
    """Keep a decision; raises Rejected where it may not be made. What it approves was carried out just before."""
    act = _decidable(house, command)
    if command.decision != "approve":
        _require_no_bodies(command)
    status = _STATUS[command.decision]
    now_s = house.acts.time(command.at_s)
    house.acts.put(
        msgspec.structs.replace(act, status=status, decider=command.person, decider_key=command.key, decided_s=now_s)
    )
    house.acts.lapse(now_s)
    return ActDecided(act.number, status, act.body if status is ActStatus.APPROVED else b"")


def _decidable(house: House, command: DecideAct) -> Act:
    name = f"act {command.act}"
    act = house.acts.acts.get(command.act)
    if act is None:
        raise refuse(RejectionReason.UNKNOWN, "there is no such act, or it was decided long ago", subject=name)
    _require_somebody(command.person, command.key)
    if act.status is not ActStatus.PENDING:
        raise refuse(RejectionReason.NOT_ALLOWED, f"it is {act.status} already", subject=name)
    if house.acts.time(command.at_s) >= act.until_s:
        raise refuse(RejectionReason.NOT_ALLOWED, "it has lapsed", subject=name, remedy="propose it again")
    if command.decision == "withdraw":
        if command.person != act.proposer:
            message = "only who proposed it withdraws it"
            raise refuse(RejectionReason.NOT_ALLOWED, message, subject=name, remedy="reject it")
    elif command.person == act.proposer:
        message = "who proposed it cannot decide it"
        raise refuse(RejectionReason.NOT_ALLOWED, message, subject=name, remedy="another person decides")
    elif command.key == act.proposer_key:
        message = "it was proposed with this key"
        raise refuse(RejectionReason.NOT_ALLOWED, message, subject=name, remedy="decide with another key")
    return act


def _command_of(body: bytes) -> Command:
    if len(body) > BODY_BYTES_MAX:
        raise refuse(RejectionReason.LIMIT, f"{len(body)} bytes in one act, {BODY_BYTES_MAX} at most")
    try:
        command = decode(body)
    except msgspec.DecodeError:
        raise refuse(RejectionReason.MALFORMED, "is no command", field="body") from None
    if not isinstance(command, ACTS):
        raise refuse(RejectionReason.NOT_ALLOWED, f"{type(command).__name__} is no act of the operator", field="body")
    if isinstance(command, ChangeInstruction) and command.participant != HOUSE:
        raise refuse(RejectionReason.NOT_ALLOWED, "an act of the operator is the house's own", field="participant")
    return command


def _require_no_bodies(command: DecideAct) -> None:
    if command.bodies:
        raise refuse(RejectionReason.MALFORMED, "only the approval of a step of the day has any", field="bodies")


def run_day_step(house: House, command: RunDayStep) -> ActDecided:
    """Refuse a step of the day told by itself: it is proposed by one person and approved by another."""
    message = f"'{command.name}' is carried out when a second person approves it"
    raise refuse(RejectionReason.NOT_ALLOWED, message, field="name", remedy="propose it")


def _require_somebody(person: str, key: str) -> None:
    if not 0 < len(person) <= TEXT_LENGTH_MAX or not 0 < len(key) <= TEXT_LENGTH_MAX:
        raise refuse(RejectionReason.MISSING, "an act is proposed and decided by a person with a key", field="person")


HANDLERS: Handlers = {
    ProposeAct: propose_act,
    DecideAct: decide_act,
    RunDayStep: run_day_step,
}
