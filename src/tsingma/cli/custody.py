"""The ``custody`` commands: who holds what, what is issued, what falls due, and a file of commands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tsingma.cli.custody_events import entitlements, events
from tsingma.cli.house import HOUSE

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_LIMIT = click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="Rows, without --json.")


@click.group(epilog="\b\nExample:\n  tsingma custody due --house out/house --json\n")
def custody() -> None:
    """Registered securities: holdings at depositories, what is issued, what falls due."""


@custody.command(epilog="\b\nExample:\n  tsingma custody holdings --house out/house --participant A --depository CMU\n")
@HOUSE
@click.option("--depository", default="", help="Only what is kept at this depository.")
@click.option("--participant", default="", help="Only the accounts of this participant.")
@_LIMIT
@_JSON
def holdings(house: Path | str, depository: str, participant: str, limit: int, *, as_json: bool) -> None:
    """Print the statement of holdings: depository, account, security, units, of them on hold and pledged."""
    from tsingma.app.custody import holdings as statement

    print_rows("holdings", statement(house, depository, participant), limit, as_json=as_json)


@custody.command(epilog="\b\nExample:\n  tsingma custody issue --house out/house\n")
@HOUSE
@_LIMIT
@_JSON
def issue(house: Path | str, limit: int, *, as_json: bool) -> int:
    """Print what is issued beside what is held; exit code 1 where the two differ."""
    from tsingma.app.custody import issues
    from tsingma.cli.main import EXIT_FINDINGS, EXIT_OK

    rows = issues(house)
    print_rows("issues", rows, limit, as_json=as_json)
    return EXIT_OK if all(row.issued == row.held for row in rows) else EXIT_FINDINGS


@custody.command(epilog="\b\nExample:\n  tsingma custody due --house out/house --all\n")
@HOUSE
@click.option("--all", "every", is_flag=True, help="Also what has been paid.")
@_LIMIT
@_JSON
def due(house: Path | str, limit: int, *, every: bool, as_json: bool) -> None:
    """Print what falls due on securities: announced, recorded, owed, and next by schedule."""
    from tsingma.app.custody import dues

    print_rows("dues", dues(house, every=every), limit, as_json=as_json)


@custody.command(epilog="\b\nExample:\n  tsingma custody proceeds --house out/house\n")
@HOUSE
@_LIMIT
@_JSON
def proceeds(house: Path | str, limit: int, *, as_json: bool) -> None:
    """Print what green securities raised and what it was spent on, project by project."""
    from tsingma.app.custody import proceeds as uses

    print_rows("proceeds", uses(house), limit, as_json=as_json)


@custody.command(
    epilog="\b\nExample:\n  tsingma custody deliverable --house H --contract TF --delivery 2026-03-18 --price 105.9\n"
)
@HOUSE
@click.option("--contract", required=True, help="Code of the bond future, for example TF.")
@click.option("--delivery", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Day of delivery.")
@click.option("--price", required=True, help="Futures price per 100 of face.")
@click.option("--financing", default="0", show_default=True, help="Financing rate, per cent a year, for the net basis.")
@_LIMIT
@_JSON
def deliverable(
    house: Path | str, contract: str, delivery: datetime, price: str, financing: str, limit: int, *, as_json: bool
) -> None:
    """Print what may be delivered into a bond future, the cheapest first: factor, invoice, basis, implied repo."""
    from tsingma.app.custody import deliverable as ways
    from tsingma.basics.rounding import parse_scaled

    futures_e4 = parse_scaled(price, 4, field="price")
    financing_e9 = parse_scaled(financing, 7, field="financing")
    rows = ways(house, contract, delivery.date(), futures_e4, financing_e9)
    print_rows("deliverable", rows, limit, as_json=as_json)


@custody.command(epilog="\b\nExample:\n  tsingma custody send --file commands.jsonl --house out/house\n")
@click.option("--file", "path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Commands (JSON lines, see docs/custody.md).")  # fmt: skip
@HOUSE
@_JSON
def send(path: Path, house: Path | str, *, as_json: bool) -> None:
    """Carry out a file of commands, in order; sent twice, it is done once."""
    import msgspec

    from tsingma.app.custody import send as carry_out

    sent = carry_out(house, path)
    if as_json:
        click.echo(msgspec.json.encode(sent).decode())
        return
    for event in sent.events:
        kind = event.pop("type")
        if kind == "step-run":  # the timetable's own figures are in --json
            continue
        if kind == "day-closed":
            event = {"day": event["day"], "checked": len(event["checked"])}  # type: ignore[arg-type]
        click.echo(f"{kind}: {', '.join(f'{name} {value}' for name, value in event.items())}")
    click.echo(f"{sent.commands:,} commands, state hash {sent.state_hash}")


custody.add_command(events)
custody.add_command(entitlements)


def print_rows(name: str, rows: Sequence[Any], limit: int, *, as_json: bool) -> None:
    """Print rows of one struct as a table, or all of them as one JSON object."""
    import msgspec

    if as_json:
        click.echo(msgspec.json.encode({name: rows}).decode())
        return
    click.echo(f"{name}: {len(rows):,}")
    cells = [[_text(cell) for cell in msgspec.structs.astuple(row)] for row in rows[:limit]]
    if not rows:
        return
    table = [list(rows[0].__struct_fields__), *cells]
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    for row in table:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    if len(rows) > limit:
        click.echo(f"... {len(rows) - limit:,} more; --limit or --json shows them")


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
