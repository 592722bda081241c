"""What all reports of clearing (secl) say in the same way: who is told, on which account, in which page, how much."""

from __future__ import annotations

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.messages.iso20022.leaves import Leaves, amount, tag, text
from tsingma.messages.iso20022.parties import ISSUER, party_code, read_amount

DEPOSITORY = "HKSCC"
ONE_PAGE = tag("Pgntn", text("PgNb", "1"), text("LastPgInd", "true"))
MARKET_TYPE = tag("Tp", text("Cd", "EXCH"))


def member(code: str) -> str:
    """Return the clearing member a report is for, by its code: the BIC of these messages is of an older form."""
    return tag("ClrMmb", _own(code))


def party(name: str, code: str) -> str:
    """Return a participant by its code."""
    return tag(name, _own(code))


def read_member(leaves: Leaves, path: str = "ClrMmb") -> str:
    """Return the code of a clearing member; raises Rejected: missing, another scheme's code."""
    return party_code(leaves.get(f"{path}/PrtryId/Id", ""), leaves.get(f"{path}/PrtryId/Issr", ""), path)


def account(name: str, code: str) -> str:
    """Return ``PARTICIPANT/CLASS`` with whose positions it holds: the house's own or clients'."""
    return tag(name, text("Id", code), text("Tp", "HOUS" if code.endswith("/HOUSE") else "CLIE"))


def require_whole(leaves: Leaves) -> None:
    """Refuse a page of several: what is read here is one report, whole."""
    if leaves["Pgntn/PgNb"].strip("0") != "1" or leaves["Pgntn/LastPgInd"].strip() not in ("true", "1"):
        raise refuse(RejectionReason.NOT_ALLOWED, "is not the whole report", field="Pgntn", remedy="send one page")


def signed_amount(name: str, cents: int, currency: str) -> str:
    """Return what is to be paid (cents above 0, DBIT) or received (below, CRDT)."""
    return tag(name, amount("Amt", abs(cents), currency),
               text("CdtDbtInd", "DBIT" if cents > 0 else "CRDT" if cents else ""))  # fmt: skip


def read_signed_amount(leaves: Leaves, path: str) -> tuple[int, str]:
    """Return cents to pay (+) or receive (-) and the currency; raises Rejected (conflict) without a direction."""
    cents, currency = read_amount(leaves, f"{path}/Amt")
    side = leaves.get(f"{path}/CdtDbtInd", "")
    if cents and not side:
        raise refuse(RejectionReason.CONFLICT, "money without direction", field=path, remedy="send CdtDbtInd")
    return (cents if side == "DBIT" else -cents), currency


def market_of(leaves: Leaves, path: str) -> str:
    """Return the market of a place of trade: by MIC, or by its name where it has none."""
    return leaves.get(f"{path}/Id/MktIdrCd") or leaves.get(f"{path}/Id/Desc", "")


def place_of_trade(name: str, market: str) -> str:
    """Return a market by its MIC, or by its name where it has none."""
    return tag(name, tag("Id", text("MktIdrCd" if len(market) == 4 else "Desc", market)), MARKET_TYPE)


def settles(day: str) -> str:
    """Return a settlement date."""
    return tag("SttlmDt", text("Dt", day))


def _own(code: str) -> str:
    return tag("PrtryId", text("Id", code), text("Issr", ISSUER))
