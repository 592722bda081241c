"""pacs.002, what became of payments: each as the house's queue has it, or a whole message that was refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.kernels.payments import CANCELLED, QUEUED
from tsingma.messages.iso20022.codes import State, state_of
from tsingma.messages.iso20022.leaves import Leaves, document, moment_text, read_moment, tag, text, under
from tsingma.settlement.gross_money.queue import BY_PAYER

MESSAGE, BODY = "pacs.002.001.14", "FIToFIPmtStsRpt"
SAID_IN = "pacs.002"
INFORMATION_MAX = 105  # Max105Text, one line beside a code


class PaymentStatus(msgspec.Struct, frozen=True):
    """One payment: its payer's reference ("" where it is not known), the house's number (P12), its state (``TxSts``).

    Books keep a number that stands for a reference, so only the answer to the message itself can name it.
    """

    reference: str
    number: str
    state: State


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the payments of one message: ``original`` is its identifier, ``message`` its kind.

    ``whole`` is the state of a message that was refused (below ``GrpSts``), with no payment of it beside.
    """

    identifier: str
    created: datetime
    original: str
    message: str
    whole: State | None = None
    payments: tuple[PaymentStatus, ...] = ()


def statuses_of(
    house: House, numbers: Sequence[int], day: date, references: Sequence[str] = ()
) -> tuple[PaymentStatus, ...]:
    """Return how payments of the open day stand, in the order of their numbers; ``references`` are theirs, if known."""
    table = house.money.payments.table
    found = []
    for place, number in enumerate(numbers):
        status = int(table["status"][number])
        our = "payment.settled"
        if status == QUEUED:
            our = "payment.queued"
        elif status == CANCELLED:
            our = "payment.cancelled" if int(table["how"][number]) == BY_PAYER else "payment.closed"
        state = state_of(SAID_IN, our, day)
        found.append(PaymentStatus(references[place] if references else "", f"P{number}", state))
    return tuple(found)


def write_status_report(report: StatusReport) -> str:
    """Return a pacs.002 Document; raises Rejected (conflict) for a refused message with payments beside."""
    if report.whole is not None and report.payments:
        raise refuse(RejectionReason.CONFLICT, "a refused message has no payments", subject=report.original)
    group = _state(report.whole) if report.whole is not None else ""
    return document(
        MESSAGE, BODY,
        tag("GrpHdr", text("MsgId", report.identifier), text("CreDtTm", moment_text(report.created))),
        tag("OrgnlGrpInfAndSts", text("OrgnlMsgId", report.original), text("OrgnlMsgNmId", report.message), group),
        *(
            tag("TxInfAndSts", text("OrgnlInstrId", one.reference), _state(one.state), text("ClrSysRef", one.number))
            for one in report.payments
        ),
    )  # fmt: skip


def read_status_report(leaves: Leaves) -> StatusReport:
    """Return a report; raises Rejected for one of several messages, or without a status."""
    if any(name.startswith("OrgnlGrpInfAndSts[") for name in leaves) or "OrgnlGrpInfAndSts/OrgnlMsgId" not in leaves:
        raise refuse(RejectionReason.NOT_ALLOWED, "is not about one message", field="OrgnlGrpInfAndSts")
    starts = dict.fromkeys(name.partition("/")[0] for name in leaves if name.startswith("TxInfAndSts"))
    payments = []
    for start in starts:
        inner = under(leaves, start)
        state = _read_state(inner, "TxSts")
        if state is None:
            raise refuse(RejectionReason.MISSING, "names no status", field=f"{start}/TxSts")
        payments.append(PaymentStatus(inner.get("OrgnlInstrId", ""), inner.get("ClrSysRef", ""), state))
    return StatusReport(
        identifier=leaves["GrpHdr/MsgId"],
        created=read_moment(leaves["GrpHdr/CreDtTm"], "GrpHdr/CreDtTm"),
        original=leaves["OrgnlGrpInfAndSts/OrgnlMsgId"],
        message=leaves["OrgnlGrpInfAndSts/OrgnlMsgNmId"],
        whole=_read_state(under(leaves, "OrgnlGrpInfAndSts"), "GrpSts"),
        payments=tuple(payments),
    )


def write_information(narrative: str) -> str:
    """Return a text as lines of 105 characters."""
    lines = range(0, len(narrative), INFORMATION_MAX)
    return "".join(text("AddtlInf", narrative[start : start + INFORMATION_MAX]) for start in lines)


def read_information(leaves: Leaves, path: str) -> str:
    """Return the text that ``write_information`` wrote."""
    return "".join(value for name, value in leaves.items() if name.partition("[")[0] == f"{path}/AddtlInf")


def _state(state: State) -> str:
    element, _, code = state.at.partition("/")
    reason = tag("StsRsnInf", tag("Rsn", text("Cd", state.code)), write_information(state.text))
    return text(element, code) + reason


def _read_state(leaves: Leaves, element: str) -> State | None:
    if element not in leaves:
        return None
    code = leaves.get("StsRsnInf/Rsn/Cd", "")
    return State(f"{element}/{leaves[element]}", code, read_information(leaves, "StsRsnInf"))
