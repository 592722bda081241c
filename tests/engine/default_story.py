"""The words of defaults on the house of the settlement stories: trades of anybody, funds, close-outs, the waterfall."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from story import SHARE, Story

from tsingma.basics.columns import pack
from tsingma.clearing.trades import COLUMN_TYPES, Trades
from tsingma.journal import commands as do
from tsingma.journal import default_commands as default

MILLION = 100_000_000  # cents: one million dollars
PRICE = 3_000_000  # 300 dollars, at which everything is traded
START_S = 1_767_571_200  # Monday 5 January 2026, 08:00 in Hong Kong


class DefaultStory(Story):
    """A story in which somebody defaults."""

    def __init__(self) -> None:
        """Open the house at eight in the morning."""
        super().__init__()
        self.trades, self.now_s = 0, START_S

    def at(self, hours: int, minutes: int = 0) -> int:
        """Move the clock of people to a Hong Kong time of the day; returns seconds since 1970."""
        self.now_s = START_S + (hours - 8) * 3_600 + minutes * 60
        return self.now_s

    def capture(
        self, buyer: str, seller: str, quantity: int = 100, price_e4: int = 3_000_000, *, counter: int = 0,
        mode: int = 0, time_s: int = 36_000
    ) -> do.CaptureTrades:  # fmt: skip
        """Return the command of one trade of the exchange."""
        self.trades += 1
        row = {"trade_id": self.trades, "time_s": time_s, "counter": counter, "buyer": self.account(buyer),
               "seller": self.account(seller), "quantity": quantity, "price_e4": price_e4, "mode": mode,
               "maker": 0}  # fmt: skip
        columns = {name: np.array([row[name]], kind) for name, kind in COLUMN_TYPES.items()}
        return next(iter(Trades("trades.csv", self.house.position.day, **columns).commands()))

    def bargain(self, buyer: str, seller: str, quantity: int = 100, price_e4: int = 3_000_000, **more: int) -> None:
        """Have a trade captured."""
        self.tell(self.capture(buyer, seller, quantity, price_e4, **more))

    def fund(self, name: str = "HKSCC", **cents: int) -> None:
        """Call contributions by participant (its house account)."""
        accounts = [self.account(who) for who in cents]
        self.tell(default.CallFund("test", name, pack(accounts, "i4"), pack(list(cents.values()), "i8")))

    def margin(self, **cents: int) -> None:
        """Call margin by account, "A" or "A_CLIENT"."""
        accounts = [self.account(who.replace("_", "/")) for who in cents]
        self.tell(do.CallMargin("test", pack(accounts, "i4"), pack(list(cents.values()), "i8")))

    def suspend(self, who: str, reason: str = "missed a call") -> None:
        """Suspend somebody now."""
        self.tell(default.SuspendParticipant(who, reason, self.now_s))

    def declare(self, who: str, ground: str = "decision", reason: str = "the board decided") -> int:
        """Declare a default now; returns its number."""
        return self.tell(default.DeclareDefault(who, ground, reason, self.now_s)).default  # type: ignore[attr-defined]

    def close_out(self, number: int, account: str, taker: str, price_e4: int, isin: str = SHARE) -> dict[str, int]:
        """Close out a position; returns what it lost by currency."""
        security = self.book.securities.index(isin)
        told = default.CloseOutPosition(number, self.account(account), security, self.account(taker), price_e4)
        return self.tell(told).lost_cents  # type: ignore[attr-defined]

    def waterfall(self, number: int, fund: str = "HKSCC") -> dict[str, int]:
        """Book the waterfall; returns what each layer bore, and what is left."""
        event = self.tell(default.BookWaterfall(number, fund))
        found = {name: used for name, _, used in event.layers}  # type: ignore[attr-defined]
        return {**found, "assessed": event.assessed_open_cents, "uncovered": event.uncovered_cents}  # type: ignore[attr-defined]

    def close(self, number: int, *, write_off: bool = False) -> object:
        """Close a default now; returns the event."""
        return self.tell(default.CloseDefault(number, "done", self.now_s, write_off))

    def owed(self, number: int) -> int:
        """Return what a default owes in HKD, cents."""
        return sum(cents for key, cents in self.house.defaults.owed_by(number) if key[3] == 0)

    def central(self) -> int:
        """Return the money of the central counterparty, HKD cents."""
        ledger = self.house.ledger
        return int(ledger.balance[ledger.find(self.house.internal.cns, 0)])

    def close_books(self) -> dict[str, int]:
        """Finish the day, prove the books and open the next; returns the proof."""
        return self.next_day()


def short_story() -> DefaultStory:
    """A sold 1,000 shares at 300 to B on Monday, has none, and defaults on Wednesday, when they are due."""
    told = DefaultStory()
    told.give("B", "HKD", 100 * MILLION)
    told.give("C", "HKD", 100 * MILLION)
    told.give("C", SHARE, 5_000)
    told.give("A", "HKD", 3 * MILLION)
    told.bargain("B", "A", 1_000, PRICE)
    told.next_day(2)
    return told
