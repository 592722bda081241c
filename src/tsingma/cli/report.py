"""``tsingma report``: official reports of a house as PDF, XLSX, CSV or HTML, in English or Traditional Chinese."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tsingma.cli.brief import LANGUAGES
from tsingma.cli.house import HOUSE, HOUSE_INSTEAD

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the files written as one JSON object.")
_LANGUAGE = click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of it.")
_OUT = click.option(
    "--out", required=True, type=click.Path(path_type=Path),
    help="File to write, its ending says the form (.pdf, .xlsx, .csv, .html); a folder without --participant.",
)  # fmt: skip


def _of_participant(command: Callable[..., Any]) -> Callable[..., Any]:
    who = click.option("--participant", default="", help="Whose; left out, one for each into the folder --out.")
    form = click.option("--form", type=click.Choice(["pdf", "xlsx", "csv", "html"]), default="pdf", show_default=True,
                        help="Of the files of a folder.")  # fmt: skip
    at = click.option("--at", type=click.IntRange(min=1), help="As of this record of the journal (default: the last).")
    return HOUSE(who(at(_OUT(form(_LANGUAGE(_JSON(command)))))))


@click.group(
    epilog="\b\nExample:\n  tsingma report settlement --house out/house --participant P01 --out P01.pdf --language zh\n"
)
def report() -> None:
    """Official reports: settlement, holdings, margin, default fund, day; one content, four forms, two languages."""


@report.command(epilog="\b\nExample:\n  tsingma report settlement --house out/house --participant P01 --out P01.pdf\n")
@_of_participant
def settlement(
    house: Path | str, participant: str, at: int | None, out: Path, form: str, language: str, *, as_json: bool
) -> None:  # fmt: skip
    """Write settlement statements: net positions, money and instructions, due, settled and open."""
    _write("settlement", house, participant, out, form, language, at=at, as_json=as_json)


@report.command(epilog="\b\nExample:\n  tsingma report holdings --house out/house --participant P01 --out P01.pdf\n")
@_of_participant
def holdings(
    house: Path | str, participant: str, at: int | None, out: Path, form: str, language: str, *, as_json: bool
) -> None:  # fmt: skip
    """Write statements of holdings: securities with their value, and cash; on hold, pledged, available."""
    _write("holdings", house, participant, out, form, language, at=at, as_json=as_json)


@report.command(epilog="\b\nExample:\n  tsingma report margin --house out/house --participant P01 --out P01.pdf\n")
@_of_participant
@click.option("--parameters", type=_FILE, help="RPF01 file: take the requirement apart.")
def margin(
    house: Path | str,
    participant: str,
    at: int | None,
    out: Path,
    form: str,
    language: str,
    parameters: Path | None,
    *,
    as_json: bool,
) -> None:
    """Write margin statements: what is called, pledged and lacking, and with --parameters what it is made of."""
    _write("margin", house, participant, out, form, language, parameters, at=at, as_json=as_json)


@report.command(epilog="\b\nExample:\n  tsingma report day --house out/house --out day.pdf\n")
@HOUSE
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="A closed day; the last one without it.")
@_OUT
@_LANGUAGE
@_JSON
def day(house: Path | str, day: datetime | None, out: Path, language: str, *, as_json: bool) -> None:
    """Write the report of a closed day from the journal: trades, runs, fails, charges, margin, proof."""
    from tsingma.app.official_reports import write_day_report

    tell(write_day_report(house, None if day is None else day.date(), out, language), as_json=as_json)


@report.command(
    epilog="\b\nExamples:\n  tsingma report fund --exposures E.csv --keys K.csv --participant B1 --out B1.pdf\n"
    "  tsingma report fund --house out/house --participant B1 --out B1.pdf\n"
)
@HOUSE_INSTEAD
@click.option("--default", "number", type=click.IntRange(0), default=0, help="Of the house (default: the last one).")
@click.option("--exposures", type=_FILE, help="Stress losses, as for 'margin fund'.")
@click.option("--keys", type=_FILE, help="Allocation keys, as for 'margin fund'.")
@click.option("--participant", default="", help="Whose notice; left out, the list of all.")
@click.option("--fund-house", default="HKSCC", show_default=True, help="Whose fund it is.")
@click.option("--cover", type=click.IntRange(1, 2), default=2, show_default=True, help="Largest groups to cover.")
@_OUT
@_LANGUAGE
@_JSON
def fund(
    house: Path | str | None, number: int, exposures: Path | None, keys: Path | None, participant: str,
    fund_house: str, cover: int, out: Path, language: str, *, as_json: bool,
) -> None:  # fmt: skip
    """Write the notice of a default fund: of a declared default of the house, or of a fund that is sized from files."""
    if house is not None:
        from tsingma.app.default_notice import write_default_notice

        tell(write_default_notice(house, participant, number, out, language), as_json=as_json)
        return
    if exposures is None or keys is None:
        raise click.BadParameter("give --exposures and --keys, or a house in which somebody defaulted")
    from tsingma.app.fund_sizing import fund_of_files
    from tsingma.margin.resources.default_fund import FundRules
    from tsingma.reports.official.files import write_report
    from tsingma.reports.official.fund import fund_report

    rules = FundRules(cover=cover)
    found, _ = fund_of_files(exposures, keys, rules)
    tell(write_report(fund_report(found, rules, fund_house, participant, language), out), as_json=as_json)


def tell(written: list[Path], *, as_json: bool) -> None:
    """Say which files were written."""
    from tsingma.cli.output import print_figures

    print_figures({"files": [str(path) for path in written]}, as_json=as_json)


def _write(
    kind: str, house: Path | str, participant: str, out: Path, form: str, language: str,
    parameters: Path | None = None, *, at: int | None, as_json: bool,
) -> None:  # fmt: skip
    from tsingma.app.official_reports import write_house_reports

    written = write_house_reports(
        kind, house, participant, out, form=f".{form}", language=language, parameters=parameters, at=at
    )
    tell(written, as_json=as_json)
