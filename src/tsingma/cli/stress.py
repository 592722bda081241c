"""``tsingma stress``: what a path of the economy does to the house, and which path would empty its fund."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tsingma.cli.brief import brief_options, write_brief
from tsingma.cli.house import HOUSE_INSTEAD

if TYPE_CHECKING:
    from tsingma.app.stress_run import StressSource

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _source_options(command: Any) -> Any:
    options = (
        HOUSE_INSTEAD,
        click.option("--parameters", type=_FILE, help="Its risk parameter file (RPF01), with --house."),
        click.option("--prices", type=_FILE, help="Closes for betas; without --house the simulated firms trade them."),
        click.option("--index", type=_FILE, help="Closes of the index beside --prices (date,open,close,volume)."),
        click.option("--swaps", type=_FILE, help="Swaps, bonds, bond futures of accounts (CSV), with --house."),
        click.option("--contracts", type=_FILE, help="Their terms, with --swaps."),
        click.option("--curves", type=_FILE, help="Zero curves by day, with --swaps or for swaps in the books."),
        click.option("--trades", default=20_000, show_default=True, type=click.IntRange(100), help="A simulated day."),
        click.option("--days", default=3, show_default=True, type=click.IntRange(1, 20), help="Simulated days."),
        click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Of market and draws."),
        click.option(
            "--liquid-multiple", type=click.FloatRange(0), help="Free money cut to so many times margin "
            "(default: 2 for a simulated house, no cut for --house)."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object, whole HKD."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def stress() -> None:
    """Scenarios through the house: losses, calls, defaults, waterfall, liquidity. Nothing is booked."""


@stress.command("shapes", epilog="\b\nExample:\n  tsingma stress shapes --day 2026-01-07\n")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), default="2026-01-07", show_default=True, help="Whose sizes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, basis points.")
def list_shapes(day: Any, as_json: bool) -> None:
    """Print the shapes in which curves may be shocked, in basis points of each currency."""
    from tsingma.stress.rates import shapes, standard_currencies, standard_move

    found = {
        shape: {
            each: msgspec.to_builtins(standard_move(each, shape, 1.0, day.date())) for each in standard_currencies()
        }
        for shape in shapes()
    }
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(f"{'shape':<16}" + "".join(f"{each:>24}" for each in standard_currencies()))
    for shape, by_currency in found.items():
        cells = [f"{one['parallel']:+.0f} / {one['short']:+.0f} / {one['long']:+.0f}" for one in by_currency.values()]
        click.echo(f"{shape:<16}" + "".join(f"{cell:>24}" for cell in cells))
    click.echo("basis points: parallel / at the short end / at the long end")


@stress.command("list", epilog="\b\nExample:\n  tsingma stress list\n")
def list_scenarios() -> None:
    """Print the scenarios that come with the house."""
    from tsingma.stress.scenario import shipped_scenarios

    for one in shipped_scenarios():
        click.echo(f"{one.id:<26}{one.title}, {one.title_zh}")


@stress.command(epilog="\b\nExample:\n  tsingma stress run --scenario hbm-stop --scenario replay-1987\n")
@click.option("--scenario", "names", multiple=True, help="A shipped name or a TOML file (default: all shipped).")
@click.option("--path", "path", type=_FILE, help="An economy path (JSON or TOML) that adds what it says.")
@click.option("--draws", default=100, show_default=True, type=click.IntRange(0, 10_000), help="For the 5-95 % bands.")
@brief_options
@_source_options
def run(
    names: tuple[str, ...], path: Path | None, draws: int, html: Path | None, language: str, **options: Any
) -> None:
    """Run scenarios through the house and say who loses, who is called, who fails, and what bears it."""
    from tsingma.app import stress_run
    from tsingma.app.stress_figures import stress_figures
    from tsingma.cli.progress import progress_bar
    from tsingma.reports.stress_brief import render_brief
    from tsingma.reports.stress_terminal import summary
    from tsingma.stress.scenario import shipped_scenarios

    source = _source(options)
    scenarios = stress_run.scenarios_of(names) if names else shipped_scenarios()
    economy = stress_run.path_of_file(path) if path else None
    with progress_bar(quiet=options["as_json"]) as progress:
        runs = stress_run.stress(source, scenarios, draws=draws, seed=options["seed"], path=economy, progress=progress)
    figures = [stress_figures(source.book, one) for one in runs]
    if html is not None:
        write_brief(html, render_brief(figures, language), quiet=True)
    if options["as_json"]:
        click.echo(json.dumps({"label": source.label, "runs": msgspec.to_builtins(figures)}, ensure_ascii=False))
        return
    click.echo("\n".join(summary(source.label, figures)))
    if html is not None:
        click.echo(f"brief: {html}")


@stress.command(epilog="\b\nExample:\n  tsingma stress reverse --at HKCC --horizon 2\n")
@click.option("--at", "at", type=click.Choice(["HKSCC", "HKCC", "SEOCH", "OTC Clear"]), default="HKCC",
              show_default=True, help="Whose fund.")  # fmt: skip
@click.option("--horizon", default=2, show_default=True, type=click.IntRange(1, 20), help="Trading days.")
@_source_options
def reverse(at: str, horizon: int, **options: Any) -> int:
    """Search the smallest path, in standard deviations of the past, that empties a house's default fund."""
    from tsingma.app import stress_run
    from tsingma.app.stress_figures import stress_figures
    from tsingma.margin.house.holdings import House
    from tsingma.stress.reverse import ReverseSettings

    source = _source(options)
    settings = ReverseSettings(seed=options["seed"])
    found = stress_run.reverse_stress(source, House(at), horizon, settings, draws=0)
    if found is None:
        click.echo(f"nothing within {settings.radius_max:g} standard deviations empties the fund of {at}")
        return 1
    point = dict(zip(found.found.factors, found.found.point.tolist(), strict=True))
    if options["as_json"]:
        answer = {
            "house": at, "point": point, "distance": found.found.distance, "use": found.found.use,
            "use_inside": found.found.use_inside, "evaluations": found.found.evaluations,
            "last_gain": found.found.last_gain, "plausibility": msgspec.to_builtins(found.plausibility),
            "run": msgspec.to_builtins(stress_figures(source.book, found.run)),
        }  # fmt: skip
        click.echo(json.dumps(answer, ensure_ascii=False))
        return 0
    click.echo(f"the fund of {at} is empty {found.found.distance:.1f} standard deviations out ({source.label}):")
    for name, value in point.items():
        click.echo(f"  {name:<24}{value:>+9.3f}")
    click.echo(f"  {found.plausibility.label}; {found.found.evaluations} points tried")
    return 0


def _source(options: dict[str, Any]) -> StressSource:
    """Return what to stress: a kept house, or a simulated one, on given prices or invented ones."""
    from tsingma.app import stress_run
    from tsingma.basics.clock import SystemClock
    from tsingma.cli.progress import progress_bar

    prices: Path | None = options["prices"]
    history = stress_run.history_of_files(prices, options["index"]) if prices else None
    multiple: float | None = options["liquid_multiple"]
    if options["house"] is not None:
        if history is None or options["parameters"] is None:
            raise click.UsageError("--house needs --parameters and --prices")
        curves = stress_run.curves_of_file(options["curves"])
        source = stress_run.source_of_house(options["house"], options["parameters"], history, curves)
        source = _with_swaps(source, options)
        return source if multiple is None else stress_run.less_liquid(source, multiple)
    if options["swaps"] is not None:
        raise click.UsageError("--swaps needs --house: a simulated house has invented ones")
    with progress_bar(quiet=options["as_json"]) as progress:
        source = stress_run.simulated_source(
            options["seed"], options["trades"], options["days"], SystemClock(), progress, history
        )
    return stress_run.less_liquid(source, stress_run.LIQUID_MULTIPLE if multiple is None else multiple)


def _with_swaps(source: StressSource, options: dict[str, Any]) -> StressSource:
    """Return the source with positions on curves of files, where there are some."""
    from tsingma.app.stress_rates import rates_of_files
    from tsingma.app.stress_run import source_with_rates

    if options["swaps"] is None:
        return source
    if options["contracts"] is None or options["curves"] is None:
        raise click.UsageError("--swaps needs --contracts and --curves")
    return source_with_rates(source, rates_of_files(options["swaps"], options["contracts"], options["curves"]))
