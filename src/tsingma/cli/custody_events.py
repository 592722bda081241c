"""``custody events`` and ``custody entitlements``: corporate actions of a house, read only."""

from __future__ import annotations

from pathlib import Path

import click

from tsingma.cli.house import HOUSE

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_LIMIT = click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="Rows, without --json.")


@click.command(epilog="\b\nExample:\n  tsingma custody events --house out/house --json\n")
@HOUSE
@click.option("--all", "every", is_flag=True, help="Also what is paid, converted, lapsed or withdrawn.")
@_LIMIT
@_JSON
def events(house: Path | str, limit: int, *, every: bool, as_json: bool) -> None:
    """List corporate actions: what a share gives, the dates, and how far each event is."""
    from tsingma.app.corporate_actions import events as listed
    from tsingma.cli.custody import print_rows

    print_rows("events", listed(house, every=every), limit, as_json=as_json)


@click.command(epilog="\b\nExample:\n  tsingma custody entitlements DIV-2026 --house out/house\n")
@click.argument("reference")
@HOUSE
@_LIMIT
@_JSON
def entitlements(reference: str, house: Path | str, limit: int, *, as_json: bool) -> None:
    """Print who is entitled to what in one event: settled and pending shares, elections, payments, claims."""
    from tsingma.app.corporate_actions import entitlements as listed
    from tsingma.cli.custody import print_rows

    print_rows("entitlements", listed(house, reference), limit, as_json=as_json)
