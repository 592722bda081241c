"""Steps of a day by acts over HTTP: what the second person sees, files that are sent, what is refused or made up for.

Method: as in ``day_desk``, each with a fault of its own.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
from api_house import SECOND, served
from day_desk import (
    ACT_OF,
    BY_ACTS,
    DAY,
    DAYS_BEFORE,
    Stopped,
    act_for,
    approve,
    batch,
    before,
    desk,
    do,
    ends_as,
    market,
    plan_of,
    prices,
    propose,
    twin,
)

from tsingma.api.acts import EXPIRY_MINUTES
from tsingma.app import day_acts
from tsingma.app.day_acts import DayActs
from tsingma.app.house_market import HouseMarket
from tsingma.app.market_folder import run_folder_until
from tsingma.app.progress import Silent
from tsingma.basics.clock import FixedClock
from tsingma.engine.day_plan import PlanKind

__all__ = ["before", "market", "prices", "twin"]  # fixtures


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


def test_a_file_that_is_sent(
    before: Path, twin: Path, market: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
        packed = gzip.compress((market / f"closing-{DAY}.csv").read_bytes())
        assert send("prices", packed, "closing.csv.gz", "application/gzip").json()["figures"]["prices"] > 100
        monkeypatch.setattr(day_acts, "UNPACKED_BYTES_MAX", 1_000)
        for kind, stem in names.items():
            bomb = gzip.compress((market / f"{stem}-{DAY}.csv").read_bytes() + bytes(100_000))
            assert send(kind, bomb, f"{stem}.csv.gz", "application/gzip").status_code == 413
        monkeypatch.undo()
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
