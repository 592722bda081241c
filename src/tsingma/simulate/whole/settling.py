"""Draws of settlement: orders of one side, pooled and agreed ones, instructions, links, credit, claims, buy-ins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.engine.house import House
from tsingma.journal import commands as do
from tsingma.settlement import instruction as state
from tsingma.settlement.batch import COLUMN_TYPES
from tsingma.settlement.buy_in import RUNNING
from tsingma.settlement.orders import ORDER_COLUMNS, WAITING
from tsingma.settlement.reservation import ACTIVE
from tsingma.simulate.whole.draws import Draws, Make

LAST_SECOND = 86_399
_STOCK = ("00001", "02800", "NEW", "EFN", "CGB")
_ACTIONS = ("hold", "hold", "release", "cancel", "keep", "prioritise", "permit-parts", "refuse-parts", "release-part")


class SettlingDraws(Draws):
    """Orders come one, a few or many commands in a row, as a house takes them in together."""

    def makers(self) -> Sequence[Make]:
        """Return the draws of settlement."""
        return (
            self.orders, self.orders, self.orders, self.pooled, self.pooled, self.agreed, self.capture, self.capture,
            self.change, self.change, self.change, self.change_order, self.change_order, self.link, self.credit,
            self.reserve, self.reserve, self.end_reservation, self.together, self.together, self.claims, self.start,
            self.start, self.report, self.report, self.buy_in_short, self.buy_in_short,
        )  # fmt: skip

    def _command(self, house: House, rows: list[dict[str, int]], code: str) -> do.Command:
        names = [name for name in ORDER_COLUMNS if any(name in row for row in rows)]
        columns = {
            name: pack([row.get(name, ORDER_COLUMNS[name][1] or 0) for row in rows], ORDER_COLUMNS[name][0])
            for name in names
        }
        return do.SubmitInstructions("simulated", code, LAST_SECOND, columns)

    def _order(self, house: House, account: int, other: int) -> dict[str, int]:
        owners, day = house.resolved.account_participant, house.position.day
        kind = self.pick((state.DVP, state.DVP, state.DVP, state.FOP, state.PFOD))
        stock, money = kind != state.PFOD, kind != state.FOP
        return {
            "reference": self.fresh(), "account": account, "counterparty": int(owners[other]),
            "delivers": self.number(0, 2), "trade_day": day, "intended_day": day, "kind": kind,
            "security": self.security(house, self.pick(_STOCK)) if stock else -1,
            "currency": self.pick((0, 0, 1)) if money else -1, "quantity": 100 * self.number(1, 30) if stock else 0,
            "amount_cents": self.amount(10**7) if money else 0, "hold": int(self.happens(0.1)),
        }  # fmt: skip

    def _answer(self, house: House, number: int) -> dict[str, int]:
        """Return the other side of an order that waits."""
        table, owners = house.settlement.orders.table, house.resolved.account_participant
        one = {name: int(table[name][number]) for name in ORDER_COLUMNS}
        mine = [account for account in self.whole.firms if owners[account] == one["counterparty"]]
        return {
            **{name: one[name] for name in ("trade_day", "intended_day", "kind", "security", "currency", "quantity",
                                            "amount_cents")},
            "reference": self.fresh(), "account": self.pick(mine), "counterparty": int(table["participant"][number]),
            "delivers": 1 - one["delivers"], "hold": int(self.happens(0.1)),
        }  # fmt: skip

    def _waiting(self, house: House) -> list[int]:
        found: list[int] = np.flatnonzero(house.settlement.orders.table["status"] == WAITING).tolist()
        return found

    def orders(self, house: House) -> do.Command | None:
        """Send orders of one participant, some of them the other side of what waits."""
        account, other = self.two_firms()
        code = self.participant(house, account)
        owner = house.resolved.account_participant[account]
        table = house.settlement.orders.table
        asked = [one for one in self._waiting(house) if table["counterparty"][one] == owner]
        rows = [self._answer(house, one) for one in self.some(asked, 0.7)]
        rows += [self._order(house, account, other) for _ in range(self.number(0 if rows else 1, 4))]
        return self._command(house, rows, code if self.happens(0.7) else "")

    def pooled(self, house: House) -> do.Command | None:
        """Send both sides of an order that belongs to a pool of two: it settles when the other one has come."""
        account, other = self.two_firms()
        owners = house.resolved.account_participant
        first = self._order(house, account, other)
        pool = self.number(1, 4)
        second = {**first, "reference": self.fresh(), "account": other, "counterparty": int(owners[account]),
                  "delivers": 1 - first["delivers"]}  # fmt: skip
        pooled = [{**first, "pool": pool, "pool_size": 2}, second]
        return self._command(house, pooled if self.happens(0.7) else pooled[:1], "")

    def agreed(self, house: House) -> do.Command | None:
        """Send an order that both sides agreed elsewhere."""
        account, other = self.two_firms()
        row = {**self._order(house, account, other), "matched": 1, "counterparty_account": other}
        return self._command(house, [row], "")

    def capture(self, house: House) -> do.Command | None:
        """Take matched instructions in."""
        rows = []
        for _ in range(self.number(1, 4)):
            giver, taker = self.two_firms()
            stock = self.happens(0.9)
            security = self.security(house, self.pick(_STOCK)) if stock else -1
            units = 100 * self.number(1, 60) if stock else 0
            cents = self.amount(10**8) if not stock or self.happens(0.8) else 0
            rows.append((self.fresh(), giver, taker, security, units, self.number(0, 2), cents, self.number(0, 4)))
        names = ("reference", "deliverer", "receiver", "security", "quantity", "currency", "amount_cents", "priority")
        columns = {name: pack([row[place] for row in rows], COLUMN_TYPES[name]) for place, name in enumerate(names)}
        day = house.position.day - self.pick((0, 1, 2, 12, 25))
        return do.CaptureInstructions(source="simulated", intended_day=day, **columns)

    def _party(self, house: House, number: int) -> str:
        table = house.settlement.instructions.table
        side = self.pick(("deliverer", "receiver", "house"))
        return "HKSCC" if side == "house" else self.participant(house, int(table[side][number]))

    def _pending(self, house: House) -> list[int]:
        status = house.settlement.instructions.table["status"]
        found: list[int] = np.flatnonzero((status != state.SETTLED) & (status != state.CANCELLED)).tolist()
        return found

    def change(self, house: House) -> do.Command | None:
        """Let a party or the house act on an instruction."""
        pending = self._pending(house)
        if not pending:
            return None
        number = self.pick(pending)
        action = self.pick(_ACTIONS)
        value = 100 * self.number(1, 9) if action == "release-part" else self.number(0, 4)
        return do.ChangeInstruction(number, action, self._party(house, number), value)

    def change_order(self, house: House) -> do.Command | None:
        """Change an order that waits."""
        waiting = self._waiting(house)
        if not waiting:
            return None
        number = self.pick(waiting)
        code = self.whole.book.participants[int(house.settlement.orders.table["participant"][number])].code
        action = self.pick(("cancel", "hold", "release", "permit-parts", "refuse-parts", "prioritise"))
        return do.ChangeOrder(number, action, code, self.number(2, 4))

    def link(self, house: House) -> do.Command | None:
        """Link two or three instructions as the house."""
        pending = self._pending(house)
        if len(pending) < 2:
            return None
        chosen = sorted({self.pick(pending) for _ in range(3)})
        if len(chosen) < 2:
            return None
        return do.LinkInstructions(self.pick(("together", "before", "after")), tuple(chosen), "HKSCC")

    def credit(self, house: House) -> do.Command | None:
        """Give an account intraday credit."""
        cap = self.pick((-1, 0, self.amount(10**9)))
        return do.SetCreditLine(self.firm(), self.number(0, 2), self.amount(10**8), cap, self.pick((0, 10**7)))

    def reserve(self, house: House) -> do.Command | None:
        """Set something aside, for an instruction or for none."""
        rich = self.rich(house)
        if not rich:
            return None
        account, asset, free = self.pick(rich)
        mine = [one for one in self._pending(house)
                if house.settlement.instructions.table["deliverer"][one] == account]  # fmt: skip
        number = self.pick(mine) if mine and self.happens(0.4) else -1
        day = house.position.day + self.number(0, 3)
        return do.ReserveAssets(self.participant(house, account), account, asset, self.amount(free), day, number)

    def end_reservation(self, house: House) -> do.Command | None:
        """Give a reservation back."""
        table = house.settlement.reservations.table
        active = np.flatnonzero(table["status"] == ACTIVE).tolist()
        if not active:
            return None
        number = self.pick(active)
        return do.EndReservation(number, self.participant(house, int(table["account"][number])))

    def together(self, house: House) -> do.Command | None:
        """Propose that instructions settle at one instant."""
        ready = np.flatnonzero(np.isin(house.settlement.instructions.table["status"], (state.MATCHED, state.FAILING)))
        chosen = self.some(ready.tolist(), 0.6)
        return do.SettleTogether("simulated", pack(chosen, "i4")) if chosen else None

    def claims(self, house: House) -> do.Command | None:
        """Collect what accounts owe each other."""
        return do.CollectClaims() if self.happens(0.4) else None

    def start(self, house: House) -> do.Command | None:
        """Have an agent buy in what fails."""
        table = house.settlement.instructions.table
        late = [one for one in self._pending(house)
                if table["kind"][one] == state.DVP and table["intended_day"][one] < house.position.day]  # fmt: skip
        if not late:
            return None
        number = self.pick(late)
        parties = (int(table["deliverer"][number]), int(table["receiver"][number]))
        holders = [one[0] for one in self.rich(house, [int(table["asset"][number])]) if one[0] not in parties]
        agent = self.pick(holders) if holders else self.firm()
        return do.StartBuyIn(number, agent, self.participant(house, int(table["receiver"][number])))

    def report(self, house: House) -> do.Command | None:
        """Report what the agent bought."""
        running = np.flatnonzero(house.settlement.buy_ins.table["status"] == RUNNING).tolist()
        if not running:
            return None
        number = int(house.settlement.buy_ins.table["instruction"][self.pick(running)])
        table = house.settlement.instructions.table
        agent = int(house.settlement.buy_ins.table["agent"][house.settlement.buy_ins.running(number)])
        there = self.free(house, agent, int(table["asset"][number]))
        bought = self.amount(max(min(int(table["open_quantity"][number]), there), 1))
        receiver = self.participant(house, int(table["receiver"][number]))
        return do.ReportBuyIn(number, bought, 300_000, self.amount(10_000), self.happens(0.5), receiver)

    def buy_in_short(self, house: House) -> do.Command | None:
        """Buy in a short position that is old enough."""
        positions = house.settlement.positions
        short = np.flatnonzero((positions.open < 0) & (positions.since_day < house.position.day)).tolist()
        if not short:
            return None
        line = self.pick(short)
        account, security = int(positions.account[line]), int(positions.security[line])
        holders = [one for one in self.rich(house, [security + len(CURRENCIES)]) if one[0] != account]
        agent = self.pick(holders)[0] if holders else self.firm()
        return do.BuyInShort(account, security, agent, self.amount(-int(positions.open[line])), 300_000)
