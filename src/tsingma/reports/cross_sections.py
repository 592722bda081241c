"""The report section on accounts at several houses: what one portfolio would save."""

from __future__ import annotations

from tsingma.reports.clearing_sections import section
from tsingma.reports.figures import CrossRow, HouseReport
from tsingma.reports.numbers import percent, short, whole
from tsingma.reports.style import COMPONENT_COLOURS
from tsingma.reports.svg import BarRow, Segment, bars, legend
from tsingma.reports.tables import Column, details, table, text_column

TOP = 15


def by_saving(rows: tuple[CrossRow, ...]) -> list[CrossRow]:
    """Return the rows, the largest saving first."""
    return sorted(rows, key=lambda row: (row.called - row.alone, row.account))


def cross_section(report: HouseReport) -> str:
    """Return the accounts at several houses: chart of those that save most, table of all."""
    rows = by_saving(report.cross)
    alone, called = sum(row.alone for row in rows), sum(row.called for row in rows)
    pot = sum(row.one_pot for row in rows)
    lead = (
        f"{whole(len(rows))} accounts have margin at two houses or more. Alone they owe HKD {short(alone)}; "
        f"one portfolio, every house still covered on its own, would ask HKD {short(called)}: "
        f"{percent(alone - called, alone, 1)} less. In one pot, with one close-out, HKD {short(pot)} would do: "
        f"{percent(alone - pot, alone, 1)} less."
    )
    first, second, third = COMPONENT_COLOURS[0], COMPONENT_COLOURS[1], COMPONENT_COLOURS[2]
    chart = bars(
        "cross-chart", "Margin alone and as one portfolio", "A bar an account: joint, kept for cover, saved.",
        [
            BarRow(
                row.account,
                (
                    Segment(row.joint, first, f"joint {whole(row.joint)}"),
                    Segment(row.called - row.joint, second, f"kept for cover {whole(row.called - row.joint)}"),
                    Segment(row.alone - row.called, third, f"saved {whole(row.alone - row.called)}"),
                ),
                short(row.alone - row.called),
            )
            for row in rows[:TOP]
        ],
    )  # fmt: skip
    columns = [
        text_column("Account"),
        text_column("Houses"),
        *(Column(name) for name in ("Alone", "Joint", "Called", "Saved", "One pot")),
    ]
    cells = [
        [
            row.account,
            ", ".join(row.houses),
            *(whole(v) for v in (row.alone, row.joint, row.called, row.alone - row.called, row.one_pot)),
        ]
        for row in rows
    ]
    keys = legend([(first, "joint"), (second, "kept for cover"), (third, "saved")])
    return section(
        "cross", "Across houses", lead, chart + keys, details("All accounts", table("Across houses", columns, cells))
    )
