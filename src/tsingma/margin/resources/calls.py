"""Margin calls of a day: each house's runs by the clock, what an account must bring, and by when.

At a run an account's last standing known by then counts: margin required, marks against it, and what it has lodged.
What earlier runs of the day called after that standing is on its way and is not called again.

    shortfall = margin and marks (as the run says) - lodged - on its way
    called    = the excess over the tolerance, or the whole shortfall once it is above

Runs are dated rows of ``margin_calls.toml`` with their source. OTC Clear calls against each member's own intraday
limit; an ad hoc run looks at every standing and calls when marks have eaten the stated part of the margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.house.holdings import House
from tsingma.reference.calendars import calendar
from tsingma.reference.tables import read_table

TABLE = "margin_calls.toml"
E4 = 10_000


class CallRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a house: ``times`` of the day it is made at (none: at every standing), and how it calls."""

    house: str
    name: str
    basis: str  # both, marks or holiday
    times: tuple[str, ...]
    tolerance: int = 0
    own_limit: bool = False
    whole: bool = True
    erosion_e4: int = 0
    holiday_part_e4: int = 0
    due: str = ""
    due_next: str = ""
    due_minutes: int = 0
    assumed: bool = False
    source: str = ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An account at a house at a time (HH:MM): whole HKD; ``marks`` are positive when they are against it.

    ``lodged`` counts after haircut; ``limit`` is the intraday limit that OTC Clear gives the member.
    """

    account: str
    house: str
    time: str
    margin: int
    marks: int
    lodged: int
    limit: int = 0
    line: int = 0


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What an account must bring, whole HKD, and by when."""

    account: str
    house: str
    run: str
    time: str
    margin: int
    marks: int
    lodged: int
    on_its_way: int
    shortfall: int
    tolerance: int
    amount: int
    due_day: date
    due_time: str
    assumed: bool
    source: str


def before_long_holiday(day: date) -> bool:
    """Return whether a full trading day is the last one before a long holiday; raises Rejected beyond the calendar."""
    market = calendar("XHKG")
    if not market.is_business_day(day) or market.is_half_day(day):
        return False
    following = market.next_after(day)
    while market.is_half_day(following):
        following = market.next_after(following)
    return (following - day).days >= int(read_table(TABLE)["long_holiday_days"])


def runs_of(house: str, day: date) -> tuple[CallRun, ...]:
    """Return the runs of a house on a day in order of time; raises Rejected (unknown) for a house without any."""
    table = read_table(TABLE)
    rows = [row for row in table["run"] if row["house"] == house]
    if not rows:
        raise refuse(RejectionReason.UNKNOWN, f"{TABLE} has no runs of '{house}'", field="house")
    valid = [row for row in rows if row["valid_from"] <= day <= row.get("valid_to", date.max)]
    if any(row.get("before_long_holiday") for row in valid) and not before_long_holiday(day):
        valid = [row for row in valid if not row.get("before_long_holiday")]
    holiday = {row["day"]: int(Decimal(row["part"]) * E4) for row in table["holiday"]}
    valid = [row for row in valid if row["basis"] != "holiday" or day in holiday]
    return tuple(sorted((_run(row, holiday.get(day, 0)) for row in valid), key=lambda run: (run.times, run.name)))


def _run(row: dict[str, Any], holiday_part_e4: int) -> CallRun:
    times: tuple[str, ...] = (row["time"],) if "time" in row else ()
    if "every_minutes" in row:
        first, last = _minutes(row["from"]), _minutes(row["until"])
        times = tuple(_clock(each) for each in range(first, last + 1, row["every_minutes"]))
    return CallRun(
        house=row["house"], name=row["name"], basis=row["basis"], times=times, tolerance=row.get("tolerance", 0),
        own_limit=row.get("own_limit", False), whole=row.get("calls", "whole") == "whole",
        erosion_e4=int(Decimal(row.get("erosion", 0)) * E4),
        holiday_part_e4=holiday_part_e4 if row["basis"] == "holiday" else 0,
        due=row.get("due", ""), due_next=row.get("due_next", ""), due_minutes=row.get("due_minutes", 0),
        assumed=row.get("assumed", False), source=row["source"],
    )  # fmt: skip


def margin_calls(day: date, standings: Sequence[Standing]) -> tuple[Call, ...]:
    """Return the calls of a day in order of time, house and account.

    Raises Rejected naming the line: no standing, an account twice at one time, a time that is none, a negative margin,
    lodged amount or limit, an unknown house, a day on which Hong Kong is closed.
    """
    _check(standings)
    if not calendar("XHKG").is_business_day(day):
        why = calendar("XHKG").reason(day)
        raise refuse(RejectionReason.NOT_ALLOWED, f"{day} is no business day of XHKG ({why})", field="day")
    found: list[Call] = []
    for house, account in sorted({(one.house, one.account) for one in standings}):
        own = sorted((one for one in standings if (one.house, one.account) == (house, account)), key=lambda s: s.time)
        found += _calls_of(day, own, runs_of(house, day))
    return tuple(sorted(found, key=lambda call: (call.time, call.house, call.account)))


def _calls_of(day: date, standings: Sequence[Standing], runs: Sequence[CallRun]) -> list[Call]:
    """Return the calls of one account at one house, its standings in order of time."""
    events = sorted(
        ((time, place) for place, run in enumerate(runs) for time in run.times or [one.time for one in standings])
    )
    calls: list[Call] = []
    for time, place in events:
        known = [one for one in standings if one.time <= time]
        if known:
            on_its_way = sum(call.amount for call in calls if call.time >= known[-1].time)
            call = _call(day, time, runs[place], known[-1], on_its_way)
            calls += [call] if call.amount else []
    return calls


def _call(day: date, time: str, run: CallRun, known: Standing, on_its_way: int) -> Call:
    """Return what a run calls on a standing; an amount of zero is no call."""
    needed = known.margin + known.marks
    if run.basis == "marks":
        needed = max(known.marks, 0) + min(known.margin, known.lodged)  # margin that is lacking waits for the day end
    elif run.basis == "holiday":
        needed += known.margin * run.holiday_part_e4 // E4
    shortfall = max(needed - known.lodged - on_its_way, 0)
    tolerance = known.limit if run.own_limit else run.tolerance
    amount = (shortfall if run.whole else shortfall - tolerance) if shortfall > tolerance else 0
    if run.erosion_e4 and known.marks * E4 < known.margin * run.erosion_e4:
        amount = 0
    due_day, due_time = day, run.due or _clock(_minutes(time) + run.due_minutes)
    if run.due_next:
        due_day, due_time = calendar("XHKG").next_after(day), run.due_next
    return Call(
        account=known.account, house=run.house, run=run.name, time=time, margin=known.margin, marks=known.marks,
        lodged=known.lodged, on_its_way=on_its_way, shortfall=shortfall, tolerance=tolerance, amount=amount,
        due_day=due_day, due_time=due_time, assumed=run.assumed, source=run.source,
    )  # fmt: skip


def _check(standings: Sequence[Standing]) -> None:
    if not standings:
        raise refuse(RejectionReason.MISSING, "there is no standing", field="standings")
    seen: set[tuple[str, str, str]] = set()
    for one in standings:
        key = (one.house, one.account, one.time)
        if one.house not in list(House):
            message = f"'{one.house}' is none of {', '.join(House)}"
            raise refuse(RejectionReason.UNKNOWN, message, line=one.line, field="house")
        if key in seen:
            message = f"stands twice at {one.time}"
            raise refuse(RejectionReason.DUPLICATE, message, line=one.line, subject=f"{one.house} {one.account}")
        if not 0 <= _minutes(one.time, one.line) < 24 * 60:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"'{one.time}' is no time", line=one.line, field="time")
        for name in ("margin", "lodged", "limit"):
            if getattr(one, name) < 0:
                raise refuse(RejectionReason.OUT_OF_RANGE, "is negative", line=one.line, field=name)
        seen.add(key)


def _minutes(time: str, line: int = 0) -> int:
    hours, colon, minutes = time.partition(":")
    digits = len(hours) == len(minutes) == 2 and (hours + minutes).isascii() and (hours + minutes).isdigit()
    if not colon or not digits or int(minutes) > 59:
        raise refuse(RejectionReason.MALFORMED, f"'{time}' is no time", line=line, field="time", remedy="write HH:MM")
    return int(hours) * 60 + int(minutes)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
