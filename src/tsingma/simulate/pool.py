"""Invented participants of a pool of collateral: assets, where they lie, and calls of every taker."""

from __future__ import annotations

import numpy as np

from tsingma.margin.pool.study import PoolParticipant
from tsingma.margin.resources.collateral import Asset

# kind, custodian, cost of pledging a year (e4): what else could be earned on it; simulated, not published
_ASSETS = (
    ("cash.HKD", "BANK", 90),
    ("cash.CNY", "BANK", 60),
    ("cash.USD", "BANK", 110),
    ("exchange-fund", "CMU", 15),
    ("us-treasury", "Euroclear", 20),
    ("cgb", "CCDC", 12),
    ("equity", "HKSCC", 35),
)
_TAKES = {
    "HKSCC": ("cash.HKD", "cash.CNY", "cash.USD"),
    "HKCC": ("cash.HKD", "exchange-fund", "us-treasury"),
    "SEOCH": ("cash.HKD", "exchange-fund", "equity"),
    "OTC Clear": ("cash.HKD", "cgb", "us-treasury"),
    "CHINACLEAR": ("cash.CNY", "cgb"),
    "SHCH": ("cash.CNY", "cgb"),
}


def simulate_participants(seed: int, count: int) -> tuple[PoolParticipant, ...]:
    """Return ``count`` invented participants: calls of HKD 20 to 400 m by taker, assets of each kind, split by taker.

    Without a pool each lot of an asset was brought to one taker that takes it, drawn by what the takers called.
    """
    generator = np.random.default_rng(seed)
    found = []
    for place in range(count):
        calls = {taker: int(generator.integers(20, 400)) * 1_000_000 for taker in _TAKES}
        assets, split, custodian = [], {}, {}
        for kind, where, cost in _ASSETS:
            takers = [taker for taker, kinds in _TAKES.items() if kind in kinds]
            weights = np.array([calls[taker] for taker in takers], np.float64)
            for lot in range(4):
                name = f"{kind}-{lot + 1}"
                value = int(generator.integers(10, 150)) * 1_000_000
                assets.append(Asset(id=name, kind=kind, value=value, cost_e4=cost + int(generator.integers(0, 10))))
                split[name] = takers[int(generator.choice(len(takers), p=weights / weights.sum()))]
                custodian[name] = where
        found.append(
            PoolParticipant(
                name=f"P{place + 1:02d}", calls=calls, assets=tuple(assets), split=split, custodian=custodian
            )
        )
    return tuple(found)
