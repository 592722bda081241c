"""A whole day without a disk: the rules and the plain checks alone, ten times as fast as with faults.

What only a journal, a batch or a recovery can show is not seen here; what a rule does wrong is.
"""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import InvariantBroken
from tsingma.journal.commands import command_of
from tsingma.simulate.auditor import Violation
from tsingma.simulate.plain_ledger import Refusal
from tsingma.simulate.swarm import draw, settlement_days
from tsingma.simulate.whole.shadow import ShadowHouse
from tsingma.simulate.whole.workload import WholeWorkload

BOLD_MAX, CALM_MAX = 500, 400  # commands of a rehearsal, and then those that only finish it


def rehearse(seed: int, marks: Counter[str] | None = None) -> str:
    """Rehearse the days of a seed and return what was wrong ("" when nothing was); ``marks`` count what was met."""
    counts = Counter() if marks is None else marks
    swarm = draw(np.random.Generator(np.random.PCG64([seed, 1, 2])))
    days = settlement_days(to_date(swarm.days[0]), len(swarm.days) + 1)
    workload = WholeWorkload(
        msgspec.structs.replace(swarm, days=days), np.random.Generator(np.random.PCG64([seed, 3, 2]))
    )
    twin = ShadowHouse()
    for number in range(BOLD_MAX + CALM_MAX):
        if workload.done(twin):
            return ""
        calm = number >= BOLD_MAX
        submitted = workload.next(twin, calm=calm)
        kind = command_of(submitted).__struct_config__.tag
        try:
            twin.carry_out(submitted)
            counts[f"command:{kind}:accepted"] += 1
        except Refusal as refusal:
            counts[f"command:{kind}:refused-{refusal}"] += 1
            if calm:
                return f"command {number}: {kind} would be refused, and the day not finished: {refusal}"
        except (Violation, InvariantBroken, ArithmeticError, LookupError, TypeError, ValueError) as broken:
            return f"command {number}: {kind}: {type(broken).__name__}: {broken}"
    return f"the days are not finished after {BOLD_MAX + CALM_MAX} commands"
