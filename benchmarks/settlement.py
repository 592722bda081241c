"""Settlement optimisation beside plain methods and HiGHS on the reference instances, one run.

    python benchmarks/settlement.py [COUNT] [SEEDS]

For each instance (beta 0.5, alpha 0, short 0.1): recycling, our pipeline by number and by value, and HiGHS on the whole
problem with a relative gap of 1e-4 and a limit of two minutes. Goals: within 0.1 point of HiGHS by number and 0.5
point by value, in at most half its time (10,000); at least 98.9 % by number in 6 seconds (100,000).
"""

from __future__ import annotations

import sys
import time

import numpy as np

from machine import describe
from tsingma.settlement.exact import best_of_part
from tsingma.settlement.instance import Problem, problem_of
from tsingma.settlement.optimise import Objective, optimise, weights
from tsingma.simulate.settlement import fingerprint, settlement_instance

LIMITS = {10_000: 1.4, 100_000: 5.8}


def highs(problem: Problem, objective: Objective) -> tuple[float, float]:
    """Return the weight that HiGHS reaches on everything at once, and its seconds."""
    weight = weights(problem, objective)
    began = time.perf_counter()
    everything = np.ones(problem.size, np.bool_)
    found = best_of_part(problem, weight / weight.mean(), np.zeros(problem.size, np.bool_), everything, 120.0)
    return float(weight[found].sum()), time.perf_counter() - began


def main(count: int, seeds: list[int]) -> None:
    """Run every seed and print one line an objective."""
    print(describe("numpy", "numba", "scipy"))
    optimise(problem_of(settlement_instance(50, beta=0.5, short=0.5)), Objective.VALUE, 0.5, time.perf_counter)
    limit = LIMITS.get(count, 5.0)
    for seed in seeds:
        instance = settlement_instance(count, seed=seed, beta=0.5, alpha=0, short=0.1)
        problem = problem_of(instance)
        print(f"{count:,} instructions, seed {seed}, {fingerprint(instance)}")
        for objective, allowed in ((Objective.NUMBER, 0.1), (Objective.VALUE, 0.5)):
            total = float(weights(problem, objective).sum())
            found = optimise(problem, objective, limit, time.perf_counter)
            ours = float(weights(problem, objective)[list(found.chosen)].sum())
            first = found.by_stage[0]
            base = first.settled if objective is Objective.NUMBER else first.settled_value
            line = f"  {objective:<8} recycling {base / total:.2%}, tsingma {ours / total:.3%} in {found.seconds:.2f} s"
            if count <= 10_000:
                theirs, spent = highs(problem, objective)
                behind = 100 * (theirs - ours) / total
                met = behind <= allowed and found.seconds <= spent / 2
                line += f", HiGHS {theirs / total:.3%} in {spent:.2f} s: {behind:+.3f} points behind, "
                line += f"{found.seconds / spent:.2f} of its time: {'met' if met else 'MISSED'}"
            elif objective is Objective.NUMBER:
                line += f": {'met' if ours / total >= 0.989 and found.seconds <= 6 else 'MISSED'}"
            else:
                line += f", bound {(found.lp_bound or total) / total:.3%}"
            print(line, flush=True)


if __name__ == "__main__":
    main(
        int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000,
        [int(text) for text in sys.argv[2].split(",")] if len(sys.argv) > 2 else [1, 4, 5],
    )
