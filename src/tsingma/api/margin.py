"""Margin of an account: each house and the joint figure, what they are made of, and what if. Needs a market."""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from tsingma.api.accounts import Participant, require_account
from tsingma.api.bench import Bench
from tsingma.api.bodies import body_of
from tsingma.api.guard import Reach, access
from tsingma.api.jobs import Market
from tsingma.api.permissions import Action, Resource
from tsingma.api.problems import responses
from tsingma.api.reading import Reached, Service
from tsingma.app import margin_reads as margins
from tsingma.app.house_market import HouseMarket, require_market
from tsingma.app.house_service import HouseService
from tsingma.reference.book import AccountClass

Working = NamedDependency[Bench]


@get(
    "/accounts/{participant:str}/{account_class:str}/margin",
    opt=access(Resource.MARGIN, Action.READ),
    sync_to_thread=True,
    responses=responses(404, 422, 429),
)
def margin(
    service: Service, market: Market, bench: Working, reach: Reached, participant: Participant,
    account_class: FromPath[AccountClass],
) -> margins.AccountMargin:  # fmt: skip
    """Return a study of an account's margin, each house alone and all together, and what the rules would call."""
    with bench.place():
        prices = require_market(market)
        mine = require_account(service, reach, participant, account_class)
        prices.parameters()  # read before the house is asked, which waits meanwhile
        book, rules = service.read(lambda house, at: margins.book_and_rules(house, at, mine, account_class, prices))
        return margins.margin_of(book, rules, prices)


@get(
    "/accounts/{participant:str}/{account_class:str}/margin/explanation",
    opt=access(Resource.MARGIN, Action.READ),
    sync_to_thread=True,
    responses=responses(404, 413, 422, 429),
)
def margin_explanation(
    service: Service, market: Market, bench: Working, reach: Reached, participant: Participant,
    account_class: FromPath[AccountClass],
) -> margins.MarginExplained:  # fmt: skip
    """Attribute an account's margin to its positions and houses, and show the scenarios of the tail with their days."""
    with bench.place():
        prices = require_market(market)
        return margins.explained(_book(service, reach, prices, participant, account_class), prices)


@post(
    "/accounts/{participant:str}/{account_class:str}/margin/what-if",
    opt={**access(Resource.MARGIN, Action.READ), **body_of(margins.WhatIfAsked)},
    status_code=200,
    sync_to_thread=True,
    responses=responses(404, 408, 409, 413, 422, 429),
)
def margin_what_if(
    service: Service, market: Market, bench: Working, reach: Reached, participant: Participant,
    account_class: FromPath[AccountClass], data: JSONBody[margins.WhatIfAsked],
) -> margins.MarginWhatIf:  # fmt: skip
    """Return each house's figure and the joint one before and after holdings or trades that might come."""
    with bench.place():
        prices = require_market(market)
        found = _book(service, reach, prices, participant, account_class)
        past = prices.past()
        lines = service.read(lambda house, _at: margins.asked_lines(data, house, past))
        return margins.margin_if(found, lines, prices, alone=data.alone)


def _book(
    service: HouseService, reach: Reach, market: HouseMarket, participant: str, account_class: AccountClass
) -> margins.AccountBook:
    mine = require_account(service, reach, participant, account_class)
    past = market.past()
    return service.read(lambda house, at: margins.account_book(house, at, mine, account_class, past))


ROUTES = (margin, margin_explanation, margin_what_if)
