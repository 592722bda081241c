"""The government issue of November 2025 from order to redemption, with the books at every step.

Source of sizes, coupons and tenors: Government press release of 11 November 2025 (P2025111100724). Dates after the
issue, conventions, denominations and holders are assumed as marked in the table. What every holder has in the end is
computed here a second time, from fractions.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import pairwise

import pytest

from tsingma.app.token_issue import PARTS, TokenIssue
from tsingma.app.token_ledgers import compare
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.custody.tokens.issues import issue_named
from tsingma.custody.tokens.ledger import BRIDGE, ISSUANCE, asset_of
from tsingma.custody.tokens.reconcile import register_items
from tsingma.engine.two_ledgers import TwoLedgers
from tsingma.simulate.token_world import BACKING, GOV_ACCOUNT, ISSUER_ACCOUNT, MIRROR
from tsingma.store.memory import MemoryStore

HKD_BOND, CNY_BOND, USD_BOND, EUR_BOND = 2, 3, 4, 5  # tokens; 0 and 1 are e-HKD and e-CNY
BN, M = 100_000_000_000, 100_000_000  # cents


def issue() -> tuple[TwoLedgers, TokenIssue]:
    """Return both ledgers and the issue on them, opened."""
    ledgers = TwoLedgers(MemoryStore(), MemoryStore())
    return ledgers, TokenIssue(ledgers, issue_named("HKSAR-2025"))


def on_book(ledgers: TwoLedgers, account: int, asset: int) -> int:
    """Return a balance on the book."""
    ledger = ledgers.book.state.ledger
    row = ledger.find(account, asset)
    return 0 if row < 0 else int(ledger.balance[row])


def test_terms_are_those_announced() -> None:
    """Goal: the issue is the published one. Method: the press release's figures, typed here once more."""
    told = {one.currency: (one.size_cents, one.years, one.coupon_e9) for one in issue_named("HKSAR-2025").tranches}
    assert told == {
        "HKD": (5 * BN // 2, 2, 25_000_000),
        "CNY": (5 * BN // 2, 5, 19_000_000),
        "USD": (300 * M, 3, 36_330_000),
        "EUR": (300 * M, 4, 25_120_000),
    }
    assert issue_named("HKSAR-2025").priced == date(2025, 11, 10)


def test_the_issue_from_order_to_redemption() -> None:
    """Goal: every step moves what it should, on both ledgers. Method: the story, with books after each part."""
    ledgers, story = issue()
    tokens = ledgers.tokens.state
    assert [contract.terms.code for contract in tokens.contracts][:2] == ["E-HKD", "E-CNY"]

    story.allot_and_settle()  # 10 and 11 November 2025
    assert [tokens.issued(token) for token in range(2, 6)] == [5 * BN // 2, 5 * BN // 2, 300 * M, 300 * M]
    for token in range(2, 6):
        assert (
            on_book(ledgers, MIRROR, token + 2) == tokens.issued(token) == -on_book(ledgers, ISSUER_ACCOUNT, token + 2)
        )
    assert story.in_tokens == {"HKGB-HKD-2027": 1_275 * M, "HKGB-CNY-2030": 1_275 * M}
    proceeds = [on_book(ledgers, GOV_ACCOUNT, unit) + tokens.balance(2, unit) * (unit < 2) for unit in range(4)]
    assert proceeds == [5 * BN // 2, 5 * BN // 2, 300 * M, 300 * M]
    assert on_book(ledgers, BACKING, CURRENCIES.index("HKD")) == tokens.issued(0) > 1_275 * M

    story.trade_and_bridge()  # 12 and 13 November
    wallets = story.wallets
    held = {code: tokens.balance(wallet, HKD_BOND) // M for code, wallet in wallets.items()}
    assert held == {"BANK-A": 700, "BANK-B": 675, "FUND-C": 425, "FUND-D": 325, "INSURER-E": 265, "OFFICE-F": 100}
    assert tokens.balance(BRIDGE, HKD_BOND) == 10 * M
    assert on_book(ledgers, tokens.wallets[wallets["INSURER-E"]].book_account, HKD_BOND + 2) == 5 * M
    assert on_book(ledgers, tokens.wallets[wallets["FUND-D"]].book_account, HKD_BOND + 2) == 5 * M
    assert tokens.balance(wallets["OFFICE-F"], CNY_BOND) == 104 * M
    assert tokens.balance(wallets["INSURER-E"], USD_BOND) == 34 * M
    let_go = [line.what for line in story.lines if "let go" in line.what]
    assert len(let_go) == 1
    assert tokens.balance(wallets["OFFICE-F"], EUR_BOND) == 12 * M

    story.live_to_maturity()
    result = story.result()
    assert (result.breaks, result.days_reconciled) == (0, weekdays(date(2025, 11, 10), date(2030, 11, 11)))
    assert [tokens.issued(token) for token in range(2, 6)] == [0, 0, 0, 0]
    for token in range(2, 6):
        assert on_book(ledgers, ISSUER_ACCOUNT, token + 2) == on_book(ledgers, MIRROR, token + 2) == 0
        for period in range(len(tokens.contracts[token].terms.periods)):
            assert tokens.balance(ISSUANCE, token, period) == 0, "a coupon is not paid"
    paid = {one.code: one.coupons_cents for one in result.tranches}
    assert paid == {code: coupons(code) for code in paid}
    assert not compare(ledgers).items


def coupons(code: str) -> int:
    """Return the coupons of a tranche over its life from the dates alone, per denomination to the nearest cent."""
    size, years, rate, unit = {
        "HKGB-HKD-2027": (5 * BN // 2, 2, Fraction(25, 1_000), 1_000_000),
        "HKGB-CNY-2030": (5 * BN // 2, 5, Fraction(19, 1_000), 1_000_000),
        "HKGB-USD-2028": (300 * M, 3, Fraction(3_633, 100_000), 100_000),
        "HKGB-EUR-2029": (300 * M, 4, Fraction(2_512, 100_000), 100_000),
    }[code]
    total = 0
    for year in range(2025, 2025 + years):
        ends = [date(year, 11, 11), date(year + 1, 5, 11), date(year + 1, 11, 11)]
        if code.startswith(("HKGB-HKD", "HKGB-CNY")):
            parts = [Fraction((after - before).days, 365) for before, after in pairwise(ends)]
        else:
            parts = [Fraction(1)] if "EUR" in code else [Fraction(1, 2)] * 2
        total += sum(int(unit * rate * part + Fraction(1, 2)) for part in parts) * (size // unit)
    return total


def weekdays(first: date, last: date) -> int:
    """Return how many weekdays there are from a date to another, both counted."""
    return sum(date.fromordinal(day).weekday() < 5 for day in range(first.toordinal(), last.toordinal() + 1))


def test_every_holder_ends_with_what_it_brought_and_earned() -> None:
    """Goal: nobody gains or loses a cent but by coupons and trades. Method: money of all holders, before and after."""
    ledgers, story = issue()
    story.run()
    tokens, deposits = ledgers.tokens.state, holders_deposits(story)
    for unit, currency in enumerate(CURRENCIES):
        tranche = next(one for one in story.issue.tranches if one.currency == currency)
        money = sum(
            on_book(ledgers, tokens.wallets[wallet].book_account, unit)
            + (tokens.balance(wallet, unit) if unit < len(story.money) else 0)
            for wallet in story.wallets.values()
        )
        assert money == deposits[currency] + story.coupons[tranche.code], currency
        government = on_book(ledgers, GOV_ACCOUNT, unit) + (tokens.balance(2, unit) if unit < 2 else 0)
        assert government == 0, currency


def holders_deposits(story: TokenIssue) -> dict[str, int]:
    """Return what holders brought, by currency: a tenth more than the size."""
    return {one.currency: one.size_cents + one.size_cents // 10 for one in story.issue.tranches}


def test_ledgers_recover_from_their_journals_in_the_middle() -> None:
    """Goal: the story survives its process. Method: stop after the trades, open both journals again, live on."""
    stores = MemoryStore(), MemoryStore()
    story = TokenIssue(TwoLedgers(*stores), issue_named("HKSAR-2025"))
    story.run("trades")
    again = TwoLedgers(*stores)
    assert again.tokens.state.digest() == story.ledgers.tokens.state.digest()
    assert again.book.state.digest() == story.ledgers.book.state.digest()
    story.ledgers = again
    story.live_to_maturity()
    whole, _ = issue()
    reference = TokenIssue(TwoLedgers(MemoryStore(), MemoryStore()), issue_named("HKSAR-2025")).run()
    assert (story.result().book_state, story.result().token_state) == (reference.book_state, reference.token_state)
    assert whole.tokens.sequence < again.tokens.sequence


def test_register_of_the_custodian_is_compared() -> None:
    """Goal: a differing register is a break that names the holder. Method: the right one, and one with an error."""
    ledgers, story = issue()
    story.allot_and_settle()
    tokens = ledgers.tokens.state
    register = {code: tokens.balance(wallet, HKD_BOND) for code, wallet in story.wallets.items()}
    assert register_items(tokens, HKD_BOND, register) == []
    register["BANK-A"] -= M
    register["STRANGER"] = M
    found = register_items(tokens, HKD_BOND, register)
    assert [item.subject for item in found] == ["HKGB-HKD-2027, BANK-A", "HKGB-HKD-2027, STRANGER"]
    assert all(item.is_break and item.remedy for item in found)


@pytest.mark.parametrize("token", [HKD_BOND, CNY_BOND, USD_BOND, EUR_BOND])
def test_dates_of_the_contract(token: int) -> None:
    """Goal: periods join from issue to maturity, paid on weekdays after their record day. Method: every tranche."""
    ledgers, _ = issue()
    terms = ledgers.tokens.state.contracts[token].terms
    assert terms.periods[0].start == to_day(date(2025, 11, 11))
    assert terms.periods[-1].end == terms.maturity_day
    for one in terms.periods:
        assert one.record_day < one.pay_day
        assert date.fromordinal(date(1970, 1, 1).toordinal() + one.pay_day).weekday() < 5
    assert asset_of(token, len(terms.periods)) < asset_of(token + 1)
    assert PARTS == ("primary", "trades", "maturity")
