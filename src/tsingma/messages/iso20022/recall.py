"""camt.056, a request to cancel payments that wait, and camt.029, what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.messages.iso20022.codes import State, state_of
from tsingma.messages.iso20022.institutions import read_institution, write_institution
from tsingma.messages.iso20022.leaves import Leaves, amount, document, moment_text, read_moment, tag, text, under
from tsingma.messages.iso20022.parties import ISSUER, Directory, read_amount
from tsingma.messages.iso20022.payment_status import read_information, write_information

REQUEST, REQUEST_BODY = "camt.056.001.11", "FIToFIPmtCxlReq"
RESOLUTION, RESOLUTION_BODY = "camt.029.001.13", "RsltnOfInvstgtn"
SAID_IN = "camt.029"
_AMOUNT = "OrgnlIntrBkSttlmAmt"
_READ = {"CxlId", "OrgnlInstrId", "OrgnlEndToEndId", "OrgnlClrSysRef", _AMOUNT, f"{_AMOUNT}/@Ccy"}
_INFORMS = (
    "OrgnlGrpInf/",
    "OrgnlTxId",
    "OrgnlUETR",
    "OrgnlIntrBkSttlmDt",
    "CxlRsnInf",
    "OrgnlTxRef/",
    "Case/",
    "SplmtryData",
)


class Recalled(msgspec.Struct, frozen=True, kw_only=True):
    """One payment to cancel: its payer's reference, or the house's number (P12), and its amount where it is said."""

    reference: str
    number: str = ""
    cents: int = 0
    currency: str = ""


class RecallRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a participant to cancel payments it has sent."""

    identifier: str
    created: datetime
    assigner: str
    payments: tuple[Recalled, ...]


class Resolved(msgspec.Struct, frozen=True):
    """What became of the wish to cancel one payment; the state is below ``TxCxlSts``."""

    reference: str
    number: str
    state: State


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request: the state of all together is below ``Conf``."""

    identifier: str
    created: datetime
    assignee: str
    request: str
    state: State
    payments: tuple[Resolved, ...]


def read_recall(leaves: Leaves, directory: Directory) -> RecallRequest:
    """Return a request; raises Rejected with the path of what breaks a usage rule (no reference, a whole group)."""
    assigner = read_institution(under(leaves, "Assgnmt/Assgnr"), "Agt", directory, "Assgnmt/Assgnr/")
    payments: list[Recalled] = []
    wholes = dict.fromkeys(name.partition("/")[0] for name in leaves if name.startswith("Undrlyg"))
    for whole in wholes:
        inner = under(leaves, whole)
        starts = dict.fromkeys(name.partition("/")[0] for name in inner)
        for start in starts:
            if not start.startswith("TxInf"):
                raise refuse(RejectionReason.NOT_ALLOWED, "cancels no whole groups", field=f"{whole}/{start}",
                             remedy="name each payment in a TxInf")  # fmt: skip
            payments.append(_recalled(under(inner, start), f"{whole}/{start}"))
    said = leaves.get("CtrlData/NbOfTxs", "")
    if said and int(said) != len(payments):
        raise refuse(
            RejectionReason.CONFLICT, f"{said} payments announced, {len(payments)} named", field="CtrlData/NbOfTxs"
        )
    if not payments:
        raise refuse(RejectionReason.MISSING, "names no payment", field="Undrlyg", remedy="send TxInf")
    created = read_moment(leaves["Assgnmt/CreDtTm"], "Assgnmt/CreDtTm")
    return RecallRequest(identifier=leaves["Assgnmt/Id"], created=created, assigner=assigner, payments=tuple(payments))


def _recalled(leaves: Leaves, where: str) -> Recalled:
    for name in leaves:
        if name not in _READ and not name.startswith(_INFORMS):
            raise refuse(
                RejectionReason.NOT_ALLOWED, "is not acted on here", field=f"{where}/{name}", remedy="leave it out"
            )
    reference = leaves.get("OrgnlInstrId") or leaves.get("OrgnlEndToEndId", "")
    number = leaves.get("OrgnlClrSysRef", "")
    if not reference and not number:
        raise refuse(RejectionReason.MISSING, "names no payment", field=where, remedy="send OrgnlInstrId")
    cents, currency = read_amount(leaves, _AMOUNT) if _AMOUNT in leaves else (0, "")
    return Recalled(reference=reference, number=number, cents=cents, currency=currency)


def write_recall(request: RecallRequest, directory: Directory) -> str:
    """Return a camt.056 Document."""
    assigned = tag(
        "Assgnmt", text("Id", request.identifier), tag("Assgnr", write_institution("Agt", request.assigner, directory)),
        tag("Assgne", _house()), text("CreDtTm", moment_text(request.created)),
    )  # fmt: skip
    named = (
        tag(
            "TxInf", text("OrgnlInstrId", one.reference), text("OrgnlClrSysRef", one.number),
            amount(_AMOUNT, one.cents, one.currency) if one.currency else "",
        )
        for one in request.payments
    )  # fmt: skip
    control = tag("CtrlData", text("NbOfTxs", str(len(request.payments))))
    return document(REQUEST, REQUEST_BODY, assigned, control, tag("Undrlyg", *named))


def whole_state(several: Sequence[Resolved], day: date) -> State:
    """Return the state of a request by those of its payments: all cancelled, some, or none."""
    cancelled = sum(one.state.at.endswith("/ACCR") for one in several)
    our = "all" if cancelled == len(several) else "some" if cancelled else "none"
    return state_of(SAID_IN, f"request.{our} cancelled", day)


def write_resolution(one: Resolution, directory: Directory) -> str:
    """Return a camt.029 Document."""
    assigned = tag(
        "Assgnmt", text("Id", one.identifier), tag("Assgnr", _house()),
        tag("Assgne", write_institution("Agt", one.assignee, directory)), text("CreDtTm", moment_text(one.created)),
    )  # fmt: skip
    case = tag("RslvdCase", text("Id", one.request), tag("Cretr", write_institution("Agt", one.assignee, directory)))
    told = (
        tag(
            "TxInfAndSts", text("OrgnlInstrId", each.reference), text("OrgnlClrSysRef", each.number),
            text("TxCxlSts", each.state.at.partition("/")[2]),
            tag("CxlStsRsnInf", tag("Rsn", text("Cd", each.state.code)), write_information(each.state.text)),
        )
        for each in one.payments
    )  # fmt: skip
    status = tag("Sts", text("Conf", one.state.at.partition("/")[2]))
    return document(RESOLUTION, RESOLUTION_BODY, assigned, case, status, tag("CxlDtls", *told))


def read_resolution(leaves: Leaves, directory: Directory) -> Resolution:
    """Return what became of a request; raises Rejected for one that confirms nothing."""
    if "Sts/Conf" not in leaves:
        raise refuse(RejectionReason.MISSING, "confirms nothing", field="Sts/Conf")
    inner = under(leaves, "CxlDtls")
    told = []
    for start in dict.fromkeys(name.partition("/")[0] for name in inner if name.startswith("TxInfAndSts")):
        each = under(inner, start)
        state = State(
            f"TxCxlSts/{each.get('TxCxlSts', '')}", each.get("CxlStsRsnInf/Rsn/Cd", ""),
            read_information(each, "CxlStsRsnInf"),
        )  # fmt: skip
        told.append(Resolved(each.get("OrgnlInstrId", ""), each.get("OrgnlClrSysRef", ""), state))
    return Resolution(
        identifier=leaves["Assgnmt/Id"],
        created=read_moment(leaves["Assgnmt/CreDtTm"], "Assgnmt/CreDtTm"),
        assignee=read_institution(under(leaves, "Assgnmt/Assgne"), "Agt", directory, "Assgnmt/Assgne/"),
        request=leaves.get("RslvdCase/Id", ""),
        state=State(f"Conf/{leaves['Sts/Conf']}", ""),
        payments=tuple(told),
    )


def _house() -> str:
    return tag("Agt", tag("FinInstnId", tag("Othr", text("Id", "HKSCC"), text("Issr", ISSUER))))
