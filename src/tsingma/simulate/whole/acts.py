"""Draws of acts under four-eyes and of the book's side of settling against the token ledger."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsingma.basics.columns import pack
from tsingma.custody.tokens.legs import RESERVED
from tsingma.engine.house import House
from tsingma.journal import token_commands as token
from tsingma.journal.act_commands import DecideAct, Decision, ProposeAct
from tsingma.journal.commands import (
    ChangeInstruction,
    CollectClaims,
    Command,
    DepositAssets,
    OpenDay,
    RunStep,
    SetCreditLine,
    encode,
)
from tsingma.journal.corporate_action_commands import RunCorporateActions
from tsingma.settlement.timetable import timetable
from tsingma.simulate.whole.draws import Draws, Make

PEOPLE = ("chan", "lee", "wong")
_DECISIONS: tuple[Decision, ...] = ("approve", "approve", "approve", "reject", "withdraw")


class ActDraws(Draws):
    """Two of three people are needed; acts lapse when the time that is told goes past them."""

    def makers(self) -> Sequence[Make]:
        """Return the draws of acts."""
        return self.propose, self.propose, self.decide, self.decide, self.decide

    def propose(self, house: House) -> Command | None:
        """Propose what may be done now, or what will be refused when it is approved."""
        done, day = len(house.position.steps_run), house.position.day
        acts: list[Command] = [
            CollectClaims(), SetCreditLine(self.firm(), 0, self.amount(10**8), -1, 0), RunCorporateActions(),
            DepositAssets(pack([self.firm()], "i4"), pack([0], "i4"), pack([self.amount(10**9)], "i8")),
            RunStep(timetable()[min(done, len(timetable()) - 1)].name), OpenDay(day + 1),
            ChangeInstruction(self.number(0, 30), self.pick(("hold", "release", "cancel")), "HKSCC"),
        ]  # fmt: skip
        person, now = self.pick(PEOPLE), house.acts.last_s + self.number(1, 40)
        return ProposeAct(encode(self.pick(acts)), person, f"{person}-key", now, now + self.number(5, 200))

    def decide(self, house: House) -> Command | None:
        """Decide an act, by whoever comes, sometimes with a key that others use, sometimes too late."""
        pending = [act.number for act in house.acts.pending()]
        if not pending:
            return None
        person = self.pick(PEOPLE)
        key = f"{person if self.happens(0.9) else self.pick(PEOPLE)}-key"
        later = self.number(0, 30) if self.happens(0.9) else 300
        return DecideAct(self.pick(pending), self.pick(_DECISIONS), person, key, house.acts.last_s + later)


class TokenDraws(Draws):
    """The book decides agreements with a token ledger, whose receipts are made up here."""

    def makers(self) -> Sequence[Make]:
        """Return the draws of the book's side."""
        return self.time, self.reserve, self.reserve, self.reserve, self.decide, self.decide

    def time(self, house: House) -> Command | None:
        """Move the settlement clock."""
        return token.TellTime(house.synchronised.at + self.number(0, 120))

    def reserve(self, house: House) -> Command | None:
        """Set the book's legs of an agreement aside, or the same once more."""
        known = [entry.terms for _, entry in house.synchronised.reserved() if entry.terms is not None]
        if known and self.happens(0.2):
            return token.ReserveLegs(self.pick(known))
        rich = self.rich(house)
        if not rich:
            return None
        account, asset, free = self.pick(rich)
        taker = self.pick([one for one in self.whole.firms if one != account])
        now = house.synchronised.at
        legs = (token.Leg(account, taker, asset, self.amount(free)),)
        return token.ReserveLegs(token.Agreement(
            f"deal-{self.fresh()}", legs, (token.Leg(0, 1, 0, 1),), now + self.number(1, 500), now + self.number(0, 2)
        ))  # fmt: skip

    def decide(self, house: House) -> Command | None:
        """Ask for a decision on what is reserved, or once more on what was decided."""
        legs = house.synchronised
        names = [name for name in legs.names() if legs.status(name) == RESERVED] or legs.names()
        if not names:
            return None
        name = self.pick(names)
        entry = legs.entry(name)
        digest = entry.digest if entry is not None else b""
        receipt = token.Receipt(self.number(1, 100), bytes(self.chance.integers(0, 256, 32, np.uint8)))
        return token.DecideSettlement(name, digest, self.happens(0.8), receipt)
