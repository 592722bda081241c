"""``messages report``, ``fund``, ``show`` and ``book``: reports of a house as ISO 20022, and what they say."""

from __future__ import annotations

from pathlib import Path

import click

from tsingma.cli.house import HOUSE
from tsingma.cli.output import write_told

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_BICS = click.option("--bics", type=_FILE, help="BICs of participants (CSV: participant,bic).")
_PARTICIPANT = click.option("--participant", required=True, help="Whom the report is for.")
_OUT = click.option("--out", required=True, type=_NEW, help="File to write (a business file).")


@click.command(
    epilog="\b\nExample:\n  tsingma messages report net-positions --house out/house --participant P01 --out P01.xml\n"
)
@click.argument("kind")
@HOUSE
@_PARTICIPANT
@click.option("--since", type=click.IntRange(0), help="What happened after this record (default: the day's beginning).")
@_OUT
@_BICS
@_JSON
def report(
    kind: str, house: Path | str, participant: str, since: int | None, out: Path, bics: Path | None, *, as_json: bool
) -> None:
    """Write a report of the house's books to one participant; `messages reports` lists the kinds."""
    from tsingma.app.iso_reports import report_file

    write_told(out, "messages", report_file(house, kind, participant, bics, since), as_json=as_json)


@click.command(epilog="\b\nExample:\n  tsingma messages reports\n")
@_JSON
def reports(*, as_json: bool) -> None:
    """List the kinds of reports, with their messages."""
    from tsingma.app.iso_reports import REPORTS

    if as_json:
        import msgspec

        kinds = [{"kind": kind, "messages": one.messages, "title": one.title} for kind, one in REPORTS.items()]
        click.echo(msgspec.json.encode(kinds).decode())
        return
    for kind, one in REPORTS.items():
        click.echo(f"{kind:<20} {one.title:<52} {', '.join(one.messages)}")


@click.command(
    epilog="\b\nExample:\n  tsingma messages fund --exposures E.csv --keys K.csv --house out/house --participant P01 "
    "--out P01.xml\n"
)
@click.option("--exposures", required=True, type=_FILE, help="Stress losses, as of margin fund (CSV).")
@click.option("--keys", required=True, type=_FILE, help="Allocation keys, as of margin fund (CSV).")
@click.option("--cover", type=click.IntRange(1, 2), default=2, show_default=True, help="Largest groups to cover.")
@HOUSE
@_PARTICIPANT
@_OUT
@_JSON
def fund(
    exposures: Path, keys: Path, cover: int, house: Path | str, participant: str, out: Path, *, as_json: bool
) -> None:
    """Write what a participant brings to the default fund, sized as `margin fund` does (secl.006)."""
    from tsingma.app.iso_reports import fund_file
    from tsingma.margin.resources.default_fund import FundRules

    write_told(out, "messages", fund_file(house, participant, exposures, keys, FundRules(cover=cover)), as_json=as_json)


@click.command(epilog="\b\nExample:\n  tsingma messages show --file P01.xml --house out/house\n")
@click.option("--file", "path", required=True, type=_FILE, help="Reports: one Document, or a business file.")
@HOUSE
@_BICS
@_JSON
def show(path: Path, house: Path | str, bics: Path | None, *, as_json: bool) -> None:
    """Print what reports say, checked against schema and usage rules; the house only tells codes."""
    import msgspec

    from tsingma.app.iso_reading import read_report_file

    found = read_report_file(house, path, bics)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for one in found:
        click.echo(msgspec.json.format(msgspec.json.encode(one), indent=2).decode())


@click.command(epilog="\b\nExample:\n  tsingma messages book --file static.xml --out market/reference.json\n")
@click.option("--file", "path", required=True, type=_FILE, help="reda.017, .012 and .021 in a business file.")
@click.option("--out", required=True, type=_NEW, help="Reference book to write (JSON), as a market folder has it.")
@_JSON
def book(path: Path, out: Path, *, as_json: bool) -> None:
    """Make a reference book of static data: participants, securities and accounts of a house to be started."""
    from tsingma.app.iso_book import book_from_file
    from tsingma.cli.output import print_figures

    print_figures({**book_from_file(path, out), "file": str(out)}, as_json=as_json)


COMMANDS = (report, reports, fund, show, book)
