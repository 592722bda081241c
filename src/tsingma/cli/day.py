"""``tsingma day``: run business days of a house from files, look at it, prove its journal, replay it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from tsingma.cli.house import HOUSE
from tsingma.cli.journal import verify
from tsingma.cli.output import print_figures

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def day() -> None:
    """Run, inspect, verify and replay business days."""


@day.command(epilog="\b\nExample:\n  tsingma day run --house out/house --market out/market --date 2026-01-05\n")
@HOUSE
@click.option(
    "--market",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with reference.json, deposits.csv, trades-DATE.csv[.gz] and closing-DATE.csv.",
)
@click.option("--date", "dates", multiple=True, type=click.DateTime(["%Y-%m-%d"]), help="Day to run (default: all).")
@click.option(
    "--parameters",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="RPF01 file; without it no margin is called.",
)
@click.option("--acknowledge", is_flag=True, help="Print a line for every command that became durable.")
@_JSON
def run(
    house: Path | str,
    market: Path,
    dates: tuple[datetime, ...],
    parameters: Path | None,
    *,
    acknowledge: bool,
    as_json: bool,
) -> int:
    """Run business days from files; a day that was cut off goes on where it stopped."""
    import msgspec

    from tsingma.app.market_folder import run_folder
    from tsingma.basics.clock import SystemClock
    from tsingma.cli.progress import progress_bar

    def tell(command_id: str, sequence: int) -> None:
        click.echo(f"ack {sequence} {command_id}")

    chosen = [moment.date() for moment in dates]
    with progress_bar(quiet=as_json or acknowledge) as progress:
        days = run_folder(house, market, chosen, parameters, SystemClock(), progress, tell if acknowledge else None)
    if as_json:
        click.echo(msgspec.json.encode(days).decode())
    else:
        for figures in days:
            click.echo(
                f"{figures.date}: {figures.trades:,} trades, state {figures.state_hash[:16]}, "
                f"journal at {figures.journal_sequence}"
            )
    return 0


@day.command(epilog="\b\nExample:\n  tsingma day status --house out/house --json\n")
@HOUSE
@_JSON
def status(house: Path | str, *, as_json: bool) -> int:
    """Say where the house stands: day, steps run, journal, open positions, what is owed."""
    from tsingma.app.inspect import house_status

    print_figures(house_status(house), as_json=as_json)
    return 0


@day.command(epilog="\b\nExample:\n  tsingma day replay --house out/house\n")
@HOUSE
@_JSON
def replay(house: Path | str, *, as_json: bool) -> int:
    """Carry out the journal again from zero and from each snapshot; exit code 1 when a state hash differs."""
    from tsingma.app.inspect import replay_house

    verdict = replay_house(house)
    print_figures(verdict, as_json=as_json)
    return 0 if verdict["same"] else 1


day.add_command(verify)
