"""Draws of links: orders and quotas of a day, client ids, snapshots; the custody chain, lodged margin, conversion."""

from __future__ import annotations

from collections.abc import Sequence

from tsingma.basics.columns import pack
from tsingma.engine.house import House
from tsingma.journal import link_commands as chain
from tsingma.journal import link_order_commands as do
from tsingma.journal.commands import Command
from tsingma.kernels.link_orders import BUY, EXECUTION, REJECTION, SELL
from tsingma.simulate.whole.book import COUNTERS, OWN_ACCOUNTS
from tsingma.simulate.whole.draws import CNY, HKD, Draws, Make

LINK = "stock-link"
FLOWS = "wealth-link"
DIRECTIONS = ((LINK, "northbound"), (LINK, "southbound"), (FLOWS, "southbound"))
SESSIONS = (
    do.SessionTerm("opening-auction", 33_300, 33_900, True, "refuse-until-positive"),
    do.SessionTerm("continuous", 34_200, 41_400, True, "refuse-rest-of-day"),
    do.SessionTerm("dealing", 46_800, 53_820, True, "refuse-what-does-not-fit"),
)
_NORTH = [place for place, row in enumerate(COUNTERS) if row[3] == "XSHG"]


class LinkDraws(Draws):
    """Two directions of orders, one of flows; the chain of northbound holdings."""

    def makers(self) -> Sequence[Make]:
        """Return the draws of links."""
        return (
            self.open_orders, self.open_orders, self.clients, self.investor, self.snapshot, self.snapshot, self.route,
            self.route, self.route, self.route, self.flows, self.flows, self.close, self.open_link, self.name,
            self.name, self.lodge, self.lodge, self.convert, self.convert,
        )  # fmt: skip

    def open_orders(self, house: House) -> Command | None:
        """Open a direction that is not open yet."""
        days = house.link_orders.days
        left = [key for key in DIRECTIONS if key not in days or days[key].terms.day < house.position.day]
        return do.OpenLinkOrders(self._terms(house, *self.pick(left))) if left else None

    def _terms(self, house: House, link: str, direction: str) -> do.LinkDayTerms:
        day = house.position.day
        quotas: tuple[do.QuotaTerm, ...]
        if link == FLOWS:
            quotas = (
                do.QuotaTerm("daily-net-outflow", self.amount(10**7)), do.QuotaTerm("aggregate-net-outflow", 2 * 10**9),
                do.QuotaTerm("individual", 10**8, 5 * 10**7, 2),
            )  # fmt: skip
            return do.LinkDayTerms(link, direction, day, "CNY", quotas, SESSIONS, "none", 0, -1)
        north = direction == "northbound"
        quotas = (do.QuotaTerm("daily-net-buy", self.amount(10**9)),) if self.happens(0.8) else ()
        check = self.pick(("none", "snapshot-of-holdings", "snapshot-of-segregated-accounts"))
        days = self.pick((-1, 0))
        listed, only = (pack(_NORTH, "i4"), pack([0] * len(_NORTH), "i1")) if north else (b"", b"")
        currency = "CNY" if north else "HKD"
        return do.LinkDayTerms(link, direction, day, currency, quotas, SESSIONS, check, 20, days, listed, only)

    def clients(self, house: House) -> Command | None:
        """Map client ids."""
        who = [int(house.resolved.account_participant[self.firm()]) for _ in range(self.number(1, 5))]
        return do.MapClients(LINK, pack(who, "i4"), pack([self.number(1, 4) for _ in who], "i8"))

    def investor(self, house: House) -> Command | None:
        """Open a segregated account, or name its brokers anew."""
        owners = house.resolved.account_participant
        brokers = {int(owners[account]) for account in self.some(self.whole.firms)}
        return do.RegisterInvestor(LINK, self.number(1, 4), OWN_ACCOUNTS, tuple(sorted(brokers)))

    def _open(self, house: House, link: str) -> tuple[str, str] | None:
        known = [key for key, day in house.link_orders.days.items()
                 if day.is_open and key[0] == link and day.terms.day == house.position.day]  # fmt: skip
        return self.pick(known) if known else None

    def snapshot(self, house: House) -> Command | None:
        """Fix what may be sold."""
        key = self._open(house, LINK)
        if key is None or house.link_orders.days[key].figures()["orders"]:
            return None
        owners = house.resolved.account_participant
        firms = {int(owners[account]) for account in self.some(self.whole.firms)}
        rows = [(one, 0) for one in sorted(firms)] or [(int(owners[self.firm()]), 0)]
        who, investor = zip(*rows, strict=True)
        counter = self.pick(_NORTH) if key[1] == "northbound" else 0
        count = len(rows)
        return do.TakeHoldingsSnapshot(
            *key, pack(who, "i4"), pack(investor, "i8"), pack([counter] * count, "i4"),
            pack([100 * self.number(0, 50) for _ in rows], "i8"),
        )  # fmt: skip

    def route(self, house: House) -> Command | None:
        """Send messages: new orders, and what becomes of those there are."""
        key = self._open(house, LINK)
        if key is None:
            return None
        day = house.link_orders.days[key]
        known = day.figures()["orders"]
        time_s = max(day.clock_s, SESSIONS[0].start_s)
        rows = []
        for _ in range(self.number(1, 9)):
            time_s = min(time_s + self.pick((0, 1, 60, 1_200)), 86_399)
            kind = self.pick((BUY, BUY, SELL, EXECUTION, EXECUTION, EXECUTION - 1 + self.number(1, 3)))
            kind = kind if known or kind <= SELL else BUY
            order = known if kind <= SELL else self.number(0, known + 1)
            known += int(kind <= SELL)
            rows.append(self._message(house, key[1], kind, order, time_s))
        names = ("i1", "i8", "i4", "i4", "i8", "i8", "i4", "i8", "i8")
        return do.RouteOrders(*key, *(pack([row[place] for row in rows], kind) for place, kind in enumerate(names)))

    def _message(self, house: House, direction: str, kind: int, order: int, time_s: int) -> tuple[int, ...]:
        north = direction == "northbound"
        who = int(house.resolved.account_participant[self.firm()])
        price = (150_000 if north else 300_000) + 100 * self.number(-20, 20)
        counter = self.pick(_NORTH) if north else 0
        investor = self.number(1, 4) if self.happens(0.1) else 0
        return (
            min(kind, REJECTION),
            order,
            time_s,
            who,
            investor,
            self.number(1, 4),
            counter,
            100 * self.number(1, 60),
            price,
        )

    def flows(self, house: House) -> Command | None:
        """Send money out over a link and back."""
        key = self._open(house, FLOWS)
        if key is None:
            return None
        rows = [(self.number(1, 4), self.number(0, 2), self.amount(10**8) * self.pick((1, 1, -1)))
                for _ in range(self.number(1, 6))]  # fmt: skip
        investor, channel, cents = zip(*rows, strict=True)
        return do.UseQuota(*key, pack(investor, "i8"), pack(channel, "i1"), pack(cents, "i8"))

    def close(self, house: House) -> Command | None:
        """End a direction's day."""
        key = self._open(house, self.pick((LINK, FLOWS)))
        return do.CloseLinkOrders(*key) if key is not None and self.happens(0.4) else None

    def open_link(self, house: House) -> Command | None:
        """Open the chain of northbound holdings: investors, firms, the house, which holds at ChinaClear."""
        if len(house.chains.chains) >= 1 and self.happens(0.8):
            return None
        firms = list(self.whole.firms)
        top = chain.ChainHolder(2, "HKSCC", -1)
        accounts = [chain.ChainHolder(1, f"account {account}", 0, account) for account in firms]
        investors = [chain.ChainHolder(0, f"investor {n} of {account}", 1 + place)
                     for place, account in enumerate(firms) for n in (1, 2)]  # fmt: skip
        levels = (chain.ChainLevel("investor", "own", "firm"), chain.ChainLevel("firm", "omnibus", "HKSCC"),
                  chain.ChainLevel("HKSCC", "omnibus", "CHINACLEAR"))  # fmt: skip
        lodging = chain.Lodging("HKSCC", "CHINACLEAR", CNY, 1, self.other("CHINACLEAR"), True)
        return chain.OpenLink(LINK, "northbound", "XSHG", levels, (top, *accounts, *investors), (lodging,))

    def name(self, house: House) -> Command | None:
        """Say for whom trades were made."""
        if not house.chains.chains:
            return None
        lowest = house.chains.chains[0].lowest
        holders = [self.pick(lowest) for _ in range(self.number(1, 5))]
        security = self.security(house, "600001")
        quantity = [100 * self.number(1, 30) * self.pick((1, -1)) for _ in holders]
        due = [house.position.day + self.number(0, 2) for _ in holders]
        return chain.NameHolders(0, pack(holders, "i4"), pack([security] * len(holders), "i4"), pack(quantity, "i8"),
                                 pack(due, "i4"))  # fmt: skip

    def lodge(self, house: House) -> Command | None:
        """Lodge margin with the other house."""
        if not house.chains.chains:
            return None
        most = self.free(house, 1, CNY) + house.chains.lodged.get((0, 0), 0)
        return chain.LodgeMargin(0, 0, self.amount(max(most, 1)) if self.happens(0.9) else 0, "simulated")

    def convert(self, house: House) -> Command | None:
        """Exchange money of a few accounts with the settlement bank."""
        sell, buy = self.pick(((HKD, CNY), (CNY, HKD), (HKD, 2), (3, HKD)))
        rich = self.rich(house, [sell])
        if not rich:
            return None
        rows = [(account, self.amount(max(free // 2, 1))) for account, _, free in self.some(rich, 0.4) or rich[:1]]
        backwards = self.happens(0.3)
        given, taken = (
            [0 if backwards else cents for _, cents in rows],
            [cents if backwards else 0 for _, cents in rows],
        )
        return chain.ConvertMoney("BANK", sell, buy, pack([one for one, _ in rows], "i4"), pack(given, "i8"),
                                  pack(taken, "i8"))  # fmt: skip
