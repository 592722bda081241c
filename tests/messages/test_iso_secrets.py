"""What a participant is told does not depend on what others have.

Goal: no file of one participant lets another's balances, calls or pledges be seen. Method: two houses that differ only
in what A privately has and lacks, and every file that B can be written in both, byte by byte; the same files of A do
differ, so the test can fail.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from story import BOND, SHARE, Story

from tsingma.app import iso_files, iso_reports
from tsingma.app.interchange_files import collateral_file, position_file, trade_file
from tsingma.app.official_reports import KINDS, write_house_reports
from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.basics.rejection import Rejected
from tsingma.clearing.trades import MODE_CNS
from tsingma.engine.payments import COLUMNS
from tsingma.journal import commands as do
from tsingma.journal.payment_commands import RunPayments, SubmitPayments
from tsingma.messages.payment_file import read_payments
from tsingma.reference.book import ResolvedBook

HEADER = "reference,payer,payee,currency,amount,priority,due,on_behalf,pair,mainland\n"


def payments(book: ResolvedBook) -> SubmitPayments:
    """Return two payments of A to B: one it can pay, one that waits."""
    lines = "1,A/HOUSE,B/HOUSE,HKD,1.00,normal,,,,\n2,A/HOUSE,B/HOUSE,HKD,900000.00,normal,,,,\n"
    columns = read_payments((HEADER + lines).encode(), book, file="p.csv")
    part = {name: pack(column, COLUMNS[name][0]) for name, column in columns.items()}
    return SubmitPayments("p.csv", "", 36_000, part)


def kept(folder: Path, *, shares: int, cents: int, called: int) -> Path:
    """Return a house in which A has so much of what it owes B, and is called for so much margin."""
    told = Story()
    told.give("A", SHARE, shares)
    told.give("A", "HKD", cents)
    told.give("B", "HKD", 50_000_000)
    told.trade(MODE_CNS)
    told.run("continuous-settlement")
    told.agree("A", "B")
    told.send("B", "receives", "A", isin=BOND, reference=77)
    told.tell(payments(told.house.resolved))
    told.tell(RunPayments(40_000))
    both = pack([told.account("A"), told.account("B")], "i4")
    told.tell(do.CallMargin("test", both, pack([called, 700], "i8")))
    with Session.open(folder) as session:
        for place, command in enumerate(told.told):
            session.once(f"setup/{place}", lambda command=command: command)
    return folder


def files_of(house: Path, who: str, out: Path) -> dict[str, bytes]:
    """Return every file that a participant can be written, by its name."""
    made = {
        "answer": lambda: iso_files.answer_file(house, who),
        "holdings": lambda: iso_files.holding_file(house, who),
        "notices": lambda: iso_files.notice_file(house, who),
        "payments": lambda: iso_files.payment_status_file(house, who),
        "statement": lambda: iso_files.account_statement_file(house, who),
        "calls": lambda: iso_files.call_file(house, who),
        "proposals": lambda: iso_files.proposal_file(house, who),
        "obligations": lambda: iso_files.obligation_file(house, who, date(2026, 1, 7)),
        "trades": lambda: trade_file(house, who),
        "positions": lambda: position_file(house, who),
        "collateral": lambda: collateral_file(house, who),
        **{kind: lambda kind=kind: iso_reports.report_file(house, kind, who) for kind in iso_reports.REPORTS},
    }
    found = {}
    for name, make in made.items():
        try:
            found[name] = make()[1]
        except Rejected as rejected:
            found[name] = str(rejected).encode()
    for kind in KINDS:
        for path in write_house_reports(kind, house, who, out / f"{who}-{kind}.csv"):
            found[path.name] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two houses that differ in what A has, lacks and must cover, in nothing that B is party to."""
    folder = tmp_path_factory.mktemp("secrets")
    return (
        kept(folder / "poor", shares=10, cents=5_000, called=6_000),
        kept(folder / "less-poor", shares=60, cents=70_000, called=90_000),
    )


def test_nothing_of_a_is_told_to_b(houses: tuple[Path, Path], tmp_path: Path) -> None:
    """Goal and method: as the module says."""
    one, other = (files_of(house, "B", tmp_path / house.name) for house in houses)
    assert sum(len(data) > 0 for data in one.values()) > 12
    assert [name for name in one if one[name] != other[name]] == []


def test_a_is_told_of_its_own(houses: tuple[Path, Path], tmp_path: Path) -> None:
    """Goal: the test above would see it. Method: the same files of A."""
    one, other = (files_of(house, "A", tmp_path / house.name) for house in houses)
    assert {"holdings", "statement", "margin"} <= {name for name in one if one[name] != other[name]}
