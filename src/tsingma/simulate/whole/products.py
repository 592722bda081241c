"""Draws of repo, funds, gold and the delivery of bond and currency futures."""

from __future__ import annotations

from collections.abc import Sequence

from tsingma.basics.money import CURRENCIES
from tsingma.custody.gold import IN_VAULT, Bar
from tsingma.custody.repo import OPEN, Repo
from tsingma.engine.custody_values import value_of
from tsingma.engine.house import House
from tsingma.journal import custody_commands as do
from tsingma.journal.commands import Command
from tsingma.simulate.whole.book import isin_of
from tsingma.simulate.whole.custody import CustodyDraws
from tsingma.simulate.whole.draws import CNY, USD, Make

CONTRACT_UNITS = 10_000  # of the five-year bond in one contract


class ProductDraws(CustodyDraws):
    """What needs the register has its security entered first."""

    def _entered(self, house: House, *codes: str) -> Command | None:
        """Return the registration of the first of these securities that is not registered, None when all are."""
        known = self.registered(house)
        missing = [code for code in codes if code not in known]
        return do.RegisterSecurity(self.terms(house, missing[0])) if missing else None

    def makers(self) -> Sequence[Make]:
        """Return the draws of products."""
        return (
            self.open_repo, self.open_repo, self.change_collateral, self.roll, self.close, self.publish, self.publish,
            self.deal, self.deal, self.deposit_bar, self.deposit_bar, self.withdraw_bars, self.move_bars,
            self.allocate_metal, self.allocate_metal, self.deliver_bonds, self.currency_future,
        )  # fmt: skip

    def chores(self, house: House) -> list[Command]:
        """Return what must be done about bars before the open day can close: say which bars moved with their units."""
        custody, found = house.custody, []
        lines = custody.holdings.statement(custody.register, house.ledger) if len(custody.bars) else []
        wrong = custody.bars.differences(lines)
        more = [[account, units - bars] for asset, account, units, bars in wrong if units > bars]
        for asset, account, units, bars in wrong:
            serials = [bar.serial for bar in custody.bars.rows if (bar.asset, bar.owner, bar.status)
                       == (asset, account, IN_VAULT)]  # fmt: skip
            for taker in more:
                part = min(len(serials), bars - units, taker[1]) if bars > units else 0
                if part > 0:
                    found.append(do.MoveBars(isin_of("BARS"), account, taker[0], tuple(serials[:part]), booked=True))
                    serials, taker[1], bars = serials[part:], taker[1] - part, bars - part
        return list(found)

    def _isins(self, house: House) -> dict[int, str]:
        return {len(CURRENCIES) + place: isin for place, isin in enumerate(house.resolved.securities)}

    def open_repo(self, house: House) -> Command | None:
        """Sell something and buy it back, for about nine tenths of its worth."""
        known = [self.asset(house, code) for code in ("00001", "02800", "CGB", "CGB5", "EFN")]
        rich = self.rich(house, known)
        if not rich:
            return None
        seller, asset, free = self.pick(rich)
        currency, units = self.pick((0, CNY)), self.amount(free)
        cents = value_of(house, asset, units, currency) or 0
        buyer = self.pick([one for one in self.whole.firms if one != seller])
        end = self.pick((0, 0, self.later(house), self.later(house, 2)))
        return do.OpenRepo(
            seller, buyer, CURRENCIES[currency], max(cents * 9 // 10, 1), self.number(-5, 50) * 10**6, "ACT/365F", end,
            1_050_000_000, (self._isins(house)[asset],), (units,),
        )  # fmt: skip

    def _repos(self, house: House) -> list[tuple[int, Repo]]:
        return [(number, one) for number, one in enumerate(house.custody.repos.rows) if one.status == OPEN]

    def change_collateral(self, house: House) -> Command | None:
        """Give more, or exchange some."""
        repos = self._repos(house)
        if not repos:
            return None
        number, repo = self.pick(repos)
        mine = [one for one in self.rich(house) if one[0] == repo.seller and one[1] >= len(CURRENCIES)]
        if not mine:
            return None
        isins = self._isins(house)
        _, asset, free = self.pick(mine)
        take = repo.collateral[:1] if self.happens(0.4) else ()
        return do.ChangeCollateral(
            number, (isins[asset],), (self.amount(free),), tuple(isins[one] for one, _ in take),
            tuple(self.amount(units) for _, units in take),
        )  # fmt: skip

    def roll(self, house: House) -> Command | None:
        """Go on at another rate."""
        repos = self._repos(house)
        end = self.pick((0, self.later(house), self.later(house, 3)))
        return do.RollRepo(self.pick(repos)[0], self.number(-5, 60) * 10**6, end) if repos else None

    def close(self, house: House) -> Command | None:
        """Buy back."""
        repos = self._repos(house)
        return do.CloseRepo(self.pick(repos)[0]) if repos else None

    def publish(self, house: House) -> Command | None:
        """Publish what a hundred units of the fund are made of."""
        parts = tuple(isin_of(code) for code in self.some(("00001", "02800", "EFN")))
        nav = 100_000 + 1_000 * self.number(0, 20)
        return self._entered(house, "FUND") or do.PublishComposition(
            isin_of("FUND"), 100, parts, tuple(self.number(1, 20) for _ in parts), nav
        )

    def deal(self, house: House) -> Command | None:
        """Create or redeem units, in kind or in money."""
        fund = self.asset(house, "FUND")
        one = house.custody.funds.compositions.get(fund)
        if one is None or one.day != house.position.day:
            return self.publish(house)
        count = self.number(1, 4) * self.pick((1, 1, -1))
        return do.DealUnits(isin_of("FUND"), self.firm(), count, in_cash=self.happens(0.6))

    def deposit_bar(self, house: House) -> Command | None:
        """Bring a kilobar in."""
        account = self.pick((*self.whole.firms, self.other("VAULT")))
        bar = (f"S{self.fresh()}", "REFINER", 1_000_000, self.pick((9_999, 10_000)))
        return self._entered(house, "BARS", "METAL") or do.DepositBar(isin_of("BARS"), account, *bar)

    def _bars(self, house: House) -> list[Bar]:
        return [bar for bar in house.custody.bars.rows if bar.status == IN_VAULT]

    def withdraw_bars(self, house: House) -> Command | None:
        """Take a bar out."""
        bars = self._bars(house)
        if not bars:
            return None
        bar = self.pick(bars)
        return do.WithdrawBars(isin_of("BARS"), bar.owner, (bar.serial,))

    def move_bars(self, house: House) -> Command | None:
        """Give a bar to another."""
        bars = self._bars(house)
        if not bars:
            return None
        bar = self.pick(bars)
        return do.MoveBars(isin_of("BARS"), bar.owner, self.firm(), (bar.serial,), booked=self.happens(0.1))

    def allocate_metal(self, house: House) -> Command | None:
        """Exchange a bar for metal, or metal for a bar of the vault."""
        bars, vault = self._bars(house), self.other("VAULT")
        if not bars:
            return None
        bar = self.pick(bars)
        back = bar.owner != vault
        account = bar.owner if back else self.firm()
        return do.AllocateMetal(isin_of("BARS"), isin_of("METAL"), account, (bar.serial,), back=back)

    def deliver_bonds(self, house: House) -> Command | None:
        """Deliver the five-year bond into a contract."""
        rich = [one for one in self.rich(house, [self.asset(house, "CGB5")]) if one[2] >= CONTRACT_UNITS]
        if not rich or self._entered(house, "CGB5"):
            units = (self.number(CONTRACT_UNITS, 4 * CONTRACT_UNITS),)
            return self._entered(house, "CGB5") or do.IssueUnits(isin_of("CGB5"), (self.firm(),), units)
        seller = self.pick(rich)[0]
        buyer = self.pick([one for one in self.whole.firms if one != seller])
        return do.DeliverBonds("TF", isin_of("CGB5"), seller, buyer, 1, 1_000_000 + 1_000 * self.number(0, 60))

    def currency_future(self, house: House) -> Command | None:
        """End a future on dollars, by delivery or in money."""
        rich = [one for one in self.rich(house, [USD]) if one[2] >= 10_000_000]
        seller = self.pick(rich)[0] if rich else self.firm()
        buyer = self.pick([one for one in self.whole.firms if one != seller])
        final = 70_000 + self.number(-500, 500)
        code = self.pick(("CUS", "MCS"))
        return do.SettleCurrencyFuture(code, seller, buyer, 1, final, 70_000 if code == "MCS" else 0)
