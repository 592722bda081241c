"""``tsingma links``: rule files of links between markets - write, check, show a calendar, run quota through a day."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tsingma.cli.lazy import LazyGroup

if TYPE_CHECKING:
    from tsingma.app.link_day import LinkDay

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(
    cls=LazyGroup,
    lazy={"run": ("tsingma.cli.links_run", "run", "Run a link's whole simulated day from its rule file.")},
    epilog="\b\nExample:\n  tsingma links check\n  tsingma links day stock-connect-shanghai --share 0.9\n",
)
def links() -> None:
    """Links between markets: every Connect is a rule file."""


@links.command(epilog="\b\nExample:\n  tsingma links new asean-connect --out asean-connect.toml\n")
@click.argument("name")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write (default: NAME.toml).")
def new(name: str, out: Path | None) -> None:
    """Write a rule file to be filled in; `links check` says what is still open."""
    from tsingma.app.link_rules import write_skeleton

    path = out or Path(f"{name}.toml")
    write_skeleton(path, name)
    click.echo(f"{path}: replace every question mark, then run: tsingma links check {path}")


@links.command(epilog="\b\nExample:\n  tsingma links check asean-connect.toml\n  tsingma links check\n")
@click.argument("link", nargs=-1)
@_JSON
def check(link: tuple[str, ...], *, as_json: bool) -> int:
    """Say every fault of rule files (or of links by name; none: all that ship), with line, field and remedy."""
    import msgspec

    from tsingma.app.link_rules import LinkSummary, find_rules, summarise, summarise_all
    from tsingma.basics.rejection import Rejected, Rejection

    found: list[LinkSummary] = [] if link else summarise_all()
    faults: list[Rejection] = []
    for one in link:
        try:
            found.append(summarise(find_rules(one)))
        except Rejected as rejected:
            faults.extend(rejected.rejections)
    if as_json:
        click.echo(msgspec.json.encode({"links": found, "faults": faults}).decode())
        return 2 if faults else 0
    for summary in found:
        click.echo(
            f"{summary.link}: valid, {summary.status}, {', '.join(summary.directions)}; "
            f"{summary.rows} dated rows, {summary.assumed} of them assumed"
        )
        for text in summary.assumptions if link else ():
            click.echo(f"  assumes: {text}")
    for fault in faults:
        click.echo(f"refused: {fault}", err=True)
    return 2 if faults else 0


@links.command(
    epilog="\b\nExample:\n  tsingma links calendar stock-connect-shanghai --direction northbound --year 2026\n"
)
@click.argument("link")
@click.option("--direction", default="northbound", show_default=True)
@click.option("--year", type=click.IntRange(1990, 2100), default=2026, show_default=True)
@_JSON
def calendar(link: str, direction: str, year: int, *, as_json: bool) -> None:
    """Show on how many days a direction trades, every day only one side is open, and the eves of its holidays."""
    import msgspec

    from tsingma.app.link_rules import find_rules, link_calendar

    found = link_calendar(find_rules(link), direction, year)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    click.echo(f"{found.link} {found.direction} {found.year}: {found.trading_days} trading days")
    for one in found.mismatches:
        click.echo(f"{one.day}  open {', '.join(one.open)}, closed {', '.join(one.closed)}  {one.reason}")
    for eve, holiday in found.holiday_eves:
        click.echo(f"{eve}  last settlement day before the holiday of {holiday}")


@links.command(
    epilog="\b\nExample:\n  tsingma links day stock-connect-shanghai --date 2026-01-05 --share 0.9 --seed 1\n"
)
@click.argument("link")
@click.option("--direction", default="northbound", show_default=True)
@click.option("--date", "day", default="2026-01-05", show_default=True, type=_DAY, help="Trading day.")
@click.option("--orders", type=_FILE, help="Messages of orders, or flows (CSV); without it they are simulated.")
@click.option("--holdings", type=_FILE, help="What was held before the open (CSV).")
@click.option("--accounts", type=_FILE, help="Segregated accounts and their designated brokers (CSV).")
@click.option("--clients", type=_FILE, help="Client ids mapped in time (CSV); without it all that appear are.")
@click.option(
    "--fx", default="0", help="Rate where quota and orders differ in currency, for example 0.92 CNY for one HKD."
)
@click.option("--seed", default=1, show_default=True, help="Of the simulated flow.")
@click.option("--count", default=50_000, show_default=True, help="Simulated orders or flows.")
@click.option("--value", default=100_000_000_000, show_default=True, help="Their value in all, whole currency units.")
@click.option("--share", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Buys, or what goes out.")
@_JSON
def day(
    link: str, direction: str, day: datetime, orders: Path | None, holdings: Path | None, accounts: Path | None,
    clients: Path | None, fx: str, seed: int, count: int, value: int, share: float, *, as_json: bool,
) -> None:  # fmt: skip
    """Show a link's quota through a day, and what is refused."""
    import msgspec

    from tsingma.app.link_day import LinkDaySource, show_day
    from tsingma.app.link_rules import find_rules
    from tsingma.basics.rounding import parse_scaled

    rate = parse_scaled(fx, 6, field="--fx")
    source = LinkDaySource(
        orders=orders, holdings=holdings, accounts=accounts, clients=clients, fx_e6=rate, seed=seed, count=count,
        value=value, share=share,
    )  # fmt: skip
    found = show_day(find_rules(link), direction, day.date(), source)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        _print_day(found)


def _print_day(found: LinkDay) -> None:
    """Print a day as a table in millions of the currency, refusals beside the half hour in which they were."""
    quotas = ", ".join(f"{kind} {_millions(cents)}" for kind, cents in found.quota_cents.items()) or "no quota"
    click.echo(f"{found.link} {found.direction} {found.date}, {found.source}; {found.currency} million: {quotas}")
    nets = found.quota_cents.keys() <= {"daily-net-buy"}
    names = list(found.moments[0].left_cents) if found.moments else []
    heads = ["balance", "buy orders", "sell trades", "adjustments"] if nets else names
    click.echo("time    " + "".join(f"{head:>{max(14, len(head) + 2)}}" for head in heads) + "  refused")
    for one in found.moments:
        cells = [one.left_cents[name] for name in names]
        cells += [one.buy_orders_cents, one.sell_trades_cents, one.adjustments_cents] if nets else []
        refused = ", ".join(f"{count:,} {word}" for word, count in one.refused.items())
        shown = "".join(f"{_millions(c):>{max(14, len(h) + 2)}}" for c, h in zip(cells, heads, strict=True))
        click.echo(f"{one.time:<8}{shown}  {refused}{' (closed to buys)' if one.closed else ''}".rstrip())
    refused = ", ".join(f"{count:,} {word}" for word, count in found.refused.items()) or "none"
    unsent = f", {found.unsent:,} on orders refused before" if found.unsent else ""
    click.echo(f"{found.messages:,} messages, {found.accepted:,} accepted{unsent}; refused: {refused}")
    for text in found.samples[:3]:
        click.echo(f"  {text}")


def _millions(cents: int) -> str:
    """Return cents as millions with two decimals, towards zero."""
    sign, whole = ("-" if cents < 0 else ""), abs(cents) // 1_000_000
    return f"{sign}{whole // 100:,}.{whole % 100:02d}"
