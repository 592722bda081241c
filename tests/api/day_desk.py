"""A simulated day to run by acts over HTTP and by the batch: its market, houses before and after, ways to run it."""

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
from api_house import Served, served

from tsingma.app.day_journal import day_of_journal
from tsingma.app.house_market import HouseMarket
from tsingma.app.inspect import verify_house
from tsingma.app.market_folder import run_folder, run_folder_until, write_market
from tsingma.app.parameter_file import build_parameters
from tsingma.app.progress import Silent
from tsingma.app.session import Session
from tsingma.basics.clock import FixedClock
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.engine.day_plan import PlanKind, day_plan
from tsingma.engine.house import House
from tsingma.journal.commands import CaptureInstructions
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.messages.rpf01 import write_parameters
from tsingma.reference.book import AccountClass
from tsingma.settlement.instruction import SETTLED
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


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three days, with a risk parameter file."""
    folder = tmp_path_factory.mktemp("days") / "market"
    simulated = simulate_market(11, DAYS_BEFORE[0], 3, 400)
    write_market(folder, simulated, Silent(), plain=True)
    (folder / "RPF01.csv").write_bytes(write_parameters(build_parameters(simulated.history, FilterSettings())))
    return folder


@pytest.fixture(scope="session")
def prices(market: Path) -> HouseMarket:
    """The market as a house is served with it."""
    return HouseMarket(market)


@pytest.fixture(scope="session")
def before(market: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house after two days."""
    folder = tmp_path_factory.mktemp("two") / "house"
    batch(folder, market, DAYS_BEFORE[0])
    run_folder_until(folder, market, DAYS_BEFORE[1], "payment-cut-off", FixedClock(), Silent())
    with Session.open(folder) as session:
        session.submit([("rings", rings(session.house))])
    batch(folder, market, DAYS_BEFORE[1])
    return folder


def rings(house: House) -> CaptureInstructions:
    """Return deliveries in two rings of which nobody has the stock: they settle together or not at all.

    One is free of payment, one against payment, each among three accounts that hold nothing of a security.
    """
    book, stock = house.resolved, len(CURRENCIES)
    held = {key for key, units in zip(zip(house.ledger.owner.tolist(), house.ledger.asset.tolist(), strict=True),
                                      house.ledger.balance.tolist(), strict=True) if units}  # fmt: skip
    clients = [number for (_, kind), number in book.account_index.items() if kind is AccountClass.CLIENT]
    found: list[tuple[int, int, int, int]] = []
    for security in range(len(book.securities)):
        without = [account for account in clients if (account, stock + security) not in held][:3]
        if len(without) == 3 and len(found) < 6:
            cents = 0 if not found else 1_000
            found += [(account, without[place - 2], security, cents) for place, account in enumerate(without)]
    deliverer, receiver, security_of, cents_of = zip(*found, strict=True)
    size = len(found)
    assert size == 6
    return CaptureInstructions(
        source="rings", intended_day=to_day(DAY), reference=pack(range(900_001, 900_001 + size), "i8"),
        deliverer=pack(deliverer, "i4"),
        receiver=pack(receiver, "i4"), security=pack(security_of, "i4"), quantity=pack([100] * size, "i8"),
        currency=pack([0] * size, "i1"), amount_cents=pack(cents_of, "i8"), priority=pack([3] * size, "i1"),
    )  # fmt: skip


@pytest.fixture(scope="session")
def twin(before: Path, market: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house whose third day the batch ran alone."""
    folder = Path(shutil.copytree(before, tmp_path_factory.mktemp("twin") / "house"))
    batch(folder, market, DAY)
    with Session.open(folder, read_only=True) as session:
        table = session.house.settlement.instructions.table
        last = table["status"][table["reference"] > 900_000]
        assert last.tolist() == [SETTLED] * 6  # the rings: what settles together does
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
