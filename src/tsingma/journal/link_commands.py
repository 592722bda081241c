"""Commands on links: open a direction with its chain of nominees, say who is behind trades, lodge margin, convert."""

from __future__ import annotations

import msgspec


class ChainLevel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a nominee chain: who holds, in which form of account, in whose books."""

    holder: str
    account: str
    books_of: str


class ChainHolder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One holder of a level; ``parent`` is its place among the holders (-1 at the top).

    ``account`` is the ledger account whose balance it holds, at the level that the house's ledger keeps, else -1.
    """

    level: int
    name: str
    parent: int
    account: int = -1


class Lodging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one clearing house lodges with the other: from which account, in which, outside the default fund or not."""

    lodger: str
    holder: str
    currency: int
    source: int
    account: int
    outside_default_fund: bool


class OpenLink(msgspec.Struct, frozen=True, tag="open-link", forbid_unknown_fields=True):
    """Open one direction of a link on a market of the book; holdings are followed along the chain from now on."""

    link: str
    direction: str
    market: str
    levels: tuple[ChainLevel, ...]
    holders: tuple[ChainHolder, ...]
    lodgings: tuple[Lodging, ...] = ()


class NameHolders(msgspec.Struct, frozen=True, tag="name-holders", forbid_unknown_fields=True):
    """Say for whom a direction's trades were made, so that the chain knows whose they are when they settle.

    Columns: ``holder`` i4 (place among the direction's holders, of the lowest level), ``security`` i4, ``quantity`` i8
    (bought +, sold -), ``due_day`` i4.
    """

    direction: int
    holder: bytes
    security: bytes
    quantity: bytes
    due_day: bytes


class LodgeMargin(msgspec.Struct, frozen=True, tag="lodge-margin", forbid_unknown_fields=True):
    """Set what is lodged under one arrangement of a direction, in cents of its currency; the difference moves."""

    direction: int
    lodging: int
    amount_cents: int
    basis: str


class ConvertMoney(msgspec.Struct, frozen=True, tag="convert-money", forbid_unknown_fields=True):
    """Exchange money of accounts with the settlement bank at the day's rates, both legs at one instant, all or none.

    Columns: ``account`` i4, ``sell_cents`` i8, ``buy_cents`` i8 (one of them 0: it follows from the other).
    """

    converter: str
    sell: int
    buy: int
    account: bytes
    sell_cents: bytes
    buy_cents: bytes


LinkCommand = OpenLink | NameHolders | LodgeMargin | ConvertMoney
