"""Draws of clearing: deposits, transfers, trades, prices, margin calls, futures and options."""

from __future__ import annotations

from collections.abc import Sequence

from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.engine.house import House
from tsingma.journal import commands as do
from tsingma.reference.book import Market
from tsingma.simulate.whole.book import COUNTERS
from tsingma.simulate.whole.draws import CNY, Draws, Make

FX_E6: tuple[int, ...] = (1_000_000, 1_080_000, 7_800_000, 8_500_000)
INDEX_E4 = 250_000_000
_TRADED = tuple(place for place, row in enumerate(COUNTERS) if row[0] in
                ("00001", "80001", "02800", "600001", "000001", "NEW", "CGB", "EFN"))  # fmt: skip
_MODES = {Market.CMU: (2,), Market.XHKG: (0, 0, 1)}  # real time; net or isolated; elsewhere net
_KINDS = ("future", "call", "put")
_SERIES_MAX = 10
_GIVEN = ("00001", "02800", "600001", "000001", "NEW", "RTS", "EFN", "CGB", "CGB5")


class ClearingDraws(Draws):
    """What everything else rests on."""

    def makers(self) -> Sequence[Make]:
        """Return the draws of clearing."""
        return (
            self.deposit, self.transfers, self.transfers, self.trades, self.trades, self.trades, self.prices,
            self.margin, self.series, self.contracts, self.contracts, self.mark,
        )  # fmt: skip

    def opening(self, house: House) -> do.Command:
        """Give every firm, the issuers and the house money and stock to begin with, more or less of it."""
        rows: list[tuple[int, int, int]] = [(1, CNY, 10**9)]
        known = house.custody.register.issues
        assets = [self.asset(house, code) for code in _GIVEN]
        for account in (*self.whole.firms, *self.whole.others.values()):
            rows += [(account, unit, self._much(10**10)) for unit in range(len(CURRENCIES))]
            if account in self.whole.firms:
                rows += [(account, asset, self._much(200_000)) for asset in assets if asset not in known]
        return self._deposit(rows)

    def _much(self, most: int) -> int:
        return max(int(self.wealth * most * self.chance.random()), 1)

    def _deposit(self, rows: list[tuple[int, int, int]]) -> do.Command:
        owner, asset, amount = zip(*rows, strict=True)
        return do.DepositAssets(pack(owner, "i4"), pack(asset, "i4"), pack(amount, "i8"))

    def deposit(self, house: House) -> do.Command | None:
        """Bring something in."""
        known = house.custody.register.issues
        assets = [asset for asset in range(house.resolved.asset_count) if asset not in known]
        rows = []
        for _ in range(self.number(1, 5)):
            asset = self.pick(assets)
            rows.append((self.firm(), asset, self.amount(10**9 if asset < len(CURRENCIES) else 10**5)))
        return self._deposit(rows)

    def transfers(self, house: House) -> do.Command | None:
        """Move things between accounts, some joined, some impossible."""
        rich = self.rich(house)
        if not rich:
            return None
        rows = []
        for _ in range(self.number(1, 6)):
            account, asset, free = self.pick(rich)
            amount = self.amount(free) if self.happens(0.85) else 2 * free
            rows.append((account, self.firm(), asset, amount, int(self.happens(0.4))))
        columns = list(zip(*rows, strict=True))
        kinds = ("i4", "i4", "i4", "i8", "i1")
        return do.PostTransfers(*(pack(column, kind) for column, kind in zip(columns, kinds, strict=True)))

    def trades(self, house: House) -> do.Command | None:
        """Capture a few trades of the day."""
        rows = []
        for _ in range(self.number(1, 6)):
            counter = self.pick(_TRADED)
            market, price = COUNTERS[counter][3], COUNTERS[counter][4]
            buyer, seller = self.two_firms()
            lots = self.number(1, 4_000 if self.happens(0.2) else 60)
            rows.append((
                self.fresh(), self.number(0, 86_400), counter, buyer, seller, 100 * lots,
                price + 100 * self.number(-50, 51), self.pick(_MODES.get(market, (0,))), 0,
            ))  # fmt: skip
        kinds = {"trade_id": "i8", "time_s": "i4", "counter": "i4", "buyer": "i4", "seller": "i4", "quantity": "i8",
                 "price_e4": "i8", "mode": "i1", "maker": "i1"}  # fmt: skip
        packed = {name: pack([row[place] for row in rows], kind) for place, (name, kind) in enumerate(kinds.items())}
        return do.CaptureTrades(source="simulated", trade_day=house.position.day, **packed)

    def prices(self, house: House) -> do.Command:
        """Fix every price a little apart from the last."""
        moved = [max(row[4] * (100 + self.number(-3, 4)) // 100, 1) for row in COUNTERS]
        return do.SetClosingPrices(pack(range(len(COUNTERS)), "i4"), pack(moved, "i8"), FX_E6)

    def margin(self, house: House) -> do.Command | None:
        """Call margin."""
        called = self.some(self.whole.firms)
        return do.CallMargin("simulated", pack(called, "i4"), pack([self.amount(10**9) for _ in called], "i8"))

    def series(self, house: House) -> do.Command | None:
        """List a series of futures or options."""
        known = len(house.derivatives.series)
        if known >= _SERIES_MAX:
            return None
        kind, underlying = self.pick(_KINDS), self.pick(("INDEX", "00001", "02800"))
        strike = 0 if kind == "future" else self.number(1, 40) * 10_000
        houses = "HKCC" if underlying == "INDEX" else "SEOCH"
        row = (f"S{self.fresh()}", houses, kind, underlying, 10, strike, house.position.day + self.number(0, 3))
        return do.ListSeries((row,))

    def contracts(self, house: House) -> do.Command | None:
        """Trade series."""
        known = len(house.derivatives.series)
        if not known:
            return None
        rows = []
        for _ in range(self.number(1, 4)):
            buyer, seller = self.two_firms()
            price = 100 * self.number(1, 4_000)
            rows.append((self.fresh(), self.number(0, known), buyer, seller, self.number(1, 20), price))
        kinds = {"trade_id": "i8", "series": "i4", "buyer": "i4", "seller": "i4", "quantity": "i8", "price_e4": "i8"}
        packed = {name: pack([row[place] for row in rows], kind) for place, (name, kind) in enumerate(kinds.items())}
        return do.CaptureDerivatives(source="simulated", **packed)

    def mark(self, house: House) -> do.Command | None:
        """Mark every series."""
        known = len(house.derivatives.series)
        prices = [100 * self.number(1, 4_000) for _ in range(known)]
        return do.MarkDerivatives(pack(range(known), "i4"), pack(prices, "i8"), INDEX_E4 + 10_000 * self.number(-9, 9))
