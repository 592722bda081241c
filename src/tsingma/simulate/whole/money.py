"""Draws of money in real time: payments, pairs, queues, intraday repo, the mainland, small payments, wallets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.engine.house import House
from tsingma.engine.payments import COLUMNS
from tsingma.journal import payment_commands as do
from tsingma.journal.commands import Command
from tsingma.kernels.payments import QUEUED
from tsingma.settlement.gross_money.mainland import SENT
from tsingma.settlement.gross_money.systems import END_S
from tsingma.simulate.whole.draws import CNY, HKD, Draws, Make

OPEN_S, LATE_S = 30_600, 68_000  # from the opening of the systems to after their close


class MoneyDraws(Draws):
    """The day of money has a clock of its own, which only goes on."""

    def makers(self) -> Sequence[Make]:
        """Return the draws of money."""
        return (
            self.submit, self.submit, self.ring, self.ring, self.pairs, self.own, self.change, self.change, self.run,
            self.settle, self.settle, self.draw, self.draw, self.repay, self.earmark, self.withdraw, self.receive,
            self.answer, self.small, self.small, self.open_wallet, self.move_wallet, self.move_wallet,
            self.pay_reserved,
        )  # fmt: skip

    def now(self, house: House) -> int:
        """Return the time of money on the open day, the opening hour before the first command on it."""
        return house.money.clock_s if house.money.day == house.position.day else 0

    def _time(self, house: House) -> int:
        now = max(self.now(house), OPEN_S)
        return min(now + self.pick((0, 0, 60, 900, self.number(0, 6_000))), END_S)

    def _columns(self, rows: list[dict[str, int]]) -> dict[str, bytes]:
        names = [name for name in COLUMNS if any(name in row for row in rows)]
        return {name: pack([row.get(name, COLUMNS[name][1] or 0) for row in rows], COLUMNS[name][0]) for name in names}

    def _payment(self, house: House) -> dict[str, int]:
        payer, payee = self.two_firms()
        asset = self.pick((HKD, HKD, CNY, 2, 3))
        much = self.free(house, payer, asset)
        row = {"reference": self.fresh(), "payer": payer, "payee": payee, "asset": asset,
               "amount": self.amount(max(2 * much, 10)), "priority": self.number(0, 3), "on_behalf": self.number(0, 2),
               "due_s": -1}  # fmt: skip
        if self.happens(0.1):
            row |= {"due_s": min(self.now(house) + self.number(0, 9_000), END_S)}
        return row

    def submit(self, house: House) -> Command | None:
        """Send payments as the house's intake, a part of them over the link."""
        rows = [self._payment(house) for _ in range(self.number(1, 6))]
        for row in rows:
            if row["asset"] == CNY and self.happens(0.4):
                row |= {"mainland": 1, "payee": 0}
        return do.SubmitPayments("simulated", "", self._time(house), self._columns(rows))

    def pairs(self, house: House) -> Command | None:
        """Send two legs that settle at one instant: two monies, or securities against money."""
        first = self._payment(house)
        owner = house.resolved.account_participant
        if owner[first["payer"]] == owner[first["payee"]]:
            return None
        stock = [one for one in self.rich(house) if one[0] == first["payer"] and one[1] >= len(CURRENCIES)]
        if stock and self.happens(0.4):
            _, asset, free = self.pick(stock)
            first |= {"asset": asset, "amount": self.amount(free)}
        money = self.pick([one for one in range(len(CURRENCIES)) if one != first["asset"]])
        second = {**first, "payer": first["payee"], "payee": first["payer"], "asset": money,
                  "amount": self.amount(10**6), "reference": self.fresh()}  # fmt: skip
        pair = self.fresh()
        rows = [{**row, "pair": pair, "due_s": -1} for row in (first, second)]
        return do.SubmitPayments("simulated", "", self._time(house), self._columns(rows))

    def ring(self, house: House) -> Command | None:
        """Send payments around three accounts, each more than its payer has: they settle together or wait."""
        around = self.chance.choice(list(self.whole.firms), 3, replace=False).tolist()
        asset = self.pick((HKD, CNY))
        amount = max(self.free(house, account, asset) for account in around) + self.amount(10**6)
        pairs = zip(around, (*around[1:], around[0]), strict=True)
        rows = [{"reference": self.fresh(), "payer": payer, "payee": payee, "asset": asset, "amount": amount,
                 "priority": 2, "due_s": -1} for payer, payee in pairs]  # fmt: skip
        return do.SubmitPayments("simulated", "", self._time(house), self._columns(rows))

    def own(self, house: House) -> Command | None:
        """Send one payment as its payer."""
        row = self._payment(house)
        code = self.participant(house, row["payer"])
        return do.SubmitPayments("simulated", code, self._time(house), self._columns([row]))

    def _queued(self, house: House) -> list[int]:
        if house.money.day != house.position.day:
            return []
        found: list[int] = np.flatnonzero(house.money.payments.table["status"] == QUEUED).tolist()
        return found

    def change(self, house: House) -> Command | None:
        """Cancel or move a queued payment, mostly as its payer."""
        queued = self._queued(house)
        if not queued:
            return None
        number = self.pick(queued)
        payer = int(house.ledger.owner[house.money.payments.table["debit"][number]])
        code = self.participant(house, payer if self.happens(0.9) else self.firm())
        action = self.pick(("cancel", "first", "last"))
        return do.ChangePayment(number, action, code, max(self.now(house), OPEN_S), self.number(0, 3))

    def run(self, house: House) -> Command | None:
        """Move the time on, a few times to the close; offset the queues in half of them."""
        time_s = max(self._time(house), LATE_S if self.happens(0.03) else 0)
        return do.RunPayments(time_s, self.pick(("", "multilateral")))

    def settle(self, house: House) -> Command | None:
        """Settle a set of queued payments on its net."""
        queued = self._queued(house)
        if not queued:
            return None
        chosen = queued if self.happens(0.5) else self.some(queued)
        return do.SettlePayments("simulated", self.now(house), pack(chosen, "i4"))

    def _paper(self, house: House) -> tuple[int, int, int, int] | None:
        bonds = {self.asset(house, "EFN"): HKD, self.asset(house, "CGB"): CNY}
        rich = self.rich(house, bonds)
        if not rich or self.now(house) < OPEN_S:
            return None
        account, asset, free = self.pick(rich)
        return account, bonds[asset], asset - len(CURRENCIES), self.amount(free)

    def draw(self, house: House) -> Command | None:
        """Borrow against paper."""
        paper = self._paper(house)
        if paper is None:
            return self.run(house)
        account, currency, security, quantity = paper
        cents = self.amount(quantity * 8_000)
        code = self.participant(house, account)
        return do.DrawIntradayRepo(code, account, currency, security, quantity, cents, self.now(house))

    def repay(self, house: House) -> Command | None:
        """Pay a repo back."""
        repos = house.money.repos
        standing = np.flatnonzero(repos.table["repaid_day"] == 0).tolist()
        if not standing:
            return None
        number = self.pick(standing)
        code = self.participant(house, int(repos.table["account"][number]))
        return do.RepayIntradayRepo(code, number, self.now(house))

    def earmark(self, house: House) -> Command | None:
        """Earmark paper."""
        paper = self._paper(house)
        if paper is None:
            return None
        account, currency, security, quantity = paper
        code = self.participant(house, account)
        return do.EarmarkPaper(code, account, currency, security, quantity, self.now(house))

    def withdraw(self, house: House) -> Command | None:
        """Take earmarked paper back."""
        lines = house.money.repos.lines.table
        standing = np.flatnonzero(lines["ended_day"] == 0).tolist()
        if not standing:
            return None
        line = self.pick(standing)
        return do.WithdrawPaper(self.participant(house, int(lines["account"][line])), line, self.now(house))

    def receive(self, house: House) -> Command | None:
        """Renminbi arrives on the other side."""
        accounts = self.some(self.whole.firms, 0.3) or [self.firm()]
        cents = [self.amount(10**7) for _ in accounts]
        references = [self.fresh() for _ in accounts]
        time_s = max(self.now(house), OPEN_S)
        return do.ReceiveFromMainland(time_s, pack(references, "i8"), pack(accounts, "i4"), pack(cents, "i8"))

    def answer(self, house: House) -> Command | None:
        """The other side confirms or returns."""
        sent = np.flatnonzero(house.money.mainland.table["status"] == SENT).tolist()
        chosen = self.some(sent) or sent[:1]
        if not chosen:
            return None
        time_s = max(self.now(house), OPEN_S)
        return do.AnswerFromMainland(time_s, pack(chosen, "i4"), pack([self.number(0, 2) for _ in chosen], "i1"))

    def small(self, house: House) -> Command | None:
        """Persons pay each other, and across."""
        rows = []
        for _ in range(self.number(1, 5)):
            purpose = self.number(0, 3)
            payer, payee = self.two_firms()
            currency = (self.number(0, 2), HKD, CNY)[purpose]
            rows.append((self.number(1, 5), payer, payee, currency, purpose, self.amount(10**6)))
        kinds = ("i8", "i4", "i4", "i1", "i1", "i8")
        columns = [pack([row[place] for row in rows], kind) for place, kind in enumerate(kinds)]
        return do.SendSmallPayments(house.position.day, *columns)

    def open_wallet(self, house: House) -> Command | None:
        """Open a wallet or change its tier."""
        return do.OpenWallet(self.number(1, 5), self.firm(), self.number(1, 5), house.position.day)

    def move_wallet(self, house: House) -> Command | None:
        """Top up, pay or cash."""
        wallets = len(house.money.wallets)
        if not wallets:
            return None
        move = self.pick(("top-up", "top-up", "pay", "cash"))
        return do.MoveWallet(self.number(0, wallets), move, self.firm(), self.amount(300_000), house.position.day)

    def pay_reserved(self, house: House) -> Command | None:
        """Commit a reservation."""
        table = house.settlement.reservations.table
        active = np.flatnonzero((table["status"] == 0) & (table["instruction"] < 0)).tolist()
        if not active:
            return None
        number = self.pick(active)
        code = self.participant(house, int(table["account"][number]))
        return do.PayReserved(number, code, self.firm())
