"""Sending the messages of one file to a house: orders, payments and requests in order, replies gathered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np

from tsingma.app.instructions import ORDERS_A_COMMAND
from tsingma.app.session import Session
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.journal.commands import ChangeInstruction, ChangeOrder, Command, LinkInstructions, SubmitInstructions
from tsingma.journal.events import Accepted, InstructionChanged, InstructionsSubmitted
from tsingma.messages.instruction_file import packed
from tsingma.messages.iso20022 import requests, status
from tsingma.messages.iso20022.codes import State, refusal, state_of
from tsingma.messages.iso20022.parties import Directory
from tsingma.settlement.instruction import CANCELLED, FROM_MATCHED, KINDS, SETTLED
from tsingma.settlement.links import LINK_KINDS
from tsingma.settlement.orders import PAIRED
from tsingma.settlement.submission import FAULTS, MATCHES, WAITS


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with its identifier ("" without a header)."""

    identifier: str
    asked: requests.Cancellation | tuple[requests.Modification, ...]


class Errand(Protocol):
    """What a message asks for, that knows how to carry itself out."""

    def carry_out(self, sending: Sending, place: int) -> None:
        """Send commands, count what became of them, and leave replies."""
        ...


Work = dict[str, np.ndarray] | Asked | Errand


class Sending:
    """Sends the messages of one file and gathers replies and counts."""

    def __init__(
        self, session: Session, path: Path, participant: str, second: int | None, digest: str, directory: Directory,
        moment: datetime,
    ) -> None:  # fmt: skip
        self.session, self.path, self.participant, self.second, self.digest = session, path, participant, second, digest
        self.directory, self.moment = directory, moment
        self.counts = {"waiting": 0, "matched": 0, "refused": 0, "done": 0, "not_done": 0, "payments": 0}
        self.rejections: list[Rejection] = []
        self.replies: list[tuple[str, str]] = []  # to whom, Document
        self._at_end: list[tuple[str, Callable[[], str]]] = []

    def reply(self, document: str) -> None:
        """Leave a reply to who sends the message at hand ("": the house itself)."""
        self.replies.append((self.participant, document))

    def reply_at_end(self, told: Callable[[], str]) -> None:
        """Leave a reply that is to tell how things stand after the whole file."""
        self._at_end.append((self.participant, told))

    def finish(self) -> list[tuple[str, str]]:
        """Return all replies with whom they are for, now that the whole file is sent."""
        self.replies += [(who, told()) for who, told in self._at_end]
        self._at_end.clear()
        return self.replies

    @property
    def house(self) -> House:
        return self.session.house

    def one(self, place: int, sender: str, work: Work) -> None:
        """Send one piece of work of a participant ("": of the house for all)."""
        self.participant = sender
        if isinstance(work, dict):
            self.instructions(place, work)
        elif not isinstance(work, Asked):
            work.carry_out(self, place)
        elif isinstance(work.asked, requests.Cancellation):
            self.cancel(place, work.identifier, work.asked)
        else:
            for number, asked in enumerate(work.asked):
                self.modify(f"{place}.{number}", work.identifier, asked)

    def instructions(self, place: int, columns: dict[str, np.ndarray]) -> None:
        for start in range(0, columns["reference"].size, ORDERS_A_COMMAND):
            chosen = {name: column[start : start + ORDERS_A_COMMAND] for name, column in columns.items()}
            moment = self.house.settlement.clock_s if self.second is None else self.second
            command = SubmitInstructions(self.path.name, self.participant, moment, packed(chosen))
            event = self.send(f"{place}/{start}", command).events[0]
            if isinstance(event, InstructionsSubmitted):
                self.taken(event, chosen)

    def taken(self, event: InstructionsSubmitted, columns: dict[str, np.ndarray]) -> None:
        self.counts["waiting"] += event.waiting
        self.counts["matched"] += event.matched
        self.counts["refused"] += event.refused
        self.rejections += event.rejections
        results, day = np.frombuffer(event.results, np.int8), to_date(self.house.position.day)
        for item in np.flatnonzero((results != WAITS) & (results != MATCHES)).tolist():
            field, reason, text, remedy = FAULTS[int(results[item]) - 2]
            why = Rejection(reason=reason, field=field, message=text, remedy=remedy)
            reference = str(int(columns["reference"][item]))
            self.reply(status.write_advice(status.StatusAdvice(reference, "", (refusal("sese.024", why, day),))))

    def cancel(self, place: int, identifier: str, asked: requests.Cancellation) -> None:
        number, command = self.about(asked.reference, asked.account, "cancel")
        state = self.outcome("sese.027", f"{place}", command, number, lambda: self.require_same(asked))
        reply = status.RequestStatus(
            request=identifier or asked.reference, reference=asked.reference, number=number, state=state,
            delivers=asked.delivers, free=asked.free,
        )  # fmt: skip
        self.reply(status.write_cancellation_status(reply))

    def modify(self, place: str, identifier: str, asked: requests.Modification) -> None:
        """Carry out a modification act by act; it stops at the first that is refused, and the reply says so."""
        state, number = None, ""
        for step, act in enumerate(requests.actions_of(asked)):
            number, command = self.about(asked.reference, asked.account, act.action, act.value)
            several: Iterable[Command | None] = (command,)
            if act.linked:
                several = self.links(asked, act)
            for part, one in enumerate(several):
                state = self.outcome("sese.031", f"{place}/{step}.{part}", one, number)
                if not state.at.endswith("Cmpltd"):
                    break
            if state is not None and not state.at.endswith("Cmpltd"):
                break
        if state is None:
            nothing = Rejection(reason=RejectionReason.MISSING, message="asks for nothing")
            state = refusal("sese.031", nothing, to_date(self.house.position.day))
        reply = status.RequestStatus(
            request=identifier or asked.reference, reference=asked.reference, number=number, state=state
        )
        self.reply(status.write_modification_status(reply))

    def links(self, asked: requests.Modification, act: requests.Action) -> list[Command | None]:
        """Return the commands that link an instruction to others: one for all together, else one for each."""
        owner = self.owner(asked.account)
        numbers = [self.find(owner, reference)[1] for reference in (asked.reference, *act.linked)]
        if act.action not in LINK_KINDS or min(numbers) < 0:
            return [None]
        if act.action == "together":
            return [LinkInstructions("together", tuple(numbers), owner)]
        return [LinkInstructions(act.action, (numbers[0], other), owner) for other in numbers[1:]]

    def owner(self, account: str) -> str:
        return self.participant or account.partition("/")[0]

    def about(self, reference: str, account: str, action: str, value: int = 0) -> tuple[str, Command | None]:
        """Return the house's number of what a reference names, and the command that acts on it, None for nothing."""
        owner = self.owner(account)
        order, instruction = self.find(owner, reference)
        if instruction >= 0:
            return f"I{instruction}", ChangeInstruction(instruction, action, owner, value)
        if order >= 0:
            return f"O{order}", ChangeOrder(order, action, owner, value)
        return "", None

    def find(self, owner: str, reference: str) -> tuple[int, int]:
        """Return (order, instruction) of a participant's reference, -1 for none."""
        book, settlement = self.house.resolved, self.house.settlement
        index = book.participant_index.get(owner, -1)
        if not reference.isdecimal() or len(reference) > 18 or index < 0:
            return -1, -1
        table, orders = settlement.instructions.table, settlement.orders.table
        found = np.flatnonzero((orders["participant"] == index) & (orders["reference"] == int(reference)))
        if found.size:
            order = int(found[-1])
            return order, int(orders["instruction"][order]) if orders["status"][order] == PAIRED else -1
        owners = book.account_participant
        party = (owners[table["deliverer"]] == index) | (owners[table["receiver"]] == index)
        same = np.flatnonzero(party & (table["origin"] == FROM_MATCHED) & (table["reference"] == int(reference)))
        return -1, int(same[-1]) if same.size else -1

    def require_same(self, asked: requests.Cancellation) -> None:
        """Raise Rejected (conflict) where a request to cancel says something else of what its reference names."""
        settlement, book = self.house.settlement, self.house.resolved
        owner = self.owner(asked.account)
        order, instruction = self.find(owner, asked.reference)
        if order >= 0:
            table, place = settlement.orders.table, order
            delivers, account = bool(table["delivers"][place]), int(table["account"][place])
        else:
            table, place = settlement.instructions.table, instruction
            gives = book.account_participant[table["deliverer"][place]] == book.participant_index[owner]
            delivers, account = bool(gives), int(table["deliverer" if gives else "receiver"][place])
        is_free = KINDS[int(table["kind"][place])] == "fop"
        wrong = {
            "SctiesMvmntTp": delivers != asked.delivers,
            "Pmt": is_free != asked.free,
            "SfkpgAcct/Id": asked.account not in ("", book.account_name(account)),
            "MktInfrstrctrTxId": asked.number not in ("", f"O{order}", f"I{instruction}"),
        }
        for field in (name for name, differs in wrong.items() if differs):
            raise refuse(RejectionReason.CONFLICT, "is not that of the instruction of this reference", field=field,
                         subject=asked.reference, remedy="say what you instructed, or leave it out")  # fmt: skip

    def outcome(
        self, message: str, name: str, command: Command | None, number: str,
        check: Callable[[], None] = lambda: None,
    ) -> State:  # fmt: skip
        """Carry out a command after a check, and return what became of it, as the message says it."""
        day = to_date(self.house.position.day)
        try:
            if command is None:
                raise refuse(RejectionReason.UNKNOWN, "no such instruction of yours")
            check()
            event = self.send(name, command).events[0]
        except Rejected as rejected:
            self.counts["not_done"] += 1
            self.rejections += rejected.rejections
            end = self.ended(number)
            return state_of(message, end, day) if end else refusal(message, rejected.rejections[0], day)
        self.counts["done"] += 1
        waits = message == "sese.027" and isinstance(event, InstructionChanged) and event.status != "cancelled"
        return state_of(message, "waits" if waits else "done", day)

    def ended(self, number: str) -> str:
        """Return how an instruction ended, or ""."""
        if not number.startswith("I"):
            return ""
        table_status = int(self.house.settlement.instructions.table["status"][int(number[1:])])
        return {SETTLED: "settled", CANCELLED: "cancelled"}.get(table_status, "")

    def send(self, name: str, command: Command) -> Accepted:
        day = to_date(self.house.position.day)
        return self.session.once(f"{day}/messages/{self.digest}/{name}", lambda: command)
