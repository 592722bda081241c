"""What accounts hold before the first day: enough for the days to come, but for a stated share of them.

The opening books are made from the trades that will follow: each account gets what it must deliver and pay at its
worst, in order of trade days. A named share of (account, security) pairs gets only part of it, so that deliveries
fail, and a named share of accounts gets only part of the money, so that payments fail. Real houses see the fails and
not the cause; here the cause is known.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.clearing.trades import MODE_CNS, Trades
from tsingma.journal.commands import DepositAssets
from tsingma.kernels.netting import net_legs
from tsingma.reference.book import ResolvedBook
from tsingma.simulate.shape import MarketShape

Int64 = npt.NDArray[np.int64]

MONEY_BASE_CENTS = 50_000_000_00  # every account starts with so much of each currency, for margin and charges
POOR_SHARE = 0.3  # an account short of money has so much of what it must pay, and nothing beyond
GROSS_SHARE = 0.25  # and with this share of what it traded, for the margin on what is not yet settled


def opening_deposits(
    days: Iterable[Trades], resolved: ResolvedBook, shape: MarketShape, chance: np.random.Generator
) -> DepositAssets:
    """Return the deposits that precede the given days of trades, sorted by account and asset."""
    accounts, assets = resolved.account_participant.size, resolved.asset_count
    flow = np.zeros((accounts, assets), np.int64)  # received +, given -; running over the days
    worst = np.zeros((accounts, assets), np.int64)
    gross = np.zeros((accounts, len(CURRENCIES)), np.int64)
    for trades in days:
        _add_day(flow, worst, gross, trades, resolved)
    need = -np.minimum(worst, 0)
    stock = need[:, len(CURRENCIES) :]
    short = (stock > 0) & (chance.random(stock.shape) < shape.trading.stock_shortage)
    stock[short] = (stock[short] * chance.uniform(0, 0.8, int(short.sum()))).astype(np.int64)
    money = need[:, : len(CURRENCIES)]
    poor = chance.random(accounts) < shape.trading.money_shortage
    money[poor] = (money[poor] * POOR_SHARE).astype(np.int64)
    rich = ~poor & (gross.sum(axis=1) > 0)
    money[rich] += (gross[rich] * GROSS_SHARE).astype(np.int64) + MONEY_BASE_CENTS
    owner, asset = np.nonzero(need)
    return DepositAssets(pack(owner, "i4"), pack(asset, "i4"), pack(need[owner, asset], "i8"))


def _add_day(flow: Int64, worst: Int64, gross: Int64, trades: Trades, resolved: ResolvedBook) -> None:
    """Add a day's net flows; trades that settle gross count as given only, which is what they need at worst."""
    accounts, counters = flow.shape[0], resolved.counter_security.size
    amount = trades.amount_cents()
    netting = trades.mode == MODE_CNS
    for chosen, nets in ((netting, True), (~netting, False)):
        counter = trades.counter[chosen]
        for buyer_side in (True, False):
            account = (trades.buyer if buyer_side else trades.seller)[chosen]
            sign = 1 if buyer_side else -1
            owner, line, quantity, cents, _ = net_legs(
                account, counter, sign * trades.quantity[chosen], -sign * amount[chosen], accounts, counters
            )
            asset = resolved.counter_security[line] + len(CURRENCIES)
            currency = resolved.counter_currency[line].astype(np.int64)
            np.add.at(gross, (owner, currency), np.abs(cents))
            np.add.at(flow, (owner, asset), quantity if nets else np.minimum(quantity, 0))
            np.add.at(flow, (owner, currency), cents if nets else np.minimum(cents, 0))
    np.minimum(worst, flow, out=worst)
