"""``tsingma margin joint``: one portfolio across clearing houses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from tsingma.margin.joint.study import BookStudy

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog="\b\nExample:\n  tsingma margin joint --prices closes.csv.gz --index HSI.csv --fx USDCNY.csv --every 5\n"
)
@click.option("--prices", required=True, type=_FILE, help="Closes by day and counter (CSV, may be gzip).")
@click.option("--index", type=_FILE, help="Closes of the index (date,open,close,volume).")
@click.option("--fx", type=_FILE, help="Closes of the renminbi against the US dollar (same layout).")
@click.option("--books", type=_FILE, help="Books of holdings (CSV); the twelve stylised ones without it.")
@click.option("--every", type=click.IntRange(1, 250), default=5, show_default=True, help="Study every n-th day.")
@click.option("--level", default="0.01", show_default=True, help="Tail of the joint expected shortfall.")
@click.option("--flipped", is_flag=True, help="Stress switch: all hedges fail, no credit is left.")
@click.option("--allocation", default="euler", show_default=True,
              type=click.Choice(["pro-rata", "equal-percentage", "euler", "shapley"]))  # fmt: skip
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes to fan out on.")
@click.option("--ray", metavar="ADDRESS", help="Fan out on a Ray cluster; 'local' starts one here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, a book an object.")
def joint(
    prices: Path, index: Path | None, fx: Path | None, books: Path | None, every: int, level: str, allocation: str,
    workers: int, ray: str | None, *, flipped: bool, as_json: bool,
) -> None:  # fmt: skip
    """Margin of books alone at each house and as one portfolio, with the coverage that was realised."""
    from tsingma.app.joint_study import books_of_file, executor_of, history_of_files, study_books
    from tsingma.margin.joint.requirement import Correlations, JointSettings

    chosen, name = books_of_file(books)
    settings = JointSettings(level=level, correlations=Correlations.FLIPPED if flipped else Correlations.HISTORICAL)
    history = history_of_files(prices, index, fx)
    executor = executor_of(workers, ray)
    studies = study_books(chosen, history, settings, every=every, file=name, executor=executor)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(studies), indent=1))
        return
    _print(studies, allocation)


def _print(studies: list[BookStudy], allocation: str) -> None:
    click.echo(f"Credit by {allocation}; every house keeps 99 % cover of its own scenario losses.")
    click.echo("HKD, mean over days.\n")
    click.echo(f"{'book':<26}{'house':<11}{'alone':>13}{'called':>13}{'saving':>8}{'covered alone':>15}{'joint':>9}")
    for study in studies:
        rows = study.coverage[allocation]
        for place, row in enumerate(rows):
            saving = 1.0 - row.mean_called / row.mean_standalone if row.mean_standalone else 0.0
            before, after = (
                f"{100 * (1 - count / study.days):.2f} %" for count in (row.uncovered_before, row.uncovered_after)
            )
            name = study.book if place == 0 else ""
            click.echo(
                f"{name:<26}{row.house:<11}{row.mean_standalone:>13,}{row.mean_called:>13,}{saving:>8.1%}"
                f"{before:>15}{after:>9}"
            )
    click.echo(f"\n{studies[0].days} days each; --json gives all allocations, tails and the last day in full.")
