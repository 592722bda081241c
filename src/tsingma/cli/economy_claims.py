"""``tsingma economy claims``: every figure, lever and claim of the three columns with what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tsingma.app.economy_claims import ClaimReport


@click.command(epilog="\b\nExample:\n  tsingma economy claims --data DIR --json\n")
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of the public series."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def claims(data: Path | None, *, as_json: bool) -> None:
    """Print the claim register whole: words, test, result, figure and why; then the count and scored forecasts."""
    import msgspec

    from tsingma.app.economy_claims import claim_report

    report = claim_report(data)
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
        return
    _print(report)


def _print(report: ClaimReport) -> None:
    for claim in report.claims:
        flag = " [flagged]" if claim.id in report.flagged else ""
        click.echo(f"{claim.id:<4}{claim.result.upper():<14}{claim.english}{flag}\n{'':<4}{claim.chinese}")
        click.echo(f"{'':<4}test: {claim.test}\n{'':<4}figure: {claim.figure}\n{'':<4}why: {claim.why}\n")
    forms = ", ".join(f"{number} {form}s" for form, number in report.forms.items())
    counts = ", ".join(f"{number} {result}" for result, number in report.count.items())
    click.echo(f"{len(report.claims)} statements ({forms}): {counts}; flagged {', '.join(report.flagged)}")
    if report.hold_outs:
        click.echo(
            f"\n{'forecast, never fitted':<46}{'came':>11}{'forecast':>11}{'no change':>11}{'error ratio':>13}  nearer"
        )
    for one in report.hold_outs:
        nearer = "forecast" if one.better_than_no_change else "no change"
        ratio = f"{abs(one.error / one.error_of_no_change):.2f}" if one.error_of_no_change else "none"
        cells = f"{one.observed:>11,.2f}{one.forecast:>11,.2f}{one.no_change:>11,.2f}{ratio:>13}"
        click.echo(f"{one.id:<46}{cells}  {nearer}")
