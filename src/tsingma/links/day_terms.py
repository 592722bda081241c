"""From a rule file to one day's terms: quotas, sessions and checks in force, as figures the engine takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from itertools import pairwise

from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import MINOR_SCALE
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.journal.link_order_commands import LinkDayTerms, QuotaTerm, SessionTerm
from tsingma.links.eligibility import tradable
from tsingma.links.rule_rows import AtZero, Direction, LinkRules, QuotaKind, QuotaRow, SessionKind, SessionRow, rows_on
from tsingma.links.sessions import in_force, sessions_on, trading_days
from tsingma.reference.fees import FX_SCALE_E6

QUOTA_MAX_CENTS = 10**16


def direction_of(rules: LinkRules, name: str) -> Direction:
    """Return a direction by name; raises Rejected (unknown) naming those there are."""
    found = rules.direction(name)
    if found is None:
        remedy = f"one of {', '.join(one.name for one in rules.directions)}"
        raise refuse(
            RejectionReason.UNKNOWN, f"{rules.name} has no direction '{name}'", field="direction", remedy=remedy
        )
    return found


def day_terms(
    rules: LinkRules, name: str, day: date, counters: Mapping[str, int] | None = None, *, fx_e6: int = 0
) -> LinkDayTerms:  # fmt: skip
    """Return the terms of one direction on one day; ``counters`` are the indices of counter codes in the book.

    ``fx_e6`` is what a unit of the currency of orders is worth in that of the net-buy quota x 1,000,000; it is needed
    where they differ (Southbound orders are in Hong Kong dollars, the quota in renminbi). The quota is converted once,
    down to the cent. Raises Rejected: unknown direction, a day on which it does not trade (not-allowed), a missing
    rate, or beyond a table.
    """
    direction = direction_of(rules, name)
    if not trading_days(rules, direction, day, day):
        row = in_force(direction.days, day, what=f"days of {rules.name} {name}")
        message = f"{rules.name} {name} does not trade on {day}"
        remedy = f"it trades when {' and '.join(row.trades_when)} are open"
        raise refuse(RejectionReason.NOT_ALLOWED, message, field="date", remedy=remedy)
    if direction.quota_of:
        message = f"{rules.name} {name} shares quota and routing of {direction.quota_of}"
        raise refuse(RejectionReason.NOT_ALLOWED, message, field="direction", remedy="route its orders over that link")
    quotas = rows_on(direction.quotas, day)
    net_buy = any(q.kind is QuotaKind.DAILY_NET_BUY for q in quotas)
    money = in_force(direction.monies, day, what=f"money of {rules.name} {name}")
    check = in_force(direction.checks, day, what=f"checks of {rules.name} {name}")
    on_list = tradable(direction, day)
    listed = sorted((counters[code], only) for code, only in on_list.items() if counters and code in counters)
    if on_list and counters is not None and not listed:
        message = f"no security on the list of {rules.name} {name} is in the reference book"
        raise refuse(RejectionReason.MISSING, message, field="security", remedy="add counters with these codes")
    return LinkDayTerms(
        link=rules.name,
        direction=name,
        day=to_day(day),
        currency=money.trade_currency if net_buy or not quotas else quotas[0].currency,
        quotas=tuple(_quota(q, money.trade_currency, fx_e6) for q in quotas),
        sessions=_sessions(rules, direction, day),
        pre_trade=check.pre_trade,
        brokers_max=check.designated_brokers_max,
        client_days=check.client_id_days_before if check.client_id else -1,
        counter=pack([index for index, _ in listed], "i4"),
        sell_only=pack([only for _, only in listed], "i1"),
    )


def _quota(row: QuotaRow, trade_currency: str, fx_e6: int) -> QuotaTerm:
    """Resolve a quota; one on orders is in the currency of the orders."""
    cents = row.amount_cents
    if row.kind is QuotaKind.DAILY_NET_BUY and row.currency != trade_currency:
        if fx_e6 <= 0:
            message = f"the quota is in {row.currency}, orders are in {trade_currency}"
            remedy = f"give the day's rate, {row.currency} for one {trade_currency}"
            raise refuse(RejectionReason.MISSING, message, field="fx", remedy=remedy)
        cents = cents * FX_SCALE_E6 // fx_e6
        if not 0 < cents <= QUOTA_MAX_CENTS:
            message = f"at {fx_e6} millionths the quota is {cents} cents"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="fx", remedy="give the day's rate")
    return QuotaTerm(row.kind, cents, row.split_amount * MINOR_SCALE, len(row.channels))


def _sessions(rules: LinkRules, direction: Direction, day: date) -> tuple[SessionTerm, ...]:
    """Resolve the sessions; in an input window the rule at zero is that of the session its orders wait for."""
    rows = sessions_on(rules, direction, day)
    net_buy = next((q for q in rows_on(direction.quotas, day) if q.kind is QuotaKind.DAILY_NET_BUY), None)
    at_zero = net_buy.at_zero if net_buy else {}
    rule = {row: at_zero.get(row.kind, AtZero.UNTIL_POSITIVE) for row in rows}
    for row, following in reversed(list(pairwise(rows))):
        if row.kind is SessionKind.INPUT:
            rule[row] = rule[following]
    return tuple(SessionTerm(row.kind, _second(row.start), _second(row.end), row.cancels, rule[row]) for row in rows)


def _second(moment: time) -> int:
    return moment.hour * 3_600 + moment.minute * 60 + moment.second


__all__ = ["SessionRow", "day_terms", "direction_of"]
