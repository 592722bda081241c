"""``tsingma margin joint``: one portfolio across clearing houses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tsingma.cli.margin_market import with_market

if TYPE_CHECKING:
    from tsingma.app.joint_study import MarketFiles
    from tsingma.margin.joint.study import BookStudy

SCALED_FROM = 1_000_000  # books as large are printed in thousands
_TITLES = {"pro-rata": "pro rata", "equal-percentage": "equal %", "euler": "Euler", "shapley": "Shapley"}


@click.command(
    epilog="\b\nExample:\n  tsingma margin joint --prices closes.csv.gz --index HSI.csv --fx USDCNY.csv --workers 2\n"
)
@with_market
@click.option("--every", type=click.IntRange(1, 250), default=1, show_default=True, help="Study every n-th day.")
@click.option("--level", default="0.01", show_default=True, help="Tail of the joint expected shortfall.")
@click.option("--flipped", is_flag=True, help="Stress switch: all hedges fail, no credit is left.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes to fan out on.")
@click.option("--ray", metavar="ADDRESS", help="Fan out on a Ray cluster; 'local' starts one here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, a book an object.")
def joint(
    market: MarketFiles, books: Path | None, every: int, level: str, workers: int, ray: str | None, *, flipped: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Margin of books alone at each house and as one portfolio, with the coverage that was realised."""
    from tsingma.app.joint_study import books_of_file, executor_of, past_of_files, study_books
    from tsingma.margin.joint.requirement import Correlations, JointSettings

    chosen, name = books_of_file(books)
    settings = JointSettings(level=level, correlations=Correlations.FLIPPED if flipped else Correlations.HISTORICAL)
    executor = executor_of(workers, ray)
    studies = study_books(chosen, past_of_files(market), settings, every=every, file=name, executor=executor)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(studies), indent=1))
        return
    _print(studies)


def _print(studies: list[BookStudy]) -> None:
    scale = 1_000 if all(study.whole["alone"].mean_margin >= SCALED_FROM for study in studies) else 1
    click.echo(
        f"HKD{' thousand' if scale > 1 else ''}, {studies[0].days} days each; --json has exact HKD, tails and parts.\n"
    )
    _print_books(studies, scale)
    _print_houses(studies, scale)
    _print_last_day(studies, scale)


def _print_books(studies: list[BookStudy], scale: int) -> None:
    click.echo(
        "Whole books, mean over days. Cover: days whose loss over the longest holding period was within the margin.\n"
        "Two pots: every house keeps 99 % cover of its own; the largest saving and the lowest cover of the four.\n"
        "One pot: the houses share one margin and close out together; governed: the saving that its cover allowed.\n"
    )
    head = "".join(f"{title:>8}" for title in ("prorata", "equal %", "Euler", "Shapley"))
    pots = f"{'one pot':>8}{'saving':>7}{'cover':>8}{'governed':>9}{'cover':>8}"
    click.echo(f"{'book':<25}{'alone':>8}{head}{'saving':>7}{'cover':>8}{pots}")
    for study in studies:
        alone, pot, governed = (study.whole[name] for name in ("alone", "one pot", "one pot governed"))
        called = [study.whole[name] for name in _TITLES]
        least, uncovered = min(one.mean_margin for one in called), max(one.uncovered for one in called)
        click.echo(
            f"{study.book:<25}{alone.mean_margin // scale:>8,}"
            + "".join(f"{one.mean_margin // scale:>8,}" for one in called)
            + f"{_saving(least, alone.mean_margin):>7}{_cover(uncovered, study.days):>8}{pot.mean_margin // scale:>8,}"
            + f"{_saving(pot.mean_margin, alone.mean_margin):>7}{_cover(pot.uncovered, study.days):>8}"
            + f"{_saving(governed.mean_margin, alone.mean_margin):>9}{_cover(governed.uncovered, study.days):>8}"
        )


def _print_houses(studies: list[BookStudy], scale: int) -> None:
    click.echo(
        "\nHouses, mean over days, with realised cover of the house's own positions over its own holding period.\n"
    )
    head = "".join(f"{title:>9}{'cover':>8}" for title in _TITLES.values())
    click.echo(f"{'book':<26}{'house':<10}{'alone':>8}{'cover':>8}{head}")
    for study in studies:
        rows = zip(*(study.coverage[name] for name in _TITLES), strict=True)
        for place, row in enumerate(rows):
            first = row[0]
            click.echo(
                f"{study.book if place == 0 else '':<26}{first.house:<10}{first.mean_standalone // scale:>8,}"
                f"{_cover(first.uncovered_before, study.days):>8}"
                + "".join(f"{one.mean_called // scale:>9,}{_cover(one.uncovered_after, study.days):>8}" for one in row)
            )


def _print_last_day(studies: list[BookStudy], scale: int) -> None:
    click.echo(
        "\nLast day, by further rules: min-leg (credit rate x the smaller leg, CME-NYMEX), scenario-netted, one pot.\n"
    )
    click.echo(
        f"{'book':<26}{'alone':>10}{'Euler':>10}{'min-leg':>10}{'netted':>10}{'one pot':>10}  smallest reduction seen"
    )
    for study in studies:
        last, more = study.last, study.two_pots
        euler = next(shares.called for shares in last.shares if shares.allocation == "euler")
        amounts = (last.standalone, euler, more.min_leg, more.scenario_netted, last.one_pot)
        click.echo(
            f"{study.book:<26}"
            + "".join(f"{amount // scale:>10,}" for amount in amounts)
            + f"{last.equal_percentage_e4 / 100:>10.2f}%"
        )


def _cover(uncovered: int, days: int) -> str:
    return f"{100 * (1 - uncovered / days):.2f}%"


def _saving(margin: int, alone: int) -> str:
    return f"{1.0 - margin / alone:.1%}" if alone else "-"
