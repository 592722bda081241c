"""semt.017, the report of what was posted on an account in a period: each change of a balance between two states.

A change is told by the instruction that settled where there is one, else by the record of the journal that made it, so
that what an account held at the start, with all that is told, is what it holds at the end.
"""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.messages.iso20022.clearing import require_whole
from tsingma.messages.iso20022.leaves import Leaves, amount, document, repeated, tag, text, under
from tsingma.messages.iso20022.parties import Directory, read_amount, read_isin

MESSAGE, BODY = "semt.017.001.12", "SctiesTxPstngRpt"
NO_REFERENCE = "NONREF"
ACTIVITIES = ("SETT", "CORP")


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """Units in (above 0) or out, with the money of the same settlement: in (above 0) or out, none without currency."""

    reference: str
    number: str  # I12 an instruction, J345 a record of the journal
    activity: str
    date: str
    units: int
    currency: str = ""
    cents: int = 0
    counterparty: str = ""


class SecurityPostings(msgspec.Struct, frozen=True):
    """What an account held of a security at the start and the end (an issuer less than 0), and the postings between."""

    isin: str
    opening: int
    closing: int
    postings: tuple[Posting, ...]


class PostingReport(msgspec.Struct, frozen=True):
    """Postings of an account in a period, by security; nothing was posted on others."""

    identifier: str
    from_date: str
    to_date: str
    account: str
    securities: tuple[SecurityPostings, ...]


def write_postings(report: PostingReport, directory: Directory) -> str:
    """Return a semt.017 Document of one page, by settlement."""
    period = tag("StmtPrd", tag("FrDtToDt", text("FrDt", report.from_date), text("ToDt", report.to_date)))
    return document(
        MESSAGE, BODY,
        tag("Pgntn", text("PgNb", "1"), text("LastPgInd", "true")),
        tag("StmtGnlDtls", text("StmtId", report.identifier), period, tag("Frqcy", text("Cd", "ADHO")),
            tag("UpdTp", text("Cd", "COMP")), tag("StmtBsis", text("Cd", "SETT")),
            text("ActvtyInd", "true" if report.securities else "false"), text("SubAcctInd", "false")),
        tag("AcctOwnr", directory.write_participant(report.account.partition("/")[0])),
        tag("SfkpgAcct", text("Id", report.account)),
        *(_security(one, directory) for one in report.securities),
    )  # fmt: skip


def read_postings(leaves: Leaves, directory: Directory) -> PostingReport:
    """Return a report; raises Rejected: several pages, balances that postings do not explain, what breaks a rule."""
    require_whole(leaves)
    return PostingReport(
        identifier=leaves.get("StmtGnlDtls/StmtId", ""),
        from_date=leaves.get("StmtGnlDtls/StmtPrd/FrDtToDt/FrDt", ""),
        to_date=leaves.get("StmtGnlDtls/StmtPrd/FrDtToDt/ToDt", ""), account=leaves.get("SfkpgAcct/Id", ""),
        securities=tuple(
            _read_security(under(leaves, start), start, directory) for start in repeated(leaves, "FinInstrmDtls")
        ),
    )  # fmt: skip


def _security(one: SecurityPostings, directory: Directory) -> str:
    def balance(name: str, choice: str, units: int) -> str:
        quantity = tag("Qty", directory.write_quantity(abs(units), one.isin))
        return tag(name, text("ShrtLngInd", "SHOR" if units < 0 else "LONG"), tag(name, tag(choice, quantity)))

    return tag(
        "FinInstrmDtls", tag("FinInstrmId", text("ISIN", one.isin)), balance("OpngBal", "Frst", one.opening),
        balance("ClsgBal", "Fnl", one.closing), *(_posting(posting, one.isin, directory) for posting in one.postings),
    )  # fmt: skip


def _posting(one: Posting, isin: str, directory: Directory) -> str:
    money = ""
    if one.currency:
        sign = text("CdtDbt", "DBIT" if one.cents < 0 else "CRDT")
        money = tag("PstngAmt", amount("Amt", abs(one.cents), one.currency), sign)
    other = ""
    if one.counterparty:
        name = "RcvgSttlmPties" if one.units < 0 else "DlvrgSttlmPties"
        other = tag(name, tag("Pty1", directory.write_participant(one.counterparty)))
    details = tag(
        "TxDtls", tag("TxActvty", text("Cd", one.activity)), text("SctiesMvmntTp", "DELI" if one.units < 0 else "RECE"),
        text("Pmt", "APMT" if one.currency else "FREE"),
        tag("PstngQty", tag("Qty", directory.write_quantity(abs(one.units), isin))), money,
        tag("FctvSttlmDt", text("Dt", one.date)), other,
    )  # fmt: skip
    return tag("Tx", text("AcctOwnrTxId", one.reference), text("MktInfrstrctrTxId", one.number), details)


def _read_security(leaves: Leaves, where: str, directory: Directory) -> SecurityPostings:
    isin = read_isin(leaves, "FinInstrmId")

    def balance(name: str, choice: str) -> int:
        units = int(directory.read_quantity(leaves, f"{name}/{name}/{choice}/Qty", isin))
        return -units if leaves.get(f"{name}/ShrtLngInd") == "SHOR" else units

    opening, closing = balance("OpngBal", "Frst"), balance("ClsgBal", "Fnl")
    postings = tuple(
        _read_posting(under(leaves, start), isin, f"{where}/{start}", directory) for start in repeated(leaves, "Tx")
    )
    if opening + sum(one.units for one in postings) != closing:
        raise refuse(RejectionReason.CONFLICT, "postings do not lead from opening to closing balance", field=where)
    return SecurityPostings(isin, opening, closing, postings)


def _read_posting(leaves: Leaves, isin: str, where: str, directory: Directory) -> Posting:
    inner = under(leaves, "TxDtls")
    if not inner:
        raise refuse(RejectionReason.MISSING, "says nothing of the transaction", field=where, remedy="send TxDtls")
    units, delivers = int(directory.read_quantity(inner, "PstngQty/Qty", isin)), inner["SctiesMvmntTp"] == "DELI"
    cents, currency = read_amount(inner, "PstngAmt/Amt") if "PstngAmt/Amt" in inner else (0, "")
    side = "RcvgSttlmPties/Pty1" if delivers else "DlvrgSttlmPties/Pty1"
    return Posting(
        reference=leaves["AcctOwnrTxId"], number=leaves.get("MktInfrstrctrTxId", ""),
        activity=inner.get("TxActvty/Cd", ""), date=inner.get("FctvSttlmDt/Dt", ""),
        units=-units if delivers else units, currency=currency,
        cents=-cents if inner.get("PstngAmt/CdtDbt") == "DBIT" else cents,
        counterparty=directory.participant(inner, side) if under(inner, side) else "",
    )  # fmt: skip
