"""The day at a glance: figures against the house itself."""

from __future__ import annotations

import re

import numpy as np
from console_house import Served

from tsingma.app.day_glance import glance_of, last_closed
from tsingma.settlement.instruction import STATUSES
from tsingma.settlement.orders import ORDER_STATUSES
from tsingma.settlement.timetable import timetable


def test_the_queue_is_every_instruction_once(console: Served) -> None:
    """Goal: number and amount by status add up to what is in the house. Method: sums against the columns."""

    def compare(house, at):
        glance, table = glance_of(house, at, "", console.service.find_all), house.settlement.instructions.table
        assert [row.status for row in glance.queue] == list(STATUSES)
        assert sum(row.number for row in glance.queue) == table["status"].size > 0
        told = sum(cents for row in glance.queue for _, cents in row.amounts)
        assert told == int(table["amount_cents"].sum()) > 0
        assert dict(glance.orders) == dict(
            zip(ORDER_STATUSES, np.bincount(house.settlement.orders.table["status"], minlength=3).tolist(), strict=True)
        )
        parts = [glance_of(house, at, who, console.service.find_all) for who in ("A", "B", "C", "D")]
        assert all(part.queue[0].number <= glance.queue[0].number for part in parts)

    console.service.read(compare)


def test_calls_and_steps_are_those_of_the_house(console: Served) -> None:
    """Goal: what lacks is told with its account, and the timetable in order. Method: the page against the reads."""
    text = console.get("operator", "/console/day").text
    glance = console.service.read(lambda house, at: glance_of(house, at, "", console.service.find_all))
    brought = {"open", "prices", "trades", "derivative-trades", "derivative-marks", "margin-call", "close"}
    assert [step.name for step in glance.steps if step.name not in brought] == [step.name for step in timetable()]
    assert {step.name for step in glance.steps} >= brought
    states = {step.name: step.state for step in glance.steps}
    assert (states["open"], states["trades"], states["close"]) == ("done", "done", "later")
    assert [step.state for step in glance.steps].count("next") == 1
    assert glance.calls_open == len(glance.calls) > 0
    assert glance.lacks_cents == sum(one.lacks_cents for one in glance.calls)
    for one in glance.calls:
        assert one.account in text
    assert len(re.findall(r"<caption", text)) == len(re.findall(r"<table", text))
    assert last_closed(console.service, "2026-01-05", is_open=True) is None


def test_a_custodian_sees_no_calls(console: Served) -> None:
    """Goal: a part of a page that the role may not read is left out. Method: the same page for two roles."""
    assert 'id="calls"' in console.get("participant", "/console/day").text
    assert 'id="calls"' not in console.get("custodian", "/console/day").text


def test_changes_are_told_by_number_only(console: Served) -> None:
    """Goal: the stream tells that there is more and nothing of it. Method: read it to its end."""
    answer = console.get("participant", "/console/changes?follow=false")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert re.fullmatch(r": here\nid: \d+\n\n", answer.text)


def test_changes_begin_where_the_page_stands(console: Served) -> None:
    """Goal: no record falls between a page and its stream. Method: from an earlier record, from one not yet there."""
    end = int(console.get("participant", "/console/changes?follow=false").text.split()[-1])
    for after, begins in ((end - 2, end - 2), (end + 5, end)):
        answer = console.get("participant", f"/console/changes?follow=false&after={after}")
        assert answer.text == f": here\nid: {begins}\n\n"
