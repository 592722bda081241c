"""Holding a link's rules against each other: dates, calendars, codes, quotas, chains, cycles and fees.

Each check returns faults; none raises. The rules arrive well formed (``rule_file``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason
from tsingma.links.rule_rows import (
    AtZero,
    Direction,
    FeeRow,
    LinkRules,
    LinkStatus,
    MarginModel,
    PreTradeCheck,
    Product,
    QuotaKind,
    QuotaRow,
    Row,
    SessionKind,
    SessionRow,
)
from tsingma.links.rule_terms import Fault, Path
from tsingma.reference.calendars import calendar_names
from tsingma.reference.fees import RATE_SCALE_E9, tariff

AMOUNT_MAX = 10**14  # whole units: x 10^4 it still fits 64 bits
CYCLE_DAYS_MAX = 30
TERM_MONTHS_MAX = 360
CALENDAR_DAYS_MAX = 60 * 366
SHARE_E4 = 10_000

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SHARED = re.compile(r"[a-z0-9-]{1,40}/[a-z0-9-]{1,40}")
_MARKET = re.compile(r"[A-Z0-9]{2,8}")


def check_rules(rules: LinkRules) -> list[Fault]:
    """Return every contradiction of a well-formed rule file; empty when it may be used."""
    faults = [*_head(rules), *_every_row(rules, ()), *_calendars(rules), *_markets(rules)]
    for place, direction in enumerate(rules.directions):
        path: Path = ("direction", place)
        for check in (_places, _dated, _sessions, _quotas, _checks, _chain, _cycles, _fees, _monies, _eligibility):
            faults.extend(check(rules, direction, path))
        faults.extend(_swaps(direction, path))
    return [*faults, *_risks(rules)]


def _out(path: Path, message: str, remedy: str) -> Fault:
    return Fault(RejectionReason.OUT_OF_RANGE, path, message, remedy)


def _unknown(path: Path, message: str, remedy: str) -> Fault:
    return Fault(RejectionReason.UNKNOWN, path, message, remedy)


def _conflict(path: Path, message: str, remedy: str) -> Fault:
    return Fault(RejectionReason.CONFLICT, path, message, remedy)


def _missing(path: Path, message: str, remedy: str) -> Fault:
    return Fault(RejectionReason.MISSING, path, message, remedy)


def _head(rules: LinkRules) -> Iterator[Fault]:
    if not _NAME.fullmatch(rules.name):
        yield Fault(RejectionReason.MALFORMED, ("name",), f"'{rules.name[:60]}'", "1 to 40 of a-z, 0-9 and -")
    if not rules.title.strip():
        yield _missing(("title",), "is empty", "say in a few words what the link is")
    if rules.status is LinkStatus.PROPOSAL and not any(text.strip() for text in rules.assumptions):
        yield _missing(("assumptions",), "a proposal states none", "write each assumption as a sentence")
    if not rules.directions:
        yield _missing(("direction",), "there is none", "add [[direction]]")
    names = [direction.name for direction in rules.directions]
    for place, name in enumerate(names):
        if not _NAME.fullmatch(name):
            yield Fault(RejectionReason.MALFORMED, ("direction", place, "name"), f"'{name[:60]}'", "a-z, 0-9 and -")
        if name in names[:place]:
            yield _conflict(("direction", place, "name"), f"'{name}' is there twice", "name each direction once")


def _every_row(value: Any, path: Path) -> Iterator[Fault]:
    """Check every row of the file alike: dates in order, a source or an assumption, whole numbers in range."""
    if isinstance(value, tuple):
        for place, item in enumerate(value):
            yield from _every_row(item, (*path, place))
    if not isinstance(value, msgspec.Struct):
        return
    if isinstance(value, Row):
        if value.valid_to < value.valid_from:
            yield _conflict((*path, "valid_to"), "is before valid_from", "correct one of them")
        if not value.source.strip() and not value.assumed:
            yield _missing((*path, "source"), "is not given", "name the document, or write assumed = true")
    for field in msgspec.structs.fields(type(value)):
        item = getattr(value, field.name)
        if isinstance(item, int) and not isinstance(item, bool) and not 0 <= item < 2**63:
            yield _out((*path, field.encode_name), "is negative or does not fit 64 bits", "write 0 or more")
        yield from _every_row(item, (*path, field.encode_name))


def _calendars(rules: LinkRules) -> Iterator[Fault]:
    seen: set[str] = set(calendar_names())
    for place, row in enumerate(rules.calendars):
        path: Path = ("calendar", place)
        if row.name in seen or not row.name:
            yield _conflict((*path, "name"), f"'{row.name[:60]}' is there already, or empty", "give it its own name")
        seen.add(row.name)
        if row.valid_to.year == 9999:
            yield _missing((*path, "valid_to"), "is not given", "a calendar ends where its closures are known no more")
        elif (row.valid_to - row.valid_from).days > CALENDAR_DAYS_MAX:
            yield _out((*path, "valid_to"), "is more than 60 years on", "a calendar has the years that were published")
        for name in ("closures", "half_days"):
            for item, day in enumerate(getattr(row, name)):
                if not row.valid_from <= day <= row.valid_to:
                    yield _out((*path, name, item), f"{day} is outside the calendar", "widen the dates or take it out")


def _known_calendars(rules: LinkRules) -> list[str]:
    return [*calendar_names(), *(row.name for row in rules.calendars)]


def _names(rules: LinkRules, names: Sequence[str], path: Path) -> Iterator[Fault]:
    known = _known_calendars(rules)
    if not names:
        yield _missing(path, "names no calendar", f"name one or more of {', '.join(known)}")
    for place, name in enumerate(names):
        if name not in known:
            remedy = f"one of {', '.join(known)}, or add [[calendar]]"
            yield _unknown((*path, place), f"no calendar '{name[:60]}'", remedy)


def _currency(code: str, path: Path) -> Iterator[Fault]:
    if code not in CURRENCIES:
        yield _unknown(path, f"the house keeps no '{code[:60]}'", f"one of {', '.join(CURRENCIES)}")


def _markets(rules: LinkRules) -> Iterator[Fault]:
    codes = [market.code for market in rules.markets]
    for place, market in enumerate(rules.markets):
        path: Path = ("market", place)
        if not _MARKET.fullmatch(market.code):
            yield Fault(RejectionReason.MALFORMED, (*path, "code"), f"'{market.code[:60]}'", "2 to 8 of A-Z and 0-9")
        if market.code in codes[:place]:
            yield _conflict((*path, "code"), f"'{market.code}' is there twice", "describe each market once")
        for name in ("trading_calendar", "money_calendar"):
            given = getattr(market, name)
            if given not in _known_calendars(rules):
                yield _unknown((*path, name), f"no calendar '{given[:60]}'", "name a known one or add [[calendar]]")
        yield from _currency(market.currency, (*path, "currency"))
        for name in ("clearing_house", "depository", "place"):
            if not getattr(market, name).strip():
                yield _missing((*path, name), "is empty", "name it")
        if not market.kinds:
            yield _missing((*path, "kinds"), "is empty", "name the kinds of instrument it trades")


def _places(rules: LinkRules, direction: Direction, path: Path) -> Iterator[Fault]:
    codes = [market.code for market in rules.markets]
    for name in ("market", "home"):
        given = getattr(direction, name)
        if given not in codes:
            yield _unknown((*path, name), f"no market '{given[:60]}'", f"one of {', '.join(codes)}, or add [[market]]")
    if not direction.products:
        yield _missing((*path, "products"), "is empty", "name what is traded")
    for place, row in enumerate(direction.days):
        for name in ("trades_when", "settles_when"):
            yield from _names(rules, getattr(row, name), (*path, "days", place, name))


def _overlaps(
    rows: Sequence[Row], path: Path, key: Callable[[Any], object] = lambda row: None, *, what: str
) -> Iterator[Fault]:
    for place, row in enumerate(rows):
        for earlier in rows[:place]:
            if key(row) == key(earlier) and row.valid_from <= earlier.valid_to and earlier.valid_from <= row.valid_to:
                yield _conflict((*path, place, "valid_from"), f"overlaps an earlier row{what}", "end the earlier one")
                break


def _dated(rules: LinkRules, direction: Direction, path: Path) -> Iterator[Fault]:
    """Tables of which exactly one row is in force: no overlap, and no day from the link's first without one."""
    for field in ("days", "checks", "cycles", "monies"):
        name = next(one.encode_name for one in msgspec.structs.fields(Direction) if one.name == field)
        rows: tuple[Row, ...] = getattr(direction, field)
        yield from _overlaps(rows, (*path, name), what="")
        yield from _covered(rules, rows, (*path, name))
    yield from _covered(rules, direction.sessions, (*path, "session"))
    yield from _covered(rules, direction.margins, (*path, "margin"))
    yield from _overlaps(direction.margins, (*path, "margin"), lambda row: row.house, what=" of this house")
    for place, row in enumerate(direction.margins):
        if row.model is MarginModel.FLAT_RATE and not row.rate_e9:
            yield _missing((*path, "margin", place, "rate_e9"), "a flat rate is not given", "give the rate x 10^9")


def _covered(rules: LinkRules, rows: Sequence[Row], path: Path) -> Iterator[Fault]:
    day = rules.valid_from
    for row in sorted(rows, key=lambda one: one.valid_from):
        if row.valid_from <= day <= row.valid_to:
            if row.valid_to.year == 9999:
                return
            day = row.valid_to + timedelta(days=1)
    yield _missing(path, f"no row is in force on {day}", "add one, or leave out the last valid_to")


def _sessions(rules: LinkRules, direction: Direction, path: Path) -> Iterator[Fault]:
    rows = direction.sessions
    for place, row in enumerate(rows):
        here: Path = (*path, "session", place)
        if row.start >= row.end:
            yield _conflict((*here, "end"), "is not after start", "a session lies within one day")
        for earlier in rows[:place]:
            same_days = row.valid_from <= earlier.valid_to and earlier.valid_from <= row.valid_to
            if same_days and row.start < earlier.end and earlier.start < row.end:
                yield _conflict((*here, "start"), "the session overlaps an earlier one", "split it, in order of time")
                break


def _needed_at_zero(sessions: tuple[SessionRow, ...]) -> list[SessionKind]:
    return sorted({row.kind for row in sessions if row.kind is not SessionKind.INPUT})


def _quotas(rules: LinkRules, direction: Direction, path: Path) -> Iterator[Fault]:
    rows = direction.quotas
    yield from _overlaps(rows, (*path, "quota"), lambda row: row.kind, what=" of this kind")
    held = {row.kind for row in direction.sessions}
    if direction.quota_of and (rows or not _SHARED.fullmatch(direction.quota_of)):
        remedy = "write link/direction and no quota of its own"
        yield _conflict((*path, "quota_of"), f"'{direction.quota_of[:60]}'", remedy)
    for place, row in enumerate(rows):
        here: Path = (*path, "quota", place)
        yield from _currency(row.currency, (*here, "currency"))
        if not 0 < row.amount <= AMOUNT_MAX:
            yield _out((*here, "amount"), f"{row.amount}", f"whole {row.currency[:8]}, 1 to {AMOUNT_MAX:,}")
        yield from _at_zero(row, direction, here)
        for kind in row.at_zero:
            if kind not in held:
                yield _unknown((*here, "at_zero", kind), f"there is no session '{kind}'", "take it out")
        if row.split_amount and (row.kind is not QuotaKind.INDIVIDUAL or len(row.channels) < 2):
            yield _conflict((*here, "split_amount"), "needs an individual quota of two channels", "name the channels")
        if row.split_amount > row.amount:
            yield _conflict((*here, "split_amount"), "is more than the whole", "give the cap of each channel")
        if len(set(row.channels)) != len(row.channels):
            yield _conflict((*here, "channels"), "a channel is there twice", "name each once")


def _at_zero(row: QuotaRow, direction: Direction, path: Path) -> Iterator[Fault]:
    if row.kind is not QuotaKind.DAILY_NET_BUY:
        if any(rule is not AtZero.MUST_FIT for rule in row.at_zero.values()):
            remedy = f"only {QuotaKind.DAILY_NET_BUY} waits or closes; others refuse what does not fit"
            yield _conflict((*path, "at_zero"), f"has no meaning for {row.kind}", remedy)
        return
    for kind in _needed_at_zero(direction.sessions):
        if kind not in row.at_zero:
            remedy = f"one of {', '.join(AtZero)}"
            yield _missing((*path, "at_zero", kind), f"is not given for the {kind} session", remedy)


def _checks(rules: LinkRules, direction: Direction, path: Path) -> Iterator[Fault]:
    for place, row in enumerate(direction.checks):
        here: Path = (*path, "check", place)
        segregated = row.pre_trade is PreTradeCheck.SEGREGATED
        if segregated != bool(row.designated_brokers_max):
            message = "belongs to segregated accounts" if not segregated else "is not given"
            yield _conflict((*here, "designated_brokers_max"), message, "how many brokers an account may name")
        if row.client_id_days_before and not row.client_id:
            yield _missing((*here, "client_id"), "is not given", "name the id, or take client_id_days_before out")
        if row.client_id_days_before > CYCLE_DAYS_MAX or row.designated_brokers_max > 1_000:
            yield _out(here, "more days or brokers than make sense", "up to 30 days and 1,000 brokers")


def _chain(rules: LinkRules, direction: Direction, path: Path) -> Iterator[Fault]:
    chain = direction.chain
    here: Path = (*path, "chain")
    if len(chain) < 2 or chain[0].holder != "investor":
        yield _missing(here, "starts with no investor, or has no one above", 'begin with holder = "investor"')
        return
    for place, (lower, upper) in enumerate(pairwise(chain)):
        if lower.books_of != upper.holder:
            remedy = f'write books_of = "{upper.holder[:40]}", or add the step between'
            yield _conflict((*here, place, "books_of"), f"'{lower.books_of[:60]}' is not the next holder", remedy)
    market = rules.market(direction.market)
    if market is not None and chain[-1].books_of != market.depository:
        remedy = f"the last account is in the books of {market.depository[:40]}"
        place = len(chain) - 1
        yield _conflict((*here, place, "books_of"), f"is not the depository of {market.code}", remedy)


def _cycles(rules: LinkRules, direction: Direction, path: Path) -> Iterator[Fault]:
    for place, row in enumerate(direction.cycles):
        here: Path = (*path, "cycle", place)
        for name in ("stock_days", "money_days"):
            if getattr(row, name) > CYCLE_DAYS_MAX:
                yield _out((*here, name), f"{getattr(row, name)} days", f"0 to {CYCLE_DAYS_MAX}")
        for name in ("stock_calendars", "money_calendars"):
            yield from _names(rules, getattr(row, name), (*here, name))


def _fees(rules: LinkRules, direction: Direction, path: Path) -> Iterator[Fault]:
    known = sorted({line.market for line in tariff()})
    if direction.tariff and direction.tariff not in known:
        yield _unknown((*path, "tariff"), f"no tariff '{direction.tariff[:60]}'", f"one of {', '.join(known)}")
    rows = direction.fees
    for place, row in enumerate(rows):
        yield from _fee(row, direction, (*path, "fee", place))
    yield from _overlaps(rows, (*path, "fee"), lambda row: (row.name, row.side, row.products), what=" of this name")


def _fee(row: FeeRow, direction: Direction, path: Path) -> Iterator[Fault]:
    if row.rate_e9 > RATE_SCALE_E9:
        yield _out((*path, "rate_e9"), "is more than the whole", "the share of the amount x 10^9")
    if row.minimum_cents > row.maximum_cents:
        yield _conflict((*path, "minimum_cents"), "is above maximum_cents", "correct one of them")
    if row.side not in ("buy", "sell", "both"):
        yield _unknown((*path, "side"), f"'{row.side[:60]}'", "buy, sell or both")
    if row.currency not in ("HKD", "trade"):
        yield _unknown((*path, "currency"), f"'{row.currency[:60]}'", "HKD or trade")
    if not row.products or any(product not in direction.products for product in row.products):
        yield _unknown((*path, "products"), "names what the direction does not trade", "some of its products")


def _monies(rules: LinkRules, direction: Direction, path: Path) -> Iterator[Fault]:
    for place, row in enumerate(direction.monies):
        here: Path = (*path, "money", place)
        for name in ("trade_currency", "settlement_currency", "investor_currency"):
            yield from _currency(getattr(row, name), (*here, name))
        if len({row.trade_currency, row.settlement_currency, row.investor_currency}) > 1 and not row.converted_by:
            yield _missing((*here, "converted_by"), "the monies differ", "say who converts")


def _eligibility(rules: LinkRules, direction: Direction, path: Path) -> Iterator[Fault]:
    for place, row in enumerate(direction.eligibility):
        here: Path = (*path, "eligible", place)
        if row.product not in direction.products:
            yield _unknown((*here, "product"), f"{row.product} is not traded", "one of its products")
        if row.out_size > row.in_size or row.out_weight_e4 > row.in_weight_e4:
            yield _conflict(here, "it would go out before it came in", "out is at most in")
        for name in ("in_weight_e4", "host_share_max_e4"):
            if getattr(row, name) > SHARE_E4:
                yield _out((*here, name), f"{getattr(row, name)}", "a share x 10^4, up to 10000")
        if row.in_size:
            yield from _currency(row.currency, (*here, "currency"))
    yield from _overlaps(
        direction.eligibility, (*path, "eligible"), lambda row: (row.product, row.currency), what=" of this product"
    )
    yield from _overlaps(direction.securities, (*path, "security"), lambda row: row.code, what=" of this code")


def _swaps(direction: Direction, path: Path) -> Iterator[Fault]:
    monies = {row.settlement_currency for row in direction.monies}
    for place, row in enumerate(direction.swaps):
        here: Path = (*path, "swap", place)
        if Product.SWAP not in direction.products:
            yield _unknown(here, "the direction trades no swaps", "add the product, or take the row out")
        if row.curve.partition(".")[0] not in monies or not row.curve.partition(".")[2]:
            yield _unknown((*here, "curve"), f"'{row.curve[:60]}'", f"CURRENCY.INDEX of {', '.join(sorted(monies))}")
        if not row.months or not all(1 <= each <= TERM_MONTHS_MAX for each in row.months):
            yield _out((*here, "months"), f"{list(row.months)[:10]}", f"terms of 1 to {TERM_MONTHS_MAX} months")
        for name in ("fixed_months", "floating_months"):
            if not 1 <= getattr(row, name) <= 12:
                yield _out((*here, name), f"{getattr(row, name)}", "1 to 12 months")
    yield from _overlaps(direction.swaps, (*path, "swap"), lambda _: 0, what="")


def _risks(rules: LinkRules) -> Iterator[Fault]:
    houses = sorted({market.clearing_house for market in rules.markets})
    for place, row in enumerate(rules.risks):
        path: Path = ("risk", place)
        for name in ("lodger", "holder"):
            if getattr(row, name) not in houses:
                yield _unknown((*path, name), f"'{getattr(row, name)[:60]}' clears no market here", ", ".join(houses))
        if row.lodger == row.holder:
            yield _conflict((*path, "holder"), "lodges with itself", "name the other house")
        yield from _currency(row.currency, (*path, "currency"))


__all__ = ["AMOUNT_MAX", "check_rules"]
