"""What holders read of corporate actions is what the books then pay them, and nobody reads another's."""

from __future__ import annotations

import pytest
from event_story import OTHER, PAY, RECORD, SHARE, EventStory, cash

from tsingma.app.corporate_action_reads import EventState, events_of
from tsingma.basics.rejection import Rejected
from tsingma.journal.corporate_action_commands import EventKind, EventOption


def read(story: EventStory, who: str = "", *, every: bool = False) -> EventState:
    """Return the one event as a participant reads it."""
    found = events_of(story.house, 7, who, 0, 10, every=every)
    assert (found.at, found.lines, found.next) == (7, 1, None)
    return found.items[0]


def test_what_is_told_before_is_what_is_paid(story: EventStory) -> None:
    """Goal: a dividend told is a dividend paid, claims too. Method: A sells 400 cum to C and delivers 100; what each
    reads before the record date, after it, and what its money then gains.
    """
    story.give("A", SHARE, 100)
    story.give("B", SHARE, 900)
    story.give("ISSUER/ISSUANCE", "HKD", 78_000)
    story.announce(EventKind.CASH_DIVIDEND, EventOption("CASH", cash=(cash(780),)))
    story.buys("C", "A", 400)
    early = read(story)
    assert (early.taken, early.status, early.payment) == (False, "announced", "2026-01-16")
    assert early.options[0].cash == (("HKD", "0.78"),)
    story.until(RECORD)
    story.evening()
    story.night()
    late = read(story)
    assert late.taken
    told = {
        one.account.split("/")[0]: sum(units for _, units in (*one.gets, *one.claims)) for one in late.accounts
    }  # fmt: skip
    before_record = {
        one.account.split("/")[0]: sum(units for _, units in (*one.gets, *one.claims)) for one in early.accounts
    }  # fmt: skip
    assert {who: told[who] for who in ("A", "B", "C")} == {"A": -300 * 78, "B": 900 * 78, "C": 400 * 78}
    assert before_record == told
    story.until(PAY)
    money = {who: story.has(who, "HKD") for who in ("A", "B", "C")}
    story.run_events()
    assert {who: story.has(who, "HKD") - had for who, had in money.items()} == {who: told[who] for who in money}
    assert events_of(story.house, 7, "", 0, 10, every=False).items == []
    assert read(story, every=True).status == "paid"


def test_each_reads_its_own(story: EventStory) -> None:
    """Goal: what others hold stays theirs. Method: two holders, an election; pages of each, a stranger, nobody."""
    story.give("A", SHARE, 100)
    story.give("B", SHARE, 900)
    options = (EventOption("CASH", cash=(cash(780),), is_default=True),
               EventOption("SECU", shares=(story.shares(OTHER, 1, 10),)))  # fmt: skip
    story.announce(EventKind.SCRIP_DIVIDEND, *options)
    assert {one.account for one in read(story, "A").accounts} == {"A/HOUSE"}
    assert [one.account for one in read(story, "D").accounts] == []
    assert {one.account for one in read(story).accounts} >= {"A/HOUSE", "B/HOUSE"}
    assert read(story, "A").options[1].shares == ((1, 10, OTHER),)
    story.until(RECORD)
    story.evening()
    story.night()
    story.elect("B", 1, 500)
    assert read(story, "B").accounts[0].elected == (("SECU", 500),)
    assert dict(read(story, "B").accounts[0].gets) == {"HKD": 400 * 78, OTHER: 50}
    assert read(story, "A").accounts[0].elected == ()
    with pytest.raises(Rejected):
        events_of(story.house, 7, "NOBODY", 0, 10, every=False)


def test_a_conversion_tells_who_holds(story: EventStory) -> None:
    """Goal: reorganisations are told too. Method: a split, before its ex-date."""
    story.give("A", SHARE, 100)
    story.announce(EventKind.SPLIT, EventOption("SECU", shares=(story.shares(SHARE, 4, 1),)))
    found = read(story, "A")
    assert (found.kind, found.iso, found.record) == ("split", "SPLF", "")
    assert [(one.account, one.settled, one.gets) for one in found.accounts] == [("A/HOUSE", 100, ())]


def test_pages_of_events_tell_each_once(story: EventStory) -> None:
    """Goal: no event is lost between pages. Method: five events, two a page, newest first."""
    for number in range(5):
        story.announce(EventKind.CASH_DIVIDEND, EventOption("CASH", cash=(cash(1),)), reference=f"CA{number}")
    found, cursor = [], 0
    while True:
        page = events_of(story.house, 1, "A", cursor, 2, every=False)
        found += [one.reference for one in page.items]
        if page.next is None:
            break
        cursor = page.next
    assert found == [f"CA{number}" for number in (4, 3, 2, 1, 0)]
