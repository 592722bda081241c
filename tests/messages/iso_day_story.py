"""A house for a day of messages, and what is drawn to be sent to it: for tests of whole days."""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from story import BOND, FUND, SHARE, Story

from tsingma.app.session import Session
from tsingma.engine.house import House
from tsingma.journal.commands import CloseDay, RunStep
from tsingma.messages.iso20022.instruction import Instruction
from tsingma.settlement.timetable import timetable

MOMENT = datetime(2026, 1, 5, 8, tzinfo=UTC)
NIGHT = "continuous-settlement"


def open_house(folder: Path) -> Path:
    """Return a house with an open day: A and C have stock, B and D have money, too little for everything."""
    told = Story()
    for who in ("A", "C"):
        for isin in (SHARE, BOND, FUND):
            told.give(who, isin, 4_000)
    for who in ("B", "D"):
        told.give(who, "HKD", 60_000_000)
        told.give(who, "CNY", 40_000_000)
    with Session.open(folder) as session:
        for place, command in enumerate(told.told):
            session.once(f"setup/{place}", lambda command=command: command)
    return folder


def drawn_orders(seed: int, pairs: int = 120) -> dict[str, list[Instruction]]:
    """Return orders by sender: pairs that match, one of them too large, some that do not, some the house refuses."""
    chance = random.Random(seed)
    found: dict[str, list[Instruction]] = {who: [] for who in "ABCD"}
    for number in range(1, pairs + 1):
        giver, taker = chance.choice("AC"), chance.choice("BD")
        kind = chance.choice(["dvp"] * 6 + ["fop", "dwp", "pfod"])
        isin, currency = chance.choice([(SHARE, "HKD"), (BOND, "CNY"), (FUND, "HKD")])
        units, cents = chance.randrange(1, 400), chance.randrange(1, 2_000_000)
        if kind == "pfod":
            giver, taker = taker, giver
        terms = Instruction(
            reference=str(number), account=f"{giver}/HOUSE", side="deliver", counterparty=taker, kind=kind,
            quantity="0" if kind == "pfod" else str(units), trade_date="2026-01-02",
            intended_date=chance.choice(["2026-01-05"] * 5 + ["2026-01-06"]), isin="" if kind == "pfod" else isin,
            currency="" if kind == "fop" else currency,
            amount="" if kind == "fop" else f"{cents // 100}.{cents % 100:02d}",
            priority=chance.choice(["", "", "high", "normal"]), partial=chance.choice(["", "", "yes", "no"]),
            hold=chance.choice(["", "", "", "yes"]), common_reference=chance.choice(["", "", f"=TRADE {number}"]),
        )  # fmt: skip
        found[giver].append(terms)
        mirrored = msgspec.structs.replace(
            terms, account=f"{taker}/HOUSE", side="receive", counterparty=giver, hold=chance.choice(["", "", "yes"]),
            client=chance.choice(["", "FUND-7"]),
        )  # fmt: skip
        fate = chance.random()
        if fate < 0.8:
            found[taker].append(mirrored)
        elif fate < 0.9:
            found[taker].append(msgspec.structs.replace(mirrored, quantity="9999999", kind="dvp", isin=isin,
                                                        currency=currency, amount="1.00"))  # fmt: skip
    large = Instruction(
        reference="950", account="A/HOUSE", side="deliver", counterparty="B", kind="dvp", quantity="9000", isin=SHARE,
        trade_date="2026-01-02", intended_date="2026-01-05", currency="HKD", amount="720000.00", partial="yes",
    )  # fmt: skip
    found["A"].append(large)  # more than A has: a part of it settles
    found["B"].append(msgspec.structs.replace(large, account="B/HOUSE", side="receive", counterparty="A"))
    for who, several in found.items():  # moves nothing, and a priority that is not a party's: refused
        several.append(msgspec.structs.replace(several[0], reference="900", priority="top", account=f"{who}/HOUSE"))
    return found


def finish(house: Path) -> bytes:
    """Run the rest of the timetable, prove and close the day; return the state hash."""
    with Session.open(house) as session:
        done = session.house.position.steps_run
        for entry in timetable():
            if entry.name not in done:
                session.once(f"step/{entry.name}", lambda entry=entry: RunStep(entry.name))
        session.once("close", CloseDay)
        return session.house.digest()


def state(house: Path) -> House:
    """Return the state of a house on disk."""
    with Session.open(house, read_only=True) as session:
        return session.house
