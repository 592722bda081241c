"""Files of a default: assets to pledge, houses' close-outs, lots and bids, members and debts (CSV)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.basics.rounding import parse_scaled
from tsingma.margin.joint.close_out import CloseOut
from tsingma.margin.resources.auction import Bid
from tsingma.margin.resources.collateral import E4, Asset
from tsingma.messages.rows import read_rows

ASSET_COLUMNS = ("id", "kind", "value", "cost")
HOUSE_COLUMNS = ("house", "margin", "profit", "credit")
LOT_COLUMNS = ("lot", "reserve", "must_bid")
BID_COLUMNS = ("lot", "bidder", "amount")
MEMBER_COLUMNS = ("member", "assets", "debts_outside")
TAKER_COLUMNS = ("taker", "call")
DEBT_COLUMNS = ("debtor", "creditor", "amount")
CLOSE_OUT_COLUMNS = ("account", "asset", "taker", "price")
PRICE_DECIMALS = 4


class CloseOutRow(NamedTuple):
    """One close-out of a defaulter: its account, a security's counter or ISIN or a series, who takes it, the price."""

    line: int
    account: str
    asset: str
    taker: str
    price_e4: int


def read_assets(data: bytes, *, file: str = "assets.csv") -> tuple[Asset, ...]:
    """Return assets: whole HKD at market, ``cost`` of pledging a year as a decimal; raises Rejected naming the line."""
    found = []
    for line, row in read_rows(data, file, ASSET_COLUMNS, numbers=("value",), optional=("cost",)):
        try:
            cost_e4 = round(float(row["cost"] or 0) * E4)
        except (ValueError, OverflowError):
            cost_e4 = -1
        if not 0 <= cost_e4 <= E4 or int(row["value"]) < 0:
            message = f"'{row['value']}' at a cost of '{row['cost']}': a value of 0 or more, a decimal from 0 to 1"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, file=file, line=line, field="value or cost")
        found.append(Asset(id=row["id"], kind=row["kind"], value=int(row["value"]), cost_e4=cost_e4))
    return tuple(found)


def read_taker_calls(data: bytes, *, file: str = "calls.csv") -> dict[str, int]:
    """Return whole HKD called by taker; raises Rejected naming the line of a taker twice or a call below zero."""
    found: dict[str, int] = {}
    for line, row in read_rows(data, file, TAKER_COLUMNS, numbers=("call",)):
        if row["taker"] in found or int(row["call"]) < 0:
            message = f"'{row['taker']}' calling {row['call']}: each taker once, 0 or more"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, file=file, line=line, field="taker or call")
        found[row["taker"]] = int(row["call"])
    return found


def read_close_outs(data: bytes, *, file: str = "houses.csv") -> tuple[CloseOut, ...]:
    """Return each house's margin held, profit of closing out (minus is a loss) and credit granted, whole HKD."""
    rows = read_rows(data, file, HOUSE_COLUMNS, numbers=HOUSE_COLUMNS[1:], optional=("credit",))
    return tuple(
        CloseOut(
            house=row["house"], margin=int(row["margin"]), profit=int(row["profit"]), credit=int(row["credit"] or 0)
        )
        for _, row in rows
    )


def read_close_out_rows(data: bytes, *, file: str = "close-outs.csv") -> tuple[CloseOutRow, ...]:
    """Return close-outs of a defaulter's positions; raises Rejected naming the line: no price, one position twice."""
    found: dict[tuple[str, str], CloseOutRow] = {}
    for line, row in read_rows(data, file, CLOSE_OUT_COLUMNS):
        key = (row["account"], row["asset"])
        if key in found:
            message = f"{row['account']} {row['asset']} stands twice"
            raise refuse(RejectionReason.DUPLICATE, message, file=file, line=line, field="asset")
        try:
            price = parse_scaled(row["price"], PRICE_DECIMALS, field="price")
        except Rejected as rejected:
            said = rejected.rejections[0].message
            raise refuse(RejectionReason.MALFORMED, said, file=file, line=line, field="price") from None
        found[key] = CloseOutRow(line, row["account"], row["asset"], row["taker"], price)
    return tuple(found.values())


def read_lots(data: bytes, *, file: str = "lots.csv") -> tuple[dict[str, int], dict[str, tuple[str, ...]]]:
    """Return least acceptable bids by lot, and who must bid (parted by ``|``); raises Rejected for a lot twice."""
    reserves: dict[str, int] = {}
    must_bid: dict[str, tuple[str, ...]] = {}
    for line, row in read_rows(data, file, LOT_COLUMNS, numbers=("reserve",), optional=("must_bid",)):
        if row["lot"] in reserves:
            raise refuse(RejectionReason.DUPLICATE, f"'{row['lot']}' stands twice", file=file, line=line, field="lot")
        reserves[row["lot"]] = int(row["reserve"])
        must_bid[row["lot"]] = tuple(row["must_bid"].split("|")) if row["must_bid"] else ()
    return reserves, must_bid


def read_bids(data: bytes, *, file: str = "bids.csv") -> tuple[Bid, ...]:
    """Return sealed bids, whole HKD (minus: paid by the house)."""
    rows = read_rows(data, file, BID_COLUMNS, numbers=("amount",))
    return tuple(Bid(lot=row["lot"], bidder=row["bidder"], amount=int(row["amount"])) for _, row in rows)


def read_members(data: bytes, *, file: str = "members.csv") -> dict[str, tuple[int, int]]:
    """Return (assets outside, debts outside) by member, whole HKD; raises Rejected for a member twice."""
    found: dict[str, tuple[int, int]] = {}
    for line, row in read_rows(data, file, MEMBER_COLUMNS, numbers=MEMBER_COLUMNS[1:]):
        if row["member"] in found:
            raise refuse(RejectionReason.DUPLICATE, "stands twice", file=file, line=line, subject=row["member"])
        found[row["member"]] = int(row["assets"]), int(row["debts_outside"])
    return found


def read_debts(
    data: bytes, members: Mapping[str, tuple[int, int]], *, file: str = "debts.csv"
) -> dict[tuple[str, str], int]:
    """Return debts by (debtor, creditor), lines added up; raises Rejected for somebody who is no member."""
    found: dict[tuple[str, str], int] = {}
    for line, row in read_rows(data, file, DEBT_COLUMNS, numbers=("amount",)):
        for field in ("debtor", "creditor"):
            if row[field] not in members:
                raise refuse(RejectionReason.UNKNOWN, f"'{row[field]}' is no member", file=file, line=line, field=field)
        key = row["debtor"], row["creditor"]
        found[key] = found.get(key, 0) + int(row["amount"])
    return found
