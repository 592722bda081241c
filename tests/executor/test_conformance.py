"""Executors.

Goal: the same margin run in process, on a process pool and on Ray gives identical bytes. Method: one test over all
adapters, with inputs that occur twice; errors come back as they were; unknown tasks are refused.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulated_past import HEDGED, RATES, simulated_market
from tsingma.basics.rejection import Rejected
from tsingma.executor.local import InProcess, ProcessPool
from tsingma.executor.protocol import Executor, address, distinct
from tsingma.margin.house.holdings import BASKET, Book, Holding, House, Product
from tsingma.margin.joint.requirement import JointSettings
from tsingma.margin.joint.task import STUDY, pack_past, pack_question, unpack_past, unpack_study

BET = Book(
    "bet",
    (
        Holding(house=House.HKSCC, product=Product.STOCK, factor="00005", notional=5_000_000),
        Holding(house=House.SEOCH, product=Product.CALL, factor="00700", notional=5_000_000),
    ),
)


@pytest.fixture(scope="module", params=["in-process", "process-pool", "ray"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Every adapter in turn."""
    if request.param == "in-process":
        yield InProcess()
    elif request.param == "process-pool":
        yield ProcessPool(2)
    else:
        pytest.importorskip("ray")
        from tsingma.executor.ray_cluster import RayCluster

        cluster = RayCluster(cores=2)
        yield cluster
        cluster.close()


@pytest.fixture(scope="module")
def work() -> tuple[bytes, list[bytes], list[bytes]]:
    """A history, three questions (one of them twice), and the answers in process."""
    shared = pack_past(simulated_market())
    asked = [pack_question(book, JointSettings(), 25) for book in (HEDGED, BET, RATES)]
    inputs = [*asked, asked[0]]
    return shared, inputs, InProcess().run(STUDY, shared, inputs)


@pytest.mark.slow
def test_identical_results(executor: Executor, work: tuple[bytes, list[bytes], list[bytes]]) -> None:
    """Goal: bytes for bytes the same, in the order asked. Method: studies of shares, options, swaps."""
    shared, inputs, wanted = work
    assert executor.run(STUDY, shared, inputs) == wanted
    assert [unpack_study(one).book for one in wanted] == ["B", "bet", "rates", "B"]


@pytest.mark.slow
def test_errors_come_back(executor: Executor, work: tuple[bytes, list[bytes], list[bytes]]) -> None:
    """Goal: a refusal is raised to the caller, and says what was wrong. Method: a factor that is not there."""
    bad = Book("bad", (Holding(house=House.HKSCC, product=Product.STOCK, factor="99999", notional=1),))
    with pytest.raises(Exception, match="'99999' is not in the price history"):
        executor.run(STUDY, work[0], [pack_question(bad, JointSettings(), 25)])


def test_unknown_tasks_and_addresses() -> None:
    """Goal: only tasks of this package run; equal work has one address. Method: names and bytes."""
    for task in ("os:system", "tsingma.margin.joint.task:nothing", "tsingma.nothing:x", "tsingma.margin"):
        with pytest.raises(Rejected, match="task"):
            InProcess().run(task, b"", [b""])
    assert address("t", b"a", b"b") == address("t", b"a", b"b") != address("t", b"ab", b"")
    assert distinct("t", b"", [b"x", b"y", b"x"]) == ([b"x", b"y"], [0, 1, 0])


def test_a_past_survives_the_journey() -> None:
    """Goal: a packed past has the same prices, curves and contracts. Method: there and back, and there again."""
    past = simulated_market()
    packed = pack_past(past)
    back = unpack_past(packed)
    assert back.history.instruments == past.history.instruments
    assert back.rates is not None
    assert past.rates is not None
    assert back.rates.contracts == past.rates.contracts
    assert pack_past(back) == packed
    assert BASKET not in back.history.instruments
