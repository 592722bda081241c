"""A link's order day told plainly: dictionaries, one message after the other, every sum added up from its parts.

Written from the rules and not from the kernel, to be compared with it: it shares no code with ``links.order_day``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CONTINUES, CLOSES, FITS = "refuse-until-positive", "refuse-rest-of-day", "refuse-what-does-not-fit"


@dataclass
class PlainOrder:
    """One order: what is open of it, at which limit, and how it stands."""

    buys: bool
    limit_e4: int
    left: int
    stands: str
    holding: tuple[int, int]


@dataclass
class PlainOrderDay:
    """One direction's day; ``holdings`` by (holder, security) before the open, None where nothing is checked."""

    quota_e4: int | None
    holdings: dict[tuple[int, int], int] | None
    orders: dict[int, PlainOrder] = field(default_factory=dict)
    taken_e4: list[int] = field(default_factory=list)
    sold_e4: list[int] = field(default_factory=list)
    returned_e4: list[int] = field(default_factory=list)
    bought_e4: list[int] = field(default_factory=list)
    closed: bool = False

    @property
    def balance_e4(self) -> int:
        """Daily quota - buy orders + sell trades + adjustments."""
        return (self.quota_e4 or 0) - sum(self.taken_e4) + sum(self.sold_e4) + sum(self.returned_e4)

    def session(self, at_zero: str) -> None:
        """Note the session the next message falls in: where zero closes the day, a balance of zero does so now."""
        if self.quota_e4 is not None and at_zero == CLOSES and self.balance_e4 <= 0:
            self.closed = True

    def enter(
        self, number: int, *, buys: bool, quantity: int, limit_e4: int, holding: tuple[int, int], at_zero: str
    ) -> str:
        """Take a new order or say why not."""
        self.session(at_zero)
        if number != len(self.orders):
            return "not-in-turn"
        order = PlainOrder(buys, limit_e4, 0, "refused", holding)
        self.orders[number] = order
        answer = self._room_for(quantity * limit_e4, at_zero) if buys else self._held(holding, quantity)
        if answer == "accepted":
            order.left, order.stands = quantity, "open"
            self.session(at_zero)
        return answer

    def execute(self, number: int, quantity: int, price_e4: int, at_zero: str) -> str:
        """Book a trade of an order."""
        self.session(at_zero)
        order = self.orders.get(number)
        if order is None or order.stands != "open":
            return "not-open"
        if quantity > order.left:
            return "above-open"
        if (price_e4 > order.limit_e4) if order.buys else (price_e4 < order.limit_e4):
            return "outside-limit"
        if order.buys:
            self.bought_e4.append(quantity * price_e4)
            self.returned_e4.append(quantity * (order.limit_e4 - price_e4))
        else:
            self.sold_e4.append(quantity * price_e4)
        order.left -= quantity
        if order.left == 0:
            order.stands = "filled"
        return "accepted"

    def end(self, number: int, *, by_market: bool, allowed: bool, at_zero: str) -> str:
        """Cancel an order (where the session allows it), or have the market reject it."""
        self.session(at_zero)
        order = self.orders.get(number)
        if order is None or order.stands != "open":
            return "not-open"
        if not by_market and not allowed:
            return "no-cancel"
        self._return(order)
        order.stands = "rejected" if by_market else "cancelled"
        return "accepted"

    def lapse(self) -> None:
        """End the day."""
        for order in self.orders.values():
            if order.stands == "open":
                self._return(order)
                order.stands = "lapsed"

    def _return(self, order: PlainOrder) -> None:
        if order.buys:
            self.returned_e4.append(order.left * order.limit_e4)
        elif self.holdings is not None:
            self.holdings[order.holding] += order.left
        order.left = 0

    def _room_for(self, value_e4: int, at_zero: str) -> str:
        if self.quota_e4 is not None:
            if self.closed:
                return "quota-closed"
            if self.balance_e4 <= 0 or (at_zero == FITS and value_e4 > self.balance_e4):
                return "quota-used"
        self.taken_e4.append(value_e4)
        return "accepted"

    def _held(self, holding: tuple[int, int], quantity: int) -> str:
        if self.holdings is not None:
            if self.holdings.get(holding, 0) < quantity:
                return "above-snapshot"
            self.holdings[holding] -= quantity
        return "accepted"
