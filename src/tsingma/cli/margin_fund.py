"""``tsingma margin fund``: the size of a default fund, who pays it, and a default through the waterfall."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(epilog="\b\nExample:\n  tsingma margin fund --exposures E.csv --keys K.csv --default B00001=900000000\n")
@click.option("--exposures", required=True, type=_FILE, help="day,scenario,participant,group,loss,collateral (CSV).")
@click.option("--keys", required=True, type=_FILE, help="day,participant,key (CSV); the last 60 days count.")
@click.option("--cover", type=click.IntRange(1, 2), default=2, show_default=True, help="Largest groups to cover.")
@click.option("--minimum", type=click.IntRange(0), default=100_000_000, show_default=True, help="HKD.")
@click.option("--threshold", type=click.IntRange(1), default=7_300_000_000, show_default=True, help="HKD.")
@click.option("--default", "defaults", multiple=True, metavar="WHO=LOSS", help="A defaulter and its close-out loss.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, whole HKD.")
def fund(
    exposures: Path, keys: Path, cover: int, minimum: int, threshold: int, defaults: tuple[str, ...], *, as_json: bool
) -> None:
    """Size a default fund on stress losses; with --default, run losses through the waterfall."""
    from tsingma.app.fund_sizing import default_of, fund_of_files
    from tsingma.margin.resources.default_fund import FundRules

    losses = {}
    for text in defaults:
        name, _, amount = text.partition("=")
        if not name or not amount.isdigit():
            raise click.BadParameter(f"'{text}': write WHO=LOSS in whole HKD", param_hint="--default")
        losses[name] = int(amount)
    rules = FundRules(cover=cover, minimum=minimum, threshold=threshold)
    found, stress = fund_of_files(exposures, keys, rules)
    borne = default_of(found, stress, losses) if losses else None
    if as_json:
        answer = {"fund": msgspec.to_builtins(found), "waterfall": msgspec.to_builtins(borne)}
        click.echo(json.dumps(answer, indent=2))
        return
    click.echo(f"fund HKD {found.size:,}: {found.worst_scenario} of {found.worst_day}, " + ", ".join(
        f"{name} {loss:,}" for name, loss in zip(found.defaulters, found.largest_losses, strict=True)))  # fmt: skip
    click.echo(f"  {'the house':<16}{found.house_part:>18,}")
    for participant, part in found.contributions.items():
        click.echo(f"  {participant:<16}{part:>18,}")
    for group, extra in found.extra_margin.items():
        click.echo(f"  {group} lodges {extra:,} itself: its loss is above half of the threshold")
    if borne:
        click.echo(f"\nloss {borne.loss:,} of {', '.join(borne.defaulters)}")
        for layer in borne.layers:
            click.echo(f"  {layer.kind:<26}{layer.used:>18,} of {layer.available:,}")
        click.echo(f"  {'uncovered':<26}{borne.uncovered:>18,}")
