"""semt.002, the statement of what one account holds, and the account of a house as such a statement."""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.messages.iso20022.leaves import Leaves, document, tag, text
from tsingma.messages.iso20022.parties import Directory, read_isin

MESSAGE, BODY = "semt.002.001.11", "SctiesBalCtdyRpt"
HELD, PLEDGED = "BLOK", "PLED"  # sub-balances: on hold, pledged


class Holding(msgspec.Struct, frozen=True):
    """Units of a security, and what of them is on hold or pledged; the rest is available."""

    isin: str
    units: int
    held: int = 0
    pledged: int = 0


class HoldingStatement(msgspec.Struct, frozen=True):
    """What an account holds at the end of a day (``final``) or now."""

    identifier: str
    account: str
    date: str
    final: bool
    holdings: tuple[Holding, ...]


def statement_of(house: House, account: int, identifier: str) -> HoldingStatement:
    """Return what an account holds, every security it has units of, in the order of assets."""
    ledger = house.ledger
    rows = np.flatnonzero((ledger.owner == account) & (ledger.asset >= len(CURRENCIES)) & (ledger.balance > 0))
    rows = rows[np.argsort(ledger.asset[rows])]
    lines = (
        Holding(house.resolved.asset_name(int(ledger.asset[row])), int(ledger.balance[row]), int(ledger.held[row]),
                int(ledger.pledged[row]))
        for row in rows.tolist()
    )  # fmt: skip
    day = str(to_date(house.position.day))
    return HoldingStatement(
        identifier, house.resolved.account_name(account), day, not house.position.is_open, tuple(lines)
    )


def write_holdings(one: HoldingStatement, directory: Directory) -> str:
    """Return a semt.002 Document of one page, by settlement."""
    return document(
        MESSAGE, BODY,
        tag("Pgntn", text("PgNb", "1"), text("LastPgInd", "true")),
        tag("StmtGnlDtls", text("StmtId", one.identifier), tag("StmtDtTm", text("Dt", one.date)),
            tag("Frqcy", text("Cd", "DAIL" if one.final else "ADHO")), tag("UpdTp", text("Cd", "COMP")),
            tag("StmtBsis", text("Cd", "SETT")), text("ActvtyInd", "true" if one.holdings else "false"),
            text("SubAcctInd", "false")),
        tag("AcctOwnr", directory.write_participant(one.account.partition("/")[0])),
        tag("SfkpgAcct", text("Id", one.account)),
        *(_balance(line, directory) for line in one.holdings),
    )  # fmt: skip


def read_holdings(leaves: Leaves, directory: Directory) -> HoldingStatement:
    """Return a statement; raises Rejected: not complete, more than one page, parts that do not add up."""
    if leaves["Pgntn/PgNb"].strip("0") != "1" or leaves["Pgntn/LastPgInd"].strip() not in ("true", "1"):
        raise refuse(RejectionReason.NOT_ALLOWED, "is not the whole statement", field="Pgntn", remedy="send one page")
    if (leaves.get("StmtGnlDtls/UpdTp/Cd"), leaves.get("StmtGnlDtls/StmtBsis/Cd")) != ("COMP", "SETT"):
        raise refuse(RejectionReason.NOT_ALLOWED, "is not complete by settlement", field="StmtGnlDtls",
                     remedy="COMP and SETT")  # fmt: skip
    starts = list(dict.fromkeys(name.partition("/")[0] for name in leaves if name.startswith("BalForAcct")))
    return HoldingStatement(
        identifier=leaves.get("StmtGnlDtls/StmtId", ""),
        account=leaves.get("SfkpgAcct/Id", ""),
        date=leaves.get("StmtGnlDtls/StmtDtTm/Dt", ""),
        final=leaves.get("StmtGnlDtls/Frqcy/Cd") == "DAIL",
        holdings=tuple(_holding(leaves, start, directory) for start in starts),
    )


def _balance(line: Holding, directory: Directory) -> str:
    def quantity(units: int) -> str:
        return tag("Qty", directory.write_quantity(units, line.isin))

    parts = [
        tag("BalBrkdwn", tag("SubBalTp", text("Cd", code)), tag("Qty", tag("Qty", quantity(units))))
        for code, units in ((HELD, line.held), (PLEDGED, line.pledged))
        if units
    ]
    free = line.units - line.held - line.pledged
    return tag(
        "BalForAcct", tag("FinInstrmId", text("ISIN", line.isin)),
        tag("AggtBal", text("ShrtLngInd", "LONG"), tag("Qty", tag("Qty", quantity(line.units)))),
        tag("AvlblBal", tag("Qty", quantity(free))), *parts,
    )  # fmt: skip


def _holding(leaves: Leaves, start: str, directory: Directory) -> Holding:
    isin = read_isin(leaves, f"{start}/FinInstrmId")
    if leaves[f"{start}/AggtBal/ShrtLngInd"] != "LONG":
        raise refuse(RejectionReason.NOT_ALLOWED, "nobody is short", field=f"{start}/AggtBal/ShrtLngInd")

    def units(path: str) -> int:
        return int(directory.read_quantity(leaves, f"{start}/{path}", isin))

    parts = {HELD: 0, PLEDGED: 0}
    for name in [name for name in leaves if name.startswith(f"{start}/BalBrkdwn") and name.endswith("/SubBalTp/Cd")]:
        parts[leaves[name]] = units(f"{name.split('/')[1]}/Qty/Qty/Qty")
    line = Holding(isin, units("AggtBal/Qty/Qty/Qty"), parts[HELD], parts[PLEDGED])
    free = f"{start}/AvlblBal/Qty/Qty"
    given = any(name.startswith(free) for name in leaves)
    if len(parts) > 2 or (given and units("AvlblBal/Qty/Qty") != line.units - line.held - line.pledged):
        raise refuse(RejectionReason.CONFLICT, "available, on hold and pledged do not add up", field=f"{start}/AggtBal",
                     remedy=f"sub-balances {HELD} and {PLEDGED}")  # fmt: skip
    return line
