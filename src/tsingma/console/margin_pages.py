"""Margin of an account: each house and the joint figure, down to scenarios of the tail; what trades would do."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from tsingma.api.bench import Bench
from tsingma.api.guard import Reach, access
from tsingma.api.jobs import Market
from tsingma.api.moments import Looking
from tsingma.api.permissions import Action, Resource, Scope
from tsingma.api.problems import fault_of
from tsingma.api.reads import Code, Reached, Service
from tsingma.app import margin_reads as margins
from tsingma.app.call_attribution import CallExplained, CallPosition, PositionName, call_explained
from tsingma.app.house_market import HouseMarket, require_market
from tsingma.app.house_service import HouseService
from tsingma.app.margin_rule import RuleCall
from tsingma.basics.patterns import whole
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.console.acts import status_of
from tsingma.console.giving import Paged
from tsingma.console.margin_charts import call_chart, joint_chart, terms_chart
from tsingma.console.page import Page
from tsingma.engine.house import House
from tsingma.margin.house.holdings import PRODUCTS_OF
from tsingma.margin.house.holdings import House as ClearingHouse
from tsingma.reference.book import AccountClass

Working = NamedDependency[Bench]
Class = Annotated[str, QueryParameter(name="account_class", pattern=whole("[A-Z]{0,12}"))]
Lines = Annotated[str, QueryParameter(pattern=whole("(all)?"))]
TRADE_ROWS, HOLDING_ROWS = 4, 3
SHOWN_FIRST = 20  # lines of an attribution, the others as one, unless all are asked for


@get("/margin", opt=access(Resource.MARGIN, Action.READ), sync_to_thread=True)
def margin(
    page: Paged, look: Looking, service: Service, market: Market, bench: Working, reach: Reached,
    participant: Code = "", account_class: Class = "", lines: Lines = "",
) -> Response[str]:  # fmt: skip
    """Show what is called by the rules and why, and the study of each house and of all together."""
    page.looking(look)
    shown = None if lines else SHOWN_FIRST
    mine = reach.participant(participant)
    choice = _choice(page, mine, account_class)
    values: dict[str, Any] = {"found": None, "why": None, "call": None, "refused": (), "joint": "", "terms": ()}
    if choice["account_class"]:
        try:
            with bench.place():
                prices = require_market(market)
                prices.parameters()  # read before the house is asked, which waits meanwhile
                chosen = AccountClass(choice["account_class"])
                book, rules, call = page.read(lambda house, at: _all_of(house, at, mine, chosen, prices))
                found = margins.margin_of(book, rules, prices)
                why = _explained(book, prices)
            terms = [(one, terms_chart(page, place, one)) for place, one in enumerate(found.figures)]
            values |= {"found": found, "why": why, "joint": joint_chart(page, found.margin), "terms": terms,
                       "call": call, "call_chart": call_chart(page, rules), "others": _others(call, shown),
                       "others_number": len(call.positions) - SHOWN_FIRST}  # fmt: skip
        except Rejected as rejected:
            values["refused"] = tuple(fault_of(one) for one in rejected.rejections)
    return page.render("margin.html", 200, **choice, **values, **_whose(reach, participant), shown=shown)


@get("/margin/what-if", opt=access(Resource.MARGIN, Action.READ), sync_to_thread=True)
def what_if(
    request: Request[Any, Any, Any], page: Paged, service: Service, market: Market, bench: Working, reach: Reached,
    participant: Code = "", account_class: Class = "",
) -> Response[str]:  # fmt: skip
    """Show each house's figure and the joint one before and after trades that might come; nothing is changed."""
    mine = reach.participant(participant)
    choice = _choice(page, mine, account_class)
    rows = {name: request.query_params.getall(name, []) for name in (*_TRADE, *_HOLDING)}
    values: dict[str, Any] = {"found": None, "refused": (), "rows": rows}
    status = 200
    if choice["account_class"] and any(text.strip() for text in (*rows["quantity"], *rows["notional"])):
        try:
            asked = _asked(rows)
            with bench.place():
                prices = require_market(market)
                book = _book(page, service, prices, mine, choice["account_class"])
                past = prices.past()
                lines = service.read(lambda house, _at: margins.asked_lines(asked, house, past))
                values["found"] = margins.margin_if(book, lines, prices)
        except Rejected as rejected:
            values["refused"] = tuple(fault_of(one) for one in rejected.rejections)
            status = status_of(values["refused"])
    values["pairs"] = _pairs(values["found"])
    return page.render(
        "what_if.html", status, **choice, **values, **_whose(reach, participant), trade_rows=TRADE_ROWS,
        holding_rows=HOLDING_ROWS, houses=[str(one) for one in ClearingHouse],
        products=list(dict.fromkeys(str(one) for each in PRODUCTS_OF.values() for one in each)),
    )  # fmt: skip


def _all_of(
    house: House, at: int, participant: str, account_class: AccountClass, prices: HouseMarket
) -> tuple[margins.AccountBook, RuleCall, CallExplained]:
    book, rules = margins.book_and_rules(house, at, participant, account_class, prices)
    account = house.resolved.account_index[participant, account_class]
    return book, rules, call_explained(house, account, prices.parameters())


def _others(call: CallExplained, shown: int | None) -> CallPosition | None:
    """Return the positions that are not shown as one, so that the lines of the table add up; None where all are."""
    rest = call.positions[shown:] if shown is not None else ()
    if not rest:
        return None
    parts = {term: sum(one.parts.get(term, 0) for one in rest) for term in call.columns}
    value = sum(abs(one.value) for one in rest)
    return CallPosition(house="", position=PositionName(code=""), value=value, parts=parts, cents=sum(parts.values()))


_TRADE = ("counter", "side", "quantity")
_HOLDING = ("house", "product", "factor", "notional")


def _whose(reach: Reach, participant: str) -> dict[str, object]:
    return {"participant": participant, "anybody": reach.scope is Scope.ANY}


def _choice(page: Page, participant: str, account_class: str) -> dict[str, Any]:
    """Return the account classes of a participant and the one chosen: the first where none is asked for, "" of none."""

    def classes(house: House, _at: int) -> list[str]:
        return [str(one) for owner, one in house.resolved.account_index if owner == participant]

    known = page.read(classes) if participant else []
    chosen = account_class if account_class in known else known[0] if known and not account_class else ""
    return {"whose": participant, "classes": known, "account_class": chosen}


def _book(
    page: Page, service: HouseService, market: HouseMarket, participant: str, account_class: str
) -> margins.AccountBook:
    past = market.past()
    return page.read(lambda house, at: margins.account_book(house, at, participant, AccountClass(account_class), past))


def _explained(book: margins.AccountBook, market: HouseMarket) -> margins.MarginExplained | None:
    """Return what the margin is made of; None where it has more lines than are explained at once."""
    try:
        return margins.explained(book, market)
    except Rejected as rejected:
        if rejected.rejections[0].reason is RejectionReason.LIMIT:
            return None
        raise


def _asked(rows: dict[str, list[str]]) -> margins.WhatIfAsked:
    """Return what a form asks for, of rows that are filled; raises Rejected (malformed) naming the field."""
    trades = [
        {"counter": counter.strip(), "side": side, "quantity": _number("quantity", quantity)}
        for counter, side, quantity in zip(*(rows[name] for name in _TRADE), strict=False)
        if quantity.strip()
    ]
    holdings = [
        {"house": house, "product": product, "factor": factor.strip(), "notional": _number("notional", notional)}
        for house, product, factor, notional in zip(*(rows[name] for name in _HOLDING), strict=False)
        if notional.strip()
    ]
    try:
        return msgspec.convert({"trades": trades, "holdings": holdings}, margins.WhatIfAsked)
    except msgspec.ValidationError as error:
        raise _malformed("form", str(error)) from None


def _pairs(
    found: margins.MarginWhatIf | None,
) -> list[tuple[str, margins.HouseMarginLine | None, margins.HouseMarginLine | None]]:
    """Return each house with its figures before and after; None where it had or has none."""
    if found is None:
        return []
    before, after = ({one.house: one for one in figure.houses} for figure in (found.before, found.after))
    return [(house, before.get(house), after.get(house)) for house in dict.fromkeys((*before, *after))]


def _number(field: str, text: str) -> int:
    digits = text.strip().replace(",", "").replace("\N{MINUS SIGN}", "-")
    bare = digits.removeprefix("-")
    if not (bare.isascii() and bare.isdigit() and len(bare) <= 15):
        raise _malformed(field, "is no whole number", text)
    return int(digits)


def _malformed(field: str, detail: str, value: str = "") -> Rejected:
    return refuse(RejectionReason.MALFORMED, detail, field=field, subject=value[:40])


ROUTES = (margin, what_if)
