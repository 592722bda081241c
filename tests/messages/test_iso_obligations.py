"""secl.010 both ways, and against the house: what netting made due is what members are told.

Goal: obligations of a report are the due positions. Method: drawn reports through schema and oracle; a trade captured
in a story, reports of members beside the positions.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso_oracle import canonical, through_oracle

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from clearing_book import resolved
from story import SHARE, Story

from tsingma.app.iso_files import obligation_file
from tsingma.app.session import Session
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.obligation import (
    Obligation,
    ObligationReport,
    obligations_of,
    read_obligations,
    write_obligations,
)
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import read_messages

PLAIN = Directory(resolved(), face_cents={"HK0000096088": 100_000})
OBLIGATIONS = st.builds(
    lambda place, isin, market, units, currency, cents: Obligation(
        number=f"20260107-4-{place}", account="A/HOUSE", isin=isin, market=market, intended_date="2026-01-07",
        units=units, currency=currency, cents=cents,
    ),
    st.integers(0, 99), st.sampled_from(["KYG875721634", "HK0000096088"]), st.sampled_from(["XHKG", "CMU"]),
    st.integers(-(10**9), 10**9), st.sampled_from(["HKD", "CNY"]), st.integers(-(10**14), 10**14),
)  # fmt: skip


@given(st.lists(OBLIGATIONS, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_reports_go_out_and_come_back(several: list[Obligation]) -> None:
    """Goal: secl.010 both ways. Method: schema, oracle, canonical XML, read back."""
    report = ObligationReport("R1", "2026-01-05", "A", tuple(several))
    ours = write_obligations(report, PLAIN).encode()
    read_messages(ours)
    theirs = through_oracle(ours, "secl.010.001.03")
    assert canonical(theirs) == canonical(ours)
    assert read_obligations(leaves_of(read_messages(theirs)[0]), PLAIN) == report


def test_members_are_told_what_netting_made_due(tmp_path: Path) -> None:
    """Goal: no position more or less. Method: a trade between two members; both sides, and one who has none."""
    told = Story()
    told.trade(0, buyer="B", seller="A")
    today = to_date(told.house.position.day)
    due = to_date(told.house.obligations.days[0])
    directory = Directory(told.house.resolved)
    reports = {who: obligations_of(told.house, who, due, f"R-{who}", today) for who in "ABC"}
    assert reports["C"] is None
    (sold,), (bought,) = (reports[who].obligations for who in "AB")
    assert (sold.units, sold.cents, sold.isin) == (-100, -3_000_000, SHARE)
    assert (bought.units, bought.cents) == (100, 3_000_000)
    text = write_obligations(reports["A"], directory)
    assert "<SctiesMvmntTp>DELI</SctiesMvmntTp>" in text
    assert "<CdtDbtInd>CRDT</CdtDbtInd>" in text
    leaves = leaves_of(read_messages(text.replace("<SctiesMvmntTp>DELI</SctiesMvmntTp>", "").encode())[0])
    with pytest.raises(Rejected, match="without direction"):
        read_obligations(leaves, directory)
    with Session.open(tmp_path / "house") as session:
        for place, command in enumerate(told.told):
            session.once(f"setup/{place}", lambda command=command: command)
    count, data = obligation_file(tmp_path / "house", "A", due)
    assert (count, [one.message for one in read_messages(data)]) == (1, ["secl.010.001.03"])
    with pytest.raises(Rejected):
        obligations_of(told.house, "Z", date(2026, 1, 7), "R", today)
