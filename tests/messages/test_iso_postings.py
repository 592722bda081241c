"""semt.017 both ways, and against the books: balances, and what moved them.

Goal: what was held, with all that was posted, is what is held. Method: drawn reports through schema and oracle; a day
with settlements whole and in part, net settlement, a transfer and a split, postings beside confirmations and balances.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso_oracle import same

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "custody_events"))

from clearing_book import resolved
from event_story import EX, OTHER, SHARE, EventStory

from tsingma.app.iso_files import answer_file
from tsingma.app.iso_journal import opening_record
from tsingma.app.iso_reading import read_report_file
from tsingma.app.iso_reports import report_file
from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected
from tsingma.journal import commands as do
from tsingma.journal.corporate_action_commands import EventKind, EventOption
from tsingma.messages.iso20022.confirmation import read_confirmation
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.posting_report import (
    Posting,
    PostingReport,
    SecurityPostings,
    read_postings,
    write_postings,
)
from tsingma.messages.iso20022.schema import read_messages
from tsingma.settlement.timetable import timetable

PLAIN = Directory(resolved(), face_cents={"HK0000096088": 100_000})


@st.composite
def postings(draw: st.DrawFn) -> SecurityPostings:
    """Return postings that lead from an opening to a closing balance."""
    several = []
    for _ in range(draw(st.integers(0, 3))):
        currency = draw(st.sampled_from(["", "HKD"]))
        several.append(Posting(
            reference=str(draw(st.integers(1, 10**12))), number="I1", activity=draw(st.sampled_from(["SETT", "CORP"])),
            date=str(draw(st.dates())), units=draw(st.integers(-(10**9), 10**9).filter(bool)), currency=currency,
            cents=draw(st.integers(-(10**14), 10**14)) if currency else 0,
            counterparty=draw(st.sampled_from(["", "B"])),
        ))  # fmt: skip
    opening = draw(st.integers(-(10**9), 10**9))
    isin = draw(st.sampled_from(["KYG875721634", "HK0000096088"]))
    return SecurityPostings(isin, opening, opening + sum(one.units for one in several), tuple(several))


@given(st.lists(postings().filter(lambda one: one.postings), max_size=2))
@settings(max_examples=25, deadline=None)
def test_reports_go_out_and_come_back(several: list[SecurityPostings]) -> None:
    """Goal: semt.017 both ways. Method: as the module says; a balance that postings do not explain is refused."""
    report = PostingReport("R1", "2026-01-05", "2026-01-06", "A/HOUSE", tuple(several))
    text = write_postings(report, PLAIN)
    assert same(text, "semt.017.001.12", lambda leaves: read_postings(leaves, PLAIN)) == report
    if several:
        more = msgspec.structs.replace(several[0], closing=several[0].closing + 1)
        wrong = write_postings(PostingReport("R1", "2026-01-05", "2026-01-06", "A/HOUSE", (more,)), PLAIN)
        with pytest.raises(Rejected, match="do not lead"):
            read_postings(leaves_of(read_messages(wrong.encode())[0]), PLAIN)


def busy_day() -> tuple[EventStory, int, dict[tuple[str, str], int]]:
    """Return a story whose last day has every kind of posting, the record before it, and balances at that time."""
    told = EventStory()
    told.give("A", SHARE, 1_000)
    told.give("A", OTHER, 300)
    told.announce(EventKind.SPLIT, EventOption("SECU", shares=(told.shares(OTHER, 3, 1),)), isin=OTHER)
    told.buys("B", "A", 70)
    told.until(EX - 1)
    before = {(who, isin): told.has(who, isin) for who in "ABC" for isin in (SHARE, OTHER)}
    since = len(told.told) - 1
    told.give("C", "HKD", 10**7)
    told.agree("A", "C", isin=SHARE, quantity=900, amount_cents=5_400_000)
    told.agree("A", "C", isin=SHARE, quantity=200, amount_cents=1_200_000, partial=1)
    told.agree("A", "B", isin=OTHER, quantity=30, kind="fop", amount_cents=0)
    columns = ([told.account("C")], [told.account("B")], [told.asset(SHARE)])
    told.run("partial-settlement-1")
    told.tell(do.PostTransfers(*(pack(column, "i4") for column in columns), pack([5], "i8"), pack([0], "i1")))
    told.run(timetable()[-1].name)
    told.run_events()
    return told, since, before


def test_postings_explain_every_balance(tmp_path: Path) -> None:
    """Goal: no change more or less, and instructions as they were confirmed. Method: as the module says."""
    told, since, before = busy_day()
    house = tmp_path / "house"
    with Session.open(house) as session:
        session.submit([(f"setup/{place}", command) for place, command in enumerate(told.told)])
        assert opening_record(session) == since
    kinds = set()
    for who in "ABC":
        out = tmp_path / f"{who}.xml"
        out.write_bytes(report_file(house, "postings", who)[1])
        report = next(one for one in read_report_file(house, out) if one["account"] == f"{who}/HOUSE")
        today = str(to_date(told.house.position.day))
        assert (report["from_date"], report["to_date"]) == (today, today), "an opening belongs to the day it opens"
        told_of = {one["isin"]: one for one in report["securities"]}
        for isin in (SHARE, OTHER):
            now = told.has(who, isin)
            if isin not in told_of:
                assert before[who, isin] == now
                continue
            assert (told_of[isin]["opening"], told_of[isin]["closing"]) == (before[who, isin], now)
        found = [one for several in told_of.values() for one in several["postings"]]
        kinds |= {(one["number"][0], one["activity"]) for one in found}
        plain = Directory(told.house.resolved)
        settled: dict[str, tuple[int, int]] = {}
        for received in read_messages(answer_file(house, who, since)[1]):
            if received.message == "sese.025.001.11":
                one = read_confirmation(leaves_of(received), plain)
                sign, credit = (-1 if one.delivers else 1), (1 if one.credited else -1)
                settled[one.number] = (sign * one.quantity, credit * one.cents)
        summed: dict[str, tuple[int, int]] = {}
        for one in found:
            if one["number"].startswith("I"):
                units, cents = summed.get(one["number"], (0, 0))
                summed[one["number"]] = units + one["units"], cents + one["cents"]
        assert summed == settled
    assert kinds == {("I", "SETT"), ("J", "SETT"), ("J", "CORP")}
    with pytest.raises(Rejected, match="no record 9999"):
        report_file(house, "postings", "A", since=9_999)


def test_before_any_day_there_is_nothing_to_begin_with(tmp_path: Path) -> None:
    """Goal: a clear refusal. Method: a house with a book and no day."""
    told = EventStory()
    with Session.open(tmp_path / "house") as session:
        session.once("book", lambda: told.told[0])
        with pytest.raises(Rejected, match="no day was opened"):
            opening_record(session)
