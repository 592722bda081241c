"""ISO 20022 files and a house: send instructions and requests, answer them, and change between CSV and sese.023."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from itertools import groupby
from pathlib import Path

import msgspec
import numpy as np

from tsingma.app import iso_answers, iso_cash, iso_collateral
from tsingma.app.instructions import require_speaker
from tsingma.app.iso_exchange import NOTHING, exchange_of
from tsingma.app.iso_sending import Asked, Sending, Work
from tsingma.app.session import Session, name_of_file
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.messages import mt54x
from tsingma.messages.instruction_file import resolve_rows
from tsingma.messages.iso20022 import allegement, requests, status
from tsingma.messages.iso20022.account_statement import MESSAGE as STATEMENT
from tsingma.messages.iso20022.answers import Told, answers, marks
from tsingma.messages.iso20022.clearing import DEPOSITORY
from tsingma.messages.iso20022.codes import require_codes
from tsingma.messages.iso20022.collateral import CALL as MARGIN_CALL
from tsingma.messages.iso20022.collateral import PROPOSAL
from tsingma.messages.iso20022.confirmation import Confirmation, write_confirmation
from tsingma.messages.iso20022.header import Header, message_of, read_header, write_file
from tsingma.messages.iso20022.holdings import MESSAGE as HOLDINGS
from tsingma.messages.iso20022.holdings import statement_of, write_holdings
from tsingma.messages.iso20022.instruction import MATCHING
from tsingma.messages.iso20022.instruction import MESSAGE as INSTRUCTION
from tsingma.messages.iso20022.leaves import leaves_of, located
from tsingma.messages.iso20022.notice import MESSAGE as NOTICE
from tsingma.messages.iso20022.notice import notices_of, write_notice
from tsingma.messages.iso20022.obligation import MESSAGE as OBLIGATIONS
from tsingma.messages.iso20022.obligation import obligations_of, write_obligations
from tsingma.messages.iso20022.orders import read_all
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.payment_status import MESSAGE as PAYMENT_STATUS
from tsingma.messages.iso20022.schema import FAULTS_MAX, Received, read_messages
from tsingma.messages.rows import read_bytes
from tsingma.messages.rows import read_rows as read_table_rows

TAKEN = (
    INSTRUCTION,
    requests.CANCELLATION,
    requests.MODIFICATION,
    *iso_answers.TAKEN,
    *iso_cash.TAKEN,
    *iso_collateral.TAKEN,
)
HONG_KONG = timezone(timedelta(hours=8))  # no daylight saving time since 1979


class SentMessages(msgspec.Struct, frozen=True):
    """What became of a file: its messages by kind, orders that wait, matched, were refused; requests done and not."""

    messages: dict[str, int]
    waiting: int
    matched: int
    refused: int
    done: int
    not_done: int
    payments: int
    rejections: tuple[Rejection, ...]


def check_file(path: Path) -> dict[str, int]:
    """Return how many messages of each kind a file has, all valid by their schemas; raises Rejected otherwise."""
    return dict(sorted(Counter(one.message for one in read_messages(read_bytes(path), file=str(path))).items()))


def directory_of(house: House, bics: Path | None = None) -> Directory:
    """Return what codes mean in a house; ``bics`` is a CSV of ``participant,bic``. Debt is instructed by its face.

    Raises Rejected: as ``Directory``; duplicate, for a participant on two lines.
    """
    book = house.resolved
    rows = [] if bics is None else read_table_rows(read_bytes(bics), str(bics), ("participant", "bic"))
    seen: set[str] = set()
    for line, row in rows:
        if row["participant"] in seen:
            raise refuse(RejectionReason.DUPLICATE, f"{row['participant']} stands twice", file=str(bics), line=line,
                         field="participant", remedy="one BIC each")  # fmt: skip
        seen.add(row["participant"])
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
    the same day is sent only once. ``participant`` is who sends ("": the house's own intake for all, in which a header
    binds its message to its sender); it is refused with orders that it says are agreed already and is not on both
    sides of.
    """
    with Session.open(house) as session:
        return send_in(session, path, read_bytes(path), participant, second, directory_of(session.house, bics))


def send_in(
    session: Session, path: Path, data: bytes, participant: str, second: int | None, directory: Directory
) -> tuple[SentMessages, bytes]:
    """Send the bytes of a file in an open session, as ``send_messages`` does."""
    received = read_messages(data, file=str(path), accept=TAKEN)
    if session.house.position.day:
        require_codes(to_date(session.house.position.day))
    senders = _senders(received, participant, str(path))
    work = _work(received, senders, directory, session.house, str(path))
    digest, moment = name_of_file(data, participant), moment_of(session.house)
    sending = Sending(session, path, participant, second, digest, directory, moment)
    for place, (sender, one) in enumerate(work):
        sending.one(place, sender, one)
    kinds = dict(sorted(Counter(one.message for one in received).items()))
    sent = SentMessages(messages=kinds, rejections=tuple(sending.rejections), **sending.counts)
    replies = sending.finish()
    if not replies:
        return sent, b""
    headers = [
        Header(DEPOSITORY, who or DEPOSITORY, f"R{digest}-{place}", message_of(text), moment)
        for place, (who, text) in enumerate(replies, 1)
    ]
    return sent, write_file([text for _, text in replies], f"R{digest}", moment, headers)


def answer_file(
    house: Path | str, participant: str, since: int | None = None, bics: Path | None = None, to: str = ".xml"
) -> tuple[int, bytes]:
    """Return how many messages a participant gets, and the business file of them: sese.024, sese.025 and sese.028.

    With ``to`` ".fin" they are MT548, MT544 to MT547 and MT578; payments without delivery have none there.

    ``since`` is a record of the journal: only what changed after it is told. Raises Rejected: unknown participant,
    a record that is not there.
    """
    with Session.open(house, read_only=True) as session:
        state = session.house
        if since is not None and not 0 <= since <= session.sequencer.sequence:
            raise refuse(RejectionReason.UNKNOWN, f"no record {since}", field="since",
                         remedy=f"0 to {session.sequencer.sequence}")  # fmt: skip
        before = None if since is None else marks(session.sequencer.replay(until=since))
        told = list(answers(state, participant, before))
        directory, moment = directory_of(state, bics), moment_of(state)
        name = f"{session.sequencer.sequence}-{participant}"
    if to != ".xml":
        require_form(to)
        texts = _fin(told, directory, bic_of(directory, DEPOSITORY), bic_of(directory, participant))
        return (len(texts), ("\n".join(texts) + "\n").encode()) if texts else NOTHING
    documents = (_document(one, directory) for one in told)
    return exchange_of(documents, sender=DEPOSITORY, receiver=participant, name=name, moment=moment)


def holding_file(house: Path | str, participant: str, bics: Path | None = None) -> tuple[int, bytes]:
    """Return how many accounts a participant has, and a business file of a statement of holdings (semt.002) of each.

    Raises Rejected (unknown) for a participant the book does not have.
    """

    def documents(state: House, account: int, name: str, _moment: datetime) -> list[str]:
        return [write_holdings(statement_of(state, account, name), directory_of(state, bics))]

    return _of_accounts(house, participant, HOLDINGS, documents)


def notice_file(house: Path | str, participant: str) -> tuple[int, bytes]:
    """Return how many notices a participant gets of the open day's settled payments, and the file of them (camt.054).

    One for each account and currency. Raises Rejected (unknown) for a participant the book does not have.
    """

    def documents(state: House, account: int, name: str, moment: datetime) -> list[str]:
        return [write_notice(one) for one in notices_of(state, account, name, moment)]

    return _of_accounts(house, participant, NOTICE, documents)


def payment_status_file(house: Path | str, participant: str) -> tuple[int, bytes]:
    """Return how many reports a participant gets of the payments it sent on the open day, and the file (pacs.002).

    One for each account that paid. Raises Rejected (unknown) for a participant the book does not have.
    """
    return _of_accounts(house, participant, PAYMENT_STATUS, iso_cash.payment_reports)


def account_statement_file(house: Path | str, participant: str) -> tuple[int, bytes]:
    """Return how many statements of cash accounts a participant gets of the open day, and the file of them (camt.053).

    One for each account and currency. Raises Rejected: unknown participant; missing, while money has no day.
    """
    return _of_accounts(house, participant, STATEMENT, iso_cash.account_statements)


def call_file(house: Path | str, participant: str, bics: Path | None = None) -> tuple[int, bytes]:
    """Return how many margin calls of a participant are not covered, and the file of them (colr.003).

    Raises Rejected (unknown) for a participant the book does not have.
    """

    def documents(state: House, account: int, _name: str, _moment: datetime) -> list[str]:
        return iso_collateral.call_documents(state, account, directory_of(state, bics))

    return _of_accounts(house, participant, MARGIN_CALL, documents)


def proposal_file(house: Path | str, participant: str, bics: Path | None = None) -> tuple[int, bytes]:
    """Return how many proposals cover a participant's calls with the cheapest pledge, and the file of them (colr.007).

    Raises Rejected: unknown participant; insufficient, where what it has does not cover its calls.
    """

    def documents(state: House, account: int, _name: str, _moment: datetime) -> list[str]:
        return iso_collateral.proposal_documents(state, account, directory_of(state, bics))

    return _of_accounts(house, participant, PROPOSAL, documents, to_house=True)


def obligation_file(house: Path | str, participant: str, due: date, bics: Path | None = None) -> tuple[int, bytes]:
    """Return how many net positions a participant has due on a day, and the file of the report of them (secl.010).

    Raises Rejected (unknown) for a participant the book does not have.
    """
    with Session.open(house, read_only=True) as session:
        state, directory = session.house, directory_of(session.house, bics)
        name = f"{session.sequencer.sequence}-{participant}"
        moment = moment_of(state)
        report = obligations_of(state, participant, due, name, to_date(state.position.day))
    if report is None:
        return NOTHING
    documents = [(OBLIGATIONS, write_obligations(report, directory))]
    _, data = exchange_of(documents, sender=DEPOSITORY, receiver=participant, name=name, moment=moment)
    return len(report.obligations), data


def _of_accounts(
    house: Path | str, participant: str, message: str, make: Callable[[House, int, str, datetime], list[str]],
    *, to_house: bool = False,
) -> tuple[int, bytes]:  # fmt: skip
    """Return messages of all accounts of a participant as a business file, valid by their schema.

    They go from the house to the participant, or (``to_house``) are made for the participant to send.
    """
    with Session.open(house, read_only=True) as session:
        state = session.house
        index = state.resolved.participant_index.get(participant)
        if index is None:
            raise refuse(RejectionReason.UNKNOWN, f"no participant '{participant}'", field="participant")
        moment, name = moment_of(state), f"{session.sequencer.sequence}-{participant}"
        accounts = np.flatnonzero(state.resolved.account_participant == index).tolist()
        documents = [(message, text) for one in accounts for text in make(state, one, f"{name}-{one}", moment)]
    sender, receiver = (participant, DEPOSITORY) if to_house else (DEPOSITORY, participant)
    return exchange_of(documents, sender=sender, receiver=receiver, name=name, moment=moment)


def require_form(form: str) -> None:
    """Refuse a form of a file that is neither CSV nor XML nor FIN."""
    if form != ".fin":
        raise refuse(RejectionReason.UNKNOWN, f"'{form}' is no form of a file", remedy=".csv, .xml or .fin")


def bic_of(directory: Directory, code: str) -> str:
    """Return the BIC of a participant; raises Rejected (missing) without one."""
    if code not in directory.bics:
        raise refuse(RejectionReason.MISSING, f"no BIC of {code}", field="bic", remedy="add it to the file of BICs")
    return directory.bics[code]


def _senders(received: list[Received], participant: str, file: str) -> list[str]:
    """Return who sends each message: the participant that sends the file, else who its header names ("": the house).

    Raises Rejected (conflict) for headers that name another message, another sender than the participant, or another
    receiver than the house.
    """
    found: list[str] = []
    faults: list[Rejection] = []
    for one in received:
        try:
            header = read_header(one)
            if header is not None and header.receiver != DEPOSITORY:
                raise refuse(RejectionReason.CONFLICT, f"the header is to {header.receiver}, this is {DEPOSITORY}",
                             remedy="send it to whom it is for")  # fmt: skip
            if participant and header is not None and header.sender != participant:
                text = f"the header is of {header.sender}, {participant} sends it"
                raise refuse(RejectionReason.CONFLICT, text, remedy="send your own messages")
            found.append(participant if header is None or header.sender == DEPOSITORY else header.sender)
        except Rejected as rejected:
            faults += located(rejected, one, file)
    if faults:
        raise Rejected(*faults[:FAULTS_MAX])
    return found


def _work(
    received: list[Received], senders: list[str], directory: Directory, house: House, file: str
) -> list[tuple[str, Work]]:  # fmt: skip
    """Return what is to be done and whose it is, in order: columns of neighbouring instructions of one sender, and
    requests one by one.
    """
    known: dict[str, Callable[[Received, Directory, str], Work]] = {**_READERS, **iso_answers.readers(house)}
    faults: list[Rejection] = []
    found: list[tuple[str, Work]] = []
    pairs = zip(received, senders, strict=True)
    for (is_order, sender), group in groupby(pairs, lambda pair: (pair[0].message == INSTRUCTION, pair[1])):
        several = [one for one, _ in group]
        try:
            if is_order:
                columns = _columns(several, directory, file)
                lines = [one.document.sourceline or 0 for one in several]
                require_speaker(columns, house, sender, file, lines, MATCHING)
                found.append((sender, columns))
        except Rejected as rejected:
            faults += rejected.rejections
        for one in several if not is_order else ():
            try:
                found.append((sender, known.get(one.message, _request)(one, directory, file)))
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


def _request(one: Received, _directory: Directory, _file: str) -> Work:
    header, leaves = read_header(one), leaves_of(one)
    identifier = "" if header is None else header.identifier
    if one.message == requests.CANCELLATION:
        return Asked(identifier, requests.read_cancellation(leaves))
    return Asked(identifier, requests.read_modification(leaves))


_READERS: dict[str, Callable[[Received, Directory, str], Work]] = {
    **dict.fromkeys(iso_cash.TAKEN, iso_cash.read_cash),
    **dict.fromkeys(iso_collateral.TAKEN, iso_collateral.read_collateral),
}


def _document(one: Told, directory: Directory) -> tuple[str, str]:
    if isinstance(one, Confirmation):
        return "sese.025.001.11", write_confirmation(one, directory)
    if isinstance(one, allegement.Allegement):
        return allegement.MESSAGE, allegement.write_allegement(one, directory)
    if isinstance(one, allegement.AllegementRemoval):
        return allegement.REMOVAL, allegement.write_removal(one)
    return status.ADVICE, status.write_advice(one)


def _fin(told: list[Told], directory: Directory, sender: str, receiver: str) -> list[str]:
    texts = []
    for one in told:
        if isinstance(one, Confirmation) and one.isin:
            texts.append(mt54x.write_confirmation(one, directory, sender, receiver))
        elif isinstance(one, status.StatusAdvice):
            texts.append(mt54x.write_advice(one, sender, receiver))
        elif isinstance(one, allegement.Allegement) and one.isin:
            texts.append(mt54x.write_allegement(one, directory, sender, receiver))
        elif isinstance(one, allegement.AllegementRemoval) and one.alleged is not None and one.alleged.isin:
            texts.append(mt54x.write_allegement(one.alleged, directory, sender, receiver, removed=True))
    return texts


def moment_of(house: House) -> datetime:
    """Return the time at which a house stands: its business day and second, in Hong Kong."""
    day = to_date(house.position.day)
    return datetime(day.year, day.month, day.day, tzinfo=HONG_KONG) + timedelta(seconds=house.settlement.clock_s)
