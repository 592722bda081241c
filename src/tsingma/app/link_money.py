"""Money of one direction's investors: set aside where orders are prefunded, exchanged to pay, brought home again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tsingma.app.link_book import DirectionBook, LinkBook
from tsingma.app.link_figures import DirectionFigures
from tsingma.app.link_orders import BUY, CONTRACTS, Once, Orders, Routed
from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.journal.commands import EndReservation, ReserveAssets
from tsingma.journal.events import AssetsReserved
from tsingma.journal.link_commands import ConvertMoney
from tsingma.journal.link_events import MoneyConverted
from tsingma.settlement.instruction import FAILING, MATCHED, ON_HOLD


@dataclass(slots=True)
class LinkMoney:
    """What moves between the investors' money and the market's in one direction; ``working_cents`` stay for charges."""

    book: LinkBook
    one: DirectionBook
    figures: DirectionFigures
    working_cents: int
    set_aside: dict[int, tuple[int, int]] = field(default_factory=dict)  # account: (reservation, cents)

    def prefund(self, once: Once, house: House, orders: Orders, routed: Routed, last_day: int) -> None:
        """Set aside what the accepted buys may cost, where the rule has them prefunded and they settle one by one."""
        plan = self.one.plan
        if not plan.prefunded or plan.cleared or set(orders.product) <= CONTRACTS:
            return
        unit, own = CURRENCIES.index(plan.currency), CURRENCIES.index(plan.investor_currency)
        cents = orders.cents(orders.quantity)
        for account in self.one.home:
            mine = routed.accepted & (orders.account == account) & (orders.side == BUY)
            amount = -(-int(cents[mine].sum()) * house.fx_e6[unit] // house.fx_e6[own])
            if amount:
                code = self.book.resolved.book.accounts[account].participant
                command = ReserveAssets(code, account, own, amount, last_day)
                event = once(f"{plan.name}/prefund/{account}", lambda command=command: command)  # type: ignore[misc]
                if isinstance(event, AssetsReserved):
                    self.set_aside[account] = (event.reservation, amount)
        self._count("set aside", sum(amount for _, amount in self.set_aside.values()))

    def give_back(self, once: Once) -> None:
        """End what was set aside: what is due is paid from it, the rest is the investors' again."""
        for account, (reservation, _) in sorted(self.set_aside.items()):
            code = self.book.resolved.book.accounts[account].participant
            command = EndReservation(reservation, code)
            once(f"{self.one.plan.name}/give-back/{account}", lambda command=command: command)  # type: ignore[misc]
        self.set_aside = {}

    def pay_net(self, once: Once, house: House) -> None:
        """Buy what accounts must pay at the next money step."""
        positions = house.settlement.positions
        unit = CURRENCIES.index(self.one.plan.currency)
        needs: dict[int, int] = {}
        lines = (positions.money_account, positions.money_currency, positions.pending_cents)
        for account, currency, cents in zip(*(column.tolist() for column in lines), strict=True):
            if account in self.one.home and currency == unit:
                needs[account] = needs.get(account, 0) + cents
        self._convert(once, needs, "before", sells=False)

    def pay_gross(self, once: Once, house: House, day: int) -> None:
        """Buy what accounts must pay today for trades that settle one by one."""
        table = house.settlement.instructions.table
        unit = CURRENCIES.index(self.one.plan.currency)
        due = np.isin(table["status"], (MATCHED, ON_HOLD, FAILING)) & (table["intended_day"] <= day)
        needs: dict[int, int] = {}
        for row in np.flatnonzero(
            due & (table["currency"] == unit) & np.isin(table["receiver"], self.one.home)
        ).tolist():
            account = int(table["receiver"][row])
            needs[account] = needs.get(account, 0) + int(table["amount_cents"][row])
        if self.set_aside and needs:
            self.give_back(once)
            self._count("paid from it", self._convert(once, needs, "before", sells=False) or sum(needs.values()))
        else:
            self._convert(once, needs, "before", sells=False)

    def bring_home(self, once: Once, house: House) -> None:
        """Sell what accounts hold of a money that is not their investors', beyond what they came with for charges."""
        unit = CURRENCIES.index(self.one.plan.currency)
        rows = {account: house.ledger.find(account, unit) for account in self.one.home}
        left = {
            account: int(house.ledger.available(np.array([row]))[0]) - self.working_cents
            for account, row in rows.items()
            if row >= 0
        }
        self._convert(once, left, "after", sells=True)

    def _convert(self, once: Once, needs: Mapping[int, int], when: str, *, sells: bool) -> int:
        """Exchange through the rule's converter where the monies differ; returns cents of the investors' money."""
        plan = self.one.plan
        chosen = {account: cents for account, cents in sorted(needs.items()) if cents > 0}
        if plan.investor_currency == plan.currency or not chosen:
            return 0
        market, own = CURRENCIES.index(plan.currency), CURRENCIES.index(plan.investor_currency)
        cents, none = pack(list(chosen.values()), "i8"), pack([0] * len(chosen), "i8")
        accounts = pack(list(chosen), "i4")
        command = (
            ConvertMoney(plan.converted_by, market, own, accounts, cents, none)
            if sells
            else ConvertMoney(plan.converted_by, own, market, accounts, none, cents)
        )
        event = once(f"{plan.name}/convert-{when}", lambda: command)
        if not isinstance(event, MoneyConverted):
            raise refuse(RejectionReason.CONFLICT, f"answered with {type(event).__name__}", field="convert")
        self.figures.converted(event, sold=command.sell, bought=command.buy)
        return event.bought_cents if sells else event.sold_cents

    def _count(self, what: str, cents: int) -> None:
        if cents:
            self.figures.prefunded_cents[f"{what} {self.one.plan.investor_currency}"] = cents
