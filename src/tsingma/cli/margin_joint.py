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
    click.echo(
        "Whole books, mean HKD; cover: days whose loss over the longest holding period was within the margin.\n"
        "Two pots: each house keeps 99 % cover of its own positions. One pot: the houses share one margin.\n"
    )
    head = "".join(f"{_TITLES[name]:>14}" for name in _TITLES)
    click.echo(f"{'book':<26}{'alone':>14}{head}{'saving':>8}{'cover':>9}{'one pot':>14}{'saving':>8}{'cover':>9}")
    for study in studies:
        alone, pot = study.whole["alone"], study.whole["one pot"]
        called = {name: study.whole[name] for name in _TITLES}
        best = min(called.values(), key=lambda one: one.mean_margin)
        click.echo(
            f"{study.book:<26}{alone.mean_margin:>14,}"
            + "".join(f"{one.mean_margin:>14,}" for one in called.values())
            + f"{_saving(best.mean_margin, alone.mean_margin):>8}{_cover(best.uncovered, study.days):>9}"
            + f"{pot.mean_margin:>14,}{_saving(pot.mean_margin, alone.mean_margin):>8}"
            + f"{_cover(pot.uncovered, study.days):>9}"
        )
    click.echo("\nHouses: mean margin and realised cover of the house's own positions over its own holding period.\n")
    head = "".join(f"{_TITLES[name]:>13}{'cover':>9}" for name in _TITLES)
    click.echo(f"{'book':<26}{'house':<11}{'alone':>13}{'cover':>9}{head}")
    for study in studies:
        rows = zip(*(study.coverage[name] for name in _TITLES), strict=True)
        for place, row in enumerate(rows):
            first = row[0]
            click.echo(
                f"{study.book if place == 0 else '':<26}{first.house:<11}{first.mean_standalone:>13,}"
                f"{_cover(first.uncovered_before, study.days):>9}"
                + "".join(f"{one.mean_called:>13,}{_cover(one.uncovered_after, study.days):>9}" for one in row)
            )
    click.echo(
        "\nLast day: both pots by further rules (min-leg: credit rate x the smaller leg, CME-NYMEX), and the one pot.\n"
    )
    click.echo(
        f"{'book':<26}{'alone':>14}{'Euler':>14}{'min-leg':>14}{'netted':>14}{'one pot':>14}  smallest reduction seen"
    )
    for study in studies:
        last, more = study.last, study.two_pots
        euler = next(shares.called for shares in last.shares if shares.allocation == "euler")
        click.echo(f"{study.book:<26}{last.standalone:>14,}{euler:>14,}{more.min_leg:>14,}{more.scenario_netted:>14,}"
                   f"{last.one_pot:>14,}{last.equal_percentage_e4 / 100:>10.2f}%")  # fmt: skip
    click.echo(f"\n{studies[0].days} days each; saving and cover of two pots are those of the smallest of the four. "
               "--json gives the last day in full, with tails.")  # fmt: skip


def _cover(uncovered: int, days: int) -> str:
    return f"{100 * (1 - uncovered / days):.2f}%"


def _saving(margin: int, alone: int) -> str:
    return f"{1.0 - margin / alone:.1%}" if alone else "-"
