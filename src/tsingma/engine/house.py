"""The state of the house: everything a command may change, and how it is dumped, loaded and hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import by_room
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.clearing.default_book import DefaultBook
from tsingma.clearing.derivatives import DerivativeBook
from tsingma.clearing.obligations import Obligations
from tsingma.clearing.swaps import SwapBook
from tsingma.custody.events.book import EventBook
from tsingma.custody.state import CustodyState
from tsingma.custody.tokens.deciding import BookLegs
from tsingma.engine.act_book import ActBook
from tsingma.engine.charging import ChargeBook
from tsingma.journal.events import Event
from tsingma.ledger.ledger import NO_FLOOR, Ledger
from tsingma.links.chain import Chains
from tsingma.links.order_state import LinkOrders
from tsingma.margin.pool.book import PoolBook
from tsingma.reference.book import AccountClass, ReferenceBook, ResolvedBook, resolve
from tsingma.settlement.gross_money.state import MoneyState
from tsingma.settlement.state import SettlementState
from tsingma.settlement.timetable import timetable

CURRENCY_COUNT = len(CURRENCIES)
FX_UNIT_E6 = 1_000_000


class _Room(Protocol):
    """A part of the state that dumps itself as named byte strings and loads them back."""

    def dump(self) -> dict[str, bytes]: ...

    def load(self, parts: dict[str, bytes]) -> None: ...


class Position(msgspec.Struct, frozen=True):
    """Where the business clock stands: the day (0 before the first), whether it is open, the steps already run."""

    day: int = 0
    is_open: bool = False
    steps_run: tuple[str, ...] = ()


@dataclass(slots=True)
class Internal:
    """The house's own accounts, by index: central counterparty, fee account, issuer, settlement bank."""

    cns: int
    house: int
    issuer: int
    bank: int


@dataclass(slots=True)
class Margin:
    """Requirement and pledged money per account, HKD cents, as last called."""

    account: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    requirement_cents: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    pledged_cents: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


class House:
    """All state behind the one writer; only ``step`` changes it."""

    def __init__(self) -> None:
        """Start empty: no reference book, no day."""
        self.book: ReferenceBook | None = None
        self._resolved: ResolvedBook | None = None
        self._internal: Internal | None = None
        self.position = Position()
        self.ledger = Ledger()
        self.obligations = Obligations()
        self.settlement = SettlementState()
        self.charges = ChargeBook()
        self.derivatives = DerivativeBook()
        self.swaps = SwapBook()
        self.custody = CustodyState()
        self.link_orders = LinkOrders()
        self.corporate_actions = EventBook()
        self.synchronised = BookLegs()
        self.pool = PoolBook()
        self.money = MoneyState()
        self.chains = Chains()
        self.acts = ActBook()
        self.defaults = DefaultBook()
        self.margin = Margin()
        self.price_e4: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.fx_e6: tuple[int, ...] = (FX_UNIT_E6, *([0] * (CURRENCY_COUNT - 1)))

    @property
    def resolved(self) -> ResolvedBook:
        """The installed book as indices; raises Rejected (missing) before a book is loaded."""
        if self._resolved is None:
            raise refuse(RejectionReason.MISSING, "no reference book is loaded", remedy="load one first")
        return self._resolved

    @property
    def internal(self) -> Internal:
        """The house's own accounts; raises Rejected (missing) before a book is loaded."""
        if self._internal is None:
            raise refuse(RejectionReason.MISSING, "no reference book is loaded", remedy="load one first")
        return self._internal

    def install(self, book: ReferenceBook) -> None:
        """Resolve and keep the book, and open the house's own ledger rows (issuers may go below zero)."""
        resolved = resolve(book)
        timetable(resolved.markets)  # refuses a market that settles at a step there is not
        internal = Internal(
            cns=_account(resolved, "HKSCC", AccountClass.CNS),
            house=_account(resolved, "HKSCC", AccountClass.HOUSE),
            issuer=_account(resolved, "ISSUER", AccountClass.ISSUANCE),
            bank=_account(resolved, "BANK", AccountClass.ISSUANCE),
        )
        self.book, self._resolved, self._internal = book, resolved, internal
        if not self.price_e4.size:
            self.price_e4 = np.zeros(len(book.counters), np.int64)

    def open_own_rows(self) -> None:
        """Open the ledger rows that may go below zero: what issuers issued, what the bank holds, the house's line."""
        currencies = np.arange(CURRENCY_COUNT, dtype=np.int32)
        securities = np.arange(CURRENCY_COUNT, self.resolved.asset_count, dtype=np.int32)
        for owner, assets in (
            (self.internal.bank, currencies),
            (self.internal.cns, currencies),
            (self.internal.issuer, securities),
        ):
            self.ledger.rows(np.full(assets.size, owner, np.int32), assets, floor=NO_FLOOR)

    def dump(self) -> dict[str, bytes]:
        """Return the whole state as named byte strings; ``load`` takes them back."""
        own = {
            "book": b"" if self.book is None else msgspec.msgpack.encode(self.book),
            "position": msgspec.msgpack.encode(self.position),
            "fx_e6": msgspec.msgpack.encode(self.fx_e6),
            "price_e4": self.price_e4.astype("<i8").tobytes(),
            "margin_account": self.margin.account.astype("<i4").tobytes(),
            "margin_requirement_cents": self.margin.requirement_cents.astype("<i8").tobytes(),
            "margin_pledged_cents": self.margin.pledged_cents.astype("<i8").tobytes(),
        }
        for name, room in self._rooms().items():
            own.update({f"{name}.{key}": value for key, value in room.dump().items()})
        return own

    @classmethod
    def load(cls, parts: dict[str, bytes]) -> House:
        """Return the house of a dump."""
        house = cls()
        if parts["book"]:
            house.install(msgspec.msgpack.decode(parts["book"], type=ReferenceBook))
        house.position = msgspec.msgpack.decode(parts["position"], type=Position)
        house.fx_e6 = tuple(msgspec.msgpack.decode(parts["fx_e6"], type=list[int]))
        house.price_e4 = np.frombuffer(parts["price_e4"], "<i8").astype(np.int64)
        house.margin = Margin(
            np.frombuffer(parts["margin_account"], "<i4").astype(np.int32),
            np.frombuffer(parts["margin_requirement_cents"], "<i8").astype(np.int64),
            np.frombuffer(parts["margin_pledged_cents"], "<i8").astype(np.int64),
        )
        mine = by_room(parts)
        for name, room in house._rooms().items():
            room.load(mine.get(name, {}))
        return house

    def digest(self) -> bytes:
        """Return the state hash: SHA-256 over the dump, parts in name order (32 bytes)."""
        total = hashlib.sha256()
        for name, value in sorted(self.dump().items()):
            total.update(name.encode() + len(value).to_bytes(8, "little"))
            total.update(value)
        return total.digest()

    def _rooms(self) -> dict[str, _Room]:
        return {
            "ledger": self.ledger,
            "obligations": self.obligations,
            "settlement": self.settlement,
            "charges": self.charges,
            "derivatives": self.derivatives,
            "swaps": self.swaps,
            "custody": self.custody,
            "link_orders": self.link_orders,
            "corporate_actions": self.corporate_actions,
            "synchronised": self.synchronised,
            "pool": self.pool,
            "money": self.money,
            "chains": self.chains,
            "acts": self.acts,
            "defaults": self.defaults,
        }


def _account(book: ResolvedBook, participant: str, account_class: AccountClass) -> int:
    """Return the index of one of the house's own accounts; raises Rejected (missing) when the book lacks it."""
    index = book.account_index.get((participant, account_class))
    if index is None:
        raise refuse(
            RejectionReason.MISSING,
            f"the book has no account {participant}/{account_class}",
            field="accounts",
            remedy="add it: the house keeps its own positions there",
        )
    return index


Handlers = dict[type, Callable[[House, Any], Event]]  # what an engine module does on each of its commands

__all__ = ["CURRENCY_COUNT", "FX_UNIT_E6", "Handlers", "House", "Internal", "Margin", "Position", "Rejected"]
