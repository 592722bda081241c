"""camt.053, statement of a cash account for the open day: what stood on it, each payment, all else in one, what stands.

The opening balance is what stood when the day of money began. What was booked beside payments (settlement, margin,
repo) is one entry of its net, so that opening and entries add up to the closing balance; a statement that does not is
refused.
Codes of balances: OPBD and CLBD booked, CLAV available (less what is held and pledged).
"""

from __future__ import annotations

from datetime import datetime

import msgspec
import numpy as np

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.messages.iso20022.leaves import Leaves, amount, document, moment_text, read_moment, tag, text, under
from tsingma.messages.iso20022.notice import Entry, notices_of, read_entry, write_entry
from tsingma.messages.iso20022.parties import read_amount

MESSAGE, BODY = "camt.053.001.12", "BkToCstmrStmt"
OTHER = "other bookings of the day, net"
_BALANCES = {"OPBD": "opening", "CLBD": "closing", "CLAV": "available"}


class AccountStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One account in one currency on a day; balances are cents and may be below zero."""

    identifier: str
    created: datetime
    account: str
    currency: str
    date: str
    opening: int
    closing: int
    available: int
    entries: tuple[Entry, ...]


def statements_of(house: House, account: int, identifier: str, created: datetime) -> list[AccountStatement]:
    """Return a statement for each currency in which an account has, or had, money on the open day.

    Raises Rejected (missing) while the day of money has not begun.
    """
    money, ledger = house.money, house.ledger
    if not money.used or money.day != house.position.day:
        raise refuse(RejectionReason.MISSING, "the day of money has not begun", remedy="run payments first")
    notices = {one.currency: one.entries for one in notices_of(house, account, identifier, created)}
    found = []
    for row in np.flatnonzero((ledger.owner == account) & (ledger.asset < len(CURRENCIES))).tolist():
        currency, closing = CURRENCIES[int(ledger.asset[row])], int(ledger.balance[row])
        opening = int(money.opening[row]) if row < money.opening.size else 0
        entries = notices.get(currency, ())
        rest = closing - opening - _net(entries)
        if rest:
            entries = (*entries, Entry("OTHER", abs(rest), rest > 0, str(created.date()), "", OTHER))
        if entries or opening or closing:
            free = closing - int(ledger.held[row]) - int(ledger.pledged[row])
            found.append(
                AccountStatement(
                    identifier=f"{identifier}-{currency}", created=created,
                    account=house.resolved.account_name(account), currency=currency, date=str(created.date()),
                    opening=opening, closing=closing, available=free, entries=entries,
                )
            )  # fmt: skip
    return found


def write_statement(one: AccountStatement) -> str:
    """Return a camt.053 Document; raises Rejected (conflict) where entries do not lead from opening to closing."""
    _check(one)
    account = tag("Acct", tag("Id", tag("Othr", text("Id", one.account))), text("Ccy", one.currency))
    balances = (_balance(code, getattr(one, name), one) for code, name in _BALANCES.items())
    return document(
        MESSAGE, BODY,
        tag("GrpHdr", text("MsgId", one.identifier), text("CreDtTm", moment_text(one.created))),
        tag("Stmt", text("Id", one.identifier), account, *balances,
            *(write_entry(entry, one.currency) for entry in one.entries)),
    )  # fmt: skip


def read_statement(leaves: Leaves) -> AccountStatement:
    """Return a statement; raises Rejected: several accounts, a balance missing or in another currency, a wrong sum."""
    if any(name.startswith("Stmt[") for name in leaves):
        raise refuse(RejectionReason.NOT_ALLOWED, "has several accounts", field="Stmt", remedy="one account a message")
    inner = under(leaves, "Stmt")
    currency = inner.get("Acct/Ccy", "")
    balances: dict[str, int] = {}
    day = ""
    for start in dict.fromkeys(name.partition("/")[0] for name in inner if name.startswith("Bal")):
        each = under(inner, start)
        name = _BALANCES.get(each.get("Tp/CdOrPrtry/Cd", ""))
        cents, unit = read_amount(each, "Amt")
        if unit != currency:
            raise refuse(RejectionReason.CONFLICT, f"a balance in {unit}, not {currency}", field=f"Stmt/{start}/Amt")
        if name is not None:
            balances[name] = cents if each["CdtDbtInd"] == "CRDT" else -cents
            day = each.get("Dt/Dt", "")
    missing = [code for code, name in _BALANCES.items() if name not in balances]
    if missing:
        raise refuse(RejectionReason.MISSING, f"no balance {missing[0]}", field="Stmt/Bal")
    starts = dict.fromkeys(name.partition("/")[0] for name in inner if name.startswith("Ntry"))
    found = AccountStatement(
        identifier=inner["Id"],
        created=read_moment(leaves["GrpHdr/CreDtTm"], "GrpHdr/CreDtTm"),
        account=inner.get("Acct/Id/Othr/Id", ""),
        currency=currency,
        date=day,
        entries=tuple(read_entry(under(inner, start), f"Stmt/{start}", currency) for start in starts),
        **balances,
    )
    _check(found)
    return found


def _balance(code: str, cents: int, one: AccountStatement) -> str:
    return tag(
        "Bal", tag("Tp", tag("CdOrPrtry", text("Cd", code))), amount("Amt", abs(cents), one.currency),
        text("CdtDbtInd", "DBIT" if cents < 0 else "CRDT"), tag("Dt", text("Dt", one.date)),
    )  # fmt: skip


def _net(entries: tuple[Entry, ...]) -> int:
    return sum(one.cents if one.credited else -one.cents for one in entries)


def _check(one: AccountStatement) -> None:
    if one.opening + _net(one.entries) != one.closing:
        raise refuse(
            RejectionReason.CONFLICT, "opening balance and entries do not add up to the closing balance",
            field="Stmt/Bal", subject=one.account,
        )  # fmt: skip
