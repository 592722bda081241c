"""Rows of the Corporate Action Position Adjustment Report, written from the terms of the event custody carries out.

Source: HKSCC Initial Margin Calculation Guide v1.4 (October 2025), appendix on corporate actions (hkex-margin.md 1.14):
bonus, split and consolidation change the quantity; a dividend in money or shares and rights each give a line of their
own. Tax is left out: the guide's amounts are the announced ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.events.terms import DISTRIBUTIONS, REORGANISATIONS, default_option
from tsingma.journal.corporate_action_commands import SCALE_E9, CashTerm, EventKind, EventTerms, ShareTerm
from tsingma.margin.hkscc.combination import Entitlement
from tsingma.margin.hkscc.explanation import rounded
from tsingma.margin.hkscc.parameters import ENTITLEMENTS, SCALE_E10

MONEY, SHARES, RIGHTS = "DIV", "DSP", "SRI"
BENEFIT_TYPES: dict[str, int] = {prefix: kind for kind, prefix in ENTITLEMENTS.items()}


def benefit_code(kind: EventKind, code: str, *, money: bool) -> str:
    """Return the instrument code of a benefit on a stock code; "" where the stock itself changes its quantity."""
    if money:
        return MONEY + code
    if kind is EventKind.RIGHTS_ISSUE:
        return RIGHTS + code
    return "" if kind is EventKind.BONUS_ISSUE else SHARES + code


def report_row(
    terms: EventTerms, codes: Mapping[int, str], currency: int, *, market: str = "HK", option: int | None = None
) -> Entitlement:
    """Return the report row of an event for positions of a currency; ``codes`` are stock codes by security.

    ``option`` is the number of the option that counts, the default one when it is not given. Money in another
    currency than the position's is taken from the option that pays in it: the announced rate is a term of the event.
    Raises Rejected (not-allowed) for an offer, which adjusts nothing, and (missing) for money in no such currency.
    """
    if terms.kind not in DISTRIBUTIONS | REORGANISATIONS:
        raise refuse(RejectionReason.NOT_ALLOWED, f"a {terms.kind} adjusts no position", subject=terms.reference)
    chosen = terms.options[default_option(terms) if option is None else option]
    code = codes[terms.security]
    row = Entitlement(ex_date=to_date(terms.ex_day), market=market, instrument=code)
    for term in chosen.cash:
        amount = _amount_e10(terms, term, currency)
        row = msgspec.structs.replace(row, cash_dividend_code=MONEY + code, cash_dividend_e10=-amount)
    for one in chosen.shares:
        ratio = _ratio_e10(terms, one)
        name = benefit_code(terms.kind, code, money=False)
        if terms.kind in REORGANISATIONS or not name:
            row = msgspec.structs.replace(row, converted_instrument=codes[one.security], conversion_ratio_e10=ratio)
        elif name.startswith(RIGHTS):
            row = msgspec.structs.replace(row, rights_code=name, rights_e10=ratio)
        else:
            row = msgspec.structs.replace(row, stock_dividend_code=name, stock_dividend_e10=ratio)
    return row


def _ratio_e10(terms: EventTerms, term: ShareTerm) -> int:
    """Return new shares for one (of a bonus: shares after it for one before it), x 10**10."""
    more = term.old if terms.kind is EventKind.BONUS_ISSUE else 0
    return rounded(Fraction((term.new + more) * SCALE_E10, term.old))


def _amount_e10(terms: EventTerms, term: CashTerm, currency: int) -> int:
    if term.currency != currency:
        found = [cash for option in terms.options for cash in option.cash if cash.currency == currency]
        if not found:
            raise refuse(
                RejectionReason.MISSING,
                "no option pays in the currency of the position",
                field="options",
                subject=terms.reference,
                remedy="margin it in the currency that is paid",
            )
        term = found[0]
    return rounded(Fraction(term.amount_e9 * term.rate_e9 * SCALE_E10, SCALE_E9 * SCALE_E9))
