"""A business day by acts of the operator over HTTP, by the batch, and by both: one plan, one end.

Goal: whoever runs a day, in whatever turn, each step is done once and the house ends the same. Method: the third day of
a simulated market (the first two are settled in it), with stocks, futures and margin. The twin is the batch alone; what
is compared is the hash of every room of the house but that of the acts themselves, and the figures of the closed day.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from api_house import SECOND, Served, served
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tsingma.api.acts import EXPIRY_MINUTES
from tsingma.app.day_acts import DayActs
from tsingma.app.day_journal import day_of_journal
from tsingma.app.house_market import HouseMarket
from tsingma.app.inspect import verify_house
from tsingma.app.market_folder import run_folder, run_folder_until, write_market
from tsingma.app.parameter_file import build_parameters
from tsingma.app.progress import Silent
from tsingma.app.session import Session
from tsingma.basics.clock import FixedClock
from tsingma.engine.day_plan import PlanKind, day_plan
from tsingma.engine.house import House
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.messages.rpf01 import write_parameters
from tsingma.simulate.market import simulate_market

DAY = date(2026, 1, 7)
DAYS_BEFORE = [date(2026, 1, 5), date(2026, 1, 6)]
ACT_OF = {
    PlanKind.OPEN: "open-day", PlanKind.TIMETABLE: "run-step", PlanKind.PRICES: "take-prices",
    PlanKind.TRADES: "take-trades", PlanKind.DERIVATIVE_TRADES: "take-derivative-trades",
    PlanKind.DERIVATIVE_MARKS: "mark-derivatives", PlanKind.MARGIN_CALL: "call-margin", PlanKind.CLOSE: "close-day",
}  # fmt: skip
PLAN = day_plan()
BY_ACTS = [step for step in PLAN if step.kind in ACT_OF]  # what settles together the house does itself


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three days, with a risk parameter file."""
    folder = tmp_path_factory.mktemp("days") / "market"
    simulated = simulate_market(11, DAYS_BEFORE[0], 3, 400)
    write_market(folder, simulated, Silent(), plain=True)
    (folder / "RPF01.csv").write_bytes(write_parameters(build_parameters(simulated.history, FilterSettings())))
    return folder


@pytest.fixture(scope="module")
def prices(market: Path) -> HouseMarket:
    """The market as a house is served with it."""
    return HouseMarket(market)


@pytest.fixture(scope="module")
def before(market: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house after two days."""
    folder = tmp_path_factory.mktemp("two") / "house"
    batch(folder, market, *DAYS_BEFORE)
    return folder


@pytest.fixture(scope="module")
def twin(before: Path, market: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house whose third day the batch ran alone."""
    folder = Path(shutil.copytree(before, tmp_path_factory.mktemp("twin") / "house"))
    batch(folder, market, DAY)
    return folder


class Stopped(Exception):
    """The batch ended, as a killed process does."""


def batch(house: Path, market: Path, *days: date, records: int = 10_000) -> None:
    """Run days by the batch; it ends after so many records of its own, as soon as they are durable."""
    told: list[str] = []

    def tell(command_id: str, sequence: int) -> None:
        told.append(command_id)
        if len(told) >= records:
            raise Stopped

    run_folder(house, market, days, market / "RPF01.csv", FixedClock(), Silent(), tell)


def rooms(house: House) -> str:
    """Return a hash of everything in a house but the acts themselves."""
    total = hashlib.sha256()
    for name, value in sorted(house.dump().items()):
        if not name.startswith("acts."):
            total.update(name.encode() + value)
    return total.hexdigest()


def ends_as(house: Path, twin: Path) -> None:
    """Assert that two houses are in the same state, had the same day, and that the journal of the first proves it."""
    with Session.open(house, read_only=True) as ours, Session.open(twin, read_only=True) as theirs:
        assert rooms(ours.house) == rooms(theirs.house)
        told, wanted = (msgspec.to_builtins(day_of_journal(one, DAY)) for one in (ours, theirs))
        own = {"state_hash", "journal_sequence", "journal_hash"}  # of the whole journal, acts and all
        assert {name for name in told if told[name] != wanted[name]} <= own
        assert ours.sequencer.replay().digest() == ours.house.digest()
    assert not verify_house(house).faults


@contextmanager
def desk(house: Path, prices: HouseMarket, **more: Any) -> Iterator[Served]:
    """Serve a house with its market."""
    with served(house, who=("operator", "second", "auditor"), market=prices, **more) as running:
        yield running


def plan_of(house: Served) -> list[dict[str, Any]]:
    """Return the plan as everybody sees it."""
    answer = house.get("auditor", "/day/steps")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]  # type: ignore[no-any-return]


def act_for(step: dict[str, Any]) -> dict[str, Any]:
    """Return the act that does a step of the plan."""
    act: dict[str, Any] = {"act": ACT_OF[PlanKind(step["kind"])]}
    if act["act"] == "open-day":
        act["date"] = str(DAY)
    if act["act"] == "run-step":
        act["step"] = step["step"]
    return act


def propose(house: Served, act: dict[str, Any], key: str) -> Any:
    """Propose as the first operator."""
    return house.post("operator", "/acts", act, key)


def approve(house: Served, number: int, key: str = "") -> Any:
    """Approve as the second operator."""
    return house.call("second", "POST", f"/acts/{number}/approve", headers={"Idempotency-Key": key or f"a-{number}"})


def do(house: Served, act: dict[str, Any], key: str) -> int:
    """Propose and approve; both must go through."""
    proposed = propose(house, act, key)
    assert proposed.status_code == 201, proposed.text
    number = int(proposed.json()["number"])
    done = approve(house, number)
    assert (done.status_code, done.json()) == (200, {"number": number, "status": "approved"}), done.text
    return number


def run_by_acts(house: Served, steps: int = 1_000) -> int:
    """Do what the plan says comes next by acts, ``steps`` at most; returns how many were done."""
    for count in range(steps):
        plan = plan_of(house)
        at_end = plan[-1]["state"] == "done" and house.get("operator", "/day").json()["date"] == str(DAY)
        if at_end:
            return count
        begun = house.get("operator", "/day").json()["date"] == str(DAY)
        may = [one for one in plan if one["state"] in ("next", "open") and one["kind"] in ACT_OF]
        step = may[0] if begun else {"kind": "open", "step": "open"}
        do(house, act_for(step), f"{DAY}-{step['step']}")
    return steps


def test_a_day_by_acts_alone_ends_as_the_batch_does(
    before: Path, twin: Path, market: Path, prices: HouseMarket, tmp_path: Path
) -> None:
    """Goal: a whole day in a served house. Method: every step proposed and approved; each is an act of its own id."""
    house = Path(shutil.copytree(before, tmp_path / "house"))
    with desk(house, prices) as running:
        assert run_by_acts(running) == len(BY_ACTS)
        by_act = [one["step"] for one in plan_of(running) if one["act"] is not None]
        assert by_act == [step.name for step in BY_ACTS if step.kind is not PlanKind.TRADES]
        trades = running.get("operator", f"/trades?day={DAY}&limit=1").json()["items"]
        assert len(trades) == 1
    ends_as(house, twin)
    before_again = verify_house(house).records
    batch(house, market, DAY)  # nothing is left to do
    assert verify_house(house).records == before_again


@settings(max_examples=2, deadline=None)
@given(st.integers(1, len(BY_ACTS) - 1))
@example(len(BY_ACTS) - 1)
def test_begun_by_acts_and_finished_by_the_batch(
    before: Path, twin: Path, market: Path, prices: HouseMarket, tmp_path_factory: pytest.TempPathFactory, done: int
) -> None:
    """Goal: a step done by an act is done for the batch. Method: k steps by acts, then the batch."""
    house = Path(shutil.copytree(before, tmp_path_factory.mktemp("acts") / "house"))
    with desk(house, prices) as running:
        assert run_by_acts(running, done) == done
    batch(house, market, DAY)
    ends_as(house, twin)


@settings(max_examples=2, deadline=None)
@given(st.integers(1, len(PLAN) - 4))
@example(2)  # between a step and what settles together after it
def test_begun_by_the_batch_and_finished_by_acts(
    before: Path, twin: Path, market: Path, prices: HouseMarket, tmp_path_factory: pytest.TempPathFactory, done: int
) -> None:
    """Goal: a step done by the batch is done for the acts. Method: the batch ends after its k-th record, then acts."""
    house = Path(shutil.copytree(before, tmp_path_factory.mktemp("batch") / "house"))
    with pytest.raises(Stopped):
        batch(house, market, DAY, records=done)
    with desk(house, prices) as running:
        run_by_acts(running)
    ends_as(house, twin)


@pytest.mark.soak
@pytest.mark.parametrize("first", ["acts", "batch"])
def test_every_place_to_change_over(
    before: Path, twin: Path, market: Path, prices: HouseMarket, tmp_path: Path, first: str
) -> None:
    """Goal: no k is special. Method: the two tests above for every k."""
    for done in range(1, len(BY_ACTS) if first == "acts" else len(PLAN) - 3):
        house = Path(shutil.copytree(before, tmp_path / str(done)))
        if first == "batch":
            with pytest.raises(Stopped):
                batch(house, market, DAY, records=done)
        with desk(house, prices) as running:
            run_by_acts(running, done if first == "acts" else 1_000)
        batch(house, market, DAY)
        ends_as(house, twin)


def test_the_batch_stops_where_it_is_told_and_both_change_over_twice(
    before: Path, twin: Path, market: Path, prices: HouseMarket, tmp_path: Path
) -> None:
    """Goal: mixing at will. Method: batch until a step, acts for five, batch until another, acts to the end."""
    house = Path(shutil.copytree(before, tmp_path / "house"))
    run_folder_until(house, market, DAY, "batch-settlement-run-1", FixedClock(), Silent())
    with desk(house, prices) as running:
        assert run_by_acts(running, 5) == 5
    plan = run_folder_until(house, market, DAY, "trades", FixedClock(), Silent())
    done = [one.step for one in plan if one.state == "done"]
    assert done[-1] == "trades"
    with desk(house, prices) as running:
        run_by_acts(running)
    ends_as(house, twin)


def test_what_the_second_person_sees(before: Path, market: Path, prices: HouseMarket, tmp_path: Path) -> None:
    """Goal: counts, totals and hashes of what is approved. Method: against the files, read here; and sums of margin."""
    house = Path(shutil.copytree(before, tmp_path / "house"))
    run_folder_until(house, market, DAY, "payment-cut-off", FixedClock(), Silent())
    with desk(house, prices) as running:
        for place, act in enumerate(("take-prices", "take-trades", "call-margin")):
            assert propose(running, {"act": act}, f"p-{place}").status_code == 201
        margin, trades, closing = running.get("auditor", "/acts").json()["items"]
        rows = [line.split(",") for line in (market / f"trades-{DAY}.csv").read_text().splitlines()[1:]]
        values = [int(row[8]) * round(float(row[9]) * 10_000) for row in rows]
        assert trades["figures"]["trades"] == len(rows)
        assert trades["figures"]["units"] == sum(int(row[8]) for row in rows)
        told = sum(value for name, value in trades["figures"].items() if name.startswith("value_"))
        assert told == sum((value + 50) // 100 for value in values)
        for act, name in ((trades, f"trades-{DAY}.csv"), (closing, f"closing-{DAY}.csv")):
            assert act["act"]["sha256"] == hashlib.sha256((market / name).read_bytes()).hexdigest()
            assert (act["source"], act["act"]["date"]) == (name, str(DAY))
        assert closing["figures"]["prices"] == sum(
            line.startswith("price,") for line in (market / f"closing-{DAY}.csv").read_text().splitlines()
        )
        assert "RPF01" in margin["source"] or "HKSCC VaR" in margin["source"]
        answer = approve(running, margin["number"])
        assert answer.status_code == 200, answer.text
        calls = running.get("operator", "/margin/calls?limit=1000").json()["items"]
        assert margin["figures"] == {
            "accounts": len(calls), "requirement_HKD_cents": sum(one["requirement_cents"] for one in calls)
        }  # fmt: skip


def test_a_file_that_is_sent(before: Path, twin: Path, market: Path, prices: HouseMarket, tmp_path: Path) -> None:
    """Goal: a house without a market folder is fed over HTTP. Method: send each file of the day, name its hash; end."""
    house = Path(shutil.copytree(before, tmp_path / "house"))
    run_folder_until(house, market, DAY, "payment-cut-off", FixedClock(), Silent())
    names = {
        "prices": "closing",
        "trades": "trades",
        "derivative-trades": "derivatives",
        "derivative-marks": "settlement",
    }
    with served(house, who=("operator", "second", "auditor")) as running:

        def send(kind: str, data: bytes, file: str = "", form: str = "text/csv") -> Any:
            return running.call(
                "operator", "POST", f"/day/files?kind={kind}&file={file}", content=data, headers={"Content-Type": form}
            )

        for kind, stem in names.items():
            data = (market / f"{stem}-{DAY}.csv").read_bytes()
            sent = send(kind, data, f"{stem}-{DAY}.csv")
            assert sent.status_code == 201, sent.text
            assert sent.json()["sha256"] == hashlib.sha256(data).hexdigest()
            assert send(kind, data, f"{stem}-{DAY}.csv").json() == sent.json()
            act = {"act": ACT_OF[PlanKind(kind)], "sha256": sent.json()["sha256"], "file": f"{stem}-{DAY}.csv"}
            do(running, act, kind)
        bad = (market / f"trades-{DAY}.csv").read_text().splitlines()
        bad[7] = bad[7].replace("CLIENT", "NOBODY").replace("HOUSE", "NOBODY")
        refused = send("trades", "\n".join(bad).encode())
        assert (refused.status_code, refused.json()["faults"][0]["line"]) == (422, 8)
        assert send("trades", b"\x1f\x8bno gzip", form="application/gzip").status_code == 400
        assert send("trades", b"", form="application/json").status_code == 415
        missing = propose(running, {"act": "take-trades", "sha256": "0" * 64}, "none")
        assert (missing.status_code, missing.json()["reason"]) == (422, "missing")
        assert propose(running, {"act": "call-margin"}, "no-market").status_code == 422
        sent = send("margin-call", (market / "RPF01.csv").read_bytes(), "RPF01.csv")
        parameters = {"sha256": sent.json()["sha256"], "file": "RPF01.csv"}
        while (plan := plan_of(running))[-4]["state"] != "done":  # what stands before the evening's actions
            step = next(one for one in plan if one["state"] == "next")
            do(running, act_for(step), step["step"])
        do(running, {"act": "call-margin", **parameters}, "margin")
        do(running, {"act": "close-day"}, "close")
    ends_as(house, twin)


def test_approval_after_the_batch_has_done_it(
    before: Path, twin: Path, market: Path, prices: HouseMarket, tmp_path: Path
) -> None:
    """Goal: once. Method: propose every kind of step, let the batch finish the day, approve: each says which record."""
    house = Path(shutil.copytree(before, tmp_path / "house"))
    run_folder_until(house, market, DAY, "payment-cut-off", FixedClock(), Silent())
    acts: list[dict[str, Any]] = [
        {"act": "take-trades"}, {"act": "take-prices"}, {"act": "run-step", "step": "money-settlement"},
        {"act": "close-day"},
    ]  # fmt: skip
    with desk(house, prices) as running:
        numbers = [int(propose(running, act, f"p-{act['act']}").json()["number"]) for act in acts]
    batch(house, market, DAY)
    with desk(house, prices) as running:
        length = running.service.length()
        for number in numbers:
            answer = approve(running, number)
            assert (answer.status_code, answer.json()["reason"]) == (409, "conflict"), answer.text
            assert "was done at record" in answer.json()["detail"]
        for act in acts:
            again = propose(running, act, f"again-{act['act']}")
            assert again.status_code == 409, again.text
        assert running.service.length() == length
        rejected = running.call("second", "POST", f"/acts/{numbers[0]}/reject", headers={"Idempotency-Key": "r"})
        assert rejected.json()["status"] == "rejected"
        next_day = propose(running, {"act": "open-day", "date": "2026-01-08"}, "next")
        assert approve(running, int(next_day.json()["number"])).status_code == 200
        stale = approve(running, numbers[2])  # a step of yesterday is not done today
        assert stale.status_code == 409


def test_repeats_expiry_and_one_person(before: Path, market: Path, prices: HouseMarket, tmp_path: Path) -> None:
    """Goal: four-eyes of steps. Method: own approval, repeats of both with the same and other keys, the clock."""
    house = Path(shutil.copytree(before, tmp_path / "house"))
    opened = {"act": "open-day", "date": str(DAY)}
    with desk(house, prices) as running:
        first = propose(running, opened, "k")
        number = int(first.json()["number"])
        own = running.call("operator", "POST", f"/acts/{number}/approve", headers={"Idempotency-Key": "o"})
        assert own.status_code == 409
        running.clock.advance(EXPIRY_MINUTES * 60 * SECOND)
        assert "lapsed" in approve(running, number).json()["detail"]
        assert plan_of(running)[0]["record"] is not None  # of yesterday: the day was not opened
        assert running.get("operator", "/day").json()["date"] == str(DAYS_BEFORE[-1])
        number = do(running, opened, "k-2")
        done = running.service.find(f"{DAY}/open")
        assert done is not None
        for key in ("a-again", f"a-{number}"):
            assert approve(running, number, key).json() == {"number": number, "status": "approved"}
        assert propose(running, opened, "k-2").json()["number"] == number
        assert propose(running, {"act": "close-day"}, "k-2").status_code == 409
        assert propose(running, opened, "k-3").status_code == 409
        assert running.service.length() == done.sequence


def test_a_changed_file_and_changed_books_are_refused(
    before: Path, market: Path, prices: HouseMarket, tmp_path: Path
) -> None:
    """Goal: what was proposed is carried out, or nothing. Method: change the staged file; remove it; move the books."""
    house = Path(shutil.copytree(before, tmp_path / "house"))
    run_folder_until(house, market, DAY, "payment-cut-off", FixedClock(), Silent())
    with desk(house, prices) as running:
        trades, priced, called = (
            int(propose(running, {"act": act}, act).json()["number"])
            for act in ("take-trades", "take-prices", "call-margin")
        )
        digest = running.get("auditor", "/acts").json()["items"][2]["act"]["sha256"]
        staged = house / "staged" / digest
        good, length = staged.read_bytes(), running.service.length()
        staged.write_bytes(good.replace(b",CLIENT,", b",HOUSE,", 1))
        changed = approve(running, trades)
        assert (changed.status_code, changed.json()["reason"]) == (409, "conflict")
        staged.unlink()
        assert approve(running, trades).json()["reason"] == "missing"
        assert running.service.length() == length
        staged.write_bytes(good)
        assert approve(running, trades).status_code == 200
        assert approve(running, priced).status_code == 200
        moved = approve(running, called)  # of the books before the trades
        assert (moved.status_code, moved.json()["reason"]) == (409, "conflict")
        assert "propose it again" in moved.json()["remedy"]
        do(running, {"act": "call-margin", "intraday": 1}, "anew")
        do(running, {"act": "take-prices", "intraday": 1}, "fixing")
        ids = [record.command_id for record in running.service.records(length, 100)]
        assert [one for one in ids if "intraday" in one] == [
            f"{DAY}/margin-call/intraday-1", f"{DAY}/prices/intraday-1",
        ]  # fmt: skip


def test_what_settles_together_is_made_up_for(
    before: Path, twin: Path, prices: HouseMarket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: a process that ends right behind an approval leaves nothing out. Method: none gets to what settles after.

    Each approval is answered with a failure, as by a process that ended; the next one makes up for it before its own.
    """
    house = Path(shutil.copytree(before, tmp_path / "house"))
    settle, calls = DayActs.settle_together, [0]

    def ended(day: DayActs) -> None:
        calls[0] += 1
        if calls[0] % 2 == 0:
            raise Stopped
        settle(day)

    monkeypatch.setattr(DayActs, "settle_together", ended)
    with desk(house, prices) as running:
        for step in BY_ACTS:
            proposed = propose(running, act_for({"kind": step.kind, "step": step.name}), step.name)
            assert approve(running, int(proposed.json()["number"])).status_code == 500
    ends_as(house, twin)
