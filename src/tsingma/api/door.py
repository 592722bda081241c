"""The door to the writer for many requests at once: their commands wait together and become durable together.

Requests are tasks of one event loop. One thread waits for receipts, in the order in which the writer answers, and hands
the answers of a group back to the loop in one go.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import Counter

from tsingma.app.group_commit import Receipt
from tsingma.app.house_service import HouseService
from tsingma.basics.rejection import InvariantBroken, Rejected, RejectionReason
from tsingma.journal.commands import Submitted
from tsingma.journal.events import Answer

IN_FLIGHT_MAX = 2_048
IN_FLIGHT_OF_ONE_MAX = 512  # so that no participant takes the whole door
ANSWER_SECONDS_MAX = 15.0

_Waiting = tuple[Receipt, "asyncio.Future[Answer]", asyncio.AbstractEventLoop]


class Overloaded(Exception):
    """Too many commands wait: of everybody, or of this participant."""


class Unanswered(Exception):
    """The house did not answer in time; whether the command is durable is not known yet."""


class Door:
    """Puts commands to a house and waits for their answers without a thread each."""

    def __init__(self, service: HouseService) -> None:
        """Start the thread that waits."""
        self._service = service
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._in_flight: Counter[str] = Counter()
        self._all = 0
        self._changed = asyncio.Event()
        self._waiter = threading.Thread(target=self._wait, name="answers", daemon=True)
        self._waiter.start()

    async def answer(self, participant: str, command_id: str, command: Submitted) -> Answer:
        """Return the house's answer to a command: it is durable then, or refused.

        Raises Overloaded, Unanswered, and InvariantBroken when the house is closing or has stopped.
        """
        if self._all >= IN_FLIGHT_MAX or self._in_flight[participant] >= IN_FLIGHT_OF_ONE_MAX:
            raise Overloaded
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        try:
            receipt = self._service.submit(command_id, command)
        except Rejected as rejected:
            if rejected.rejections[0].reason is RejectionReason.LIMIT:
                raise Overloaded from None
            raise InvariantBroken(str(rejected)) from None
        self._queue.put((receipt, future, loop))
        self._all += 1
        self._in_flight[participant] += 1
        future.add_done_callback(lambda _: self._done(participant))
        try:
            return await asyncio.wait_for(asyncio.shield(future), ANSWER_SECONDS_MAX)
        except TimeoutError:
            raise Unanswered from None

    async def changed(self, seconds: float) -> None:
        """Return once an answer came after this call, or after so many seconds."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return

    def close(self) -> None:
        """Let the waiting thread end after the last answer."""
        self._queue.put(None)

    def _done(self, participant: str) -> None:
        self._all -= 1
        self._in_flight[participant] -= 1
        if not self._in_flight[participant]:
            del self._in_flight[participant]
        self._changed.set()  # whoever waits now is woken; who waits later waits for the next
        self._changed = asyncio.Event()

    def _wait(self) -> None:
        following = self._queue.get()
        while following is not None:
            first, following = following, None
            group = [(first, _outcome(first[0]))]
            while following is None:
                if self._queue.empty():
                    _hand_back(group)
                    group = []
                following = self._queue.get()
                if following is None:
                    _hand_back(group)
                    return
                if following[0].done():  # answered in the same commit: handed back with the first
                    group.append((following, _outcome(following[0])))
                    following = None
            _hand_back(group)


_Outcome = Answer | BaseException


def _outcome(receipt: Receipt) -> _Outcome:
    try:
        return receipt.result()
    except Exception as error:  # noqa: BLE001 - whatever stopped the house is what the request is told
        return error


def _hand_back(group: list[tuple[_Waiting, _Outcome]]) -> None:
    if not group:
        return
    loop = group[0][0][2]
    try:
        loop.call_soon_threadsafe(_set, group)
    except RuntimeError:  # the loop has ended: nobody waits any more
        return


def _set(group: list[tuple[_Waiting, _Outcome]]) -> None:
    for (_, future, _), outcome in group:
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(InvariantBroken(f"the writer stopped: {outcome}"))
        else:
            future.set_result(outcome)
