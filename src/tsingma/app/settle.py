"""Settlement instances from files: make one, propose a set, explain what waits."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from tsingma.basics.clock import Clock
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.messages.instance_file import read_instance, write_instance
from tsingma.settlement.exact import require_feasible
from tsingma.settlement.instance import problem_of
from tsingma.settlement.optimise import (
    Objective,
    PartialProposal,
    Proposal,
    Remedy,
    explain_instruction,
    optimise,
    optimise_parts,
)
from tsingma.simulate.settlement import fingerprint, settlement_instance


def make_instance(path: Path, count: int, *, seed: int, beta: float, alpha: float, short: float) -> str:
    """Draw an instance, write it and return its fingerprint."""
    instance = settlement_instance(count, seed=seed, beta=beta, alpha=alpha, short=short)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_instance(path, instance)
    return fingerprint(instance)


def propose(path: Path, objective: Objective, time_limit: float, clock: Clock) -> Proposal:
    """Return the best set of an instance file within the time limit; raises Rejected naming file and line."""
    problem = problem_of(read_instance(path))
    # Kernels are compiled or loaded on a tiny instance first, so that the limit is spent on the real one.
    optimise(problem_of(settlement_instance(20, beta=0.5, short=0.5)), objective, 1.0, lambda: clock.elapsed_ns() / 1e9)
    return optimise(problem, objective, time_limit, lambda: clock.elapsed_ns() / 1e9)


def propose_parts(
    path: Path, objective: Objective, time_limit: float, clock: Clock, least_share_e4: int
) -> PartialProposal:
    """Return what settles of an instance file when parts are allowed; raises Rejected naming file and line."""
    problem = problem_of(read_instance(path))
    return optimise_parts(
        problem, objective, time_limit, lambda: clock.elapsed_ns() / 1e9, least_share_e4=least_share_e4
    )


def explain_waiting(path: Path, result: Path, instruction: int) -> Remedy:
    """Return why an instruction of an instance does not settle beside a written proposal.

    Raises Rejected: the proposal is none, names what is not there, or would overdraw an account of this instance.
    """
    problem = problem_of(read_instance(path))
    try:
        proposal = msgspec.json.decode(result.read_bytes(), type=Proposal)
    except msgspec.DecodeError as error:
        raise refuse(RejectionReason.MALFORMED, f"is no proposal: {error}", file=str(result)) from None
    settled = np.zeros(problem.size, np.bool_)
    if any(not 0 <= k < problem.size for k in proposal.chosen) or proposal.submitted != problem.size:
        message = "is of another instance"
        raise refuse(RejectionReason.CONFLICT, message, file=str(result), field="chosen", remedy="run it again")
    settled[list(proposal.chosen)] = True
    require_feasible(problem, settled)
    return explain_instruction(problem, settled, instruction)
