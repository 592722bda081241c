"""Figures of a link's day, as they are shown and written: by direction, by day, along the chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import msgspec
import numpy as np

from tsingma.app.link_book import DirectionBook
from tsingma.app.link_orders import ALLOTTED, BUY, CONTRACTS, Orders, Routed
from tsingma.basics.money import CURRENCIES
from tsingma.clearing.trades import Trades
from tsingma.engine.house import House
from tsingma.journal.events import DayClosed, MarginCalled, StepRun
from tsingma.journal.link_events import MarginLodged, MoneyConverted
from tsingma.links.rule_rows import Product


class DirectionFigures(msgspec.Struct, kw_only=True):
    """One direction: orders, trades, their net, quota left, charges, and what settled of them; amounts in cents."""

    direction: str
    market: str
    currency: str
    settles: str
    margin: str
    orders: int
    refused: dict[str, int]
    trades: int
    bought_cents: int
    sold_cents: int
    net_buy_cents: int
    quota_left_cents: dict[str, int]
    note: str
    charges_cents: dict[str, int] = {}
    prefunded_cents: dict[str, int] = {}
    converted_cents: dict[str, int] = {}
    steps: list[dict[str, object]] = []

    @classmethod
    def of(cls, one: DirectionBook, orders: Orders, routed: Routed, trades: Trades) -> Self:
        """Return the figures of a direction before anything has settled."""
        plan = one.plan
        amount = orders.cents(routed.traded)
        bought = int(amount[orders.side == BUY].sum())
        sold = int(amount[orders.side != BUY].sum())
        row = plan.margin
        model = f"{row.model}" if row else "none: no central counterparty"
        if plan.rule.flat_margin_e10:
            model += f", {plan.rule.flat_margin_e10 / 1e8:g} %"
        cycle = f"trade for trade, delivery against payment on T+{plan.rule.stock_days}"
        if plan.cleared:
            days = f"stock T+{plan.rule.stock_days}, money T+{plan.rule.money_days}"
            cycle = f"net, by continuous net settlement; {days}"
        if set(orders.product) <= set(plan.left_out):
            cycle = "not settled in this house: held against its quota only"
        elif set(orders.product) <= CONTRACTS:
            cycle = "contracts, novated and marked each evening; variation margin in " + plan.currency
        note = routed.note
        if Product.NEW_SHARE in orders.product:
            asked = int(orders.cents(orders.quantity)[routed.accepted].sum())
            note = (
                f"subscribed {plan.currency} {asked / 100:,.2f}, allotted {ALLOTTED[0]} of {ALLOTTED[1]} in whole lots"
            )
        return cls(
            direction=plan.name, market=plan.rule.code, currency=plan.currency,
            settles=cycle,
            margin=model, orders=orders.size, refused=routed.refused, trades=int((routed.traded > 0).sum()),
            bought_cents=bought, sold_cents=sold, net_buy_cents=bought - sold, quota_left_cents=routed.quota,
            note=note, charges_cents={}, prefunded_cents={}, converted_cents={}, steps=[],
        )  # fmt: skip

    def take(self, event: StepRun, day: str) -> None:
        """Keep what a step of this direction's own market settled."""
        if event.step.startswith(f"{self.market}/"):
            figures = {name: value for name, value in event.figures.items() if value and name in _SHOWN}
            if figures:
                self.steps.append({"day": day, "step": event.step.removeprefix(f"{self.market}/"), **figures})

    def charged(self, before: dict[tuple[str, str], int], after: dict[tuple[str, str], int]) -> None:
        """Keep what was accrued between two readings of the charge book, cents by currency."""
        for (line, unit), cents in after.items():
            more = cents - before.get((line, unit), 0)
            if more:
                self.charges_cents[unit] = self.charges_cents.get(unit, 0) + more

    def converted(self, event: MoneyConverted, *, sold: int, bought: int) -> None:
        """Add what was exchanged."""
        for unit, cents, sign in ((sold, event.sold_cents, "sold"), (bought, event.bought_cents, "bought")):
            name = f"{sign} {CURRENCIES[unit]}"
            self.converted_cents[name] = self.converted_cents.get(name, 0) + cents


class LinkRun(msgspec.Struct, kw_only=True):
    """A link's whole day: what was traded, what settled when, margin, the chain, and the proof of the journal."""

    link: str
    title: str
    status: str
    assumptions: tuple[str, ...]
    simulated: str
    day: str
    directions: list[DirectionFigures]
    left_out: list[str]
    margin_at_close_hkd_cents: int
    lodged_at_close_cents: dict[str, int]
    days: list[dict[str, object]]
    futures: list[dict[str, object]]
    swaps: list[dict[str, object]]
    chains: list[dict[str, object]]
    records: int
    state_hash: str
    faults: list[str]
    checked: list[str]


_SHOWN = {
    "shares", "deliveries", "receipts", "open_deliveries", "settled", "released_shares", "payment_failures",
    *(f"{name}_{unit}_cents" for name in ("paid_in", "paid_out", "unpaid", "settled") for unit in CURRENCIES),
}  # fmt: skip


def day_row(
    day: str, steps: Sequence[StepRun], called: MarginCalled, lodged: Sequence[MarginLodged], closed: DayClosed
) -> dict[str, object]:
    """Return one business day: what was settled, called, lodged and what failed."""
    figures = closed.figures
    last = steps[-1].figures if steps else {}
    return {
        "day": day,
        "stock_settled": figures["stock_settled"],
        "stock_open": figures["stock_open"],
        "instructions_settled": figures["instructions_settled"],
        "money_settled_cents": {
            unit: figures[f"money_settled_{unit}_cents"]
            for unit in CURRENCIES
            if figures[f"money_settled_{unit}_cents"]
        },
        "failed_positions": last.get("failed_positions", 0),
        "instructions_failing": figures["instructions_failing"],
        "late_fee_HKD_cents": last.get("late_fee_HKD_cents", 0),
        "charges_cents": {name: cents for name, cents in figures.items() if name.startswith("charge|")},
        "margin_called_HKD_cents": called.requirement_cents,
        "margin_shortfall_HKD_cents": called.shortfall_cents,
        "lodged_cents": {f"{one.lodger} with {one.holder}": one.lodged_cents for one in lodged},
        "checked": len(closed.checked),
    }


def chain_rows(house: House) -> list[dict[str, object]]:
    """Return units held at every level of every chain, bottom to top: each level must sum to the same."""
    rows: list[dict[str, object]] = []
    for chain in house.chains.chains:
        for level, terms in enumerate(chain.terms.levels):
            places = [place for place, one in enumerate(chain.terms.holders) if one.level == level]
            held = chain.held[places]
            rows.append(
                {
                    "direction": chain.terms.direction,
                    "holder": terms.holder,
                    "account": terms.account,
                    "books_of": terms.books_of,
                    "holders": len(places),
                    "units": int(held.sum()),
                    "in_the_ledger": bool(np.any([chain.terms.holders[place].account >= 0 for place in places])),
                }
            )
    return rows
