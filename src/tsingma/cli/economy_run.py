"""``tsingma economy renminbi`` and ``property``: run scenarios of a model and read their paths and fans."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tsingma.cli import economy_evidence, economy_renminbi
from tsingma.cli.brief import brief_options, report_option, write_brief

if TYPE_CHECKING:
    from tsingma.app.economy_run import ScenarioRun
    from tsingma.economy.attribution import Attribution

_EXAMPLES = {"renminbi": "offshore-squeeze", "property": "replay-1997"}
_COLUMNS = 6  # dates shown in the table


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object: scenario, path, fans, causes."),
        click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path),
                     help="Folder of public series: the brief shows what came after the start."),
        report_option,
        brief_options,
        click.option("--path", "path_file", type=click.Path(dir_okay=False, path_type=Path),
                     help="Write the path here (.toml, .json)."),
        click.option("--level", type=click.FloatRange(0, 1), help="Quantile of the replication that stands for it."),
        click.option("--seed", type=click.IntRange(0), help="Seed instead of the scenario's."),
        click.option("--replications", type=click.IntRange(1, 1_000_000), help="Instead of the scenario's."),
        click.option("--scenario", "name", required=True, help="Name of a shipped scenario, or a TOML file."),
    ):  # fmt: skip
        command = option(command)
    return command


def _group(model: str, what: str) -> click.Group:
    """Return the group of one model with its two commands."""
    example = f"tsingma economy {model} run --scenario {_EXAMPLES[model]}"

    @click.group(name=model, help=what, epilog=f"\b\nExample:\n  {example}\n")
    def group() -> None:
        pass

    @group.command(name="run", epilog=f"\b\nExample:\n  {example} --json\n")
    @_options
    def run(**asked: Any) -> None:
        """Run a scenario: the path that stands for it, and a fan of every indicator."""
        _run(model, **asked)

    @group.command(name="scenarios")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
    def scenarios(*, as_json: bool) -> None:
        """List the scenarios that come with the house."""
        import msgspec

        from tsingma.economy.scenario import shipped_scenarios

        found = shipped_scenarios(model)
        if as_json:
            click.echo(msgspec.json.encode(list(found.values())).decode())
            return
        for name, one in found.items():
            click.echo(f"{name:<20}{one.english}\n{'':<20}{one.chinese}")

    return group


renminbi = _group("renminbi", "The renminbi abroad: shares by function, offshore pool, funding rate, exchange rate.")
property_ = _group("property", "Stocks and homes: prices, rents, agreements, stock, flows and the gap between them.")


for _command in (
    economy_evidence.renminbi_evidence,
    economy_evidence.renminbi_levers,
    economy_renminbi.statistics,
    economy_renminbi.duty_relief,
):
    renminbi.add_command(_command)
for _command in (economy_evidence.property_evidence, economy_evidence.calibrate, economy_evidence.sensitivity):
    property_.add_command(_command)


def _run(
    model: str, *, name: str, replications: int | None, seed: int | None, level: float | None,
    path_file: Path | None, html: Path | None, language: str, report: Path | None, data: Path | None, as_json: bool,
) -> None:  # fmt: skip
    import msgspec

    from tsingma.app.economy_run import causes_of, find_scenario, run_scenario, write_path

    scenario = find_scenario(name, model)
    found = run_scenario(scenario, model, replications=replications, seed=seed, level=level)
    if path_file is not None:
        write_path(found.path, path_file)
    causes = causes_of(found.scenario, model)
    if html is not None:
        from tsingma.app.economy_briefs import run_figures
        from tsingma.reports.economy_fan_brief import render_run_brief

        write_brief(html, render_run_brief(run_figures(found, causes, data), language), quiet=as_json)
    if report is not None:
        from tsingma.app.economy_briefs import run_figures
        from tsingma.reports.official.economy import run_report
        from tsingma.reports.official.files import write_report

        write_report(run_report(run_figures(found, causes, data), language), report)
    if as_json:
        click.echo(msgspec.json.encode({**msgspec.structs.asdict(found), "attribution": causes}).decode())
        return
    _print(found)
    _print_causes(causes)


def _print_causes(causes: Attribution) -> None:
    click.echo(f"\n{causes.indicator} at the end, median: {_cell(causes.without)} with nothing done")
    for one in causes.causes:
        click.echo(f"  {one.effect:>+12,.4g}  {one.cause}")
    if len(causes.causes) > 1:
        click.echo(f"  {causes.together:>+12,.4g}  together, beyond each alone")
    click.echo(f"  {_cell(causes.with_all):>12}  with all")


def _print(found: ScenarioRun) -> None:
    scenario, path = found.scenario, found.path
    click.echo(f"{scenario.name}: {scenario.english}\n{scenario.chinese}\n")
    last = len(path.dates) - 1
    shown = sorted({round(place * last / (_COLUMNS - 1)) for place in range(_COLUMNS)})
    head = "".join(f"{path.dates[place].isoformat():>13}" for place in shown)
    click.echo(f"{'median':<24}{head}{'5 %, end':>13}{'95 %, end':>13}")
    for fan in found.fans:
        middle, low, high = (fan.values[fan.levels.index(level)] for level in (0.5, 0.05, 0.95))
        cells = [middle[place] for place in shown] + [low[-1], high[-1]]
        click.echo(f"{fan.indicator:<24}" + "".join(f"{_cell(cell):>13}" for cell in cells) + f"  {fan.unit}")
    click.echo(f"\nthe path that stands for it: {path.likelihood.value:.1%}, {path.likelihood.basis}")
    for shock in path.shocks:
        click.echo(f"  {shock.day} {shock.name} {shock.size:+g} {shock.unit}: {shock.why} [{shock.source}]")
    click.echo(
        f"calibration: {path.provenance.calibration}\nuncertainty: {path.provenance.uncertainty}; seed {scenario.seed}"
    )


def _cell(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.4g}"
