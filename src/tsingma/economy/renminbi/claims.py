"""What the renminbi models say of the second column's levers; signs that are inputs of a model are no evidence."""

from __future__ import annotations

import numpy as np

from tsingma.economy.property.duty_response import band_volume_change
from tsingma.economy.register import Finding, supported
from tsingma.economy.renminbi import pool
from tsingma.economy.renminbi.parameters import parameters

BONDS_CNY_BN = 50.0
SOUTHBOUND_CNY_BN = 40.0
SHARE_DUTY_POINTS = 0.1


def renminbi_findings() -> dict[str, Finding]:
    """Return the finding of each statement of the second column that a model that ships can test."""
    return {"C7": _bonds(), "C10": _counters(), "C11": _duty()}


def _pool_after(flows: dict[str, float]) -> tuple[float, float]:
    """Return deposits and banks' clearing balance in CNY bn after a month of these flows alone."""
    given = parameters().pool
    amounts = {name: np.array([value]) for name, value in flows.items()}
    done = pool.month(pool.opening(given, 1), amounts, quota=given.facility_quota, liquid_least=given.liquid_least)
    deposits = -pool.of(done.balances, "banks", "deposits")[0] / pool.MILLIONS
    return float(deposits), float(pool.of(done.balances, "banks", "clearing")[0]) / pool.MILLIONS


def _bonds() -> Finding:
    base, home, kept = (
        _pool_after(flows)[0]
        for flows in ({"interest": 0.0}, {"bond_purchase": BONDS_CNY_BN}, {"proceeds_kept": BONDS_CNY_BN})
    )
    return supported(
        home - base > 0,
        f"of {BONDS_CNY_BN:g} bn: deposits {home - base:+.1f} when proceeds go home, {kept - base:+.1f} when they stay",
        "bonds bought from deposits drain the pool by double entry unless issuers keep the proceeds here; that the "
        "bond share rises is an input of the model and no evidence",
    )


def _counters() -> Finding:
    renminbi = _pool_after({"southbound": SOUTHBOUND_CNY_BN})
    converted = _pool_after({"southbound": SOUTHBOUND_CNY_BN, "conversion_out": SOUTHBOUND_CNY_BN})
    return supported(
        renminbi[0] > converted[0] and renminbi[1] > converted[1],
        f"deposits {renminbi[0] - converted[0]:+.1f} bn and clearing balances {renminbi[1] - converted[1]:+.1f} bn for "
        f"{SOUTHBOUND_CNY_BN:g} bn bought in renminbi instead of converted",
        "money paid in renminbi stays in the pool; how much southbound money would use such counters is not known",
    )


def _duty() -> Finding:
    change = band_volume_change(-SHARE_DUTY_POINTS)
    return supported(
        change > 0,
        f"{100 * change:+.1f} percent of volume for {SHARE_DUTY_POINTS} points of duty waived",
        "the published response of deals to a transaction tax (Best-Kleven 2018: -0.20 a point, homes) has this sign; "
        "the size is borrowed from homes",
    )
