"""Stories of renminbi bonds of governments and policy banks: tender, issue, coupon, tap, redemption.

Goal: whole lives with books at every step. Method: production step; every story names its rule's source.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from custody_story import ISIN, CustodyStory, day

from tsingma.basics.columns import pack
from tsingma.journal import commands as do
from tsingma.journal import custody_commands as custody
from tsingma.reference.terms import Product

RATE = 1_000_000  # a tenth of a per cent in e9


def interest(units: int, rate_bp: int, days: int) -> int:
    """Return the interest of units of CNY 100 for days of 365, in cents, to nearest (no figure here is a half)."""
    return round(Fraction(units * 10_000 * rate_bp * days, 10_000 * 365))


def test_dim_sum_bonds_are_sold_by_coupon_and_live_to_redemption(story: CustodyStory) -> None:
    """Members bid coupons; all are issued at par with the highest accepted; coupons and face come back.

    Source: Ministry of Finance, tender on CMU BID announced 9 August 2011: coupon bids in 0.01 %, multiples of CNY
    500,000, issued at par, uniform rate the highest accepted, semi-annual in arrears, settled on the next day.
    """
    lot = 5_000  # CNY 500,000 in units of CNY 100
    story.register(coupon_e9=0, issue_day=day(2026, 1, 6), maturity_day=day(2026, 12, 21), months=6)
    for who in "ABC":
        story.give(who, "CNY", 200_000_000)
    story.tell(custody.OpenOffer(ISIN["BOND"], "coupon-tender", 4 * lot, lot, day(2026, 1, 6)))
    for who, lots, rate in (("A", 2, 160), ("B", 2, 175), ("C", 3, 180)):
        story.tell(custody.PlaceBid(0, story.account(who), lots * lot, rate * RATE // 10))
    assert "multiples of 5000" in story.refuse(custody.PlaceBid(0, story.account("A"), lot + 1, 18 * RATE))
    allotted = story.tell(custody.AllotOffer(0))
    assert (allotted.cut_off, allotted.units) == (175 * RATE // 10, (2 * lot, 2 * lot, 0))
    assert allotted.cover_e9 == 1_750_000_000
    assert "settles later" in story.refuse(custody.SettleOffer(0))
    story.next_day()
    settled = story.tell(custody.SettleOffer(0))
    assert (settled.settled, settled.raised_cents, settled.accrued_cents) == (2, 200_000_000, 0)
    assert story.issued("BOND") == 4 * lot
    assert story.books("CNY", "MOF", "A", "B", "C") == (200_000_000, 100_000_000, 100_000_000, 200_000_000)

    story.go_to(2026, 6, 22)  # the 21st is a Sunday: interest runs to Monday; from 6 January that is 167 days
    story.tell(custody.PayDue(0))
    first = interest(2 * lot, 175, 167)
    assert story.books("CNY", "A", "B") == (100_000_000 + first, 100_000_000 + first)

    story.go_to(2026, 12, 18)
    story.move("B", "C", "BOND", lot)  # bought before the record day closes
    story.next_day()
    story.give("MOF", "CNY", 10_000_000)
    paid = story.tell(custody.PayDue(1))
    assert (paid.kind, paid.figures["units_redeemed"]) == ("maturity", 4 * lot)
    assert story.books("BOND", "A", "B", "C") == (0, 0, 0)
    assert story.issued("BOND") == 0
    second = interest(2 * lot, 175, 182)
    half = interest(lot, 175, 182)
    assert story.has("A", "CNY") == 100_000_000 + first + second + 100_000_000
    assert story.has("C", "CNY") == 200_000_000 + half + 50_000_000
    story.end_day()


def test_a_further_issue_is_sold_by_price_with_accrued_interest() -> None:
    """The tap of December 2025, a thousandth of its size: bids pay what they bid, the lowest gets 82.5 %.

    Source: HKMA, result of tenders of RMB sovereign bonds, 10 December 2025, BCMKFB25004 (further issuance): 1.75 %,
    due 21 February 2027, settled on 12 December 2025, average 100.39, lowest 100.38, highest 100.47, allocation about
    82.50 % at the lowest. Who bid what is invented; accrued interest is actual/365 from 21 August 2025 (113 days).
    """
    told = CustodyStory(date(2025, 12, 10))
    told.register(coupon_e9=17_500_000, issue_day=day(2025, 8, 21), maturity_day=day(2027, 2, 21))
    told.issue("BOND", D=30_000)
    told.tell(custody.OpenOffer(ISIN["BOND"], "multiple-price", 20_000, 5, day(2025, 12, 12)))
    for who, units, price in (("A", 2_000, 1_004_700), ("B", 1_500, 1_004_300), ("C", 20_000, 1_003_800)):
        told.give(who, "CNY", 300_000_000)
        told.tell(custody.PlaceBid(0, told.account(who), units, price))
    allotted = told.tell(custody.AllotOffer(0))
    assert (allotted.cut_off, allotted.ratio_e9, allotted.units) == (1_003_800, 825_000_000, (2_000, 1_500, 16_500))
    assert 1_003_850 <= allotted.average < 1_003_950  # 100.39 to two decimals
    told.go_to(2025, 12, 12)
    settled = told.tell(custody.SettleOffer(0))
    accrued = {who: interest(units, 175, 113) for who, units in (("A", 2_000), ("B", 1_500), ("C", 16_500))}
    assert settled.accrued_cents == sum(accrued.values())
    assert 300_000_000 - told.has("A", "CNY") == 2_000 * 10_047 + accrued["A"]
    assert 300_000_000 - told.has("C", "CNY") == 16_500 * 10_038 + accrued["C"]
    assert told.has("MOF", "CNY") == settled.raised_cents + settled.accrued_cents
    assert (told.issued("BOND"), told.books("BOND", "A", "B", "C", "D")) == (50_000, (2_000, 1_500, 16_500, 30_000))
    told.go_to(2026, 2, 23)  # the coupon of 21 February, a Saturday, is everybody's alike
    told.tell(custody.PayDue(0))
    assert told.house.custody.dues[0].paid_cents == sum(
        interest(units, 175, 186) for units in (2_000, 1_500, 16_500, 30_000)
    )
    told.end()


def test_a_provincial_bond_fills_noncompetitive_bids_first(story: CustodyStory) -> None:
    """Small bids take the average price; one winner cannot pay and its units lapse.

    Source: HKMA, Exchange Fund Notes tender of 20 August 2021: non-competitive applications have their own allotment
    price; pro rata at the lowest accepted. That they pay the average and come first is assumed (custody/tender.py).
    """
    story.register("BOND", Product.PROVINCIAL, payer="CORP", issue_day=day(2026, 1, 6), maturity_day=day(2028, 1, 6))
    for who in ("A", "B", "D"):
        story.give(who, "CNY", 2_000_000)
    story.tell(custody.OpenOffer(ISIN["BOND"], "multiple-price", 300, 10, day(2026, 1, 6), 50))
    for who, units, at in (("A", 100, 1_010_000), ("B", 200, 1_000_000), ("C", 100, 1_000_000), ("D", 30, 0)):
        story.tell(custody.PlaceBid(0, story.account(who), units, at))
    story.tell(custody.PlaceBid(0, story.account("A"), 10, 990_000))
    story.tell(custody.WithdrawBid(0, 4, story.account("A")))
    allotted = story.tell(custody.AllotOffer(0))
    assert allotted.units == (100, 110, 60, 30, 0)  # 170 for 300: 113.3 and 56.7, and whole lots of ten
    assert allotted.average == 1_003_704  # (100 x 101 + 170 x 100) / 270
    story.next_day()
    settled = story.tell(custody.SettleOffer(0))
    assert (settled.settled, settled.waiting) == (3, 1)
    story.run_timetable()
    assert "offer 0" in story.refuse(do.CloseDay())
    lapsed = story.tell(custody.SettleOffer(0, lapse=True))
    assert (lapsed.settled, lapsed.waiting, lapsed.lapsed) == (3, 0, 1)
    assert (story.issued("BOND"), story.books("BOND", "A", "B", "C", "D")) == (240, (100, 110, 0, 30))
    assert 2_000_000 - story.has("D", "CNY") == 301_111  # 30 x 100.3704
    story.next_day()


def test_a_policy_bank_pays_on_business_days_to_who_held_on_record(story: CustodyStory) -> None:
    """Single-price tender; the coupon of a holiday moves; who sells after the record day keeps the coupon.

    Source: ISDA 2006, 4.12 (modified following); record the business day before payment (CMU practice, assumed). HKEX
    and banks are closed on 1 July 2026 (reference/data/closures.csv): the coupon is paid on the 2nd.
    """
    story.register(
        "BOND",
        Product.POLICY_BANK,
        payer="CORP",
        issue_day=day(2026, 1, 7),
        maturity_day=day(2027, 7, 1),
        coupon_e9=20_500_000,
    )
    story.give("A", "CNY", 100_000_000)
    story.give("B", "CNY", 100_000_000)
    story.tell(custody.OpenOffer(ISIN["BOND"], "single-price", 1_000, 100, day(2026, 1, 7)))
    story.tell(custody.PlaceBid(0, story.account("A"), 700, 1_002_000))
    story.tell(custody.PlaceBid(0, story.account("B"), 600, 1_000_500))
    story.tell(custody.AllotOffer(0))
    story.go_to(2026, 1, 7)
    story.tell(custody.SettleOffer(0))
    assert story.books("BOND", "A", "B") == (700, 300)
    assert story.books("CNY", "A", "B") == (100_000_000 - 700 * 10_005, 100_000_000 - 300 * 10_005)
    story.go_to(2026, 6, 30)
    story.next_day()
    due = story.house.custody.dues[0]
    assert (due.record_day, due.payment_day) == (day(2026, 6, 30), day(2026, 7, 2))
    story.move("A", "B", "BOND", 700)
    story.tell(custody.PayDue(0))
    days = day(2026, 7, 2) - day(2026, 1, 7)
    assert days == 176
    coupon = [interest(units, 205, days) for units in (700, 300)]
    assert story.has("A", "CNY") == 100_000_000 - 700 * 10_005 + coupon[0]
    assert story.has("B", "CNY") == 100_000_000 - 300 * 10_005 + coupon[1]
    tap = custody.OpenOffer(ISIN["BOND"], "single-price", 100, 100, day(2026, 7, 2))
    story.tell(tap)  # on the payment day a new period has begun
    story.tell(custody.CancelOffer(1))
    story.next_day()


def test_no_bond_is_tapped_between_record_and_payment(story: CustodyStory) -> None:
    """New units would pay accrued interest for a coupon they do not get: the books are closed.

    Source: register closure before interest payment (CFFEX, relevant issues on deliverable bonds, 3: custody transfers
    are suspended because of interest payment).
    """
    story.register(record_days=3, issue_day=day(2026, 1, 7), maturity_day=day(2028, 1, 7))
    story.issue("BOND", A=10)
    story.go_to(2026, 7, 3)
    closed = custody.OpenOffer(ISIN["BOND"], "single-price", 100, 100, day(2026, 7, 6))
    assert "books are closed" in story.refuse(closed)
    story.next_day()


def test_a_late_delivery_carries_its_coupon(story: CustodyStory) -> None:
    """Due on the record day and not delivered: the seller owes the buyer the coupon that the buyer paid accrued for.

    Source: T2S corporate actions standards, market claims 3: matched instructions intended up to the record date and
    open at its close; the claim is paid on the payment date. What is intended later carries none.
    """
    story.register(issue_day=day(2026, 1, 7), maturity_day=day(2028, 1, 7))
    story.issue("BOND", A=40, C=100)
    story.give("B", "CNY", 5_000_000)
    story.go_to(2026, 7, 6)
    a, b = story.account("A"), story.account("B")
    row = {"reference": ([1], "i8"), "deliverer": ([a], "i4"), "receiver": ([b], "i4"),
           "security": ([story.asset("BOND") - 4], "i4"), "quantity": ([100], "i8"), "currency": ([1], "i1"),
           "amount_cents": ([1_014_877], "i8"), "priority": ([3], "i1")}  # fmt: skip
    columns = {name: pack(values, kind) for name, (values, kind) in row.items()}
    story.tell(do.CaptureInstructions("late", story.house.position.day, **columns))
    later = {**columns, "reference": pack([2], "i8")}
    story.tell(do.CaptureInstructions("in time", day(2026, 7, 8), **later))
    story.next_day()
    story.give("MOF", "CNY", 1_000_000)
    paid = story.tell(custody.PayDue(0))
    assert paid.figures["passed_on_cents"] == 0
    assert (paid.figures["owed_cents"], story.has("A", "CNY")) == (interest(100, 300, 181), interest(40, 300, 181))
    story.run_timetable()
    assert "passed on to who is entitled" in story.refuse(do.CloseDay())
    story.give("A", "CNY", 10_000)
    story.tell(custody.PayDue(0))
    assert story.has("B", "CNY") == 5_000_000 + interest(100, 300, 181)
    assert story.has("A", "CNY") == 10_000 + interest(40, 300, 181) - interest(100, 300, 181)
    story.end_day()
