"""Links and credit in the settlement optimiser.

Goal: with links and lines of credit the optimum on small instances, never a link broken nor credit uncovered, no result
below recycling or above the linear bound, true remedies; nothing changes where there is neither.
Method: a twin in dictionaries that tries all sets, hypothesis over instances, remedies applied to balances.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.cli.main import main
from tsingma.kernels import settle as plain
from tsingma.messages.instance_file import read_instance, write_instance
from tsingma.settlement.exact import require_feasible, solve_whole
from tsingma.settlement.instance import Account, Instance, Problem, problem_of
from tsingma.settlement.model import model_of
from tsingma.settlement.optimise import optimise, optimise_parts, quick
from tsingma.settlement.proposal import Objective, account_name, bound, explain_instruction, weights
from tsingma.simulate.settlement import fingerprint, settlement_instance


def may_settle(instance: Instance, chosen: set[int]) -> bool:
    """Return whether a set may settle at one instant: the rules in dictionaries, one after the other."""
    for k in chosen:
        group = instance.together.get(k)
        if group and any(other not in chosen for other, its in instance.together.items() if its == group):
            return False
    if any(later in chosen and earlier not in chosen for earlier, later in instance.after):
        return False
    end: dict[Account, int] = dict(instance.balances)
    for k in chosen:
        seller, buyer, isin, quantity, cash, _ = instance.orders[k]
        end["s", seller, isin] -= quantity
        end["s", buyer, isin] += quantity
        if cash:
            end["c", buyer] -= cash
            end["c", seller] += cash
    for account, amount in end.items():
        if amount >= 0:
            continue
        pledged = sum(
            worth * end[stock]
            for stock, worth in instance.worth.items()
            if account[0] == "c" and stock[1] == account[1]
        )
        if -amount > min(instance.lines.get(account, 0), pledged):
            return False
    return True


def best_of_all(instance: Instance, weight: np.ndarray) -> float:
    """Return the greatest weight of a set that may settle, by trying all."""
    size = len(instance.orders)
    return max(
        float(weight[np.array(choice)].sum())
        for choice in product([False, True], repeat=size)
        if may_settle(instance, {k for k in range(size) if choice[k]})
    )


def small(seed: int, count: int, *, linked: float = 0.7, credit: float = 0.6) -> Instance:
    """Return a small instance in which links and credit matter."""
    return settlement_instance(
        count, seed=seed, parties=4, isins=2, beta=0.3, short=0.7, linked=linked, credit=credit
    )  # fmt: skip


def marked(problem: Problem, chosen: tuple[int, ...]) -> np.ndarray:
    """Return a proposal's set as flags."""
    settled = np.zeros(problem.size, np.bool_)
    settled[list(chosen)] = True
    return settled


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 10), st.sampled_from([(0.9, 0.0), (0.0, 0.8), (0.6, 0.6)]),
       st.sampled_from(list(Objective)))  # fmt: skip
def test_the_optimum_of_small_instances(
    seed: int, count: int, shares: tuple[float, float], objective: Objective
) -> None:
    """Goal: the optimum under links and credit, below the bound. Method: all sets of up to ten by the plain rules."""
    instance = small(seed, count, linked=shares[0], credit=shares[1])
    problem = problem_of(instance)
    weight = weights(problem, objective)
    found = optimise(problem, objective, 1.0, time.perf_counter)
    assert may_settle(instance, set(found.chosen))
    reached, best = float(weight[list(found.chosen)].sum()), best_of_all(instance, weight)
    assert reached == pytest.approx(best)
    assert found.lp_bound is None or reached <= found.lp_bound * (1 + 1e-6)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_optimum_of_twelve(seed: int) -> None:
    """Goal: the same at the size of the longest enumeration here. Method: all 4,096 sets."""
    instance = small(seed, 12)
    problem = problem_of(instance)
    found = optimise(problem, Objective.NUMBER, 1.0, time.perf_counter)
    assert may_settle(instance, set(found.chosen))
    assert found.settled == best_of_all(instance, np.ones(12))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 9), st.data())
def test_feasible_is_what_the_rules_say(seed: int, count: int, data: st.DataObject) -> None:
    """Goal: the integer verification, and the rows the stages work with, allow the same sets. Method: any set."""
    instance = small(seed, count)
    problem = problem_of(instance)
    settled = marked(problem, tuple(data.draw(st.sets(st.integers(0, count - 1)))))
    allowed = may_settle(instance, set(np.flatnonzero(settled).tolist()))
    assert problem.feasible(settled) == allowed
    model = model_of(problem)
    items = np.ones(model.size, np.bool_)
    items[model.item[~settled]] = False
    whole = bool((model.instructions(items) == settled).all())
    assert (whole and bool((model.slack(items) >= 0).all())) == allowed
    if not allowed:
        with pytest.raises(InvariantBroken, match="proposed set"):
            require_feasible(problem, settled)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(list(Objective)), st.booleans())
def test_every_stage_keeps_links_and_credit(seed: int, objective: Objective, quickly: bool) -> None:
    """Goal: bookable sets of middle size, never below recycling. Method: 150 instructions, the plain rules."""
    instance = settlement_instance(150, seed=seed, parties=8, isins=4, beta=0.4, short=0.5, linked=0.4, credit=0.4)
    problem = problem_of(instance)
    if quickly:
        settled, _ = quick(problem, objective, lambda: 0.0)
    else:
        settled = marked(problem, optimise(problem, objective, 0.15, time.perf_counter).chosen)
    assert may_settle(instance, set(np.flatnonzero(settled).tolist()))
    recycled = recycle(problem)
    assert may_settle(instance, set(np.flatnonzero(recycled).tolist()))
    weight = weights(problem, objective)
    assert weight[settled].sum() >= weight[recycled].sum()


def recycle(problem: Problem) -> np.ndarray:
    """Return what settles item by item, by priority and entry, and again when something it waits on is credited."""
    model = model_of(problem)
    recycled = np.zeros(model.size, np.bool_)
    plain.recycle(*model.legs, np.lexsort((np.arange(model.size), model.priority)), model.opening.copy(), recycled)
    return model.instructions(recycled)


def test_links_and_credit_change_what_settles() -> None:
    """Goal: both are in the model at all. Method: a line settles more, a link less, on an instance of 2,000."""
    plain = settlement_instance(2_000, beta=0.5, short=0.1)
    settled = {}
    for name, more in (
        ("plain", {}), ("linked", {"linked": 0.3}), ("credit", {"credit": 0.5}),
    ):  # fmt: skip
        instance = settlement_instance(2_000, beta=0.5, short=0.1, **more)
        assert (instance.orders, instance.balances) == (plain.orders, plain.balances)
        found = optimise(problem_of(instance), Objective.NUMBER, 1.0, time.perf_counter)
        assert found.lp_bound is not None
        assert found.settled <= found.lp_bound
        settled[name] = found.settled
    assert settled["linked"] < settled["plain"] < settled["credit"]


def test_near_the_optimum_with_both() -> None:
    """Goal: within 0.2 points of HiGHS on the whole problem. Method: 3,000 instructions, a fifth linked."""
    problem = problem_of(settlement_instance(3_000, beta=0.5, short=0.1, linked=0.2, credit=0.2))
    theirs, highest = solve_whole(problem, weights(problem, Objective.NUMBER), 20.0)
    found = optimise(problem, Objective.NUMBER, 2.0, time.perf_counter)
    assert theirs - 6 <= found.settled <= highest + 0.5


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_parts_leave_links_whole(seed: int) -> None:
    """Goal: parts of what is not linked, by the same rules. Method: whole ones and parts as orders of their own."""
    instance = settlement_instance(40, seed=seed, parties=5, isins=3, beta=0.4, short=0.6, linked=0.4, credit=0.5)
    problem = problem_of(instance)
    found = optimise_parts(problem, Objective.NUMBER, 5.0, time.perf_counter)
    orders, linked = list(instance.orders), {*instance.together, *(k for pair in instance.after for k in pair)}
    for k, units in found.parts:
        assert k not in linked
        seller, buyer, isin, quantity, cash, priority = orders[k]
        orders[k] = (seller, buyer, isin, units, cash * units // quantity, priority)
    in_part = {k for k, _ in found.parts}
    assert may_settle(replace(instance, orders=orders), {*found.chosen, *in_part})


@pytest.mark.parametrize(("seed", "objective"), [(1, Objective.NUMBER), (2, Objective.VALUE)])
def test_every_remedy_is_true_with_links_and_credit(seed: int, objective: Objective) -> None:
    """Goal: adding what is named settles it and what it is linked to. Method: every waiting one, by the plain rules."""
    instance = settlement_instance(600, seed=seed, beta=0.5, short=0.2, linked=0.3, credit=0.4)
    problem = problem_of(instance)
    found = optimise(problem, objective, 1.0, time.perf_counter)
    settled = marked(problem, found.chosen)
    slack = problem.end_balances(settled)
    assert (slack < 0).any()  # credit is drawn
    names = {account_name(account): account for account in problem.accounts}
    waiting = np.flatnonzero(~settled).tolist()
    assert len(waiting) > 20
    with_links = 0
    for k in waiting:
        remedy = explain_instruction(problem, slack, settled, k)
        members = bound(problem, settled, k)
        with_links += len(members) > 1
        assert (f"with the {len(members) - 1} it is linked to" in remedy.sentence) == (len(members) > 1)
        balances = dict(instance.balances)
        if remedy.needs:
            assert not may_settle(instance, {*found.chosen, *members})
        for name, lack in remedy.needs:
            balances[names[name]] += lack
        assert may_settle(replace(instance, balances=balances), {*found.chosen, *members})
    assert with_links > 5


def test_blocking_counts_what_credit_covers() -> None:
    """Goal: an account that can pay with credit holds nothing up. Method: one buyer with and without a line."""
    orders = [(0, 1, 0, 10, 100, 1), (0, 1, 0, 10, 100, 1)]
    balances: dict[Account, int] = {("s", 0, 0): 20, ("s", 1, 0): 0, ("c", 1): 0, ("c", 0): 0}
    poor = problem_of(Instance(orders=orders, balances=balances))
    assert optimise(poor, Objective.NUMBER, 0.5, time.perf_counter).blocking[0].shortage == 100
    worth: dict[Account, int] = {("s", 1, 0): 9}
    almost = problem_of(Instance(orders=orders, balances=balances, lines={("c", 1): 500}, worth=worth))
    assert optimise(almost, Objective.NUMBER, 0.5, time.perf_counter).blocking[0].shortage == 10
    worth["s", 1, 0] = 10
    rich = problem_of(Instance(orders=orders, balances=balances, lines={("c", 1): 150}, worth=worth))
    found = optimise(rich, Objective.NUMBER, 0.5, time.perf_counter)
    assert (found.settled, found.blocking[0].shortage) == (1, 50)


def test_a_chain_that_needs_its_end_settles() -> None:
    """Goal: an earlier and a later one that only fit together are found. Method: money that the later one brings."""
    orders = [(0, 1, 0, 5, 50, 1), (1, 2, 1, 5, 50, 1)]
    balances: dict[Account, int] = {
        ("s", 0, 0): 5, ("s", 1, 0): 0, ("s", 1, 1): 5, ("s", 2, 1): 0, ("c", 0): 0, ("c", 1): 0, ("c", 2): 50,
    }  # fmt: skip
    instance = Instance(orders=orders, balances=balances, after=[(0, 1)])
    settled, stages = quick(problem_of(instance), Objective.NUMBER, lambda: 0.0)
    assert settled.all()
    assert stages[0].settled == 0


def test_the_file_holds_links_and_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the written instance is the same, and unlinked files are as before. Method: round trip and commands."""
    path = tmp_path / "I.jsonl"
    call = ["simulate", "settlement", "--n", "400", "--beta", "0.5", "--short", "0.3", "--out", str(path)]
    assert main(call) == 0
    plain = path.read_bytes()
    assert not any(name in plain for name in (b"together", b"after", b"line", b"collateral"))
    assert main([*call, "--linked", "0.3", "--credit", "0.5"]) == 0
    printed = capsys.readouterr().out.split()
    back = read_instance(path)
    drawn = settlement_instance(400, beta=0.5, short=0.3, linked=0.3, credit=0.5)
    assert fingerprint(back) == fingerprint(drawn) == printed[1] != printed[0]
    write_instance(tmp_path / "J.jsonl", back)
    assert (tmp_path / "J.jsonl").read_bytes() == path.read_bytes()
    result = tmp_path / "r.json"
    assert main(["settle", "run", "--instance", str(path), "--time-limit", "0.3", "--out", str(result)]) == 0
    waiting = next(k for k in range(400) if k not in json.loads(result.read_text())["chosen"])
    assert main(["settle", "explain", str(waiting), "--instance", str(path), "--result", str(result)]) == 0
    broken = json.loads(result.read_text())
    linked = next(k for k in broken["chosen"] if back.together.get(k))
    broken["chosen"].remove(linked)
    result.write_text(json.dumps(broken))
    assert main(["settle", "explain", str(waiting), "--instance", str(path), "--result", str(result)]) == 2


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"together": {7: 1}}, "instruction 8: group 1"),
        ({"together": {0: -1}}, "together"),
        ({"after": [(0, 9)]}, "cannot settle after"),
        ({"after": [(1, 1)]}, "instruction 2: it cannot settle after instruction 2"),
        ({"lines": {("s", 0, 0): 5}}, "line"),
        ({"lines": {("c", 99): 5}}, "line"),
        ({"worth": {("c", 0): 5}}, "collateral"),
        ({"worth": {("c", 0): -5}}, "collateral"),
    ],
)
def test_senseless_links_and_lines_are_refused(more: dict[str, object], message: str) -> None:
    """Goal: refusals name the instruction or account. Method: one fault each."""
    instance = settlement_instance(2, seed=1, parties=3, isins=1)
    with pytest.raises(Rejected, match=message):
        problem_of(replace(instance, **more))


def test_worth_that_could_overflow_is_refused() -> None:
    """Goal: no product leaves 64 bits. Method: the greatest worth on a large holding."""
    balances: dict[Account, int] = {("s", 0, 0): 2**40, ("s", 1, 0): 0, ("c", 1): 0, ("c", 0): 0}
    instance = Instance([(0, 1, 0, 10, 100, 1)], balances, lines={("c", 0): 1}, worth={("s", 0, 0): 2**50})
    with pytest.raises(Rejected, match="overflow"):
        problem_of(instance)
