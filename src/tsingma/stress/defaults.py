"""From losses to calls, to who cannot pay, to who bears it: by participant, by house, round after round.

A call is what must be brought at once: the losses of an account (a gain of one never pays another's loss) and the
margin that higher volatility asks for. A client account pays from its own money; what it lacks its participant must
bring beside its own calls, from its own account's money alone. Who cannot defaults: all its accounts are closed out,
margin bears each account's own loss, the rest runs through the house's waterfall. Survivors replenish what the fund
lost, and may fall by that. What no layer bears is taken from the gains the house owes, pro rata (variation margin gains
haircutting, a CPMI-IOSCO recovery tool), and a clearing vector says who cannot pay then.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.contagion import clearing_vector
from tsingma.margin.house.holdings import House
from tsingma.margin.resources.waterfall import LayerKind, Resources, Waterfall, waterfall
from tsingma.stress.book import HOUSES, Int64, StressBook

ROUNDS_MAX = 100
PREFUNDED = (LayerKind.DEFAULTER_CONTRIBUTION, LayerKind.HOUSE, LayerKind.SURVIVOR_CONTRIBUTIONS)
E4 = 10_000


class StressRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How calls are made and met, in ten-thousandths.

    ``scaling_margin_e4`` the part of margin that follows volatility; ``assessment_e4`` what survivors may be asked for
    beyond their contributions; ``recovery_e4`` what a defaulter's claims are worth to others; ``close_out_cost_e4``
    what closing a defaulter's positions costs of their value.
    """

    scaling_margin_e4: int = 7_500  # HKSCC weights filtered scenarios 75 % (VaR Platform guide v1.4)
    assessment_e4: int = 10_000
    recovery_e4: int = 10_000
    close_out_cost_e4: int = 0


class HouseFund(msgspec.Struct, frozen=True, kw_only=True):
    """A house's default fund: contributions by participant number and the house's own part, whole HKD."""

    contributions: Mapping[int, int]
    house_part: int

    @property
    def total(self) -> int:
        """Return everything prefunded."""
        return sum(self.contributions.values()) + self.house_part


class Calls(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """By participant, int64 [participants], whole HKD; ``default_round`` is 0 for who can pay.

    ``losses`` and ``more_margin`` are called on all its accounts; ``for_clients`` is what client accounts cannot pay
    themselves; ``needed`` what the participant must bring of its own, ``liquid`` what it has.
    """

    losses: Int64
    more_margin: Int64
    for_clients: Int64
    replenishment: Int64
    needed: Int64
    liquid: Int64
    default_round: Int64

    @property
    def defaulted(self) -> npt.NDArray[np.bool_]:
        """Return who cannot pay."""
        return np.asarray(self.default_round > 0)


class HouseResult(msgspec.Struct, frozen=True, kw_only=True):
    """One house under one scenario, whole HKD."""

    house: House
    losses: int  # of all accounts that lose
    over_margin: int  # of that, what the accounts' margin does not cover, defaulted or not
    accounts_over: int
    fund: int
    waterfall: Waterfall | None  # of its defaulters
    gains_cut: int  # taken from what the house owes, once every layer is used up

    @property
    def fund_used(self) -> int:
        """Return what the default fund and the house's part bore."""
        return sum(layer.used for layer in self.waterfall.layers if layer.kind in PREFUNDED) if self.waterfall else 0

    @property
    def fund_use(self) -> float:
        """Return what the defaulters' margin leaves over what is prefunded: at 1 the fund is empty."""
        if self.waterfall is None:
            return 0.0
        margin = sum(layer.used for layer in self.waterfall.layers if layer.kind is LayerKind.DEFAULTER_COLLATERAL)
        there = sum(layer.available for layer in self.waterfall.layers if layer.kind in PREFUNDED)
        need = self.waterfall.loss - margin
        return need / there if there else float(need > 0)


class StressResult(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Everything a scenario does: calls, houses in order, and who falls by contagion after the waterfalls."""

    calls: Calls
    houses: tuple[HouseResult, ...]
    contagion: tuple[int, ...]  # participants that cannot pay once gains are cut
    rounds: int


def run_defaults(
    book: StressBook,
    profit: Int64,
    funds: Mapping[House, HouseFund],
    rules: StressRules,
    volatility_ratio: float,
    *,
    contagion: bool = True,
) -> StressResult:
    """Return what a scenario does to participants and houses; ``profit`` int64 [accounts, houses].

    Without ``contagion`` the last step is left out: who cannot pay once gains are cut. Raises Rejected (malformed) for
    a shape that is not the book's.
    """
    if profit.shape != book.margin.shape:
        raise refuse(RejectionReason.MALFORMED, f"shape {profit.shape}, {book.margin.shape} expected", field="profit")
    loss = np.maximum(-profit, 0).sum(axis=1)
    more_e4 = round(max(volatility_ratio - 1.0, 0.0) * rules.scaling_margin_e4)
    more = book.margin.sum(axis=1) * more_e4 // E4
    for_clients = by_participant(book, np.where(book.own, 0, np.maximum(loss + more - book.liquid, 0)))
    base = by_participant(book, np.where(book.own, loss + more, 0)) + for_clients
    liquid = by_participant(book, np.where(book.own, book.liquid, 0))
    replenishment = np.zeros(len(book.participants), np.int64)
    fallen = np.zeros(len(book.participants), np.int64)
    falls: dict[House, Waterfall | None] = dict.fromkeys(HOUSES)
    for step in range(1, ROUNDS_MAX + 1):
        short = (base + replenishment > liquid) & (fallen == 0)
        if not short.any():
            break
        fallen[short] = step
        down = np.flatnonzero(fallen)
        falls = {house: close_out(book, profit, place, down, funds, rules) for place, house in enumerate(HOUSES)}
        replenishment = _replenishments(falls, len(book.participants))
    calls = Calls(
        losses=by_participant(book, loss), more_margin=by_participant(book, more), for_clients=for_clients,
        replenishment=replenishment, needed=base + replenishment, liquid=liquid, default_round=fallen,
    )  # fmt: skip
    houses = tuple(_house_result(book, profit, place, falls[house], funds) for place, house in enumerate(HOUSES))
    cut = contagion and any(each.gains_cut for each in houses)
    fallen_later = _contagion(book, profit, calls, houses, rules) if cut else ()
    return StressResult(calls=calls, houses=houses, contagion=fallen_later, rounds=int(fallen.max(initial=0)))


def by_participant(book: StressBook, by_account: Int64) -> Int64:
    """Return sums of int64 [accounts] over each participant's accounts."""
    found = np.zeros(len(book.participants), np.int64)
    np.add.at(found, book.account_participant, by_account)
    return found


def close_out(
    book: StressBook, profit: Int64, house: int, down: Int64, funds: Mapping[House, HouseFund], rules: StressRules
) -> Waterfall | None:
    """Return the waterfall of one house for the participants ``down``, None when none of them loses there.

    Margin bears the loss of its own account alone: what is left on one account is its owner's or its client's.
    """
    fund = funds.get(HOUSES[house])
    chosen = np.isin(book.account_participant, down)
    cost = _gross(book, house)[chosen] * rules.close_out_cost_e4 // E4 if rules.close_out_cost_e4 else 0
    lost = np.maximum(cost - book.marked[chosen, house] - profit[chosen, house], 0)
    owner = book.account_participant[chosen]
    covered = np.minimum(book.margin[chosen, house], lost)
    sums = np.zeros((2, len(book.participants)), np.int64)
    np.add.at(sums[0], owner, lost)
    np.add.at(sums[1], owner, covered)
    losses = {str(place): int(sums[0, place]) for place in down.tolist() if sums[0, place]}
    if not losses:
        return None
    contributions = {str(place): 0 for place in range(len(book.participants))}
    if fund is not None:
        contributions |= {str(place): amount for place, amount in fund.contributions.items()}
        # a defaulter without a loss here pays nothing, and nothing can be asked of it either
        contributions |= {str(place): 0 for place in down.tolist() if str(place) not in losses}
    collateral = {str(place): int(sums[1, place]) for place in range(len(book.participants))}
    return waterfall(
        losses,
        Resources(
            collateral=collateral,
            contributions=contributions,
            house_part=fund.house_part if fund else 0,
            assessment_e4=rules.assessment_e4,
        ),
    )


def _gross(book: StressBook, house: int) -> Int64:
    """Return the gross notional of every account at a house."""
    here = np.array([HOUSES.index(line.house) == house for line in book.lines], np.bool_)[book.position_line]
    found = np.zeros(len(book.accounts), np.int64)
    np.add.at(found, book.position_account[here], np.abs(book.notional[here]))
    return found


def _replenishments(falls: Mapping[House, Waterfall | None], participants: int) -> Int64:
    """Return what survivors must bring again: their contributions and assessments that were used."""
    found = np.zeros(participants, np.int64)
    for each in falls.values():
        for layer in each.layers if each else ():
            if layer.kind in (LayerKind.SURVIVOR_CONTRIBUTIONS, LayerKind.ASSESSMENTS):
                for name, amount in layer.borne_by.items():
                    found[int(name)] += amount
    return found


def _house_result(
    book: StressBook, profit: Int64, place: int, fall: Waterfall | None, funds: Mapping[House, HouseFund]
) -> HouseResult:
    lost = np.maximum(-book.marked[:, place] - profit[:, place], 0)
    over = np.maximum(lost - book.margin[:, place], 0)
    owed = int(np.maximum(profit[:, place], 0).sum())
    fund = funds.get(HOUSES[place])
    return HouseResult(
        house=HOUSES[place],
        losses=int(np.maximum(-profit[:, place], 0).sum()),
        over_margin=int(over.sum()),
        accounts_over=int((over > 0).sum()),
        fund=fund.total if fund else 0,
        waterfall=fall,
        gains_cut=min(fall.uncovered, owed) if fall else 0,
    )


def _contagion(
    book: StressBook, profit: Int64, calls: Calls, houses: tuple[HouseResult, ...], rules: StressRules
) -> tuple[int, ...]:
    """Return who cannot pay what it owes once gains are cut: a clearing vector of participants and houses.

    Each participant owes its losses to the houses, each house owes gains to participants; a house's own means are what
    its defaulters' resources brought.
    """
    p, h = len(book.participants), len(HOUSES)
    owed = np.zeros((p + h, p + h))
    for place in range(h):
        owed[:p, p + place] = by_participant(book, np.maximum(-profit[:, place], 0))
        owed[p + place, :p] = by_participant(book, np.maximum(profit[:, place], 0))
    means = np.zeros(p + h)
    money = by_participant(book, np.maximum(book.liquid, 0))
    means[:p] = np.maximum(money - calls.more_margin - calls.replenishment, 0)
    for place, each in enumerate(houses):
        if each.waterfall:
            means[p + place] = float(each.waterfall.loss - each.waterfall.uncovered)
    part = rules.recovery_e4 / E4
    found = clearing_vector(owed, means, np.zeros(p + h), recovery_claims=part)
    return tuple(int(place) for place in np.flatnonzero(found.default_round[:p]) if not calls.defaulted[place])
