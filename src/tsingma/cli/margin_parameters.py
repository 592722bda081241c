"""``tsingma margin parameters``: a risk parameter file from a file of closing prices, and how it would have done."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tsingma.margin.hkscc.backtest import BacktestTable
    from tsingma.margin.hkscc.history import ParameterNotes
    from tsingma.margin.hkscc.history_settings import FilterSettings

_EPILOG = """\b
Example:
  tsingma margin parameters --prices closes.csv.gz --volumes volumes.csv.gz --out RPF01.csv --backtest
"""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(epilog=_EPILOG)
@click.option("--prices", required=True, type=_FILE, help="Adjusted closes: wide CSV, Date,0001.HK,...; may be gzip.")
@click.option("--volumes", type=_FILE, help="Shares traded, same rows and columns: liquidity thresholds come from it.")
@click.option("--date", "day", type=_DAY, help="Valuation date (default: the last day of the prices).")
@click.option("--decay", default="0.97", show_default=True, help="Weight of yesterday's variance, up to 4 decimals.")
@click.option("--look-back", default=1_000, show_default=True, help="HVaR scenarios, in days.")
@click.option("--holding-period", default=2, show_default=True, help="Days from valuation to close-out.")
@click.option("--stress-from", type=_DAY, help="First day of the stress window (default: the most volatile is found).")
@click.option("--stress-to", type=_DAY, help="Last day of the stress window.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="RPF01 file to write.")
@click.option("--backtest", "with_backtest", is_flag=True, help="Also test the rates out of sample, day by day.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def parameters(
    prices: Path,
    volumes: Path | None,
    day: datetime | None,
    decay: str,
    look_back: int,
    holding_period: int,
    stress_from: datetime | None,
    stress_to: datetime | None,
    out: Path,
    *,
    with_backtest: bool,
    as_json: bool,
) -> int:
    """Make HKSCC risk parameters (RPF01) from closing prices by filtered historical simulation."""
    from tsingma.app.parameter_file import backtest_table, build_with_notes
    from tsingma.basics.rounding import parse_scaled
    from tsingma.cli.progress import progress_bar
    from tsingma.margin.hkscc.history_settings import FilterSettings
    from tsingma.messages.prices import read_prices
    from tsingma.messages.rpf01 import write_parameters

    settings = FilterSettings(
        decay_e4=parse_scaled(decay, 4, field="--decay"),
        look_back_days=look_back,
        holding_period_days=holding_period,
        stress_from=_date(stress_from),
        stress_to=_date(stress_to),
    )
    with progress_bar(quiet=as_json) as progress:
        progress.stage("reading prices", 0, 3)
        history = read_prices(prices, volumes=volumes, days_min=settings.days_min)
        progress.stage("scenarios", 1, 3)
        built = build_with_notes(history, settings, _date(day))
        table = backtest_table(history, settings, _date(day), progress) if with_backtest else None
        _write(out, write_parameters(built.parameters))
    if as_json:
        _print_json(out, built.notes, settings, table)
    else:
        _print_text(out, built.notes, len(built.parameters.instruments), table)
    return 0


def _date(value: datetime | None) -> date | None:
    return value.date() if value else None


def _write(path: Path, data: bytes) -> None:
    """Write a whole file or none: beside its place first, then renamed over it."""
    from tsingma.basics.rejection import RejectionReason, refuse

    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        message = f"cannot be written: {error.strerror}"
        raise refuse(RejectionReason.NOT_ALLOWED, message, file=str(path), remedy="choose another --out") from error


def _print_json(out: Path, notes: ParameterNotes, settings: FilterSettings, table: BacktestTable | None) -> None:
    import msgspec

    body = {"file": str(out), "notes": notes, "settings": settings, "backtest": table}
    click.echo(msgspec.json.encode(body).decode())


def _print_text(out: Path, notes: ParameterNotes, count: int, table: BacktestTable | None) -> None:
    found = "the most volatile found" if notes.stress_found else "as named"
    click.echo(f"{out}: {count} instruments, valuation date {notes.valuation_date}")
    click.echo(f"HVaR returns start from {notes.hvar_from}")
    click.echo(f"stress window {notes.stress_from} to {notes.stress_to}, {found}")
    click.echo(f"index: {notes.index}")
    click.echo(f"hedge row: {notes.hedge}")
    click.echo(f"thresholds: {notes.thresholds}")
    for each in notes.filled:
        text = f"{each.hvar_filled} HVaR and {each.svar_filled} SVaR scenarios filled by {notes.proxy}"
        click.echo(f"{each.instrument}: {text}")
    for code in notes.stale:
        click.echo(f"{code}: no close on {notes.valuation_date}, the last one before it is used")
    if table is not None:
        _print_backtest(table)


def _print_backtest(table: BacktestTable) -> None:
    from rich.console import Console
    from rich.table import Table

    click.echo("")
    view = Table(
        title=f"Margin rates on {table.valuation_date}, coverage {table.first_test_date} to {table.last_test_date}"
    )
    for name in ("counter", "side", "rate", "days", "exceeded", "coverage", "Kupiec p", "independence p", "zone"):
        view.add_column(name, justify="left" if name in ("counter", "side", "zone") else "right")
    for row in table.rows:
        long = (row.margin_rate_long, row.exceedances_long, row.coverage_long, row.kupiec_p_long)
        short = (row.margin_rate_short, row.exceedances_short, row.coverage_short, row.kupiec_p_short)
        for side, (rate, exceeded, coverage, kupiec), independence, zone in (
            ("long", long, row.independence_p_long, row.zone_long),
            ("short", short, row.independence_p_short, row.zone_short),
        ):
            days, shown = str(row.days_tested), f"{rate:.2%}"
            p_values = (f"{kupiec:.3f}", f"{independence:.3f}")
            view.add_row(row.instrument, side, shown, days, str(exceeded), f"{coverage:.2%}", *p_values, zone.value)
    Console(width=110).print(view)
    click.echo(
        f"all counters: {table.days_tested:,} counter-days a side; "
        f"coverage long {table.coverage_long:.2%}, short {table.coverage_short:.2%}; target {table.target:.0%}"
    )
