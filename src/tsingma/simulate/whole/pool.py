"""Draws of the pool of collateral: listed, pledged, called, arranged, substituted, reused, lent against."""

from __future__ import annotations

from collections.abc import Sequence

from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date
from tsingma.engine.house import House
from tsingma.journal import pool_commands as do
from tsingma.journal.commands import Command
from tsingma.margin.pool.book import Held
from tsingma.margin.pool.terms import rules_of, takers
from tsingma.simulate.whole.draws import CNY, HKD, USD, Draws, Make

ONWARD = {"HKSCC": "CHINACLEAR", "OTC Clear": "SHCH", "HKCC": "OTC Clear"}


class PoolDraws(Draws):
    """A taker is drawn among those that take the asset's kind."""

    def makers(self) -> Sequence[Make]:
        """Return the draws of the pool."""
        return (
            self.listings, self.pledge, self.pledge, self.pledge, self.give_back, self.calls, self.calls, self.arrange,
            self.arrange, self.arrange, self.exchange, self.exchange, self.exchange, self.exchange, self.cancel,
            self.lodgement, self.reuse, self.reuse, self.reuse, self.recall, self.recall, self.draw, self.draw,
            self.repay,
        )  # fmt: skip

    def _kinds(self, house: House) -> dict[int, tuple[str, str]]:
        return {
            HKD: ("cash.HKD", "BANK"), CNY: ("cash.CNY", "BANK"), USD: ("cash.USD", "BANK"),
            self.asset(house, "EFN"): ("exchange-fund", "CMU"), self.asset(house, "CGB"): ("cgb", "CCDC"),
            self.asset(house, "00001"): ("equity", "HKSCC"),
        }  # fmt: skip

    def _takers(self, house: House, asset: int) -> list[str]:
        listing, day = house.pool.listed.get(asset), to_date(house.position.day)
        return [one for one in takers() if listing is not None and listing.kind in rules_of(one, day).haircut_e4]

    def listings(self, house: House) -> Command | None:
        """List what may be pledged; again it changes nothing."""
        return do.ListCollateral(tuple((asset, *what) for asset, what in self._kinds(house).items()))

    def pledge(self, house: House) -> Command | None:
        """Pledge something free."""
        rich = self.rich(house, self._kinds(house))
        if not rich:
            return None
        account, asset, free = self.pick(rich)
        return do.PledgeCollateral(account, asset, self.amount(free))

    def _pledged(self, house: House) -> list[tuple[int, int]]:
        return sorted(house.pool.pledged)

    def give_back(self, house: House) -> Command | None:
        """Take something back that is free in the pool, now and then more."""
        pledged = self._pledged(house)
        if not pledged:
            return None
        account, asset = self.pick(pledged)
        free = house.pool.free(account, asset)
        return do.ReturnCollateral(account, asset, self.amount(max(free, 1)) + int(self.happens(0.1)) * free)

    def calls(self, house: House) -> Command | None:
        """Call accounts that pledged."""
        accounts = sorted({account for account, _ in self._pledged(house)}) or [self.firm()]
        cents = [self.amount(10**8) if self.happens(0.9) else 0 for _ in accounts]
        return do.SetPoolCalls("simulated", self.pick(takers()), pack(accounts, "i4"), pack(cents, "i8"))

    def arrange(self, house: House) -> Command | None:
        """Allot what an account pledged anew."""
        pledged = self._pledged(house)
        if not pledged:
            return None
        account = self.pick(pledged)[0]
        rows: dict[tuple[str, int], int] = {}
        for owner, asset in pledged:
            able = self._takers(house, asset)
            if owner == account and able:
                reused = self._reused(house, owner, asset)
                rows |= {(taker, asset): amount for taker, amount in reused.items() if amount}
                left = house.pool.pledged[owner, asset] - sum(reused.values())
                if left > 0:
                    taker = self.pick(able)
                    rows[taker, asset] = rows.get((taker, asset), 0) + self.amount(left)
        return do.ArrangePool("simulated", account, tuple((*key, amount) for key, amount in rows.items()))

    def _reused(self, house: House, owner: int, asset: int) -> dict[str, int]:
        """Return by taker what it has lodged onwards of an asset that an account pledged."""
        first = {held: amount for held, amount in house.pool.allotted.items() if len(held.chain) == 1}
        mine = {held: amount for held, amount in first.items() if held[:2] == (owner, asset)}
        return {held.chain[0]: amount - house.pool.unreused(held) for held, amount in mine.items()}

    def _allotted(self, house: House, hops: int = 1) -> list[tuple[Held, int]]:
        found = [(held, house.pool.unreused(held)) for held in house.pool.allotted if len(held.chain) == hops]
        return sorted((one for one in found if one[1] > 0), key=repr)

    def propose(self, house: House) -> Command | None:
        """Ask for one asset back against another."""
        allotted = self._allotted(house)
        if not allotted:
            return None
        held, there = self.pick(allotted)
        taker = held.chain[0]
        others = [asset for asset in house.pool.listed if asset != held.asset and taker in self._takers(house, asset)]
        mine = [one for one in self.rich(house, others) if one[0] == held.account]
        if not mine:
            return None
        _, asset, free = self.pick(mine)
        day = house.position.day + self.number(0, 2)
        return do.ProposeSubstitution(
            held.account, taker, held.asset, self.amount(there), asset,
            free if self.happens(0.6) else self.amount(free), day,
        )  # fmt: skip

    def _substitution(self, house: House, *, delivered: bool | None) -> int | None:
        known = [number for number, one in house.pool.substitutions.items() if delivered in (None, one.delivered)]
        return self.pick(known) if known else None

    def exchange(self, house: House) -> Command | None:
        """Take the next step of a substitution, or propose another one."""
        steps = (self.release, self.deliver, self.propose)
        return next((command for step in steps if (command := step(house)) is not None), None)

    def deliver(self, house: House) -> Command | None:
        """Bring the new asset in."""
        number = self._substitution(house, delivered=False)
        return None if number is None else do.DeliverSubstitute(number)

    def release(self, house: House) -> Command | None:
        """Give the old asset back."""
        number = self._substitution(house, delivered=True)
        return None if number is None else do.ReleaseSubstituted(number)

    def cancel(self, house: House) -> Command | None:
        """Undo a substitution."""
        number = self._substitution(house, delivered=None)
        return None if number is None or self.happens(0.6) else do.CancelSubstitution(number)

    def lodgement(self, house: House) -> Command | None:
        """Set what a house lodges with another."""
        name = self.pick(sorted(ONWARD))
        return do.SetLodgement(name, ONWARD[name], self.amount(10**8))

    def reuse(self, house: House) -> Command | None:
        """Lodge onwards what a house was allotted."""
        allotted = [one for one in self._allotted(house, self.pick((1, 1, 1, 2))) if one[0].chain[-1] in ONWARD]
        if not allotted:
            return None
        held, there = self.pick(allotted)
        return do.ReuseCollateral(held.account, held.asset, held.chain, ONWARD[held.chain[-1]], self.amount(there))

    def recall(self, house: House) -> Command | None:
        """Take back what was lodged onwards."""
        reused = self._allotted(house, 2)
        if not reused:
            return None
        held, there = self.pick(reused)
        return do.RecallCollateral(held.account, held.asset, held.chain, self.amount(there))

    def draw(self, house: House) -> Command | None:
        """Borrow against what is free in the pool."""
        free = [(account, asset) for account, asset in self._pledged(house) if house.pool.free(account, asset) > 0]
        if not free:
            return None
        account, asset = self.pick(free)
        cents = self.amount(max(house.pool.free(account, asset) * 5_000, 1))
        return do.DrawPoolCredit(account, self.pick((HKD, CNY)), cents)

    def repay(self, house: House) -> Command | None:
        """Repay a loan."""
        loans = sorted(house.pool.loans)
        return do.RepayPoolCredit(self.pick(loans)) if loans else None
