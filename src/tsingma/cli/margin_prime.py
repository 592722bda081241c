"""``tsingma margin prime``: the PRiME margin of positions in futures and options."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from tsingma.margin.prime.requirement import PrimeMargin

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog="\b\nExample:\n  tsingma margin prime --span RPF.lis --positions P.csv --multiplier HSI=50 --json\n"
)
@click.option("--span", required=True, type=_FILE, help="SPAN risk parameter file (fixed width, U2).")
@click.option("--positions", required=True, type=_FILE, help="contract,long,short (CSV).")
@click.option("--multiplier", "multipliers", multiple=True, metavar="CODE=N", help="Money of one point, per commodity.")
@click.option("--basis", type=click.Choice(["net", "gross"]), default="net", show_default=True)
@click.option("--pairing", type=click.Choice(["standard-span", "none"]), default="standard-span", show_default=True)
@click.option("--cap-long-options/--no-cap-long-options", default=True, show_default=True)
@click.option("--client/--house", default=False, help="Add what a client must lodge (1.33 and 0.8, by date).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, whole currency units.")
def prime(
    span: Path, positions: Path, multipliers: tuple[str, ...], basis: str, pairing: str, *, cap_long_options: bool,
    client: bool, as_json: bool,
) -> None:  # fmt: skip
    """Margin of futures and options (HKCC and SEOCH, PRiME), every step by name."""
    from tsingma.app.prime_margin import margin_of_span
    from tsingma.margin.prime.requirement import Basis, Pairing, PrimeSettings

    settings = PrimeSettings(Pairing(pairing), cap_long_options)
    margin = margin_of_span(span, positions, _numbers(multipliers), Basis(basis), settings)
    figures: dict[str, Any] = msgspec.to_builtins(margin)
    if client:
        figures["client"] = _client(margin)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
        return
    _print(margin, figures.get("client"))


def _numbers(multipliers: tuple[str, ...]) -> dict[str, int]:
    found = {}
    for text in multipliers:
        code, _, number = text.partition("=")
        if not code or not number.isdigit() or int(number) == 0:
            raise click.BadParameter(f"'{text}': write CODE=N, for example HSI=50", param_hint="--multiplier")
        found[code] = int(number)
    return found


def _client(margin: PrimeMargin) -> dict[str, dict[str, int]]:
    from tsingma.margin.prime.client import client_margin

    text = margin.business_date
    day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    found = {}
    for one in margin.commodities:
        levels = client_margin(one.risk_margin, day)
        found[one.commodity] = {
            "initial": levels.initial + one.mark_to_market,
            "maintenance": levels.maintenance + one.mark_to_market,
        }
    return found


def _print(margin: PrimeMargin, client: dict[str, dict[str, int]] | None) -> None:
    click.echo(f"PRiME margin, {margin.basis} basis, parameters {margin.parameters} of {margin.business_date}")
    for one in margin.commodities:
        scenario = f"scenario {one.scenario}" if one.scenario else "no losing scenario, or both sides"
        lines = [
            ("scan risk", one.scan_risk, scenario),
            ("intermonth charge", one.intermonth_charge, f"{len(one.intermonth)} rules used"),
            ("spot month charge", one.spot_charge, ""),
            ("intercommodity credit", -one.intercommodity_credit, f"{len(one.credits)} credits"),
            ("short option minimum", one.short_option_minimum, "a floor"),
            ("risk margin", one.risk_margin, "capped at the value of the long options" if one.capped else ""),
            ("mark to market", one.mark_to_market, ""),
            ("total", one.total, one.currency),
        ]
        click.echo(f"\n{one.commodity} ({one.currency}), net delta {one.delta_e4 / 10_000:+,.4f}")
        for name, amount, note in lines:
            click.echo(f"  {name:<24}{amount:>16,}  {note}".rstrip())
        if client:
            levels = client[one.commodity]
            click.echo(f"  client: initial {levels['initial']:,}, maintenance {levels['maintenance']:,}")
    click.echo("\n" + ", ".join(f"{currency} {amount:,}" for currency, amount in sorted(margin.total.items())))
