"""``tsingma margin disclosure``: public quantitative disclosure fields as CSV."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tsingma.cli.brief import language_option, report_option
from tsingma.cli.margin_market import FILE, with_market

if TYPE_CHECKING:
    from tsingma.app.joint_study import MarketFiles


@click.command(
    epilog="\b\nExample:\n  tsingma margin disclosure --prices P.csv --index HSI.csv --books B.csv --out fields.csv\n"
)
@with_market
@click.option("--margin", "basis", default="alone", show_default=True, help="Margin that is disclosed.",
              type=click.Choice(["alone", "pro-rata", "equal-percentage", "euler", "shapley"]))  # fmt: skip
@click.option("--every", type=click.IntRange(1, 250), default=5, show_default=True, help="Observe every n-th day.")
@click.option("--collateral", type=FILE, help="account,house,kind,value (CSV): what is lodged, at market value.")
@click.option("--exposures", type=FILE, help="Stress losses of one house, as for 'margin fund'.")
@click.option("--keys", type=FILE, help="Allocation keys of its fund, as for 'margin fund'.")
@click.option("--fund-house", default="HKSCC", show_default=True, help="Whose fund --exposures and --keys are.")
@click.option("--cover", type=click.IntRange(1, 2), default=2, show_default=True, help="Largest groups to cover.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write; printed without it.")
@report_option
@language_option
@click.option("--json", "as_json", is_flag=True, help="JSON instead of CSV.")
def disclosure(
    market: MarketFiles, books: Path | None, basis: str, every: int, collateral: Path | None, exposures: Path | None,
    keys: Path | None, fund_house: str, cover: int, out: Path | None, report: Path | None, language: str, *,
    as_json: bool,
) -> None:  # fmt: skip
    """Write the public quantitative disclosure of each house: margin, collateral, breaches, resources."""
    from tsingma.app.joint_study import books_of_file, past_of_files
    from tsingma.app.margin_disclosure import disclose_margin, disclose_resources
    from tsingma.margin.joint.allocation import Allocation
    from tsingma.margin.resources.default_fund import FundRules
    from tsingma.messages.fund_files import write_fields

    if (exposures is None) != (keys is None):
        raise click.UsageError("--exposures and --keys go together")
    chosen, _ = books_of_file(books)
    allocation = None if basis == "alone" else Allocation(basis)
    fields = disclose_margin(chosen, past_of_files(market), allocation, collateral, every=every)
    if exposures is not None and keys is not None:
        fields = disclose_resources(fund_house, exposures, keys, FundRules(cover=cover)) + fields
    if report is not None:
        from tsingma.reports.official.disclosure import disclosure_report
        from tsingma.reports.official.files import write_report

        write_report(disclosure_report(fields, "", language), report)
    text = json.dumps(msgspec.to_builtins(fields), indent=1) + "\n" if as_json else write_fields(fields)
    if out is None:
        click.echo(text, nl=False)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    click.echo(f"{len(fields)} fields: {out}")
