"""``tsingma demo``: a whole week through the house, on a simulated market or on real closes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

_EPILOG = """\b
Example:
  tsingma demo --trades 200000 --days 5 --seed 1
  tsingma demo --prices closes.csv.gz --json
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--trades", default=200_000, show_default=True, type=click.IntRange(100, 16_000_000), help="Trades a day."
)
@click.option("--days", default=5, show_default=True, type=click.IntRange(1, 60), help="Trading days.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Seed of the simulated market.")
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), help="First trading day (default: a week of 2026).")
@click.option(
    "--prices",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Real closes (wide CSV, one column a ticker): parameters, trades and margins come from them.",
)
@click.option(
    "--out",
    default=Path("out/demo"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def demo(
    trades: int, days: int, seed: int, start: date | None, prices: Path | None, out: Path, *, as_json: bool
) -> int:
    """Simulate a market, run the days through the house, prove the books and write a report.

    Writes the journal (house.sqlite), the parameter file, the statements and report.html into --out, and opens nothing.
    """
    import msgspec

    from tsingma.app.demo import DemoOptions, run_demo
    from tsingma.basics.clock import SystemClock
    from tsingma.cli.progress import progress_bar

    options = DemoOptions(
        trades_per_day=trades,
        days=days,
        seed=seed,
        start=date(start.year, start.month, start.day) if start else None,
        prices=prices,
        out=out,
    )
    with progress_bar(quiet=as_json) as progress:
        result = run_demo(options, SystemClock(), progress)
    if as_json:
        click.echo(msgspec.json.encode(result.figures).decode())
    else:
        click.echo("\n".join(result.lines))
    return 0
