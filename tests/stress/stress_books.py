"""A small book for stress tests: three participants, one client account, two counters, a future and a put."""

from __future__ import annotations

from datetime import date

import numpy as np

from tsingma.margin.house.holdings import INDEX, Holding, House, Product
from tsingma.margin.house.revaluation import Moves
from tsingma.stress.book import DueMoney, StressBook

LINES = (
    Holding(house=House.HKSCC, product=Product.STOCK, factor="700", notional=1, days=0),
    Holding(house=House.HKSCC, product=Product.STOCK, factor="981", notional=1, days=0),
    Holding(house=House.HKCC, product=Product.FUTURE, factor=INDEX, notional=1, days=0),
    Holding(house=House.HKCC, product=Product.PUT, factor=INDEX, notional=1, strike_e4=9_500, days=30),
)


def small_book(liquid: tuple[int, ...] = (1_000, 1_000, 1_000, 1_000)) -> StressBook:
    """Return A (own and client account), B and C; amounts are whole HKD, positions of every line cancel."""
    positions = [(0, 0, 1_000), (1, 0, -400), (2, 0, -600), (1, 2, 2_000), (2, 2, -1_500), (3, 2, -500),
                 (3, 3, -3_000), (0, 3, 3_000), (2, 1, 500), (3, 1, -500)]  # fmt: skip
    account, line, notional = (np.array(column) for column in zip(*positions, strict=True))
    margin = np.zeros((4, 4), np.int64)
    margin[:, 0] = (100, 40, 110, 50)
    margin[:, 1] = (30, 160, 120, 180)
    return StressBook(
        day=date(2026, 1, 7),
        participants=("A", "B", "C"),
        accounts=("A/HOUSE", "A/CLIENT", "B/HOUSE", "C/HOUSE"),
        account_participant=np.array([0, 0, 1, 2], np.int32),
        lines=LINES,
        position_account=account.astype(np.int32),
        position_line=line.astype(np.int32),
        notional=notional.astype(np.int64),
        marked=np.zeros((4, 4), np.int64),
        margin=margin,
        credit=margin // 10,
        liquid=np.array(liquid, np.int64),
        own=np.array([True, False, True, True]),
        due=(DueMoney(day=date(2026, 1, 8), currency="HKD", amount={0: 12_345, 2: 50_001}),),
    )


def moves(*index: float, ratio: float = 1.0) -> Moves:
    """Return scenarios in which every factor returns what the index does."""
    returns = np.array(index)
    factors = (INDEX, "700", "981")
    return Moves(
        horizon_days=2,
        returns=dict.fromkeys(factors, returns),
        volatility_ratio=dict.fromkeys(factors, np.full(returns.size, ratio)),
        volatility=dict.fromkeys(factors, 0.2),
    )
