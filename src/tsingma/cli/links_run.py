"""``tsingma links run``: a link's whole simulated day from its rule file, to the proof of its journal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tsingma.app.link_figures import DirectionFigures, LinkRun

_EPILOG = """\b
Example:
  tsingma links run commodity-connect
  tsingma links run asean.toml --date 2026-03-02 --orders 200 --seed 7 --json
"""


@click.command(epilog=_EPILOG)
@click.argument("link")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Trading day; the first on which all trade.")
@click.option("--orders", default=40, show_default=True, help="Orders for each product of each direction.")
@click.option("--seed", default=1, show_default=True, help="Of firms, prices and orders.")
@click.option("--fail", is_flag=True, help="Leave the sellers of the first direction without stock.")
@click.option("--house", type=click.Path(file_okay=False, path_type=Path), help="Keep the journal in this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def run(
    link: str, day: datetime | None, orders: int, seed: int, house: Path | None, *, fail: bool, as_json: bool
) -> int:
    """Run a link (a rule file, or the name of one that ships) for a day: trades, margin, settlement, chain, proof."""
    import msgspec

    from tsingma.app.link_rules import find_rules
    from tsingma.app.link_run import run_link
    from tsingma.app.session import Session

    session = None if house is None else Session.open(house)
    found = run_link(
        find_rules(link), day=None if day is None else day.date(), seed=seed, orders=orders, fail=fail, session=session
    )
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        _print(found)
    return 1 if found.faults else 0


def _print(found: LinkRun) -> None:
    click.echo(f"{found.title} ({found.link}), {found.status}, {found.day}; {found.simulated}")
    for text in found.assumptions:
        click.echo(f"  assumes: {text}")
    for text in found.left_out:
        click.echo(f"  left out: {text}")
    for one in found.directions:
        _print_direction(one)
    lodged = ", ".join(f"{name} {_money(cents)}" for name, cents in found.lodged_at_close_cents.items()) or "none"
    click.echo(f"margin when trading stopped: HKD {_money(found.margin_at_close_hkd_cents)} called; lodged: {lodged}")
    for row in found.days:
        click.echo(
            f"{row['day']}  stock settled {row['stock_settled']:,}, open {row['stock_open']:,}; "
            f"trade for trade {row['instructions_settled']:,}, failing {row['instructions_failing']:,}; "
            f"failed positions {row['failed_positions']:,}; "
            f"margin HKD {_money(int(str(row['margin_called_HKD_cents'])))}"
        )
    for place, marks in enumerate(found.futures, 1):
        text = ", ".join(f"{name.replace('_', ' ')} {_money(int(str(cents)))}" for name, cents in marks.items())
        click.echo(f"futures, mark {place}: {text or 'nothing moved'}")
    for row in found.swaps:
        text = ", ".join(
            f"{name.replace('_', ' ')} {_money(int(str(cents)))}" for name, cents in row.items() if name != "day"
        )
        click.echo(f"swaps, {row['day']}: {text or 'nothing moved'}")
    click.echo("nominee chain                 holders         units  account, in whose books")
    for row in found.chains:
        ledger = " (the ledger)" if row["in_the_ledger"] else ""
        click.echo(
            f"{str(row['direction'])[:14]:<15}{str(row['holder'])[:14]:<15}{row['holders']:>7,}{row['units']:>14,}  "
            f"{row['account']}, {row['books_of']}{ledger}"
        )
    proved = "proved" if not found.faults else "; ".join(found.faults)
    click.echo(f"{found.records} records {proved}, state {found.state_hash[:16]}")


def _print_direction(one: DirectionFigures) -> None:
    refused = ", ".join(f"{count} {word}" for word, count in one.refused.items()) or "none"
    click.echo(f"{one.direction}: {one.settles}; margin {one.margin}{'; ' + one.note if one.note else ''}")
    click.echo(
        f"  {one.orders} orders, refused: {refused}; {one.trades} trades, bought {one.currency} "
        f"{_money(one.bought_cents)}, sold {_money(one.sold_cents)}, net {_money(one.net_buy_cents)}"
    )
    if one.charges_cents:
        click.echo("  charges: " + ", ".join(f"{unit} {_money(cents)}" for unit, cents in one.charges_cents.items()))
    for kind, cents in one.quota_left_cents.items():
        click.echo(f"  quota left, {kind}: {_money(cents)}")
    if one.prefunded_cents:
        click.echo(
            "  prefunded: " + ", ".join(f"{name} {_money(cents)}" for name, cents in one.prefunded_cents.items())
        )
    for name, cents in one.converted_cents.items():
        click.echo(f"  converted: {name} {_money(cents)}")
    for step in one.steps:
        figures = {name: value for name, value in step.items() if name not in ("day", "step")}
        text = ", ".join(
            f"{name.removesuffix('_cents').replace('_', ' ')} "
            f"{_money(int(str(value))) if name.endswith('_cents') else value}"
            for name, value in figures.items()
        )
        click.echo(f"  {step['day']} {step['step']}: {text}")


def _money(cents: int) -> str:
    sign, whole = ("-" if cents < 0 else ""), abs(cents)
    return f"{sign}{whole // 100:,}.{whole % 100:02d}"
