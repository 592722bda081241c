"""The ``economy chain`` commands: scenarios of the AI value chain, its levers, and the scenarios that ship."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tsingma.cli.brief import brief_options, report_option, write_brief

if TYPE_CHECKING:
    from datetime import datetime

    from tsingma.economy.chain.scenario import ScenarioResult

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(epilog="\b\nExample:\n  tsingma economy chain run --scenario hbm-stop --json\n")
def chain() -> None:
    """The AI value chain of China, Japan and Korea: who earns it, where it leaks, what a shock changes."""


@chain.command(epilog="\b\nExample:\n  tsingma economy chain run --scenario photoresist-embargo --draws 200 --seed 1\n")
@click.option("--scenario", required=True, help="Name of a scenario that ships (see `list`), or a TOML file.")
@click.option("--table", type=_FILE, help="A real table: CSV in the ICIO layout, or a WIOD aggregate (.npz).")
@click.option("--year", type=int, help="Year of a table that holds several.")
@click.option("--layers", type=_FILE, help="Layer file of the table (TOML); default: WIOD 2013 codes.")
@click.option("--draws", type=click.IntRange(0, 10_000), default=100, show_default=True, help="Draws of elasticities.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the draws.")
@click.option(
    "--path",
    "path_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the path that `tsingma stress run --path` reads (.toml, .json).",
)
@click.option(
    "--start", type=click.DateTime(["%Y-%m-%d"]), default="2026-06-30", show_default=True, help="First day of the path."
)
@brief_options
@report_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with every cell.")
def run(
    scenario: str, table: Path | None, year: int | None, layers: Path | None, draws: int, seed: int,
    path_file: Path | None, start: datetime, html: Path | None, language: str, report: Path | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Run a scenario: results by country, layer, zone and tier, leakage, divergence, reasons and uncertainty."""
    import msgspec

    from tsingma.app.economy_chain import run_with_path
    from tsingma.app.economy_run import write_path

    found, path = run_with_path(
        scenario, table, year=year, layers=layers, draws=draws, seed=seed, start=start.date()
    )  # fmt: skip
    if path_file is not None:
        write_path(path, path_file)
    if html is not None:
        from tsingma.app.economy_briefs import chain_figures
        from tsingma.app.economy_chain import read_scenario
        from tsingma.reports.economy_chain_brief import render_chain_brief

        figures = chain_figures(read_scenario(scenario)[1], found)
        write_brief(html, render_chain_brief(figures, language), quiet=as_json)
    if report is not None:
        from tsingma.app.economy_briefs import chain_figures
        from tsingma.app.economy_chain import read_scenario
        from tsingma.reports.official.economy import chain_report
        from tsingma.reports.official.files import write_report

        write_report(chain_report(chain_figures(read_scenario(scenario)[1], found), language), report)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    _print(found)


def _print(found: ScenarioResult) -> None:
    click.echo(f"{found.english} {found.chinese}\non {found.table} ({found.unit}); residual {found.residual:.0e}")
    for note in found.notes:
        click.echo(f"  {note}")
    click.echo(f"{'':<6}{'real income %':>14}{'5 to 95 % of draws':>24}{'chain dividends %':>20}")
    for row in found.countries:
        spread = f"{row.quantiles[0]:.3f} to {row.quantiles[-1]:.3f}" if row.quantiles else "not drawn"
        click.echo(f"{row.country:<6}{row.real_income:>14.3f}{spread:>24}{row.chain_dividends:>20.2f}")
    click.echo("why, log points x 100, against own wages: income beside them, rent, prices by layer")
    for part in found.regions:
        prices = ", ".join(f"{layer} {value:.3f}" for layer, value in part.prices.items() if abs(value) >= 5e-4)
        click.echo(f"  {part.region:<14}{part.factor_income:>9.3f}{sum(part.rent.values()):>9.3f}  {prices}")
    for layer in found.concentration:
        click.echo(
            f"  {layer.layer:<12}dividends {layer.dividends_before:>9.1f} to {layer.dividends_after:>9.1f}, "
            f"HHI {layer.hhi_before:.4f} to {layer.hhi_after:.4f}"
        )
    for before, after in zip(found.divergence_before, found.divergence, strict=True):
        click.echo(
            f"  {after.country:<6}Theil {before.theil:.4f} to {after.theil:.4f} (between {before.theil_between:.4f} to "
            f"{after.theil_between:.4f}), K {after.k:+.4f} = {after.upper:+.4f} - {after.lower:+.4f}"
        )
    if found.days is not None:
        click.echo(f"in days: {found.days.world_lost_days:.4f} days of world output lost; lowest:")
        for cell, low, day in found.days.worst[:5]:
            click.echo(f"  {cell:<28}{low:>9.2f} % on day {day}")


@chain.command(epilog="\b\nExample:\n  tsingma economy chain accounts --exporter KOR --json\n")
@click.option("--exporter", "exporters", multiple=True, required=True, help="Region; several make one exporter.")
@click.option("--table", type=_FILE, help="A real table: CSV in the ICIO layout, or a WIOD aggregate (.npz).")
@click.option("--year", type=int, help="Year of a table that holds several.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def accounts(exporters: tuple[str, ...], table: Path | None, year: int | None, *, as_json: bool) -> None:
    """Say what is in a country's exports, and where its sectors stand on the chain."""
    import msgspec

    from tsingma.app.economy_chain import chain_accounts

    found = chain_accounts(table, exporters, year=year)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    click.echo(f"exports of {', '.join(found.exporter)} in {found.table} ({found.unit})")
    for name, value in msgspec.structs.asdict(found.content).items():
        click.echo(f"  {name.replace('_', ' '):<42}{value:>16,.2f}")
    click.echo("sector, foreign share of value, stages to final use, stages from the start")
    for cell, foreign, up, down in found.sectors:
        click.echo(f"  {cell:<28}{foreign:>8.3f}{up:>8.3f}{down:>8.3f}")


@chain.command("list", epilog="\b\nExample:\n  tsingma economy chain list\n")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_all(*, as_json: bool) -> None:
    """List the scenarios that ship, and the levers with their units and ranges."""
    import msgspec

    from tsingma.app.economy_chain import read_scenario, scenario_names
    from tsingma.economy.chain.levers import LEVERS

    scenarios = {name: read_scenario(name)[1] for name in scenario_names()}
    if as_json:
        click.echo(msgspec.json.encode({"scenarios": scenarios, "levers": list(LEVERS.values())}).decode())
        return
    for name, scenario in scenarios.items():
        click.echo(f"{name:<22}{scenario.english} {scenario.chinese}")
    for lever in LEVERS.values():
        needs = f"; needs {', '.join(lever.needs)}" if lever.needs else ""
        click.echo(
            f"{lever.name:<22}{lever.low:g} to {lever.high:g} {lever.unit}{needs}: {lever.english} {lever.chinese}"
        )
