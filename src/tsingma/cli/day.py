"""``tsingma day``: load a house, run its business days from files, look at it, prove its journal, replay it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tsingma.cli.house import HOUSE
from tsingma.cli.journal import verify
from tsingma.cli.output import print_figures

if TYPE_CHECKING:
    from tsingma.app.day_progress import PlannedStep
    from tsingma.app.market_folder import DayLine

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_MARKET = click.option(
    "--market",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with reference.json, deposits.csv, trades-DATE.csv[.gz] and closing-DATE.csv.",
)


@click.group()
def day() -> None:
    """Run, inspect, verify and replay business days."""


@day.command(
    epilog="\b\nExamples:\n  tsingma day run --house out/house --market out/market --date 2026-01-05\n"
    "  tsingma day run --house out/demo/house --trades mine.csv --parameters out/demo/RPF01.csv\n"
)
@HOUSE
@click.option(
    "--market",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with reference.json, deposits.csv, trades-DATE.csv[.gz] and closing-DATE.csv.",
)
@click.option("--trades", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Instead: one trade file of your own, for a house that is there.")  # fmt: skip
@click.option("--closing", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="With --trades: closing prices (default: the house's last).")  # fmt: skip
@click.option("--date", "dates", multiple=True, type=click.DateTime(["%Y-%m-%d"]), help="Day to run (default: all).")
@click.option(
    "--parameters",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="RPF01 file; without it no margin is called.",
)
@click.option("--until", default="", metavar="STEP", help="Stop after this step of one --date; see tsingma day steps.")
@click.option("--acknowledge", is_flag=True, help="Print a line for every command that became durable.")
@_JSON
def run(
    house: Path | str,
    market: Path | None,
    trades: Path | None,
    closing: Path | None,
    dates: tuple[datetime, ...],
    parameters: Path | None,
    until: str,
    *,
    acknowledge: bool,
    as_json: bool,
) -> int:
    """Run business days from files; a day that was cut off, or begun by acts, goes on where it stopped."""
    import msgspec

    from tsingma.app.market_folder import run_folder
    from tsingma.basics.clock import SystemClock
    from tsingma.cli.progress import progress_bar

    def tell(command_id: str, sequence: int) -> None:
        click.echo(f"ack {sequence} {command_id}")

    chosen = [moment.date() for moment in dates]
    if (market is None) == (trades is None) or (trades is None and closing is not None):
        raise click.UsageError("give --market with a folder of days, or --trades with a file of your own")
    if trades is not None or market is None:
        return _run_trades(house, trades or Path(), closing, parameters, as_json=as_json)
    if until:
        return _run_until(house, market, chosen, until, as_json=as_json)
    with progress_bar(quiet=as_json or acknowledge) as progress:
        days = run_folder(house, market, chosen, parameters, SystemClock(), progress, tell if acknowledge else None)
    if as_json:
        click.echo(msgspec.json.encode(days).decode())
    else:
        for figures in days:
            _print_day(figures)
    return 0


def _print_day(figures: DayLine) -> None:
    called = "no margin called (--parameters), "
    if figures.accounts_called:
        lacking = f" (lacking {figures.lacking_cents / 100:,.2f})" if figures.lacking_cents else ""
        called = f"margin HKD {figures.requirement_cents / 100:,.2f} of {figures.accounts_called} accounts{lacking}, "
    click.echo(
        f"{figures.date}: {figures.trades:,} trades, {called}state {figures.state_hash[:16]}, "
        f"journal at {figures.journal_sequence}"
    )


def _run_trades(
    house: Path | str, trades: Path, closing: Path | None, parameters: Path | None, *, as_json: bool
) -> int:
    import msgspec

    from tsingma.app.own_trades import run_trades
    from tsingma.basics.clock import SystemClock
    from tsingma.cli.progress import progress_bar

    with progress_bar(quiet=as_json) as progress:
        figures = run_trades(house, trades, closing, parameters, SystemClock(), progress)
    if as_json:
        click.echo(msgspec.json.encode([figures]).decode())
    else:
        _print_day(figures)
    return 0


@day.command(epilog="\b\nExample:\n  tsingma day draft --house out/demo/house --out mine.csv\n")
@HOUSE
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Trade file to write.")
@click.option("--participant", default="", help="Whose trades (default: the first one that clears).")
@_JSON
def draft(house: Path | str, out: Path, participant: str, *, as_json: bool) -> int:
    """Write a few trades with the house's own codes, for its next day: a file to fill with trades of your own."""
    import msgspec

    from tsingma.app.own_trades import draft_trades

    print_figures(msgspec.to_builtins(draft_trades(house, out, participant)), as_json=as_json)
    return 0


def _run_until(house: Path | str, market: Path, dates: list[date], until: str, *, as_json: bool) -> int:
    from tsingma.app.market_folder import run_folder_until
    from tsingma.basics.clock import SystemClock
    from tsingma.cli.progress import progress_bar

    if len(dates) != 1:
        raise click.UsageError("--until stops within one day: name it with --date")
    with progress_bar(quiet=as_json) as progress:
        plan = run_folder_until(house, market, dates[0], until, SystemClock(), progress)
    _print_plan(plan, as_json=as_json)
    return 0


@day.command(epilog="\b\nExample:\n  tsingma day load --house out/house --market out/market\n")
@HOUSE
@_MARKET
@_JSON
def load(house: Path | str, market: Path, *, as_json: bool) -> int:
    """Make a house of a folder's reference book, deposits and series, with no day yet; then it can be served."""
    import msgspec

    from tsingma.app.market_folder import load_folder

    print_figures(msgspec.to_builtins(load_folder(house, market)), as_json=as_json)
    return 0


@day.command(epilog="\b\nExample:\n  tsingma day steps --house out/house\n")
@HOUSE
@_JSON
def steps(house: Path | str, *, as_json: bool) -> int:
    """Show the plan of the day at which the house stands: what is done, by which record or act, what comes next."""
    from tsingma.app.day_progress import plan_of_house

    _print_plan(plan_of_house(house), as_json=as_json)
    return 0


def _print_plan(plan: tuple[PlannedStep, ...], *, as_json: bool) -> None:
    import msgspec

    if as_json:
        click.echo(msgspec.json.encode(plan).decode())
        return
    for one in plan:
        by = "" if one.record is None else f"record {one.record}" + ("" if one.act is None else f", act {one.act}")
        click.echo(f"{one.time}  {one.state:<7}  {one.step:<34} {by}".rstrip())


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
