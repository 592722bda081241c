"""``tsingma margin collateral``, ``close-out``, ``auction`` and ``contagion``: what stands behind a call."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from tsingma.cli.margin_market import FILE

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, whole HKD.")


def _as_json(found: Any) -> None:
    click.echo(json.dumps(msgspec.to_builtins(found), indent=1))


@click.command(
    epilog="\b\nExample:\n  tsingma margin collateral --house HKCC --call 8000000 --assets A.csv --day 2026-01-05\n"
)
@click.option("--house", required=True, help="HKSCC, HKCC, SEOCH or 'OTC Clear'.")
@click.option("--call", required=True, type=click.IntRange(0), help="Whole HKD to cover.")
@click.option("--assets", required=True, type=FILE, help="id,kind,value,cost (CSV): cost of pledging a year, decimal.")
@click.option("--day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Day of the rules.")
@_JSON
def collateral(house: str, call: int, assets: Path, day: datetime, *, as_json: bool) -> None:
    """Choose the cheapest assets that cover a call under a house's haircuts, cash minimum and ceilings."""
    from tsingma.app.margin_default import collateral_for

    found = collateral_for(house, call, assets, day.date())
    if as_json:
        _as_json(found)
        return
    click.echo(f"{found.house}: HKD {found.call:,} is covered by HKD {found.lendable:,} after haircut\n")
    click.echo(f"{'asset':<24}{'pledged':>18}{'counts for':>18}")
    for pledge in found.pledges:
        click.echo(f"{pledge.asset:<24}{pledge.value:>18,}{pledge.lendable:>18,}")
    click.echo(f"\ncost a year: HKD {found.cost_a_year:,}")


@click.command("close-out", epilog="\b\nExample:\n  tsingma margin close-out --houses H.csv --sharing margin-share\n")
@click.option("--houses", required=True, type=FILE, help="house,margin,profit,credit (CSV): profit of closing out.")
@click.option("--sharing", default="margin-share", show_default=True,
              type=click.Choice(["margin-share", "capped-guarantee"]))  # fmt: skip
@_JSON
def close_out(houses: Path, sharing: str, *, as_json: bool) -> None:
    """Share the result of a joint close-out of a defaulter between the houses."""
    from tsingma.app.margin_default import close_out_of
    from tsingma.margin.joint.close_out import Sharing

    found = close_out_of(houses, Sharing(sharing))
    if as_json:
        _as_json(found)
        return
    click.echo(f"{'house':<14}{'on its own':>18}{'receives':>18}{'result':>18}")
    for one in found:
        click.echo(f"{one.house:<14}{one.own:>18,}{one.transfer:>18,}{one.result:>18,}")
    click.echo(f"{'all':<14}{sum(one.own for one in found):>18,}{0:>18,}{sum(one.result for one in found):>18,}")


@click.command(epilog="\b\nExample:\n  tsingma margin auction --lots L.csv --bids B.csv\n")
@click.option("--lots", required=True, type=FILE, help="lot,reserve,must_bid (CSV): names parted by |.")
@click.option("--bids", required=True, type=FILE, help="lot,bidder,amount (CSV): minus is paid by the house.")
@_JSON
def auction(lots: Path, bids: Path, *, as_json: bool) -> None:
    """Auction a defaulter's book lot by lot: best valid bid, and who had to bid and did not."""
    from tsingma.app.margin_default import auction_of

    found = auction_of(lots, bids)
    if as_json:
        _as_json(found)
        return
    for one in found:
        result = f"{one.winner} at {one.amount:,}" if one.winner else "not sold"
        absent = f"; did not bid: {', '.join(one.absent)}" if one.absent else ""
        click.echo(f"{one.lot:<16}{result}{absent}")


@click.command(epilog="\b\nExample:\n  tsingma margin contagion --members M.csv --debts D.csv --recovery-assets 0.5\n")
@click.option("--members", required=True, type=FILE, help="member,assets,debts_outside (CSV).")
@click.option("--debts", required=True, type=FILE, help="debtor,creditor,amount (CSV).")
@click.option("--recovery-assets", default=1.0, show_default=True, type=float, help="Of a defaulter's assets.")
@click.option("--recovery-claims", default=1.0, show_default=True, type=float, help="Of its claims on others.")
@_JSON
def contagion(members: Path, debts: Path, recovery_assets: float, recovery_claims: float, *, as_json: bool) -> None:
    """Find who can pay whom when debts are cleared (Eisenberg-Noe), and who falls in which round."""
    from tsingma.app.margin_default import contagion_of

    found = contagion_of(members, debts, recovery_assets, recovery_claims)
    if as_json:
        _as_json(found)
        return
    click.echo(f"{'member':<20}{'owes':>18}{'pays':>18}  default")
    for one in found:
        fallen = f"round {one.default_round}" if one.default_round else "none"
        click.echo(f"{one.member:<20}{one.owed:>18,}{one.paid:>18,}  {fallen}")
