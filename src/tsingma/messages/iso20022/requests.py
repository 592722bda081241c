"""sese.020, the request to cancel an instruction; sese.030, to hold, release, prioritise, part or link one."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.messages.iso20022.instruction import read_flag
from tsingma.messages.iso20022.leaves import Leaves, document, tag, text
from tsingma.settlement.instruction import PRIORITIES

CANCELLATION, CANCELLATION_BODY = "sese.020.001.07", "SctiesTxCxlReq"
MODIFICATION, MODIFICATION_BODY = "sese.030.001.09", "SctiesSttlmCondsModReq"
POSITIONS = {"together": "WITH", "before": "BEFO", "after": "AFTE"}
_OF_TRANSACTION = "AcctOwnrTxId/SctiesSttlmTxId"


class Cancellation(msgspec.Struct, frozen=True, kw_only=True):
    """Cancel the instruction that has the owner's reference; ``number`` is the house's, when it is known."""

    reference: str
    delivers: bool
    free: bool
    account: str = ""
    number: str = ""


class Modification(msgspec.Struct, frozen=True, kw_only=True):
    """Change how one instruction is processed; empty and None change nothing.

    ``link`` is a kind of ``settlement.links.LINK_KINDS`` with the owner's ``linked`` references, or ``unlink``.
    """

    reference: str
    account: str = ""
    hold: bool | None = None
    priority: str = ""
    partial: bool | None = None
    link: str = ""
    linked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """One act on an instruction, in the words of ``ChangeInstruction`` and ``LinkInstructions``."""

    action: str
    value: int = 0
    linked: tuple[str, ...] = ()


def write_cancellation(one: Cancellation) -> str:
    """Return a sese.020 Document."""
    movement = "DELI" if one.delivers else "RECE"
    kind = tag("SctiesSttlmTxId", text("TxId", one.reference), text("SctiesMvmntTp", movement),
               text("Pmt", "FREE" if one.free else "APMT"))  # fmt: skip
    return document(
        CANCELLATION, CANCELLATION_BODY, tag("AcctOwnrTxId", kind), text("MktInfrstrctrTxId", one.number),
        tag("SfkpgAcct", text("Id", one.account)),
    )  # fmt: skip


def read_cancellation(leaves: Leaves) -> Cancellation:
    """Return a request to cancel; raises Rejected when it is about something else than a settlement instruction."""
    if f"{_OF_TRANSACTION}/TxId" not in leaves:
        raise refuse(RejectionReason.NOT_ALLOWED, "is about no settlement instruction", field="AcctOwnrTxId",
                     remedy="send SctiesSttlmTxId")  # fmt: skip
    return Cancellation(
        reference=leaves[f"{_OF_TRANSACTION}/TxId"],
        delivers=leaves[f"{_OF_TRANSACTION}/SctiesMvmntTp"] == "DELI",
        free=leaves[f"{_OF_TRANSACTION}/Pmt"] == "FREE",
        account=leaves.get("SfkpgAcct/Id", ""),
        number=leaves.get("MktInfrstrctrTxId", ""),
    )


def write_modification(*several: Modification) -> str:
    """Return a sese.030 Document of one account's changes."""
    account = tag("SfkpgAcct", text("Id", several[0].account))
    return document(MODIFICATION, MODIFICATION_BODY, account, *(_details(one) for one in several))


def _details(one: Modification) -> str:
    links = [
        tag("Lnkgs", tag("PrcgPos", text("Cd", POSITIONS[one.link])), tag("Ref", text("SctiesSttlmTxId", reference)))
        for reference in one.linked
    ]
    kind = "UNLK" if one.link == "unlink" else "LINK" if one.link else ""
    return tag(
        "ReqDtls", tag("Ref", text("AcctOwnrTxId", one.reference)), tag("Lkg", text("Cd", kind)),
        tag("Prty", text("Nmrc", f"{PRIORITIES.index(one.priority) + 1:04d}" if one.priority else "")),
        text("PrtlSttlmInd", "" if one.partial is None else "PART" if one.partial else "NPAR"),
        tag("HldInd", text("Ind", "" if one.hold is None else str(one.hold).lower())), *links,
    )  # fmt: skip


def read_modification(leaves: Leaves) -> tuple[Modification, ...]:
    """Return the changes a sese.030 asks for; raises Rejected for what is not acted on here."""
    known = {"SfkpgAcct/Id"}
    end = "/Ref/AcctOwnrTxId"
    starts = [name.removesuffix(end) for name in leaves if name.startswith("ReqDtls") and name.endswith(end)]
    found = tuple(_one(leaves, start, known) for start in starts)
    for name in leaves:
        informs = name.startswith(("AcctOwnr/", "SplmtryData", "AddtlInf")) or "/HldInd/Rsn" in name
        if name not in known and not informs:
            raise refuse(
                RejectionReason.NOT_ALLOWED, "is not acted on here", field=name,
                remedy="hold, release, priority, parts and links of an instruction by its AcctOwnrTxId",
            )  # fmt: skip
    return found


def _one(leaves: Leaves, start: str, known: set[str]) -> Modification:
    def take(name: str) -> str:
        known.add(f"{start}/{name}")
        return leaves.get(f"{start}/{name}", "")

    positions = {code: name for name, code in POSITIONS.items()}
    kind, linked, asked = take("Lkg/Cd"), [], set()
    for place in range(1, 1 + sum(name.startswith(f"{start}/Lnkgs") for name in leaves)):
        there = "Lnkgs" if place == 1 else f"Lnkgs[{place}]"
        if f"{start}/{there}/Ref/SctiesSttlmTxId" in leaves:
            linked.append(take(f"{there}/Ref/SctiesSttlmTxId"))
            asked.add(positions.get(take(f"{there}/PrcgPos/Cd"), "together"))
    if (kind, len(asked)) not in (("", 0), ("UNLK", 0), ("LINK", 1)):
        raise refuse(RejectionReason.CONFLICT, "links contradict each other", field=f"{start}/Lkg",
                     remedy="LINK and one position for all, or UNLK and no linkage")  # fmt: skip
    priority, parts, hold = take("Prty/Nmrc"), take("PrtlSttlmInd"), take("HldInd/Ind")
    names = {f"{place:04d}": name for place, name in enumerate(PRIORITIES, 1)}
    if (priority and priority not in names) or parts not in ("", "PART", "NPAR"):
        raise refuse(RejectionReason.NOT_ALLOWED, "is not acted on here", field=f"{start}/Prty",
                     remedy=f"{', '.join(names)}; PART or NPAR")  # fmt: skip
    return Modification(
        reference=take("Ref/AcctOwnrTxId"),
        account=leaves.get("SfkpgAcct/Id", ""),
        hold=read_flag(hold) if hold else None,
        priority=names.get(priority, ""),
        partial=None if not parts else parts == "PART",
        link="unlink" if kind == "UNLK" else next(iter(asked), ""),
        linked=tuple(linked),
    )


def actions_of(one: Modification) -> tuple[Action, ...]:
    """Return what a modification asks for, act by act, in the order the message has them."""
    found: list[Action] = []
    if one.link == "unlink":
        found.append(Action("unlink"))
    elif one.link:
        found.append(Action(one.link, linked=one.linked))
    if one.priority:
        found.append(Action("prioritise", PRIORITIES.index(one.priority)))
    if one.partial is not None:
        found.append(Action("permit-parts" if one.partial else "refuse-parts"))
    if one.hold is not None:
        found.append(Action("hold" if one.hold else "release"))
    return tuple(found)
