"""How a message on a link is answered: one code an item, with the word and sentence a person reads."""

from __future__ import annotations

from tsingma.kernels import link_orders as kernel

ACCEPTED = kernel.ACCEPTED
OUTSIDE_SESSION, NO_CLIENT_ID, UNKNOWN_INVESTOR, NOT_DESIGNATED, NOT_ELIGIBLE, SELL_ONLY, BAD_FIGURE = range(
    kernel.FIRST_FAULT, kernel.FIRST_FAULT + 7
)
OVER_DAILY, OVER_YEARLY, OVER_AGGREGATE, OVER_INDIVIDUAL, OVER_CHANNEL, OVER_NOTIONAL = range(
    BAD_FIGURE + 1, BAD_FIGURE + 7
)

# By code: a word for tables and files, and what it means.
RESULTS: dict[int, tuple[str, str]] = {
    kernel.ACCEPTED: ("accepted", "taken"),
    kernel.QUOTA_USED: (
        "quota-used",
        "the quota is used up: buys are refused until it is positive, or what is left is less",
    ),
    kernel.QUOTA_CLOSED: ("quota-closed", "the quota was used up in this session: no more buys today"),
    kernel.ABOVE_SNAPSHOT: ("above-snapshot", "more than was held before the open and is not on sale already"),
    kernel.NOT_OPEN: ("not-open", "the order is unknown, refused, filled or ended"),
    kernel.NO_CANCEL: ("no-cancel", "the session takes no cancellations"),
    kernel.ABOVE_OPEN: ("above-open", "more than the order has open"),
    kernel.OUTSIDE_LIMIT: ("outside-limit", "the price of the trade is worse than the order's limit"),
    kernel.NOT_IN_TURN: ("not-in-turn", "a new order takes the next number of the day"),
    OUTSIDE_SESSION: ("outside-session", "the direction takes no orders at this time"),
    NO_CLIENT_ID: ("no-client-id", "the participant has not mapped this client id in time"),
    UNKNOWN_INVESTOR: ("unknown-investor", "no special segregated account has this investor id"),
    NOT_DESIGNATED: ("not-designated", "the participant is no designated broker of the segregated account"),
    NOT_ELIGIBLE: ("not-eligible", "the security is not on the day's list"),
    SELL_ONLY: ("sell-only", "the security may only be sold"),
    BAD_FIGURE: ("bad-figure", "quantity and price are positive, and their product at most a trillion"),
    OVER_DAILY: ("over-daily", "more than is left of the daily quota"),
    OVER_YEARLY: ("over-yearly", "more than is left of the yearly quota"),
    OVER_AGGREGATE: ("over-aggregate", "more than is left of the aggregate quota"),
    OVER_INDIVIDUAL: ("over-individual", "more than the investor's quota"),
    OVER_CHANNEL: ("over-channel", "more than the investor's quota at each of several channels"),
    OVER_NOTIONAL: ("over-notional", "the net notional of the day would be beyond its limit"),
}


def word(code: int) -> str:
    """Return the word of a result code, for example ``quota-used``."""
    return RESULTS[code][0]
