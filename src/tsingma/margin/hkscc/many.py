"""The margin of a whole house at once: the figures of ``requirement.margin`` for many accounts, without the tree.

The scenario tails of all accounts run through one kernel; the other components are integer sums. Both ways agree to
the dollar.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken, Rejected, RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.kernels.scenario import tail_sums
from tsingma.margin.hkscc.components import corporate_action_of, map_components, require_hedge
from tsingma.margin.hkscc.explanation import rounded
from tsingma.margin.hkscc.parameters import SCALE_E10, Parameters
from tsingma.margin.hkscc.portfolio import check_size, floor_base, given_mean, group_of, measures
from tsingma.margin.hkscc.requirement import Components, MarginResult, requirement
from tsingma.margin.hkscc.terms import DEFAULT_SUBGROUP, REST, MarginablePosition, ParticipantTerms

_E20 = SCALE_E10 * SCALE_E10


class HouseBook(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Netted positions of many accounts as compressed rows.

    Account a holds entries ``start[a]:start[a + 1]`` (int64 [accounts + 1]) of ``instrument`` (index into
    ``instruments``), ``quantity``, ``contract_value`` and ``market_value``, all int64 [entries], values in whole HKD.
    """

    accounts: tuple[str, ...]
    instruments: tuple[str, ...]
    start: npt.NDArray[np.int64]
    instrument: npt.NDArray[np.int64]
    quantity: npt.NDArray[np.int64]
    contract_value: npt.NDArray[np.int64]
    market_value: npt.NDArray[np.int64]


class _Instrument(msgspec.Struct, frozen=True):
    """What the loops need to know of one instrument."""

    row: int  # of the scenario returns, -1 outside Tier P
    group: int  # of the portfolio groups
    flat_rate_e10: int
    underlying: str
    cash_delta_e10: int
    low_price_e10: int  # ten times the tick multiplier tenth, 0 when not low-priced
    short_addon_e10: int
    long_addon_e10: int


_Line = tuple[_Instrument, str, int, int, int]  # with its code, quantity, contract value and market value


def margin_many(parameters: Parameters, book: HouseBook, terms: Sequence[ParticipantTerms]) -> tuple[MarginResult, ...]:
    """Return the margin figures of every account of the book, in its order.

    ``terms`` has one entry per account; all must list the same new listings, since that report is the market's.
    Raises Rejected, naming the account, for what ``requirement.margin`` refuses.
    """
    _check_shape(book, terms)
    if not book.accounts:
        return ()
    ipo = terms[0].ipo
    groups = (*ipo, REST)
    known = _instruments(parameters, book.instruments, ipo)
    _check_positions(parameters, book, known)
    sums, held = _tail_sums(parameters, book, known, len(groups))
    lines = _lines(book, known)
    results = []
    for account, term in enumerate(terms):
        mine = lines[int(book.start[account]) : int(book.start[account + 1])]
        values = [market for one, _, _, _, market in mine if one.row >= 0]
        check_size(values, book.accounts[account])
        tails = [measure[account] for measure in sums]
        portfolio = _portfolio(parameters, term, groups, tails, held[account], values)
        results.append(requirement(_components(parameters, term, mine, portfolio), parameters.rounding, term))
    return tuple(results)


def _lines(book: HouseBook, known: list[_Instrument | None]) -> list[_Line]:
    columns = (book.instrument, book.quantity, book.contract_value, book.market_value)
    lines = []
    for place, *amounts in zip(*(column.tolist() for column in columns), strict=True):
        one = known[place]
        if one is None:
            raise InvariantBroken(f"{book.instruments[place]} has no parameters and was not refused")
        lines.append((one, book.instruments[place], *amounts))
    return lines


def _check_shape(book: HouseBook, terms: Sequence[ParticipantTerms]) -> None:
    entries = len(book.instrument)
    columns = (book.quantity, book.contract_value, book.market_value)
    good = (
        len(terms) == len(book.accounts)
        and len(book.start) == len(book.accounts) + 1
        and all(len(column) == entries for column in columns)
        and int(book.start[0]) == 0
        and int(book.start[-1]) == entries
        and bool((np.diff(book.start) >= 0).all())
        and (not entries or 0 <= int(book.instrument.min()) <= int(book.instrument.max()) < len(book.instruments))
    )
    if not good:
        raise refuse(
            RejectionReason.MALFORMED,
            "the columns of the book do not fit together",
            field="book",
            remedy="give one row pointer more than accounts, equal columns, and terms for every account",
        )
    if len({term.ipo for term in terms}) > 1:
        raise refuse(
            RejectionReason.CONFLICT, "accounts list different new listings", field="ipo", remedy="give one list"
        )


def _instruments(parameters: Parameters, codes: Sequence[str], ipo: Sequence[str]) -> list[_Instrument | None]:
    rows = {code: row for row, code in enumerate(parameters.instruments)}
    groups = {code: place for place, code in enumerate((*ipo, REST))}
    known: list[_Instrument | None] = []
    for code in codes:
        flat = parameters.flat_rates_e10.get(code, 0)
        row = rows.get(code, -1)
        action = corporate_action_of(code, parameters)
        product = parameters.structured_products.get(code)
        underlying = product.underlying if product else code
        hedge = parameters.beta_hedges.get(code)
        if row < 0 and code not in parameters.flat_rates_e10 and action is None:
            known.append(None)
            continue
        low = parameters.price_thresholds.get(code)
        known.append(
            _Instrument(
                row=row,
                group=groups[group_of(code, parameters, ipo)],
                flat_rate_e10=flat,
                underlying=underlying,
                cash_delta_e10=product.cash_delta_e10 if product else hedge.cash_delta_e10 if hedge else 0,
                low_price_e10=10 * low.tick_multiplier_tenth_e10 if low else 0,
                short_addon_e10=action.short_addon_e10 if action else 0,
                long_addon_e10=action.long_addon_e10 if action else 0,
            )
        )
    return known


def _check_positions(parameters: Parameters, book: HouseBook, known: list[_Instrument | None]) -> None:
    """Refuse what the single run refuses: accounts in doubt are given to the same function."""
    covered = np.array(
        [
            one is not None
            and (one.row < 0 or code in parameters.beta_hedges or code in parameters.structured_products)
            for one, code in zip(known, book.instruments, strict=True)
        ],
        dtype=np.bool_,
    )
    account_of = np.repeat(np.arange(len(book.accounts)), np.diff(book.start))
    signs = np.sign(book.quantity) * np.sign(book.market_value)
    doubtful = ~covered[book.instrument] | ((book.market_value != 0) & (signs <= 0))
    pairs = account_of * max(len(book.instruments), 1) + book.instrument
    _, first, counts = np.unique(pairs, return_index=True, return_counts=True)
    doubtful[first[counts > 1]] = True
    for account in np.unique(account_of[doubtful]).tolist():
        entries = range(int(book.start[account]), int(book.start[account + 1]))
        positions = [
            MarginablePosition(
                book.instruments[int(book.instrument[e])],
                int(book.quantity[e]),
                int(book.contract_value[e]),
                int(book.market_value[e]),
            )
            for e in entries
        ]
        try:
            map_components(positions, parameters)
        except Rejected as bad:
            name = book.accounts[account]
            raise Rejected(
                *(msgspec.structs.replace(one, subject=f"{name} {one.subject}") for one in bad.rejections)
            ) from None


def _tail_sums(
    parameters: Parameters, book: HouseBook, known: list[_Instrument | None], groups: int
) -> tuple[list[list[list[int]]], list[list[bool]]]:
    """Return the tail sums [measure][account][group] and whether an account holds anything of a group."""
    rows = np.array([one.row if one else -1 for one in known], dtype=np.int64)
    group_of_code = np.array([one.group if one else 0 for one in known], dtype=np.int64)
    account_of = np.repeat(np.arange(len(book.accounts), dtype=np.int64), np.diff(book.start))
    kept = rows[book.instrument] >= 0
    portfolio = (account_of * groups + group_of_code[book.instrument])[kept]
    order = np.argsort(portfolio, kind="stable")
    start = np.searchsorted(portfolio[order], np.arange(len(book.accounts) * groups + 1)).astype(np.int64)
    row = rows[book.instrument[kept][order]]
    value = np.ascontiguousarray(book.market_value[kept][order])
    shape = (len(book.accounts), groups)
    sums = [
        tail_sums(start, row, value, returns, count).reshape(shape).tolist()
        for returns, count in (
            (parameters.hvar_returns_e10, parameters.hvar_tail_count),
            (parameters.svar_returns_e10, parameters.svar_tail_count),
        )
    ]
    return sums, (np.diff(start) > 0).reshape(shape).tolist()


def _portfolio(
    parameters: Parameters,
    terms: ParticipantTerms,
    groups: Sequence[str],
    sums: Sequence[Sequence[int]],
    held: Sequence[bool],
    values: Sequence[int],
) -> int:
    total = Fraction(0)
    for place, group in enumerate(groups):
        if not held[place]:
            continue
        for measure, tail in zip(measures(parameters, terms), sums, strict=True):
            mean = given_mean(measure, group)
            if mean is None:
                mean = Fraction(tail[place], measure.tail_count)
            total += mean * Fraction(measure.weight_e10, SCALE_E10)
    return rounded(max(abs(total), floor_base(values) * Fraction(terms.tier_p_floor_e10, SCALE_E10)))


def _components(parameters: Parameters, terms: ParticipantTerms, lines: Sequence[_Line], portfolio: int) -> Components:
    exposure_e10: dict[str, int] = {}
    low_e10 = corporate = market_total = contract_total = 0
    flat_lines = []
    for line in lines:
        one, code, quantity, contract, market = line
        market_total += market
        contract_total += contract
        if one.low_price_e10 and quantity > 0:
            low_e10 += quantity * one.low_price_e10
        if one.row >= 0:
            exposure_e10[one.underlying] = exposure_e10.get(one.underlying, 0) + quantity * one.cash_delta_e10
        elif code in parameters.flat_rates_e10:
            flat_lines.append(line)
        else:
            net = market - contract
            rate_e10 = one.long_addon_e10 if net > 0 else one.short_addon_e10
            corporate += divide_half_away(abs(net * rate_e10), SCALE_E10)
    flat = _flat(flat_lines, terms)
    return Components(
        portfolio_margin=portfolio,
        flat_rate_margin=flat,
        liquidation_risk_addon=_liquidation(exposure_e10, parameters, terms),
        structured_product_addon=divide_half_away(low_e10 * terms.min_tick_e10, _E20),
        corporate_action_margin=corporate,
        holiday_addon=divide_half_away((portfolio + flat) * parameters.holiday_factor_e10, SCALE_E10),
        mark_to_market=market_total - contract_total,
        net_market_value=market_total,
    )


def _flat(lines: Sequence[_Line], terms: ParticipantTerms) -> int:
    sides: dict[str, list[tuple[int, int]]] = {}
    for one, code, _, _, market in lines:
        pair = sides.setdefault(terms.flat_rate_groups.get(code, DEFAULT_SUBGROUP), [(0, 0), (0, 0)])
        side = 0 if market >= 0 else 1
        value, charge_e10 = pair[side]
        pair[side] = (value + abs(market), charge_e10 + abs(market) * one.flat_rate_e10)
    charge_e10 = sum(max(pair)[1] for pair in sides.values())
    return divide_half_away(charge_e10 * terms.margin_multiplier_e10, _E20)


def _liquidation(exposure_e10: dict[str, int], parameters: Parameters, terms: ParticipantTerms) -> int:
    if not exposure_e10:
        return 0
    hedge = require_hedge(parameters, terms)
    own_e20 = beta_e20 = 0
    for code, value_e10 in exposure_e10.items():
        row = parameters.beta_hedges[code]
        own_e20 += max(abs(value_e10) - row.threshold * SCALE_E10, 0) * row.bucket_rate_e10
        beta_e20 += value_e10 * row.beta_e10
    excess_e30 = max(abs(beta_e20) - hedge.threshold * _E20, 0) * hedge.bucket_rate_e10
    return divide_half_away(own_e20, _E20) + divide_half_away(excess_e30, _E20 * SCALE_E10)
