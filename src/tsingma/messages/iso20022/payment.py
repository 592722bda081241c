"""pacs.009, pacs.008 and camt.050: payments between institutions, for customers, and of liquidity, to and from the
lines of a payment file.

Used: who pays whom, from and to which account of the book, an amount, a priority (URGT, HIGH, NORM), the time by which
it is due (``TillTm``, Hong Kong time) and the settlement date, which must be the open day. A pacs.008 is paid on behalf
of others: its agents are the participants, its debtor and creditor are named and not looked up. Pairs and the mainland
link have no form in them here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import numpy as np

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.messages.iso20022.institutions import (
    ACCOUNT,
    NAMES,
    read_account,
    read_institution,
    write_account,
    write_institution,
)
from tsingma.messages.iso20022.leaves import Leaves, amount, decimal_cents, document, moment_text, tag, text, under
from tsingma.messages.iso20022.parties import Directory, read_amount
from tsingma.messages.payment_file import COLUMNS, read_payments
from tsingma.reference.book import ResolvedBook

MESSAGE, BODY = "pacs.009.001.11", "FICdtTrf"
CUSTOMER_MESSAGE, CUSTOMER_BODY = "pacs.008.001.12", "FIToFICstmrCdtTrf"
LIQUIDITY_MESSAGE, LIQUIDITY_BODY = "camt.050.001.07", "LqdtyCdtTrf"
PRIORITIES = {"urgent": "URGT", "high": "HIGH", "normal": "NORM"}
_TIME = re.compile(r"(\d\d:\d\d:\d\d)(\.0+)?(\+08:00)?")
_TERMS = {
    "PmtId/InstrId", "PmtId/EndToEndId", "IntrBkSttlmAmt", "IntrBkSttlmAmt/@Ccy", "IntrBkSttlmDt", "SttlmPrty",
    "SttlmTmReq/TillTm",
}  # fmt: skip
_INFORMS = ("PmtId/", "InstgAgt/", "InstdAgt/", "Purp/", "RmtInf/", "SplmtryData")
_GROUP = ("GrpHdr/", "SplmtryData")


@dataclass(frozen=True, slots=True)
class _Form:
    """What differs between the two: who the participants are in it, and what it says that is not acted on."""

    message: str
    body: str
    sides: tuple[str, str]
    customers: bool
    informs: tuple[str, ...]

    def reads(self, name: str) -> bool:
        """Return whether a leaf of a payment is acted on, or informs only."""
        if name in _TERMS or name.startswith((*_INFORMS, *self.informs)):
            return True
        side, _, leaf = name.partition("/")
        return (side in self.sides and leaf in NAMES) or (side in self.accounts and leaf == ACCOUNT)

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(f"{side}Acct" for side in self.sides)


_INSTITUTIONS = _Form(MESSAGE, BODY, ("Dbtr", "Cdtr"), customers=False, informs=())
_CUSTOMERS = _Form(
    CUSTOMER_MESSAGE, CUSTOMER_BODY, ("DbtrAgt", "CdtrAgt"), customers=True,
    informs=("Dbtr/", "DbtrAcct/", "Cdtr/", "CdtrAcct/", "UltmtDbtr/", "UltmtCdtr/", "InitgPty/", "ChrgBr", "InstdAmt",
             "RltdRmtInf", "RgltryRptg"),
)  # fmt: skip
_FORMS = {form.message: form for form in (_INSTITUTIONS, _CUSTOMERS)}


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """One payment as text; the fields are those of a payment file (docs/money.md). Accounts are PARTICIPANT/CLASS.

    ``date`` is the settlement date ("": none given); ``debtor`` and ``creditor`` are names of customers.
    """

    reference: str
    payer: str
    payee: str
    currency: str
    amount: str
    priority: str = "normal"
    due: str = ""
    date: str = ""
    on_behalf: str = ""
    debtor: str = ""
    creditor: str = ""


def read_payment_message(leaves: Leaves, directory: Directory, message: str = MESSAGE) -> tuple[Payment, ...]:
    """Return the payments of a pacs.009 or pacs.008; raises Rejected with the path of what breaks a usage rule.

    The number of payments (``NbOfTxs``), and their sum where it is given, must be what the header says.
    """
    starts = sorted({name.partition("/")[0] for name in leaves if name.startswith("CdtTrfTxInf")}, key=_place)
    for name in leaves:
        if not name.startswith(("CdtTrfTxInf", *_GROUP)):
            raise refuse(RejectionReason.NOT_ALLOWED, "is not acted on here", field=name, remedy="leave it out")
    found = tuple(_one(under(leaves, start), start, directory, _FORMS[message]) for start in starts)
    said = int(leaves["GrpHdr/NbOfTxs"])
    if said != len(found):
        raise refuse(RejectionReason.CONFLICT, f"{said} payments announced, {len(found)} sent", field="GrpHdr/NbOfTxs")
    if "GrpHdr/TtlIntrBkSttlmAmt" in leaves:
        cents, currency = read_amount(leaves, "GrpHdr/TtlIntrBkSttlmAmt")
        total = sum(read_amount(leaves, f"{start}/IntrBkSttlmAmt")[0] for start in starts)
        if total != cents or any(one.currency != currency for one in found):
            raise refuse(RejectionReason.CONFLICT, f"payments of {decimal_cents(total)} do not add up to it",
                         field="GrpHdr/TtlIntrBkSttlmAmt")  # fmt: skip
    day = leaves.get("GrpHdr/IntrBkSttlmDt", "")
    return tuple(msgspec.structs.replace(one, date=one.date or day) for one in found)


def write_payment_message(several: Sequence[Payment], directory: Directory, identifier: str, created: datetime) -> str:
    """Return a pacs.009 Document of one or more payments, a pacs.008 of payments on behalf of others.

    Raises Rejected (conflict) for both kinds together, (missing) for customers without a name.
    """
    kinds = {one.on_behalf == "yes" for one in several}
    if len(kinds) != 1:
        raise refuse(RejectionReason.CONFLICT, "payments of one kind go in one message", field="on_behalf")
    form = _CUSTOMERS if kinds.pop() else _INSTITUTIONS
    return document(
        form.message, form.body,
        tag("GrpHdr", text("MsgId", identifier), text("CreDtTm", moment_text(created)),
            text("NbOfTxs", str(len(several))), tag("SttlmInf", text("SttlmMtd", "CLRG"))),
        *(_transfer(one, directory, form) for one in several),
    )  # fmt: skip


def read_liquidity_transfer(leaves: Leaves, directory: Directory) -> Payment:
    """Return the payment of a camt.050; raises Rejected with the path of what breaks a usage rule.

    Its reference is the transfer's own, or the message's. Money moves between accounts of the house's book.
    """
    inner, start = under(leaves, LIQUIDITY_BODY), f"{LIQUIDITY_BODY}/"
    for name in inner:
        side, _, leaf = name.partition("/")
        known = (side in ("Dbtr", "Cdtr") and leaf in NAMES) or (side in ("DbtrAcct", "CdtrAcct") and leaf == ACCOUNT)
        if not known and not name.startswith(("LqdtyTrfId/", "TrfdAmt/AmtWthCcy", "SttlmDt")):
            raise refuse(RejectionReason.NOT_ALLOWED, "is not acted on here", field=start + name, remedy="leave it out")
    try:
        cents, currency = read_amount(inner, "TrfdAmt/AmtWthCcy")
    except KeyError:
        raise refuse(RejectionReason.MISSING, "no currency", field=f"{start}TrfdAmt", remedy="AmtWthCcy") from None
    payer, payee = (
        read_account(inner, f"{side}Acct", read_institution(inner, side, directory, start), start)
        for side in ("Dbtr", "Cdtr")
    )
    own = inner.get("LqdtyTrfId/InstrId") or inner.get("LqdtyTrfId/EndToEndId")
    return Payment(
        reference=own or leaves["MsgHdr/MsgId"], payer=payer, payee=payee, currency=currency,
        amount=decimal_cents(cents), date=inner.get("SttlmDt", ""),
    )  # fmt: skip


def write_liquidity_transfer(one: Payment, directory: Directory, created: datetime) -> str:
    """Return a camt.050 Document; its message is named by the payment's reference."""
    parties = []
    for side, account in (("Cdtr", one.payee), ("Dbtr", one.payer)):
        parties.append(write_institution(side, account.partition("/")[0], directory))
        parties.append(write_account(f"{side}Acct", account))
    return document(
        LIQUIDITY_MESSAGE, LIQUIDITY_BODY,
        tag("MsgHdr", text("MsgId", one.reference), text("CreDtTm", moment_text(created))),
        tag(LIQUIDITY_BODY, *parties[:2], tag("TrfdAmt", amount("AmtWthCcy", _cents(one), one.currency)), *parties[2:],
            text("SttlmDt", one.date)),
    )  # fmt: skip


def payment_columns(
    several: Sequence[Payment], lines: Sequence[int], book: ResolvedBook, *, file: str
) -> dict[str, np.ndarray]:
    """Return payments as columns of ``engine.payments.COLUMNS``; raises Rejected as ``read_payments`` does.

    ``lines`` are where each payment stands in ``file``.
    """
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(msgspec.structs.asdict(one) for one in several)
    try:
        return dict(read_payments(out.getvalue().encode(), book, file=file))
    except Rejected as rejected:
        raise Rejected(*(_at_message(one, lines) for one in rejected.rejections)) from None


def _at_message(one: Rejection, lines: Sequence[int]) -> Rejection:
    place = one.line - 2  # the header is line 1
    return msgspec.structs.replace(one, line=lines[place] if 0 <= place < len(lines) else 0)


def _place(start: str) -> int:
    return int(start.partition("[")[2].rstrip("]") or 1)


def _one(leaves: Leaves, start: str, directory: Directory, form: _Form) -> Payment:
    where = f"{start}/"
    for name in leaves:
        if not form.reads(name):
            raise refuse(RejectionReason.NOT_ALLOWED, "is not acted on here", field=where + name, remedy="leave it out")
    cents, currency = read_amount(leaves, "IntrBkSttlmAmt")
    payer, payee = (
        read_account(leaves, f"{side}Acct", read_institution(leaves, side, directory, where), where)
        for side in form.sides
    )
    names = {code: name for name, code in PRIORITIES.items()}
    debtor, creditor = (leaves.get(f"{side}/Nm", "") if form.customers else "" for side in ("Dbtr", "Cdtr"))
    if form.customers and not (debtor and creditor):
        side = "Cdtr" if debtor else "Dbtr"
        raise refuse(RejectionReason.MISSING, "a customer without a name", field=f"{where}{side}", remedy="send Nm")
    return Payment(
        reference=leaves.get("PmtId/InstrId") or leaves["PmtId/EndToEndId"],
        payer=payer,
        payee=payee,
        currency=currency,
        amount=decimal_cents(cents),
        priority=names[leaves.get("SttlmPrty", "NORM")],
        due=_due(leaves.get("SttlmTmReq/TillTm", ""), start),
        date=leaves.get("IntrBkSttlmDt", ""),
        on_behalf="yes" if form.customers else "",
        debtor=debtor,
        creditor=creditor,
    )


def _due(value: str, start: str) -> str:
    if not value:
        return ""
    found = _TIME.fullmatch(value.strip())
    if found is None:
        raise refuse(RejectionReason.MALFORMED, f"'{value}' is no time of day in Hong Kong",
                     field=f"{start}/SttlmTmReq/TillTm", remedy="HH:MM:SS+08:00, in whole seconds")  # fmt: skip
    return found[1]


def _cents(one: Payment) -> int:
    return int(one.amount.replace(".", ""))


def _transfer(one: Payment, directory: Directory, form: _Form) -> str:
    terms = "".join((
        tag("PmtId", text("InstrId", one.reference), text("EndToEndId", one.reference)),
        amount("IntrBkSttlmAmt", _cents(one), one.currency), text("IntrBkSttlmDt", one.date),
        text("SttlmPrty", PRIORITIES[one.priority]),
        tag("SttlmTmReq", text("TillTm", f"{one.due}+08:00" if one.due else "")),
    ))  # fmt: skip
    parties = [
        write_institution(side, account.partition("/")[0], directory) + write_account(f"{side}Acct", account)
        for side, account in zip(form.sides, (one.payer, one.payee), strict=True)
    ]
    if not form.customers:
        return tag("CdtTrfTxInf", terms, *parties)
    if not (one.debtor and one.creditor):
        raise refuse(RejectionReason.MISSING, "a customer without a name", field="debtor", subject=one.reference)
    debtor, creditor = tag("Dbtr", text("Nm", one.debtor)), tag("Cdtr", text("Nm", one.creditor))
    return tag("CdtTrfTxInf", terms, text("ChrgBr", "SHAR"), debtor, *parties, creditor)
