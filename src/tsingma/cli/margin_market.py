"""The options that say where a market's past is, shared by every command on books."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
ALLOCATIONS = click.Choice(["pro-rata", "equal-percentage", "euler", "shapley"])

_OPTIONS = (
    click.option("--prices", type=FILE, help="Closes by day and counter (CSV, may be gzip)."),
    click.option("--index", type=FILE, help="Closes of the index (date,open,close,volume)."),
    click.option("--fx", type=FILE, help="Closes of the renminbi against the US dollar (same layout)."),
    click.option("--series", multiple=True, metavar="NAME=FILE",
                 help="Closes of another series (same layout), such as XAUUSD=gold.csv."),
    click.option("--curves", type=FILE, help="Zero rates by day: date,curve,tenor,rate (CSV)."),
    click.option("--contracts", type=FILE, help="Terms of swaps, bonds and bond futures (CSV)."),
    click.option("--books", type=FILE, help="Books of holdings (CSV); the stylised ones without it."),
)  # fmt: skip


def with_market(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a market's files; it gets them as ``market`` (MarketFiles) and ``books``."""

    @functools.wraps(command)
    def run(**given: Any) -> Any:
        from tsingma.app.joint_study import MarketFiles

        market = MarketFiles(
            prices=given.pop("prices"), index=given.pop("index"), fx=given.pop("fx"),
            series=tuple(_named(text) for text in given.pop("series")), curves=given.pop("curves"),
            contracts=given.pop("contracts"),
        )  # fmt: skip
        return command(market=market, **given)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run


def _named(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not name or not Path(path).is_file():
        raise click.BadParameter(f"'{text}': write NAME=FILE, a file that exists", param_hint="--series")
    return name, Path(path)
