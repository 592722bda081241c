"""HKSCC margin of every account of a house: open positions and prices in, figures and a margin call out.

Open positions are what is not yet settled: obligations of the days to come and what failed. House and client accounts
of a participant are margined apart and never offset each other; the margin credit is given once, to the house account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.app.benefit_positions import benefit_lines, with_benefits
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES, MINOR_SCALE
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.journal.commands import CallMargin
from tsingma.margin.hkscc.corporate_actions import BENEFIT_TYPES, MONEY
from tsingma.margin.hkscc.many import HouseBook, margin_many
from tsingma.margin.hkscc.parameters import SCALE_E10, CorporateAction, Parameters
from tsingma.margin.hkscc.requirement import MarginResult
from tsingma.margin.hkscc.terms import ParticipantTerms
from tsingma.market.tickers import file_instrument_id
from tsingma.reference.book import AccountClass, ParticipantKind, ResolvedBook
from tsingma.reference.tables import read_table, row_on

Int64 = npt.NDArray[np.int64]

_FX_E6 = 1_000_000
CLEARING = (ParticipantKind.DIRECT_CLEARING, ParticipantKind.GENERAL_CLEARING)


@dataclass(frozen=True, slots=True)
class HouseMargin:
    """Margin of every account with open positions: account numbers, figures in whole HKD, and what they came from."""

    account: npt.NDArray[np.int32]
    results: tuple[MarginResult, ...]
    book: HouseBook
    terms: tuple[ParticipantTerms, ...]
    parameters: Parameters

    def call(self, derivatives: Mapping[int, int] | None = None, basis_of_more: str = "") -> CallMargin:
        """Return the command that calls these requirements, and with them those of futures and options (whole HKD).

        ``basis_of_more`` names the model of the latter where it is not the scan.
        """
        more = dict(derivatives or {})
        totals = {int(account): result.total for account, result in zip(self.account, self.results, strict=True)}
        for account, amount in more.items():
            totals[account] = totals.get(account, 0) + amount
        cents = np.array([totals[account] * MINOR_SCALE for account in sorted(totals)], np.int64)
        basis = f"HKSCC VaR Platform v1.4, {self.parameters.name}, {self.parameters.valuation_date}"
        basis += f"; {basis_of_more or 'PRiME scan, ranges from the same scenarios'}" if more else ""
        return CallMargin(basis, pack(np.array(sorted(totals), np.int32), "i4"), pack(cents, "i8"))


def live_value(name: str, day: date) -> Decimal:
    """Return a dated HKSCC margin parameter; raises Rejected (beyond-horizon) when none is in force."""
    rows = [row for row in read_table("hkscc_margin.toml")["row"] if row["name"] == name]
    return Decimal(row_on(rows, day, table=f"hkscc_margin.toml: {name}")["value"])


def with_flat_rates(parameters: Parameters, resolved: ResolvedBook, day: date) -> Parameters:
    """Return the parameters with a flat rate for every counter that has no scenarios: its market's own, or Tier N.

    Source: the rule of the market; HKSCC margin page, sub-group 1: whatever is in no other group.
    """
    rate_e10 = int(live_value("flat_rate.1", day) * SCALE_E10)
    own = {rule.code: rule.flat_margin_e10 for rule in resolved.markets.on(day)}
    known = set(parameters.instruments)
    counters = [counter for counter in resolved.book.counters if counter.settlement_counter]
    rates = {instrument_id(counter.code): own[counter.market] or rate_e10 for counter in counters}
    flat = {code: rate for code, rate in rates.items() if code not in known}
    return msgspec.structs.replace(parameters, flat_rates_e10={**flat, **parameters.flat_rates_e10})


def instrument_id(code: str) -> str:
    """Return the id that parameter files use for a counter: Hong Kong codes without leading zeros."""
    return file_instrument_id(code) if len(code) == 5 and code.isdigit() else code


def with_benefit_rates(parameters: Parameters, codes: Sequence[str], day: date) -> Parameters:
    """Return the parameters with a rate for benefits of corporate actions that have no row of FieldType 7.

    Shares and rights to come take the Tier N rate like whatever is in no other group; money to come has no market
    value and needs none.
    """
    rate_e10 = int(live_value("flat_rate.1", day) * SCALE_E10)
    flat, actions = dict(parameters.flat_rates_e10), dict(parameters.corporate_actions)
    for code in codes:
        kind = BENEFIT_TYPES.get(code[:3])
        if kind is None or code in parameters.instruments or (code[3:], kind) in actions:
            continue
        if kind == BENEFIT_TYPES[MONEY]:
            actions[code[3:], kind] = CorporateAction(kind, 0, 0, 0)
        else:
            flat[code] = rate_e10
    return msgspec.structs.replace(parameters, flat_rates_e10=flat, corporate_actions=actions)


def terms_of(resolved: ResolvedBook, account: int, day: date) -> ParticipantTerms:
    """Return the live terms of an account: floor, tick and credit by date; multiplier 1, no add-ons by notice."""
    is_house = resolved.book.accounts[account].account_class is AccountClass.HOUSE
    return ParticipantTerms(
        margin_multiplier_e10=SCALE_E10,
        margin_credit=int(live_value("margin_credit", date(2025, 10, 1))) if is_house else 0,
        credit_risk_addon=0,
        ad_hoc_addon=0,
        tier_p_floor_e10=int(live_value("tier_p_floor", day) * SCALE_E10),
        min_tick_e10=int(live_value("min_tick", date(2025, 10, 1)) * SCALE_E10),
        hedge_instrument="2800",
    )


def house_margin(house: House, parameters: Parameters, kinds: tuple[ParticipantKind, ...] = CLEARING) -> HouseMargin:
    """Return the margin of every account with open positions of participants of some kinds, at closing prices."""
    resolved, day = house.resolved, to_date(house.position.day)
    book, account = marginable_positions(house, kinds)
    complete = with_benefit_rates(with_flat_rates(parameters, resolved, day), book.instruments, day)
    terms = tuple(terms_of(resolved, number, day) for number in account.tolist())
    return HouseMargin(account, margin_many(complete, book, terms), book, terms, complete)


def marginable_positions(
    house: House, kinds: tuple[ParticipantKind, ...] = CLEARING
) -> tuple[HouseBook, npt.NDArray[np.int32]]:
    """Return the open positions of accounts per security, whole HKD, and the account numbers; ``kinds`` of participant.

    Counters of one security are combined in the settlement counter: money of another counter is converted with its
    haircut, added to what is to be paid and taken from what is to be received (guide v1.4, multi-counter combination).
    Raises Rejected (missing) when an open security has no closing price.
    """
    resolved = house.resolved
    account, security, quantity, contract = _open_lines(house)
    margined = np.array([resolved.book.participants[number].kind in kinds for number in resolved.account_participant])
    chosen = margined[account]
    key = account[chosen] * len(resolved.securities) + security[chosen]
    keys, place = np.unique(key, return_inverse=True)
    sums = np.zeros((2, keys.size), np.int64)
    np.add.at(sums[0], place, quantity[chosen])
    np.add.at(sums[1], place, contract[chosen])
    owner, share = np.divmod(keys, max(len(resolved.securities), 1))
    market = _market_value(house, share, sums[0])
    counters = resolved.settlement_counter
    codes = tuple(instrument_id(resolved.book.counters[counter].code) for counter in counters.tolist())
    benefits = [line for line in benefit_lines(house, codes) if margined[line.account]]
    codes, columns = with_benefits(codes, (owner, share, *sums, market), benefits)
    owner = columns[0]
    owners = np.unique(owner)
    return HouseBook(
        accounts=tuple(resolved.account_name(int(number)) for number in owners),
        instruments=codes,
        start=np.append(np.searchsorted(owner, owners), owner.size).astype(np.int64),
        instrument=columns[1],
        quantity=columns[2],
        contract_value=columns[3],
        market_value=columns[4],
    ), owners.astype(np.int32)


def _open_lines(house: House) -> tuple[Int64, Int64, Int64, Int64]:
    """Return (account, security, quantity, contract value in whole HKD) of everything not yet settled."""
    resolved, positions = house.resolved, house.settlement.positions
    accounts: list[Int64] = [positions.account.astype(np.int64)]
    securities: list[Int64] = [positions.security.astype(np.int64)]
    quantities: list[Int64] = [positions.open]
    contracts: list[Int64] = [np.zeros(positions.key.size, np.int64)]

    def add(account: Int64, security: Int64, currency: Int64, quantity: Int64, cents: Int64) -> None:
        accounts.append(account)
        securities.append(security)
        quantities.append(quantity)
        contracts.append(_contract_hkd(house, security, currency, cents))

    line = positions.money_line
    unmoved = positions.due_cents - positions.moved_cents
    add(
        positions.money_account.astype(np.int64),
        positions.security[line].astype(np.int64),
        positions.money_currency.astype(np.int64),
        np.zeros(unmoved.size, np.int64),
        unmoved,
    )
    for day in house.obligations.days:
        due = house.obligations.due(day)
        security = resolved.counter_security[due.counter].astype(np.int64)
        currency = resolved.counter_currency[due.counter].astype(np.int64)
        add(due.account.astype(np.int64), security, currency, due.quantity, due.amount_cents)
    return (
        np.concatenate(accounts),
        np.concatenate(securities),
        np.concatenate(quantities),
        np.concatenate(contracts),
    )


def _contract_hkd(house: House, security: Int64, currency: Int64, cents: Int64) -> Int64:
    """Convert contract cents to whole HKD; money of a counter that is not the settlement counter bears the haircut."""
    resolved, day = house.resolved, to_date(house.position.day)
    home = resolved.counter_currency[resolved.settlement_counter[security]].astype(np.int64)
    values = np.zeros(cents.size, np.int64)
    for unit, name in enumerate(CURRENCIES):
        haircut_e4 = 0 if name == "HKD" else int(live_value(f"fx_haircut.{name}", day) * 10_000)
        rate = house.fx_e6[unit]
        for foreign in (False, True):
            here = (currency == unit) & ((home != unit) == foreign)
            cut = haircut_e4 if foreign else 0
            paid, received = (10_000 + cut) * rate, (10_000 - cut) * rate
            for sign, factor in ((1, paid), (-1, received)):
                side = here & (np.sign(cents) == sign)
                values[side] = sign * _scaled(np.abs(cents[side]), factor, _FX_E6 * 10_000 * MINOR_SCALE)
    return values


def _market_value(house: House, security: Int64, quantity: Int64) -> Int64:
    counter = house.resolved.settlement_counter[security]
    price = house.price_e4[counter]
    unpriced = np.flatnonzero((price <= 0) & (quantity != 0))
    if unpriced.size:
        code = house.resolved.book.counters[int(counter[unpriced[0]])].code
        raise refuse(
            RejectionReason.MISSING,
            "an open position has no closing price",
            subject=code,
            field="price_e4",
            remedy="set the closing prices before margin is called",
        )
    rate = np.array(house.fx_e6, np.int64)[house.resolved.counter_currency[counter]]
    values = np.zeros(quantity.size, np.int64)
    for unit in np.unique(rate).tolist():
        here = rate == unit
        values[here] = np.sign(quantity[here]) * _scaled(np.abs(quantity[here]) * price[here], unit, _FX_E6 * 10_000)
    return values


def _scaled(amount: Int64, factor: int, unit: int) -> Int64:
    """Return amount x factor / unit to the nearest integer, halves up, in Python integers where 64 bits are short."""
    if not amount.size or int(amount.max()) < (2**62) // max(factor, 1):
        whole: Int64 = (amount * factor + unit // 2) // unit
        return whole
    return np.array([(value * factor + unit // 2) // unit for value in amount.tolist()], np.int64)
