"""Collateral: what a house accepts, at what value, and the cheapest that covers a call.

Value of an asset = amount x price x (1 - haircut) x FX x (1 - FX haircut), rounded down to whole HKD. The choice is a
linear programme (HiGHS): the least cost of pledging, at least the call in value, a minimum in cash of the settlement
currency, and a ceiling on the share of any one asset and any one group. Rules by house are dated rows in the reference
table ``collateral.toml``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.kernels.highs import highs_solver
from tsingma.reference.tables import read_table, row_on

E4 = 10_000


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """Something to pledge: ``value`` whole HKD at market before haircuts, ``cost_e4`` a year of pledging it."""

    id: str
    kind: str  # cash.HKD, cash.CNY, exchange-fund, us-treasury, cgb, equity ...
    value: int
    cost_e4: int = 0


class HouseRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a house takes: haircuts by kind (absent: not eligible), cash minimum and ceilings as e4 of the call."""

    house: str
    haircut_e4: dict[str, int]
    settlement_cash: str = "cash.HKD"
    cash_minimum_e4: int = 0
    asset_ceiling_e4: int = E4
    kind_ceiling_e4: dict[str, int] = {}


class Pledge(msgspec.Struct, frozen=True):
    """So much of an asset's market value is pledged, and what it counts for (whole HKD)."""

    asset: str
    value: int
    lendable: int


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The cheapest cover of a call: pledges, their cost a year and what they count for, whole HKD."""

    house: str
    call: int
    pledges: tuple[Pledge, ...]
    lendable: int
    cost_a_year: int


def house_rules(house: str, day: date) -> HouseRules:
    """Return the rules of a house on a day; raises Rejected (beyond-horizon, unknown) when there are none.

    What has no haircut in force on the day is not eligible then.
    """
    rows = [row for row in read_table("collateral.toml")["row"] if row["house"] == house]
    if not rows:
        raise refuse(RejectionReason.UNKNOWN, f"no collateral rules for '{house}'", field="house")

    def value(name: str) -> int:
        chosen = [row for row in rows if row["name"] == name]
        return int(Decimal(row_on(chosen, day, table=f"collateral.toml: {house} {name}")["value"]) * E4)

    in_force = [row for row in rows if row["valid_from"] <= day <= row.get("valid_to", date.max)]
    names = sorted({row["name"] for row in in_force})
    return HouseRules(
        house=house,
        haircut_e4={name.removeprefix("haircut."): value(name) for name in names if name.startswith("haircut.")},
        cash_minimum_e4=value("cash_minimum"),
        settlement_cash=next((row["value"] for row in in_force if row["name"] == "settlement_cash"), "cash.HKD"),
        kind_ceiling_e4={name.removeprefix("ceiling."): value(name) for name in names if name.startswith("ceiling.")},
    )


def lendable_value(asset: Asset, rules: HouseRules) -> int:
    """Return what an asset counts for, whole HKD, rounded down; 0 when the house does not take it."""
    haircut = rules.haircut_e4.get(asset.kind)
    return 0 if haircut is None else asset.value * (E4 - haircut) // E4


def cheapest(call: int, assets: Sequence[Asset], rules: HouseRules) -> Selection:
    """Return the cheapest pledges that cover a call of whole HKD.

    Raises Rejected (insufficient) saying what is missing, (out-of-range) for a negative call, (duplicate) for an asset
    twice. Whole dollars are pledged: amounts are rounded up, so the cover is never a dollar short.
    """
    if call < 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{call} is negative", field="call")
    names = [asset.id for asset in assets]
    if len(set(names)) != len(names):
        raise refuse(RejectionReason.DUPLICATE, "an asset stands twice", field="assets")
    usable = [asset for asset in assets if lendable_value(asset, rules) > 0]
    pledges: list[Pledge] = []
    for more in (0, len(usable) + 1) if call else ():  # rounding haircuts down may take a dollar an asset
        pledges = _pledges(_solve(call, usable, rules, more), usable, rules)
        if sum(pledge.lendable for pledge in pledges) >= call:
            break
    else:
        if call:
            raise _short(call, sum(pledge.lendable for pledge in pledges))
    cost = {asset.id: asset.cost_e4 for asset in assets}
    return Selection(
        house=rules.house,
        call=call,
        pledges=tuple(pledges),
        lendable=sum(pledge.lendable for pledge in pledges),
        cost_a_year=sum(pledge.value * cost[pledge.asset] for pledge in pledges) // E4,
    )


def _pledges(amounts: list[float], assets: Sequence[Asset], rules: HouseRules) -> list[Pledge]:
    """Return the pledges of solved amounts, each rounded up to whole dollars as far as the asset goes."""
    found = []
    for asset, amount in zip(assets, amounts, strict=True):
        whole = min(-int(-amount // 1) if amount > 1e-6 else 0, asset.value)
        if whole:
            found.append(Pledge(asset.id, whole, lendable_value(msgspec.structs.replace(asset, value=whole), rules)))
    return found


def _solve(call: int, assets: Sequence[Asset], rules: HouseRules, more: int) -> list[float]:
    """Return the market value of each asset to pledge for a call and so many dollars more, by linear programme."""
    import highspy

    model = highs_solver()
    columns = [
        model.addVariable(lb=0, ub=float(_ceiling(call, asset, rules)), obj=asset.cost_e4 / E4 + 1e-9)
        for asset in assets
    ]
    factor = [(E4 - rules.haircut_e4[asset.kind]) / E4 for asset in assets]

    def total(chosen: list[int]) -> Any:
        return sum((columns[k] * factor[k] for k in chosen), start=columns[0] * 0.0)

    everything = list(range(len(assets)))
    if not everything:
        raise _short(call, 0)
    model.addConstr(total(everything) >= float(call + more))
    cash = [k for k in everything if assets[k].kind == rules.settlement_cash]
    needed = call * rules.cash_minimum_e4 // E4
    if needed:
        model.addConstr(total(cash) >= float(needed))
    for kind, ceiling in rules.kind_ceiling_e4.items():
        chosen = [k for k in everything if assets[k].kind == kind]
        if chosen:
            model.addConstr(total(chosen) <= float(call * ceiling // E4))
    model.run()
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise _short(call, sum(lendable_value(asset, rules) for asset in assets))
    return [float(value) for value in model.getSolution().col_value]


def _ceiling(call: int, asset: Asset, rules: HouseRules) -> int:
    if asset.kind == rules.settlement_cash or rules.asset_ceiling_e4 >= E4:
        return asset.value  # a ceiling of all of the call is none: cut to whole dollars it would keep from covering it
    lendable = call * rules.asset_ceiling_e4 // E4
    return min(asset.value, lendable * E4 // (E4 - rules.haircut_e4[asset.kind]))


def _short(call: int, have: int) -> Exception:
    return refuse(
        RejectionReason.INSUFFICIENT,
        f"eligible collateral of at most {have:,} does not cover {call:,} under the limits",
        field="assets",
        remedy="lodge more, more cash, or other kinds",
    )
