"""secl.004, the report of net positions: all that a member still has to deliver, receive and pay, day by day.

It covers what is due on days to come, and what was due and has not settled, which keeps the day it was due. secl.010
(:mod:`obligation`) tells of one day.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.messages.iso20022 import clearing
from tsingma.messages.iso20022.leaves import Leaves, document, repeated, tag, text, under
from tsingma.messages.iso20022.parties import Directory, read_isin

MESSAGE, BODY = "secl.004.001.03", "NetPos"


class NetPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Units to receive (+) or deliver (-) and cents to pay (+) or receive (-), on one account, of one day."""

    account: str
    isin: str
    market: str
    settles: str
    units: int
    currency: str
    cents: int


class NetPositionReport(msgspec.Struct, frozen=True):
    """The net positions of a member; there is no report without one."""

    identifier: str
    date: str
    member: str
    positions: tuple[NetPosition, ...]


def net_positions_of(house: House, member: str, identifier: str) -> NetPositionReport | None:
    """Return everything a member has open with the central counterparty, oldest first; None for nothing."""
    index = house.resolved.participant_index[member]
    found = (*_open(house, index), *_to_come(house, index))
    today = str(to_date(house.position.day))
    return NetPositionReport(identifier, today, member, found) if found else None


def _to_come(house: House, index: int) -> Iterator[NetPosition]:
    book = house.resolved
    for day in house.obligations.days:
        due = house.obligations.due(day)
        for place in np.flatnonzero(book.account_participant[due.account] == index).tolist():
            traded = book.book.counters[int(due.counter[place])]
            yield NetPosition(
                account=book.account_name(int(due.account[place])), isin=traded.isin, market=traded.market,
                settles=str(to_date(day)), units=int(due.quantity[place]), currency=traded.currency,
                cents=int(due.amount_cents[place]),
            )  # fmt: skip


def _open(house: House, index: int) -> Iterator[NetPosition]:
    """Return the lines of settlement that are open: units once, on the line of the settlement counter's currency."""
    book, lines = house.resolved, house.settlement.positions
    unmoved = lines.due_cents - lines.settled_cents
    money: dict[int, dict[int, int]] = {}
    for place, line in enumerate(lines.money_line.tolist()):
        money.setdefault(line, {})[int(lines.money_currency[place])] = int(unmoved[place])
    for line in np.flatnonzero(book.account_participant[lines.account] == index).tolist():
        security, units = int(lines.security[line]), int(lines.open[line])
        home = int(book.counter_currency[book.settlement_counter[security]])
        for unit, cents in sorted({home: 0, **money.get(line, {})}.items()):
            if cents or (units and unit == home):
                yield NetPosition(
                    account=book.account_name(int(lines.account[line])), isin=book.securities[security],
                    market=book.markets.codes[int(lines.market[line])],
                    settles=str(to_date(int(lines.since_day[line]))),
                    units=units if unit == home else 0, currency=CURRENCIES[unit], cents=cents,
                )  # fmt: skip


def write_net_positions(report: NetPositionReport, directory: Directory) -> str:
    """Return a secl.004 Document of one page."""
    return document(
        MESSAGE, BODY,
        tag("RptParams", text("NetPosId", report.identifier), tag("RptDtAndTm", text("Dt", report.date)),
            text("UpdTp", "COMP"), text("Frqcy", "ONDE"), text("ActvtyInd", "true")),
        clearing.ONE_PAGE, clearing.member(report.member), *(_position(one, directory) for one in report.positions),
    )  # fmt: skip


def read_net_positions(leaves: Leaves, directory: Directory) -> NetPositionReport:
    """Return a report; raises Rejected: several pages, an unknown security or currency, money without direction."""
    clearing.require_whole(leaves)
    return NetPositionReport(
        identifier=leaves["RptParams/NetPosId"], date=leaves.get("RptParams/RptDtAndTm/Dt", ""),
        member=clearing.read_member(leaves),
        positions=tuple(
            _read(under(leaves, start), start, directory) for start in repeated(leaves, "NetPosRpt")
        ),
    )  # fmt: skip


def _position(one: NetPosition, directory: Directory) -> str:
    """Return one position; who moves money alone receives nothing of a security, as the element asks for a side."""
    return tag(
        "NetPosRpt", clearing.account("ClrAcct", one.account), tag("FinInstrmId", text("ISIN", one.isin)),
        clearing.signed_amount("NetPosAmt", one.cents, one.currency),
        tag("NetQty", directory.write_quantity(abs(one.units), one.isin)),
        text("SctiesMvmntTp", "DELI" if one.units < 0 else "RECE"),
        tag("Dpstry", tag("NmAndAdr", text("Nm", clearing.DEPOSITORY))),
        clearing.place_of_trade("PlcOfTrad", one.market), clearing.settles(one.settles),
    )  # fmt: skip


def _read(leaves: Leaves, where: str, directory: Directory) -> NetPosition:
    isin = read_isin(leaves, "FinInstrmId")
    units = int(directory.read_quantity(leaves, "NetQty", isin))
    cents, currency = clearing.read_signed_amount(leaves, "NetPosAmt")
    if units == 0 and leaves["SctiesMvmntTp"] == "DELI":
        raise refuse(RejectionReason.CONFLICT, "delivers nothing", field=where, remedy="RECE for money alone")
    return NetPosition(
        account=leaves["ClrAcct/Id"], isin=isin, market=clearing.market_of(leaves, "PlcOfTrad"),
        settles=leaves.get("SttlmDt/Dt", ""), units=-units if leaves["SctiesMvmntTp"] == "DELI" else units,
        currency=currency, cents=cents,
    )  # fmt: skip
