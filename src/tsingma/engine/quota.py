"""Commands on orders over a link: open and close a direction's day, checks before trading, messages, flows.

Orders over a link touch no balance: they decide what may reach the other market. What was traded comes back as trades.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import unpack
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import Handlers, House
from tsingma.journal.link_order_commands import (
    CloseLinkOrders,
    LinkDayTerms,
    MapClients,
    OpenLinkOrders,
    RegisterInvestor,
    RouteOrders,
    TakeHoldingsSnapshot,
    UseQuota,
)
from tsingma.journal.link_order_events import (
    ClientsMapped,
    HoldingsSnapshotTaken,
    InvestorRegistered,
    LinkOrdersClosed,
    LinkOrdersOpened,
    OrdersRouted,
    QuotaUsed,
)
from tsingma.links import results
from tsingma.links.day_terms import QUOTA_MAX_CENTS
from tsingma.links.order_day import DAY_SECONDS, Messages, OrderDay
from tsingma.links.order_state import SEPARATOR
from tsingma.links.pretrade import ClientIds, SegregatedAccounts
from tsingma.links.quota import FlowQuotas
from tsingma.links.rule_rows import AtZero, PreTradeCheck, QuotaKind

Int64 = npt.NDArray[np.int64]

CLIENT_DAYS_MAX = 30
_ROUTE = {
    "kind": "i1",
    "order": "i8",
    "time_s": "i4",
    "participant": "i4",
    "investor": "i8",
    "client": "i8",
    "counter": "i4",
    "quantity": "i8",
    "price_e4": "i8",
}


def open_link_orders(house: House, command: OpenLinkOrders) -> LinkOrdersOpened:
    """Open a direction's day; refused when it is open, is not today, or its terms are impossible."""
    terms = command.terms
    _require_day(house, terms)
    _check_terms(house, terms)
    key = (terms.link, terms.direction)
    known = house.link_orders.days.get(key)
    if known is not None and (known.is_open or known.terms.day >= terms.day):
        message = f"{terms.link} {terms.direction} was opened already on this day"
        raise refuse(RejectionReason.NOT_ALLOWED, message, subject=terms.link, remedy="a day is opened once")
    accounts = house.link_orders.accounts.get(terms.link)
    if accounts is not None and terms.brokers_max and accounts.most_brokers() > terms.brokers_max:
        message = f"an account names {accounts.most_brokers()} brokers, {terms.brokers_max} at most"
        raise refuse(RejectionReason.LIMIT, message, field="brokers_max", subject=terms.link)
    house.link_orders.days[key] = OrderDay(terms)
    house.link_orders.flows.setdefault(key, FlowQuotas()).open_day(terms)
    quota = [one.amount_cents for one in terms.quotas if one.kind == QuotaKind.DAILY_NET_BUY]
    return LinkOrdersOpened(terms.link, terms.direction, quota[0] if quota else -1)


def map_clients(house: House, command: MapClients) -> ClientsMapped:
    """Map client ids of participants; refused whole when one is malformed or a participant is unknown."""
    _name(command.link)
    participant, client = _columns({"participant": (command.participant, "i4"), "client": (command.client, "i8")})
    _within(participant, len(house.resolved.participant_index), "participant")
    ids = house.link_orders.clients.get(command.link, ClientIds())
    new = ids.map(participant, client, house.position.day)
    house.link_orders.clients[command.link] = ids
    return ClientsMapped(new, len(ids))


def register_investor(house: House, command: RegisterInvestor) -> InvestorRegistered:
    """Open a special segregated account or name its brokers anew."""
    _name(command.link)
    _within(np.array(command.brokers, np.int64), len(house.resolved.participant_index), "brokers")
    _within(np.array([command.custodian], np.int64), house.resolved.account_participant.size, "custodian")
    for (link, direction), day in house.link_orders.days.items():
        limit = day.terms.brokers_max
        if link == command.link and limit and len(command.brokers) > limit:
            message = f"{len(command.brokers)} designated brokers, {limit} at most"
            raise refuse(RejectionReason.LIMIT, message, field="brokers", subject=f"{link} {direction}")
    accounts = house.link_orders.accounts.get(command.link, SegregatedAccounts())
    accounts.register(command.investor, command.custodian, command.brokers)
    house.link_orders.accounts[command.link] = accounts
    return InvestorRegistered(command.investor, len(command.brokers))


def take_holdings_snapshot(house: House, command: TakeHoldingsSnapshot) -> HoldingsSnapshotTaken:
    """Fix the holdings that may be sold; refused after the first order of the day."""
    day = _today(house, command.link, command.direction)
    if day.figures()["orders"]:
        message = "orders were taken already"
        raise refuse(RejectionReason.NOT_ALLOWED, message, subject=command.link, remedy="take it before the open")
    participant, investor, counter, quantity = _columns(
        {
            "participant": (command.participant, "i4"),
            "investor": (command.investor, "i8"),
            "counter": (command.counter, "i4"),
            "quantity": (command.quantity, "i8"),
        }
    )
    _within(counter, house.resolved.counter_security.size, "counter")
    own = investor == 0
    _within(participant[own], len(house.resolved.participant_index), "participant")
    accounts = house.link_orders.accounts.get(command.link, SegregatedAccounts())
    if (participant[~own] != -1).any() or not accounts.known(investor[~own]).all():
        message = "a segregated account is unknown, or is named with a participant"
        raise refuse(RejectionReason.UNKNOWN, message, field="investor", remedy="register it; participant is -1 then")
    day.snapshot.take(participant, investor, house.resolved.counter_security[counter].astype(np.int64), quantity)
    return HoldingsSnapshotTaken(int(quantity.size), int(quantity.sum()))


def route_orders(house: House, command: RouteOrders) -> OrdersRouted:
    """Judge a batch of messages, each for itself in order; refused whole when columns or times are malformed."""
    day = _today(house, command.link, command.direction)
    columns = _columns({name: (getattr(command, name), kind) for name, kind in _ROUTE.items()})
    found = dict(zip(_ROUTE, columns, strict=True))
    new = found["kind"] <= 1
    for name, size in (
        ("participant", len(house.resolved.participant_index)),
        ("counter", house.resolved.counter_security.size),
    ):
        _within(found[name][new], size, name)
        found[name] = np.where(new, found[name], 0)
    security = house.resolved.counter_security[found["counter"]].astype(np.int64)
    codes = day.route(
        Messages(security=security, **found),
        house.link_orders.clients.get(command.link, ClientIds()),
        house.link_orders.accounts.get(command.link, SegregatedAccounts()),
    )
    return OrdersRouted(int((codes == results.ACCEPTED).sum()), codes.tobytes(), day.balance_e4, day.closed)


def use_quota(house: House, command: UseQuota) -> QuotaUsed:
    """Judge flows over a link, each for itself in order."""
    _today(house, command.link, command.direction)
    flows = house.link_orders.flows[command.link, command.direction]
    investor, channel, amount = _columns(
        {
            "investor": (command.investor, "i8"),
            "channel": (command.channel, "i1"),
            "amount_cents": (command.amount_cents, "i8"),
        }
    )
    codes = flows.use(investor, channel, amount)
    return QuotaUsed(int((codes == results.ACCEPTED).sum()), codes.tobytes(), flows.left_cents())


def close_link_orders(house: House, command: CloseLinkOrders) -> LinkOrdersClosed:
    """End a direction's day: open orders lapse, the sums are proved."""
    figures = house.link_orders.day(command.link, command.direction).close()
    return LinkOrdersClosed(command.link, command.direction, figures)


def _today(house: House, link: str, direction: str) -> OrderDay:
    day = house.link_orders.day(link, direction)
    _require_day(house, day.terms)
    return day


def _require_day(house: House, terms: LinkDayTerms) -> None:
    if not house.position.is_open or house.position.day != terms.day:
        message = f"day {terms.day} is not the open business day"
        raise refuse(RejectionReason.NOT_ALLOWED, message, field="day", remedy="open the business day first")


def _check_terms(house: House, terms: LinkDayTerms) -> None:
    """Refuse terms no rule file resolves to: the engine trusts figures, not their sender."""
    for name in (terms.link, terms.direction):
        _name(name)
    if terms.currency not in CURRENCIES:
        raise refuse(RejectionReason.UNKNOWN, f"currency '{terms.currency}'", field="currency", subject=terms.link)
    kinds = [one.kind for one in terms.quotas]
    sizes = all(0 < q.amount_cents <= QUOTA_MAX_CENTS and 0 <= q.split_cents <= q.amount_cents for q in terms.quotas)
    known = len(set(kinds)) == len(kinds) and set(kinds) <= set(QuotaKind)
    order = [s for one in terms.sessions for s in (one.start_s, one.end_s)]
    sessions = order == sorted(order) and all(0 <= second <= DAY_SECONDS for second in order)
    listed = unpack(terms.counter, "i4", field="counter").astype(np.int64)
    only = unpack(terms.sell_only, "i1", field="sell_only")
    checks = terms.pre_trade in set(PreTradeCheck) and {one.zero for one in terms.sessions} <= set(AtZero)
    if not (sizes and known and sessions and checks and -1 <= terms.client_days <= CLIENT_DAYS_MAX):
        message = "quotas, sessions or checks are impossible"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="terms", remedy="resolve them from a rule file")
    if listed.size != only.size or (np.diff(listed) <= 0).any():
        raise refuse(RejectionReason.MALFORMED, "the list of securities is not in order", field="counter")
    _within(listed, house.resolved.counter_security.size, "counter")


def _name(name: str) -> None:
    if not name or SEPARATOR in name or len(name) > 40:
        message = f"'{name[:40]}' names no link or direction"
        raise refuse(RejectionReason.MALFORMED, message, field="link, direction", remedy="1 to 40 of a-z, 0-9, -")


def _columns(columns: dict[str, tuple[bytes, str]]) -> list[Int64]:
    arrays = [unpack(data, kind, field=name).astype(np.int64) for name, (data, kind) in columns.items()]
    if len({array.size for array in arrays}) != 1:
        raise refuse(RejectionReason.MALFORMED, "the columns differ in length", field=", ".join(columns))
    return arrays


def _within(numbers: Int64, size: int, field: str) -> None:
    bad = np.flatnonzero((numbers < 0) | (numbers >= size))
    if bad.size:
        message = f"item {int(bad[0]) + 1}: number {int(numbers[bad[0]])}"
        raise refuse(RejectionReason.UNKNOWN, message, field=field)


HANDLERS: Handlers = {
    OpenLinkOrders: open_link_orders,
    MapClients: map_clients,
    RegisterInvestor: register_investor,
    TakeHoldingsSnapshot: take_holdings_snapshot,
    RouteOrders: route_orders,
    UseQuota: use_quota,
    CloseLinkOrders: close_link_orders,
}
