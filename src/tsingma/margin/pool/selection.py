"""The cheapest allotment of one pool to all takers at once, and of separate pools beside it.

A linear programme over (asset, taker): least cost of what is pledged, every taker's call covered at its own haircuts,
its minimum in cash and its ceilings kept, no asset used beyond its value. Takers are houses (HKSCC, HKCC, SEOCH, OTC
Clear), houses across the border (CHINACLEAR, SHCH) and the settlement bank; their rules are dated rows of
``collateral.toml``. Whole HKD; what the programme proposes is rounded up and verified in integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tsingma.basics.rejection import InvariantBroken, Rejected, RejectionReason, refuse
from tsingma.kernels.highs import highs_solver
from tsingma.margin.resources.collateral import E4, Asset, HouseRules, cheapest, lendable_value

_TIE = 1e-9  # a whisper of cost, so that nothing is pledged for nothing


class Allotment(msgspec.Struct, frozen=True):
    """So much market value of an asset stands for a taker's call, and what it counts for there (whole HKD)."""

    taker: str
    asset: str
    value: int
    lendable: int


class PoolSelection(msgspec.Struct, frozen=True, kw_only=True):
    """The cheapest cover of every call: allotments in order of taker, cost a year and what stays free, whole HKD."""

    allotments: tuple[Allotment, ...]
    lendable: dict[str, int]
    cost_a_year: int
    pledged: int
    free: int


def cheapest_pool(calls: Mapping[str, int], assets: Sequence[Asset], rules: Mapping[str, HouseRules]) -> PoolSelection:
    """Return the cheapest allotment of assets that covers all calls (whole HKD by taker) at once.

    Raises Rejected: out-of-range (a negative call), unknown (a taker without rules), duplicate (an asset twice),
    insufficient (naming the takers and calls that the pool does not cover). Amounts are rounded up; where the value of
    assets stops that, the programme is solved again for a dollar an asset more on each call.
    """
    _check(calls, assets, rules)
    asked = {taker: call for taker, call in sorted(calls.items()) if call}
    for more in (0, len(assets) + 1):
        found = _rounded(asked, assets, rules, _solve({t: c + more for t, c in asked.items()}, assets, rules))
        if all(found.lendable.get(taker, 0) >= call for taker, call in asked.items()):
            return _verified(asked, assets, rules, found)
    raise _short(asked)


def separate_pools(
    calls: Mapping[str, int], split: Mapping[str, Sequence[Asset]], rules: Mapping[str, HouseRules]
) -> PoolSelection:
    """Return the cheapest cover when every taker has only the assets that lie with it already.

    ``split`` gives each taker its assets. Raises Rejected (insufficient) naming the taker that falls short.
    """
    allotments: list[Allotment] = []
    lendable: dict[str, int] = {}
    cost = 0
    for taker, call in sorted(calls.items()):
        try:
            chosen = cheapest(call, split.get(taker, ()), rules[taker])
        except Rejected as rejected:
            first = msgspec.structs.replace(rejected.rejections[0], subject=taker)
            raise Rejected(first) from None
        allotments += [Allotment(taker, one.asset, one.value, one.lendable) for one in chosen.pledges]
        lendable[taker] = chosen.lendable
        cost += chosen.cost_a_year
    pledged = sum(one.value for one in allotments)
    everything = sum(asset.value for assets in split.values() for asset in assets)
    return PoolSelection(
        allotments=tuple(allotments), lendable=lendable, cost_a_year=cost, pledged=pledged, free=everything - pledged
    )


def _check(calls: Mapping[str, int], assets: Sequence[Asset], rules: Mapping[str, HouseRules]) -> None:
    for taker, call in calls.items():
        if taker not in rules:
            remedy = f"one of {', '.join(sorted(rules))}"
            raise refuse(RejectionReason.UNKNOWN, f"no collateral rules for '{taker}'", field="taker", remedy=remedy)
        if call < 0:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{call} is negative", field="call", subject=taker)
    names = [asset.id for asset in assets]
    if len(set(names)) != len(names):
        raise refuse(RejectionReason.DUPLICATE, "an asset stands twice", field="assets")
    negative = [asset.id for asset in assets if asset.value < 0]
    if negative:
        raise refuse(RejectionReason.OUT_OF_RANGE, "a value is negative", field="value", subject=negative[0])


def _solve(
    calls: Mapping[str, int], assets: Sequence[Asset], rules: Mapping[str, HouseRules]
) -> dict[tuple[str, int], float]:
    """Return the market value of each (taker, place of asset) by linear programme; empty when there is none."""
    import highspy

    model = highs_solver()
    column: dict[tuple[str, int], Any] = {}
    for taker in calls:
        for place, asset in enumerate(assets):
            if lendable_value(asset, rules[taker]) > 0:
                ceiling = _asset_ceiling(calls[taker], asset, rules[taker])
                column[taker, place] = model.addVariable(lb=0, ub=float(ceiling), obj=asset.cost_e4 / E4 + _TIE)
    if not column:
        return {}
    for place, asset in enumerate(assets):
        uses = [variable for (_, of), variable in column.items() if of == place]
        if uses:
            model.addConstr(sum(uses[1:], start=uses[0] * 1.0) <= float(asset.value))
    for taker, call in calls.items():
        _cover(model, {place: v for (of, place), v in column.items() if of == taker}, call, assets, rules[taker])
    model.run()
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return {}
    values = model.getSolution().col_value
    return {key: float(values[variable.index]) for key, variable in column.items()}


def _cover(model: Any, column: dict[int, Any], call: int, assets: Sequence[Asset], rules: HouseRules) -> None:
    """Add the rows of one taker: its call, its cash minimum, its ceilings by kind."""
    zero = model.addVariable(lb=0, ub=0)

    def total(chosen: list[int]) -> Any:
        return sum((column[k] * _factor(assets[k], rules) for k in chosen), start=zero * 1.0)

    model.addConstr(total(list(column)) >= float(call))
    needed = call * rules.cash_minimum_e4 // E4
    if needed:
        model.addConstr(total([k for k in column if assets[k].kind == rules.settlement_cash]) >= float(needed))
    for kind, ceiling in rules.kind_ceiling_e4.items():
        model.addConstr(total([k for k in column if assets[k].kind == kind]) <= float(call * ceiling // E4))


def _factor(asset: Asset, rules: HouseRules) -> float:
    return (E4 - rules.haircut_e4[asset.kind]) / E4


def _asset_ceiling(call: int, asset: Asset, rules: HouseRules) -> int:
    if asset.kind == rules.settlement_cash or rules.asset_ceiling_e4 >= E4:
        return asset.value  # a ceiling of all of the call is none: cut to whole dollars it would keep from covering it
    return min(asset.value, call * rules.asset_ceiling_e4 // E4 * E4 // (E4 - rules.haircut_e4[asset.kind]))


def _rounded(
    calls: Mapping[str, int],
    assets: Sequence[Asset],
    rules: Mapping[str, HouseRules],
    solved: dict[tuple[str, int], float],
) -> PoolSelection:
    """Round every amount up to whole dollars as far as the asset goes, and add up."""
    left = [asset.value for asset in assets]
    allotments = []
    for (taker, place), amount in solved.items():
        value = min(-int(-amount // 1) if amount > 1e-6 else 0, left[place])
        if value:
            left[place] -= value
            haircut = rules[taker].haircut_e4[assets[place].kind]
            allotments.append(Allotment(taker, assets[place].id, value, value * (E4 - haircut) // E4))
    lendable = {taker: sum(one.lendable for one in allotments if one.taker == taker) for taker in calls}
    cost = {asset.id: asset.cost_e4 for asset in assets}
    return PoolSelection(
        allotments=tuple(allotments),
        lendable=lendable,
        cost_a_year=sum(one.value * cost[one.asset] for one in allotments) // E4,
        pledged=sum(one.value for one in allotments),
        free=sum(left),
    )


def _verified(
    calls: Mapping[str, int], assets: Sequence[Asset], rules: Mapping[str, HouseRules], found: PoolSelection
) -> PoolSelection:
    """Check in integers what the programme proposed; what rounding may add is a dollar an asset, twice.

    Raises InvariantBroken when an asset is used beyond its value or a minimum or ceiling is passed.
    """
    for asset in assets:
        used = sum(one.value for one in found.allotments if one.asset == asset.id)
        if used > asset.value:
            raise InvariantBroken(f"{asset.id}: {used} of {asset.value} allotted")
    kind = {asset.id: asset.kind for asset in assets}
    for taker, call in calls.items():
        mine = [one for one in found.allotments if one.taker == taker]
        slack = len(mine) + len(assets) + 2
        cash = sum(one.lendable for one in mine if kind[one.asset] == rules[taker].settlement_cash)
        if cash + slack < call * rules[taker].cash_minimum_e4 // E4:
            raise InvariantBroken(f"{taker}: {cash} in cash is below its minimum")
        for of, ceiling in rules[taker].kind_ceiling_e4.items():
            held = sum(one.lendable for one in mine if kind[one.asset] == of)
            if held > call * ceiling // E4 + slack:
                raise InvariantBroken(f"{taker}: {held} in {of} is above its ceiling")
    return found


def _short(calls: Mapping[str, int]) -> Rejected:
    asked = ", ".join(f"{taker} {call:,}" for taker, call in calls.items())
    return refuse(
        RejectionReason.INSUFFICIENT,
        f"the pool does not cover {asked} under haircuts, cash minima and ceilings",
        field="assets",
        remedy="add assets, cash of the settlement currency, or other kinds",
    )
