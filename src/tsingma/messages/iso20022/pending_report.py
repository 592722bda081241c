"""semt.018, the report of what is pending on an account: orders without a match and instructions not yet settled.

Statuses and their codes are those of sese.024, so a row of ``codes.toml`` says both; its ``PrcgSts`` is here called
``InstrPrcgSts``.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.messages.iso20022.answers import instruction_advice, order_advice
from tsingma.messages.iso20022.codes import State
from tsingma.messages.iso20022.leaves import Leaves, amount, document, repeated, tag, text, under
from tsingma.messages.iso20022.parties import Directory, read_amount, read_isin
from tsingma.messages.iso20022.status import GROUPS, StatusAdvice, read_state, write_state
from tsingma.settlement.instruction import CANCELLED, KINDS, SETTLED
from tsingma.settlement.orders import WAITING

MESSAGE, BODY = "semt.018.001.13", "SctiesTxPdgRpt"
_RENAMED = {"PrcgSts": "InstrPrcgSts"}
_WITHOUT = "payment without delivery"


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """What of an order or instruction is still to settle, on one side, and where it stands."""

    reference: str
    number: str
    delivers: bool
    counterparty: str
    intended_date: str
    trade_date: str = ""
    isin: str = ""
    units: int = 0
    currency: str = ""
    cents: int = 0
    credited: bool = False
    states: tuple[State, ...] = ()


class PendingReport(msgspec.Struct, frozen=True):
    """What is pending on one account, orders first."""

    identifier: str
    date: str
    account: str
    pending: tuple[Pending, ...]


def pending_of(house: House, account: int, identifier: str) -> PendingReport:
    """Return what is pending on an account; nothing is a report without lines."""
    found = (*_orders(house, account), *_instructions(house, account))
    return PendingReport(identifier, str(to_date(house.position.day)), house.resolved.account_name(account), found)


def _orders(house: House, account: int) -> Iterator[Pending]:
    table = house.settlement.orders.table
    for number in np.flatnonzero((table["account"] == account) & (table["status"] == WAITING)).tolist():
        cell = {name: int(column[number]) for name, column in table.items()}
        counterparty = house.resolved.book.participants[cell["counterparty"]].code
        moved = (cell["asset"], cell["against"], cell["quantity"], cell["amount_cents"])
        yield _pending(house, order_advice(house, number), counterparty, bool(cell["delivers"]), cell, moved)


def _instructions(house: House, account: int) -> Iterator[Pending]:
    instructions, accounts = house.settlement.instructions, house.resolved.book.accounts
    table, orders = instructions.table, house.settlement.orders.table
    is_open = (table["status"] != SETTLED) & (table["status"] != CANCELLED)
    mine = (table["deliverer"] == account) | (table["receiver"] == account)
    for number in np.flatnonzero(is_open & mine).tolist():
        cell = {name: int(column[number]) for name, column in table.items()}
        chosen = np.array([number], np.int64)
        left = int((instructions.second_leg(chosen) - instructions.settled_amount(chosen))[0])
        moved = (cell["asset"], cell["against"], cell["open_quantity"], left)
        for delivers, own, other in ((True, "deliverer", "receiver"), (False, "receiver", "deliverer")):
            if cell[own] == account:
                order = cell[f"{own}_order"]
                terms = {**cell, "trade_day": int(orders["trade_day"][order]) if order >= 0 else 0}
                code = accounts[cell[other]].participant
                yield _pending(house, instruction_advice(house, number, delivers), code, delivers, terms, moved)


def _pending(
    house: House, told: StatusAdvice, counterparty: str, delivers: bool, cell: dict[str, int],
    moved: tuple[int, int, int, int],
) -> Pending:  # fmt: skip
    """Return one side; ``moved`` is what is delivered, what the other leg moves, units and cents still to move."""
    asset, against, units, cents = moved
    is_stock, is_money = asset >= len(CURRENCIES), 0 <= against < len(CURRENCIES)
    return Pending(
        reference=told.reference, number=told.number, delivers=delivers, counterparty=counterparty,
        intended_date=str(to_date(cell["intended_day"])),
        trade_date=str(to_date(cell["trade_day"])) if cell["trade_day"] else "",
        isin=house.resolved.asset_name(asset) if is_stock else "", units=units if is_stock else 0,
        currency=CURRENCIES[against] if is_money else "", cents=cents if is_money else 0,
        credited=is_money and (KINDS[cell["kind"]] in ("dvp", "pvp")) == delivers, states=told.states,
    )  # fmt: skip


def write_pending(report: PendingReport, directory: Directory) -> str:
    """Return a semt.018 Document of one page, ordered by transaction."""
    return document(
        MESSAGE, BODY,
        tag("Pgntn", text("PgNb", "1"), text("LastPgInd", "true")),
        tag("StmtGnlDtls", text("StmtId", report.identifier), tag("StmtDtTm", text("Dt", report.date)),
            tag("Frqcy", text("Cd", "ADHO")), tag("UpdTp", text("Cd", "COMP")), text("StmtStr", "TRAN"),
            text("ActvtyInd", "true" if report.pending else "false")),
        tag("AcctOwnr", directory.write_participant(report.account.partition("/")[0])),
        tag("SfkpgAcct", text("Id", report.account)),
        *(_write(one, directory) for one in report.pending),
    )  # fmt: skip


def read_pending(leaves: Leaves, directory: Directory) -> PendingReport:
    """Return a report; raises Rejected: not complete, more than one page, ordered by status, or what breaks a rule."""
    if leaves["Pgntn/PgNb"].strip("0") != "1" or leaves["Pgntn/LastPgInd"].strip() not in ("true", "1"):
        raise refuse(RejectionReason.NOT_ALLOWED, "is not the whole report", field="Pgntn", remedy="send one page")
    if (leaves.get("StmtGnlDtls/UpdTp/Cd"), leaves["StmtGnlDtls/StmtStr"]) != ("COMP", "TRAN"):
        raise refuse(RejectionReason.NOT_ALLOWED, "is not complete by transaction", field="StmtGnlDtls",
                     remedy="COMP and TRAN")  # fmt: skip
    return PendingReport(
        identifier=leaves.get("StmtGnlDtls/StmtId", ""), date=leaves.get("StmtGnlDtls/StmtDtTm/Dt", ""),
        account=leaves.get("SfkpgAcct/Id", ""),
        pending=tuple(_read(under(leaves, start), start, directory) for start in repeated(leaves, "Txs")),
    )  # fmt: skip


def _write(one: Pending, directory: Directory) -> str:
    money = ""
    if one.currency:
        sign = text("CdtDbtInd", "CRDT" if one.credited else "DBIT")
        money = tag("PstngAmt", amount("Amt", one.cents, one.currency), sign)
    details = tag(
        "TxDtls", tag("TxActvty", text("Cd", "SETT")), text("SctiesMvmntTp", "DELI" if one.delivers else "RECE"),
        text("Pmt", "APMT" if one.currency else "FREE"),
        tag("FinInstrmId", text("ISIN", one.isin), text("Desc", "" if one.isin else _WITHOUT)),
        tag("PstngQty", tag("Qty", directory.write_quantity(one.units, one.isin))), money,
        tag("TradDt", tag("Dt", text("Dt", one.trade_date))), tag("SttlmDt", tag("Dt", text("Dt", one.intended_date))),
        tag("RcvgSttlmPties" if one.delivers else "DlvrgSttlmPties",
            tag("Pty1", directory.write_participant(one.counterparty))),
    )  # fmt: skip
    statuses = (
        tag("StsAndRsn", write_state(state, _RENAMED.get(state.at.partition("/")[0], ""))) for state in one.states
    )
    return tag("Txs", text("AcctOwnrTxId", one.reference), text("MktInfrstrctrTxId", one.number), details, *statuses)


def _read(leaves: Leaves, where: str, directory: Directory) -> Pending:
    inner = under(leaves, "TxDtls")
    if not inner:
        raise refuse(RejectionReason.MISSING, "says nothing of the transaction", field=where, remedy="send TxDtls")
    delivers = inner["SctiesMvmntTp"] == "DELI"
    isin = read_isin(inner, "FinInstrmId") if "FinInstrmId/ISIN" in inner else ""
    cents, currency = read_amount(inner, "PstngAmt/Amt") if "PstngAmt/Amt" in inner else (0, "")
    return Pending(
        reference=leaves["AcctOwnrTxId"], number=leaves.get("MktInfrstrctrTxId", ""), delivers=delivers,
        counterparty=directory.participant(inner, f"{'Rcvg' if delivers else 'Dlvrg'}SttlmPties/Pty1"),
        intended_date=inner.get("SttlmDt/Dt/Dt", ""), trade_date=inner.get("TradDt/Dt/Dt", ""), isin=isin,
        units=int(directory.read_quantity(inner, "PstngQty/Qty", isin)), currency=currency, cents=cents,
        credited=inner.get("PstngAmt/CdtDbtInd") == "CRDT",
        states=tuple(_states(leaves)),
    )  # fmt: skip


def _states(leaves: Leaves) -> Iterator[State]:
    own = {other: name for name, other in _RENAMED.items()}
    for start in repeated(leaves, "StsAndRsn"):
        inner = under(leaves, start)
        for group in (*_RENAMED.values(), *GROUPS):
            state = read_state(inner, group)
            if state is not None:
                yield State(state.at.replace(group, own.get(group, group), 1), state.code, state.text)
