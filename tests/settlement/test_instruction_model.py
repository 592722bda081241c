"""Random lives of instructions against a plain model of dictionaries that settles them the slow way.

Goal: legal transitions, conservation, both legs or neither, holds counted, links kept, reservations ended once; and the
same state from a dump in the middle. Method: hypothesis draws commands; the model predicts every status, every open
quantity and every balance, and must be right to the cent.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

sys.path.append(str(Path(__file__).resolve().parent / "stories"))

from story import MONDAY, SHARE, Story

from tsingma.engine import settling
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal import commands as do
from tsingma.journal.events import Accepted
from tsingma.settlement.settling import settle

PARTIES = ("A", "B", "C")
LOT, THRESHOLD_CENTS = 100, 8_000_000
OPEN = ("matched", "on-hold", "failing")
Row = tuple[str, str]
ROWS = st.tuples(
    st.sampled_from(PARTIES), st.sampled_from(PARTIES), st.integers(1, 9), st.booleans(), st.booleans(),
    st.integers(0, 99),
)  # fmt: skip


class Model:
    """Balances, holds, instructions, links and reservations as dictionaries."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.balance: dict[Row, int] = {}
        self.held: dict[Row, int] = {}
        self.instructions: list[dict] = []
        self.pairs: list[tuple[int, int]] = []
        self.reservations: list[dict] = []

    def free(self, row: Row) -> int:
        """Return what is available on a row."""
        return self.balance.get(row, 0) - self.held.get(row, 0)

    def legs(self, number: int, part: int) -> list[tuple[Row, Row, int]]:
        """Return the transfers of a part: (from, to, amount), securities first."""
        one = self.instructions[number]
        done = one["quantity"] - one["open"]
        money = one["amount"] * (done + part) // one["quantity"] - one["amount"] * done // one["quantity"]
        giver, taker = one["giver"], one["taker"]
        legs = [((giver, SHARE), (taker, SHARE), part), ((taker, "HKD"), (giver, "HKD"), money)]
        return [leg for leg in legs if leg[2] and giver != taker]

    def move(self, legs: list[tuple[Row, Row, int]]) -> None:
        """Book transfers."""
        for source, target, amount in legs:
            self.balance[source] = self.balance.get(source, 0) - amount
            self.balance[target] = self.balance.get(target, 0) + amount

    def finish(self, number: int) -> None:
        """Mark an instruction as settled, and what was reserved for it as used."""
        self.instructions[number].update(status="settled", open=0)
        for one in self.reservations:
            if one["instruction"] == number and one["status"] == "active":
                one["status"] = "used"

    def settle(self, *, window: bool) -> None:
        """Settle whole; in a window, then parts, and whole again."""
        self._recycle()
        if window and self._parts():
            self._recycle()

    def _recycle(self) -> None:
        ready = [n for n, one in enumerate(self.instructions) if one["status"] in ("matched", "failing")]
        order = sorted(ready, key=lambda n: (self.instructions[n]["priority"], n))
        waiting = {n: self._waits(n) for n in ready}
        trying = {n for n in ready if not waiting[n]}
        for number in set(ready) - trying:  # linked since it was last tried: what blocked it then wakes it no more
            self.instructions[number]["blocked"] = None
        while trying:
            credited: set[Row] = set()
            for number in order:
                if number in trying and self.instructions[number]["status"] != "settled":
                    credited |= self._try(number)
            before, waiting = waiting, {n: self._waits(n) for n in ready}
            trying = {
                n for n in ready
                if self.instructions[n]["status"] != "settled"
                and (self.instructions[n]["blocked"] in credited or (before[n] and not waiting[n]))
            }  # fmt: skip
        for number in ready:
            if self.instructions[number]["status"] != "settled" and waiting[number]:
                self.instructions[number]["blocked"] = None

    def _waits(self, number: int) -> bool:
        group = self.instructions[number]["group"]
        members = [n for n, one in enumerate(self.instructions) if group and one["group"] == group] or [number]
        for member in members:
            if self.instructions[member]["status"] not in ("matched", "failing", "settled"):
                return True
            if any(self.instructions[a]["status"] != "settled" for a, b in self.pairs if b == member):
                return True
        return False

    def _try(self, number: int) -> set[Row]:
        group = self.instructions[number]["group"]
        members = [n for n, one in enumerate(self.instructions) if group and one["group"] == group] or [number]
        legs = [leg for member in members for leg in self.legs(member, self.instructions[member]["open"])]
        mine = [one for one in self.reservations if one["status"] == "active" and one["instruction"] in members]
        for one in mine:
            self.held[one["row"]] -= one["amount"]
        short = self._short(legs, together=bool(group or mine))
        if short is None:
            self.move(legs)
            for member in members:
                self.finish(member)
            return {target for _, target, _ in legs}
        for one in mine:
            self.held[one["row"]] += one["amount"]
        for member in members:
            self.instructions[member]["blocked"] = short
        return set()

    def _short(self, legs: list[tuple[Row, Row, int]], *, together: bool) -> Row | None:
        """Return a row that is short: the net of all legs when together, else one leg after the other."""
        change: dict[Row, int] = {}
        for source, target, amount in legs:
            change[source] = change.get(source, 0) - amount
            if not together and self.free(source) + change[source] < 0:
                return source
            change[target] = change.get(target, 0) + amount
        if together:
            lacking = [row for row, delta in change.items() if delta < 0 and self.free(row) + delta < 0]
            return min(lacking, key=self.place) if lacking else None
        return None

    def _parts(self) -> bool:
        linked = {n for pair in self.pairs for n in pair} | {n for n, o in enumerate(self.instructions) if o["group"]}
        any_part = False
        for number in sorted(range(len(self.instructions)), key=lambda n: (self.instructions[n]["priority"], n)):
            one = self.instructions[number]
            stock = (one["giver"], SHARE)
            if one["status"] not in ("matched", "failing") or one["blocked"] != stock or number in linked:
                continue
            if one["partial"] != {"A", "B"}:
                continue
            part = min(self.free(stock), one["open"])
            part = part if part == one["open"] else part // LOT * LOT
            legs = self.legs(number, part) if part > 0 else []
            money = sum(amount for source, _, amount in legs if source[1] == "HKD")
            if not legs or (one["amount"] and part != one["open"] and money < THRESHOLD_CENTS):
                continue
            if self._short(legs, together=False) is None:
                self.move(legs)
                one["open"] -= part
                any_part = True
                if not one["open"]:
                    self.finish(number)
        return any_part

    def place(self, row: Row) -> int:
        """Return the order of a row in the books; set by the test."""
        raise NotImplementedError


class Lives(RuleBasedStateMachine):
    """Commands drawn at random, told to the engine and to the model."""

    @initialize()
    def begin(self) -> None:
        """Open a house; give everybody something, and something to do."""
        self.story, self.model = Story(), Model()
        self.model.place = lambda row: self.story.house.ledger.find(  # type: ignore[method-assign]
            self.story.account(row[0]), self.story.asset(row[1])
        )

        for who in PARTIES:
            self.deposit(who, stock=True, lots=8)
            self.deposit(who, stock=False, lots=3)

    @rule(who=st.sampled_from(PARTIES), stock=st.booleans(), lots=st.integers(1, 12))
    def deposit(self, who: str, stock: bool, lots: int) -> None:
        """Shares in lots of 70, or money in steps of HKD 40,000."""
        what, amount = (SHARE, 70 * lots) if stock else ("HKD", 4_000_000 * lots)
        self.story.give(who, what, amount)
        self.model.balance[who, what] = self.model.balance.get((who, what), 0) + amount

    @rule(rows=st.lists(ROWS, min_size=1, max_size=5))
    def agree(self, rows: list[tuple[str, str, int, bool, bool, int]]) -> None:
        """Instructions of up to 900 shares, free or at 300 and some cents; some permit parts."""
        for giver, taker, lots, free, partial, odd in rows:
            quantity, amount = 100 * lots, 0 if free else 3_000_000 * lots + odd
            kind = "fop" if free else "dvp"
            number = self.story.agree(
                giver, taker, kind=kind, quantity=quantity, amount_cents=amount, partial=int(partial)
            )
            assert number == len(self.model.instructions)
            self.model.instructions.append(
                {"giver": giver, "taker": taker, "quantity": quantity, "open": quantity, "amount": amount,
                 "holds": set(), "cancels": set(), "priority": 3, "partial": {"A", "B"} if partial else set(),
                 "group": 0, "blocked": None, "status": "matched"}
            )  # fmt: skip

    @precondition(lambda self: self.model.instructions)
    @rule(
        data=st.data(), who=st.sampled_from((*PARTIES, "HKSCC")), value=st.integers(0, 3),
        action=st.sampled_from(("hold", "release", "cancel", "keep", "prioritise", "permit-parts", "refuse-parts")),
    )  # fmt: skip
    def act(self, data: st.DataObject, who: str, action: str, value: int) -> None:
        """Any action by anyone: the model says whether it is allowed, and what it does."""
        number = data.draw(st.integers(0, len(self.model.instructions) - 1))
        allowed = self._allowed(number, who, action, value)
        command = do.ChangeInstruction(number, action, who, value)
        if not allowed:
            self.story.refuse(command)
            return
        assert self.story.act(who, number, action, value) == self.model.instructions[number]["status"]

    def _allowed(self, number: int, who: str, action: str, value: int) -> bool:
        one = self.model.instructions[number]
        sides = {"A"} if who == one["giver"] else set()
        sides |= {"B"} if who == one["taker"] else set()
        sides |= {"H"} if who == "HKSCC" else set()
        if not sides or one["status"] not in OPEN:
            return False
        whole = one["open"] == one["quantity"]
        if action == "hold":
            if sides <= one["holds"]:
                return False
            one["holds"] |= sides
            one["status"] = "on-hold"
        elif action == "release":
            if not sides & one["holds"]:
                return False
            one["holds"] -= sides
            one["status"] = "on-hold" if one["holds"] else "matched"
        elif action == "cancel":
            one["cancels"] |= {"A", "B"} if "H" in sides else sides
            if one["cancels"] >= {"A", "B"}:
                self._part_from_links(number)
                one["status"] = "cancelled"
        elif action == "keep":
            if not sides & one["cancels"]:
                return False
            one["cancels"] -= sides
        elif action == "prioritise":
            if "H" not in sides and (value < 2 or one["priority"] < 2):
                return False
            one["priority"] = value
        elif not whole:
            return False
        elif action == "permit-parts":
            one["partial"] |= sides & {"A", "B"}
        else:
            one["partial"] -= sides & {"A", "B"}
        return True

    def _part_from_links(self, number: int) -> None:
        self.model.instructions[number]["group"] = 0
        self.model.pairs = [pair for pair in self.model.pairs if number not in pair]

    @precondition(lambda self: len(self.model.instructions) > 1)
    @rule(data=st.data(), together=st.booleans())
    def link(self, data: st.DataObject, together: bool) -> None:
        """Link two: together, or one before the other."""
        last = len(self.model.instructions) - 1
        first, second = data.draw(st.integers(0, last)), data.draw(st.integers(0, last))
        ones = [self.model.instructions[n] for n in (first, second)]
        allowed = first != second and all(one["status"] in OPEN for one in ones)
        command = do.LinkInstructions("together" if together else "before", (first, second), "HKSCC")
        if together:
            allowed = allowed and not any(one["group"] for one in ones)
        elif allowed:
            allowed = not self._reaches(second, first)
        if not allowed:
            self.story.refuse(command)
            return
        self.story.tell(command)
        if together:
            group = max(one["group"] for one in self.model.instructions) + 1
            for one in ones:
                one["group"] = group
        else:
            self.model.pairs.append((first, second))

    def _reaches(self, start: int, goal: int) -> bool:
        if start == goal:
            return True
        return any(self._reaches(later, goal) for earlier, later in self.model.pairs if earlier == start)

    @rule(who=st.sampled_from(PARTIES), stock=st.booleans(), share=st.integers(1, 4), data=st.data())
    def reserve(self, who: str, stock: bool, share: int, data: st.DataObject) -> None:
        """Set a part of what is free aside, for one of the party's instructions or for none."""
        what = SHARE if stock else "HKD"
        amount = self.model.free((who, what)) * share // 4
        mine = [n for n, one in enumerate(self.model.instructions) if who in (one["giver"], one["taker"])]
        number = data.draw(st.sampled_from([-1, *mine]))
        command = do.ReserveAssets(who, self.story.account(who), self.story.asset(what), amount, MONDAY + share, number)
        if amount <= 0:
            self.story.refuse(command)
            return
        self.story.tell(command)
        self.model.held[who, what] = self.model.held.get((who, what), 0) + amount
        self.model.reservations.append(
            {"row": (who, what), "amount": amount, "instruction": number, "status": "active"}
        )

    @precondition(lambda self: self.model.reservations)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        """End a reservation; a second time is refused."""
        number = data.draw(st.integers(0, len(self.model.reservations) - 1))
        one = self.model.reservations[number]
        command = do.EndReservation(number, one["row"][0])
        if one["status"] != "active":
            self.story.refuse(command)
            return
        self.story.tell(command)
        one["status"] = "released"
        self.model.held[one["row"]] -= one["amount"]

    @precondition(lambda self: any(one["status"] in ("matched", "failing") for one in self.model.instructions))
    @rule(window=st.booleans())
    def settle(self, window: bool) -> None:
        """Settle on both sides."""
        house = self.story.house
        settle(house.settlement, settling.now(house), settling.EVERY_MARKET, window=window)
        house.ledger.check()
        self.model.settle(window=window)

    @rule()
    def reload(self) -> None:
        """Go on with the house that comes out of a dump."""
        self.story.house = House.load(self.story.house.dump())

    @invariant()
    def agrees(self) -> None:
        """Every status, open quantity and balance is what the model says; holds are what is reserved."""
        if not hasattr(self, "story"):
            return
        for number, one in enumerate(self.model.instructions):
            assert self.story.status(number) == one["status"], number
            assert self.story.cell(number, "open_quantity") == one["open"], number
        for who in PARTIES:
            for what in (SHARE, "HKD"):
                assert self.story.has(who, what) == self.model.balance.get((who, what), 0)
                assert self.story.free(who, what) == self.model.free((who, what))
        self.story.house.settlement.instructions.check()


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


class LongLives(Lives):
    """The same, for long."""


TestLongLives = pytest.mark.soak(LongLives.TestCase)
TestLongLives.settings = settings(max_examples=2_000, stateful_step_count=50, deadline=None)


def test_a_day_of_settlement_gives_the_same_answers_from_a_dump() -> None:
    """Goal: the answers after a dump are those without one. Method: the same sale in two houses, one reloaded."""
    story = Story()
    story.agree("A", "B")
    other = House.load(story.house.dump())
    for command in (
        do.ChangeInstruction(0, "hold", "A"), do.ChangeInstruction(0, "release", "A"),
        do.RunStep("night-1-free-of-payment"), do.RunStep("night-1-everything"),
    ):  # fmt: skip
        first, second = step(story.house, command), step(other, command)
        assert isinstance(first, Accepted)
        assert first == second
    assert other.digest() == story.house.digest()
