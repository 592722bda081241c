"""Evidence and questions under ``tsingma economy property`` and ``renminbi``: series, fits, sensitivity, levers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tsingma.app.economy_evidence import PropertyEvidence

_DATA = click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the public series.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command(name="evidence", epilog="\b\nExample:\n  tsingma economy property evidence --data DIR --json\n")
@_DATA
@_JSON
def property_evidence(data: Path, *, as_json: bool) -> None:
    """What the public series say: who leads, partings and what followed, error correction, tails, cycles."""
    import msgspec

    from tsingma.app.economy_evidence import property_evidence as gather

    found = gather(data)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    _print(found)


def _print(found: PropertyEvidence) -> None:
    for one in found.causality:
        click.echo(f"{one.cause} causes {one.effect}, {one.lags} lags: F {one.f:.2f} {one.degrees}")
    click.echo(f"\n{'window':<26}{'same month':>12}{'month before':>14}{'HSI s.d. %':>12}{'CCL s.d. %':>12}")
    for row in found.windows:
        cells = f"{row.same_month:>12.3f}{row.stocks_a_month_before:>14.3f}"
        click.echo(f"{row.first} {row.last}     {cells}{row.stocks_deviation:>12.2f}{row.homes_deviation:>12.2f}")
    parted = found.divergence
    click.echo(f"\ngap of six months in {parted.month:%Y-%m}: {parted.gap:.3f}, percentile {parted.percentile:.0f}")
    for episode in parted.episodes:
        later = [
            "not known" if value is None else f"{value:+.1f} %"
            for value in (episode.stocks_next_6, episode.homes_next_6, episode.homes_next_12)
        ]
        click.echo(f"  {episode.month:%Y-%m}  HSI in 6 months {later[0]}, CCL in 6 {later[1]}, in 12 {later[2]}")
    ecm, out = found.error_correction, found.out_of_sample
    terms = ", ".join(f"{name} {value:.3f}" for name, value in ecm.short_run.items())
    click.echo(f"\nlong run: rents {ecm.long_run[1]:.3f}, stocks {ecm.long_run[2]:.3f}; short run: {terms}")
    click.echo(
        f"R2 {ecm.r_squared:.3f}; unit root ({ecm.unit_root_lags} lags) {ecm.unit_root_t:.2f}, p {ecm.unit_root_p:.4f}"
    )
    click.echo(f"from {out.first}: error {out.error:.2f} % a quarter, no change {out.error_of_no_change:.2f} %")
    worst = ", ".join(f"{day.day} {day.percent:.2f}" for day in found.tail.worst)
    click.echo(f"\nworst days %: {worst}; 0.1 % {found.tail.quantile_0_1:.2f}, 1 % {found.tail.quantile_1:.2f}")
    for fall in found.cycles:
        click.echo(f"homes {fall.high_day:%Y-%m} to {fall.low_day:%Y-%m}: {fall.percent:.1f} %")
    for fan in found.fans:
        inside = ", ".join(f"{share:.0%} inside the middle {level:.0%}" for level, share in fan.inside.items())
        click.echo(
            f"fans of {fan.indicator}, {fan.months_ahead} months, {fan.origins} origins: {inside}; bias {fan.bias:+.3f}"
        )


@click.command(name="evidence", epilog="\b\nExample:\n  tsingma economy renminbi evidence --data DIR --json\n")
@_DATA
@_JSON
def renminbi_evidence(data: Path, *, as_json: bool) -> None:
    """Inertia of reserves, half-lives, network fixed points, and the two effects of swap lines recovered."""
    import msgspec

    from tsingma.app.economy_evidence import renminbi_evidence as gather

    found = gather(data)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    one = found.reserves
    click.echo(
        f"logit of the reserves share, {one.quarters} quarters: {one.slope:.4f} ({one.standard_error:.4f}), constant "
        f"{one.constant:.4f}, long run {one.long_run_percent:.2f} %"
    )
    for name, years in found.half_lives.items():
        click.echo(f"half-life {years:5.1f} years   {name}")
    for strength, points in found.fixed_points.items():
        click.echo(f"network strength {strength}: " + ", ".join(f"{point:.5f}" for point in points))
    click.echo(
        f"swap line, {found.panels} panels: use {found.swap_line_use:+.3f} (s.d. {found.swap_line_use_error:.3f}), "
        f"payments x {found.swap_line_factor:.2f}"
    )


@click.command(name="levers")
@_JSON
def renminbi_levers(*, as_json: bool) -> None:
    """List every lever with its unit, range, effects and source."""
    import msgspec

    from tsingma.economy.renminbi.parameters import parameters

    if as_json:
        click.echo(msgspec.json.encode(parameters().lever).decode())
        return
    for one in parameters().lever:
        effects = ", ".join(f"{name} {effect:+.2f}" for name, effect in one.effects.items())
        click.echo(
            f"{one.name:<20}{one.group:<12}{one.low:g} to {one.high:g} {one.unit}\n{'':<20}{effects}; {one.source}"
        )


@click.command(
    epilog="\b\nExample:\n"
    "  tsingma economy property calibrate --start 2025-12-31 --months 6 --home-price 321 --hsi 22881\n"
)
@click.option("--start", required=True, type=click.DateTime(["%Y-%m-%d"]), help="A start of the model's table.")
@click.option("--months", required=True, type=click.IntRange(1, 120))
@click.option("--home-price", required=True, type=float, help="RVD index at the end.")
@click.option("--hsi", required=True, type=float, help="Hang Seng Index at the end.")
@click.option("--gap", type=float, help="Log gap of homes to stocks that came: held out, scored, never fitted.")
@_JSON
def calibrate(start: datetime, months: int, home_price: float, hsi: float, gap: float | None, *, as_json: bool) -> None:
    """Find the steady flows of southbound and Mainland money that make a given end the middle one."""
    import msgspec

    from tsingma.economy.property.questions import calibrate_flows

    found = calibrate_flows(start.date(), months, home_price=home_price, hsi=hsi, gap=gap)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for name, value in found.parameters.items():
        click.echo(f"{name:<18}{value:+.2f} points" + ("  at its bound" if name in found.at_bound else ""))
    click.echo(f"loss {found.loss_before:.3g} to {found.loss_after:.3g} in {found.steps} steps: {found.loss}")
    for one in found.hold_outs:
        click.echo(
            f"held out, {one.id}: came {one.observed:.3f}, model {one.forecast:.3f}, no change {one.no_change:.3f}"
        )


@click.command(epilog="\b\nExample:\n  tsingma economy property sensitivity --of home_price.RVD --months 18\n")
@click.option("--of", default="home_price.RVD", show_default=True, help="Indicator whose end is asked about.")
@click.option("--months", type=click.IntRange(1, 240), default=18, show_default=True)
@click.option("--samples", type=click.IntRange(2, 8192), default=256, show_default=True, help="A power of two.")
@_JSON
def sensitivity(of: str, months: int, samples: int, *, as_json: bool) -> None:
    """Sobol indices of an indicator's end over every coefficient's range (needs SALib)."""
    import msgspec

    from tsingma.economy.property.questions import drivers

    found = drivers(of, months, samples=samples)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    click.echo(f"{'coefficient':<28}{'alone':>9}{'in all':>9}   95 % half-widths")
    for one in found:
        widths = f"{one.first_half_width:.3f}, {one.total_half_width:.3f}"
        click.echo(f"{one.name:<28}{one.first:>9.3f}{one.total:>9.3f}   {widths}")
