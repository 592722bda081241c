"""Stories of futures at their end: treasury bonds against an invoice, dollars against renminbi.

Goal: both sides at one instant, amounts by the contract. Method: production step; sources by story.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from custody_story import ISIN, CustodyStory, day

from tsingma.custody.bond_futures import bond_future, cheapest, delivery, factor_of
from tsingma.journal import custody_commands as custody
from tsingma.reference.terms import Product

CHINESE = {"depository": "CCDC", "day_count": "ACT/ACT ICMA", "adjusted": False}


def test_a_treasury_bond_future_is_delivered_with_the_cheapest_bond(story: CustodyStory) -> None:
    """The short side chooses by implied repo, delivers against the invoice, and is paid at the same instant.

    Source: CFFEX, conversion factor and accrued interest of 5-year treasury bond futures (3 September 2013); delivery
    amount = contracts x (settlement price x factor + accrued interest) x face / 100.
    """
    five = story.register("BOND", issue_day=day(2025, 6, 15), maturity_day=day(2030, 6, 15), coupon_e9=16_000_000,
                          months=12, **CHINESE)  # fmt: skip
    seven = story.register("BOND2", issue_day=day(2024, 4, 25), maturity_day=day(2031, 4, 25), coupon_e9=23_000_000,
                           months=12, **CHINESE)  # fmt: skip
    story.issue("BOND", A=50_000)
    story.issue("BOND2", A=50_000)
    story.give("B", "CNY", 300_000_000)
    contract, month = bond_future("TF", date(2026, 3, 1)), date(2026, 3, 1)
    ways = [
        delivery(
            terms, factor_of(terms, contract, month), 1_059_000, clean, day(2026, 1, 5), day(2026, 3, 18), 15_000_000
        )
        for terms, clean in ((five, 1_001_000), (seven, 1_029_000))
    ]
    best = cheapest(ways)
    assert best.isin == five.isin
    deliver = custody.DeliverBonds("TF", best.isin, story.account("A"), story.account("B"), 2, 1_059_000)
    story.go_to(2026, 3, 18)
    figures = story.tell(deliver).figures
    held = Fraction(276, 365)  # 15 June 2025 to 18 March 2026
    accrued = round(16_000_000 * held)
    invoice = round(Fraction(2 * 100_000_000 * (1_059_000 * best.factor_e4 // 10 + accrued), 10**9))
    assert figures == {
        "units": 20_000, "factor_e4": best.factor_e4, "accrued_e7": accrued, "invoice_CNY_cents": invoice
    }  # fmt: skip
    assert story.books("BOND", "A", "B") == (30_000, 20_000)
    assert story.books("CNY", "A", "B") == (invoice, 300_000_000 - invoice)
    assert "insufficient" in story.refuse(deliver)  # B has money for one more, not for two
    assert story.books("BOND", "A", "B") == (30_000, 20_000)
    story.end_day()


def test_only_bonds_of_the_basket_are_delivered(story: CustodyStory) -> None:
    """A policy bank's bond, one that is too short, and a contract that settles in cash are refused.

    Source: CFFEX, relevant issues on deliverable bonds of 5-year treasury bond futures.
    """
    story.register(
        "BOND", Product.POLICY_BANK, issue_day=day(2025, 6, 15), maturity_day=day(2030, 6, 15), months=12, **CHINESE
    )
    story.register("BOND2", issue_day=day(2025, 1, 2), maturity_day=day(2028, 1, 2), months=12, **CHINESE)
    story.issue("BOND", A=10_000)
    story.issue("BOND2", A=10_000)
    for name in ("BOND", "BOND2"):
        wrong = custody.DeliverBonds("TF", ISIN[name], story.account("A"), story.account("B"), 1, 1_059_000)
        assert "cannot be delivered" in story.refuse(wrong)
    gone = custody.DeliverBonds("HTF", ISIN["BOND"], story.account("A"), story.account("B"), 1, 1_059_000)
    assert "one of TF, T" in story.refuse(gone)
    story.end_day()


def test_a_currency_future_delivers_dollars_against_renminbi(story: CustodyStory) -> None:
    """Three contracts: USD 300,000 against 6.9721 each; who lacks either currency moves neither.

    Source: HKEX, USD/CNH futures: USD 100,000 a contract, RMB per USD to four decimals, delivery of USD by the seller
    and payment of the final settlement value in RMB by the buyer.
    """
    story.give("A", "USD", 30_000_000)
    story.give("B", "CNY", 209_162_999)
    settle = custody.SettleCurrencyFuture("CUS", story.account("A"), story.account("B"), 3, 69_721)
    assert "insufficient" in story.refuse(settle)
    assert (story.has("A", "USD"), story.has("B", "CNY")) == (30_000_000, 209_162_999)  # one cent short: nothing moves
    story.give("B", "CNY", 1)
    figures = story.tell(settle).figures
    assert figures == {"to_buyer_CNY_cents": -209_163_000, "to_buyer_USD_cents": 30_000_000}
    assert (story.books("USD", "A", "B"), story.books("CNY", "A", "B")) == ((0, 30_000_000), (209_163_000, 0))
    story.end_day()


def test_a_mini_currency_future_settles_in_money(story: CustodyStory) -> None:
    """The difference to the last settlement price, to the buyer when it rose and to the seller when it fell.

    Source: HKEX, mini USD/CNH futures, 21 January 2021: USD 20,000, cash settled in RMB.
    """
    story.give("A", "CNY", 100_000)
    story.give("B", "CNY", 100_000)
    rose = custody.SettleCurrencyFuture("MCS", story.account("A"), story.account("B"), 2, 69_721, 69_700)
    assert story.tell(rose).figures["to_buyer_CNY_cents"] == 8_400  # 40,000 x 0.0021
    fell = custody.SettleCurrencyFuture("MCS", story.account("A"), story.account("B"), 1, 69_700, 69_721)
    story.tell(fell)
    assert story.books("CNY", "A", "B") == (100_000 - 8_400 + 4_200, 100_000 + 8_400 - 4_200)
    unknown = custody.SettleCurrencyFuture("MCS", story.account("A"), story.account("B"), 1, 69_700)
    assert "last daily" in story.refuse(unknown)
    story.end_day()
