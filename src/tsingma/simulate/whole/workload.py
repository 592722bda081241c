"""A seeded day of everything a house can do: what an open house is told next, as its own books stand.

The frame of a day (book, opening deposits, prices, timetable, what must be done before the close, close) is always
finished in the end. Between its parts come commands of every room; each run dwells on two or three rooms, so that what
needs many steps is reached. A part is spoilt in one figure and mostly refused, a part is signed by whoever sends it.
"""

from __future__ import annotations

import numpy as np

from tsingma.basics.columns import pack
from tsingma.basics.rejection import Rejected
from tsingma.engine.house import House
from tsingma.journal import token_commands as token
from tsingma.journal.commands import (
    CloseDay,
    CollectClaims,
    Command,
    DepositAssets,
    LoadReference,
    OpenDay,
    RunStep,
    Signed,
    Submitted,
)
from tsingma.journal.corporate_action_commands import RunCorporateActions
from tsingma.journal.origin import REQUEST_BYTES, Origin
from tsingma.settlement.timetable import timetable
from tsingma.simulate.swarm import Swarm
from tsingma.simulate.whole.acts import ActDraws, TokenDraws
from tsingma.simulate.whole.book import whole_book
from tsingma.simulate.whole.clearing import ClearingDraws
from tsingma.simulate.whole.custody import CustodyDraws
from tsingma.simulate.whole.draws import Draws
from tsingma.simulate.whole.events import EventDraws
from tsingma.simulate.whole.links import LinkDraws
from tsingma.simulate.whole.money import MoneyDraws
from tsingma.simulate.whole.pool import PoolDraws
from tsingma.simulate.whole.products import ProductDraws
from tsingma.simulate.whole.settling import SettlingDraws
from tsingma.simulate.whole.shadow import ShadowHouse
from tsingma.simulate.whole.spoil import spoil

ACTIONS_FACTOR = 3  # as many times more than the plain workload has
FOCUS = 6  # how much more often a room comes on which the run dwells
_ROOMS = (ClearingDraws, SettlingDraws, CustodyDraws, ProductDraws, EventDraws, MoneyDraws, PoolDraws, LinkDraws,
          ActDraws, TokenDraws)  # fmt: skip
_TRIES, _TRIES_A_ROOM = 12, 4
# Commands of the token ledger: this house must refuse them, whatever they say.
FOREIGN: tuple[Command, ...] = (
    token.CompleteLegs("deal-1", b"", True, 1, token.Receipt(1, bytes(32))),
    token.OpenWallets((token.Wallet("a wallet", 4),)),
    token.IssueToken(
        token.TokenTerms(code="T", currency="HKD", denomination_cents=1, book_asset=0, book_account=4), 0, ()
    ),
    token.PermitWallets(0, (0,), True), token.TransferTokens((token.Leg(0, 1, 0, 1),)),
    token.FreezeWallet(0, 0, True, "a reason"), token.ForceTransfer(token.Leg(0, 1, 0, 1), "a reason"),
    token.PayCoupon(0, 0),
)  # fmt: skip


class WholeWorkload:
    """Draws commands until the last day is closed."""

    def __init__(self, swarm: Swarm, chance: np.random.Generator) -> None:
        """Keep parameters and generator, and choose the rooms on which the run dwells."""
        self.swarm, self._chance = swarm, chance
        self._whole = whole_book(swarm.participants)
        self._clearing = ClearingDraws(chance, self._whole, swarm.wealth)
        self._rooms: list[Draws] = [self._clearing]
        self._rooms += [room(chance, self._whole, swarm.wealth) for room in _ROOMS[1:]]
        self._custody = next(room for room in self._rooms if isinstance(room, CustodyDraws))
        self._products = next(room for room in self._rooms if isinstance(room, ProductDraws))
        self._events = next(room for room in self._rooms if isinstance(room, EventDraws))
        weights = np.ones(len(self._rooms))
        weights[chance.choice(len(self._rooms), size=int(chance.integers(1, 4)), replace=False)] = FOCUS
        self._weights = weights / weights.sum()
        self._spent: dict[int, int] = {}
        self._past: dict[str, Command] = {}  # the last one drawn of each kind

    def done(self, twin: ShadowHouse) -> bool:
        """Return whether the last day is closed."""
        position = twin.house.position
        return position.day >= self.swarm.days[-1] and not position.is_open

    def next(self, twin: ShadowHouse, *, calm: bool) -> Submitted:
        """Return the next command; ``calm`` gives only what finishes the day."""
        command = self._calm(twin) if calm else self._bold(twin)
        return command if calm or self._chance.random() < 0.5 else Signed(command, self._origin())

    def altered(self, twin: ShadowHouse) -> Command:
        """Return a body that no acknowledged command has."""
        cents = 10**15 + int(self._chance.integers(10**9))
        return DepositAssets(pack([self._clearing.firm()], "i4"), pack([0], "i4"), pack([cents], "i8"))

    def _origin(self) -> Origin:
        actor = ("chan", "lee", "F1", "F2")[int(self._chance.integers(4))]
        return Origin(actor, f"{actor}-key", bytes(self._chance.integers(0, 256, REQUEST_BYTES, np.uint8)))

    def _calm(self, twin: ShadowHouse) -> Command:
        house = twin.house
        frame = self._frame(house)
        if frame is not None:
            return frame
        for chore in self._chores(house):
            if twin.accepts(chore):
                return chore
        return CloseDay() if twin.accepts(CloseDay()) else self._clearing.prices(house)  # after a spoilt price

    def _bold(self, twin: ShadowHouse) -> Command:
        house = twin.house
        if self._chance.random() < self.swarm.invalid_rate:
            return self._wrong(house)
        frame = self._frame(house)
        if frame is not None and not isinstance(frame, RunStep):
            return frame
        spent, steps = self._spent.get(house.position.day, 0), len(timetable())
        share = (len(house.position.steps_run) + 1) / (steps + 1)  # actions are spread over the day
        if spent < self.swarm.actions_a_day * ACTIONS_FACTOR * share:
            self._spent[house.position.day] = spent + 1
            drawn = self._drawn(house)  # a day is open
            if drawn is not None:
                return drawn
        if frame is not None:
            return frame
        chores = self._chores(house)
        return chores[0] if chores else CloseDay()

    def _wrong(self, house: House) -> Command:
        """Return what should be refused, mostly: out of its place, of another ledger, or with a spoilt figure."""
        out_of_place: tuple[Command, ...] = (
            LoadReference(self._whole.book), CloseDay(), RunCorporateActions(), CollectClaims(),
            RunStep(timetable()[int(self._chance.integers(len(timetable())))].name),
            OpenDay(house.position.day + int(self._chance.integers(-2, 9))),
            *FOREIGN,
        )  # fmt: skip
        if self._past and self._chance.random() < 0.3:  # done already, as it was or spoilt; each kind as likely
            again = self._past[sorted(self._past)[int(self._chance.integers(len(self._past)))]]
            return again if self._chance.random() < 0.5 else spoil(again, self._chance) or again
        if self._chance.random() < 0.3:
            return out_of_place[int(self._chance.integers(len(out_of_place)))]
        drawn = self._drawn(house) if house.book is not None else None
        spoilt = None if drawn is None else spoil(drawn, self._chance)
        return spoilt or CloseDay()

    def _frame(self, house: House) -> Command | None:
        """Return what comes next whatever else happens, None when only chores and the close are left."""
        if house.book is None:
            return LoadReference(self._whole.book)
        if house.ledger.find(self._whole.firms.start, 0) < 0:
            return self._clearing.opening(house)
        if not house.fx_e6[1] or int(house.price_e4.min()) <= 0:
            return self._clearing.prices(house)
        if not house.position.is_open:
            return OpenDay(next(day for day in self.swarm.days if day > house.position.day))
        done = len(house.position.steps_run)
        return RunStep(timetable()[done].name) if done < len(timetable()) else None

    def _chores(self, house: House) -> list[Command]:
        """Return what must be done before the close, in any order."""
        rooms = (self._custody, self._products, self._events)
        chores = [chore for room in rooms for chore in room.chores(house)]
        return [chores[place] for place in self._chance.permutation(len(chores)).tolist()]

    def _drawn(self, house: House) -> Command | None:
        room = self._rooms[0]
        for tried in range(_TRIES):
            if not tried % _TRIES_A_ROOM:
                room = self._rooms[int(self._chance.choice(len(self._rooms), p=self._weights))]
            try:
                drawn = room.pick(room.makers())(house)
            except Rejected:  # a draw asked for a worth at a spoilt price, or for a day that is none
                continue
            if drawn is not None:
                self._past[str(drawn.__struct_config__.tag)] = drawn
                return drawn
        return None
