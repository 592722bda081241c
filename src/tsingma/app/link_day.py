"""A link's quota through one day, from files or a simulated flow: a what-if that touches no house.

The same order machine answers as in the house (``engine.quota``); what is written here is only where messages come from
and what is shown of them.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.money import Amount
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.journal.link_order_commands import LinkDayTerms
from tsingma.kernels.link_orders import NOT_OPEN, SELL
from tsingma.links.day_terms import day_terms
from tsingma.links.order_day import DAY_SECONDS, Messages, OrderDay
from tsingma.links.pretrade import ClientIds, SegregatedAccounts
from tsingma.links.quota import FlowQuotas
from tsingma.links.results import ACCEPTED, RESULTS, word
from tsingma.links.rule_rows import LinkRules, PreTradeCheck, QuotaKind
from tsingma.messages import link_files
from tsingma.simulate.link_orders import SimulatedOrders, simulate_flows, simulate_orders

Int64 = npt.NDArray[np.int64]

HALF_HOUR_S = 1_800
SAMPLES = 10
CENT_E4 = 100


class LinkDaySource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a day's messages come from: files, or (without a file of orders) a simulated flow with its seed."""

    orders: Path | None = None
    holdings: Path | None = None
    accounts: Path | None = None
    clients: Path | None = None
    fx_e6: int = 0
    seed: int = 1
    count: int = 50_000
    value: int = 100_000_000_000
    share: float = 0.5


class QuotaMoment(msgspec.Struct, frozen=True, kw_only=True):
    """Where the quota stands at a time: amounts in cents of the quota's currency, refusals since the last moment."""

    time: str
    left_cents: dict[str, int]
    buy_orders_cents: int = 0
    sell_trades_cents: int = 0
    adjustments_cents: int = 0
    closed: bool = False
    refused: dict[str, int] = {}


class LinkDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day of one direction: quotas, where they stood each half hour, and what was refused and why.

    ``unsent`` counts what a simulated flow has on orders that were refused before: a market would never send it.
    """

    link: str
    direction: str
    date: date
    currency: str
    source: str
    quota_cents: dict[str, int]
    messages: int
    accepted: int
    unsent: int
    refused: dict[str, int]
    moments: tuple[QuotaMoment, ...]
    samples: tuple[str, ...]


def show_day(rules: LinkRules, direction: str, day: date, source: LinkDaySource) -> LinkDay:
    """Run a direction's day and return where its quota stood; raises Rejected for bad files, days and directions."""
    terms = day_terms(rules, direction, day, fx_e6=source.fx_e6)
    on_flows = [one for one in terms.quotas if one.kind != QuotaKind.DAILY_NET_BUY]
    if on_flows:
        return _flow_day(rules, terms, day, source)
    return _order_day(rules, terms, day, source)


def _order_day(rules: LinkRules, terms: LinkDayTerms, day: date, source: LinkDaySource) -> LinkDay:
    orders = OrderDay(terms)
    messages, names, label = _orders(terms, orders, source)
    clients, accounts = _registers(terms, source, messages, names)
    moments, codes, unsent = [], [], 0
    for low, high, end_s in _slices(messages.time_s, terms):
        part = Messages(**{name: getattr(messages, name)[low:high] for name in Messages.__slots__})
        codes.append(orders.route(part, clients, accounts))
        if source.orders is None:
            unsent += int((codes[-1] == NOT_OPEN).sum())
            codes[-1] = np.where(codes[-1] == NOT_OPEN, ACCEPTED, codes[-1]).astype(np.int8)
        moments.append(_moment(orders, end_s, codes[-1]))
    figures = orders.close()
    moments.append(
        QuotaMoment(
            time="close",
            left_cents={QuotaKind.DAILY_NET_BUY: figures["balance_e4"] // CENT_E4},
            buy_orders_cents=figures["buy_orders_e4"] // CENT_E4,
            sell_trades_cents=figures["sell_trades_e4"] // CENT_E4,
            adjustments_cents=figures["adjustments_e4"] // CENT_E4,
            closed=bool(figures["closed"]),
        )
    )
    code = np.concatenate(codes)
    what = [f"{name} order {number}" for name, number in zip(_kinds(messages), messages.order.tolist(), strict=True)]
    return _day(rules, terms, day, label, code, messages.time_s, what, moments, unsent)


def _flow_day(rules: LinkRules, terms: LinkDayTerms, day: date, source: LinkDaySource) -> LinkDay:
    if source.orders is not None:
        time_s, investor, channel, cents = link_files.read_flows(source.orders.read_bytes(), file=str(source.orders))
        label = source.orders.name
    else:
        time_s, investor, channel, cents = simulate_flows(
            terms, seed=source.seed, flows=source.count, value=source.value, out_share=source.share
        )
        label = f"simulated, seed {source.seed}"
    if (np.diff(time_s) < 0).any():
        message = "a flow is before the one ahead of it"
        raise refuse(RejectionReason.MALFORMED, message, file=label, field="time", remedy="sort the file by time")
    flows = FlowQuotas()
    flows.open_day(terms)
    moments, codes = [], []
    for low, high, end_s in _slices(time_s, terms):
        codes.append(flows.use(investor[low:high], channel[low:high], cents[low:high]))
        refused = _refused(codes[-1])
        moments.append(QuotaMoment(time=_clock(end_s), left_cents=flows.left_cents(), refused=refused))
    code = np.concatenate(codes)
    what = [
        f"flow of investor {one}, {Amount(amount, terms.currency)}"
        for one, amount in zip(investor.tolist(), cents.tolist(), strict=True)
    ]
    return _day(rules, terms, day, label, code, time_s, what, moments)


def _day(
    rules: LinkRules, terms: LinkDayTerms, day: date, label: str, code: npt.NDArray[np.int8], time_s: Int64,
    what: list[str], moments: list[QuotaMoment], unsent: int = 0,
) -> LinkDay:  # fmt: skip
    bad = np.flatnonzero(code != ACCEPTED)
    samples = tuple(
        f"{_clock(int(time_s[place]))} {what[place]}: {word(int(code[place]))}, {RESULTS[int(code[place])][1]}"
        for place in bad[:SAMPLES].tolist()
    )
    return LinkDay(
        link=rules.name,
        direction=terms.direction,
        date=day,
        currency=terms.currency,
        source=label,
        quota_cents={one.kind: one.amount_cents for one in terms.quotas},
        messages=int(code.size),
        accepted=int(code.size - bad.size) - unsent,
        unsent=unsent,
        refused=_refused(code),
        moments=tuple(moments),
        samples=samples,
    )


def _orders(terms: LinkDayTerms, day: OrderDay, source: LinkDaySource) -> tuple[Messages, link_files.Names, str]:
    """Return the day's messages, and take the snapshot of holdings."""
    names = link_files.Names()
    if source.orders is None:
        drawn = simulate_orders(
            terms, seed=source.seed, orders=source.count, value=source.value, buy_share=source.share
        )
        _hold_alike(day, drawn)
        return drawn.messages, names, f"simulated, seed {source.seed}"
    messages, _ = link_files.read_orders(source.orders.read_bytes(), names, file=str(source.orders))
    if source.holdings is not None:
        day.snapshot.take(*link_files.read_holdings(source.holdings.read_bytes(), names, file=str(source.holdings)))
    elif terms.pre_trade != PreTradeCheck.NONE and (messages.kind == SELL).any():
        message = "sells are held against what was held before the open, and no holdings are given"
        raise refuse(RejectionReason.MISSING, message, field="--holdings", remedy="give a file of holdings")
    return messages, names, source.orders.name


def _hold_alike(day: OrderDay, drawn: SimulatedOrders) -> None:
    """Give every simulated participant the same holding of every security: most sells fit, not all."""
    who, what = (part.ravel() for part in np.meshgrid(np.arange(drawn.participants), np.arange(drawn.securities)))
    held = np.full(who.size, drawn.held, np.int64)
    day.snapshot.take(who.astype(np.int64), np.zeros(who.size, np.int64), what.astype(np.int64), held)


def _registers(
    terms: LinkDayTerms, source: LinkDaySource, messages: Messages, names: link_files.Names
) -> tuple[ClientIds, SegregatedAccounts]:  # fmt: skip
    """Return client ids (without a file: all that appear) and segregated accounts."""
    clients, accounts = ClientIds(), SegregatedAccounts()
    if source.clients is not None:
        participant, client = link_files.read_clients(source.clients.read_bytes(), names, file=str(source.clients))
    else:
        shown = (messages.kind <= SELL) & (messages.client > 0)
        participant, client = messages.participant[shown], messages.client[shown]
    clients.map(participant, client, terms.day - max(terms.client_days, 0))
    if source.accounts is not None:
        brokers = link_files.read_accounts(source.accounts.read_bytes(), names, file=str(source.accounts))
        for investor, named in brokers.items():
            if terms.brokers_max and len(named) > terms.brokers_max:
                message = f"{len(named)} designated brokers, {terms.brokers_max} at most"
                raise refuse(RejectionReason.LIMIT, message, file=str(source.accounts), subject=f"investor {investor}")
            accounts.register(investor, 0, named)
    return clients, accounts


def _slices(time_s: Int64, terms: LinkDayTerms) -> list[tuple[int, int, int]]:
    """Return (first, behind the last, second of the day) of each half hour with sessions, and of what is outside."""
    ends = sorted({
        min(second + HALF_HOUR_S - second % HALF_HOUR_S, one.end_s)
        for one in terms.sessions
        for second in range(one.start_s, one.end_s, HALF_HOUR_S // 6)
    })  # fmt: skip
    whole = [end for end in ends if end % HALF_HOUR_S == 0 or end in {one.end_s for one in terms.sessions}]
    bounds = [*np.searchsorted(time_s, whole).tolist(), time_s.size]
    starts = [0, *bounds[:-1]]
    found = list(zip(starts, bounds, [*whole, DAY_SECONDS - 1], strict=True))
    return [one for one in found[:-1] if one[1] > one[0]] + [one for one in found[-1:] if one[1] > one[0]]


def _moment(orders: OrderDay, end_s: int, codes: npt.NDArray[np.int8]) -> QuotaMoment:
    figures = orders.figures()
    return QuotaMoment(
        time=_clock(end_s),
        left_cents={QuotaKind.DAILY_NET_BUY: figures["balance_e4"] // CENT_E4},
        buy_orders_cents=figures["buy_orders_e4"] // CENT_E4,
        sell_trades_cents=figures["sell_trades_e4"] // CENT_E4,
        adjustments_cents=figures["adjustments_e4"] // CENT_E4,
        closed=orders.closed,
        refused=_refused(codes),
    )


def _refused(codes: npt.NDArray[np.int8]) -> dict[str, int]:
    counts = Counter(word(code) for code in codes[codes != ACCEPTED].tolist())
    return dict(sorted(counts.items()))


def _kinds(messages: Messages) -> list[str]:
    names = {number: name for name, number in link_files.MESSAGES.items()}
    return [names[kind] for kind in messages.kind.tolist()]


def _clock(second: int) -> str:
    return f"{second // 3_600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
