"""colr.003 and colr.004, a margin call and what its receiver agrees to; colr.007 and colr.008, collateral proposed and
what becomes of each piece of it.

Party A is who calls (a taker of the pool, by name), party B the participant; the collateral account is the account of
the book. Amounts are HKD: every call of the house is. Initial margin stands in the parts for a segregated independent
amount; variation margin is paid in money, not by these messages.
"""

from __future__ import annotations

import msgspec

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.messages.iso20022.codes import State
from tsingma.messages.iso20022.institutions import ACCOUNT
from tsingma.messages.iso20022.leaves import Leaves, amount, document, tag, text, under
from tsingma.messages.iso20022.parties import ISSUER, Directory, party_code, read_amount, read_isin

CALL, CALL_BODY = "colr.003.001.05", "MrgnCallReq"
RESPONSE, RESPONSE_BODY = "colr.004.001.05", "MrgnCallRspn"
PROPOSAL, PROPOSAL_BODY = "colr.007.001.06", "CollPrpsl"
ANSWER, ANSWER_BODY = "colr.008.001.06", "CollPrpslRspn"
SAID_IN = "colr.008"
INFORMATION_MAX = 35
HKD = "HKD"
_PIECE = "TpAndDtls/CollPrpsl/SgrtdIndpdntAmt"
_DELIVERED = f"{_PIECE}/MvmntDrctn/CollMvmntDrctn/Dlvr"
_AGREED = "AgrdAmtDueToA/SgrtdIndpdntAmt"
_STATED = "MrgnDtlsDueToA/CollBal/TtlColl"
_REQUIRED = "RqrmntDtlsDueToA/SgrtdIndpdntAmtRqrmnt/DlvrMrgnAmt"
_DUE = "MrgnCallRslt/MrgnCallRslt/SgrtdIndpdntAmt/DueToPtyA"


class Obligation(msgspec.Struct, frozen=True):
    """Who calls whom, for which account (PARTICIPANT/CLASS) and day."""

    taker: str
    participant: str
    account: str
    date: str


class MarginCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call: what is required, what is lodged after haircut, and what is due; HKD cents."""

    identifier: str
    about: Obligation
    required: int
    lodged: int
    due: int


class CallResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What the receiver of a call agrees to bring, HKD cents, and what it says beside."""

    identifier: str
    about: Obligation
    call: str
    agreed: int
    note: str = ""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of a proposal: units of a security, or cents of a currency; ``counts`` for it, HKD cents."""

    identifier: str
    asset: str
    amount: int
    counts: int


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """Collateral proposed for a call."""

    identifier: str
    about: Obligation
    call: str
    agreed: int
    pieces: tuple[Piece, ...]


class PieceAnswer(msgspec.Struct, frozen=True):
    """What became of a piece; the state is below ``RspnTp``."""

    identifier: str
    is_cash: bool
    state: State


class ProposalAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a proposal, piece by piece."""

    identifier: str
    about: Obligation
    proposal: str
    pieces: tuple[PieceAnswer, ...]


def write_call(one: MarginCall, directory: Directory) -> str:
    """Return a colr.003 Document; raises Rejected (conflict) where due is not what is required and not lodged."""
    _check_call(one)
    return document(
        CALL, CALL_BODY, text("TxId", one.identifier), _obligation(one.about, directory),
        _nested(_DUE, amount("DueToPtyA", one.due, HKD)), _nested(_STATED, amount("TtlColl", one.lodged, HKD)),
        _nested(_REQUIRED, amount("DlvrMrgnAmt", one.required, HKD)),
    )  # fmt: skip


def read_call(leaves: Leaves, directory: Directory) -> MarginCall:
    """Return a margin call; raises Rejected: an amount is missing, in another currency, or they do not add up."""
    due, lodged, required = (_hkd(leaves, path) for path in (_DUE, _STATED, _REQUIRED))
    found = MarginCall(
        identifier=leaves["TxId"], about=_read_obligation(leaves, directory), required=required, lodged=lodged, due=due
    )
    _check_call(found)
    return found


def write_response(one: CallResponse, directory: Directory) -> str:
    """Return a colr.004 Document."""
    agreed = (amount("AgrdAmt", one.agreed, HKD), text("MrgnCallReqId", one.call), text("AddtlInf", one.note))
    return document(
        RESPONSE, RESPONSE_BODY, text("TxId", one.identifier), _obligation(one.about, directory),
        _nested(f"{_AGREED}/x", *agreed),
    )  # fmt: skip


def read_response(leaves: Leaves, directory: Directory) -> CallResponse:
    """Return what is agreed to; raises Rejected with the path of what is missing or not acted on here."""
    for name in leaves:
        if name.startswith(("AgrdAmtDueToB", "AgrdAmtDueToA/AgrdAmtDtls")):
            raise refuse(RejectionReason.NOT_ALLOWED, "is not acted on here", field=name,
                         remedy=f"send {_AGREED}")  # fmt: skip
    return CallResponse(
        identifier=leaves["TxId"],
        about=_read_obligation(leaves, directory),
        call=leaves.get(f"{_AGREED}/MrgnCallReqId", ""),
        agreed=_hkd(leaves, f"{_AGREED}/AgrdAmt"),
        note=leaves.get(f"{_AGREED}/AddtlInf", ""),
    )


def write_proposal(one: Proposal, directory: Directory) -> str:
    """Return a colr.007 Document: an initial proposal that delivers all its pieces."""
    stock = (_security(piece, one.about.account, directory) for piece in one.pieces if piece.asset not in CURRENCIES)
    cash = (_cash(piece, one.about.account) for piece in one.pieces if piece.asset in CURRENCIES)
    delivered = tag("CollMvmntDrctn", tag("Dlvr", text("MrgnCallReqId", one.call), *stock, *cash))
    inner = tag("SgrtdIndpdntAmt", amount("AgrdAmt", one.agreed, HKD), tag("MvmntDrctn", delivered))
    details = tag("TpAndDtls", text("CollPrpslTp", "INIT"), tag("CollPrpsl", inner))
    return document(PROPOSAL, PROPOSAL_BODY, text("TxId", one.identifier), _obligation(one.about, directory), details)


def read_proposal(leaves: Leaves, directory: Directory) -> Proposal:
    """Return a proposal; raises Rejected with the path of what breaks a usage rule.

    Taken: one delivery of securities and cash for a segregated independent amount; not variation margin, returns, and
    other collateral (guarantees, letters of credit).
    """
    wanted = (
        "TxId",
        "Oblgtn/",
        "Agrmt/",
        "TpAndDtls/CollPrpslTp",
        f"{_PIECE}/AgrdAmt",
        f"{_DELIVERED}/",
        "SplmtryData",
    )
    for name in leaves:
        if not name.startswith(wanted) or name.startswith(f"{_DELIVERED}/OthrColl"):
            raise refuse(RejectionReason.NOT_ALLOWED, "is not acted on here", field=name, remedy="leave it out")
    about, inner = _read_obligation(leaves, directory), under(leaves, _DELIVERED)
    pieces = []
    for start in dict.fromkeys(name.partition("/")[0] for name in inner):
        if start.startswith("SctiesColl"):
            pieces.append(_read_security(under(inner, start), f"{_DELIVERED}/{start}", about.account, directory))
        elif start.startswith("CshColl"):
            pieces.append(_read_cash(under(inner, start), f"{_DELIVERED}/{start}", about.account))
    if not pieces:
        raise refuse(RejectionReason.MISSING, "proposes nothing", field=_DELIVERED, remedy="SctiesColl or CshColl")
    if len({piece.identifier for piece in pieces}) != len(pieces):
        raise refuse(RejectionReason.DUPLICATE, "two pieces of one identifier", field=_DELIVERED, remedy="CollId each")
    return Proposal(
        identifier=leaves["TxId"], about=about, call=inner.get("MrgnCallReqId", ""),
        agreed=_hkd(leaves, f"{_PIECE}/AgrdAmt"), pieces=tuple(pieces),
    )  # fmt: skip


def write_answer(one: ProposalAnswer, directory: Directory) -> str:
    """Return a colr.008 Document."""
    told = {True: "", False: ""}
    for piece in one.pieces:
        name = "CshCollRspn" if piece.is_cash else "SctiesCollRspn"
        kind = text("RspnTp", piece.state.at.partition("/")[2])
        head = (kind, text("CollId", piece.identifier)) if piece.is_cash else (text("CollId", piece.identifier), kind)
        why = text("RjctnRsn", piece.state.code), text("RjctnInf", piece.state.text[:INFORMATION_MAX])
        told[piece.is_cash] += tag(name, *head, *why)
    answer = tag("SgrtdIndpdntAmt", text("CollPrpslId", one.proposal), text("Tp", "INPR"),
                 tag("Rspn", told[False], told[True]))  # fmt: skip
    return document(
        ANSWER, ANSWER_BODY, text("TxId", one.identifier), _obligation(one.about, directory), tag("PrpslRspn", answer)
    )


def read_answer(leaves: Leaves, directory: Directory) -> ProposalAnswer:
    """Return what became of a proposal; raises Rejected for one of variation margin."""
    start = "PrpslRspn/SgrtdIndpdntAmt"
    if f"{start}/CollPrpslId" not in leaves:
        raise refuse(RejectionReason.NOT_ALLOWED, "is not acted on here", field="PrpslRspn", remedy=f"send {start}")
    inner = under(leaves, f"{start}/Rspn")
    pieces = []
    for name in dict.fromkeys(name.partition("/")[0] for name in inner):
        each = under(inner, name)
        state = State(f"RspnTp/{each['RspnTp']}", each.get("RjctnRsn", ""), each.get("RjctnInf", ""))
        pieces.append(PieceAnswer(each.get("CollId", ""), name.startswith("CshCollRspn"), state))
    return ProposalAnswer(
        identifier=leaves["TxId"], about=_read_obligation(leaves, directory),
        proposal=leaves[f"{start}/CollPrpslId"], pieces=tuple(pieces),
    )  # fmt: skip


def _nested(path: str, *content: str) -> str:
    """Return content inside the elements of a path, but the last, which it has itself."""
    inner = "".join(content)
    for name in reversed(path.split("/")[:-1]):
        inner = tag(name, inner)
    return inner


def _obligation(about: Obligation, directory: Directory) -> str:
    taker = tag("PtyA", tag("PrtryId", text("Id", about.taker), text("Issr", ISSUER)))
    bic = directory.bics.get(about.participant, "")
    who = text("AnyBIC", bic) or tag("PrtryId", text("Id", about.participant), text("Issr", ISSUER))
    return tag("Oblgtn", taker, tag("PtyB", who), tag("CollAcctId", text("Id", about.account)),
               tag("ValtnDt", text("Dt", about.date)))  # fmt: skip


def _read_obligation(leaves: Leaves, directory: Directory) -> Obligation:
    inner = under(leaves, "Oblgtn")
    taker = party_code(inner.get("PtyA/PrtryId/Id", ""), inner.get("PtyA/PrtryId/Issr", ""), "Oblgtn/PtyA")
    named = {"p/Id/AnyBIC": inner.get("PtyB/AnyBIC", ""), "p/Id/PrtryId/Id": inner.get("PtyB/PrtryId/Id", ""),
             "p/Id/PrtryId/Issr": inner.get("PtyB/PrtryId/Issr", "")}  # fmt: skip
    try:
        participant = directory.participant(named, "p")
    except Rejected as rejected:
        found = rejected.rejections[0]
        raise refuse(found.reason, found.message, field="Oblgtn/PtyB", remedy=found.remedy) from None
    account = inner.get("CollAcctId/Id", f"{participant}/HOUSE")
    if account.partition("/")[0] != participant:
        raise refuse(RejectionReason.CONFLICT, f"'{account}' is no account of {participant}",
                     field="Oblgtn/CollAcctId/Id")  # fmt: skip
    return Obligation(taker, participant, account, inner.get("ValtnDt/Dt", ""))


def _security(piece: Piece, account: str, directory: Directory) -> str:
    return tag(
        "SctiesColl", text("CollId", piece.identifier), tag("SctyId", text("ISIN", piece.asset)),
        tag("Qty", directory.write_quantity(piece.amount, piece.asset)), amount("CollVal", piece.counts, HKD),
        tag("SfkpgAcct", text("Id", account)), tag("SfkpgPlc", text("Ctry", "HK")),
    )  # fmt: skip


def _cash(piece: Piece, account: str) -> str:
    return tag(
        "CshColl", text("CollId", piece.identifier), tag("CshAcctId", tag("Othr", text("Id", account))),
        amount("DpstAmt", piece.amount, piece.asset), amount("CollVal", piece.counts, HKD),
    )  # fmt: skip


def _read_security(leaves: Leaves, where: str, account: str, directory: Directory) -> Piece:
    isin = read_isin({f"{where}/{name}": value for name, value in leaves.items()}, f"{where}/SctyId")
    _own(leaves.get("SfkpgAcct/Id", account), account, f"{where}/SfkpgAcct/Id")
    counts = read_amount(leaves, "CollVal")[0] if "CollVal" in leaves else 0
    units = int(directory.read_quantity(leaves, "Qty", isin))
    return Piece(identifier=_identifier(leaves, where), asset=isin, amount=units, counts=counts)


def _read_cash(leaves: Leaves, where: str, account: str) -> Piece:
    if "DpstAmt" not in leaves:
        raise refuse(RejectionReason.MISSING, "no amount of money", field=where, remedy="send DpstAmt")
    _own(leaves.get(f"CshAcctId/{ACCOUNT.removeprefix('Id/')}", account), account, f"{where}/CshAcctId")
    cents, currency = read_amount(leaves, "DpstAmt")
    return Piece(identifier=_identifier(leaves, where), asset=currency, amount=cents,
                 counts=read_amount(leaves, "CollVal")[0])  # fmt: skip


def _identifier(leaves: Leaves, where: str) -> str:
    if not leaves.get("CollId"):
        raise refuse(RejectionReason.MISSING, "a piece without an identifier", field=where, remedy="send CollId")
    return leaves["CollId"]


def _own(named: str, account: str, where: str) -> None:
    if named != account:
        raise refuse(RejectionReason.CONFLICT, f"'{named}' is not the account of the call, {account}", field=where)


def _hkd(leaves: Leaves, path: str) -> int:
    if path not in leaves:
        raise refuse(RejectionReason.MISSING, "no amount", field=path, remedy="send it")
    cents, currency = read_amount(leaves, path)
    if currency != HKD:
        raise refuse(RejectionReason.NOT_ALLOWED, f"calls are in {HKD}, not {currency}", field=path)
    return cents


def _check_call(one: MarginCall) -> None:
    if one.due != max(one.required - one.lodged, 0):
        raise refuse(RejectionReason.CONFLICT, "what is due is not what is required and not lodged", field=_DUE,
                     subject=one.identifier)  # fmt: skip
