"""Jobs: their states, bounds and owners; cancelling ends the work; the same request gives the same answer."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api_house import Served, served

from tsingma.app.house_market import HouseMarket
from tsingma.app.jobs import Job, JobBoard, JobLimits
from tsingma.basics.clock import SystemClock
from tsingma.basics.rejection import Rejected, RejectionReason

WAIT_SECONDS = 60.0
ENDED = ("done", "failed", "cancelled")


@pytest.fixture
def board() -> Iterator[JobBoard]:
    """A board with small bounds."""
    made = JobBoard(SystemClock(), JobLimits(running=1, waiting=2, of_an_owner=2, result_bytes=1_000_000))
    yield made
    made.close()


def until(ask: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """Ask until the answer is good; fails after a minute."""
    end = time.monotonic() + WAIT_SECONDS
    while not good(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.02)
    return found


def start(board: JobBoard, task: str, request: bytes = b"", owner: str = "A", key: str = "k") -> Job:
    return board.submit(owner, key, "test", f"job_tasks:{task}", request, {})


def ended(board: JobBoard, job: Job, owner: str = "A") -> Job:
    found: Job = until(lambda: board.job(owner, job.job), lambda one: one.state in ENDED)
    return found


def test_a_job_is_carried_out_elsewhere_and_kept(board: JobBoard) -> None:
    """Goal: a job's way. Method: one that answers with its request; its owner reads it, another finds nothing."""
    job = start(board, "tell", b"{}")
    assert ended(board, job).state == "done"
    found = board.job("A", job.job)
    assert (found.progress, found.stage, board.result("A", job.job)) == (1.0, "done", b"{}")
    assert (board.job("B", job.job), board.jobs("B")) == (None, [])
    with pytest.raises(Rejected):
        board.result("B", job.job)


@pytest.mark.parametrize(("task", "fault"), [("deny", "there is nothing (bring something)"), ("die", "process ended"),
                                             ("flood", "larger than 1000000 bytes")])  # fmt: skip
def test_what_fails_says_why(board: JobBoard, task: str, fault: str) -> None:
    """Goal: failures are told. Method: a refusal, a process that dies, a result that is too large."""
    job = ended(board, start(board, task))
    assert job.state == "failed"
    assert fault in job.fault
    assert ended(board, start(board, "tell", key="after")).state == "done"


def test_cancelling_ends_the_work_at_once(board: JobBoard, tmp_path: Path) -> None:
    """Goal: cancel truly stops. Method: the process of a sleeper is gone soon after; the next job runs."""
    job = start(board, "sleep", str(tmp_path / "pid").encode())
    until(lambda: board.job("A", job.job), lambda one: one.stage == "asleep")
    assert board.job("A", job.job).progress == 0.25
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, 0)
    began = time.monotonic()
    assert board.cancel("A", job.job).state == "cancelled"
    until(lambda: Path(f"/proc/{pid}").exists(), lambda there: not there)
    assert time.monotonic() - began < 5.0
    assert ended(board, start(board, "tell", key="after")).state == "done"
    assert board.cancel("A", job.job).state == "cancelled"


def test_a_job_that_waits_is_cancelled_before_it_begins(board: JobBoard, tmp_path: Path) -> None:
    """Goal: cancel in the queue. Method: one runs, one waits and is cancelled; it never starts."""
    first = start(board, "sleep", str(tmp_path / "pid").encode())
    second = start(board, "sleep", str(tmp_path / "second").encode(), key="2")
    assert board.cancel("A", second.job).state == "cancelled"
    until(lambda: board.job("A", first.job), lambda one: one.stage == "asleep")
    board.cancel("A", first.job)
    assert ended(board, start(board, "tell", key="3")).state == "done"
    assert not (tmp_path / "second").exists()


def test_closing_ends_what_runs(tmp_path: Path) -> None:
    """Goal: no orphans. Method: the process of a running job is gone after the board closes."""
    board = JobBoard(SystemClock())
    job = start(board, "sleep", str(tmp_path / "pid").encode())
    until(lambda: board.job("A", job.job), lambda one: one.stage == "asleep")
    board.close()
    pid = int((tmp_path / "pid").read_text())
    until(lambda: Path(f"/proc/{pid}").exists(), lambda there: not there)


def test_a_job_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """Goal: bounded time. Method: a sleeper under a board of a few seconds."""
    board = JobBoard(SystemClock(), JobLimits(running=1, seconds=3.0))
    job = ended(board, start(board, "sleep", str(tmp_path / "pid").encode()))
    board.close()
    assert (job.state, job.fault) == ("failed", "took longer than 3 seconds")


def test_the_queue_is_bounded_of_all_and_of_one() -> None:
    """Goal: bounds. Method: nothing runs; the third of an owner and the fourth of all are refused, nothing is kept."""
    board = JobBoard(SystemClock(), JobLimits(running=0, waiting=3, of_an_owner=2))
    for key in ("1", "2"):
        start(board, "tell", key=key)
    for owner, more in (("A", False), ("B", True), ("C", False)):
        if more:
            start(board, "tell", owner=owner)
            continue
        with pytest.raises(Rejected) as refused:
            start(board, "tell", owner=owner, key="3")
        assert refused.value.rejections[0].reason is RejectionReason.LIMIT
    assert (len(board.jobs("A")), len(board.jobs("B")), len(board.jobs("C"))) == (2, 1, 0)
    board.close()


def test_what_ended_is_forgotten_in_time_and_in_number() -> None:
    """Goal: nothing is kept for ever. Method: jobs cancelled in a queue of which two are kept for a while."""
    from tsingma.basics.clock import FixedClock

    clock = FixedClock(1_000_000_000)
    board = JobBoard(clock, JobLimits(running=0, kept=2, kept_seconds=60.0))
    numbers = []
    for key in ("1", "2", "3"):
        numbers.append(start(board, "tell", key=key).job)
        board.cancel("A", numbers[-1])
    assert [one.job for one in board.jobs("A")] == [numbers[2], numbers[1]]
    clock.advance(61 * 1_000_000_000)
    assert board.jobs("A") == []
    board.close()


def test_a_key_names_one_job(board: JobBoard) -> None:
    """Goal: safe to repeat. Method: the same key and request give the same job, another request a conflict."""
    job = start(board, "tell", b"{}")
    assert start(board, "tell", b"{}").job == job.job
    with pytest.raises(Rejected) as refused:
        start(board, "tell", b"[]")
    assert refused.value.rejections[0].reason is RejectionReason.CONFLICT
    assert start(board, "tell", b"{}", owner="B").job != job.job


@pytest.fixture
def running(folder: Path, market_folder: Path) -> Iterator[Served]:
    """A served house whose jobs run."""
    with served(folder, market=HouseMarket(market_folder)) as house:
        yield house


def run(house: Served, who: str, path: str, body: Any, key: str) -> dict[str, Any]:
    """Start a run, wait for its end and return what it answered."""
    started = house.post(who, path, body, key)
    assert started.status_code == 202, started.text
    where = started.headers["Location"]
    assert where == f"/jobs/{started.json()['job']}"
    job = until(lambda: house.get(who, where).json(), lambda one: one["state"] in ENDED)
    assert job["state"] == "done", job
    answer = house.get(who, f"{where}/result")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_runs_over_http_name_model_parameters_and_data(running: Served) -> None:
    """Goal: stress and economy runs from POST to result. Method: each once; twice the economy's, the same answer."""
    length = running.service.length()
    found = run(
        running,
        "regulator",
        "/stress-runs",
        {"shock": {"index_return": -0.3, "rates": {"CNY": {"shape": "parallel-up", "times": 0.2}}}, "draws": 2},
        "s1",
    )
    assert (found["kind"], found["at"], found["asked"]["shock"]["index_return"]) == ("stress-run", length, -0.3)
    assert found["runs"][0]["rates"][0]["parallel"] in (45.0, 50.0)  # a fifth of the size in force on the house's day
    assert [one["id"] for one in found["runs"]] == ["own-shock"]
    assert set(found["market"]["files"]) == {"prices.csv"}
    body = {"model": "property", "scenario": "replay-1997", "replications": 50, "seed": 3}
    first, again = (run(running, "participant", "/economy-runs", body, key) for key in ("e1", "e2"))
    assert first == again
    assert (first["seed"], first["replications"]) == (3, 50)
    assert running.service.length() == length
    jobs = running.get("participant", "/jobs").json()["items"]
    assert [one["kind"] for one in jobs] == ["economy-run", "economy-run"]
    assert running.get("custodian", f"/jobs/{jobs[0]['job']}/result").status_code == 404


def test_a_backtest_is_the_study_of_the_accounts_lines(running: Served, market_folder: Path) -> None:
    """Goal: margin backtests as jobs. Method: the account's one line at one house, against the study asked directly."""
    from tsingma.margin.house.holdings import Book, Holding, House, Product
    from tsingma.margin.joint.backtest import backtest_products

    found = run(running, "participant", "/accounts/A/HOUSE/margin/backtest", {"every": 40}, "b1")
    line = Holding(house=House.HKSCC, product=Product.STOCK, factor="00700", notional=30_000, days=0)
    (wanted,) = backtest_products(Book("A/HOUSE", (line,)), HouseMarket(market_folder).past(), every=40)
    assert (found["kind"], found["account"], found["lines"]) == ("margin-backtest", "A/HOUSE", 1)
    assert [(one["days"], one["uncovered"], one["mean_margin"]) for one in found["rows"]] == [
        (wanted.days, wanted.uncovered, wanted.mean_margin)
    ]
    assert found["basis"]["market"]["files"] == HouseMarket(market_folder).data().files


@pytest.mark.parametrize(("path", "body", "status"), [
    ("/economy-runs", {"model": "property", "scenario": "nothing"}, 422),
    ("/economy-runs", {"model": "property", "scenario": "../../etc/passwd"}, 400),
    ("/economy-runs", {"model": "property", "scenario": "replay-1997", "replications": 10**9}, 400),
    ("/stress-runs", {"scenarios": ["/etc/passwd"]}, 400),
    ("/stress-runs", {"scenarios": ["evil.toml"]}, 422),
    ("/stress-runs", {"shock": {"index_return": -1.5}}, 400),
    ("/stress-runs", {"draws": 201}, 400),
    ("/stress-runs", {"shock": {"rates": {"CNY": {"shape": "twist"}}}}, 422),
    ("/stress-runs", {"shock": {"rates": {"ZZZ": {"parallel": 1.0}}}}, 422),
    ("/stress-runs", {"shock": {"rates": {"CNY": {"parallel": 1e9}}}}, 400),
])  # fmt: skip
def test_what_cannot_run_is_refused_before_it_waits(shown: Served, path: str, body: Any, status: int) -> None:
    """Goal: no file of the machine by name, no size beyond the bounds. Method: requests that would reach for them."""
    answer = shown.post("operator", path, body, "k")
    assert answer.status_code == status, answer.text
    assert shown.get("operator", "/jobs").json()["items"] == []


def test_without_a_market_a_stress_run_says_so(house: Served) -> None:
    """Goal: a problem that names the remedy. Method: a house served without a market."""
    answer = house.post("operator", "/stress-runs", {}, "k").json()
    assert (answer["status"], answer["reason"], answer["field"]) == (422, "missing", "market")
    assert "--market" in answer["remedy"]


def test_too_many_jobs_are_told_to_wait(written: Path, market_folder: Path, tmp_path: Path) -> None:
    """Goal: 429 with Retry-After. Method: a board of one; a result that is not there is 409, a cancelled job stays."""
    limits = JobLimits(running=0, waiting=1)
    copy = Path(shutil.copytree(written, tmp_path / "house"))
    body = {"model": "renminbi", "scenario": "renminbi-jump"}
    with served(copy, market=HouseMarket(market_folder), job_limits=limits) as house:
        where = house.post("operator", "/economy-runs", body, "k1").headers["Location"]
        refused = house.post("regulator", "/economy-runs", body, "k1")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
        assert house.get("operator", f"{where}/result").status_code == 409
        cancelled = house.call("operator", "POST", f"{where}/cancel")
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
        assert house.post("regulator", "/economy-runs", body, "k1").status_code == 202


def test_who_ends_many_jobs_loses_their_own(tmp_path: Path) -> None:
    """Goal: nobody pushes out another's result. Method: one owner's job is done; another cancels more than are kept."""
    board = JobBoard(SystemClock(), JobLimits(running=1, kept=3))
    try:
        mine = ended(board, start(board, "tell", b"mine"))
        sleeper = start(board, "sleep", str(tmp_path / "pid").encode(), owner="B", key="s")
        until(lambda: board.job("B", sleeper.job), lambda one: one.stage == "asleep")
        for place in range(10):
            board.cancel("B", start(board, "tell", owner="B", key=str(place)).job)
        assert board.result("A", mine.job) == b"mine"
        assert len(board.jobs("B")) == 3  # two that ended, and the sleeper
    finally:
        board.close()


def test_results_that_are_kept_are_bounded_together(tmp_path: Path) -> None:
    """Goal: memory of all results. Method: room for 30 bytes: one owner has three of 10, another's tenth comes in."""
    board = JobBoard(SystemClock(), JobLimits(running=1, kept_bytes=30))
    try:
        first = [start(board, "tell", b"0123456789", key=f"k{place}") for place in range(3)]
        for one in first:
            assert ended(board, one).state == "done"
        other = start(board, "tell", b"0123456789", owner="B")
        assert ended(board, other, "B").state == "done"
        assert board.job("A", first[0].job) is None
        assert [board.result("A", one.job) for one in first[1:]] == [b"0123456789"] * 2
        assert board.result("B", other.job) == b"0123456789"
    finally:
        board.close()


def test_what_was_cancelled_while_it_waited_is_let_go(board: JobBoard, tmp_path: Path) -> None:
    """Goal: bounded memory. Method: one runs; another owner starts and cancels 200; what they asked is not held."""
    sleeper = start(board, "sleep", str(tmp_path / "pid").encode())
    until(lambda: board.job("A", sleeper.job), lambda one: one.stage == "asleep")
    for place in range(200):
        board.cancel("B", start(board, "tell", b"a request of mine", owner="B", key=str(place)).job)
    board.jobs("B")
    gc.collect()
    held = sum(getattr(one, "owner", None) == "B" for one in gc.get_objects() if type(one).__name__ == "_Entry")
    assert held <= board.limits.kept


def test_a_process_that_cannot_be_started_fails_the_job_alone(board: JobBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: the board goes on. Method: no process can be started; then one can."""

    def out_of_memory(_process: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    with monkeypatch.context() as patched:
        patched.setattr("multiprocessing.context.SpawnProcess.start", out_of_memory)
        job = ended(board, start(board, "tell"))
    assert (job.state, job.fault) == ("failed", "no process could be started: Cannot allocate memory")
    assert ended(board, start(board, "tell", key="after")).state == "done"
