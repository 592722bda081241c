"""Commands on repurchase transactions: open, change of collateral, roll, close."""

from __future__ import annotations

import msgspec

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody import repo as rule
from tsingma.custody.limits import require_days
from tsingma.engine.custody import asset_of, post, require_account, require_open
from tsingma.engine.custody_values import values
from tsingma.engine.house import Handlers, House
from tsingma.journal.custody_commands import ChangeCollateral, CloseRepo, OpenRepo, RollRepo
from tsingma.journal.custody_events import RepoChanged


def open_repo(house: House, command: OpenRepo) -> RepoChanged:
    """Book the purchase: securities against money at one instant; refused when the collateral is worth too little."""
    day = require_open(house)
    require_account(house, command.seller, "seller")
    require_account(house, command.buyer, "buyer")
    if command.currency not in CURRENCIES:
        raise refuse(RejectionReason.UNKNOWN, f"'{command.currency}' is not kept", field="currency")
    collateral = _basket(house, command.isins, command.units)
    repo = rule.Repo(
        seller=command.seller,
        buyer=command.buyer,
        currency=CURRENCIES.index(command.currency),
        cash_cents=command.cash_cents,
        rate_e9=command.rate_e9,
        day_count=command.day_count,
        start_day=day,
        end_day=command.end_day,
        margin_e9=command.margin_e9,
        collateral=collateral,
        since=day,
    )
    _outlives(house, collateral, repo.end_day)
    rule.require_repo(repo, values(house))
    post(house, rule.opening_legs(repo), f"repo {len(house.custody.repos)}")
    return _state(house, house.custody.repos.add(repo))


def change_collateral(house: House, command: ChangeCollateral) -> RepoChanged:
    """Give and take collateral at one instant; taking is refused when less than the requirement would be left.

    What is given arrives first, so that the collateral is worth what it was, or more, until the old goes back.
    """
    day = require_open(house)
    repo = house.custody.repos.live(command.repo)
    give = _basket(house, command.give_isins, command.give_units)
    take = _basket(house, command.take_isins, command.take_units)
    if not give and not take:
        raise refuse(RejectionReason.MISSING, "nothing is given or taken", field="give_isins")
    after = msgspec.structs.replace(repo, collateral=rule.changed(repo.collateral, give, take))
    _outlives(house, give, repo.end_day)
    after.worth(values(house))
    if take:
        rule.require_covered(after, values(house), day)
    post(house, rule.change_legs(repo, give, take), f"repo {command.repo}")
    house.custody.repos.change(command.repo, collateral=after.collateral)
    return _state(house, command.repo)


def roll_repo(house: House, command: RollRepo) -> RepoChanged:
    """Go on at another rate and to another end (0: open); interest so far is kept as earned."""
    day = require_open(house)
    repo = house.custody.repos.live(command.repo)
    require_days(end_day=command.end_day)
    if abs(command.rate_e9) >= rule.MARGIN_ONE_E9 or (command.end_day and command.end_day <= day):
        raise refuse(RejectionReason.OUT_OF_RANGE, "a rate below 100 %, and an end after today", field="end_day")
    _outlives(house, repo.collateral, command.end_day)
    house.custody.repos.change(
        command.repo, rate_e9=command.rate_e9, end_day=command.end_day, since=day, settled_cents=repo.interest(day)
    )
    return _state(house, command.repo)


def close_repo(house: House, command: CloseRepo) -> RepoChanged:
    """Book the repurchase: the repurchase price against the collateral at one instant."""
    day = require_open(house)
    repo = house.custody.repos.live(command.repo)
    if day < repo.end_day:
        raise refuse(
            RejectionReason.NOT_ALLOWED, "its term is not over", field="repo", remedy="roll it to an earlier end first"
        )
    post(house, rule.closing_legs(repo, day), f"repo {command.repo}")
    house.custody.repos.change(command.repo, status=rule.CLOSED, closed_day=day)
    return RepoChanged(command.repo, rule.CLOSED, repo.price(day), 0, 0)


def _state(house: House, number: int) -> RepoChanged:
    repo, day = house.custody.repos[number], house.position.day
    return RepoChanged(number, repo.status, repo.price(day), repo.required(day), repo.worth(values(house)))


def _basket(house: House, isins: tuple[str, ...], units: tuple[int, ...]) -> rule.Basket:
    return rule.basket(tuple(asset_of(house, isin) for isin in isins), units)


def _outlives(house: House, collateral: rule.Basket, end_day: int) -> None:
    """Refuse collateral that is redeemed before the repo ends."""
    for asset, _ in collateral:
        issue = house.custody.register.issues.get(asset)
        if issue and 0 < issue.terms.maturity_day <= max(end_day, house.position.day):
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                "it is redeemed before the repo ends",
                field="collateral",
                subject=issue.terms.isin,
                remedy="give what outlives the repo",
            )


HANDLERS: Handlers = {
    OpenRepo: open_repo,
    ChangeCollateral: change_collateral,
    RollRepo: roll_repo,
    CloseRepo: close_repo,
}
