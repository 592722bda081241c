"""The ``settle`` commands on a house: send orders from a file, list what waits, tell an instruction's story."""

from __future__ import annotations

from pathlib import Path

import click

from tsingma.cli.house import HOUSE

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
SHOWN_MAX = 20


@click.command(epilog="\b\nExample:\n  tsingma settle submit --file orders.csv --house out/house --participant P01\n")
@click.option("--file", "path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Orders (CSV, see docs/settlement.md).")  # fmt: skip
@HOUSE
@click.option("--participant", default="", help="Who sends them; left out, the house takes them in for all.")
@click.option("--at", metavar="HH:MM", default="", help="Time of day (default: the time the house stands at).")
@_JSON
def submit(path: Path, house: Path | str, participant: str, at: str, *, as_json: bool) -> int:
    """Send orders to a house with an open day: they match, wait or are refused, each for itself."""
    import msgspec

    from tsingma.app.instructions import send_file
    from tsingma.cli.main import EXIT_FINDINGS, EXIT_OK
    from tsingma.cli.time_of_day import second_of_day

    sent = send_file(house, path, participant, second_of_day(at))
    if as_json:
        click.echo(msgspec.json.encode(sent).decode())
    else:
        click.echo(f"{sent.orders:,} orders: {sent.matched:,} matched, {sent.waiting:,} wait, {sent.refused:,} refused")
        click.echo(f"{sent.settled:,} instructions settled at once")
        for rejection in sent.rejections[:SHOWN_MAX]:
            click.echo(f"refused: {rejection}", err=True)
    return EXIT_FINDINGS if sent.refused else EXIT_OK


@click.command(epilog="\b\nExample:\n  tsingma settle queue --house out/house --participant P01\n")
@HOUSE
@click.option("--participant", default="", help="Only what this participant is party to.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="Lines.")
@_JSON
def queue(house: Path | str, participant: str, limit: int, *, as_json: bool) -> None:
    """List open instructions and unmatched orders, and why each has not settled."""
    import msgspec

    from tsingma.app.instructions import queue as waiting

    count, rows = waiting(house, participant, limit)
    if as_json:
        click.echo(msgspec.json.encode({"open": count, "queue": rows}).decode())
        return
    click.echo(f"{count:,} open, {len(rows):,} shown")
    for row in rows:
        against = f" against {row.against}" if row.against else ""
        click.echo(f"{row.what} {row.number}: {row.kind} {row.deliverer} to {row.receiver} {row.moves}{against}")
        click.echo(f"    due {row.intended}, {row.priority}, {row.status}: {row.reason}")


@click.command(epilog="\b\nExample:\n  tsingma settle show 17 --house out/house\n")
@click.argument("instruction", type=int)
@HOUSE
@_JSON
def show(instruction: int, house: Path | str, *, as_json: bool) -> None:
    """Tell what happened to an instruction, record by record (replays the journal)."""
    import msgspec

    from tsingma.app.instructions import story

    row, chapters = story(house, instruction)
    if as_json:
        click.echo(msgspec.json.encode({"instruction": row, "story": chapters}).decode())
        return
    for chapter in chapters:
        click.echo(f"{chapter.day}  record {chapter.record:<6} {chapter.command:<26} {'; '.join(chapter.happened)}")
    click.echo(f"instruction {row.number} is {row.status}" + (f": {row.reason}" if row.status != "settled" else ""))
