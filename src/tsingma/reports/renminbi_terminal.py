"""A renminbi day as lines of a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from tsingma.reports.renminbi_figures import Flow, RenminbiFigures


def summary(found: RenminbiFigures) -> list[str]:
    """Return the lines of the day."""
    coupon, exchange = found.coupon, found.exchange
    paid = ", ".join(f"{who} CNY {_money(cents)}" for who, cents in coupon.paid_cents.items())
    before, during, after = (_money(cents) for cents in exchange.covered_cents)
    outcome = "; ".join(found.faults) or "nothing amiss"
    return [
        f"A renminbi day - {found.link}, {found.day}; orders, firms and bonds are invented",
        "",
        *(line for flow in found.flows for line in _flow(flow)),
        "margin lodged: " + ", ".join(f"{who} HKD {_money(cents)}" for who, cents in found.lodged_hkd_cents.items()),
        f"coupon of {coupon.name} on {coupon.day}: {paid}; {coupon.pledged_units:,} of the bonds were pledged",
        f"substitution at {exchange.taker}, call HKD {_money(exchange.called_cents)}: {exchange.come} in, then "
        f"{exchange.gone} back; covered {before}, then {during}, then {after}",
        *(f"token: {line}" for line in found.token_lines),
        f"token ledger and book compared on {found.token_days_compared} days: {found.token_breaks} breaks",
        f"{found.proved} records proved: {outcome}",
    ]


def _flow(flow: Flow) -> list[str]:
    money = flow.currency
    return [
        f"{flow.direction:<11} {flow.orders} orders, {flow.trades} trades: bought {money} {_money(flow.bought_cents)}, "
        f"sold {_money(flow.sold_cents)}, net {_money(flow.net_buy_cents)}; quota left {_money(flow.quota_left_cents)}",
        f"{'':<11} charges {_amounts(flow.charges_cents)}; exchanged {_amounts(flow.converted_cents)}",
    ]


def _amounts(cents: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {_money(value)}" for name, value in cents.items()) or "nothing"


def _money(cents: int) -> str:
    sign, whole = ("-" if cents < 0 else ""), abs(cents)
    return f"{sign}{whole // 100:,}.{whole % 100:02d}"
