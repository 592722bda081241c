"""The door to the writer for many requests at once: their commands wait together and become durable together.

Requests are tasks of one event loop. The writer hands the answers of a group to the loop in one go, so that a group
costs one wake-up, however many requests wait for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import NamedTuple

from tsingma.api.budget import Hold, held
from tsingma.app.group_commit import Told
from tsingma.app.house_service import HouseService
from tsingma.app.serve_settings import LimitsSection
from tsingma.basics.rejection import InvariantBroken, Rejected, RejectionReason
from tsingma.journal.commands import Submitted
from tsingma.journal.events import Answer

ANSWER_SECONDS_MAX = 15.0


class _Mark(NamedTuple):
    """Who sent a command, who waits for its answer, and what its request has of the budget of bodies."""

    participant: str
    future: asyncio.Future[Answer]
    hold: Hold | None


class Overloaded(Exception):
    """Too many commands wait: of everybody, or of this participant."""


class Unanswered(Exception):
    """The house did not answer in time; whether the command is durable is not known yet."""


class Door:
    """Puts commands to a house and waits for their answers without a thread each."""

    def __init__(self, service: HouseService, limits: LimitsSection | None = None) -> None:
        """Start without requests; no participant takes the whole door."""
        self._service, limits = service, limits or LimitsSection()
        self._max, self._max_of_one = limits.changes_waiting, limits.changes_waiting_of_one
        self._in_flight: Counter[str] = Counter()
        self._all = 0
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def answer(self, participant: str, command_id: str, command: Submitted) -> Answer:
        """Return the house's answer to a command: it is durable then, or refused.

        Raises Overloaded, Unanswered, and InvariantBroken when the house is closing or has stopped.
        """
        if self._all >= self._max or self._in_flight[participant] >= self._max_of_one:
            raise Overloaded
        hold = held()
        self._loop = loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        try:
            self._service.submit_told(command_id, command, self._hand_back, _Mark(participant, future, hold))
        except Rejected as rejected:
            if rejected.rejections[0].reason is RejectionReason.LIMIT:
                raise Overloaded from None
            raise InvariantBroken(str(rejected)) from None
        self._all += 1
        self._in_flight[participant] += 1
        if hold is not None:
            hold.share()  # who waits no longer leaves the command where it is
        late = loop.call_later(ANSWER_SECONDS_MAX, _give_up, future)
        try:
            return await future
        finally:
            late.cancel()

    def wake(self) -> None:
        """Let everybody who waits for an answer look again: something else has happened."""
        self._changed.set()  # whoever waits now is woken; who waits later waits for the next
        self._changed = asyncio.Event()

    async def changed(self, seconds: float) -> None:
        """Return once an answer came after this call or somebody was woken, or after so many seconds."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return

    def _hand_back(self, told: list[Told]) -> None:
        """Give the answers of a group to the loop; called in the writer's thread."""
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(self._answer, told)
        except RuntimeError:  # the loop has ended: nobody waits any more
            return

    def _answer(self, told: list[Told]) -> None:
        for mark, answer, failure in told:
            participant, future, hold = mark
            if hold is not None:
                hold.end()
            self._all -= 1
            self._in_flight[participant] -= 1
            if not self._in_flight[participant]:
                del self._in_flight[participant]
            if future.done():
                continue
            if answer is None:
                future.set_exception(InvariantBroken(f"the writer stopped: {failure}"))
            else:
                future.set_result(answer)
        self.wake()


def _give_up(future: asyncio.Future[Answer]) -> None:
    if not future.done():
        future.set_exception(Unanswered())
