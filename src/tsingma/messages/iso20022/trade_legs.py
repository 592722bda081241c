"""secl.001, notification of one leg of a novated trade; secl.003, the statement of a member's legs of a day.

A trade has two legs, each against the central counterparty: bought and sold. Trades are those of an exchange's order
book (OOBK, assumed: the trade files do not say how a trade was made).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import numpy as np

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import parse_scaled
from tsingma.clearing.trades import MODE_CNS, Trades
from tsingma.messages.iso20022 import clearing
from tsingma.messages.iso20022.leaves import (
    Leaves,
    amount,
    decimal_cents,
    document,
    moment_text,
    read_moment,
    repeated,
    tag,
    text,
    under,
)
from tsingma.messages.iso20022.parties import Directory, read_amount, read_isin
from tsingma.reference.book import ResolvedBook

NOTIFICATION, NOTIFICATION_BODY = "secl.001.001.03", "TradLegNtfctn"
STATEMENT, STATEMENT_BODY = "secl.003.001.03", "TradLegStmt"


class TradeLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a trade: units bought or sold at a price (x 10,000) for cents, on an account of the member.

    ``netted``: it settles in continuous net settlement; else one by one between the parties of the trade.
    """

    execution: str
    account: str
    bought: bool
    traded: datetime  # with its offset from UTC
    settles: str
    isin: str
    market: str
    units: int
    price_e4: int
    cents: int
    currency: str
    netted: bool

    @property
    def number(self) -> str:
        """The number of the leg: the trade's, and which side of it."""
        return f"{self.execution}-{'B' if self.bought else 'S'}"


class LegStatement(msgspec.Struct, frozen=True):
    """The legs of a member on a day; there is no statement without one."""

    identifier: str
    date: str
    member: str
    legs: tuple[TradeLeg, ...]


def legs_of(trades: Trades, book: ResolvedBook, member: str, midnight: datetime) -> Iterator[TradeLeg]:
    """Return a member's legs of captured trades, in the order of the file; ``midnight`` begins their day."""
    index, cents = book.participant_index[member], trades.amount_cents()
    days = book.markets.settlement_days(to_date(trades.trade_day))
    sides = {True: trades.buyer, False: trades.seller}
    mine = np.zeros(len(trades), np.bool_)
    for column in sides.values():
        mine |= book.account_participant[column] == index
    for place in np.flatnonzero(mine).tolist():
        counter = book.book.counters[int(trades.counter[place])]
        for bought, column in sides.items():
            number = int(column[place])
            if book.account_participant[number] == index:
                yield TradeLeg(
                    execution=str(int(trades.trade_id[place])), account=book.account_name(number), bought=bought,
                    traded=midnight + timedelta(seconds=int(trades.time_s[place])),
                    settles=str(to_date(days[counter.market][0])), isin=counter.isin, market=counter.market,
                    units=int(trades.quantity[place]), price_e4=int(trades.price_e4[place]), cents=int(cents[place]),
                    currency=counter.currency, netted=bool(trades.mode[place] == MODE_CNS),
                )  # fmt: skip


def write_leg(leg: TradeLeg, directory: Directory) -> str:
    """Return a secl.001 Document."""
    return document(
        NOTIFICATION, NOTIFICATION_BODY, clearing.member(_member(leg)), clearing.account("ClrAcct", leg.account),
        _cleared(leg), tag("TradLegDtls", *_details(leg, directory)), _settlement(leg),
    )  # fmt: skip


def read_leg(leaves: Leaves, directory: Directory) -> TradeLeg:
    """Return a leg; raises Rejected: number and side differ, or what breaks a usage rule."""
    return _leg({**leaves, **under(leaves, "TradLegDtls")}, "TradLegDtls", leaves["ClrAcct/Id"], directory)


def write_legs(statement: LegStatement, directory: Directory) -> str:
    """Return a secl.003 Document of one page: the legs by account, in order."""
    groups: dict[str, list[TradeLeg]] = {}
    for leg in statement.legs:
        groups.setdefault(leg.account, []).append(leg)
    details = (
        tag("StmtDtls", clearing.account("ClrAcct", code),
            *(tag("TradLegsDtls", *_details(leg, directory, stated=True)) for leg in legs))
        for code, legs in groups.items()
    )  # fmt: skip
    return document(
        STATEMENT, STATEMENT_BODY,
        tag("StmtParams", text("StmtId", statement.identifier), tag("StmtDtAndTm", text("Dt", statement.date)),
            text("UpdTp", "COMP"), text("Frqcy", "ONDE"), text("ActvtyInd", "true")),
        clearing.ONE_PAGE, clearing.member(statement.member), *details,
    )  # fmt: skip


def read_legs(leaves: Leaves, directory: Directory) -> LegStatement:
    """Return a statement; raises Rejected: several pages, an account that is not named, and as ``read_leg``."""
    clearing.require_whole(leaves)
    found: list[TradeLeg] = []
    for start in repeated(leaves, "StmtDtls"):
        inner = under(leaves, start)
        if "ClrAcct/Id" not in inner:
            raise refuse(RejectionReason.MISSING, "names no account", field=f"{start}/ClrAcct", remedy="send ClrAcct")
        account = inner["ClrAcct/Id"]
        found += [
            _leg(under(inner, leg), f"{start}/{leg}", account, directory) for leg in repeated(inner, "TradLegsDtls")
        ]
    return LegStatement(
        identifier=leaves["StmtParams/StmtId"], date=leaves.get("StmtParams/StmtDtAndTm/Dt", ""),
        member=clearing.read_member(leaves), legs=tuple(found),
    )  # fmt: skip


def _member(leg: TradeLeg) -> str:
    return leg.account.partition("/")[0]


def _cleared(leg: TradeLeg) -> str:
    return tag("ClrDtls", text("SttlmNetgElgblCd", "NETT" if leg.netted else "GROS"),
               text("GrntedTrad", str(leg.netted).lower()))  # fmt: skip


def _settlement(leg: TradeLeg) -> str:
    return tag("SttlmDtls", clearing.signed_amount("SttlmAmt", leg.cents if leg.bought else -leg.cents, leg.currency))


def _details(leg: TradeLeg, directory: Directory, *, stated: bool = False) -> list[str]:
    """Return the elements of a leg; in a statement money and clearing stand inside, in their order there."""
    price = f"{leg.price_e4 // 10_000}.{leg.price_e4 % 10_000:04d}"
    gross = tag("GrssAmt", amount("Amt", leg.cents, leg.currency))
    return [
        text("TradLegId", leg.number), text("TradExctnId", leg.execution), text("TradDt", moment_text(leg.traded)),
        clearing.settles(leg.settles), tag("FinInstrmId", text("ISIN", leg.isin)), text("TradgCcy", leg.currency),
        text("BuySellInd", "BUYI" if leg.bought else "SELL"),
        tag("TradQty", directory.write_quantity(leg.units, leg.isin)),
        tag("DealPric", tag("Val", f'<Amt Ccy="{leg.currency}">{price}</Amt>'), text("Tp", "ACTU")),
        "" if stated else gross, clearing.place_of_trade("PlcOfTrad", leg.market), text("TradTp", "OOBK"),
        clearing.party("TradgPty", _member(leg)),
        text("TradgCpcty", "PRIN" if leg.account.endswith("/HOUSE") else "AGEN"),
        *((_settlement(leg), _cleared(leg), gross) if stated else ()),
    ]  # fmt: skip


def _leg(inner: Leaves, path: str, account: str, directory: Directory) -> TradeLeg:
    bought, isin = inner["BuySellInd"] == "BUYI", read_isin(inner, "FinInstrmId")
    cents, currency = read_amount(inner, "GrssAmt/Amt") if "GrssAmt/Amt" in inner else (0, "")
    settled = "SttlmDtls/SttlmAmt"
    to_pay, unit = clearing.read_signed_amount(inner, settled) if f"{settled}/Amt" in inner else (0, "")
    leg = TradeLeg(
        execution=inner["TradExctnId"], account=account, bought=bought,
        traded=read_moment(inner["TradDt"], f"{path}/TradDt"), settles=inner.get("SttlmDt/Dt", ""), isin=isin,
        market=clearing.market_of(inner, "PlcOfTrad"), units=int(directory.read_quantity(inner, "TradQty", isin)),
        price_e4=parse_scaled(inner.get("DealPric/Val/Amt", ""), 4, field=f"{path}/DealPric/Val"), cents=cents,
        currency=currency, netted=inner.get("ClrDtls/SttlmNetgElgblCd") == "NETT",
    )  # fmt: skip
    if inner["BuySellInd"] not in ("BUYI", "SELL") or inner["TradLegId"] != leg.number:
        raise refuse(RejectionReason.CONFLICT, f"is not leg {leg.number}", field=f"{path}/TradLegId",
                     remedy="BUYI ends in -B, SELL in -S")  # fmt: skip
    if (to_pay, unit) != (cents if bought else -cents, currency) or not currency:
        raise refuse(RejectionReason.CONFLICT, f"settles for {decimal_cents(abs(to_pay))} {unit}",
                     field=f"{path}/GrssAmt", remedy="settle for the amount of the trade")  # fmt: skip
    return leg
