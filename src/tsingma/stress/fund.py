"""The default fund of every house, sized by the house's own standard shocks (cover 2) on the book under stress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tsingma.margin.house.holdings import House
from tsingma.margin.resources.default_fund import Exposure, FundRules, Key, size_fund
from tsingma.stress.book import HOUSES, Int64, StressBook
from tsingma.stress.defaults import HouseFund, by_participant


def house_funds(
    book: StressBook, profits: Mapping[str, Int64], rules: Mapping[House, FundRules]
) -> dict[House, HouseFund]:
    """Return the fund of every house at which someone has margin.

    ``profits`` int64 [accounts, houses] by the name of the standard shock. Contributions follow the margin called.
    """
    found = {}
    for place, house in enumerate(HOUSES):
        called = by_participant(book, book.margin[:, place])
        members = np.flatnonzero(called)
        if not members.size or house not in rules:
            continue
        exposures = [one for name, each in profits.items() for one in _exposures(book, name, each, place, members)]
        keys = [Key(str(book.day), str(member), int(called[member])) for member in members.tolist()]
        fund = size_fund(exposures, keys, rules[house])
        shares = {int(name): amount for name, amount in fund.contributions.items()}
        found[house] = HouseFund(contributions=shares, house_part=fund.house_part)
    return found


def _exposures(book: StressBook, name: str, profit: Int64, place: int, members: Int64) -> Sequence[Exposure]:
    lost = np.maximum(-book.marked[:, place] - profit[:, place], 0)
    loss = by_participant(book, lost)
    covered = by_participant(book, np.minimum(lost, book.margin[:, place]))
    return [
        Exposure(
            day=str(book.day), scenario=name, participant=str(member), group=str(member),
            loss=int(loss[member]), collateral=int(covered[member]),
        )
        for member in members.tolist()
    ]  # fmt: skip
