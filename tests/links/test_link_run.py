"""Whole days of links from their rule files alone: proved, replayed, and without a line of Python for any of them."""

from __future__ import annotations

import ast
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from tsingma.app.link_run import run_link
from tsingma.app.session import Session
from tsingma.links.rule_file import shipped_links, shipped_rules
from tsingma.store.memory import MemoryStore

SOURCES = Path(str(files("tsingma")))
TOURS = {"renminbi_day.py"}


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


def _texts(path: Path) -> list[str]:
    """Return the strings of a module's code: no docstrings, and no examples of a command's help."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    left_out: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            left_out.add(id(node.value))
        elif (isinstance(node, ast.keyword) and node.arg == "epilog") or (
            isinstance(node, ast.Assign)
            and any(isinstance(one, ast.Name) and "EPILOG" in one.id for one in node.targets)
        ):
            left_out |= {id(one) for one in ast.walk(node.value)}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [node.value for node in found if id(node) not in left_out]


def test_no_link_is_named_in_the_source() -> None:
    """Goal: adding a link needs no line of Python. Method: search the strings of all code for the shipped links.

    In the rooms that links run through, not even a market, a clearing house or a depository of a rule file is named;
    HKSCC and HKCC are the house itself and its room of futures. A tour may say which link it shows.
    """
    links = shipped_links()
    institutions = {
        name
        for link in links
        for market in shipped_rules(link).markets
        for name in (market.code, market.clearing_house, market.depository)
    } - {"HKSCC", "HKCC"}
    assert {"commodity-connect", "futures-connect", "ipo-connect"} <= set(links)
    assert {"CHINACLEAR", "SGE", "XSHG"} <= institutions
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        texts = [] if path.name in TOURS else _texts(path)
        found += [f"{path.name}: {text}" for text in texts if any(link in text for link in links)]
        if path.parent.name in ("links", "engine", "clearing", "settlement") or path.name.startswith("link_"):
            found += [f"{path.name}: {text}" for text in texts if text in institutions]
    assert found == []


def test_a_failed_delivery_is_shown_and_charged() -> None:
    """Goal: what fails is told. Method: a seller across the link without stock; the position fails with its fee."""
    found = run_link(shipped_rules("stock-connect-shanghai"), orders=30, fail=True)
    assert found.faults == []
    assert sum(int(str(row["failed_positions"])) for row in found.days) > 0
    assert sum(int(str(row["late_fee_HKD_cents"])) for row in found.days) > 0
    json = msgspec.json.decode(msgspec.json.encode(found))
    assert json["days"][-1]["failed_positions"] > 0
