"""Settlement instances from files: make one, propose a set, show what number and value cost each other, explain."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from tsingma.basics.clock import Clock
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.messages.instance_file import read_instance, write_instance
from tsingma.settlement.instance import Problem, problem_of
from tsingma.settlement.optimise import Elapsed, Point, frontier, optimise, optimise_parts
from tsingma.settlement.partial import Parts, parts_of
from tsingma.settlement.proposal import Objective, Proposal, Remedy, explain_instruction
from tsingma.simulate.settlement import fingerprint, settlement_instance


def make_instance(
    path: Path, count: int, *, seed: int, beta: float, alpha: float, short: float, linked: float, credit: float
) -> str:
    """Draw an instance, write it and return its fingerprint."""
    instance = settlement_instance(count, seed=seed, beta=beta, alpha=alpha, short=short, linked=linked, credit=credit)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_instance(path, instance)
    return fingerprint(instance)


def propose(path: Path, objective: Objective, time_limit: float, clock: Clock) -> Proposal:
    """Return the best set of an instance file within the time limit; raises Rejected naming file and line."""
    problem, elapsed = _ready(path, clock)
    return optimise(problem, objective, time_limit, elapsed)


def propose_parts(path: Path, objective: Objective, time_limit: float, clock: Clock, least_share_e4: int) -> Proposal:
    """Return what settles of an instance file when parts are allowed; raises Rejected naming file and line."""
    problem, elapsed = _ready(path, clock)
    return optimise_parts(problem, objective, time_limit, elapsed, least_share_e4=least_share_e4)


def number_against_value(path: Path, time_limit: float, clock: Clock) -> tuple[Point, ...]:
    """Return what settles of an instance file as the weight moves from number to value, seconds a point."""
    problem, elapsed = _ready(path, clock)
    return frontier(problem, time_limit, elapsed)


def explain_waiting(path: Path, result: Path, instruction: int) -> Remedy:
    """Return why an instruction of an instance does not settle (whole) beside a written proposal.

    Raises Rejected: the proposal is none, names what is not there, or would overdraw an account of this instance.
    """
    problem = problem_of(read_instance(path))
    try:
        proposal = msgspec.json.decode(result.read_bytes(), type=Proposal)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refuse(RejectionReason.MALFORMED, f"is no proposal: {error}", file=str(result)) from None
    parts = _parts(problem, proposal, result)
    whole = parts.quantity == problem.quantity
    if problem.lacks(parts.quantity, parts.cash).any() or problem.parted(whole, parts.quantity > 0) >= 0:
        raise _other(result)
    slack = problem.end_of(parts.quantity, parts.cash)
    open_ = problem.of_open(problem.quantity - parts.quantity, problem.cash - parts.cash)
    return explain_instruction(open_, slack, whole, instruction)


def _parts(problem: Problem, proposal: Proposal, result: Path) -> Parts:
    numbers = [*proposal.chosen, *(k for k, _ in proposal.parts)]
    if proposal.submitted != problem.size or any(not 0 <= k < problem.size for k in numbers):
        raise _other(result)
    quantity = np.zeros(problem.size, np.int64)
    quantity[list(proposal.chosen)] = problem.quantity[list(proposal.chosen)]
    for k, units in proposal.parts:
        quantity[k] = units
    if ((quantity < 0) | (quantity > problem.quantity)).any():
        raise _other(result)
    return parts_of(problem, quantity)


def _other(result: Path) -> Exception:
    message = "is of another instance"
    return refuse(RejectionReason.CONFLICT, message, file=str(result), field="chosen", remedy="run it again")


def _ready(path: Path, clock: Clock) -> tuple[Problem, Elapsed]:
    """Return the problem of a file, kernels loaded on a tiny one first so that the limit is spent on the real one."""

    def elapsed() -> float:
        return clock.elapsed_ns() / 1e9

    problem = problem_of(read_instance(path))
    optimise(problem_of(settlement_instance(20, beta=0.5, short=0.5)), Objective.NUMBER, 1.0, elapsed)
    return problem, elapsed
