"""Quotas on flows over a link: net outflow a day, a year and in all, caps of one investor, net notional of swaps.

An item is what goes out (positive) or comes back (negative), in cents. It is accepted when every quota of the day still
has room for it, in the order the items came; what comes back is always accepted. Net outflow is what went out less what
came back. An investor who uses several channels is held to the split amount at each (bank and broker of Wealth
Connect); a second channel is refused while the first holds more. Net notional may be used either way.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.journal.link_order_commands import LinkDayTerms, QuotaTerm
from tsingma.links import results
from tsingma.links.rule_rows import QuotaKind

AMOUNT_MAX_CENTS = 10**15
_OVER = {
    QuotaKind.DAILY_NET_OUTFLOW: results.OVER_DAILY,
    QuotaKind.YEARLY_NET_OUTFLOW: results.OVER_YEARLY,
    QuotaKind.AGGREGATE_NET_OUTFLOW: results.OVER_AGGREGATE,
}


class FlowQuotas:
    """What is used of a direction's quotas on flows; years and totals go on from day to day."""

    def __init__(self) -> None:
        """Start with nothing used."""
        self._day = 0
        self._used: dict[str, int] = {}
        self._notional = 0
        self._investors: dict[int, dict[int, int]] = {}
        self._terms: tuple[QuotaTerm, ...] = ()

    def open_day(self, terms: LinkDayTerms) -> None:
        """Begin a day: daily use starts anew, yearly use when the year is another."""
        if self._day and to_date(self._day).year != to_date(terms.day).year:
            self._used.pop(QuotaKind.YEARLY_NET_OUTFLOW, None)
        self._used.pop(QuotaKind.DAILY_NET_OUTFLOW, None)
        self._notional = 0
        self._day, self._terms = terms.day, terms.quotas

    @property
    def has_quota(self) -> bool:
        """Whether any quota on flows holds today."""
        return any(one.kind != QuotaKind.DAILY_NET_BUY for one in self._terms)

    def use(
        self, investor: npt.NDArray[np.int64], channel: npt.NDArray[np.int64], amount_cents: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int8]:
        """Judge items in order and return a result code for each, int8 [n] (``links.results``).

        Raises Rejected (out-of-range) and changes nothing when an amount is 0 or beyond ten trillion, or there is no
        such channel.
        """
        bad = np.flatnonzero(
            (amount_cents == 0) | (amount_cents < -AMOUNT_MAX_CENTS) | (amount_cents > AMOUNT_MAX_CENTS)
        )
        if bad.size:
            message = f"item {int(bad[0]) + 1}: {int(amount_cents[bad[0]])} cents"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="amount_cents", remedy="not 0, up to 10^15")
        channels = max((one.channels for one in self._terms), default=0)
        if channel.size and (int(channel.min()) < 0 or int(channel.max()) >= max(channels, 1)):
            message = f"{max(channels, 1)} channels, counted from 0"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="channel")
        rows = zip(investor.tolist(), channel.tolist(), amount_cents.tolist(), strict=True)
        return np.array([self._use(*row) for row in rows], np.int8)

    def left_cents(self) -> dict[str, int]:
        """Return what is left of each quota in force, by kind; of an individual one, the cap itself."""
        left = {}
        for term in self._terms:
            if term.kind == QuotaKind.DAILY_NET_NOTIONAL:
                left[term.kind] = term.amount_cents - abs(self._notional)
            elif term.kind == QuotaKind.INDIVIDUAL:
                left[term.kind] = term.amount_cents
            elif term.kind != QuotaKind.DAILY_NET_BUY:
                left[term.kind] = term.amount_cents - self._used.get(term.kind, 0)
        return left

    def investor_cents(self, investor: int) -> int:
        """Return what an investor has out over all channels, in cents."""
        return sum(self._investors.get(investor, {}).values())

    def dump(self) -> dict[str, bytes]:
        """Return what is used as named byte strings; nothing before the first day."""
        if not self._day:
            return {}
        mine = sorted((investor, sorted(held.items())) for investor, held in self._investors.items())
        state = (self._day, sorted(self._used.items()), self._notional, mine, self._terms)
        return {"flows": msgspec.msgpack.encode(state)}

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Take back a dump."""
        if "flows" not in parts:
            return
        state = msgspec.msgpack.decode(parts["flows"], type=_State)
        self._day, used, self._notional, mine, self._terms = state
        self._used = dict(used)
        self._investors = {investor: dict(held) for investor, held in mine}

    def _use(self, investor: int, channel: int, cents: int) -> int:
        for term in self._terms:
            code = self._judge(term, investor, channel, cents)
            if code:
                return code
        for term in self._terms:
            if term.kind in _OVER:
                self._used[term.kind] = self._used.get(term.kind, 0) + cents
            elif term.kind == QuotaKind.DAILY_NET_NOTIONAL:
                self._notional += cents
            elif term.kind == QuotaKind.INDIVIDUAL:
                held = self._investors.setdefault(investor, {})
                held[channel] = held.get(channel, 0) + cents
        return results.ACCEPTED

    def _judge(self, term: QuotaTerm, investor: int, channel: int, cents: int) -> int:
        """Return why one quota has no room for an item, or 0."""
        if term.kind == QuotaKind.DAILY_NET_NOTIONAL:
            after = abs(self._notional + cents)
            return results.OVER_NOTIONAL if after > term.amount_cents else 0  # what narrows the net always fits
        if cents < 0 or term.kind == QuotaKind.DAILY_NET_BUY:
            return 0
        if term.kind == QuotaKind.INDIVIDUAL:
            return self._judge_investor(term, investor, channel, cents)
        return _OVER[QuotaKind(term.kind)] if self._used.get(term.kind, 0) + cents > term.amount_cents else 0

    def _judge_investor(self, term: QuotaTerm, investor: int, channel: int, cents: int) -> int:
        held = dict(self._investors.get(investor, {}))
        held[channel] = held.get(channel, 0) + cents
        if sum(held.values()) > term.amount_cents:
            return results.OVER_INDIVIDUAL
        several = sum(amount > 0 for amount in held.values()) > 1
        if term.split_cents and several and max(held.values()) > term.split_cents:
            return results.OVER_CHANNEL
        return 0


_State = tuple[
    int,
    list[tuple[str, int]],
    int,
    list[tuple[int, list[tuple[int, int]]]],
    tuple[QuotaTerm, ...],
]
