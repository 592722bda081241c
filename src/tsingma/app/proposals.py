"""Sets that settle together, proposed from a snapshot of a house and submitted to it as a command.

The stages used here cut nothing off by the clock, so that the same books give the same proposal.
"""

from __future__ import annotations

import numpy as np

from tsingma.app.session import Session
from tsingma.basics.clock import Clock
from tsingma.basics.columns import pack
from tsingma.engine.house import House
from tsingma.engine.settling import in_window, now, open_kinds
from tsingma.journal.commands import SettleTogether
from tsingma.journal.events import SettledTogether
from tsingma.reference.markets import EVERY_MARKET
from tsingma.settlement.optimise import quick
from tsingma.settlement.part_proposal import with_parts
from tsingma.settlement.proposal import Objective, weights
from tsingma.settlement.recycling import ready
from tsingma.settlement.together import Chosen, uncovered_lines
from tsingma.settlement.waiting import waiting_problem


def settle_waiting(
    session: Session, name: str, objective: Objective, clock: Clock, markets: tuple[int, ...] = EVERY_MARKET,
    kinds: tuple[int, ...] = (),
) -> SettledTogether:  # fmt: skip
    """Propose a set of what may settle now and submit it as the command ``name``, also when nothing more settles.

    What was proposed under this name before answers from the journal: a day that was cut off goes on the same.
    """
    accepted = session.once(name, lambda: propose(session.house, objective, clock, markets, kinds))
    event = accepted.events[0]
    if not isinstance(event, SettledTogether):
        raise TypeError(f"a proposal was answered with {type(event).__name__}")
    return event


def propose(
    house: House, objective: Objective, clock: Clock, markets: tuple[int, ...], kinds: tuple[int, ...] = ()
) -> SettleTogether:
    """Return a set of what may settle now of the given markets and (if any) kinds, maybe none; changes nothing.

    Links are kept and credit against securities is drawn; in a window, parts settle beside the whole ones.
    """
    settlement = house.settlement
    may = tuple(kind for kind in open_kinds(house) if not kinds or kind in kinds)
    numbers = ready(settlement.instructions, house.position.day, markets, may) if may else np.zeros(0, np.int64)
    numbers = settlement.links.unparted(settlement.instructions, numbers)
    if not numbers.size:
        return SettleTogether("nothing waits", b"")
    current = now(house)
    without: frozenset[int] = frozenset()
    while True:
        problem = waiting_problem(
            settlement.instructions, house.ledger, numbers, house.fx_e6, settlement.links, current.lender(settlement),
            without,
        )  # fmt: skip
        settled, stages = quick(problem, objective, lambda: clock.elapsed_ns() / 1e9)
        units = np.zeros(problem.size, np.int64)
        if in_window(house):
            settled, units = with_parts(settlement, current, problem, numbers, settled)
        chosen = Chosen(numbers[settled], numbers[units > 0], units[units > 0])
        refused = uncovered_lines(settlement, current, chosen) - without
        if not refused:
            break
        without |= refused
    reached = weights(problem, objective)[settled].sum()
    basis = f"{objective}: {int(settled.sum())} of {problem.size}, {reached:.0f}, by {stages[-1].stage}"
    return SettleTogether(basis, pack(chosen.whole, "i4"), pack(chosen.part, "i4"), pack(chosen.units, "i8"))
