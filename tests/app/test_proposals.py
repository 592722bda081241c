"""Proposals of the business day: links, credit against securities and parts at one instant.

Goal: whatever is proposed the books accept, what they accept is what the optimiser holds for possible, and no rule of
links, credit or parts is broken; the remedy of every waiting instruction is true. Method: hypothesis over small houses,
every set of a few instructions tried on the books, rules counted again from the tables.
"""

from __future__ import annotations

import random
import sys
from itertools import product
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parent.parent / "settlement" / "stories"))

from story import BOND, MONDAY, PRICES_E4, SHARE, Story

from tsingma.app.explain import explain_number
from tsingma.app.proposals import propose
from tsingma.basics.clock import FixedClock
from tsingma.basics.columns import pack, unpack
from tsingma.engine import settling
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal import commands as do
from tsingma.journal.events import Accepted, SettledTogether
from tsingma.reference.markets import EVERY_MARKET
from tsingma.settlement.instruction import BY_BOTH, DVP, FOP, LACK_OF_SECURITIES, SETTLED
from tsingma.settlement.optimise import optimise
from tsingma.settlement.proposal import Objective
from tsingma.settlement.recycling import ready
from tsingma.settlement.waiting import waiting_problem

LENT_E6 = {SHARE: 700_000, BOND: 940_000}  # after the haircut
UNIT = {SHARE: 100, BOND: 1_000}
THRESHOLD_CENTS = 8_000_000
KINDS = ("dvp", "dvp", "dvp", "dvp", "fop", "pfod")
PARTIES = ("A", "B", "C", "D")
seeds = st.integers(0, 10**6)


def price(isin: str) -> int:
    """Return HKD cents for one lot or unit of trading."""
    rate = {SHARE: 1_000_000, BOND: 1_080_000}[isin]
    return PRICES_E4[isin] * UNIT[isin] // 100 * rate // 1_000_000


def told(seed: int, *, count: int = 8, window: bool = False) -> Story:
    """Return a story after a night's run: parties with little, lines, instructions in circles, links where they fit.

    With ``window`` a window for parts is open, and parties permit parts only after its own run.
    """
    chance, story = random.Random(seed), Story()
    for who in PARTIES:
        for isin in (SHARE, BOND):
            if chance.random() < 0.5:
                story.give(who, isin, chance.randint(1, 6) * UNIT[isin])
        if chance.random() < 0.3:
            story.give(who, "HKD", chance.randint(1, 4) * price(SHARE))
        if chance.random() < 0.6:
            story.line(who, collateral=chance.randint(1, 30) * price(SHARE))
    numbers = []
    for _ in range(count):
        giver, taker = chance.sample(PARTIES, 2)
        isin, size, kind = chance.choice([SHARE, BOND]), chance.randint(1, 8), chance.choice(KINDS)
        amount = {} if kind == "fop" else {"amount_cents": size * (price(isin) + chance.randint(-2, 2))}
        quantity = {} if kind == "pfod" else {"quantity": size * UNIT[isin]}
        numbers.append((taker, story.agree(giver, taker, kind=kind, isin=isin, **amount, **quantity)))
    for _ in range(chance.randint(0, 3)):
        kind = chance.choice(["together", "together", "before"])
        two = tuple(chance.sample(range(count), 2))
        step(story.house, do.LinkInstructions(kind, two, "HKSCC"))  # refused where it makes no sense
    if window:
        for taker, number in numbers:
            story.act(taker, number, "refuse-parts")
    story.run("night-2-parts" if window else "night-1-everything")
    for taker, number in numbers if window else ():
        if story.status(number) == "matched":
            story.act(taker, number, "permit-parts")
    return story


def check_links(house: House) -> None:
    """Check that no group settled in part, and nothing before what it comes after."""
    table, pairs = house.settlement.instructions.table, house.settlement.links
    done = table["status"] == SETTLED
    for group in set(table["together"].tolist()) - {0}:
        assert len(set(done[table["together"] == group].tolist())) == 1
    assert not (done[pairs.later] & ~done[pairs.earlier]).any()


def check_credit(house: House) -> None:
    """Check that every loan is within its line and covered by what is pledged for it after the haircut."""
    loans, book = house.settlement.loans, house.resolved
    rest = loans.table["cents"].astype(np.int64).copy()
    for loan, security, quantity in zip(*(loans.pledges.table[n].tolist() for n in loans.pledges.table), strict=True):
        isin = book.securities[security]
        rest[loan] -= quantity * price(isin) // UNIT[isin] * LENT_E6[isin] // 1_000_000
    assert (rest <= len(loans.pledges)).all()  # rounded to whole cents, a pledge each
    table = house.settlement.credit_lines.table
    for account, currency, limit in zip(
        *(table[name].tolist() for name in ("account", "currency", "collateral_cents")), strict=True
    ):
        assert loans.drawn(account, currency) <= limit


@settings(max_examples=30, deadline=None)
@given(seeds, st.booleans())
def test_what_is_proposed_is_accepted_and_breaks_no_rule(seed: int, window: bool) -> None:
    """Goal: a proposal is never refused; links, credit and parts as the rules say. Method: random houses."""
    story = told(seed, window=window)
    house, table = story.house, story.house.settlement.instructions.table
    before = {name: column.copy() for name, column in table.items()}
    command = propose(house, Objective.VALUE, FixedClock(), EVERY_MARKET)
    assert {name: column.tolist() for name, column in before.items()} == {
        name: column.tolist() for name, column in table.items()
    }
    answer = step(house, command)
    assert isinstance(answer, Accepted), answer
    event = answer.events[0]
    assert isinstance(event, SettledTogether)
    house.ledger.check()
    house.settlement.check_day()
    check_links(house)
    check_credit(house)
    assert event.settled == unpack(command.instruction, "i4").size
    part, units = unpack(command.part, "i4"), unpack(command.part_units, "i8")
    assert event.parts == part.size
    assert window or not part.size
    linked = house.settlement.links.linked(house.settlement.instructions)
    for number, taken in zip(part.tolist(), units.tolist(), strict=True):
        assert before["kind"][number] in (DVP, FOP)
        assert (before["partial"][number], before["reason"][number]) == (BY_BOTH, LACK_OF_SECURITIES)
        assert number not in linked
        assert table["open_quantity"][number] == before["open_quantity"][number] - taken > 0
        isin = house.resolved.securities[before["security"][number]]
        assert taken % UNIT[isin] == 0 < taken
        paid = int(before["amount_cents"][number]) * taken // int(before["quantity"][number])
        assert before["kind"][number] == FOP or paid >= THRESHOLD_CENTS


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_the_books_accept_what_the_optimiser_holds_for_possible(seed: int) -> None:
    """Goal: the model of links and credit is the books' own rule. Method: every set, on the books and in the model."""
    house = told(seed, count=6).house
    settlement, current = house.settlement, settling.now(house)
    numbers = ready(settlement.instructions, MONDAY, EVERY_MARKET, settling.open_kinds(house))
    numbers = settlement.links.unparted(settlement.instructions, numbers)
    if not numbers.size:
        return
    problem = waiting_problem(
        settlement.instructions, house.ledger, numbers, house.fx_e6, settlement.links, current.lender(settlement)
    )
    dump, best = house.dump(), 0
    for choice in product([False, True], repeat=numbers.size):
        chosen = np.array(choice)
        answer = step(House.load(dump), do.SettleTogether("test", pack(numbers[chosen], "i4")))
        assert problem.feasible(chosen) == isinstance(answer, Accepted), (chosen, answer)
        best = max(best, int(chosen.sum()) * isinstance(answer, Accepted))
    looks = iter(range(10**9))
    assert optimise(problem, Objective.NUMBER, 1.0, lambda: next(looks) / 1e4).settled == best


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_every_remedy_is_true_with_links_and_credit(seed: int) -> None:
    """Goal: doing what is named settles it, with what it is linked to. Method: give it, propose exactly that."""
    dump = told(seed).house.dump()
    house = House.load(dump)
    book = house.resolved
    names = {
        f"{book.account_name(who)} {book.asset_name(what)}": (who, what)
        for who, what in product(range(len(book.book.accounts)), range(book.asset_count))
    }
    for number in np.flatnonzero(house.settlement.instructions.table["status"] != SETTLED).tolist():
        house = House.load(dump)
        remedy = explain_number(house, number)
        if remedy.needs:
            who, what = zip(*(names[name] for name, _ in remedy.needs), strict=True)
            more = deposit(who, what, [lack for _, lack in remedy.needs])
            assert isinstance(step(house, more), Accepted)
        before = house.settlement.instructions.table["status"] == SETTLED
        members = _members(house, number)
        if not before[number]:
            answer = step(house, do.SettleTogether("test", pack(members, "i4")))
            assert isinstance(answer, Accepted), (remedy, answer)
        assert house.settlement.instructions.table["status"][number] == SETTLED
        check_credit(house)


def deposit(who: tuple[int, ...], what: tuple[int, ...], amount: list[int]) -> do.DepositAssets:
    """Return a deposit."""
    return do.DepositAssets(pack(who, "i4"), pack(what, "i4"), pack(amount, "i8"))


def _members(house: House, number: int) -> list[int]:
    """Return an open instruction and all open ones that must settle with or before it, by the tables."""
    table, pairs = house.settlement.instructions.table, house.settlement.links
    found = {number}
    while True:
        groups = {int(table["together"][one]) for one in found} - {0}
        more = set(np.flatnonzero(np.isin(table["together"], list(groups))).tolist())
        more |= {int(a) for a, b in zip(pairs.earlier, pairs.later, strict=True) if int(b) in found}
        more = {one for one in more if table["status"][one] != SETTLED} | found
        if more == found:
            return sorted(found)
        found = more
