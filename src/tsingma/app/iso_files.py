"""ISO 20022 files and a house: send instructions and requests, answer them, and change between CSV and sese.023."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import groupby
from pathlib import Path

import msgspec
import numpy as np

from tsingma.app.instructions import ORDERS_A_COMMAND
from tsingma.app.session import Session
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.journal.commands import ChangeInstruction, ChangeOrder, Command, LinkInstructions, SubmitInstructions
from tsingma.journal.events import Accepted, InstructionChanged, InstructionsSubmitted
from tsingma.messages.instruction_file import packed, read_rows, resolve_rows, write_rows
from tsingma.messages.iso20022 import requests, status
from tsingma.messages.iso20022.allegement import Allegement, write_allegement
from tsingma.messages.iso20022.answers import Told, answers, marks
from tsingma.messages.iso20022.codes import State, refusal, state_of
from tsingma.messages.iso20022.confirmation import Confirmation, write_confirmation
from tsingma.messages.iso20022.header import Header, read_header, write_file
from tsingma.messages.iso20022.instruction import MESSAGE as INSTRUCTION
from tsingma.messages.iso20022.instruction import Instruction
from tsingma.messages.iso20022.leaves import leaves_of, located
from tsingma.messages.iso20022.orders import read_all, write_orders
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import FAULTS_MAX, Received, read_messages
from tsingma.messages.rows import read_rows as read_table_rows
from tsingma.settlement.instruction import CANCELLED, FROM_MATCHED, SETTLED
from tsingma.settlement.links import LINK_KINDS
from tsingma.settlement.orders import PAIRED
from tsingma.settlement.submission import FAULTS, MATCHES, WAITS

TAKEN = (INSTRUCTION, requests.CANCELLATION, requests.MODIFICATION)
HONG_KONG = timezone(timedelta(hours=8))  # no daylight saving time since 1979
_DEPOSITORY = "HKSCC"


class SentMessages(msgspec.Struct, frozen=True):
    """What became of a file: its messages by kind, orders that wait, matched, were refused; requests done and not."""

    messages: dict[str, int]
    waiting: int
    matched: int
    refused: int
    done: int
    not_done: int
    rejections: tuple[Rejection, ...]


def check_file(path: Path) -> dict[str, int]:
    """Return how many messages of each kind a file has, all valid by their schemas; raises Rejected otherwise."""
    return dict(sorted(Counter(one.message for one in read_messages(_bytes(path), file=str(path))).items()))


def directory_of(house: House, bics: Path | None = None) -> Directory:
    """Return what codes mean in a house; ``bics`` is a CSV of ``participant,bic``. Debt is instructed by its face."""
    book = house.resolved
    rows = [] if bics is None else read_table_rows(_bytes(bics), str(bics), ("participant", "bic"))
    issues = house.custody.register.issues
    faces = {
        book.asset_name(asset): issue.terms.face_cents for asset, issue in issues.items() if issue.terms.face_cents
    }
    return Directory(book, {row["participant"]: row["bic"] for _, row in rows}, faces)


def send_messages(
    house: Path | str, path: Path, participant: str = "", second: int | None = None, bics: Path | None = None
) -> tuple[SentMessages, bytes]:
    """Send a file of sese.023, sese.020 and sese.030 to an open house, and return what became of it and the replies.

    The file is read whole or refused whole; then each message answers for itself, in order. Replies are a business file
    of sese.024 for refused orders, sese.027 and sese.031 (empty bytes when there is nothing to say). The same file on
    the same day is sent only once. ``participant`` is who sends ("": the house's own intake for all).
    """
    data = _bytes(path)
    with Session.open(house) as session:
        directory = directory_of(session.house, bics)
        received = read_messages(data, file=str(path), accept=TAKEN)
        _require_sender(received, participant, str(path))
        work = _work(received, directory, str(path))
        sending = _Sending(session, path, participant, second, hashlib.sha256(data).hexdigest()[:16])
        for place, one in enumerate(work):
            sending.one(place, one)
        kinds = dict(sorted(Counter(one.message for one in received).items()))
        sent = SentMessages(messages=kinds, rejections=tuple(sending.rejections), **sending.counts)
        moment = _moment(session.house)
        replies = write_file(sending.replies, f"R{sending.digest}", moment) if sending.replies else b""
    return sent, replies


def answer_file(
    house: Path | str, participant: str, since: int | None = None, bics: Path | None = None
) -> tuple[int, bytes]:
    """Return how many messages a participant gets, and the business file of them: sese.024, sese.025 and sese.028.

    ``since`` is a record of the journal: only what changed after it is told. Raises Rejected: unknown participant,
    a record that is not there.
    """
    with Session.open(house, read_only=True) as session:
        state = session.house
        if participant not in state.resolved.participant_index:
            raise refuse(RejectionReason.UNKNOWN, f"no participant '{participant}'", field="participant")
        if since is not None and not 0 <= since <= session.sequencer.sequence:
            raise refuse(RejectionReason.UNKNOWN, f"no record {since}", field="since",
                         remedy=f"0 to {session.sequencer.sequence}")  # fmt: skip
        before = None if since is None else marks(session.sequencer.replay(until=since))
        told = list(answers(state, participant, before))
        directory, moment = directory_of(state, bics), _moment(state)
        name = f"{session.sequencer.sequence}-{participant}"
    documents = [_document(one, directory) for one in told]
    headers = [
        Header(_DEPOSITORY, participant, f"{name}-{place}", message, moment)
        for place, (message, _) in enumerate(documents, 1)
    ]
    data = write_file([text for _, text in documents], name, moment, headers)
    if told:
        read_messages(data, file=name)  # nothing is sent that is not valid
    return len(told), data


def to_messages(house: Path | str, path: Path, bics: Path | None = None) -> tuple[int, bytes]:
    """Return the orders of an instruction file as a file of sese.023; raises Rejected with every fault of it."""
    with Session.open(house, read_only=True) as session:
        directory, moment = directory_of(session.house, bics), _moment(session.house)
    rows = read_rows(path)
    resolve_rows(rows, directory.book, str(path))
    found = [msgspec.convert({name: cell.strip() for name, cell in row.items()}, Instruction) for _, row in rows]
    return len(found), write_orders(found, directory, path.stem[:35], moment)


def to_rows(house: Path | str, path: Path, bics: Path | None = None) -> tuple[int, bytes]:
    """Return the orders of a file of sese.023 as an instruction file; raises Rejected with every fault of it."""
    with Session.open(house, read_only=True) as session:
        directory = directory_of(session.house, bics)
    received = read_messages(_bytes(path), file=str(path), accept=(INSTRUCTION,))
    found = [msgspec.structs.asdict(one) for one in read_all(received, directory, file=str(path))]
    resolve_rows(((one.document.sourceline or 0, row) for one, row in zip(received, found, strict=True)),
                 directory.book, str(path))  # fmt: skip
    return len(found), write_rows(found)


def _require_sender(received: list[Received], participant: str, file: str) -> None:
    """Refuse a header that names another message, or another sender than the participant that sends the file."""
    faults: list[Rejection] = []
    for one in received:
        try:
            header = read_header(one)
            if participant and header is not None and header.sender != participant:
                text = f"the header is of {header.sender}, {participant} sends it"
                raise refuse(RejectionReason.CONFLICT, text, remedy="send your own messages")
        except Rejected as rejected:
            faults += located(rejected, one, file)
    if faults:
        raise Rejected(*faults[:FAULTS_MAX])


@dataclass(frozen=True, slots=True)
class _Request:
    """A request with its identifier ("" without a header)."""

    identifier: str
    asked: requests.Cancellation | tuple[requests.Modification, ...]


_Work = dict[str, np.ndarray] | _Request


def _work(received: list[Received], directory: Directory, file: str) -> list[_Work]:
    """Return what is to be done, in order: columns of neighbouring instructions, and requests one by one."""
    faults: list[Rejection] = []
    found: list[_Work] = []
    for is_order, group in groupby(received, lambda one: one.message == INSTRUCTION):
        several = list(group)
        try:
            if is_order:
                found.append(_columns(several, directory, file))
        except Rejected as rejected:
            faults += rejected.rejections
        for one in several if not is_order else ():
            try:
                found.append(_request(one))
            except Rejected as rejected:
                faults += located(rejected, one, file)
    if faults:
        raise Rejected(*faults)
    return found


def _columns(received: list[Received], directory: Directory, file: str) -> dict[str, np.ndarray]:
    found = read_all(received, directory, file=file)
    rows = (
        (one.document.sourceline or 0, msgspec.structs.asdict(row)) for one, row in zip(received, found, strict=True)
    )
    return resolve_rows(rows, directory.book, file)


def _request(one: Received) -> _Request:
    header, leaves = read_header(one), leaves_of(one)
    identifier = "" if header is None else header.identifier
    if one.message == requests.CANCELLATION:
        return _Request(identifier, requests.read_cancellation(leaves))
    return _Request(identifier, requests.read_modification(leaves))


class _Sending:
    """Sends the messages of one file and gathers replies and counts."""

    def __init__(self, session: Session, path: Path, participant: str, second: int | None, digest: str) -> None:
        self.session, self.path, self.participant, self.second, self.digest = session, path, participant, second, digest
        self.counts = {"waiting": 0, "matched": 0, "refused": 0, "done": 0, "not_done": 0}
        self.rejections: list[Rejection] = []
        self.replies: list[str] = []

    @property
    def house(self) -> House:
        return self.session.house

    def one(self, place: int, work: _Work) -> None:
        """Send one piece of work."""
        if isinstance(work, dict):
            self.instructions(place, work)
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
            self.replies.append(
                status.write_advice(status.StatusAdvice(reference, "", (refusal("sese.024", why, day),)))
            )

    def cancel(self, place: int, identifier: str, asked: requests.Cancellation) -> None:
        number, command = self.about(asked.reference, asked.account, "cancel")
        state = self.outcome("sese.027", f"{place}", command, number)
        reply = status.RequestStatus(
            request=identifier or asked.reference, reference=asked.reference, number=number, state=state,
            delivers=asked.delivers, free=asked.free,
        )  # fmt: skip
        self.replies.append(status.write_cancellation_status(reply))

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
        self.replies.append(status.write_modification_status(reply))

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

    def outcome(self, message: str, name: str, command: Command | None, number: str) -> State:
        """Carry out a command and return what became of it, as the message says it."""
        day = to_date(self.house.position.day)
        try:
            if command is None:
                raise refuse(RejectionReason.UNKNOWN, "no such instruction of yours")
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


def _document(one: Told, directory: Directory) -> tuple[str, str]:
    if isinstance(one, Confirmation):
        return "sese.025.001.11", write_confirmation(one, directory)
    if isinstance(one, Allegement):
        return "sese.028.001.10", write_allegement(one, directory)
    return status.ADVICE, status.write_advice(one)


def _moment(house: House) -> datetime:
    """Return the time at which the house stands: its business day and second, in Hong Kong."""
    day = to_date(house.position.day)
    return datetime(day.year, day.month, day.day, tzinfo=HONG_KONG) + timedelta(seconds=house.settlement.clock_s)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise refuse(RejectionReason.MISSING, f"cannot be read: {error.strerror}", file=str(path)) from None
