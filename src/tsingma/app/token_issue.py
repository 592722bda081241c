"""A government issue as tokens, from the book-build to the last redemption, on two ledgers that are compared every day.

Everything a holder pays or is paid goes through agreements between the ledgers or, where both sides are tokens, through
the token ledger alone; nothing else touches the two.
"""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np

from tsingma.app.token_ledgers import EVENING_S, MORNING_S, next_weekday, trade
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date, to_day
from tsingma.basics.money import CURRENCIES, Amount
from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.custody.tokens import coupons
from tsingma.custody.tokens.issues import Issue, Tranche, allotments, terms_of
from tsingma.custody.tokens.ledger import BRIDGE, ISSUANCE, asset_of
from tsingma.custody.tokens.legs import SECONDS_A_DAY
from tsingma.custody.tokens.protocol import Side
from tsingma.custody.tokens.reconcile import reconcile
from tsingma.custody.tokens.terms import coupon_cents
from tsingma.engine.two_ledgers import TwoLedgers
from tsingma.journal.commands import DepositAssets, LoadReference, PostTransfers
from tsingma.journal.token_commands import (
    Agreement,
    IssueToken,
    KeepMoneyHours,
    Leg,
    OpenWallets,
    PayCoupon,
    TokenTerms,
    Wallet,
)
from tsingma.simulate.token_world import BACKING, GOV_ACCOUNT, ISSUER_ACCOUNT, MIRROR, token_book

ISSUER_WALLET = 2
ECNY_ACCOUNT = 7  # the first account after the fixed ones: where renminbi that became e-CNY lies
PARTS = ("primary", "trades", "maturity")
MONEY_CODES = {"HKD": "E-HKD", "CNY": "E-CNY"}
MONEY_ACCOUNTS = {"HKD": BACKING, "CNY": ECNY_ACCOUNT}


class Line(msgspec.Struct, frozen=True):
    """What happened on a day, for a reader."""

    day: str
    what: str


class TrancheResult(msgspec.Struct, frozen=True):
    """A tranche from order to redemption; cents of its currency."""

    code: str
    size_cents: int
    orders_cents: int
    coupon_e9: int
    maturity: str
    settled_on_book_cents: int
    settled_in_tokens_cents: int
    coupons_cents: int
    redeemed_cents: int


class IssueResult(msgspec.Struct, frozen=True):
    """The whole issue: what happened, how often the ledgers were compared, and where both journals ended."""

    name: str
    source: str
    tranches: list[TrancheResult]
    lines: list[Line]
    days_reconciled: int
    breaks: int
    agreements: int
    book_records: int
    token_records: int
    book_state: str
    token_state: str


class TokenIssue:
    """The issue under way: every method is a part of its life, in this order."""

    def __init__(self, ledgers: TwoLedgers, issue: Issue, *, any_hour: bool = False) -> None:
        """Open both ledgers: accounts, wallets, tokenised money, and a contract for every tranche.

        Money on the book is held to the hours of its systems, but with ``any_hour``.
        """
        self.ledgers, self.issue = ledgers, issue
        self.lines: list[Line] = []
        self.days_reconciled = self.breaks = self._number = 0
        self.day = to_day(issue.priced)
        self.on_book: dict[str, int] = {}
        self.in_tokens: dict[str, int] = {}
        self.coupons: dict[str, int] = {}
        self.redeemed: dict[str, int] = {}
        bonds = [(tranche.code, tranche.currency) for tranche in issue.tranches]
        codes = ["ECNY", *(holder.code for holder in issue.holders)]
        ledgers.require(Side.BOOK, "open/reference", LoadReference(token_book(bonds, codes)))
        if not any_hour:
            ledgers.require(Side.BOOK, "open/money-hours", KeepMoneyHours(kept=True))
        first = ECNY_ACCOUNT + 1
        holders = [
            Wallet(holder.code, first + place, holder.elects_tokens) for place, holder in enumerate(issue.holders)
        ]
        ledgers.require(Side.TOKENS, "open/wallets", OpenWallets((Wallet("GOVERNMENT", GOV_ACCOUNT), *holders)))
        self.wallets = {holder.code: ISSUER_WALLET + 1 + place for place, holder in enumerate(issue.holders)}
        self.money = {currency: place for place, currency in enumerate(issue.tokenised_money)}
        everyone = tuple(range(ISSUER_WALLET, ISSUER_WALLET + 1 + len(holders)))
        for currency in issue.tokenised_money:
            self._contract(_money_terms(currency), everyone)
        self.tokens = {}
        for place, tranche in enumerate(issue.tranches):
            self.tokens[tranche.code] = len(issue.tokenised_money) + place
            terms = terms_of(
                tranche, issue.issued, book_asset=len(CURRENCIES) + place, book_account=MIRROR,
                money_token=self.money.get(tranche.currency, -1),
            )  # fmt: skip
            self._contract(terms, everyone)
        ledgers.tell_time(self._at(MORNING_S))

    def run(self, until: str = PARTS[-1]) -> IssueResult:
        """Run its life up to and with a part of ``PARTS`` and return what happened."""
        for part in PARTS[: PARTS.index(until) + 1]:
            {"primary": self.allot_and_settle, "trades": self.trade_and_bridge, "maturity": self.live_to_maturity}[
                part
            ]()
        return self.result()

    def allot_and_settle(self) -> None:
        """Price on the first day, settle on the next: on the book, or in tokenised money for who elects it."""
        for tranche in self.issue.tranches:
            orders = Amount(self.issue.orders_cents[tranche.code], tranche.currency)
            self._say(
                f"{tranche.code}: orders {orders}, {Amount(tranche.size_cents, tranche.currency)} allotted pro rata"
            )
        self._close_day()
        self._go_to(to_day(self.issue.issued))
        for tranche in self.issue.tranches:
            for holder, _, face in allotments(self.issue, tranche):
                self._settle_primary(tranche, holder.code, face, elects=holder.elects_tokens)
            book, tokens = self.on_book.get(tranche.code, 0), self.in_tokens.get(tranche.code, 0)
            told = f", {Amount(tokens, tranche.currency)} in {MONEY_CODES[tranche.currency]}" if tokens else ""
            self._say(f"{tranche.code}: issued, {Amount(book, tranche.currency)} settled against RTGS money{told}")
        self._close_day()

    def _settle_primary(self, tranche: Tranche, code: str, face: int, *, elects: bool) -> None:
        """Settle one allotment: money from the holder, the bond into the mirror, the tokens to the holder."""
        wallet, token = self.wallets[code], self.tokens[tranche.code]
        account, currency = self._account(wallet), CURRENCIES.index(tranche.currency)
        self._deposit(account, currency, face + face // 10)  # what it pays now, and something to trade with
        mirrored = Leg(ISSUER_ACCOUNT, MIRROR, self._terms(token).book_asset, face)
        bond = Leg(ISSUANCE, wallet, asset_of(token), face)
        money = self.money.get(tranche.currency)
        if elects and money is not None:
            self._mint(wallet, tranche.currency, face + face // 20)
            paid = Leg(wallet, ISSUER_WALLET, asset_of(money), face)
            self._agree("primary", (mirrored,), (paid, bond))
            self.in_tokens[tranche.code] = self.in_tokens.get(tranche.code, 0) + face
        else:
            self._agree("primary", (Leg(account, GOV_ACCOUNT, currency, face), mirrored), (bond,))
            self.on_book[tranche.code] = self.on_book.get(tranche.code, 0) + face

    def trade_and_bridge(self) -> None:
        """Trade in every way there is, let one trade fail, move a holding to the book and part of it back."""
        self._go_to(next_weekday(self.day))
        self._trade("HKGB-HKD-2027", "BANK-A", "BANK-B", 5_000_000_000, 1_000_400, "RTGS money, same day")
        self._trade("HKGB-CNY-2030", "FUND-C", "OFFICE-F", 400_000_000, 1_001_000, "e-CNY, same day", in_tokens=True)
        self._trade("HKGB-USD-2028", "FUND-D", "INSURER-E", 100_000_000, 1_000_000, "RTGS money, T+1", next_day=True)
        try:
            self._trade("HKGB-EUR-2029", "BANK-B", "OFFICE-F", 1_000_000_000, 1_000_000, "RTGS money")
        except Rejected as refused:
            self._say(f"HKGB-EUR-2029: a trade is let go on both ledgers: {refused.rejections[0].message}")
        self._close_day()
        self._go_to(next_weekday(self.day))
        for decided in self.ledgers.resolve():
            self._say(f"{decided.settlement}: {'settled' if decided.committed else 'let go'} on the next day")
        self._bridge("HKGB-HKD-2027", "INSURER-E", "FUND-D")
        self._close_day()

    def _trade(
        self, code: str, seller: str, buyer: str, face: int, price_e4: int, how: str, *,
        in_tokens: bool = False, next_day: bool = False,
    ) -> None:  # fmt: skip
        self._number += 1
        done = trade(
            self.ledgers, f"trade/{self._number}", code=code, seller=seller, buyer=buyer, face_cents=face,
            price_e4=price_e4, in_tokens=in_tokens, next_day=next_day,
        )  # fmt: skip
        currency = self._terms(self.tokens[code]).currency
        self._say(
            f"{code}: {seller} sells {Amount(face, currency)} to {buyer}, {how}: {done.status} ({done.settlement})"
        )

    def _bridge(self, code: str, seller: str, buyer: str) -> None:
        """Fall back to the book: tokens become a book entry, which is traded there, and part of it comes back."""
        token = self.tokens[code]
        asset, currency = self._terms(token).book_asset, self._terms(token).currency
        sells, buys = self.wallets[seller], self.wallets[buyer]
        out, sold, back = 2_000_000_000, 500_000_000, 1_000_000_000
        there = self._account(sells)
        self._agree("to-book", (Leg(MIRROR, there, asset, out),), (Leg(sells, BRIDGE, asset_of(token), out),))
        columns = np.array([[there, self._account(buys)], [self._account(buys), there]], np.int32)
        self.ledgers.require(
            Side.BOOK, f"book-trade/{self._number}",
            PostTransfers(pack(columns[0], "i4"), pack(columns[1], "i4"),
                          pack(np.array([asset, CURRENCIES.index(currency)], np.int32), "i4"),
                          pack(np.array([sold, sold], np.int64), "i8"), pack(np.array([1, 0], np.int8), "i1")),
        )  # fmt: skip
        self._agree("from-book", (Leg(there, MIRROR, asset, back),), (Leg(BRIDGE, sells, asset_of(token), back),))
        self._say(
            f"{code}: {seller} moves {Amount(out, currency)} to the book, sells {Amount(sold, currency)} there, "
            f"brings {Amount(back, currency)} back"
        )

    def live_to_maturity(self) -> None:
        """Go through every weekday to the last redemption: record dates, coupons, a comparison each day."""
        due: dict[int, list[tuple[int, int]]] = {}
        for token in self.tokens.values():
            for period, one in enumerate(self._terms(token).periods):
                due.setdefault(one.pay_day, []).append((token, period))
        while self.day < max(due):
            self._go_to(next_weekday(self.day))
            for token, period in due.get(self.day, ()):
                self._pay(token, period)
                if period == len(self._terms(token).periods) - 1:
                    self._redeem(token)
            self._close_day()

    def _pay(self, token: int, period: int) -> None:
        """Pay a coupon: by the contract in tokenised money, on the book to the others."""
        state, terms = self.ledgers.tokens.state, self._terms(token)
        by_contract = coupons.due_in_tokens(state, token, period)
        on_book = coupons.due_on_book(state, token, period)
        total = sum(cents for _, cents in (*by_contract, *on_book))
        self._deposit(GOV_ACCOUNT, CURRENCIES.index(terms.currency), total)
        if by_contract:
            self._mint(ISSUER_WALLET, terms.currency, sum(cents for _, cents in by_contract))
            self.ledgers.require(Side.TOKENS, f"coupon/{token}/{period}", PayCoupon(token, period))
        for wallet, cents in on_book:
            paid = self._to_holders(token, wallet, cents, coupon_cents(terms, period))
            self._agree("coupon", paid, (Leg(wallet, ISSUANCE, asset_of(token, period), cents),))
        self.coupons[terms.code] = self.coupons.get(terms.code, 0) + total
        tokens = sum(cents for _, cents in by_contract)
        told = f", {Amount(tokens, terms.currency)} of it by contract" if tokens else ""
        self._say(f"{terms.code}: coupon {period + 1} of {len(terms.periods)}, {Amount(total, terms.currency)}{told}")

    def _redeem(self, token: int) -> None:
        """Redeem a tranche at par; what lives on the book comes back to the mirror and is cancelled with the rest."""
        state, terms = self.ledgers.tokens.state, self._terms(token)
        currency, bond = CURRENCIES.index(terms.currency), asset_of(token)
        dues = [*coupons.due_on_book(state, token, coupons.REDEMPTION)]
        in_tokens = coupons.due_in_tokens(state, token, coupons.REDEMPTION)
        self._fund_on_book(terms, sum(cents for _, cents in dues))
        for wallet, cents in sorted(dues):  # the bridge is first: what comes back goes through the mirror
            money = self._to_holders(token, wallet, cents, terms.denomination_cents)
            back = tuple(Leg(leg.credit, MIRROR, terms.book_asset, leg.amount) for leg in money)
            cancelled = Leg(MIRROR, ISSUER_ACCOUNT, terms.book_asset, cents)
            legs = (*money, *(back if wallet == BRIDGE else ()), cancelled)
            self._agree("redemption", legs, (Leg(wallet, ISSUANCE, bond, cents),))
        for wallet, cents in in_tokens:
            short = cents - state.balance(ISSUER_WALLET, terms.money_token)
            if short > 0:
                self._mint(ISSUER_WALLET, terms.currency, short)
            legs = (Leg(MIRROR, ISSUER_ACCOUNT, terms.book_asset, cents),)
            paid = Leg(ISSUER_WALLET, wallet, asset_of(terms.money_token), cents)
            self._agree("redemption", legs, (paid, Leg(wallet, ISSUANCE, bond, cents)))
        total = sum(cents for _, cents in (*dues, *in_tokens))
        self.redeemed[terms.code] = total
        self._say(f"{terms.code}: redeemed, {Amount(total, CURRENCIES[currency])}; {state.issued(token)} left")

    def _fund_on_book(self, terms: TokenTerms, cents: int) -> None:
        """Turn the issuer's tokenised money back into money on the book, as far as redemption there needs it."""
        ledger, unit = self.ledgers.book.state.ledger, CURRENCIES.index(terms.currency)
        short = cents - int(ledger.balance[ledger.find(GOV_ACCOUNT, unit)])
        if short > 0 and terms.money_token >= 0:
            backing = Leg(MONEY_ACCOUNTS[terms.currency], GOV_ACCOUNT, unit, short)
            self._agree("burn", (backing,), (Leg(ISSUER_WALLET, ISSUANCE, asset_of(terms.money_token), short),))

    def _to_holders(self, token: int, wallet: int, cents: int, per_denomination: int) -> tuple[Leg, ...]:
        """Return the issuer's payments on the book: to a wallet's account, or to everybody who holds on the book."""
        terms, currency = self._terms(token), CURRENCIES.index(self._terms(token).currency)
        if wallet != BRIDGE:
            return (Leg(GOV_ACCOUNT, self._account(wallet), currency, cents),)
        ledger = self.ledgers.book.state.ledger
        rows = np.flatnonzero((ledger.asset == terms.book_asset) & (ledger.balance > 0) & (ledger.owner != MIRROR))
        holders = sorted((int(ledger.owner[row]), int(ledger.balance[row])) for row in rows)
        legs = tuple(
            Leg(GOV_ACCOUNT, owner, currency, face // terms.denomination_cents * per_denomination)
            for owner, face in holders
        )
        if sum(leg.amount for leg in legs) != cents:
            raise InvariantBroken(
                f"{terms.code}: {cents} due on the book, {sum(leg.amount for leg in legs)} held there"
            )
        return legs

    def result(self) -> IssueResult:
        """Return what has happened so far."""
        ledgers = self.ledgers
        return IssueResult(
            name=self.issue.name, source=self.issue.source,
            tranches=[
                TrancheResult(
                    code=tranche.code, size_cents=tranche.size_cents,
                    orders_cents=self.issue.orders_cents[tranche.code], coupon_e9=tranche.coupon_e9,
                    maturity=str(to_date(self._terms(self.tokens[tranche.code]).maturity_day)),
                    settled_on_book_cents=self.on_book.get(tranche.code, 0),
                    settled_in_tokens_cents=self.in_tokens.get(tranche.code, 0),
                    coupons_cents=self.coupons.get(tranche.code, 0),
                    redeemed_cents=self.redeemed.get(tranche.code, 0),
                )
                for tranche in self.issue.tranches
            ],
            lines=self.lines, days_reconciled=self.days_reconciled, breaks=self.breaks,
            agreements=len(ledgers.tokens.state.legs), book_records=ledgers.book.sequence,
            token_records=ledgers.tokens.sequence, book_state=ledgers.book.state.digest().hex(),
            token_state=ledgers.tokens.state.digest().hex(),
        )  # fmt: skip

    def _contract(self, terms: TokenTerms, permitted: tuple[int, ...]) -> None:
        self.ledgers.require(Side.TOKENS, f"open/{terms.code}", IssueToken(terms, ISSUER_WALLET, permitted))

    def _mint(self, wallet: int, currency: str, cents: int) -> None:
        """Turn money on the book into tokens of the same wallet's holder."""
        unit, token = CURRENCIES.index(currency), self.money[currency]
        backing = Leg(self._account(wallet), MONEY_ACCOUNTS[currency], unit, cents)
        self._agree("mint", (backing,), (Leg(ISSUANCE, wallet, asset_of(token), cents),))

    def _agree(self, kind: str, book: tuple[Leg, ...], tokens: tuple[Leg, ...]) -> None:
        """Settle an agreement today; it must be committed."""
        self._number += 1
        name = f"{kind}/{self._number}"
        decided = self.ledgers.settle(Agreement(name, book, tokens, self._at(EVENING_S)))
        if decided is None or not decided.committed:
            raise InvariantBroken(f"{name} was not committed")

    def _deposit(self, account: int, asset: int, cents: int) -> None:
        self._number += 1
        columns = (np.array([value], kind) for value, kind in ((account, "i4"), (asset, "i4"), (cents, "i8")))
        owner, what, amount = (pack(column, column.dtype.str[1:]) for column in columns)
        self.ledgers.require(Side.BOOK, f"deposit/{self._number}", DepositAssets(owner, what, amount))

    def _go_to(self, day: int) -> None:
        self.day = day
        self.ledgers.tell_time(self._at(MORNING_S))

    def _close_day(self) -> None:
        """Compare the ledgers in the evening; raises InvariantBroken on a break."""
        house, tokens = self.ledgers.book.state, self.ledgers.tokens.state
        items = [one for one in reconcile(tokens, house.ledger, house.synchronised, ISSUER_ACCOUNT) if one.is_break]
        self.days_reconciled += 1
        self.breaks += len(items)
        if items:
            raise InvariantBroken(f"{to_date(self.day)}: {items[0].kind} of {items[0].subject}")

    def _account(self, wallet: int) -> int:
        return self.ledgers.tokens.state.wallets[wallet].book_account

    def _terms(self, token: int) -> TokenTerms:
        return self.ledgers.tokens.state.contracts[token].terms

    def _at(self, second: int) -> int:
        return self.day * SECONDS_A_DAY + second

    def _say(self, what: str) -> None:
        today: date = to_date(self.day)
        self.lines.append(Line(str(today), what))


def _money_terms(currency: str) -> TokenTerms:
    return TokenTerms(
        code=MONEY_CODES[currency], currency=currency, denomination_cents=1, book_asset=CURRENCIES.index(currency),
        book_account=MONEY_ACCOUNTS[currency], is_money=True,
    )  # fmt: skip
