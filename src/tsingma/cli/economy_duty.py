"""``tsingma economy duty``: ad valorem stamp duty on one property, or the edges of the schedule of a day."""

from __future__ import annotations

from datetime import datetime

import click


@click.command(
    epilog="\b\nExample:\n  tsingma economy duty --price 12000000 --date 2026-03-01 --kind residential --json\n"
)
@click.option("--price", help="Consideration or value in HKD, whichever is larger; the schedule's edges without it.")
@click.option("--date", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Date of the first agreement.")
@click.option("--kind", required=True, type=click.Choice(["residential", "other"]))
@click.option("--conveyance", is_flag=True, help="A conveyance that follows an agreement on which duty was paid.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def duty(price: str | None, day: datetime, kind: str, *, conveyance: bool, as_json: bool) -> None:
    """Print the duty on one price, rounded up to the dollar; without a price, every edge of the day's schedule."""
    import msgspec

    from tsingma.basics.money import Amount
    from tsingma.basics.rounding import parse_scaled
    from tsingma.economy.property.duty import PropertyKind, notches
    from tsingma.economy.property.duty import duty as duty_on

    asked = PropertyKind(kind)
    if price is None:
        edges = notches(day.date(), asked)
        if as_json:
            click.echo(msgspec.json.encode({"notches": edges}).decode())
            return
        click.echo(f"{'edge HKD':>14}{'duty HKD':>12}{'a cent above':>14}{'% below':>9}{'% above':>9}")
        for edge in edges:
            below, above = edge.marginal_below_bp / 100, edge.marginal_above_bp / 100
            click.echo(
                f"{edge.edge_hkd:>14,}{edge.duty_hkd:>12,}{edge.duty_a_cent_above_hkd:>14,}{below:>9.2f}{above:>9.2f}"
            )
        return
    found = duty_on(parse_scaled(price, 2, field="--price"), day.date(), asked, duty_paid_on_agreement=conveyance)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    upper = f"to {found.up_to_hkd:,}" if found.up_to_hkd else "and more"
    click.echo(f"price   {Amount(found.price_cents, 'HKD')}")
    click.echo(f"duty    HKD {found.duty_hkd:,}  ({found.average_bp / 100:.2f} % of the price)")
    click.echo(f"band    above {found.above_hkd:,} {upper}, {found.marginal_bp / 100:.2f} % of the next dollar")
    click.echo(f"source  {found.source}, in force from {found.valid_from}")
