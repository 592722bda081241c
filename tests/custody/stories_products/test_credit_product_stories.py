"""Stories of corporate, green and project bonds, bills and certificates of deposit.

Goal: whole lives with books at every step. Method: production step; every story names its rule's source.
"""

from __future__ import annotations

from fractions import Fraction

from custody_story import ISIN, CustodyStory, day

from tsingma.journal import custody_commands as custody
from tsingma.reference.terms import Product


def interest(cents: int, rate_e5: int, days: int, year: int = 365) -> int:
    """Return interest on an amount in whole cents, to nearest (no figure here is a half); the rate is x 100,000."""
    return round(Fraction(cents * rate_e5 * days, 100_000 * year))


def test_a_corporate_bond_is_built_called_in_part_and_redeemed(story: CustodyStory) -> None:
    """Orders with limits, the issuer allocates; a third is called at 101 pro rata; the rest comes back at par.

    Source: ICMA Primary Market Handbook (orders, allocation, delivery against payment on the issue date); call pro rata
    to holders on record, fractions by largest remainder (custody/dues.py: assumed, prospectuses differ).
    """
    story.register(
        "BOND", Product.CORPORATE, payer="CORP", issue_day=day(2026, 1, 6), maturity_day=day(2026, 10, 6),
        coupon_e9=42_500_000, months=3,
    )  # fmt: skip
    for who in "ABC":
        story.give(who, "CNY", 20_000_000)
    story.tell(custody.OpenOffer(ISIN["BOND"], "book-build", 3_000, 10, day(2026, 1, 6)))
    for who, units, limit in (("A", 2_000, 995_000), ("B", 1_500, 998_000), ("C", 1_000, 1_001_000)):
        story.tell(custody.PlaceBid(0, story.account(who), units, limit))
    assert "bid 0" in story.refuse(custody.AllotOffer(0, 998_000, (10, 1_500, 1_000)))  # above what A would pay
    assert "3010 of 3000" in story.refuse(custody.AllotOffer(0, 995_000, (2_000, 10, 1_000)))
    assert "bid 2" in story.refuse(custody.AllotOffer(0, 995_000, (500, 1_500, 1_005)))
    story.tell(custody.AllotOffer(0, 995_000, (700, 1_300, 1_000)))
    story.next_day()
    settled = story.tell(custody.SettleOffer(0))
    assert (settled.units, settled.raised_cents) == (3_000, 29_850_000)
    assert story.books("BOND", "A", "B", "C") == (700, 1_300, 1_000)
    assert story.books("CNY", "CORP", "A") == (29_850_000, 20_000_000 - 6_965_000)

    story.tell(custody.CallBonds(ISIN["BOND"], 1_000, 1_010_000, day(2026, 1, 8), day(2026, 1, 12)))
    assert "of 3000 units" in story.refuse(
        custody.CallBonds(ISIN["BOND"], 3_001, 1_010_000, day(2026, 1, 8), day(2026, 1, 12))
    )
    story.go_to(2026, 1, 12)
    called = story.tell(custody.PayDue(0))
    assert called.figures["units_redeemed"] == 1_000
    assert story.books("BOND", "A", "B", "C") == (700 - 234, 1_300 - 433, 1_000 - 333)  # 233.3, 433.3 and 333.3
    assert story.books("CNY", "A")[0] == 20_000_000 - 6_965_000 + 234 * 10_100
    assert story.issued("BOND") == 2_000

    story.go_to(2026, 4, 8)  # 6 and 7 April are holidays: 92 days from 6 January
    story.tell(custody.PayDue(1))
    assert story.has("B", "CNY") == 20_000_000 - 1_300 * 9_950 + 433 * 10_100 + interest(867 * 10_000, 4_250, 92)
    story.give("CORP", "CNY", 1_000_000)
    story.go_to(2026, 7, 6)
    story.tell(custody.PayDue(2))
    story.go_to(2026, 10, 6)
    last = story.tell(custody.PayDue(3))
    assert (last.kind, last.figures["units_redeemed"], story.issued("BOND")) == ("maturity", 2_000, 0)
    assert "it is paid" in story.refuse(custody.PayDue(3))
    story.end_day()


def test_a_green_bond_reports_every_yuan_it_raised(story: CustodyStory) -> None:
    """Proceeds are tracked from settlement; projects take their part; the report always adds up.

    Source: ICMA Green Bond Principles, June 2021, components 1 (use of proceeds) and 4 (reporting until full
    allocation).
    """
    assert "proceeds" in story.refuse(custody.RegisterSecurity(story.terms("BOND", Product.GREEN)))
    story.register("BOND", Product.GREEN, purpose="rail electrification", issue_day=day(2026, 1, 6))
    story.give("A", "CNY", 10_000_000)
    story.tell(custody.OpenOffer(ISIN["BOND"], "single-price", 500, 100, day(2026, 1, 6)))
    story.tell(custody.PlaceBid(0, story.account("A"), 500, 999_000))
    story.tell(custody.AllotOffer(0))
    assert "0" in story.refuse(custody.AllocateProceeds(ISIN["BOND"], "line 1", 1))  # nothing raised before settlement
    story.next_day()
    story.tell(custody.SettleOffer(0))
    assert story.tell(custody.AllocateProceeds(ISIN["BOND"], "line 1", 3_000_000)).left_cents == 1_995_000
    assert "1995000" in story.refuse(custody.AllocateProceeds(ISIN["BOND"], "line 2", 1_995_001))
    assert story.tell(custody.AllocateProceeds(ISIN["BOND"], "line 2", 1_995_000)).left_cents == 0
    uses = story.house.custody.proceeds.uses[story.asset("BOND")]
    assert sum(use.cents for use in uses) == 4_995_000 == story.has("MOF", "CNY")
    story.end_day()


def test_a_project_bond_amortises(story: CustodyStory) -> None:
    """Every coupon day repays a part of each unit; interest runs on what is left; units stay until the end.

    Source: amortisation by pool factor (ISO 20022 / SMPG: PRED, partial redemption without reduction of nominal).
    """
    story.register(
        "BOND", Product.PROJECT, payer="CORP", issue_day=day(2026, 1, 6), maturity_day=day(2026, 10, 6), months=3,
        coupon_e9=60_000_000, day_count="30/360", adjusted=False, repaid_cents=(3_000, 4_000),
    )  # fmt: skip
    story.issue("BOND", A=100, B=7)
    story.give("CORP", "CNY", 2_000_000)
    story.go_to(2026, 4, 8)
    story.tell(custody.PayDue(0))
    assert story.books("CNY", "A", "B") == (100 * (3_000 + 150), 7 * (3_000 + 150))  # a quarter of 6 %
    assert story.issued("BOND") == 107
    story.go_to(2026, 7, 6)
    story.tell(custody.PayDue(1))
    assert story.has("A", "CNY") == 100 * (3_150 + 4_000 + 105)  # on 70 a unit
    story.go_to(2026, 10, 6)
    story.tell(custody.PayDue(2))
    assert story.books("CNY", "A", "B") == (100 * 10_300, 7 * 10_300)  # 1.50 + 1.05 + 0.45 of interest on each 100
    assert (story.books("BOND", "A", "B"), story.issued("BOND")) == ((0, 0), 0)
    assert story.has("CORP", "CNY") == 2_000_000 - 107 * 10_300
    story.end_day()


def test_a_bill_is_sold_at_a_discount_and_repaid_at_par(story: CustodyStory) -> None:
    """91 days, multiple prices, no coupon: what is earned is the discount.

    Source: HKMA, Exchange Fund Bills tenders (91-day bills, issued the day after the tender, redeemed at maturity).
    """
    story.register(
        "BILL",
        Product.BILL,
        coupon_e9=0,
        months=0,
        face_cents=50_000_000,
        issue_day=day(2026, 1, 7),
        maturity_day=day(2026, 4, 8),
    )
    for who in "AB":
        story.give(who, "HKD", 600_000_000)
    story.next_day()
    story.tell(custody.OpenOffer(ISIN["BILL"], "multiple-price", 10, 1, day(2026, 1, 7)))
    story.tell(custody.PlaceBid(0, story.account("A"), 6, 993_100))
    story.tell(custody.PlaceBid(0, story.account("B"), 6, 992_800))
    assert story.tell(custody.AllotOffer(0)).units == (6, 4)
    story.next_day()
    story.tell(custody.SettleOffer(0))
    assert story.books("HKD", "A", "B") == (600_000_000 - 6 * 49_655_000, 600_000_000 - 4 * 49_640_000)
    story.give("MOF", "HKD", 10_000_000)
    story.go_to(2026, 4, 8)
    paid = story.tell(custody.PayDue(0))
    assert (paid.kind, paid.figures["paid_cents"], story.issued("BILL")) == ("maturity", 500_000_000, 0)
    assert story.has("A", "HKD") == 600_000_000 + 6 * 345_000
    story.end_day()


def test_a_certificate_of_deposit_pays_interest_once(story: CustodyStory) -> None:
    """Issued free of payment by the bank that takes the deposit, traded, and repaid with all its interest at maturity.

    Source: CMU, renminbi certificates of deposit (actual/365, interest at maturity); day count ISDA 2006, 4.16(d).
    """
    story.register(
        "CD", Product.CERTIFICATE, payer="CORP", coupon_e9=16_200_000, months=0, issue_day=day(2026, 1, 5),
        maturity_day=day(2026, 7, 6), face_cents=100_000_000,
    )  # fmt: skip
    story.give("A", "CNY", 500_000_000)
    story.move("A", "CORP", "CNY", 500_000_000)
    story.issue("CD", A=5)
    story.move("A", "B", "CD", 2)
    story.give("CORP", "CNY", 10_000_000)
    story.go_to(2026, 7, 6)
    story.tell(custody.PayDue(0))
    assert story.has("A", "CNY") == 300_000_000 + interest(300_000_000, 1_620, 182)
    assert story.has("B", "CNY") == 200_000_000 + interest(200_000_000, 1_620, 182)
    assert (story.books("CD", "A", "B"), story.issued("CD")) == ((0, 0), 0)
    story.end_day()
