"""Stories of repurchase transactions: term and open, substitution, margin, income, redemption of collateral.

Goal: the collateral covers what is owed at every step, and income reaches who owns it. Method: production step.
Source: Global Master Repurchase Agreement 2011, paragraphs named by story.
"""

from __future__ import annotations

from fractions import Fraction

from custody_story import ISIN, CustodyStory, day

from tsingma.journal import commands as do
from tsingma.journal import custody_commands as custody

CASH = 9_800_000  # CNY 98,000 against bonds worth 102 %


def agree(story: CustodyStory, *, end_day: int, rate_e9: int = 18_000_000, units: int = 1_000) -> custody.OpenRepo:
    """Return a repo of A's bonds with B at 102 %."""
    return custody.OpenRepo(
        story.account("A"), story.account("B"), "CNY", CASH, rate_e9, "ACT/365F", end_day, 1_020_000_000,
        (ISIN["BOND"],), (units,),
    )  # fmt: skip


def earned(days: int, rate_e5: int = 1_800, cash: int = CASH) -> int:
    """Return repo interest in whole cents; no figure here is a half."""
    return round(Fraction(cash * rate_e5 * days, 100_000 * 365))


def bonds(story: CustodyStory, **terms: object) -> None:
    """Two bonds at par, both with A; money with B."""
    story.register("BOND", **terms)
    story.register("BOND2", maturity_day=day(2030, 1, 7))
    story.issue("BOND", A=1_500)
    story.issue("BOND2", A=1_200)
    story.price({"BOND": 1_000_000, "BOND2": 990_000})
    story.give("B", "CNY", 20_000_000)
    story.give("MOF", "CNY", 20_000_000)


def test_a_term_repo_passes_a_coupon_on_and_closes(story: CustodyStory) -> None:
    """Bonds against money and back; the coupon in between belongs to the seller.

    Source: GMRA 3(c), 3(f) and 5 (income payments): the buyer passes on what the issuer paid him.
    """
    bonds(story)
    assert "insufficient" in story.refuse(agree(story, end_day=day(2026, 1, 12), units=999))  # 99,900 for 99,960
    opened = story.tell(agree(story, end_day=day(2026, 7, 9)))
    assert (opened.owed_cents, opened.required_cents, opened.worth_cents) == (CASH, 9_996_000, 10_000_000)
    assert story.books("BOND", "A", "B") == (500, 1_000)
    assert story.books("CNY", "A", "B") == (CASH, 20_000_000 - CASH)
    story.go_to(2026, 7, 7)
    paid = story.tell(custody.PayDue(0))
    coupon = round(Fraction(1_000 * 10_000 * 3 * 181, 100 * 365))
    assert paid.figures["passed_on_cents"] == coupon
    assert story.has("B", "CNY") == 20_000_000 - CASH
    own = round(Fraction(500 * 10_000 * 3 * 181, 100 * 365))
    assert story.has("A", "CNY") == CASH + own + coupon
    assert "term is not over" in story.refuse(custody.CloseRepo(0))
    story.tell(custody.PayDue(1))  # BOND2 pays on the same day, all of it to A
    story.go_to(2026, 7, 9)
    story.run_timetable()
    assert "closed or rolled" in story.refuse(do.CloseDay())
    closed = story.tell(custody.CloseRepo(0))
    assert closed.owed_cents == CASH + earned(185)
    assert story.books("BOND", "A", "B") == (1_500, 0)
    assert story.has("B", "CNY") == 20_000_000 + earned(185)
    story.next_day()


def test_collateral_is_substituted_without_a_moment_uncovered(story: CustodyStory) -> None:
    """The new bonds arrive before the old ones leave, and only if what is left covers the requirement.

    Source: GMRA 8(a): substitution by securities of at least equal market value; simultaneous transfer (8(b)).
    """
    bonds(story)
    story.tell(agree(story, end_day=day(2026, 1, 12)))
    swap = custody.ChangeCollateral(0, (ISIN["BOND2"],), (1_009,), (ISIN["BOND"],), (1_000,))
    assert "9989100 cents, 9996000 required" in story.refuse(swap)  # 1,009 x 99 is less than 102 %
    assert story.books("BOND", "A", "B") == (500, 1_000)
    done = story.tell(custody.ChangeCollateral(0, (ISIN["BOND2"],), (1_010,), (ISIN["BOND"],), (1_000,)))
    assert done.worth_cents == 9_999_000
    assert (story.books("BOND", "A", "B"), story.books("BOND2", "A", "B")) == ((1_500, 0), (190, 1_010))
    story.move("B", "C", "BOND2", 1_010)  # the buyer owns it, and may deliver it elsewhere
    back = custody.ChangeCollateral(0, (ISIN["BOND"],), (1_000,), (ISIN["BOND2"],), (1_010,))
    assert "insufficient" in story.refuse(back)
    assert story.books("BOND", "A", "B") == (1_500, 0)  # not one leg without the other
    story.move("C", "B", "BOND2", 1_010)
    story.tell(back)
    assert (story.books("BOND", "A", "B"), story.books("BOND2", "A", "B")) == ((500, 1_000), (1_200, 0))
    story.end_day()


def test_an_open_repo_is_margined_repriced_and_closed_on_demand(story: CustodyStory) -> None:
    """Prices fall: a deficit is shown, more collateral comes; prices rise: excess goes back; the rate changes.

    Source: GMRA 4 (margin maintenance), 3(e) (on demand); ICMA Guide to Best Practice 2.61-2.63 (open repo: interest so
    far stays as earned when the rate changes).
    """
    bonds(story)
    story.tell(agree(story, end_day=0))
    story.next_day()
    story.price({"BOND": 960_000})
    proof = story.end_day()
    required = -(-(CASH + earned(1)) * 102 // 100)
    assert proof["repo_margin_deficit_CNY_cents"] == required - 9_600_000
    story.tell(do.OpenDay(day(2026, 1, 7)))
    assert "insufficient" in story.refuse(custody.ChangeCollateral(0, (ISIN["BOND"],), (10,), (ISIN["BOND"],), (1,)))
    story.tell(custody.ChangeCollateral(0, (ISIN["BOND"],), (45,)))
    assert story.books("BOND", "A", "B") == (455, 1_045)
    assert "repo_margin_deficit_CNY_cents" not in story.end_day()
    story.tell(do.OpenDay(day(2026, 1, 8)))
    story.tell(custody.RollRepo(0, 25_000_000, 0))
    story.price({"BOND": 1_010_000})
    story.tell(custody.ChangeCollateral(0, (), (), (ISIN["BOND"],), (50,)))
    assert story.books("BOND", "A", "B") == (505, 995)
    story.go_to(2026, 1, 20)
    story.give("A", "CNY", 100_000)
    closed = story.tell(custody.CloseRepo(0))
    assert closed.owed_cents == CASH + earned(3) + earned(12, 2_500)
    assert story.books("BOND", "A", "B") == (1_500, 0)
    assert "closed" in story.refuse(custody.CloseRepo(0))
    story.end_day()


def test_a_coupon_that_the_buyer_cannot_pass_on_stays_owed(story: CustodyStory) -> None:
    """The buyer sold the bonds and spent the money: the holder is paid, the seller waits, the day does not close.

    Source: GMRA 5(a): the buyer owes income whether or not he still holds the securities.
    """
    bonds(story)
    story.tell(agree(story, end_day=0))
    story.move("B", "C", "BOND", 1_000)
    story.move("B", "D", "CNY", 20_000_000 - CASH)
    story.go_to(2026, 7, 7)
    coupon = round(Fraction(1_000 * 10_000 * 3 * 181, 100 * 365))
    paid = story.tell(custody.PayDue(0))
    assert (paid.figures["passed_on_cents"], paid.figures["owed_cents"]) == (0, coupon)
    assert story.has("C", "CNY") == coupon
    story.tell(custody.PayDue(1))
    story.run_timetable()
    assert "passed on to who is entitled" in story.refuse(do.CloseDay())
    story.give("B", "CNY", coupon)
    assert story.tell(custody.PayDue(0)).figures == {"passed_on_cents": coupon, "owed_cents": 0}
    assert story.has("B", "CNY") == 0
    story.end_day()


def test_collateral_that_is_redeemed_repays_the_repo(story: CustodyStory) -> None:
    """A term repo may not outlive its collateral; in an open one redemption money repays the purchase price.

    Source: GMRA 2 (equivalent securities: a sum of money equivalent to the redemption proceeds).
    """
    bonds(story, maturity_day=day(2026, 7, 7))
    assert "before the repo ends" in story.refuse(agree(story, end_day=day(2026, 7, 7)))
    story.tell(agree(story, end_day=0))
    assert "before the repo ends" in story.refuse(custody.RollRepo(0, 18_000_000, day(2026, 8, 3)))
    story.tell(custody.ChangeCollateral(0, (ISIN["BOND2"],), (100,)))
    story.go_to(2026, 7, 7)
    story.tell(custody.PayDue(0))
    repo = story.house.custody.repos[0]
    assert (repo.cash_cents, repo.collateral) == (0, ((story.asset("BOND2"), 100),))
    over = 1_000 * 10_000 - CASH  # what the redemption exceeds the price by goes to the seller, with the coupon
    coupons = round(Fraction(1_000 * 10_000 * 3 * 181, 36_500)) + round(Fraction(500 * 10_000 * 3 * 181, 36_500))
    assert story.has("A", "CNY") == CASH + 500 * 10_000 + over + coupons
    assert story.has("B", "CNY") == 20_000_000 - CASH + 1_000 * 10_000 - over
    story.tell(custody.PayDue(1))
    closed = story.tell(custody.CloseRepo(0))
    assert closed.owed_cents == earned(183)
    assert story.books("BOND2", "A", "B") == (1_200, 0)
    story.end_day()
