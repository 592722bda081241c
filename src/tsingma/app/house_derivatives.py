"""Margin of a house's futures and options: each house's scan, and one portfolio with what HKSCC holds.

Volatilities, scan ranges and scenarios come from the same risk parameter file as the securities' margin: the index
moves as
the mean of its instruments. An account's houses are margined together only to show what that would save; what is called
is what each house calls alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.app.house_margin import HouseMargin, instrument_id
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.derivatives import SERIES_MAX, Series
from tsingma.engine.house import House as TheHouse
from tsingma.margin.hkscc.parameters import SCALE_E10, Parameters
from tsingma.margin.house.holdings import INDEX, Holding, House, Product
from tsingma.margin.house.models import UNIT, HouseModels, scan_arrays, scan_margins
from tsingma.margin.house.revaluation import TRADING_DAYS, Moves, unit_profit
from tsingma.margin.joint.requirement import HouseRisk, JointMargin, JointSettings, joint_margin

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

PRODUCTS = {"future": Product.FUTURE, "call": Product.CALL, "put": Product.PUT}
HORIZON_DAYS = 2  # of the scenarios in the parameter file
VOLATILITY_MIN = 0.05


class CrossHouse(msgspec.Struct, frozen=True, kw_only=True):
    """One account at several houses: what they call alone, and the joint figure."""

    account: str
    margin: JointMargin


def derivative_holdings(house: TheHouse) -> dict[int, list[Holding]]:
    """Return the open futures and options of every account at the last mark; raises Rejected without a price."""
    found: dict[int, list[Holding]] = {}
    book, day = house.derivatives, house.position.day
    for key, quantity in zip(book.key.tolist(), book.quantity.tolist(), strict=True):
        if quantity:
            account, place = divmod(key, SERIES_MAX)
            found.setdefault(account, []).append(_holding(house, book.series[place], quantity, day))
    return found


def _holding(house: TheHouse, one: Series, quantity: int, day: int) -> Holding:
    price_e4 = _price_e4(house, one.underlying)
    option = one.kind != "future"
    return Holding(
        house=House(one.house),
        product=PRODUCTS[one.kind],
        factor=one.underlying,
        notional=quantity * one.multiplier * price_e4 // 10_000,
        strike_e4=max(round(one.strike_e4 * 10_000 / price_e4), 1) if option else 10_000,
        days=max(one.expiry_day - day, 2),
    )


def _price_e4(house: TheHouse, underlying: str) -> int:
    counter = house.resolved.counter_index.get(underlying)
    price = house.derivatives.index_e4 if counter is None else int(house.price_e4[counter])
    if price <= 0:
        raise refuse(RejectionReason.MISSING, f"'{underlying}' has no price", field="underlying")
    return price


class DerivativeMargin:
    """Holdings of every account in futures and options, and what each house calls for them."""

    def __init__(self, house: TheHouse, parameters: Parameters, account: int | None = None) -> None:
        """Take the positions at the last mark, of one account or of all; raises Rejected for one without a price."""
        self._parameters, self._models = parameters, HouseModels()
        self._arrays: dict[Holding, Int64] = {}
        self._profits: dict[Holding, Float64] = {}
        self._row = {code: place for place, code in enumerate(parameters.instruments)}
        every = derivative_holdings(house)
        self.holdings = every if account is None else {one: held for one, held in every.items() if one == account}
        self.calls = {account: self._scans(lines) for account, lines in self.holdings.items()}

    def totals(self) -> dict[int, int]:
        """Return whole HKD by account over HKCC and SEOCH."""
        return {account: sum(by_house.values()) for account, by_house in self.calls.items()}

    def returns(self, factor: str) -> Float64:
        """Return the scenario returns of a factor; an instrument without scenarios moves as the index."""
        place = self._row.get(instrument_id(factor)) if factor != INDEX else None
        rows = self._parameters.hvar_returns_e10
        found: Float64 = (rows.mean(axis=0) if place is None else rows[place]) / SCALE_E10
        return found

    def volatility(self, factor: str) -> float:
        """Return a factor's volatility a year, from its scenarios."""
        daily = float(self.returns(factor).std()) / HORIZON_DAYS**0.5
        return float(max(daily * TRADING_DAYS**0.5, VOLATILITY_MIN))

    def _scans(self, lines: Sequence[Holding]) -> dict[House, int]:
        calls = {}
        for house in (House.HKCC, House.SEOCH):
            own = [line for line in lines if line.house is house]
            if own:
                calls[house] = scan_margins(own, np.stack([self._array(line) for line in own]))
        return calls

    def parts(self, account: int) -> dict[House, list[tuple[int, list[tuple[Holding, float]]]]]:
        """Return by house and underlying what is called for it, and each line's loss in the scenario it is called for.

        Lines of an underlying that no scenario hurts lose nothing. Losses add up to the call but for its rounding up.
        """
        found: dict[House, list[tuple[int, list[tuple[Holding, float]]]]] = {}
        for line_house in self.calls.get(account, {}):
            own = [line for line in self.holdings[account] if line.house is line_house]
            for factor in sorted({line.factor for line in own}):
                lines = [line for line in own if line.factor == factor]
                arrays = np.stack([self._array(line) for line in lines])
                called = scan_margins(lines, arrays)
                each = np.array([[line.notional] for line in lines], np.float64) * arrays / UNIT
                worst = each[:, int(each.sum(axis=0).argmax())] if called else np.zeros(len(lines))
                found.setdefault(line_house, []).append((called, list(zip(lines, worst.tolist(), strict=True))))
        return found

    def _array(self, line: Holding) -> Int64:
        """Return the sixteen losses of a holding for a notional of a million; one computation a series."""
        unit = _unit(line)
        if unit not in self._arrays:
            self._arrays[unit] = scan_arrays([unit], [self.volatility(line.factor)], self._models.scan)[0]
        return self._arrays[unit]

    def profit(self, lines: Sequence[Holding]) -> Int64:
        """Return the summed scenario profits of holdings in whole HKD; volatility stays as it is."""
        total = np.zeros(self._parameters.hvar_returns_e10.shape[1], np.int64)
        for line in lines:
            unit = _unit(line)
            if unit not in self._profits:
                self._profits[unit] = unit_profit(unit, self._moves(line.factor))
            total += np.rint(line.notional * self._profits[unit]).astype(np.int64)
        return total

    def _moves(self, factor: str) -> Moves:
        count = self._parameters.hvar_returns_e10.shape[1]
        return Moves(
            horizon_days=HORIZON_DAYS,
            returns={factor: self.returns(factor)},
            volatility_ratio={factor: np.ones(count)},
            volatility={factor: self.volatility(factor)},
        )


def _unit(line: Holding) -> Holding:
    """Return the holding without its size: what all accounts of a series share."""
    return msgspec.structs.replace(line, notional=1)


def cross_house(
    house: TheHouse, margin: HouseMargin, derivatives: DerivativeMargin, settings: JointSettings | None = None
) -> tuple[CrossHouse, ...]:
    """Return the joint margin of every account that has margin at two houses or more, in order of account."""
    place_of = {int(account): place for place, account in enumerate(margin.account)}
    row = {code: place for place, code in enumerate(margin.parameters.instruments)}
    found = []
    for account, lines in sorted(derivatives.holdings.items()):
        risks = []
        place = place_of.get(account)
        if place is not None and margin.results[place].portfolio_margin:
            part = slice(int(margin.book.start[place]), int(margin.book.start[place + 1]))
            rows = [row.get(margin.book.instruments[i], -1) for i in margin.book.instrument[part].tolist()]
            known = [k for k, each in enumerate(rows) if each >= 0]
            returns = margin.parameters.hvar_returns_e10[[rows[k] for k in known]] / SCALE_E10
            profit = np.rint(margin.book.market_value[part][known] @ returns).astype(np.int64)
            alone = margin.results[place].portfolio_margin
            risks.append(HouseRisk(house=str(House.HKSCC), standalone=alone, profit=profit))
        for at, called in derivatives.calls[account].items():
            own = [line for line in lines if line.house is at]
            risks.append(HouseRisk(house=str(at), standalone=called, profit=derivatives.profit(own)))
        if len(risks) > 1:
            name = house.resolved.account_name(account)
            found.append(CrossHouse(account=name, margin=joint_margin(name, risks, settings)))
    return tuple(found)
