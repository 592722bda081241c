"""``tsingma margin calls``: who must bring what, by when."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click
import msgspec


@click.command(epilog="\b\nExample:\n  tsingma margin calls --standings S.csv --day 2026-01-05\n")
@click.option(
    "--standings", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="account,house,time,margin,marks,lodged,limit: whole HKD, marks against the account positive (CSV).",
)  # fmt: skip
@click.option("--day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Business day of Hong Kong.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def calls(standings: Path, day: datetime, *, as_json: bool) -> None:
    """Margin calls of a day: the runs of each house by the clock, amounts and when they are due."""
    from tsingma.app.margin_calls import calls_of_file

    found = calls_of_file(standings, day.date())
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), indent=1))
        return
    click.echo(f"margin calls of {day.date()}, HKD\n")
    click.echo(f"{'time':<7}{'house':<11}{'account':<16}{'called':>16}  {'due':<18}run")
    for one in found:
        mark = " *" if one.assumed else ""
        due = f"{one.due_day} {one.due_time}" if one.due_day != day.date() else one.due_time
        click.echo(f"{one.time:<7}{one.house:<11}{one.account:<16}{one.amount:>16,}  {due:<18}{one.run}{mark}")
    click.echo(f"\n{len(found)} calls, {sum(one.amount for one in found):,} in all; * an hour that no source states")
