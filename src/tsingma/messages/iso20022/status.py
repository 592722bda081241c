"""sese.024, status of an instruction; sese.027 and sese.031, status of a request to cancel or to change one."""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.messages.iso20022.codes import State
from tsingma.messages.iso20022.leaves import Leaves, document, tag, text

GROUPS = ("PrcgSts", "MtchgSts", "SttlmSts")
WITHOUT_CODE = ("MtchgSts/Mtchd", "PrcgSts/CxlReqd", "PrcgSts/Cmpltd")


class StatusAdvice(msgspec.Struct, frozen=True):
    """Where an instruction stands: its owner's reference, the house's number, at most one state a group."""

    reference: str
    number: str  # MktInfrstrctrTxId: O12 an order, I12 an instruction; "" for what was refused
    states: tuple[State, ...]


class RequestStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request: its identifier, the instruction it is about, one state of ``PrcgSts``."""

    request: str
    reference: str
    number: str
    state: State
    delivers: bool = True
    free: bool = False


ADVICE, ADVICE_BODY = "sese.024.001.12", "SctiesSttlmTxStsAdvc"
CANCELLATION, CANCELLATION_BODY = "sese.027.001.07", "SctiesTxCxlReqStsAdvc"
MODIFICATION, MODIFICATION_BODY = "sese.031.001.09", "SctiesSttlmCondModStsAdvc"


def write_advice(advice: StatusAdvice) -> str:
    """Return a sese.024 Document; raises Rejected (conflict) for two states of one group."""
    groups = dict.fromkeys(GROUPS, "")
    for state in advice.states:
        group = state.at.partition("/")[0]
        if groups[group]:
            raise refuse(RejectionReason.CONFLICT, f"two states of {group}", subject=advice.reference)
        groups[group] = write_state(state)
    reference = tag("TxId", text("AcctOwnrTxId", advice.reference), text("MktInfrstrctrTxId", advice.number))
    return document(ADVICE, ADVICE_BODY, reference, *groups.values())


def read_advice(leaves: Leaves) -> StatusAdvice:
    """Return a status advice; a state's first reason counts."""
    return StatusAdvice(
        leaves["TxId/AcctOwnrTxId"],
        leaves.get("TxId/MktInfrstrctrTxId", ""),
        tuple(state for group in GROUPS if (state := read_state(leaves, group)) is not None),
    )


def write_cancellation_status(status: RequestStatus) -> str:
    """Return a sese.027 Document."""
    movement = "DELI" if status.delivers else "RECE"
    kind = tag("SctiesSttlmTxId", text("TxId", status.reference), text("SctiesMvmntTp", movement),
               text("Pmt", "FREE" if status.free else "APMT"))  # fmt: skip
    about = tag("TxId", text("MktInfrstrctrTxId", status.number), tag("AcctOwnrTxId", kind))
    return document(
        CANCELLATION, CANCELLATION_BODY, text("CxlReqRef", status.request), about, write_state(status.state)
    )


def read_cancellation_status(leaves: Leaves) -> RequestStatus:
    """Return what became of a request to cancel; raises Rejected when it is about no settlement instruction."""
    path = "TxId/AcctOwnrTxId/SctiesSttlmTxId"
    if f"{path}/TxId" not in leaves:
        raise refuse(RejectionReason.MISSING, "is about no settlement instruction", field="TxId")
    return RequestStatus(
        request=leaves["CxlReqRef"],
        reference=leaves[f"{path}/TxId"],
        number=leaves.get("TxId/MktInfrstrctrTxId", ""),
        state=_required(leaves),
        delivers=leaves[f"{path}/SctiesMvmntTp"] == "DELI",
        free=leaves[f"{path}/Pmt"] == "FREE",
    )


def write_modification_status(status: RequestStatus) -> str:
    """Return a sese.031 Document."""
    about = tag("ReqDtls", tag("Ref", text("AcctOwnrTxId", status.reference), text("MktInfrstrctrTxId", status.number)))
    return document(MODIFICATION, MODIFICATION_BODY, text("ReqRef", status.request), about, write_state(status.state))


def read_modification_status(leaves: Leaves) -> RequestStatus:
    """Return what became of a request to change; direction and payment are not said in it."""
    return RequestStatus(
        request=leaves["ReqRef"],
        reference=leaves.get("ReqDtls/Ref/AcctOwnrTxId", ""),
        number=leaves.get("ReqDtls/Ref/MktInfrstrctrTxId", ""),
        state=_required(leaves),
    )


def write_state(state: State, group: str = "") -> str:
    """Return one state as its group, choice and reason; ``group`` is what another message calls it."""
    own, choice = state.at.split("/")
    narrative = text("AddtlRsnInf", state.text)
    if state.at in WITHOUT_CODE:
        inner = f"<{choice}>{narrative}</{choice}>"
    elif state.code == "NORE":
        inner = tag(choice, text("NoSpcfdRsn", "NORE"))
    else:
        inner = tag(choice, tag("Rsn", tag("Cd", text("Cd", state.code)), narrative))
    return tag(group or own, inner)


def read_state(leaves: Leaves, group: str) -> State | None:
    """Return the state of a group, or None when the message says nothing of it; a proprietary code reads ``*CODE``."""
    start = group + "/"
    path = next((name for name in leaves if name.startswith(start)), "")
    if not path:
        return None
    at = "/".join(path.split("/")[:2])
    code = leaves.get(f"{at}/NoSpcfdRsn") or leaves.get(f"{at}/Rsn/Cd/Cd", "")
    if proprietary := leaves.get(f"{at}/Rsn/Cd/Prtry/Id", ""):
        code = f"*{proprietary}"
    return State(at, code, leaves.get(f"{at}/AddtlRsnInf") or leaves.get(f"{at}/Rsn/AddtlRsnInf", ""))


def _required(leaves: Leaves) -> State:
    state = read_state(leaves, "PrcgSts")
    if state is None:
        raise refuse(RejectionReason.MISSING, "names no status", field="PrcgSts")
    return state
