"""pacs.009, payments between institutions, to and from the lines of a payment file.

Used: who pays whom, from and to which account of the book, an amount, a priority (URGT, HIGH, NORM) and the time by
which it is due (``TillTm``, Hong Kong time). Pairs, payments for others and the mainland link have no form in it here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.messages.iso20022.leaves import Leaves, amount, decimal_cents, document, moment_text, tag, text, under
from tsingma.messages.iso20022.parties import ISSUER, Directory, read_amount
from tsingma.messages.payment_file import COLUMNS, read_payments
from tsingma.reference.book import ResolvedBook

MESSAGE, BODY = "pacs.009.001.11", "FICdtTrf"
PRIORITIES = {"urgent": "URGT", "high": "HIGH", "normal": "NORM"}
_TIME = re.compile(r"(\d\d:\d\d:\d\d)(\.0+)?(\+08:00)?")
_PARTY = ("FinInstnId/BICFI", "FinInstnId/LEI", "FinInstnId/Othr/Id", "FinInstnId/Othr/Issr")
_READ = {
    "PmtId/InstrId", "PmtId/EndToEndId", "IntrBkSttlmAmt", "IntrBkSttlmAmt/@Ccy", "SttlmPrty", "SttlmTmReq/TillTm",
    "DbtrAcct/Id/Othr/Id", "CdtrAcct/Id/Othr/Id", *(f"{side}/{leaf}" for side in ("Dbtr", "Cdtr") for leaf in _PARTY),
}  # fmt: skip
_INFORMS = ("PmtId/", "IntrBkSttlmDt", "InstgAgt/", "InstdAgt/", "Purp/", "RmtInf/", "SplmtryData")
_GROUP = ("GrpHdr/", "SplmtryData")


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """One payment as text; the fields are those of a payment file (docs/money.md). Accounts are PARTICIPANT/CLASS."""

    reference: str
    payer: str
    payee: str
    currency: str
    amount: str
    priority: str = "normal"
    due: str = ""


def read_payment_message(leaves: Leaves, directory: Directory) -> tuple[Payment, ...]:
    """Return the payments of a pacs.009; raises Rejected with the path of what breaks a usage rule.

    The number of payments (``NbOfTxs``), and their sum where it is given, must be what the header says.
    """
    starts = sorted({name.partition("/")[0] for name in leaves if name.startswith("CdtTrfTxInf")}, key=_place)
    for name in leaves:
        if not name.startswith(("CdtTrfTxInf", *_GROUP)):
            raise refuse(RejectionReason.NOT_ALLOWED, "is not acted on here", field=name, remedy="leave it out")
    found = tuple(_one(under(leaves, start), start, directory) for start in starts)
    said = int(leaves["GrpHdr/NbOfTxs"])
    if said != len(found):
        raise refuse(RejectionReason.CONFLICT, f"{said} payments announced, {len(found)} sent", field="GrpHdr/NbOfTxs")
    if "GrpHdr/TtlIntrBkSttlmAmt" in leaves:
        cents, currency = read_amount(leaves, "GrpHdr/TtlIntrBkSttlmAmt")
        total = sum(read_amount(leaves, f"{start}/IntrBkSttlmAmt")[0] for start in starts)
        if total != cents or any(one.currency != currency for one in found):
            raise refuse(RejectionReason.CONFLICT, f"payments of {decimal_cents(total)} do not add up to it",
                         field="GrpHdr/TtlIntrBkSttlmAmt")  # fmt: skip
    return found


def write_payment_message(several: Sequence[Payment], directory: Directory, identifier: str, created: datetime) -> str:
    """Return a pacs.009 Document of one or more payments."""
    return document(
        MESSAGE, BODY,
        tag("GrpHdr", text("MsgId", identifier), text("CreDtTm", moment_text(created)),
            text("NbOfTxs", str(len(several))), tag("SttlmInf", text("SttlmMtd", "CLRG"))),
        *(_transfer(one, directory) for one in several),
    )  # fmt: skip


def payment_columns(
    several: Sequence[Payment], lines: Sequence[int], book: ResolvedBook, *, file: str
) -> dict[str, np.ndarray]:
    """Return payments as columns of ``engine.payments.COLUMNS``; raises Rejected as ``read_payments`` does.

    ``lines`` are where each payment stands in ``file``.
    """
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
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


def _one(leaves: Leaves, start: str, directory: Directory) -> Payment:
    for name in leaves:
        if name not in _READ and not name.startswith(_INFORMS):
            raise refuse(RejectionReason.NOT_ALLOWED, "is not acted on here", field=f"{start}/{name}",
                         remedy="leave it out")  # fmt: skip
    cents, currency = read_amount(leaves, "IntrBkSttlmAmt")
    payer, payee = (_account(leaves, side, start, directory) for side in ("Dbtr", "Cdtr"))
    names = {code: name for name, code in PRIORITIES.items()}
    return Payment(
        reference=leaves.get("PmtId/InstrId") or leaves["PmtId/EndToEndId"],
        payer=payer,
        payee=payee,
        currency=currency,
        amount=decimal_cents(cents),
        priority=names[leaves.get("SttlmPrty", "NORM")],
        due=_due(leaves.get("SttlmTmReq/TillTm", ""), start),
    )


def _account(leaves: Leaves, side: str, start: str, directory: Directory) -> str:
    """Return PARTICIPANT/CLASS: the account that is named, which is the institution's, or its own account."""
    named = {
        "p/Id/AnyBIC": leaves.get(f"{side}/FinInstnId/BICFI", ""), "p/LEI": leaves.get(f"{side}/FinInstnId/LEI", ""),
        "p/Id/PrtryId/Id": leaves.get(f"{side}/FinInstnId/Othr/Id", ""),
        "p/Id/PrtryId/Issr": leaves.get(f"{side}/FinInstnId/Othr/Issr", ""),
    }  # fmt: skip
    try:
        code = directory.participant(named, "p")
    except Rejected as rejected:
        found = rejected.rejections[0]
        raise refuse(found.reason, found.message, field=f"{start}/{side}/FinInstnId", remedy=found.remedy) from None
    account = leaves.get(f"{side}Acct/Id/Othr/Id", f"{code}/HOUSE")
    if account.partition("/")[0] != code:
        raise refuse(RejectionReason.CONFLICT, f"'{account}' is no account of {code}",
                     field=f"{start}/{side}Acct/Id/Othr/Id")  # fmt: skip
    return account


def _due(value: str, start: str) -> str:
    if not value:
        return ""
    found = _TIME.fullmatch(value.strip())
    if found is None:
        raise refuse(RejectionReason.MALFORMED, f"'{value}' is no time of day in Hong Kong",
                     field=f"{start}/SttlmTmReq/TillTm", remedy="HH:MM:SS+08:00, in whole seconds")  # fmt: skip
    return found[1]


def _transfer(one: Payment, directory: Directory) -> str:
    cents = int(one.amount.replace(".", ""))
    parties = {name: account.partition("/")[0] for name, account in (("Dbtr", one.payer), ("Cdtr", one.payee))}
    return tag(
        "CdtTrfTxInf", tag("PmtId", text("InstrId", one.reference), text("EndToEndId", one.reference)),
        amount("IntrBkSttlmAmt", cents, one.currency), text("SttlmPrty", PRIORITIES[one.priority]),
        tag("SttlmTmReq", text("TillTm", f"{one.due}+08:00" if one.due else "")),
        _institution("Dbtr", parties["Dbtr"], directory), _cash_account("DbtrAcct", one.payer),
        _institution("Cdtr", parties["Cdtr"], directory), _cash_account("CdtrAcct", one.payee),
    )  # fmt: skip


def _institution(name: str, code: str, directory: Directory) -> str:
    bic = text("BICFI", directory.bics.get(code, ""))
    return tag(name, tag("FinInstnId", bic or tag("Othr", text("Id", code), text("Issr", ISSUER))))


def _cash_account(name: str, account: str) -> str:
    return tag(name, tag("Id", tag("Othr", text("Id", account))))
