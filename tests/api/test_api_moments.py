"""Reads as of a moment: every list as of every record is what the state after it says; days lead to their records."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from api_house import Served, commands, served

from tsingma.app import house_reads, instruction_reads, journal_index, payment_reads
from tsingma.app.as_of import AsOf
from tsingma.app.holding_reads import holdings_of
from tsingma.app.journal_index import JournalIndex, StillReading
from tsingma.app.obligation_reads import obligations_of
from tsingma.app.session import Session
from tsingma.basics.dates import to_day
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal import commands as do
from tsingma.reference.book import AccountClass
from tsingma.settlement.timetable import timetable

LISTS = {
    "/positions": lambda house, at: house_reads.positions_of(house, at, "", 0, 1_000),
    "/margin/calls": lambda house, at: house_reads.calls_of(house, at, "", 0, 1_000),
    "/instructions": lambda house, at: instruction_reads.instructions_of(house, at, "", "", 0, 1_000),
    "/orders": lambda house, at: instruction_reads.orders_of(house, at, "", "", 0, 1_000),
    "/holdings": lambda house, at: holdings_of(house, at, "", 0, 1_000),
    "/obligations": lambda house, at: obligations_of(house, at, "", 0, 1_000),
    "/payments": lambda house, at: payment_reads.payments_of(house, at, "", "", 0, 1_000),
    "/accounts/A/HOUSE/balances": lambda house, at: house_reads.balances_of(
        house, at, "A", AccountClass.HOUSE, 0, 1_000
    ),
}


def _json(value: object) -> object:
    import msgspec

    return msgspec.json.decode(msgspec.json.encode(value))


def test_every_list_as_of_every_record_is_the_state_after_it(shown: Served) -> None:
    """Goal: as-of reads. Method: a plain twin steps the commands one by one; records are asked in a mixed order."""
    wanted: dict[tuple[str, int], object] = {}
    twin = House()
    for at, command in enumerate(commands(), 1):
        step(twin, command)
        for path, question in LISTS.items():
            wanted[path, at] = _json(question(twin, at))
    last = max(at for _, at in wanted)
    for at in sorted(range(1, last + 1), key=lambda one: (one * 7) % 5):
        for path in LISTS:
            answer = shown.get("auditor", f"{path}?at={at}&limit=1000")
            assert answer.status_code == 200, answer.text
            assert answer.json() == wanted[path, at], (path, at)


def test_a_question_about_the_past_leaves_no_ledger_row_open(shown: Served) -> None:
    """Goal: what is carried on from a kept state is the journal's. Method: a question opens a row to count with."""
    past = AsOf(shown.service.place)
    last = shown.service.length()
    before = past.read(last, lambda house, _at: house.digest())
    past.read(last, lambda house, _at: house.ledger.row(5, 7))
    assert past.read(last, lambda house, _at: house.digest()) == before
    past.close()


def test_ownership_is_judged_at_the_moment(shown: Served) -> None:
    """Goal: nobody sees through time. Method: before instruction 0 was there it is not found; D's never by A."""
    assert shown.get("participant", "/instructions/0").status_code == 200
    assert shown.get("participant", "/instructions/0?at=2").status_code == 404
    last = shown.service.length()
    assert shown.get("participant", f"/instructions/2?at={last}").status_code == 404
    assert shown.get("participant", f"/positions?participant=D&at={last}").status_code == 403


@pytest.mark.parametrize(("query", "status", "field"), [
    ("at=0", 422, "at"), ("at=100000", 422, "at"), ("at=-1", 400, ""), ("at=x", 400, ""),
    ("on=2026-01-06", 422, "date"), ("on=x", 400, ""), ("at=3&on=2026-01-05", 409, "on"),
])  # fmt: skip
def test_moments_that_are_none_are_refused(shown: Served, query: str, status: int, field: str) -> None:
    """Goal: problems. Method: records and days the journal has not, and two moments at once."""
    answer = shown.get("operator", f"/positions?{query}")
    assert (answer.status_code, answer.json().get("field", "")) == (status, field), answer.text


@pytest.fixture
def week(written: Path, tmp_path: Path) -> Iterator[Served]:
    """A house that closed its day, with a snapshot there, and opened the next."""
    copy = Path(shutil.copytree(written, tmp_path / "house"))
    with Session.open(copy) as session:
        for entry in timetable(session.house.resolved.markets):
            session.once(f"2026-01-05/{entry.name}", lambda entry=entry: do.RunStep(entry.name))
        session.once("2026-01-05/close", do.CloseDay)
        session.sequencer.snapshot()
        session.once("2026-01-06/open", lambda: do.OpenDay(to_day(date(2026, 1, 6))))
    with served(copy) as house:
        yield house


def test_days_lead_to_their_records(week: Served) -> None:
    """Goal: GET /days and ``on``. Method: a closed day and an open one; the state at the close has the first's date."""
    newest, oldest = week.get("participant", "/days").json()["items"]
    assert (newest["date"], newest["state"], newest["closed_at"]) == ("2026-01-06", "open", None)
    assert (oldest["date"], oldest["state"], oldest["opened_at"]) == ("2026-01-05", "closed", 2)
    assert oldest["closed_at"] == oldest["last_record"] == newest["opened_at"] - 1
    on = week.get("auditor", "/instructions?on=2026-01-05").json()
    assert on == week.get("auditor", f"/instructions?at={oldest['closed_at']}").json()
    assert on["at"] == oldest["closed_at"]
    assert week.get("auditor", "/instructions?on=2026-01-06").json()["at"] == week.service.length()


def test_the_timetable_says_what_was_run(shown: Served) -> None:
    """Goal: GET /timetable. Method: in order of time; nothing was run in this house."""
    steps = shown.get("custodian", "/timetable").json()["items"]
    assert [one["time"] for one in steps] == sorted(one["time"] for one in steps)
    assert not any(one["was_run"] for one in steps)
    assert {"money-settlement", "fails-and-fees"} <= {one["kind"] for one in steps}


def test_what_it_costs_is_bounded(week: Served) -> None:
    """Goal: limits. Method: few records may be carried out: far from the snapshot is refused, at and behind it not."""
    place = week.service.place
    past = AsOf(place, records_max=3, kept=2)
    closed = week.service.length() - 1
    with pytest.raises(Rejected) as refused:
        past.read(closed - 1, lambda house, at: at)
    assert refused.value.rejections[0].reason is RejectionReason.LIMIT
    assert past.read(closed, lambda house, at: (house.position.is_open, at)) == (False, closed)
    assert past.read(closed + 1, lambda house, at: (house.position.is_open, at)) == (True, closed + 1)
    assert past.read(closed, lambda house, at: house.position.is_open) is False
    assert len(past._states) <= 2
    past.close()


def test_a_long_journal_is_read_in_parts(shown: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: no question reads a whole journal. Method: few records a question: 503 until it is read, then the days."""
    monkeypatch.setattr(journal_index, "RECORDS_A_QUESTION", 7)
    monkeypatch.setattr(journal_index, "RECORDS_A_LOOK", 3)
    index = JournalIndex(shown.service)
    asked = 0
    while True:
        try:
            days = index.days()
            break
        except StillReading:
            asked += 1
    assert asked == shown.service.length() // 9
    assert [(one.date, one.last_record) for one in days] == [("2026-01-05", shown.service.length())]
    monkeypatch.setattr(JournalIndex, "_catch_up", _never_done)
    answer = shown.get("auditor", "/days")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def _never_done(_index: JournalIndex) -> None:
    raise StillReading("record 1 of 2 is read")


def test_a_house_in_memory_tells_nothing_earlier() -> None:
    """Goal: a refusal, no defect. Method: a reader without a place."""
    with pytest.raises(Rejected) as refused:
        AsOf(None).read(1, lambda house, at: at)
    assert refused.value.rejections[0].reason is RejectionReason.NOT_ALLOWED
