"""Whole days of links from their rule files alone: proved, replayed, and without a line of Python for any of them."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from tsingma.app.link_run import run_link
from tsingma.app.session import Session
from tsingma.links.rule_file import shipped_links, shipped_rules
from tsingma.store.memory import MemoryStore

SOURCES = Path(str(files("tsingma")))


@pytest.mark.parametrize("name", shipped_links())
def test_every_rule_file_runs_a_proved_day(name: str) -> None:
    """Goal: a rule file is all a link needs. Method: a day on a fresh house; proof, chain, settlement, same hash."""
    store = MemoryStore()
    found = run_link(shipped_rules(name), orders=12, session=Session(store))
    assert found.faults == []
    assert found.records > 50
    assert found.state_hash == Session(store).house.digest().hex(), "a house recovered from the journal is the same"
    again = run_link(shipped_rules(name), orders=12)
    assert again == found, "the same rule file and seed give the same day"
    last = found.days[-1]
    assert (last["stock_open"], last["instructions_failing"], last["failed_positions"]) == (0, 0, 0)
    for direction in {row["direction"] for row in found.chains}:
        assert len({row["units"] for row in found.chains if row["direction"] == direction}) == 1
    for one in found.directions:
        assert one.orders == 12 * len(shipped_rules(name).direction(one.direction).products)
        assert one.net_buy_cents == one.bought_cents - one.sold_cents
        for left in one.quota_left_cents.values():
            assert left > 0


def test_no_link_is_named_in_the_source() -> None:
    """Goal: adding a link needs no line of Python. Method: search every module for the names of the shipped links."""
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        code = re.sub(r'""".*?"""', "", text, flags=re.DOTALL)  # a docstring may tell of a link; code may not
        code = re.sub(r"^_EPILOG = .*?$", "", code, flags=re.MULTILINE)
        found += [f"{path.name}: {name}" for name in shipped_links() if f'"{name}' in code]
    assert found == []


def test_a_failed_delivery_is_shown_and_charged() -> None:
    """Goal: what fails is told. Method: a seller across the link without stock; the position fails with its fee."""
    found = run_link(shipped_rules("stock-connect-shanghai"), orders=30, fail=True)
    assert found.faults == []
    assert sum(int(str(row["failed_positions"])) for row in found.days) > 0
    assert sum(int(str(row["late_fee_HKD_cents"])) for row in found.days) > 0
    json = msgspec.json.decode(msgspec.json.encode(found))
    assert json["days"][-1]["failed_positions"] > 0
