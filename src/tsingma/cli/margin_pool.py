"""``tsingma margin pool``: the cheapest allotment of one pool, what it saves, statements, a custodian's failure."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tsingma.cli.house import HOUSE
from tsingma.cli.margin_market import FILE

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_DAY = click.option("--day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Day of the rules.")
MILLION = 1_000_000


def _as_json(found: Any) -> None:
    import json

    import msgspec

    click.echo(json.dumps(msgspec.to_builtins(found, str_keys=True), indent=1))


@click.group(epilog="\b\nExample:\n  tsingma margin pool study --participants 10 --seed 1 --day 2026-01-05\n")
def pool() -> None:
    """Pledge once, allot to every house: cost, saving, statements, failures."""


@pool.command(epilog="\b\nExample:\n  tsingma margin pool allot --calls C.csv --assets A.csv --day 2026-01-05 --json\n")
@click.option("--calls", required=True, type=FILE, help="taker,call (CSV), whole HKD.")
@click.option("--assets", required=True, type=FILE, help="id,kind,value,cost (CSV): cost of pledging a year, decimal.")
@_DAY
@_JSON
def allot(calls: Path, assets: Path, day: datetime, *, as_json: bool) -> None:
    """Choose the cheapest allotment of one set of assets that covers every taker's call at once."""
    from tsingma.app.collateral_pool import allot as choose

    found = choose(calls, assets, day.date())
    if as_json:
        _as_json(found)
        return
    click.echo(f"{'taker':<14}{'asset':<24}{'allotted HKD':>18}{'counts for':>18}")
    for one in found.allotments:
        click.echo(f"{one.taker:<14}{one.asset:<24}{one.value:>18,}{one.lendable:>18,}")
    click.echo(f"\ncost a year HKD {found.cost_a_year:,}; HKD {found.free:,} of assets stay free")


@pool.command(epilog="\b\nExample:\n  tsingma margin pool study --participants 10 --seed 1 --day 2026-01-05\n")
@click.option("--participants", "count", type=click.IntRange(1, 500), default=10, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--borrowing", type=click.FloatRange(0, 1), default=0.035, show_default=True,
              help="What money borrowed for a call costs a year.")  # fmt: skip
@_DAY
@_JSON
def study(count: int, seed: int, borrowing: float, day: datetime, *, as_json: bool) -> None:
    """Hold one pool against separate pools, on invented participants: cost, money borrowed, what a failure breaks."""
    from tsingma.app.collateral_pool import study as ask

    found = ask(seed, count, day.date(), borrowing)
    if as_json:
        _as_json(found)
        return
    click.echo("HKD millions; cost a year")
    click.echo(f"{'':<6}{'called':>10}{'separate':>10}{'pool':>10}{'borrowed':>12}{'pool':>10}{'free':>12}{'pool':>10}")
    for one in found.participants:
        cells = (one.called, one.cost_separate, one.cost_pool, one.borrowed_separate, one.borrowed_pool,
                 one.free_separate, one.free_pool)  # fmt: skip
        click.echo(f"{one.name:<6}{_millions(cells, (10, 10, 10, 12, 10, 12, 10))}")
    click.echo(f"one pool saves HKD {found.saving / MILLION:,.1f} m a year, {100 * found.saving_part:.0f} %")
    for onward in found.reuses:
        figures = f"lodges {onward.lodged / MILLION:,.1f}, {onward.reused / MILLION:,.1f} of it reused"
        click.echo(f"{onward.house} with {onward.other}: {figures}, saving {onward.saving / MILLION:,.1f} a year")
    click.echo(f"\n{'if this custodian fails':<26}{'out of reach':>14}{'to borrow, separate':>22}{'one pool':>12}")
    for lost in found.failures:
        borrowed = (lost.lost, lost.borrowed_separate, lost.borrowed_pool)
        click.echo(f"{lost.custodian:<26}{_millions(borrowed, (14, 22, 12))}")


def _millions(values: tuple[int, ...], widths: tuple[int, ...]) -> str:
    return "".join(f"{value / MILLION + 0.0:>{width},.1f}" for value, width in zip(values, widths, strict=True))


@pool.command(epilog="\b\nExample:\n  tsingma margin pool statement --house out/house --participant B00002 --json\n")
@HOUSE
@click.option("--participant", help="Code of a participant; all without it.")
@_JSON
def statement(house: Path | str, participant: str | None, *, as_json: bool) -> None:
    """Print the triparty statement of a house's pool: who holds what, at what haircut, for which call."""
    from tsingma.app.collateral_pool import account_names, pool_statement

    found = pool_statement(house, participant)
    if as_json:
        _as_json(found)
        return
    names = account_names(house)
    click.echo(f"{'account':<20}{'taker':<26}{'kind':<16}{'at':<10}{'market HKD':>18}{'haircut':>9}{'counts for':>18}")
    for line in found.lines:
        chain = " > ".join(line.chain)
        market, lendable = line.market_cents / 100, line.lendable_cents / 100
        click.echo(
            f"{names[line.account]:<20}{chain:<26}{line.kind:<16}{line.custodian:<10}{market:>18,.2f}"
            f"{line.haircut_e4 / 100:>8.2f}%{lendable:>18,.2f}"
        )
    for taker in found.takers:
        called, covered, short = (cents / 100 for cents in (taker.called_cents, taker.covered_cents, taker.short_cents))
        figures = f"called {called:,.2f}, covered {covered:,.2f}, short {short:,.2f}"
        click.echo(f"{names[taker.account]:<20}{taker.taker:<14}{figures}")


@pool.command(epilog="\b\nExample:\n  tsingma margin pool fail --house out/house --custodian CMU --json\n")
@HOUSE
@click.option("--custodian", required=True, help="Who holds what cannot be reached.")
@_JSON
def fail(house: Path | str, custodian: str, *, as_json: bool) -> None:
    """Say which calls and lodgements are uncovered when what a custodian holds cannot be reached."""
    from tsingma.app.collateral_pool import account_names, custodian_failure

    found = custodian_failure(house, custodian)
    if as_json:
        import msgspec

        accounts = [[*key, cents] for key, cents in found.accounts.items()]
        houses = [[*key, cents] for key, cents in found.houses.items()]
        _as_json(msgspec.structs.asdict(found) | {"accounts": accounts, "houses": houses})
        return
    names = account_names(house)
    click.echo(f"{found.custodian}: HKD {found.unreachable_cents / 100:,.2f} out of reach")
    for (account, taker), cents in found.accounts.items():
        click.echo(f"  {names[account]} at {taker}: HKD {cents / 100:,.2f} uncovered")
    for (lender, other), cents in found.houses.items():
        click.echo(f"  {lender} at {other}: HKD {cents / 100:,.2f} uncovered")
    click.echo(f"  the same assets counted for HKD {found.reused_cents / 100:,.2f} a second or third time")
