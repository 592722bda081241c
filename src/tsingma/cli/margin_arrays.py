"""``tsingma margin arrays``: the sixteen scenario losses of futures and options series."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(epilog="\b\nExample:\n  tsingma margin arrays --series S.csv --json\n")
@click.option(
    "--series",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Series with their array parameters (CSV).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array of {id, values}.")
def arrays(series: Path, *, as_json: bool) -> None:
    """Print the loss of one long contract in each of the sixteen PRiME scenarios (negative values are gains)."""
    from tsingma.app.prime_margin import arrays_of_file

    rows = arrays_of_file(series)
    if as_json:
        click.echo(json.dumps([{"id": one.id, "values": values} for one, values in rows]))
        return
    width = max(len(one.id) for one, _ in rows)
    for one, values in rows:
        click.echo(f"{one.id:<{width}}  " + " ".join(f"{value:>8,}" for value in values))
