"""``tsingma view``: balances, positions, instructions, statements and records of a house, as of any record."""

from __future__ import annotations

from pathlib import Path

import click

from tsingma.cli.house import HOUSE


@click.command(
    epilog="\b\nExample:\n  tsingma view statement --house out/house --participant B00001 --at 40\n"
    "  tsingma view records --house out/house --json\n"
)
@click.argument("name", metavar="balances|positions|instructions|statement|records")
@HOUSE
@click.option("--participant", default="", help="Only its accounts; of records, only what it told.")
@click.option("--at", type=click.IntRange(min=0), help="As of this record of the journal (default: the last).")
@click.option("--views", type=click.Path(dir_okay=False, path_type=Path), help="File of the views.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Rows to print, without --json.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with every row.")
def view(
    name: str, house: Path | str, participant: str, at: int | None, views: Path | None, limit: int, *, as_json: bool
) -> int:
    """Bring the views of a house up to date and print one; the house's writer is not disturbed."""
    import msgspec

    from tsingma.app.view_pages import look

    page = look(house, name, participant, at, views)
    if as_json:
        click.echo(msgspec.json.encode(page).decode())
        return 0
    click.echo(f"{page.view} at record {page.at}: {len(page.rows):,} rows")
    shown = [page.columns, *([str(cell) for cell in row] for row in page.rows[:limit])]
    widths = [max(len(row[place]) for row in shown) for place in range(len(page.columns))]
    for row in shown:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    if len(page.rows) > limit:
        click.echo(f"... {len(page.rows) - limit:,} more; --limit or --json shows them")
    return 0
