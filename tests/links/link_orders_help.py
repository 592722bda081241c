"""Terms, messages and a plain day beside the real one, for the tests of a link's orders."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsingma.journal.link_order_commands import LinkDayTerms, QuotaTerm, SessionTerm
from tsingma.links.order_day import Messages, OrderDay
from tsingma.links.pretrade import ClientIds, SegregatedAccounts
from tsingma.links.results import word
from tsingma.simulate.plain_link_orders import PlainOrderDay

# Hours of a small day: an auction that waits, minutes without cancellation, a continuous session that closes, one that
# takes what fits.
SESSIONS = (
    SessionTerm("opening-auction", 100, 200, True, "refuse-until-positive"),
    SessionTerm("opening-auction", 200, 250, False, "refuse-until-positive"),
    SessionTerm("continuous", 300, 400, True, "refuse-rest-of-day"),
    SessionTerm("dealing", 400, 500, True, "refuse-what-does-not-fit"),
)
MESSAGE = (
    "kind",
    "order",
    "time_s",
    "participant",
    "investor",
    "client",
    "counter",
    "security",
    "quantity",
    "price_e4",
)
BUY, SELL, EXECUTION, CANCEL, REJECTION = range(5)


def terms(quota_cents: int | None = 1_000, pre_trade: str = "none", **other: Any) -> LinkDayTerms:
    """Return terms of a day (number 10) without client ids."""
    quotas = () if quota_cents is None else (QuotaTerm("daily-net-buy", quota_cents),)
    given = {"sessions": SESSIONS, "brokers_max": 0, "client_days": -1, **other}
    return LinkDayTerms("link", "north", 10, "CNY", quotas, pre_trade=pre_trade, **given)


def messages(*rows: dict[str, int]) -> Messages:
    """Return messages from rows of fields, 0 where a field is not given (security follows counter)."""
    table = {name: np.array([row.get(name, 0) for row in rows], np.int64) for name in MESSAGE}
    table["security"] = table["counter"].copy()
    return Messages(**table)


def words(day: OrderDay, *rows: dict[str, int], clients: Any = None, accounts: Any = None) -> list[str]:
    """Route rows and return a word for each answer."""
    codes = day.route(messages(*rows), clients or ClientIds(), accounts or SegregatedAccounts())
    return [word(code) for code in codes.tolist()]


def plain_word(plain: PlainOrderDay, row: dict[str, int], session: Any) -> str:
    """Have the plain day judge one row within a session."""
    kind, number = row["kind"], row["order"]
    zero = session.zero
    if kind <= SELL:
        holding = (row.get("participant", 0), row.get("counter", 0))
        return plain.enter(
            number, buys=kind == BUY, quantity=row["quantity"], limit_e4=row["price_e4"], holding=holding, at_zero=zero
        )
    if kind == EXECUTION:
        return plain.execute(number, row["quantity"], row["price_e4"], zero)
    return plain.end(number, by_market=kind == REJECTION, allowed=session.cancels, at_zero=zero)


def session_at(time_s: int) -> Any:
    """Return the session of a time; between sessions nothing closes and nothing can be cancelled."""
    none = SessionTerm("none", 0, 0, False, "refuse-until-positive")
    return next((one for one in SESSIONS if one.start_s <= time_s < one.end_s), none)
