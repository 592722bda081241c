"""``tsingma margin house``: what each house calls alone, by its own model."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tsingma.cli.margin_market import with_market

if TYPE_CHECKING:
    from tsingma.app.joint_study import MarketFiles
    from tsingma.margin.house.historical import HistoricalFigure
    from tsingma.margin.house.standalone import HouseFigure, TailDay


@click.command(
    epilog="\b\nExample:\n  tsingma margin house --curves C.csv --contracts K.csv --fx CNY.csv --books B.csv --json\n"
)
@with_market
@click.option("--book", "name", help="Which book; the only one without it.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Day of the margin; the last one without it.")
@click.option(
    "--scenarios",
    type=click.Choice(["filtered", "plain", "larger"]),
    help="Of revalued history; as the dated row says without it.",
)
@click.option("--explain", is_flag=True, help="Show groups, tails and tail scenarios with their days.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, a house an object.")
def house(
    market: MarketFiles,
    books: Path | None,
    name: str | None,
    day: datetime | None,
    scenarios: str | None,
    *,
    explain: bool,
    as_json: bool,
) -> None:
    """Margin of a book at each house alone: shares, futures, options, swaps, bonds, gold and currencies."""
    from tsingma.app.joint_study import book_named, books_of_file, margin_houses, past_of_files
    from tsingma.margin.house.models import HouseModels

    chosen, file = books_of_file(books)
    past = past_of_files(market, HouseModels(scenarios=scenarios or ""))
    found = margin_houses(book_named(chosen, name, file), past, day.date() if day else None, file=file)
    if as_json:
        rows = [{**msgspec.to_builtins(one), "tail_days": msgspec.to_builtins(days)} for one, days in found]
        click.echo(json.dumps(rows, indent=1))
        return
    for figure, days in found:
        _print(figure, days if explain else (), explain=explain)
    click.echo(f"all houses alone: HKD {sum(figure.total for figure, _ in found):,}")


def _print(figure: HouseFigure, days: tuple[TailDay, ...], *, explain: bool) -> None:
    click.echo(f"{figure.house} on {figure.day}, HKD ({figure.model}: {figure.convention})")
    for name, amount in figure.components.items():
        click.echo(f"  {name:<24}{amount:>18,}")
    click.echo(f"  {'total':<24}{figure.total:>18,}\n")
    if explain and figure.historical is not None:
        _print_history(figure.historical)
    for one in days:
        click.echo(f"  {one.kind:<10}{one.day}  {one.profit:>16,}")
    if days:
        click.echo("")


def _print_history(figure: HistoricalFigure) -> None:
    click.echo(f"  tail {figure.level}, {figure.convention}; base {figure.scenarios}, "
               f"stressed weight {figure.stress_weight_e4 / 100:g} %, floor {figure.floor:,}")  # fmt: skip
    for tail in figure.tails:
        click.echo(f"  {tail.kind:<10}{tail.scenarios:>5} scenarios  value at risk {tail.value_at_risk:>14,}  "
                   f"expected shortfall {tail.expected_shortfall:>14,}")  # fmt: skip
    click.echo(
        f"\n  {'group':<14}{'size':>16}{'days':>6}{'shortfall':>15}{'floor':>14}{'liquidity':>12}{'concentr.':>12}"
    )
    for one in figure.groups:
        unit = "/bp" if one.family == "rates" else "   "
        click.echo(f"  {one.group:<14}{one.size:>13,.0f}{unit}{one.holding_days:>6}{one.expected_shortfall:>15,}"
                   f"{one.floor:>14,}{one.liquidity:>12,}{one.concentration:>12,}")  # fmt: skip
    click.echo("")
