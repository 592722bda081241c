"""``tsingma fees``: every charge on one side of a trade, by date, with its source."""

from __future__ import annotations

from datetime import datetime

import click

_KINDS = ["equity", "etf", "reit", "warrant", "cbbc", "right", "fund"]
_EPILOG = """\b
Example:
  tsingma fees --amount 1000000 --side buy --date 2026-01-05
  tsingma fees --amount 250000 --side sell --market XSHG --currency CNY --fx 1.08 --date 2026-01-05 --json
"""


@click.command(epilog=_EPILOG)
@click.option("--amount", required=True, help="Consideration in the trading currency, for example 1000000 or 99.95.")
@click.option("--side", required=True, type=click.Choice(["buy", "sell"]))
@click.option("--date", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Trade date.")
@click.option("--kind", default="equity", show_default=True, type=click.Choice(_KINDS))
@click.option("--market", default="XHKG", show_default=True, type=click.Choice(["XHKG", "XSHG", "XSHE"]))
@click.option("--currency", default="HKD", show_default=True, help="Trading currency.")
@click.option("--fx", default="1", show_default=True, help="HKD per unit of the currency, the day's stamp-duty rate.")
@click.option("--market-maker", is_flag=True, help="An exempt market maker's trade.")
@click.option("--crossed", is_flag=True, help="Both sides at one participant.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def fees(
    amount: str,
    side: str,
    day: datetime,
    kind: str,
    market: str,
    currency: str,
    fx: str,
    *,
    market_maker: bool,
    crossed: bool,
    as_json: bool,
) -> int:
    """Print the charge lines of one side of one trade, each rounded as its rule says."""
    import msgspec

    from tsingma.basics.money import Amount
    from tsingma.basics.rounding import parse_scaled
    from tsingma.reference.book import InstrumentKind, Market
    from tsingma.reference.fees import charges

    lines = charges(
        market=Market(market),
        kind=InstrumentKind(kind),
        side=side,
        amount_cents=parse_scaled(amount, 2, field="--amount"),
        currency=currency,
        day=day.date(),
        fx_e6=parse_scaled(fx, 6, field="--fx"),
        market_maker=market_maker,
        crossed=crossed,
    )
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.currency] = totals.get(line.currency, 0) + line.amount_cents
    if as_json:
        click.echo(msgspec.json.encode({"lines": lines, "total_cents": totals}).decode())
        return 0
    for line in lines:
        click.echo(f"{line.name:<28}{Amount(line.amount_cents, line.currency)!s:>18}   {line.rate_e9 / 1e7:.5f} %")
    for unit, cents in totals.items():
        click.echo(f"{'total':<28}{Amount(cents, unit)!s:>18}")
    return 0
