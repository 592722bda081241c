"""Repurchase transactions: money against securities with title, open or term, margined, substituted, closed.

Source: TBMA/ISMA (ICMA) Global Master Repurchase Agreement 2011: paragraph 3 (purchase and repurchase), 4 (margin
maintenance), 5 (income payments are passed on by the buyer), 8 (substitution), 2 (repurchase price: purchase price and
price differential at the pricing rate). Interest runs on the purchase price by the day count agreed, rounded once per
stretch of one rate, half a cent away from zero.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_up
from tsingma.custody.accrual import day_fraction, interest_cents
from tsingma.custody.legs import Leg
from tsingma.custody.limits import MONEY_MAX_CENTS, UNITS_MAX, require_between, require_days, require_items
from tsingma.custody.numbered import Numbered
from tsingma.pricing.schedule import DayCount

MARGIN_ONE_E9 = 1_000_000_000
OPEN, CLOSED = "open", "closed"
COUNTS = (DayCount.ACT_365F, DayCount.ACT_360)
Basket = tuple[tuple[int, int], ...]  # (asset, units), by asset
Value = Callable[[int, int, int], int | None]  # (asset, units, currency) gives cents, None without a price


class Repo(msgspec.Struct, frozen=True, kw_only=True):
    """One repo: the seller gave ``collateral`` and owes ``cash_cents`` with interest; the buyer owes the collateral.

    ``end_day`` 0 is an open repo. The collateral must be worth ``margin_e9`` times what is owed (1.02 x 10**9 is a
    margin ratio of 102 %). ``settled_cents`` is interest of stretches at earlier rates; the rate holds since ``since``.
    """

    seller: int
    buyer: int
    currency: int
    cash_cents: int
    rate_e9: int
    day_count: str
    start_day: int
    end_day: int
    margin_e9: int
    collateral: Basket
    since: int
    settled_cents: int = 0
    status: str = OPEN
    closed_day: int = 0

    def interest(self, day: int) -> int:
        """Return the interest owed at a day, cents; a negative rate is owed by the buyer."""
        fraction = day_fraction(to_date(self.since), to_date(day), DayCount(self.day_count))
        return self.settled_cents + interest_cents(1, self.cash_cents, self.rate_e9, fraction)

    def price(self, day: int) -> int:
        """Return the repurchase price at a day, cents."""
        return self.cash_cents + self.interest(day)

    def required(self, day: int) -> int:
        """Return what the collateral must be worth at a day, cents, rounded up."""
        return divide_up(self.price(day) * self.margin_e9, MARGIN_ONE_E9)

    def worth(self, value: Value) -> int:
        """Return what the collateral is worth, cents; raises Rejected (missing) when a price is."""
        total = 0
        for asset, units in self.collateral:
            cents = value(asset, units, self.currency)
            if cents is None:
                raise refuse(RejectionReason.MISSING, f"asset {asset} has no price", field="collateral")
            total += cents
        return total


class Repos(Numbered[Repo]):
    """All repos, in the order in which they were agreed."""

    def __init__(self) -> None:
        """Start without repos."""
        super().__init__(Repo, subject="repo")

    def live(self, number: int) -> Repo:
        """Return an open repo; raises Rejected (unknown, not-allowed)."""
        repo = self[number]
        if repo.status != OPEN:
            raise refuse(RejectionReason.NOT_ALLOWED, "it is closed", subject=f"repo {number}")
        return repo

    def matured(self, day: int) -> list[int]:
        """Return the term repos that should be closed or rolled by a day."""
        return [number for number, repo in enumerate(self.rows) if repo.status == OPEN and 0 < repo.end_day <= day]

    def deficits(self, value: Value, day: int) -> list[tuple[int, int]]:
        """Return (repo, cents) of every open repo whose collateral is worth less than required: the margin to call."""
        found = []
        for number, repo in enumerate(self.rows):
            if repo.status == OPEN and (missing := repo.required(day) - repo.worth(value)) > 0:
                found.append((number, missing))
        return found

    def lent(self, asset: int) -> tuple[tuple[int, int, int], ...]:
        """Return (buyer, seller, units) of every open repo that holds a security."""
        return tuple(
            (repo.buyer, repo.seller, units)
            for repo in self.rows
            if repo.status == OPEN
            for kept, units in repo.collateral
            if kept == asset
        )


def require_repo(repo: Repo, value: Value) -> None:
    """Raise Rejected when a new repo makes no sense or its collateral is worth too little."""
    require_days(end_day=repo.end_day)
    require_between("cash_cents", repo.cash_cents, 1, MONEY_MAX_CENTS)
    if repo.seller == repo.buyer or abs(repo.rate_e9) >= MARGIN_ONE_E9:
        raise refuse(RejectionReason.OUT_OF_RANGE, "two accounts, and a rate below 100 %", field="repo")
    if repo.margin_e9 < MARGIN_ONE_E9 or repo.margin_e9 > 10 * MARGIN_ONE_E9:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"a margin ratio of {repo.margin_e9} e-9", field="margin_e9")
    if repo.day_count not in COUNTS:
        raise refuse(RejectionReason.UNKNOWN, f"'{repo.day_count}' is none of {', '.join(COUNTS)}", field="day_count")
    if repo.end_day and repo.end_day <= repo.start_day:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{to_date(repo.end_day)} is not after the start", field="end_day")
    if not repo.collateral:
        raise refuse(RejectionReason.MISSING, "a repo has collateral", field="collateral")
    require_covered(repo, value, repo.start_day)


def require_covered(repo: Repo, value: Value, day: int) -> None:
    """Raise Rejected (insufficient) unless the collateral is worth what is required at a day."""
    worth, required = repo.worth(value), repo.required(day)
    if worth < required:
        raise refuse(
            RejectionReason.INSUFFICIENT,
            f"collateral is worth {worth} cents, {required} required",
            field="collateral",
            remedy="give more, or take back less",
        )


def basket(assets: tuple[int, ...], units: tuple[int, ...]) -> Basket:
    """Return a basket by asset; raises Rejected (malformed, out-of-range) for unequal columns or units not positive."""
    if len(assets) != len(units):
        raise refuse(RejectionReason.MALFORMED, "securities and units differ in length", field="units")
    require_items("units", len(units))
    for part in units:
        require_between("units", part, 1, UNITS_MAX)
    total: dict[int, int] = {}
    for asset, part in zip(assets, units, strict=True):
        total[asset] = total.get(asset, 0) + part
    return tuple(sorted(total.items()))


def redeemed(repo: Repo, asset: int, face_cents: int, day: int) -> tuple[Repo, int]:
    """Return a repo after its collateral of a security was redeemed in the buyer's hands, and what is over.

    The redemption money repays the purchase price (GMRA 2011: securities that are redeemed are equivalent to the money
    they were redeemed for); what exceeds it the buyer passes on, cents.
    """
    proceeds = sum(units for kept, units in repo.collateral if kept == asset) * face_cents
    repaid = min(proceeds, repo.cash_cents)
    after = msgspec.structs.replace(
        repo,
        collateral=tuple(line for line in repo.collateral if line[0] != asset),
        cash_cents=repo.cash_cents - repaid,
        settled_cents=repo.interest(day),
        since=day,
    )
    return after, proceeds - repaid


def changed(collateral: Basket, give: Basket, take: Basket) -> Basket:
    """Return the collateral after giving and taking; raises Rejected (insufficient) when it is not there to take."""
    total = dict(collateral)
    for asset, units in give:
        total[asset] = total.get(asset, 0) + units
    for asset, units in take:
        total[asset] = total.get(asset, 0) - units
        if total[asset] < 0:
            raise refuse(RejectionReason.INSUFFICIENT, f"{units} of asset {asset} to take back", field="take")
    return tuple(sorted((asset, units) for asset, units in total.items() if units))


def opening_legs(repo: Repo) -> list[Leg]:
    """Return the legs of the purchase: securities to the buyer, money to the seller."""
    given = [Leg(repo.seller, repo.buyer, asset, units) for asset, units in repo.collateral]
    return [*given, Leg(repo.buyer, repo.seller, repo.currency, repo.cash_cents)]


def closing_legs(repo: Repo, day: int) -> list[Leg]:
    """Return the legs of the repurchase: money with interest to the buyer, securities back to the seller."""
    back = [Leg(repo.buyer, repo.seller, asset, units) for asset, units in repo.collateral]
    return [Leg(repo.seller, repo.buyer, repo.currency, repo.price(day)), *back]


def change_legs(repo: Repo, give: Basket, take: Basket) -> list[Leg]:
    """Return the legs of a change of collateral: what is given arrives before anything goes back."""
    return [
        *(Leg(repo.seller, repo.buyer, asset, units) for asset, units in give),
        *(Leg(repo.buyer, repo.seller, asset, units) for asset, units in take),
    ]
