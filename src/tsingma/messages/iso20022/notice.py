"""camt.054, notice of what was credited to and debited from an account: the settled payments of a day.

Entries are booked in real time between accounts of the house: bank transaction code PMNT, RCDT or ICDT, BOOK (assumed:
the external code list was not at hand).
"""

from __future__ import annotations

from datetime import datetime

import msgspec
import numpy as np

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.kernels.payments import SETTLED
from tsingma.messages.iso20022.leaves import Leaves, amount, document, moment_text, read_moment, tag, text, under
from tsingma.messages.iso20022.parties import read_amount

MESSAGE, BODY = "camt.054.001.12", "BkToCstmrDbtCdtNtfctn"


class Entry(msgspec.Struct, frozen=True):
    """One booking: its number, cents in or out, the day it was booked, the account on the other side."""

    number: str
    cents: int
    credited: bool
    date: str
    other: str
    note: str = ""


class Notice(msgspec.Struct, frozen=True):
    """What moved on one account in one currency."""

    identifier: str
    created: datetime
    account: str
    currency: str
    entries: tuple[Entry, ...]


def notices_of(house: House, account: int, identifier: str, created: datetime) -> list[Notice]:
    """Return a notice for each currency in which payments of an account settled on the open day, in their order."""
    ledger, book, table = house.ledger, house.resolved, house.money.payments.table
    owner, asset = ledger.owner, ledger.asset
    if not len(house.money.payments) or house.money.day != house.position.day:
        return []
    sides = {False: owner[table["debit"]] == account, True: owner[table["credit"]] == account}
    mine = (table["status"] == SETTLED) & (sides[False] | sides[True])
    found: dict[int, list[Entry]] = {}
    for number in np.flatnonzero(mine).tolist():
        unit = int(asset[table["debit"][number]])
        if unit >= len(CURRENCIES):
            continue
        for credited in (False, True):
            if sides[credited][number]:
                other = int(owner[table["debit" if credited else "credit"][number]])
                one = Entry(f"P{number}", int(table["amount"][number]), credited, str(created.date()),
                            book.account_name(other))  # fmt: skip
                found.setdefault(unit, []).append(one)
    return [
        Notice(
            f"{identifier}-{CURRENCIES[unit]}", created, book.account_name(account), CURRENCIES[unit], tuple(entries)
        )
        for unit, entries in sorted(found.items())
    ]


def write_notice(one: Notice) -> str:
    """Return a camt.054 Document."""
    account = tag("Acct", tag("Id", tag("Othr", text("Id", one.account))), text("Ccy", one.currency))
    return document(
        MESSAGE, BODY,
        tag("GrpHdr", text("MsgId", one.identifier), text("CreDtTm", moment_text(one.created))),
        tag("Ntfctn", text("Id", one.identifier), account,
            *(write_entry(entry, one.currency) for entry in one.entries)),
    )  # fmt: skip


def read_notice(leaves: Leaves) -> Notice:
    """Return a notice; raises Rejected: several accounts in one, an entry in another currency, or not booked."""
    if any(name.startswith("Ntfctn[") for name in leaves):
        raise refuse(
            RejectionReason.NOT_ALLOWED, "has several accounts", field="Ntfctn", remedy="one account a message"
        )
    currency = leaves.get("Ntfctn/Acct/Ccy", "")
    inner = under(leaves, "Ntfctn")
    starts = list(dict.fromkeys(name.partition("/")[0] for name in inner if name.startswith("Ntry")))
    return Notice(
        identifier=leaves["Ntfctn/Id"],
        created=read_moment(leaves["GrpHdr/CreDtTm"], "GrpHdr/CreDtTm"),
        account=leaves.get("Ntfctn/Acct/Id/Othr/Id", ""),
        currency=currency,
        entries=tuple(read_entry(under(inner, start), f"Ntfctn/{start}", currency) for start in starts),
    )


def write_entry(one: Entry, currency: str) -> str:
    """Return the entry of a notice or statement."""
    family = "RCDT" if one.credited else "ICDT"
    code = tag("Domn", text("Cd", "PMNT"), tag("Fmly", text("Cd", family), text("SubFmlyCd", "BOOK")))
    side = "DbtrAcct" if one.credited else "CdtrAcct"
    other = tag("RltdPties", tag(side, tag("Id", tag("Othr", text("Id", one.other)))))
    return tag(
        "Ntry", text("NtryRef", one.number), amount("Amt", one.cents, currency),
        text("CdtDbtInd", "CRDT" if one.credited else "DBIT"), tag("Sts", text("Cd", "BOOK")),
        tag("BookgDt", text("Dt", one.date)), tag("BkTxCd", code), tag("NtryDtls", tag("TxDtls", other)),
        text("AddtlNtryInf", one.note),
    )  # fmt: skip


def read_entry(leaves: Leaves, where: str, currency: str) -> Entry:
    """Return an entry; raises Rejected (conflict) for one in another currency, or not booked."""
    cents, unit = read_amount(leaves, "Amt")
    if unit != currency or leaves.get("Sts/Cd") != "BOOK":
        raise refuse(
            RejectionReason.CONFLICT, f"is not booked in {currency}", field=where, remedy="send booked entries"
        )
    credited = leaves["CdtDbtInd"] == "CRDT"
    side = "DbtrAcct" if credited else "CdtrAcct"
    return Entry(
        number=leaves.get("NtryRef", ""),
        cents=cents,
        credited=credited,
        date=leaves.get("BookgDt/Dt", ""),
        other=leaves.get(f"NtryDtls/TxDtls/RltdPties/{side}/Id/Othr/Id", ""),
        note=leaves.get("AddtlNtryInf", ""),
    )
