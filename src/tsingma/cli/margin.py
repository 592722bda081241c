"""The ``margin`` commands: the HKSCC margin of a portfolio, and parameter files from prices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tsingma.cli.lazy import LazyGroup

if TYPE_CHECKING:
    from tsingma.margin.hkscc.explanation import Explanation
    from tsingma.margin.hkscc.requirement import ExplainedMargin

_SUBCOMMANDS: dict[str, tuple[str, str, str]] = {
    "arrays": ("tsingma.cli.margin_arrays", "arrays", "Scenario losses of futures and options series (PRiME)."),
    "auction": ("tsingma.cli.margin_default", "auction", "Auction a defaulter's book."),
    "backtest": ("tsingma.cli.margin_questions", "backtest", "Test margins against the losses that came."),
    "calls": ("tsingma.cli.margin_calls", "calls", "Margin calls of a day: who brings what, by when."),
    "close-out": ("tsingma.cli.margin_default", "close_out", "Share a joint close-out between houses."),
    "collateral": ("tsingma.cli.margin_default", "collateral", "The cheapest collateral that covers a call."),
    "contagion": ("tsingma.cli.margin_default", "contagion", "Who can pay whom, and who falls in which round."),
    "curves": ("tsingma.cli.margin_curves", "curves", "Zero curves by day from deposits and par swaps."),
    "disclosure": ("tsingma.cli.margin_disclosure", "disclosure", "Public quantitative disclosure as CSV."),
    "explain": ("tsingma.cli.margin_questions", "explain", "What a margin is made of, or why it changed."),
    "fund": ("tsingma.cli.margin_fund", "fund", "Size a default fund; run a default through the waterfall."),
    "house": ("tsingma.cli.margin_house", "house", "What each house calls alone, swaps and bonds among it."),
    "statements": ("tsingma.cli.margin_questions", "statements", "A margin statement for every book, with pictures."),
    "what-if": ("tsingma.cli.margin_questions", "what_if", "What more holdings would do to the margin."),
    "joint": ("tsingma.cli.margin_joint", "joint", "One portfolio across clearing houses."),
    "pool": ("tsingma.cli.margin_pool", "pool", "One pool of collateral for every house."),
    "prime": ("tsingma.cli.margin_prime", "prime", "Futures and options margin from a SPAN file (PRiME)."),
    "parameters": ("tsingma.cli.margin_parameters", "parameters", "Build a parameter file from prices."),
}
_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.group(
    cls=LazyGroup,
    lazy=_SUBCOMMANDS,
    epilog="\b\nExample:\n  tsingma margin hkscc --parameters RPF01.csv --positions P.csv --participant C.toml",
)
def margin() -> None:
    """Margin of a portfolio, and parameter files from prices."""


@margin.command(
    epilog="\b\nExample:\n  tsingma margin hkscc --parameters RPF01.csv --positions P.csv --participant C.toml --json"
)
@click.option("--parameters", required=True, type=_FILE, help="Risk parameter file of the day (RPF01, CSV).")
@click.option(
    "--positions",
    required=True,
    type=_FILE,
    help="Netted positions: instrument,quantity,contract_value,market_value in whole HKD (CSV).",
)
@click.option("--participant", required=True, type=_FILE, help="Terms of the participant (TOML).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, integers in HKD.")
@click.option("--explain", is_flag=True, help="Show what every figure is made of.")
def hkscc(parameters: Path, positions: Path, participant: Path, as_json: bool, explain: bool) -> None:
    """Margin of a Hong Kong cash-equity portfolio (HKSCC VaR model)."""
    from tsingma.app.hkscc_margin import margin_of_files

    explained = margin_of_files(parameters, positions, participant)
    if as_json:
        figures = msgspec.structs.asdict(explained.result)
        if explain:
            figures["explain"] = explained.explanation.to_dict()
        click.echo(json.dumps(figures, indent=2))
        return
    _print_table(explained)
    if explain:
        _print_tree(explained.explanation)


def _print_table(explained: ExplainedMargin) -> None:
    from rich.console import Console
    from rich.table import Table

    inputs = dict(explained.explanation.inputs)
    table = Table(title=f"HKSCC margin, parameters {inputs['parameters']} of {inputs['valuation date']}")
    table.add_column("component")
    table.add_column("HKD", justify="right")
    for name, amount in msgspec.structs.asdict(explained.result).items():
        strong = name in ("aggregate", "rounded", "net_margin_after_credit", "total")
        table.add_row(name, f"{amount:,}", style="bold" if strong else "", end_section=name == "holiday_addon")
    Console().print(table)


def _print_tree(node: Explanation, depth: int = 0) -> None:
    from tsingma.margin.hkscc.explanation import plain

    amount = plain(node.amount)
    text = f"{amount:,}" if isinstance(amount, int) else amount
    indent = "  " * depth
    click.echo(f"{indent}{node.component}: {text}" + (f"  = {node.formula}" if node.formula else ""))
    for name, value in node.inputs:
        click.echo(f"{indent}  . {name}: {value}")
    for scenario in node.tail:
        label = f" ({scenario.label})" if scenario.label else ""
        click.echo(f"{indent}  . worst scenario {scenario.index}{label}: {scenario.profit_hkd:,}")
    for part in node.parts:
        _print_tree(part, depth + 1)
