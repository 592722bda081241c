"""``tsingma margin explain``, ``what-if`` and ``backtest``: why a margin is what it is, and whether it was enough."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tsingma.cli.brief import language_option, report_option
from tsingma.cli.margin_market import ALLOCATIONS, FILE, with_market

if TYPE_CHECKING:
    from tsingma.app.joint_study import MarketFiles
    from tsingma.margin.joint.explain import DayChange, Explanation
    from tsingma.margin.joint.history import Statement
    from tsingma.margin.joint.requirement import JointMargin

_DAY = click.DateTime(["%Y-%m-%d"])


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    level = click.option("--level", default="0.01", show_default=True, help="Tail of the joint expected shortfall.")
    return with_market(level(click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)))


@click.command(epilog="\b\nExample:\n  tsingma margin explain --prices P.csv --books B.csv --book A --html A.html\n")
@_common
@click.option("--book", "name", help="Which book; the only one without it.")
@click.option("--day", type=_DAY, help="Day of the margin; the last of the history without it.")
@click.option("--since", type=_DAY, help="Explain the change since this day instead.")
@click.option("--allocation", default="euler", show_default=True, type=ALLOCATIONS)
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a margin statement as well.")
@click.option("--history-days", default=250, show_default=True, type=click.IntRange(1, 5_000), help="Of the statement.")
@report_option
@language_option
def explain(
    market: MarketFiles, books: Path | None, level: str, name: str | None,
    day: datetime | None, since: datetime | None, allocation: str, html: Path | None,
    history_days: int, report: Path | None, language: str, *, as_json: bool,
) -> None:  # fmt: skip
    """Show what a margin is made of: positions, houses, tail scenarios; or why it changed."""
    from tsingma.app.joint_study import book_named, books_of_file, change_of_book, explain_book, past_of_files
    from tsingma.margin.joint.allocation import Allocation
    from tsingma.margin.joint.requirement import JointSettings

    chosen, file = books_of_file(books)
    book, settings = book_named(chosen, name, file), JointSettings(level=level)
    past, at = past_of_files(market), day.date() if day else None
    if since is not None:
        change = change_of_book(book, book, past, since.date(), at, settings)
        click.echo(json.dumps(msgspec.to_builtins(change), indent=2) if as_json else _change_text(change))
        return
    if html is None and report is None:
        found = explain_book(book, past, at, settings, Allocation(allocation))
    else:
        from tsingma.app.joint_study import statement_of_book

        made = statement_of_book(book, past, at, settings, Allocation(allocation), history_days)
        _write_statement(made, html, report, language)
        found = made.explanation
    click.echo(json.dumps(msgspec.to_builtins(found), indent=2) if as_json else _explanation_text(found))
    if html is not None and not as_json:
        click.echo(f"statement: {html}")


def _write_statement(made: Statement, html: Path | None, report: Path | None, language: str) -> None:
    """Write a statement as a page with charts, as an official report, or both."""
    if html is not None:
        from tsingma.reports.margin_statement import render_statement

        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(render_statement(made), encoding="utf-8")
    if report is not None:
        from tsingma.reports.official.files import write_report
        from tsingma.reports.official.margin import margin_report

        write_report(margin_report(made, language), report)


@click.command(epilog="\b\nExample:\n  tsingma margin statements --prices P.csv --books B.csv --out statements\n")
@_common
@click.option("--day", type=_DAY, help="Day of the margin; the last of the history without it.")
@click.option("--allocation", default="euler", show_default=True, type=ALLOCATIONS)
@click.option("--history-days", default=250, show_default=True, type=click.IntRange(1, 5_000), help="Days shown.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write.")
@click.option("--form", type=click.Choice(["charts", "pdf", "xlsx", "csv", "html"]), default="charts",
              show_default=True, help="A page with charts, or an official report.")  # fmt: skip
@language_option
def statements(
    market: MarketFiles, books: Path | None, level: str, day: datetime | None, allocation: str, history_days: int,
    out: Path, form: str, language: str, *, as_json: bool,
) -> None:  # fmt: skip
    """Write a margin statement for every participant's book: components, houses, tails, history."""
    from tsingma.app.joint_study import books_of_file, past_of_files, write_statements
    from tsingma.margin.joint.allocation import Allocation
    from tsingma.margin.joint.requirement import JointSettings

    chosen, _ = books_of_file(books)
    written = write_statements(
        chosen, past_of_files(market), day.date() if day else None, JointSettings(level=level),
        Allocation(allocation), history_days, out, form, language,
    )  # fmt: skip
    names = [str(path) for path in written]
    click.echo(json.dumps(names, indent=1) if as_json else "\n".join(names))


@click.command(
    "what-if", epilog="\b\nExample:\n  tsingma margin what-if --prices P.csv --books B.csv --book A --add T.csv\n"
)
@_common
@click.option("--book", "name", help="Which book; the only one without it.")
@click.option("--day", type=_DAY, help="Day of the margin; the last of the history without it.")
@click.option("--add", required=True, type=FILE, help="Holdings that might come, in the layout of --books, one book.")
def what_if(
    market: MarketFiles, books: Path | None, level: str, name: str | None,
    day: datetime | None, add: Path, *, as_json: bool,
) -> None:  # fmt: skip
    """Show what more holdings would do to each house's margin and to the joint one."""
    from tsingma.app.joint_study import ask_what_if, book_named, books_of_file, past_of_files
    from tsingma.margin.joint.requirement import JointSettings

    chosen, file = books_of_file(books)
    extra, extra_file = books_of_file(add)
    found = ask_what_if(
        book_named(chosen, name, file), book_named(extra, None, extra_file), past_of_files(market),
        day.date() if day else None, JointSettings(level=level),
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), indent=2))
        return
    click.echo(f"{found.account} on {found.day}, HKD\n")
    for title, margin in (("before", found.before), ("after", found.after)):
        click.echo(f"{title}:\n{_houses_text(margin, 'euler')}")
    click.echo(f"houses alone {found.standalone_change:+,}; as called {found.called_change:+,}")


@click.command(epilog="\b\nExample:\n  tsingma margin backtest --prices P.csv --index HSI.csv --books B.csv --json\n")
@_common
@click.option("--every", type=click.IntRange(1, 250), default=1, show_default=True, help="Test every n-th day.")
@click.option("--allocation", default="euler", show_default=True, type=ALLOCATIONS)
@click.option("--by-product", is_flag=True, help="Each product at each house alone.")
def backtest(
    market: MarketFiles, books: Path | None, level: str, every: int, allocation: str, *, by_product: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Test every margin against the losses that came: cover, independence, traffic light, procyclicality."""
    from tsingma.app.joint_study import backtest_books, books_of_file, past_of_files
    from tsingma.margin.joint.allocation import Allocation
    from tsingma.margin.joint.requirement import JointSettings

    chosen, _ = books_of_file(books)
    past = past_of_files(market)
    rows = backtest_books(chosen, past, JointSettings(level=level), Allocation(allocation), every=every,
                          by_product=by_product)  # fmt: skip
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(rows), indent=1))
        return
    click.echo(f"{'book':<27}{'house':<12}{'margin':<8}{'days':>6}{'over':>6}{'cover':>9}{'Kupiec p':>10}"
               f"{'indep. p':>10}{'zone':>8}{'peak/trough':>13}")  # fmt: skip
    for row in rows:
        swing = f"{row.procyclicality.peak_to_trough:.2f}" if row.procyclicality else "-"
        click.echo(f"{row.book:<27}{row.house:<12}{row.margin:<8}{row.days:>6}{row.uncovered:>6}{row.coverage:>9.2%}"
                   f"{row.kupiec_p:>10.3f}{row.christoffersen_p:>10.3f}{row.zone:>8}{swing:>13}")  # fmt: skip


def _houses_text(margin: JointMargin, allocation: str) -> str:
    shares = next(each for each in margin.shares if each.allocation == allocation)
    lines = [f"  {'house':<12}{'alone':>16}{'saving':>16}{'credit given':>16}{'called':>16}"]
    lines += [
        f"  {each.house:<12}{each.standalone:>16,}{each.saving:>16,}{each.credit:>16,}{each.called:>16,}"
        for each in shares.houses
    ]
    total = sum(each.saving for each in shares.houses)
    given = sum(each.credit for each in shares.houses)
    lines.append(f"  {'all':<12}{margin.standalone:>16,}{total:>16,}{given:>16,}{shares.called:>16,}\n")
    return "\n".join(lines)


def _explanation_text(found: Explanation) -> str:
    margin = found.margin
    lines = [
        f"{found.account} on {found.day}, HKD; {margin.scenarios} scenarios, expected shortfall at {margin.level} "
        f"({margin.convention}), credit by {found.allocation}\n",
        _houses_text(margin, str(found.allocation)),
        f"  {'position':<34}{'notional':>16}{'component':>14}{'incremental':>14}{'marginal':>10}",
    ]
    for part in found.positions:
        name = f"{part.house} {part.product} {part.factor}"
        lines.append(
            f"  {name:<34}{part.notional:>16,}{part.component:>14,}{part.incremental:>14,}{part.marginal:>10.4f}"
        )
    lines.append("")
    lines += [f"  {one.house:<34}{'':>16}{one.component:>14,}{one.incremental:>14,}" for one in found.houses]
    lines.append("\n  worst scenarios, from the day each began")
    for one in found.tail:
        parts = ", ".join(f"{house} {value:,}" for house, value in one.by_house.items())
        lines.append(f"  {one.day}  {one.profit:>14,}  = {parts}")
    return "\n".join(lines)


def _change_text(change: DayChange) -> str:
    rows = [(f"called on {change.from_day}", change.before), ("positions", change.positions), ("time", change.time),
            ("market", change.market), ("parameters", change.parameters),
            (f"called on {change.to_day}", change.after)]  # fmt: skip
    return "\n".join([f"{change.account}, HKD", *(f"  {name:<24}{amount:>16,}" for name, amount in rows)])
