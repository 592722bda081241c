"""Under ``tsingma economy renminbi``: statistics from a house's books, and what relief from duty would do."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tsingma.cli.house import HOUSE, HOUSE_INSTEAD

if TYPE_CHECKING:
    from tsingma.economy.renminbi.duty_relief import Relief
    from tsingma.economy.renminbi.statistics import Statistics

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
BILLION = 1e9


@click.command(epilog="\b\nExample:\n  tsingma economy renminbi statistics --house out/demo/house --csv renminbi.csv\n")
@HOUSE
@click.option("--csv", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write every row here.")
@click.option("--scenario", help="Run this scenario with the flows that the books show, beside the calibrated ones.")
@click.option("--gross-up", type=float, default=1.0, show_default=True, help="How many such houses the market is.")
@_JSON
def statistics(house: Path | str, file: Path | None, scenario: str | None, gross_up: float, *, as_json: bool) -> None:
    """Add up what a house's books say of the renminbi: turnover, duty, flows, payments, pool, bonds in issue."""
    import msgspec

    from tsingma.app.renminbi_statistics import renminbi_statistics, to_csv

    found = renminbi_statistics(house)
    if file is not None:
        file.write_text(to_csv(found), encoding="utf-8")
    pools = _pools(found, scenario, gross_up) if scenario else {}
    if as_json:
        click.echo(msgspec.json.encode({"statistics": found, "pool_CNY_bn": pools}).decode())
        return
    _print(found)
    for name, values in pools.items():
        click.echo(f"pool, {name:<12}" + "".join(f"{value:>10,.1f}" for value in values[:: max(len(values) // 6, 1)]))


def _pools(found: Statistics, scenario: str, gross_up: float) -> dict[str, list[float]]:
    """Return the median offshore pool of a scenario, CNY bn a month, as calibrated and with the books' flows."""
    from tsingma.app.economy_run import find_scenario
    from tsingma.economy.path import POOL
    from tsingma.economy.renminbi.parameters import parameters
    from tsingma.economy.renminbi.run import run
    from tsingma.economy.renminbi.statistics import with_statistics

    asked = find_scenario(scenario, "renminbi")
    given = {"calibrated": parameters(), "from books": with_statistics(parameters(), found, gross_up=gross_up)}
    middle = 0.5
    return {name: run(asked, one).path_at(middle, by=POOL).values(POOL).tolist() for name, one in given.items()}


def _print(found: Statistics) -> None:
    from tsingma.economy.renminbi.statistics import Measure

    click.echo(f"{found.first} to {found.last}, {found.days} business days; CNY and HKD millions")
    click.echo(f"{'':<14}{'CNY':>16}{'HKD':>16}{'rows':>8}")
    for measure in Measure:
        cells = "".join(f"{found.total(measure, currency) / 1e8:>16,.2f}" for currency in ("CNY", "HKD"))
        click.echo(f"{measure:<14}{cells}{sum(row.measure is measure for row in found.rows):>8}")


@click.command(
    name="duty-relief",
    epilog="\b\nExample:\n  tsingma economy renminbi duty-relief --hkd 100 --renminbi 0.1 --relief 1 --moved 0.05\n",
)
@HOUSE_INSTEAD
@click.option("--hkd", type=float, help="Turnover of the HKD counters, one side, HKD bn (instead of --house).")
@click.option("--renminbi", type=float, help="Turnover of the renminbi counters, one side, HKD bn.")
@click.option("--relief", type=float, default=1.0, show_default=True, help="Part of the duty waived.")
@click.option("--moved", type=float, default=0.0, show_default=True, help="Part of HKD turnover that would follow.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), default="2026-01-05", show_default=True)
@_JSON
def duty_relief(
    house: Path | str | None, hkd: float | None, renminbi: float | None, relief: float, moved: float, day: datetime, *,
    as_json: bool,
) -> None:  # fmt: skip
    """Say what relief from stamp duty on renminbi counters would do to cost, turnover and revenue."""
    import msgspec

    from tsingma.app.renminbi_statistics import dual_turnover, renminbi_statistics
    from tsingma.economy.renminbi.duty_relief import duty_relief as relieve

    if house is not None:
        turnover = dual_turnover(house, renminbi_statistics(house))
        hkd, renminbi = turnover.hkd_cents / 100 / BILLION, turnover.renminbi_cents / 100 / BILLION
    if hkd is None or renminbi is None:
        raise click.UsageError("--hkd and --renminbi are needed, or a --house")
    found = relieve(hkd=hkd * BILLION, renminbi=renminbi * BILLION, relief=relief, moved=moved, day=day.date())
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    _print_relief(found)


def _print_relief(found: tuple[Relief, ...]) -> None:
    first = found[0]
    click.echo(f"cost of one side {1e4 * first.cost_before:.2f} -> {1e4 * first.cost_after:.2f} basis points")
    click.echo(f"{'HKD millions':<26}" + "".join(f"{one.response:>26}" for one in found))
    for name in ("turnover_before", "turnover_after", "moved", "revenue_before", "revenue_after", "revenue_forgone",
                 "forgone_on_new", "fees_gained"):  # fmt: skip
        click.echo(f"{name:<26}" + "".join(f"{getattr(one, name) / 1e6:>26,.3f}" for one in found))
    for one in found:
        click.echo(f"{one.response}: elasticity {one.elasticity:g}; {one.source}")
