"""Cash messages and a house: payments sent, payments cancelled, what became of them, statements of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from tsingma.app.iso_sending import Sending
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.engine.payments import COLUMNS
from tsingma.journal.payment_commands import ChangePayment, SubmitPayments
from tsingma.journal.payment_events import PaymentsSubmitted
from tsingma.kernels.payments import QUEUED
from tsingma.messages.instruction_file import text_number
from tsingma.messages.iso20022 import account_statement, payment_status, recall
from tsingma.messages.iso20022.codes import refusal, state_of
from tsingma.messages.iso20022.header import read_header
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.payment import (
    CUSTOMER_MESSAGE,
    LIQUIDITY_MESSAGE,
    MESSAGE,
    Payment,
    payment_columns,
    read_liquidity_transfer,
    read_payment_message,
)
from tsingma.messages.iso20022.payment_status import StatusReport, statuses_of, write_status_report
from tsingma.messages.iso20022.schema import Received

TAKEN = (MESSAGE, CUSTOMER_MESSAGE, LIQUIDITY_MESSAGE, recall.REQUEST)
_MESSAGE_ID = {LIQUIDITY_MESSAGE: "MsgHdr/MsgId"}


@dataclass(frozen=True, slots=True)
class SentPayments:
    """The payments of one message as columns, with the settlement dates that were said."""

    message: str
    identifier: str
    columns: dict[str, np.ndarray]
    references: tuple[str, ...]
    dates: frozenset[str]

    def carry_out(self, sending: Sending, place: int) -> None:
        """Send the payments: taken in whole, or refused whole and counted as not done; a pacs.002 tells which.

        The pacs.002 is written after the whole file, when what waits is known.
        """
        house = sending.house
        part = {name: pack(column, COLUMNS[name][0]) for name, column in self.columns.items()}
        day = to_date(house.position.day)
        try:
            wrong = sorted(self.dates - {"", day.isoformat()})
            if wrong:
                raise refuse(RejectionReason.NOT_ALLOWED, f"is to settle on {wrong[0]}, the day is {day}",
                             field="IntrBkSttlmDt", remedy="send it on its day")  # fmt: skip
            command = SubmitPayments(sending.path.name, sending.participant, _second(sending), part)
            event = sending.send(f"{place}/payments", command).events[0]
        except Rejected as rejected:
            sending.counts["not_done"] += 1
            sending.rejections += rejected.rejections
            whole = refusal(payment_status.SAID_IN, rejected.rejections[0], day)
            sending.reply_at_end(lambda: write_status_report(self._report(sending, place, whole=whole)))
            return
        sending.counts["payments"] += self.columns["payer"].size
        if isinstance(event, PaymentsSubmitted):
            numbers = range(event.first, event.first + event.count)

            def told() -> str:
                payments = statuses_of(sending.house, numbers, day, self.references)
                return write_status_report(self._report(sending, place, payments=payments))

            sending.reply_at_end(told)

    def _report(self, sending: Sending, place: int, **said: object) -> StatusReport:
        plain = {"identifier": f"S{sending.digest}-{place}", "original": self.identifier, "message": self.message}
        return StatusReport(created=sending.moment, **plain, **said)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class AskedRecall:
    """A request to cancel payments."""

    asked: recall.RecallRequest

    def carry_out(self, sending: Sending, place: int) -> None:
        """Cancel what waits, one payment after the other, and answer with a camt.029."""
        day = to_date(sending.house.position.day)
        told = tuple(self._one(sending, f"{place}.{item}", one) for item, one in enumerate(self.asked.payments))
        answer = recall.Resolution(
            identifier=f"R{sending.digest}-{place}", created=sending.moment, assignee=self.asked.assigner,
            request=self.asked.identifier, state=recall.whole_state(told, day), payments=told,
        )  # fmt: skip
        sending.reply(recall.write_resolution(answer, sending.directory))

    def _one(self, sending: Sending, name: str, one: recall.Recalled) -> recall.Resolved:
        day, owner, number = to_date(sending.house.position.day), self.asked.assigner, -1
        try:
            if sending.participant not in ("", owner):
                raise refuse(RejectionReason.NOT_ALLOWED, f"is of {owner}, {sending.participant} sends it",
                             field="Assgnmt/Assgnr")  # fmt: skip
            number = find_payment(sending.house, owner, one)
            sending.send(name, ChangePayment(number, "cancel", owner, _second(sending)))
        except Rejected as rejected:
            sending.counts["not_done"] += 1
            sending.rejections += rejected.rejections
            state = refusal(recall.SAID_IN, rejected.rejections[0], day)
        else:
            sending.counts["done"] += 1
            state = state_of(recall.SAID_IN, "payment.cancelled", day)
        return recall.Resolved(one.reference, one.number or (f"P{number}" if number >= 0 else ""), state)


def read_cash(one: Received, directory: Directory, file: str) -> SentPayments | AskedRecall:
    """Return what a cash message asks for; raises Rejected with the path, or the line, of what breaks a rule."""
    leaves = leaves_of(one)
    if one.message == recall.REQUEST:
        return AskedRecall(recall.read_recall(leaves, directory))
    if one.message == LIQUIDITY_MESSAGE:
        several: tuple[Payment, ...] = (read_liquidity_transfer(leaves, directory),)
        lines = [one.document.sourceline or 0]
    else:
        several = read_payment_message(leaves, directory, one.message)
        lines = [element.sourceline or 0 for element in one.document[0].findall("{*}CdtTrfTxInf")]
    header = read_header(one)
    named = leaves[_MESSAGE_ID.get(one.message, "GrpHdr/MsgId")]
    columns = payment_columns(several, lines, directory.book, file=file)
    return SentPayments(
        message=one.message,
        identifier=named if header is None else header.identifier,
        columns=columns,
        references=tuple(each.reference for each in several),
        dates=frozenset(each.date for each in several),
    )


def find_payment(house: House, owner: str, wanted: recall.Recalled) -> int:
    """Return the number of a participant's payment of the open day: one that waits rather than one that does not.

    Raises Rejected: unknown (no such payment of its own), conflict (of another amount).
    """
    table, ledger, book = house.money.payments.table, house.ledger, house.resolved
    index = book.participant_index.get(owner, -1)
    unknown = refuse(RejectionReason.UNKNOWN, f"no payment '{wanted.reference or wanted.number}' of {owner} today",
                     field="OrgnlInstrId", remedy="name a payment of the open day by its reference")  # fmt: skip
    if house.money.day != house.position.day:
        raise unknown
    mine = book.account_participant[ledger.owner[table["debit"]]] == index
    if wanted.reference:
        mine &= table["reference"] == text_number(wanted.reference)
    if wanted.number:
        digits = wanted.number[1:]
        if not wanted.number.startswith("P") or not digits.isdecimal() or len(digits) > 9:
            raise unknown
        mine &= np.arange(mine.size) == int(digits)
    found = np.flatnonzero(mine)
    if not found.size:
        raise unknown
    waits = found[table["status"][found] == QUEUED]
    number = int(waits[-1] if waits.size else found[-1])
    if wanted.currency:
        unit = int(ledger.asset[table["debit"][number]])
        if (int(table["amount"][number]), unit) != (wanted.cents, CURRENCIES.index(wanted.currency)):
            raise refuse(RejectionReason.CONFLICT, "the payment is of another amount", field="OrgnlIntrBkSttlmAmt")
    return number


def payment_reports(house: House, account: int, identifier: str, created: datetime) -> list[str]:
    """Return a pacs.002 of all payments of the open day that an account sent, or nothing without any."""
    money = house.money
    if not len(money.payments) or money.day != house.position.day:
        return []
    numbers = np.flatnonzero(house.ledger.owner[money.payments.table["debit"]] == account).tolist()
    if not numbers:
        return []
    day = to_date(house.position.day)
    report = StatusReport(
        identifier=identifier, created=created, original=str(day), message="payments",
        payments=statuses_of(house, numbers, day),
    )  # fmt: skip
    return [write_status_report(report)]


def account_statements(house: House, account: int, identifier: str, created: datetime) -> list[str]:
    """Return the camt.053 documents of an account, one a currency; raises Rejected as ``statements_of`` does."""
    found = account_statement.statements_of(house, account, identifier, created)
    return [account_statement.write_statement(one) for one in found]


def _second(sending: Sending) -> int:
    """Return the time of day a command is sent at: as asked, or where money stands."""
    money = sending.house.money
    clock = money.clock_s if money.day == sending.house.position.day else 0
    return clock if sending.second is None else sending.second
