"""One direction's orders of one day: quota balance, sessions, and every order with what it has open.

Quota balance = daily quota - buy orders + sell trades + adjustments. Adjustments are what buys give back: cancelled,
rejected by the market, executed at a better price, lapsed at the end of the day. A buy is accepted while the balance
is positive, whatever its size, so the last one may take it below zero; at zero the session's rule decides. Selling is
always allowed. Amounts are ten-thousandths of the currency, exact.
Source: HKEX's formula and rules at zero as restated on service.boom.com, China Connect other info (read 23 Nov 2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import narrow, unpack, widen
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.journal.link_order_commands import LinkDayTerms
from tsingma.kernels import link_orders as kernel
from tsingma.links import results
from tsingma.links.pretrade import ClientIds, SegregatedAccounts, Snapshot
from tsingma.links.rule_rows import AtZero, PreTradeCheck, QuotaKind
from tsingma.settlement.growing import Growing

Int64 = npt.NDArray[np.int64]
Faults = npt.NDArray[np.int8]

VALUE_MAX_E4 = 10**16  # one order: a trillion
SUM_MAX_E4 = 2**62
CENT_E4 = 100
DAY_SECONDS = 86_400
_ZERO = {AtZero.UNTIL_POSITIVE: kernel.WAITS, AtZero.REST_OF_DAY: kernel.CLOSES, AtZero.MUST_FIT: kernel.MUST_FIT}
_FIGURES = ("balance_e4", "buy_orders_e4", "sell_trades_e4", "adjustments_e4", "buy_trades_e4", "closed", "orders")
_STATUSES = ("open", "filled", "cancelled", "rejected", "refused", "lapsed")


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages of orders as columns int64 [n], as in ``RouteOrders``; ``security`` is the one of the counter."""

    kind: Int64
    order: Int64
    time_s: Int64
    participant: Int64
    investor: Int64
    client: Int64
    counter: Int64
    security: Int64
    quantity: Int64
    price_e4: Int64


class OrderDay:
    """The orders of a direction on one day."""

    def __init__(self, terms: LinkDayTerms) -> None:
        """Open the day: the quota starts anew."""
        self.terms = terms
        self.snapshot = Snapshot()
        self.is_open = True
        self.clock_s = 0
        self._totals: Int64 = np.zeros(kernel.TOTALS, np.int64)
        types = {"side": "i1", "status": "i1", "left": "i8", "limit": "i8", "row": "i8"}
        self._orders = Growing(types, subject="orders of a day")
        self._quota_e4 = self._net_buy_e4()
        self._totals[kernel.BALANCE] = self._quota_e4 or 0

    @property
    def has_quota(self) -> bool:
        """Whether a net-buy quota limits the day."""
        return self._quota_e4 is not None

    @property
    def balance_e4(self) -> int:
        """The quota balance x 10,000 (without a quota: what was sold less what was bought)."""
        return int(self._totals[kernel.BALANCE])

    @property
    def closed(self) -> bool:
        """Whether buys are over for the day."""
        return bool(self._totals[kernel.CLOSED])

    def route(self, messages: Messages, clients: ClientIds, accounts: SegregatedAccounts) -> Faults:
        """Judge messages in order and return a result code for each, int8 [n] (``links.results``).

        Raises Rejected and changes nothing when time runs backwards (malformed), a kind is unknown, or sums could leave
        64 bits (limit).
        """
        self._check(messages)
        fault, session = self._faults(messages, clients, accounts)
        checks = self.terms.pre_trade != PreTradeCheck.NONE
        own = self.snapshot.places(messages.participant, messages.investor, messages.security)
        holding = own if checks else np.full(messages.kind.size, -1, np.int64)
        before = len(self._orders)
        self._orders.append(int((messages.kind <= kernel.SELL).sum()), {})
        result = np.zeros(messages.kind.size, np.int8)
        zero = np.array([_ZERO[AtZero(one.zero)] for one in self.terms.sessions] + [kernel.WAITS], np.int64)[session]
        cancels = np.array([one.cancels for one in self.terms.sessions] + [False], np.bool_)[session]
        table = self._orders.table
        kernel.functions(messages.kind.size).route(
            messages.kind, messages.order, messages.quantity, messages.price_e4, holding, fault, zero, cancels,
            self.has_quota, checks, table["side"], table["status"], table["left"], table["limit"], table["row"],
            self.snapshot.sellable, self._totals, result,
        )  # fmt: skip
        self._orders.shorten(max(before, int(self._totals[kernel.ORDERS])))
        if messages.time_s.size:
            self.clock_s = int(messages.time_s[-1])
        return result

    def close(self) -> dict[str, int]:
        """Let what is open lapse, prove the day and return its figures; raises InvariantBroken when a sum is wrong."""
        table = self._orders.table
        checks = self.terms.pre_trade != PreTradeCheck.NONE
        kernel.functions(len(self._orders)).lapse(
            checks, table["side"], table["status"], table["left"], table["limit"], table["row"], self.snapshot.sellable,
            self._totals,
        )  # fmt: skip
        self.is_open = False
        self.check()
        return self.figures()

    def figures(self) -> dict[str, int]:
        """Return quota, balance and its parts (x 10,000), and how many orders stand how."""
        totals = dict(zip(_FIGURES, self._totals.tolist(), strict=True))
        counts = np.bincount(self._orders.table["status"], minlength=len(_STATUSES)).tolist()
        return {"quota_e4": self._quota_e4 or 0, **totals} | dict(
            zip([f"orders_{name}" for name in _STATUSES], counts, strict=True)
        )

    def check(self) -> None:
        """Prove the day: the formula, buys = traded + open + given back, and nothing sold above the snapshot.

        Raises InvariantBroken.
        """
        balance, buys, sells, adjustments, bought = self._totals[:5].tolist()
        if balance != (self._quota_e4 or 0) - buys + sells + adjustments:
            raise InvariantBroken("the quota balance is not quota - buy orders + sell trades + adjustments")
        table = self._orders.table
        waiting = (table["side"] == kernel.BUY) & (table["status"] == kernel.OPEN)
        if buys != bought + adjustments + int((table["left"][waiting] * table["limit"][waiting]).sum()):
            raise InvariantBroken("buy orders are not trades + adjustments + what is open")
        if self.snapshot.sellable.size and (
            (self.snapshot.sellable < 0).any() or (self.snapshot.sellable > self.snapshot.taken).any()
        ):
            raise InvariantBroken("more was sold than was held before the open")

    def dump(self) -> dict[str, bytes]:
        """Return the day as named byte strings."""
        parts = {f"snapshot.{name}": value for name, value in self.snapshot.dump().items()}
        parts.update({f"order.{name}": value for name, value in self._orders.dump().items()})
        return {
            **parts,
            "terms": msgspec.msgpack.encode(self.terms),
            "totals": narrow(self._totals),
            "at": msgspec.msgpack.encode((self.is_open, self.clock_s)),
        }

    @classmethod
    def load(cls, parts: Mapping[str, bytes]) -> OrderDay:
        """Return the day of a dump."""
        day = cls(msgspec.msgpack.decode(parts["terms"], type=LinkDayTerms))
        day._totals = widen(parts["totals"])
        day.is_open, day.clock_s = msgspec.msgpack.decode(parts["at"], type=tuple[bool, int])
        for prefix, room in (("snapshot.", day.snapshot), ("order.", day._orders)):
            room.load({name[len(prefix) :]: value for name, value in parts.items() if name.startswith(prefix)})
        return day

    def _net_buy_e4(self) -> int | None:
        cents = [one.amount_cents for one in self.terms.quotas if one.kind == QuotaKind.DAILY_NET_BUY]
        return cents[0] * CENT_E4 if cents else None

    def _check(self, messages: Messages) -> None:
        time_s = messages.time_s
        if not time_s.size:
            return
        if int(time_s[0]) < self.clock_s or (np.diff(time_s) < 0).any() or int(time_s[-1]) >= DAY_SECONDS:
            message = f"a message is before {self.clock_s} s or before the one ahead of it, or beyond the day"
            raise refuse(RejectionReason.MALFORMED, message, field="time_s", remedy="send messages in order of time")
        if (messages.kind < kernel.BUY).any() or (messages.kind > kernel.REJECTION).any():
            raise refuse(RejectionReason.UNKNOWN, "a kind of message is not 0 to 4", field="kind")
        most = np.abs(self._totals[:5]).max().item() + 2 * messages.kind.size * VALUE_MAX_E4
        if most > SUM_MAX_E4 and _values(messages) + np.abs(self._totals[:5]).max().item() > SUM_MAX_E4:
            message = "the sums of the day could leave 64 bits"
            raise refuse(RejectionReason.LIMIT, message, field="quantity, price_e4", remedy="send fewer at a time")

    def _faults(
        self, messages: Messages, clients: ClientIds, accounts: SegregatedAccounts
    ) -> tuple[Faults, Int64]:  # fmt: skip
        """Return the fault of each message that does not hang on those before it, and the session it falls in."""
        terms, size = self.terms, messages.kind.size
        fault = np.zeros(size, np.int8)
        session = self._session(messages.time_s)
        new = messages.kind <= kernel.SELL
        listed, sell_only = self._listed(messages.counter)
        by_investor = messages.investor != 0
        segregated = terms.pre_trade == PreTradeCheck.SEGREGATED
        named = new & by_investor & (messages.kind == kernel.SELL)
        wrong = [
            (results.SELL_ONLY, new & sell_only & (messages.kind == kernel.BUY)),
            (results.NOT_ELIGIBLE, new & ~listed),
            (results.NOT_DESIGNATED, named & ~accounts.designated(messages.investor, messages.participant)),
            (results.UNKNOWN_INVESTOR, new & by_investor & (~accounts.known(messages.investor) | (not segregated))),
            (results.OUTSIDE_SESSION, new & (session == len(terms.sessions))),
            (results.BAD_FIGURE, (messages.kind <= kernel.EXECUTION) & _bad(messages.quantity, messages.price_e4)),
        ]
        if terms.client_days >= 0:
            mapped = clients.mapped(messages.participant, messages.client, terms.day - terms.client_days)
            wrong.insert(0, (results.NO_CLIENT_ID, new & ~mapped))
        for code, where in wrong:  # the last named wins: what is wrong with the figures comes before what they mean
            fault[where] = code
        return fault, session

    def _session(self, time_s: Int64) -> Int64:
        """Return the session of each time, or the number of sessions where there is none."""
        if not self.terms.sessions:
            return np.zeros(time_s.size, np.int64)
        start = np.array([one.start_s for one in self.terms.sessions], np.int64)
        end = np.array([one.end_s for one in self.terms.sessions], np.int64)
        place = np.searchsorted(start, time_s, side="right") - 1
        return np.where((place >= 0) & (time_s < end[place]), place, start.size).astype(np.int64)

    def _listed(self, counter: Int64) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return for each counter whether it may be traded, and whether it may only be sold."""
        known = unpack(self.terms.counter, "i4", field="counter").astype(np.int64)
        if not known.size:
            return np.ones(counter.size, np.bool_), np.zeros(counter.size, np.bool_)
        only = unpack(self.terms.sell_only, "i1", field="sell_only").astype(np.bool_)
        place = np.minimum(np.searchsorted(known, counter), known.size - 1)
        found = known[place] == counter
        return found, found & only[place]


def _bad(quantity: Int64, price_e4: Int64) -> npt.NDArray[np.bool_]:
    positive = (quantity > 0) & (price_e4 > 0)
    return ~positive | (quantity > VALUE_MAX_E4 // np.where(positive, price_e4, 1))


def _values(messages: Messages) -> int:
    """Return an upper bound of what a batch adds to any sum, in Python integers."""
    good = ~_bad(messages.quantity, messages.price_e4) & (messages.kind <= kernel.EXECUTION)
    return 2 * int(sum((messages.quantity[good] * messages.price_e4[good]).tolist()))


__all__ = ["VALUE_MAX_E4", "Messages", "OrderDay"]
