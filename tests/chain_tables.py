"""Small made-up tables for the tests of the value chain, balanced by construction and seeded."""

from __future__ import annotations

import numpy as np

from tsingma.economy.chain.table import Table, checked_table
from tsingma.economy.chain.world import World, world_of

REGIONS, SECTORS = ("CHN", "JPN", "KOR"), ("chips", "models", "apps", "rest")


def made_up_table(seed: int = 1, regions: int = 3, sectors: int = 4) -> Table:
    """Return a table of positive flows; home flows are the larger ones."""
    chance = np.random.default_rng(seed)
    size = regions * sectors
    home = np.kron(np.eye(regions), np.ones((sectors, sectors))) * 3 + 1
    flows = chance.uniform(1, 10, (size, size)) * home
    final = chance.uniform(30, 90, (size, regions)) * (np.kron(np.eye(regions), np.ones((sectors, 1))) * 4 + 1)
    return checked_table(
        [*REGIONS, *(f"R{k}" for k in range(9))][:regions],
        [*SECTORS, *(f"s{k}" for k in range(9))][:sectors],
        flows, final, flows.sum(axis=1) + final.sum(axis=1), unit="unit", year=2025, source=f"made up, seed {seed}",
    )  # fmt: skip


def made_up_world(seed: int = 1, **elasticities: float) -> World:
    """Return the world of a made-up table with trade elasticities of 2 to 6."""
    table = made_up_table(seed)
    theta = np.linspace(2, 6, len(table.sectors))
    return world_of(table, theta, **elasticities)
