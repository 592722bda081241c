"""Report sections on proof: invariants, state hash and journal head, and how long each stage took."""

from __future__ import annotations

from tsingma.reports.clearing_sections import figure, section
from tsingma.reports.figures import HouseReport, InvariantFigures
from tsingma.reports.numbers import day_text, seconds, whole, words
from tsingma.reports.svg import BarRow, Segment, bars
from tsingma.reports.tables import Column, code_column, details, table, text_column


def checks(report: HouseReport) -> tuple[int, int]:
    """Return (held, checked): invariants over all days."""
    found = [one.held for day in report.days for one in day.invariants]
    return sum(found), len(found)


def proof_section(report: HouseReport) -> str:
    """Return every invariant with the days it held, and the chain of state hashes and journal heads."""
    held, checked = checks(report)
    lead = f"{whole(held)} of {whole(checked)} checks held. " + (
        "Replaying the journal gives the state hash of each day again."
        if held == checked
        else "The books of this run must not be used."
    )
    names: dict[str, list[tuple[str, InvariantFigures]]] = {}
    for day in report.days:
        for one in day.invariants:
            names.setdefault(one.name, []).append((day_text(day.day), one))
    rows = [
        [words(name), found[-1][1].checked, f"{sum(one.held for _, one in found)} of {len(found)}", _verdict(found)]
        for name, found in names.items()
    ]
    columns = [text_column("Invariant"), text_column("What was checked"), Column("Held on days"), text_column("Result")]
    invariants = table("Invariants checked at every close", columns, rows) if rows else ""
    chain = [[day_text(day.day), whole(day.journal_sequence), day.journal_hash, day.state_hash] for day in report.days]
    headings = [
        text_column("Day"),
        Column("Journal records"),
        code_column("Journal head hash"),
        code_column("State hash"),
    ]
    return section(
        "proof", "Proof", lead, invariants, table("Journal head and state hash at every close", headings, chain)
    )


def _verdict(found: list[tuple[str, InvariantFigures]]) -> str:
    broken = [day for day, one in found if not one.held]
    return f"✗ broken on {', '.join(broken)}" if broken else "✓ held"


def timing_section(report: HouseReport) -> str:
    """Return seconds per stage: a chart of the sums and a table by day."""
    stages: dict[str, int] = {}
    for day in report.days:
        for one in day.stages:
            stages[one.stage] = stages.get(one.stage, 0) + one.milliseconds
    total = sum(stages.values())
    lead = f"All stages took {seconds(total)} for {whole(sum(day.trades for day in report.days))} trades."
    pieces = [
        BarRow(words(name), (Segment(spent, "c1", f"{words(name)}: {seconds(spent)}"),), seconds(spent))
        for name, spent in stages.items()
    ]
    text = "; ".join(f"{piece.label}: {piece.value}" for piece in pieces)
    chart = figure("Time by stage, all days", bars("stages", "Time by stage", f"{text}.", pieces))
    columns = [text_column("Stage"), *(Column(day_text(day.day)) for day in report.days), Column("Total")]
    by_day = [{stage: _spent(report, index, stage) for stage in stages} for index in range(len(report.days))]
    rows = [[words(stage), *(seconds(day[stage]) for day in by_day), seconds(stages[stage])] for stage in stages]
    foot = [["Total", *(seconds(sum(day.values())) for day in by_day), seconds(total)]]
    return section(
        "timings", "Timings", lead, chart, details("By day", table("Time by stage and day", columns, rows, foot))
    )


def _spent(report: HouseReport, index: int, stage: str) -> int:
    return sum(one.milliseconds for one in report.days[index].stages if one.stage == stage)
