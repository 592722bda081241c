"""Acts of the operator over HTTP: one person proposes, another approves, and then the house carries it out, once.

Both must be persons: a key names its own in the keys file (``person``). ``Idempotency-Key`` names a proposal or a
decision among all of its person; the approval of a step of the day has the id of that step.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.params import JSONBody

from tsingma.api.bodies import body_of
from tsingma.api.door import Door
from tsingma.api.guard import Reach, access
from tsingma.api.permissions import Action, Resource
from tsingma.api.problems import responses
from tsingma.api.reading import Cursor, Limit, Number, Reached
from tsingma.api.writes import CHANGES, Key, carry_out_as
from tsingma.app.day_acts import DayActs, Staged
from tsingma.app.house_service import HouseService
from tsingma.app.operator_acts import (
    ActTold,
    DayAct,
    OperatorAct,
    act_numbered,
    acts_of,
    asks_for,
    command_of_act,
    same_act,
    step_of_day,
)
from tsingma.basics.clock import Clock
from tsingma.basics.rejection import Rejected
from tsingma.engine.day_plan import PlanKind, step_id
from tsingma.engine.house import House
from tsingma.journal.act_commands import DecideAct, Decision, ProposeAct, RunDayStep
from tsingma.journal.act_events import ActDecided, ActProposed
from tsingma.journal.commands import Command, decode, encode

EXPIRY_MINUTES = 30
_SECOND = 1_000_000_000


class Proposed(msgspec.Struct, frozen=True):
    """The number under which an act waits, and the second since 1970 at which it lapses."""

    number: int
    lapses_s: int


class Decided(msgspec.Struct, frozen=True):
    """How an act stands after a decision."""

    number: int
    status: str


class Acts(msgspec.Struct, frozen=True):
    """A page of pending acts and the last decided, newest first; the cursor is the number of the last one on it."""

    items: list[ActTold]
    next: int | None


class ActDesk:
    """Takes proposals and decisions of people, from the interface and from the console."""

    def __init__(
        self, service: HouseService, entry: Door, clock: Clock, day: DayActs, minutes: int = EXPIRY_MINUTES
    ) -> None:
        """Serve a house; what nobody decides lapses after so many minutes of the clock. ``day`` makes its steps."""
        self._service, self._entry, self._clock, self._minutes = service, entry, clock, minutes
        self._day = day

    def read(self) -> list[ActTold]:
        """Return what the house remembers."""
        now_s = self._now_s()
        return self._service.read(lambda house, _at: acts_of(house, now_s))

    def page(self, cursor: int, limit: int) -> Acts:
        """Return at most ``limit`` acts, those older than number ``cursor`` (0: from the newest on)."""
        now_s = self._now_s()

        def question(house: House, _at: int) -> Acts:
            numbers = sorted((number for number in house.acts.acts if not cursor or number < cursor), reverse=True)
            found = [act_numbered(house, number, now_s) for number in numbers[:limit]]
            return Acts([act for act in found if act is not None], numbers[limit - 1] if len(numbers) > limit else None)

        return self._service.read(question)

    async def propose(self, reach: Reach, key: str, act: OperatorAct) -> Proposed:
        """Propose an act for the person behind a request.

        Raises 403 (a key without a person), and Rejected: codes that are unknown, and what the house refuses.
        """
        person = _person(reach)
        step = step_of_day(act)
        command: Command
        if step is None:
            command = command_of_act(act, self._service.book)
        else:
            command = await asyncio.to_thread(self._step_of, person, key, step)
        now_s = self._now_s()
        lifetime_s = self._minutes * 60
        told = ProposeAct(encode(command), person, reach.caller.key, now_s, now_s + lifetime_s, lifetime_s)
        event = await self._carry_out(reach, _id_of(person, key), key, told)
        if not isinstance(event, ActProposed):
            raise TypeError(f"a proposal was answered with {type(event).__name__}")
        return Proposed(event.act, event.until_s)

    async def decide(self, reach: Reach, key: str, number: int, decision: Decision) -> Decided:
        """Decide an act for the person behind a request; an approval carries it out.

        Raises 403 (a key without a person), 404 (no such act), Rejected (the person or key is that of the proposal, it
        is decided or has lapsed, or the house refuses to carry it out: then it goes on waiting).
        """
        person, now_s = _person(reach), self._now_s()
        known = await asyncio.to_thread(self._service.read, lambda house, _at: act_numbered(house, number, now_s))
        if known is None:
            raise NotFoundException(f"there is no act {number}, or it was decided long ago")
        step = await asyncio.to_thread(self._day.step, number) if decision == "approve" else None
        command_id, bodies = _id_of(person, key), tuple[bytes, ...]()
        if step is not None:  # it is the step that is done, so its record has the step's id
            command_id = step_id(step.day, step.name)
            bodies = await asyncio.to_thread(self._day.bodies, number, step)
        command = DecideAct(number, decision, person, reach.caller.key, now_s, bodies)
        event = await self._carry_out(reach, command_id, key, command)
        if not isinstance(event, ActDecided):
            raise TypeError(f"a decision was answered with {type(event).__name__}")
        if step is not None:
            with suppress(Rejected, TimeoutError):  # it is approved; the next approval settles first what is left
                await asyncio.to_thread(self._day.settle_together)
        return Decided(event.act, event.status)

    def stage(self, data: bytes, kind: PlanKind, file: str) -> Staged:
        """Read and keep a file that acts will name; raises Rejected with every fault of it."""
        return self._day.stage(data, kind, file)

    def _step_of(self, person: str, key: str, step: DayAct) -> RunDayStep:
        """Return the step that is asked for: as it was proposed with this key before, or made now."""
        record = self._service.find(_id_of(person, key))
        before = None if record is None else decode(record.body)
        told = decode(before.body) if isinstance(before, ProposeAct) else None
        if isinstance(told, RunDayStep) and asks_for(step, told, self._service.book):
            return told
        return self._day.proposed(step)

    async def _carry_out(self, reach: Reach, command_id: str, key: str, command: ProposeAct | DecideAct) -> Any:
        sender = f"person/{command.person}"
        return await carry_out_as(self._service, self._entry, reach, key, command, sender, command_id, same_act)

    def _now_s(self) -> int:
        return self._clock.now_ns() // _SECOND


Desk = NamedDependency[ActDesk]


@get("/acts", opt=access(Resource.ACTS, Action.READ), responses=responses(), sync_to_thread=True)
def acts(act_desk: Desk, cursor: Cursor = 0, limit: Limit = 100) -> Acts:
    """Acts of the operator that wait for a second person, and the last ones decided, newest first."""
    return act_desk.page(cursor, limit)


@post("/acts", opt={**access(Resource.ACTS, Action.SUBMIT), **body_of(OperatorAct)}, responses=CHANGES)
async def propose(act_desk: Desk, reach: Reached, key: Key, data: JSONBody[OperatorAct]) -> Proposed:
    """Propose an act of the operator; it is carried out when another person approves it, with another key."""
    return await act_desk.propose(reach, key, data)


@post(
    ["/acts/{act:int}/approve", "/acts/{act:int}/reject", "/acts/{act:int}/withdraw"],
    opt=access(Resource.ACTS, Action.ACT),
    responses=CHANGES,
    status_code=200,
)
async def decide(request: Request[Any, Any, Any], act_desk: Desk, reach: Reached, key: Key, act: Number) -> Decided:
    """Approve an act, which carries it out, or reject it; who proposed it can only withdraw it."""
    decision = msgspec.convert(request.url.path.rpartition("/")[2], Decision)
    return await act_desk.decide(reach, key, act, decision)


def _id_of(person: str, key: str) -> str:
    return f"act/{person}/{key}"


def _person(reach: Reach) -> str:
    if not reach.caller.person:
        raise PermissionDeniedException("the key names no person: acts of the operator need one")
    return reach.caller.person


ROUTES = (acts, propose, decide)
