"""``tsingma messages hkex``: fixed-length files with header, checksums and hash totals, in the shape of HKEX's."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from tsingma.cli.house import HOUSE
from tsingma.cli.output import write_told

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_DAY = click.DateTime(["%Y-%m-%d"])
_WHO = click.option("--participant", required=True, help="Whose.")
_OUT = click.option("--out", required=True, type=_NEW, help="File to write.")
_REPORT = click.option("--report", "name", required=True, help="Which report: see `tsingma messages hkex list`.")


@click.group(
    epilog="\b\nExample:\n  tsingma messages hkex trades --house out/house --participant P01 --out CCLID01.P01\n"
)
def hkex() -> None:
    """Trade, position and collateral files of fixed length, with header, checksums, counts and hash totals."""


@hkex.command(epilog="\b\nExample:\n  tsingma messages hkex trades --house out/house --participant P01 --out P01.dat\n")
@HOUSE
@_WHO
@click.option("--date", "day", type=_DAY, help="Business day; the one the house stands at without it.")
@_OUT
@_JSON
def trades(house: Path | str, participant: str, day: datetime | None, out: Path, *, as_json: bool) -> None:
    """Write the intraday trade file of a participant: every trade it is party to, one line a side."""
    from tsingma.app.interchange_files import trade_file

    write_told(out, "records", trade_file(house, participant, None if day is None else day.date()), as_json=as_json)


@hkex.command(
    epilog="\b\nExample:\n  tsingma messages hkex positions --house out/house --participant P01 --out P01.dat\n"
)
@HOUSE
@_WHO
@_OUT
@_JSON
def positions(house: Path | str, participant: str, out: Path, *, as_json: bool) -> None:
    """Write the marginable positions of a participant, netted by account and instrument."""
    from tsingma.app.interchange_files import position_file

    write_told(out, "records", position_file(house, participant), as_json=as_json)


@hkex.command(
    epilog="\b\nExample:\n  tsingma messages hkex collateral --house out/house --participant P01 --out P01.dat\n"
)
@HOUSE
@_WHO
@_OUT
@_JSON
def collateral(house: Path | str, participant: str, out: Path, *, as_json: bool) -> None:
    """Write the statement of a participant's collateral: what is pledged, where, at which haircut, for which call."""
    from tsingma.app.interchange_files import collateral_file

    write_told(out, "records", collateral_file(house, participant), as_json=as_json)


@hkex.command(epilog="\b\nExample:\n  tsingma messages hkex read --report trades --file P01.dat --out P01.csv\n")
@_REPORT
@click.option("--file", "path", required=True, type=_FILE, help="A file of the report.")
@click.option("--out", type=_NEW, help="Write its details as CSV.")
@_JSON
def read(name: str, path: Path, out: Path | None, *, as_json: bool) -> None:
    """Read a file, whole or not at all: checksums, count and hash totals must be right."""
    from tsingma.app.interchange_files import cells_of_file
    from tsingma.cli.output import print_figures

    found, cells = cells_of_file(path, name)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(cells)
    figures = {"report": name, "participant": found.participant, "date": str(found.day), "records": len(found.rows)}
    print_figures(figures, as_json=as_json)


@hkex.command(epilog="\b\nExample:\n  tsingma messages hkex write --report positions --file P.csv --participant P01 "
              "--date 2026-01-05 --out P01.dat\n")  # fmt: skip
@_REPORT
@click.option("--file", "path", required=True, type=_FILE, help="Details as CSV, as `read --out` writes them.")
@_WHO
@click.option("--date", "day", required=True, type=_DAY, help="Business day.")
@_OUT
@_JSON
def write(name: str, path: Path, participant: str, day: datetime, out: Path, *, as_json: bool) -> None:
    """Make a file of a CSV, with its header, checksums and trailer."""
    from tsingma.app.interchange_files import file_of_cells

    write_told(out, "records", file_of_cells(path, name, participant, day.date()), as_json=as_json)


@hkex.command("list", epilog="\b\nExample:\n  tsingma messages hkex list\n")
@_JSON
def list_all(*, as_json: bool) -> None:
    """List the reports, what they are, and where their layout comes from."""
    import json

    from tsingma.app.interchange_files import report_list

    found = report_list()
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for row in found:
        click.echo(f"{row['name']:<12}{row['report']:<9}{row['record_bytes']:>4} bytes  {row['what']}")
        click.echo(f"{'':<12}layout{' (assumed)' if row['assumed'] else ''}: {row['source']}")
