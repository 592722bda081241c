"""What a contract permits and pays, on the token ledger and at the border to the book."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_steps import opened, refusal

from tsingma.basics.rejection import Rejected
from tsingma.custody.tokens import coupons
from tsingma.custody.tokens.issues import allotments, issue_named, terms_of
from tsingma.custody.tokens.ledger import BRIDGE, ISSUANCE, TokenLedger, asset_of
from tsingma.custody.tokens.legs import SECONDS_A_DAY
from tsingma.custody.tokens.protocol import Side
from tsingma.custody.tokens.terms import coupon_cents
from tsingma.engine import tokens
from tsingma.engine.two_ledgers import TwoLedgers
from tsingma.journal.events import Accepted
from tsingma.journal.token_commands import (
    Agreement,
    CompleteLegs,
    DecideSettlement,
    ForceTransfer,
    FreezeWallet,
    IssueToken,
    Leg,
    OpenWallets,
    PayCoupon,
    PermitWallets,
    Receipt,
    ReserveLegs,
    TellTime,
    TransferTokens,
    Wallet,
)
from tsingma.simulate.token_world import (
    ALPHA,
    BACKING,
    BETA,
    BOND,
    BOOK_BOND,
    DENOMINATION,
    GAMMA,
    GOV,
    GOV_ACCOUNT,
    HKD,
    ISSUER_ACCOUNT,
    MIRROR,
    MONEY,
    RECORD_DAY,
    START,
    account_of,
    mint,
)

FACE = 5 * DENOMINATION
BOND_ASSET, MONEY_ASSET = asset_of(BOND), asset_of(MONEY)
STOCK = Leg(ALPHA, BETA, BOND_ASSET, FACE)
SOON = START + 100


@pytest.fixture
def ledgers() -> TwoLedgers:
    """Two opened ledgers."""
    return opened()


def reserve(name: str, book: Leg, token: Leg, decide_by: int = SOON) -> ReserveLegs:
    """Return the command that promises one leg on each side."""
    return ReserveLegs(Agreement(name, (book,), (token,), decide_by))


@pytest.mark.parametrize(
    ("leg", "reason"),
    [
        (Leg(ALPHA, BETA, BOND_ASSET, FACE + 1), "no multiple of 10000"),
        (Leg(ALPHA, 99, BOND_ASSET, FACE), "no wallet 99"),
        (Leg(ALPHA, BETA, asset_of(7), FACE), "no token 7"),
        (Leg(ALPHA, BETA, BOND_ASSET, -FACE), "from 3 to 4"),
        (Leg(ALPHA, ALPHA, BOND_ASSET, FACE), "from 3 to 3"),
        (Leg(ALPHA, BETA, BOND_ASSET, 99 * DENOMINATION), "ALPHA lacks"),
        (Leg(ISSUANCE, BETA, BOND_ASSET, FACE), "only against the book"),
        (Leg(ISSUANCE, BETA, MONEY_ASSET, FACE), "only against the book"),
        (Leg(BRIDGE, BETA, BOND_ASSET, FACE), "only against the book"),
        (Leg(ALPHA, ISSUANCE, BOND_ASSET, FACE), "only against the book"),
        (Leg(ALPHA, BETA, asset_of(BOND, 0), 201), "an entitlement is there after its record date"),
    ],
)
def test_a_transfer_that_the_rules_forbid_is_refused_whole(ledgers: TwoLedgers, leg: Leg, reason: str) -> None:
    """Goal: nothing moves against the rules. Method: a good leg and a bad one; the refusal names the reason."""
    assert reason in refusal(ledgers, Side.TOKENS, TransferTokens((STOCK, leg)))
    assert ledgers.tokens.state.balance(BETA, BOND) == 20 * DENOMINATION


def test_delivery_against_tokenised_money_is_one_step(ledgers: TwoLedgers) -> None:
    """Goal: on one ledger both legs move at one instant or neither. Method: with the money, then without."""
    money = Leg(BETA, ALPHA, MONEY_ASSET, FACE)
    assert "BETA lacks" in refusal(ledgers, Side.TOKENS, TransferTokens((STOCK, money)))
    assert refusal(ledgers, Side.TOKENS, TransferTokens((Leg(ALPHA, BETA, MONEY_ASSET, FACE),))) == ""
    assert refusal(ledgers, Side.TOKENS, TransferTokens((STOCK, money))) == ""
    state = ledgers.tokens.state
    assert [state.balance(wallet, BOND) for wallet in (ALPHA, BETA)] == [25 * DENOMINATION, 25 * DENOMINATION]


def test_permission_freeze_and_force(ledgers: TwoLedgers) -> None:
    """Goal: the issuer's operator acts with a reason, and what was promised is still delivered. Method: a story."""

    def told(command: object) -> str:
        return refusal(ledgers, Side.TOKENS, command)  # type: ignore[arg-type]

    assert told(PermitWallets(BOND, (GAMMA,), permitted=False)) == ""
    assert "not permitted to receive" in told(TransferTokens((Leg(ALPHA, GAMMA, BOND_ASSET, FACE),)))
    assert "not permitted" in told(ForceTransfer(Leg(ALPHA, GAMMA, BOND_ASSET, FACE), "court order 1"))
    assert told(reserve("t", Leg(account_of(BETA), account_of(ALPHA), HKD, FACE), STOCK)) == ""
    assert "has a reason" in told(FreezeWallet(BOND, ALPHA, frozen=True, reason=" "))
    assert told(FreezeWallet(BOND, ALPHA, frozen=True, reason="court order 2")) == ""
    assert "frozen" in told(TransferTokens((STOCK,)))
    assert "frozen" in told(reserve("u", Leg(account_of(BETA), account_of(ALPHA), HKD, FACE), STOCK))
    assert "lacks" in told(ForceTransfer(Leg(ALPHA, BETA, BOND_ASSET, 30 * DENOMINATION), "court order 3"))
    assert told(ForceTransfer(Leg(ALPHA, BETA, BOND_ASSET, FACE), "court order 3")) == ""
    decided = ledgers.settle(reserve("t", Leg(account_of(BETA), account_of(ALPHA), HKD, FACE), STOCK).agreement)
    assert decided is not None
    assert decided.committed
    assert ledgers.tokens.state.balance(ALPHA, BOND) == 20 * DENOMINATION


@pytest.mark.parametrize(
    ("book", "token"),
    [
        (Leg(account_of(ALPHA), account_of(BETA), HKD, 500), Leg(ISSUANCE, ALPHA, MONEY_ASSET, 500)),
        (Leg(account_of(ALPHA), BACKING, HKD, 499), Leg(ISSUANCE, ALPHA, MONEY_ASSET, 500)),
        (Leg(BACKING, account_of(ALPHA), HKD, 500), Leg(ALPHA, BETA, MONEY_ASSET, 500)),
        (Leg(account_of(ALPHA), account_of(BETA), HKD, 500), Leg(ISSUANCE, BETA, BOND_ASSET, FACE)),
        (Leg(MIRROR, account_of(ALPHA), BOOK_BOND, FACE), Leg(ALPHA, BETA, BOND_ASSET, FACE)),
        (Leg(account_of(BETA), MIRROR, BOOK_BOND, FACE), Leg(BRIDGE, BETA, BOND_ASSET, 2 * FACE)),
        (Leg(MIRROR, account_of(ALPHA), BOOK_BOND, FACE), Leg(ALPHA, BRIDGE, MONEY_ASSET, FACE)),
    ],
    ids=["mint-unbacked", "mint-short", "backing-out-alone", "issue-unmirrored", "mirror-out-alone", "bridge-short",
         "other-token-bridged"],
)  # fmt: skip
def test_what_circulates_is_matched_on_the_book(ledgers: TwoLedgers, book: Leg, token: Leg) -> None:
    """Goal: no token without what it stands for. Method: agreements whose two sides do not match, each refused."""
    assert "on the book" in refusal(ledgers, Side.TOKENS, reserve("odd", book, token))


def test_no_more_is_issued_than_the_contract_says(ledgers: TwoLedgers) -> None:
    """Goal: total issued never exceeds the size. Method: promise the rest and one denomination more."""
    rest = 40 * DENOMINATION

    def primary(name: str, face: int) -> ReserveLegs:
        mirrored = Leg(ISSUER_ACCOUNT, MIRROR, BOOK_BOND, face)
        return reserve(name, mirrored, Leg(ISSUANCE, GAMMA, BOND_ASSET, face))

    assert refusal(ledgers, Side.TOKENS, primary("rest", rest)) == ""
    assert "lacks" in refusal(ledgers, Side.TOKENS, primary("more", DENOMINATION))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"settlement": ""}, "1 to 100 characters"),
        ({"book_legs": ()}, "at least one each"),
        ({"decide_by": START}, "its time is over"),
        ({"settle_from": SOON}, "its time is over"),
        ({"decide_by": START + 40 * SECONDS_A_DAY}, "more than 30 days"),
        ({"book_legs": (Leg(account_of(BETA), account_of(ALPHA), HKD, 2**60),)}, "1 to 9007199254740992"),
        ({"book_legs": (Leg(3, account_of(ALPHA), HKD, 5),)}, "the house's own account"),
        ({"book_legs": (Leg(0, account_of(ALPHA), HKD, 5),)}, "the house's own account"),
        ({"book_legs": (Leg(77, account_of(ALPHA), HKD, 5),)}, "no account 77"),
        ({"book_legs": (Leg(account_of(BETA), account_of(ALPHA), 77, 5),)}, "no asset 77"),
        ({"book_legs": (Leg(account_of(BETA), account_of(ALPHA), HKD, 10**9),)}, "lacks 1000000000"),
    ],
)
def test_the_book_refuses_what_it_cannot_promise(ledgers: TwoLedgers, change: dict[str, object], reason: str) -> None:
    """Goal: bad agreements are refused whole. Method: a good one with one thing wrong."""
    good = Agreement("deal", (Leg(account_of(BETA), account_of(ALPHA), HKD, FACE),), (STOCK,), SOON)
    bad = msgspec.structs.replace(good, **change)
    assert reason in refusal(ledgers, Side.BOOK, ReserveLegs(bad))


def test_each_ledger_refuses_what_is_the_others_and_what_contradicts(ledgers: TwoLedgers) -> None:
    """Goal: a stray message does no harm. Method: wrong ledger, other words, no receipt, too early, contradiction."""
    command = reserve("deal", Leg(account_of(BETA), account_of(ALPHA), HKD, FACE), STOCK)
    receipt = Receipt(1, bytes(32))
    assert "token ledger" in refusal(ledgers, Side.BOOK, PayCoupon(BOND, 0))
    assert "no command of the token ledger" in refusal(ledgers, Side.TOKENS, DecideSettlement("deal", b"", commit=True))
    for side in Side:
        assert refusal(ledgers, side, command) == ""
        other = ReserveLegs(msgspec.structs.replace(command.agreement, decide_by=SOON - 1))
        assert "another agreement" in refusal(ledgers, side, other)
    digest = ledgers.book.state.synchronised.entry("deal").digest  # type: ignore[union-attr]
    assert "receipt" in refusal(ledgers, Side.BOOK, DecideSettlement("deal", digest, commit=True))
    bad = DecideSettlement("deal", digest, commit=True, token_receipt=Receipt(0, b""))
    assert "no receipt of a journal" in refusal(ledgers, Side.BOOK, bad)
    never = DecideSettlement("never", digest, commit=True, token_receipt=receipt)
    assert "reserve first" in refusal(ledgers, Side.BOOK, never)
    unknown = CompleteLegs("never", digest, committed=True, decided_at=START, book_receipt=receipt)
    assert "never promised here" in refusal(ledgers, Side.TOKENS, unknown)
    done = CompleteLegs("deal", digest, committed=True, decided_at=START, book_receipt=receipt)
    assert refusal(ledgers, Side.TOKENS, done) == ""
    assert "is committed" in refusal(ledgers, Side.TOKENS, msgspec.structs.replace(done, committed=False))
    assert "it is" in refusal(ledgers, Side.TOKENS, TellTime(START - 1))


def test_an_agreement_waits_for_its_time(ledgers: TwoLedgers) -> None:
    """Goal: T+1 is promised today and settles tomorrow, or is let go after it. Method: both, by the clock."""
    money = (Leg(account_of(BETA), account_of(ALPHA), HKD, FACE),)
    tomorrow = START + SECONDS_A_DAY
    deal = Agreement("t+1", money, (STOCK,), tomorrow + 100, settle_from=tomorrow)
    assert ledgers.settle(deal) is None
    assert ledgers.resolve() == []
    ledgers.tell_time(tomorrow)
    assert [one.committed for one in ledgers.resolve()] == [True]
    late = Agreement("late", money, (STOCK,), tomorrow + 100, settle_from=tomorrow + 50)
    assert ledgers.settle(late) is None
    ledgers.tell_time(tomorrow + 100)
    assert [one.committed for one in ledgers.resolve()] == [False]


def test_coupon_goes_along_with_what_was_decided_before_the_record_date(ledgers: TwoLedgers) -> None:
    """Goal: a market claim needs nobody. Method: promised and decided before the record date, delivered after it."""
    money = Leg(account_of(BETA), account_of(ALPHA), HKD, FACE)
    for name in ("bought", "not-bought"):
        agreed = reserve(name, money, STOCK, START + 1_000)
        for side in Side:
            assert refusal(ledgers, side, agreed) == ""
    record_end = (RECORD_DAY + 1) * SECONDS_A_DAY
    for name, at in (("bought", record_end - 1), ("not-bought", record_end)):
        ledgers.require(Side.BOOK, f"clock/{at}", TellTime(at))
        if name == "bought":
            ask(ledgers, name)
    ledgers.require(Side.TOKENS, "clock", TellTime(record_end + 5))
    state = ledgers.tokens.state
    cents = coupon_cents(state.contracts[BOND].terms, 0)
    assert cents == 201
    assert {wallet: state.balance(wallet, BOND, 0) // cents for wallet in (ALPHA, BETA, BRIDGE)} == {
        ALPHA: 30, BETA: 20, BRIDGE: 10,
    }  # fmt: skip
    assert [amount // cents for _, amount in coupons.due_in_tokens(state, BOND, 0)] == [20]  # ten are set aside
    assert {one.settlement: one.committed for one in ledgers.resolve()} == {"bought": True, "not-bought": True}
    assert {wallet: state.balance(wallet, BOND, 0) // cents for wallet in (ALPHA, BETA)} == {ALPHA: 25, BETA: 25}
    assert {wallet: state.balance(wallet, BOND) // DENOMINATION for wallet in (ALPHA, BETA)} == {ALPHA: 20, BETA: 30}


def ask(ledgers: TwoLedgers, name: str) -> None:
    """Have the book commit, and tell the token ledger nothing yet."""
    entry = ledgers.tokens.state.legs.entry(name)
    digest = b"" if entry is None else entry.digest
    ledgers.require(
        Side.BOOK, f"{name}/ask", DecideSettlement(name, digest, commit=True, token_receipt=Receipt(1, bytes(32)))
    )


def test_contract_pays_its_coupon_once(ledgers: TwoLedgers) -> None:
    """Goal: electing holders are paid from the issuer's wallet, once. Method: too early, due, again, unfunded."""
    assert "not due yet" in refusal(ledgers, Side.TOKENS, PayCoupon(BOND, 0))
    assert "no coupon 5" in refusal(ledgers, Side.TOKENS, PayCoupon(BOND, 5))
    assert "pays on the book only" in refusal(ledgers, Side.TOKENS, PayCoupon(MONEY, 0))
    ledgers.tell_time((RECORD_DAY + 1) * SECONDS_A_DAY)
    state, before = ledgers.tokens.state, ledgers.tokens.state.balance(ALPHA, MONEY)
    assert refusal(ledgers, Side.TOKENS, PayCoupon(BOND, 0)) == ""
    assert state.balance(ALPHA, MONEY) - before == 30 * 201
    assert "nothing is due" in refusal(ledgers, Side.TOKENS, PayCoupon(BOND, 0))
    assert coupons.due_on_book(state, BOND, 0) == [(BRIDGE, 10 * 201), (BETA, 20 * 201)]


def test_matured_tokens_are_only_redeemed(ledgers: TwoLedgers) -> None:
    """Goal: nothing trades after maturity, nothing is redeemed before. Method: both, and the redemption itself."""
    money = Leg(GOV_ACCOUNT, account_of(ALPHA), HKD, FACE)
    legs = (money, Leg(MIRROR, ISSUER_ACCOUNT, BOOK_BOND, FACE))
    back = (Leg(ALPHA, ISSUANCE, BOND_ASSET, FACE),)
    assert "not before" in refusal(ledgers, Side.TOKENS, ReserveLegs(Agreement("early", legs, back, SOON)))
    matured = (RECORD_DAY + 183) * SECONDS_A_DAY
    ledgers.tell_time(matured)
    assert "only redeemed" in refusal(ledgers, Side.TOKENS, TransferTokens((STOCK,)))
    decided = ledgers.settle(Agreement("redeem", legs, back, matured + 100))
    assert decided is not None
    assert decided.committed
    assert ledgers.tokens.state.issued(BOND) == 55 * DENOMINATION


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.integers(0, 40), min_size=1, max_size=6), rate=st.integers(0, 150_000_000))
def test_a_coupon_adds_up_whoever_holds(parts: list[int], rate: int) -> None:
    """Goal: exact conservation. Method: any holdings and rate; what is due is the whole, and is nobody's share more."""
    tranche = issue_named("HKSAR-2025").tranches[0]
    issued = issue_named("HKSAR-2025").issued
    terms = msgspec.structs.replace(
        terms_of(tranche, issued, book_asset=4, book_account=6, money_token=-1), coupon_e9=rate
    )
    state = TokenLedger()
    wallets = tuple(Wallet(f"W{place}", 10 + place) for place in range(len(parts)))
    everyone = tuple(range(2, 2 + len(parts)))
    face = terms.denomination_cents
    commands = [OpenWallets(wallets), IssueToken(terms, 2, everyone), TellTime(terms.issue_day * SECONDS_A_DAY)]
    for place, part in enumerate(parts):
        if part:
            mirrored = Leg(2, 6, 4, part * face)
            leg = Leg(ISSUANCE, 2 + place, asset_of(0), part * face)
            deal = Agreement(f"p{place}", (mirrored,), (leg,), terms.issue_day * SECONDS_A_DAY + 9)
            commands.append(ReserveLegs(deal))
    for command in commands:
        assert isinstance(tokens.step(state, command), Accepted)
    for name, entry in state.legs.reserved():
        done = CompleteLegs(name, entry.digest, committed=True, decided_at=state.at, book_receipt=Receipt(1, bytes(32)))
        assert isinstance(tokens.step(state, done), Accepted)
    tokens.step(state, TellTime((terms.periods[0].record_day + 1) * SECONDS_A_DAY))
    due = coupons.due_on_book(state, 0, 0)
    days = terms.periods[0].end - terms.periods[0].start
    per_denomination = (face * rate * days * 2 + 365 * 10**9) // (2 * 365 * 10**9)  # to the nearest cent, halves up
    assert dict(due) == {
        2 + place: part * per_denomination for place, part in enumerate(parts) if part * per_denomination
    }
    assert -state.balance(ISSUANCE, 0, 0) == sum(parts) * per_denomination


@pytest.mark.parametrize(
    "change",
    [
        {"currency": "XXX"}, {"denomination_cents": 0}, {"size_cents": 5}, {"coupon_e9": -1}, {"day_count": "ACT/7"},
        {"maturity_day": 1}, {"periods": ()}, {"money_token": 9}, {"book_asset": -1}, {"is_money": True},
        {"code": "GREEN"}, {"book_asset": 4},
    ],
)  # fmt: skip
def test_a_contract_that_is_not_whole_is_refused(ledgers: TwoLedgers, change: dict[str, object]) -> None:
    """Goal: bad terms never reach the ledger. Method: the terms that are there, under another code, one thing wrong."""
    good = msgspec.structs.replace(ledgers.tokens.state.contracts[BOND].terms, code="OTHER", book_asset=5)
    bad = msgspec.structs.replace(good, **change)
    assert refusal(ledgers, Side.TOKENS, IssueToken(bad, GOV, (GOV,)))
    assert refusal(ledgers, Side.TOKENS, IssueToken(good, GOV, (GOV,))) == ""


def test_wallets_and_permissions_name_what_is_there(ledgers: TwoLedgers) -> None:
    """Goal: no wallet twice, none that is not there. Method: each wrong once."""
    assert "there already" in refusal(ledgers, Side.TOKENS, OpenWallets((Wallet("ALPHA", 7),)))
    assert "1 to 50 characters" in refusal(ledgers, Side.TOKENS, OpenWallets((Wallet("", 7),)))
    assert "no wallet 40" in refusal(ledgers, Side.TOKENS, PermitWallets(BOND, (40,), permitted=True))
    assert "no wallet 0" in refusal(ledgers, Side.TOKENS, FreezeWallet(BOND, ISSUANCE, frozen=True, reason="x"))


def test_allotment_is_pro_rata_and_whole() -> None:
    """Goal: the size is allotted to the last denomination. Method: the published tranches on the made-up orders."""
    issue = issue_named("HKSAR-2025")
    for tranche in issue.tranches:
        parts = allotments(issue, tranche)
        assert sum(face for _, _, face in parts) == tranche.size_cents
        assert sum(order for _, order, _ in parts) == issue.orders_cents[tranche.code]
        assert all(face % tranche.denomination_cents == 0 and face <= order for _, order, face in parts)
    with pytest.raises(Rejected, match="no terms of issue"):
        issue_named("HKSAR-2024")


def test_minting_is_an_agreement_like_any_other(ledgers: TwoLedgers) -> None:
    """Goal: e-money stands for money that lies still. Method: mint, and look at both ledgers."""
    decided = ledgers.settle(mint("mint", BETA, 12_345, SOON))
    assert decided is not None
    assert decided.committed
    house = ledgers.book.state
    assert int(house.ledger.balance[house.ledger.find(BACKING, HKD)]) == ledgers.tokens.state.issued(MONEY) == 812_345
