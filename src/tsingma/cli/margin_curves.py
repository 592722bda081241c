"""``tsingma margin curves``: zero rates from quotes."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tsingma.cli.margin_market import FILE


@click.command(epilog="\b\nExample:\n  tsingma margin curves --quotes Q.csv --out C.csv\n")
@click.option("--quotes", required=True, type=FILE, help="date,curve,kind,tenor,rate,months,count (CSV).")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Zero rates to write (CSV)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def curves(quotes: Path, out: Path, *, as_json: bool) -> None:
    """Bootstrap zero curves by day from deposits and par swaps, as the other commands take them."""
    from tsingma.app.zero_curves import curves_of_quotes

    count, rates = curves_of_quotes(quotes, out)
    answer = {"curves": count, "rates": rates, "file": str(out)}
    click.echo(json.dumps(answer) if as_json else f"{count} curves, {rates} zero rates: {out}")
