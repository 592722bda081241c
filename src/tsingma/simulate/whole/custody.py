"""Draws of custody: the register, depositories, issue, dues, offers and their bids, the use of green proceeds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from tsingma.basics.dates import to_date, to_day
from tsingma.custody.dues import OWED, RECORDED
from tsingma.custody.offering import ALLOTTED, TAKING, Offer
from tsingma.custody.tender import BOOK, COUPON, METHODS, MULTIPLE
from tsingma.engine.house import House
from tsingma.journal import custody_commands as do
from tsingma.journal.commands import Command
from tsingma.pricing.schedule import add_months
from tsingma.reference.terms import Product, SecurityTerms
from tsingma.simulate.whole.book import isin_of
from tsingma.simulate.whole.draws import Draws, Make

FACE_CENTS = 10_000
REGISTERED = ("CGB", "GREEN", "TAP", "FUND", "BARS", "METAL", "CGB5", "BILL")
_DEBT_PRODUCTS = {"CGB": Product.SOVEREIGN, "CGB5": Product.SOVEREIGN, "GREEN": Product.GREEN,
                  "TAP": Product.POLICY_BANK, "BILL": Product.BILL}  # fmt: skip
_CHAIN = (("CCDC", ""), ("CMU", "CCDC"), ("HKSCC", "CMU"))  # depositories, home first


class CustodyDraws(Draws):
    """Securities come under the register one by one; each room of custody is drawn as far as the books allow."""

    def makers(self) -> Sequence[Make]:
        """Return the draws of custody."""
        return (
            self.register, self.register, self.depository, self.place, self.report, self.issue, self.issue, self.cancel,
            self.distribution, self.call, self.pay_due, self.non_payment, self.bid, self.bid, self.withdraw_bid,
            self.sale, self.sale, self.sale, self.sale, self.cancel_offer,
        )  # fmt: skip

    def chores(self, house: House) -> list[Command]:
        """Return what must be done about custody before the open day can close."""
        custody, day = house.custody, house.position.day
        found: list[Command] = [do.RecordNonPayment(number, "not paid") for number in custody.dues.overdue(day)]
        for one in custody.holdings.differences(custody.register, house.ledger):
            isin = custody.register.of(one.asset).terms.isin
            found.append(do.ReportNominee(one.depository, isin, one.held))
        for number in custody.offers.waiting(day):
            taking = custody.offers[number].status == TAKING
            found.append(do.CancelOffer(number) if taking else do.SettleOffer(number, lapse=True))
        return [*found, *(do.RollRepo(one, custody.repos[one].rate_e9, 0) for one in custody.repos.matured(day))]

    def terms(self, house: House, code: str) -> SecurityTerms:
        """Return the terms under which a security is registered; coupons and maturities fall into the run."""
        isin, today = isin_of(code), house.position.day
        if code in _DEBT_PRODUCTS:
            return SecurityTerms(**self._debt(code, isin, today))
        product = Product.FUND if code == "FUND" else Product.GOLD
        payer = self.other("TRUST" if code == "FUND" else "VAULT")
        return SecurityTerms(isin=isin, product=product, payer=payer, currency="HKD")

    def _debt(self, code: str, isin: str, today: int) -> dict[str, Any]:
        payer = self.other("MOF")
        usual = {"isin": isin, "product": _DEBT_PRODUCTS[code], "payer": payer, "currency": "CNY",
                 "face_cents": FACE_CENTS, "coupon_e9": 30_000_000, "months": 6}  # fmt: skip
        soon = to_date(today + self.number(1, 4))
        last = to_day(add_months(soon, -6))
        if code == "BILL":
            due = today + self.number(2, 5)
            return {**usual, "currency": "HKD", "issue_day": today - 90, "maturity_day": due, "coupon_e9": 0,
                    "months": 0}  # fmt: skip
        if code == "CGB5":
            start = date(to_date(today).year - int(to_date(today).month <= 6), 6, 15)  # deliverable all year
            end = date(start.year + 5, 6, 15)
            return {**usual, "issue_day": to_day(start), "maturity_day": to_day(end), "coupon_e9": 16_000_000,
                    "months": 12, "day_count": "ACT/ACT ICMA", "adjusted": False}  # fmt: skip
        if code == "TAP":
            return {**usual, "issue_day": today, "maturity_day": today + 1_096, "coupon_e9": 0}
        home = {"depository": "CCDC"} if code == "CGB" else {"purpose": "rail"}
        repaid = {"repaid_cents": (1_000,)} if self.happens(0.2) else {}
        return {**usual, **home, **repaid, "issue_day": last, "maturity_day": last + 1_096}

    def registered(self, house: House, *, debt: bool | None = None) -> list[str]:
        """Return the codes of registered securities, of debt or of other ones only where asked."""
        issues = house.custody.register.issues
        known = [code for code in REGISTERED if self.asset(house, code) in issues]
        return [code for code in known if debt is None or (code in _DEBT_PRODUCTS) == debt]

    def register(self, house: House) -> Command | None:
        """Register one more security, or (rarely) one that is registered."""
        left = [code for code in REGISTERED if code not in self.registered(house)]
        return do.RegisterSecurity(self.terms(house, self.pick(left))) if left else None

    def depository(self, house: House) -> Command | None:
        """Open the next depository of the chain."""
        known = len(house.custody.holdings.depositories)
        return do.OpenDepository(_CHAIN[known][0], "a depository", _CHAIN[known][1]) if known < len(_CHAIN) else None

    def place(self, house: House) -> Command | None:
        """Keep a holding of the bond at the depository below its home."""
        known = [code for code in house.custody.holdings.depositories if code != "HKSCC"]
        if "CGB" not in self.registered(house) or not known:
            return self.depository(house)
        return do.PlaceHolding(self.firm(), isin_of("CGB"), self.pick(known))

    def report(self, house: House) -> Command | None:
        """Report what a nominee holds; now and then something else."""
        custody = house.custody
        if "CGB" not in self.registered(house):
            return do.RegisterSecurity(self.terms(house, "CGB"))
        if "CMU" not in custody.holdings.depositories:
            return self.depository(house)
        asset = self.asset(house, "CGB")
        lines = custody.holdings.statement(custody.register, house.ledger, "CMU")
        held = sum(line.units for line in lines if line.asset == asset)
        return do.ReportNominee("CMU", isin_of("CGB"), held if self.happens(0.9) else held + 1)

    def issue(self, house: House) -> Command | None:
        """Issue units to a few firms."""
        known = [code for code in self.registered(house) if code not in ("BARS", "METAL")]
        if not known:
            return None
        accounts = self.some(self.whole.firms) or [self.firm()]
        return do.IssueUnits(
            isin_of(self.pick(known)), tuple(accounts), tuple(self.number(1, 40_000) for _ in accounts)
        )

    def cancel(self, house: House) -> Command | None:
        """Take units back."""
        known = {self.asset(house, code): code for code in self.registered(house) if code not in ("BARS", "METAL")}
        rich = self.rich(house, known)
        if not rich:
            return None
        account, asset, free = self.pick(rich)
        return do.CancelUnits(isin_of(known[asset]), account, self.amount(free))

    def distribution(self, house: House) -> Command | None:
        """Announce a distribution of the fund."""
        if "FUND" not in self.registered(house):
            return None
        record = self.pick((house.position.day, self.later(house)))
        amount = self.number(1, 5 * 10**8)
        return do.AnnounceDistribution(isin_of("FUND"), amount, record, record + self.number(1, 4))

    def call(self, house: House) -> Command | None:
        """Call part of a bond."""
        issues = house.custody.register.issues
        known = [code for code in self.registered(house, debt=True) if issues[self.asset(house, code)].issued > 0]
        if not known:
            return None
        code = self.pick(known)
        units = self.amount(issues[self.asset(house, code)].issued)
        record = house.position.day
        return do.CallBonds(isin_of(code), units, 1_005_000, record, record + self.number(1, 4))

    def _dues(self, house: House) -> list[int]:
        return [
            number
            for number, due in enumerate(house.custody.dues.rows)
            if due.status in (RECORDED, OWED) and due.payment_day <= house.position.day
        ]

    def pay_due(self, house: House) -> Command | None:
        """Pay what is due."""
        due = self._dues(house)
        return do.PayDue(self.pick(due)) if due else None

    def non_payment(self, house: House) -> Command | None:
        """Write down that something was not paid."""
        due = [number for number in self._dues(house) if not house.custody.dues[number].excused]
        return do.RecordNonPayment(self.pick(due), "no money") if due and self.happens(0.3) else None

    def open_offer(self, house: House) -> Command | None:
        """Offer a bond by one of the methods; the green one by book, more often than not."""
        known = [code for code in self.registered(house, debt=True) if code != "BILL"]
        if not known:
            return None
        code = "GREEN" if "GREEN" in known and self.happens(0.5) else self.pick(known)
        fresh = code == "TAP" and not house.custody.register.of(self.asset(house, code)).issued
        method = COUPON if fresh and self.happens(0.7) else self.pick([one for one in METHODS if one != COUPON])
        units = 100 * self.number(1, 50)
        day = self.pick((house.position.day, self.later(house)))
        asked = self.number(0, 2) * 100 if method == MULTIPLE else 0
        return do.OpenOffer(isin_of(code), method, units, 100, day, asked)

    def _offers(self, house: House, status: str) -> list[tuple[int, Offer]]:
        return [(number, one) for number, one in enumerate(house.custody.offers.rows) if one.status == status]

    def sale(self, house: House) -> Command | None:
        """Take the next step of a sale: spend what it raised, settle, allot, bid, or open another one."""
        steps = (self.allocate, self.settle_offer, self.allot, self.bid, self.open_offer)
        return next((command for step in steps if (command := step(house)) is not None), None)

    def bid(self, house: House) -> Command | None:
        """Bid in whole lots."""
        taking = self._offers(house, TAKING)
        if not taking or self.happens(0.3):
            return None
        number, offer = self.pick(taking)
        at = self.number(1, 50) * 10**6 if offer.method == COUPON else 990_000 + 1_000 * self.number(0, 21)
        units = offer.lot * self.number(1, offer.units // offer.lot + 1)
        return do.PlaceBid(number, self.firm(), units, at)

    def withdraw_bid(self, house: House) -> Command | None:
        """Withdraw a bid, sometimes one that was withdrawn."""
        bids = [(number, place, bid) for number, offer in self._offers(house, TAKING)
                for place, bid in enumerate(offer.bids)]  # fmt: skip
        if not bids or self.happens(0.3):
            return None
        number, place, bid = self.pick(bids)
        return do.WithdrawBid(number, place, bid.account)

    def allot(self, house: House) -> Command | None:
        """Allot an offer; of a book, half of what was ordered at a price."""
        taking = [(number, one) for number, one in self._offers(house, TAKING) if one.bids]
        if not taking or self.happens(0.5):
            return None
        number, offer = self.pick(taking)
        if offer.method != BOOK:
            return do.AllotOffer(number)
        left, units = offer.units, []
        for bid in offer.bids:
            part = 0 if bid.withdrawn or bid.at < 1_000_000 else min(bid.units // 200 * 100 or 100, left)
            units.append(part)
            left -= part
        return do.AllotOffer(number, 1_000_000, tuple(units))

    def settle_offer(self, house: House) -> Command | None:
        """Settle what was allotted."""
        ready = [number for number, one in self._offers(house, ALLOTTED) if one.settlement_day <= house.position.day]
        return do.SettleOffer(self.pick(ready), lapse=self.happens(0.2)) if ready else None

    def cancel_offer(self, house: House) -> Command | None:
        """End an offer before its allotment."""
        taking = self._offers(house, TAKING)
        return do.CancelOffer(self.pick(taking)[0]) if taking and self.happens(0.2) else None

    def allocate(self, house: House) -> Command | None:
        """Spend green proceeds."""
        if "GREEN" not in self.registered(house):
            return None
        left = house.custody.proceeds.left(self.asset(house, "GREEN"))
        return do.AllocateProceeds(isin_of("GREEN"), "a line", self.amount(left)) if left > 0 else None
