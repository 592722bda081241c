"""Settlement optimisation beside plain methods and HiGHS on the reference instances, one run.

    python benchmarks/settlement.py [COUNT] [SEEDS]        the table of instances, for example 10000 1,4,5 or 100000 1
    python benchmarks/settlement.py frontier|gridlock|partial|fingerprints

For each instance (beta 0.5, alpha 0, short 0.1): one pass in order of entry, recycling and a plain liquidity saving
mechanism in plain Python, our pipeline by number and by value, and HiGHS on the whole problem with a relative gap of
1e-4; HiGHS goes first, and the pipeline is given 45 % of its time, 5.4 seconds at most. Goals: within 0.1 point of
HiGHS by number and 0.5 point by value in at most half its time (10,000); at least 98.9 % by number, and by value within
1 point of HiGHS's bound, in 6 seconds (100,000). Settled sets are verified in integers in the pipeline and here again.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

import numpy as np

from machine import describe
from plain_settlement import liquidity_saving, one_pass, recycling
from tsingma.settlement.exact import solve_whole
from tsingma.settlement.instance import Instance, Problem, problem_of
from tsingma.settlement.optimise import frontier, optimise, optimise_parts
from tsingma.settlement.proposal import Objective, weights
from tsingma.simulate.settlement import fingerprint, settlement_instance

LIMIT, SHARE = 5.4, 0.45  # seconds of the pipeline, and of HiGHS's time at most
ALLOWED = {Objective.NUMBER: 0.1, Objective.VALUE: 0.5}
HIGHS_LIMIT = 300.0
FINGERPRINTS = {
    1_000: "4ec4572a8eddbbad", 10_000: "4ea1ac6c069bb3e4", 100_000: "2e611b6d68d7b149", 1_000_000: "ca6493e52908d44b",
}  # fmt: skip


def reference(count: int, seed: int = 1) -> Instance:
    """Return a reference instance."""
    return settlement_instance(count, seed=seed, beta=0.5, alpha=0, short=0.1)


def plain_methods(instance: Instance, problem: Problem) -> None:
    """Print what the plain methods settle."""
    for name, method in (("one pass", one_pass), ("recycling", recycling), ("plain LSM", liquidity_saving)):
        began = time.perf_counter()
        chosen = np.zeros(problem.size, np.bool_)
        chosen[list(method(instance))] = True
        spent = time.perf_counter() - began
        if not problem.feasible(chosen):
            raise RuntimeError(f"{name} overdraws an account")
        value = problem.cash[chosen].sum() / problem.cash.sum()
        print(f"  {name:<12}{chosen.mean():9.3%} of number{value:9.3%} of value{spent:9.2f} s", flush=True)


def compare(problem: Problem, objective: Objective) -> tuple[bool, float]:
    """Print the pipeline beside HiGHS; return whether the goals are met, and the share of HiGHS's time."""
    count = problem.size
    total = float(weights(problem, objective).sum())
    began, cpu_began = time.perf_counter(), time.process_time()
    theirs, bound = solve_whole(problem, weights(problem, objective), HIGHS_LIMIT)
    spent, cpu_spent = time.perf_counter() - began, time.process_time() - cpu_began
    cpu = time.process_time()
    found = optimise(problem, objective, min(LIMIT, SHARE * spent), time.perf_counter)
    cpu = time.process_time() - cpu
    chosen = np.zeros(count, np.bool_)
    chosen[list(found.chosen)] = True
    if not problem.feasible(chosen):
        raise RuntimeError("the proposal overdraws an account")
    ours = float(weights(problem, objective)[chosen].sum())
    behind, below = 100 * (theirs - ours) / total, 100 * (bound - ours) / total
    if count <= 10_000:
        met = behind <= ALLOWED[objective] and found.seconds <= spent / 2
    else:
        enough = ours / total >= 0.989 if objective is Objective.NUMBER else below <= 1
        met = enough and found.seconds <= 6
    print(
        f"  {objective:<8} tsingma {ours / total:.3%} in {found.seconds:.2f} s (processor {cpu:.2f} s); "
        f"HiGHS {theirs / total:.3%}, bound {bound / total:.3%}, in {spent:.2f} s ({cpu_spent:.2f} s); LP bound "
        f"{(found.lp_bound or total) / total:.3%}; {behind:+.3f} points behind, {below:.3f} below the bound, "
        f"{found.seconds / spent:.2f} of the time: {'met' if met else 'MISSED'}",
        flush=True,
    )
    return met, found.seconds / spent


def instances(count: int, seeds: Iterable[int]) -> None:
    """Print every method on every seed."""
    met, shares = [], []
    for seed in seeds:
        instance = reference(count, seed)
        problem = problem_of(instance)
        print(f"{count:,} instructions, seed {seed}, {fingerprint(instance)}")
        plain_methods(instance, problem)
        for objective in (Objective.NUMBER, Objective.VALUE):
            reached, share = compare(problem, objective)
            met.append(reached)
            shares.append(share)
    print(f"{sum(met)} of {len(met)} goals met; share of HiGHS's time: median {np.median(shares):.2f}, "
          f"largest {max(shares):.2f}")  # fmt: skip


def gridlock() -> None:
    """Print what settles where all can settle together and little alone."""
    for count in (1_000, 10_000, 100_000):
        problem = problem_of(settlement_instance(count, alpha=0, short=0))
        found = optimise(problem, Objective.NUMBER, 5.0, time.perf_counter)
        alone = found.by_stage[0].settled / count
        print(
            f"gridlock, {count:,}: recycling {alone:.2%}, settled {found.settled / count:.2%} in {found.seconds:.3f} s"
        )


def partial() -> None:
    """Print what settles when parts are allowed, beside the bound."""
    for count in (10_000, 100_000):
        problem = problem_of(reference(count))
        found = optimise_parts(problem, Objective.VALUE, 30.0, time.perf_counter)
        bound = found.lp_bound or 0.0
        print(
            f"parts, {count:,}: {found.settled_value / problem.cash.sum():.3%} of the value, "
            f"{found.settled_value / bound:.4%} of the bound's, {found.settled:,} whole, {len(found.parts):,} in part, "
            f"in {found.seconds:.2f} s: {'met' if found.settled_value >= 0.99 * bound else 'MISSED'}"
        )


def number_against_value() -> None:
    """Print the frontier of the instance of 10,000."""
    problem = problem_of(reference(10_000))
    for point in frontier(problem, 3.0, time.perf_counter):
        value = point.settled_value / int(problem.cash.sum())
        print(
            f"value weighs {point.value_share:4.0%}: {point.settled / problem.size:.2%} of number, {value:.2%} of value"
        )


def fingerprints() -> None:
    """Print whether the drawn instances are the published ones."""
    for count, wanted in FINGERPRINTS.items():
        found = fingerprint(reference(count))
        print(f"{count:,}: {found} {'met' if found == wanted else 'MISSED, published is ' + wanted}", flush=True)


def main(arguments: list[str]) -> None:
    """Run what is asked for, by default three seeds of 10,000 and everything that is quick."""
    print(describe("numpy", "numba", "scipy", "highspy"))
    optimise(problem_of(reference(50)), Objective.VALUE, 0.5, time.perf_counter)
    named = {"frontier": number_against_value, "gridlock": gridlock, "partial": partial, "fingerprints": fingerprints}
    if arguments and arguments[0] in named:
        named[arguments[0]]()
        return
    instances(int(float(arguments[0])) if arguments else 10_000,
              [int(text) for text in arguments[1].split(",")] if len(arguments) > 1 else [1, 4, 5])  # fmt: skip
    if not arguments:
        gridlock()
        partial()
        number_against_value()


if __name__ == "__main__":
    main(sys.argv[1:])
