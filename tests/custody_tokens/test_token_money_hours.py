"""The money leg is held to the hours of its gross system; tokenised money is final at any hour.

Goal: nothing on the book is final while its system is closed, what waits is held with its reason and never parted, and
a house that was never told settles as before. Method: agreements in the evening of a Tuesday, clocks moved to the
edges of the hours; the issue's own trades; journals replayed.
"""

from __future__ import annotations

from datetime import datetime

import pytest
from token_steps import opened, refusal

from tsingma.app.token_issue import TokenIssue
from tsingma.app.token_ledgers import move_on, trade
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.custody.tokens.issues import issue_named
from tsingma.custody.tokens.ledger import asset_of
from tsingma.custody.tokens.protocol import Side
from tsingma.engine.house import House
from tsingma.engine.tokens import money_closed
from tsingma.engine.two_ledgers import TwoLedgers
from tsingma.journal.token_commands import Agreement, KeepMoneyHours, Leg, TellTime, TransferTokens
from tsingma.simulate.token_world import ALPHA, BETA, BOND, DENOMINATION, HKD, MONEY, START, account_of
from tsingma.store.memory import MemoryStore

FACE = 2 * DENOMINATION
EIGHT_THIRTY = START + 300 + 30_600  # the world begins at 23:55 of 18 November 2025, a Tuesday
NOON, SATURDAY = START + 300 + 43_200, START + 300 + 3 * 86_400
STOCK = Leg(ALPHA, BETA, asset_of(BOND), FACE)
CASH = Leg(account_of(BETA), account_of(ALPHA), HKD, 50)


def kept() -> TwoLedgers:
    """Return two ledgers whose book keeps the hours of money."""
    ledgers = opened()
    ledgers.require(Side.BOOK, "hours", KeepMoneyHours(kept=True))
    return ledgers


def statuses(ledgers: TwoLedgers, name: str) -> tuple[str, str]:
    """Return where an agreement stands on the book and on the token ledger."""
    return ledgers.book.state.synchronised.status(name), ledgers.tokens.state.legs.status(name)


def test_a_trade_of_the_evening_is_held_until_the_system_opens() -> None:
    """Goal: held, whole, with a reason, final at 08:30. Method: the clock at 23:55, just before the hour, at it."""
    ledgers = kept()
    deal = Agreement("deal", (CASH,), (STOCK,), NOON)
    assert ledgers.settle(deal) is None
    assert statuses(ledgers, "deal") == ("reserved", "reserved")
    said = money_closed(ledgers.book.state, deal)
    assert said == "the gross system of HKD is closed; it opens on 2025-11-19 at 08:30"
    ledgers.tell_time(EIGHT_THIRTY - 1)
    assert ledgers.resolve() == []
    assert statuses(ledgers, "deal") == ("reserved", "reserved")
    ledgers.tell_time(EIGHT_THIRTY)
    (decided,) = ledgers.resolve()
    assert (decided.committed, decided.decided_at) == (True, EIGHT_THIRTY)
    assert statuses(ledgers, "deal") == ("committed", "committed")
    again = TwoLedgers(ledgers.stores[Side.BOOK], ledgers.stores[Side.TOKENS])
    assert again.book.state.digest() == ledgers.book.state.digest()
    assert House.load(ledgers.book.state.dump()).digest() == ledgers.book.state.digest()
    assert House.load(ledgers.book.state.dump()).synchronised.money_hours


@pytest.mark.parametrize(
    ("decide_by", "settle_from", "opens"),
    [(EIGHT_THIRTY, 0, "2025-11-19"), (SATURDAY + 43_200, SATURDAY + 30_600, "2025-11-24")],
)
def test_what_could_not_be_final_in_time_is_refused(decide_by: int, settle_from: int, opens: str) -> None:
    """Goal: no promise without an hour. Method: to be decided by the second of the opening, and on a Saturday: refused
    with the next opening and what to do, let go on both ledgers.
    """
    ledgers = kept()
    with pytest.raises(Rejected) as refused:
        ledgers.settle(Agreement("deal", (CASH,), (STOCK,), decide_by, settle_from))
    first = refused.value.rejections[0]
    assert (first.reason, first.field) == (RejectionReason.NOT_ALLOWED, "decide_by")
    assert f"it opens on {opens} at 08:30" in first.message
    assert "tokenised money" in first.remedy
    assert statuses(ledgers, "deal") == ("released", "released")


def test_tokenised_money_is_final_at_any_hour() -> None:
    """Goal: the stated choice. Method: in the same night both legs move on the token ledger; an agreement
    without money on the book is not held either.
    """
    ledgers = kept()
    seller, buyer = (ledgers.tokens.state.balance(wallet, MONEY) for wallet in (ALPHA, BETA))
    payer, payee = (BETA, ALPHA) if buyer else (ALPHA, BETA)
    assert max(seller, buyer) > 0
    stock = Leg(payee, payer, asset_of(BOND), FACE)
    money = Leg(payer, payee, asset_of(MONEY), max(seller, buyer) // 2)
    assert refusal(ledgers, Side.TOKENS, TransferTokens((stock, money))) == ""
    bond = Leg(account_of(ALPHA), account_of(BETA), 4, DENOMINATION)
    assert money_closed(ledgers.book.state, Agreement("bond", (bond,), (STOCK,), NOON)) == ""


def test_a_house_that_was_never_told_settles_as_before_and_may_choose_again() -> None:
    """Goal: older journals mean what they meant. Method: the same evening without the rule, and with it taken back."""
    plain = opened()
    decided = plain.settle(Agreement("deal", (CASH,), (STOCK,), NOON))
    assert decided is not None
    assert (decided.committed, decided.decided_at) == (True, START)
    assert "synchronised.money_hours" not in plain.book.state.dump()
    ledgers = kept()
    assert ledgers.settle(Agreement("deal", (CASH,), (STOCK,), NOON)) is None
    ledgers.require(Side.BOOK, "any-hour", KeepMoneyHours(kept=False))
    (decided,) = ledgers.resolve()
    assert decided.committed
    assert refusal(ledgers, Side.TOKENS, KeepMoneyHours(kept=True))


def test_what_is_held_past_its_time_is_let_go_on_both() -> None:
    """Goal: nothing is held for ever. Method: the clock jumps from the night over the whole window."""
    ledgers = kept()
    assert ledgers.settle(Agreement("deal", (CASH,), (STOCK,), NOON)) is None
    ledgers.require(Side.BOOK, "late", TellTime(NOON))
    ledgers.require(Side.TOKENS, "late", TellTime(NOON))
    ledgers.resolve()
    assert statuses(ledgers, "deal") == ("released", "released")


def test_trades_of_the_issue_are_held_refused_or_paid_in_tokens() -> None:
    """Goal: the desk sees why. Method: the government's issue; a trade for the next day told as held in the morning's
    first minutes, one late in the evening refused, the same one paid in e-HKD.
    """
    ledgers = TwoLedgers(MemoryStore(), MemoryStore())
    TokenIssue(ledgers, issue_named("HKSAR-2025")).run("primary")
    names = {"code": "HKGB-HKD-2027", "face_cents": 100_000_000, "price_e4": 1_000_000}
    seller, buyer = "BANK-A", "BANK-B"
    morning = datetime.fromisoformat("2025-11-13 07:00")
    move_on(ledgers, morning)
    held = trade(ledgers, "early", seller=seller, buyer=buyer, in_tokens=False, next_day=False, **names)
    assert (held.status, held.held) == (
        "reserved", "the gross system of HKD is closed; it opens on 2025-11-13 at 08:30",
    )  # fmt: skip
    assert move_on(ledgers, datetime.fromisoformat("2025-11-13 08:00"))["held"] == [
        "early: the gross system of HKD is closed; it opens on 2025-11-13 at 08:30"
    ]
    found = move_on(ledgers, datetime.fromisoformat("2025-11-13 08:30"))
    assert (found["settled"], found["held"]) == (["early"], [])
    move_on(ledgers, datetime.fromisoformat("2025-11-13 22:00"))
    with pytest.raises(Rejected, match="closed until it has to be decided"):
        trade(ledgers, "late", seller=seller, buyer=buyer, in_tokens=False, next_day=False, **names)
