"""Payments one by one: queues, priorities, pairs, offsetting, hours, repo, the mainland, small payments, wallets.

Goal: each rule does what its source says. Method: stories of a few payments with the books checked to the cent.
"""

from __future__ import annotations

import numpy as np
import pytest
from clearing_book import MONDAY
from payment_book import (
    B1,
    B2,
    B3,
    BOND,
    CLOSE_S,
    CNY,
    HKD,
    NOON_S,
    OPEN_S,
    USD,
    accept,
    balance,
    deposit,
    exchange,
    opened,
    pay,
    refused,
    statuses,
)

from tsingma.basics.columns import pack
from tsingma.engine.house import House
from tsingma.journal.commands import CaptureInstructions, EndReservation, ReserveAssets, RunStep, SetClosingPrices
from tsingma.journal.events import AssetsReserved
from tsingma.journal.payment_commands import (
    AnswerFromMainland,
    ChangePayment,
    DrawIntradayRepo,
    EarmarkPaper,
    MoveWallet,
    OpenWallet,
    PayReserved,
    ReceiveFromMainland,
    RepayIntradayRepo,
    RunPayments,
    SendSmallPayments,
    SettlePayments,
    WithdrawPaper,
)
from tsingma.journal.payment_events import PaymentsSettled, PaymentsSubmitted
from tsingma.kernels.payments import CANCELLED, QUEUED, SETTLED
from tsingma.settlement.timetable import StepKind, timetable


def test_a_payment_settles_or_waits_and_moves_when_money_comes() -> None:
    """Goal: no overdraft, first come first served. Method: three payments, the second too large, then a deposit."""
    house = opened((B1, HKD, 100))
    events = accept(house, pay((B1, B2, HKD, 60), (B1, B3, HKD, 50), (B1, B2, HKD, 10)))
    assert events == (PaymentsSubmitted(0, 3, 1, 2),)
    assert statuses(house) == [SETTLED, QUEUED, QUEUED]  # the small one does not overtake
    (_, woken) = accept(house, deposit((B1, HKD, 10)))
    assert woken == PaymentsSettled(1, 1)
    assert (balance(house, B1, HKD), balance(house, B3, HKD)) == (0, 50)
    accept(house, deposit((B1, HKD, 10)))
    assert statuses(house) == [SETTLED] * 3


def test_urgent_goes_first_and_the_payer_alone_reorders_and_cancels() -> None:
    """Goal: priorities, re-sequencing, cancellation by the payer. Method: a queue of three, changed step by step."""
    house = opened((B1, HKD, 10))
    accept(house, pay((B1, B2, HKD, 20), (B1, B2, HKD, 30), (B1, B3, HKD, 40), priority=[2, 2, 0]))
    row = house.ledger.find(B1, HKD)
    assert house.money.payments.queue_of(row) == [2, 0, 1]
    assert "only its payer" in refused(house, ChangePayment(1, "first", "BANK2", NOON_S))
    assert "only its payer" in refused(house, ChangePayment(1, "cancel", "HKSCC", NOON_S))
    accept(house, ChangePayment(1, "first", "BANK1", NOON_S))
    assert house.money.payments.queue_of(row) == [2, 1, 0]
    accept(house, ChangePayment(2, "last", "BANK1", NOON_S, 1))
    accept(house, ChangePayment(0, "first", "BANK1", NOON_S, 0))
    assert house.money.payments.queue_of(row) == [0, 2, 1]
    accept(house, deposit((B1, HKD, 20)))
    assert statuses(house) == [SETTLED, QUEUED, QUEUED]
    accept(house, ChangePayment(2, "cancel", "BANK1", NOON_S))
    assert statuses(house) == [SETTLED, QUEUED, CANCELLED]
    assert "it is cancelled" in refused(house, ChangePayment(2, "cancel", "BANK1", NOON_S))
    house.money.payments.check()


def test_two_banks_settle_what_they_owe_each_other() -> None:
    """Goal: bilateral offsetting at entry. Method: 100 against 90 with ten in hand; prefixes of the other queue."""
    house = opened((B1, HKD, 10))
    accept(house, pay((B2, B1, HKD, 60), (B2, B1, HKD, 30)))
    accept(house, pay((B1, B2, HKD, 100)))
    assert statuses(house) == [SETTLED] * 3
    assert (balance(house, B1, HKD), balance(house, B2, HKD)) == (0, 10)
    assert set(house.money.payments.table["turn"].tolist()) == {1}


def test_a_circle_is_resolved_by_multilateral_offsetting_alone() -> None:
    """Goal: gridlock. Method: three banks without money owe each other in a circle of 5, 6 and 5, one has 1."""
    house = opened((B2, HKD, 1))
    accept(house, pay((B1, B2, HKD, 5), (B2, B3, HKD, 6), (B3, B1, HKD, 5), (B3, B1, HKD, 2)))
    assert statuses(house) == [QUEUED] * 4
    (event,) = accept(house, RunPayments(NOON_S, "multilateral"))
    assert event.figures["offset"] == 3
    assert statuses(house) == [SETTLED, SETTLED, SETTLED, QUEUED]
    assert [balance(house, bank, HKD) for bank in (B1, B2, B3)] == [0, 0, 1]


@pytest.mark.parametrize("late", [HKD, CNY, USD])
def test_a_pair_waits_for_whichever_leg_is_short(late: int) -> None:
    """Goal: payment versus payment. Method: each currency short in turn; both legs share one instant, or none is."""
    other = USD if late != USD else HKD
    house = opened((B2, other, 7))
    accept(house, exchange((B1, late, 5), (B2, other, 7)))
    assert statuses(house) == [QUEUED, QUEUED]
    assert balance(house, B2, other) == 7
    accept(house, deposit((B1, late, 5)))
    assert statuses(house) == [SETTLED, SETTLED]
    assert (balance(house, B1, other), balance(house, B2, late)) == (7, 5)
    assert len(set(house.money.payments.table["turn"].tolist())) == 1


def test_a_pair_settles_against_securities() -> None:
    """Goal: the same queue delivers. Method: a bond against renminbi, short of stock, then of money."""
    house = opened((B1, CNY, 100))
    accept(house, exchange((B1, CNY, 100), (B2, BOND, 9)))
    assert statuses(house) == [QUEUED, QUEUED]
    accept(house, deposit((B2, BOND, 9)))
    assert statuses(house) == [SETTLED, SETTLED]
    assert (balance(house, B1, BOND), balance(house, B2, CNY)) == (9, 100)
    assert "one leg of a pair" in refused(house, pay((B1, B2, BOND, 1)))


def test_a_pair_across_a_closed_system_waits_and_both_legs_go_when_it_closes() -> None:
    """Goal: hours of both sides. Method: renminbi is open at six in the morning, dollars are not until half past eight.

    At the close of dollars what is left is cancelled on both sides.
    """
    house = opened((B1, CNY, 10), (B2, USD, 10), second=21_600)
    accept(house, exchange((B1, CNY, 5), (B2, USD, 6), at=21_600))
    assert statuses(house) == [QUEUED, QUEUED]
    accept(house, pay((B1, B3, CNY, 5), second=21_600))  # what waits for a closed system blocks nobody
    assert statuses(house) == [QUEUED, QUEUED, SETTLED]
    accept(house, RunPayments(OPEN_S))
    assert statuses(house) == [SETTLED] * 3
    accept(house, exchange((B1, CNY, 50), (B2, USD, 1), at=OPEN_S))
    (event,) = accept(house, RunPayments(CLOSE_S))
    assert event.figures["cancelled"] == 2
    assert statuses(house)[3:] == [CANCELLED, CANCELLED]
    assert "has closed" in refused(house, pay((B1, B2, USD, 1), second=CLOSE_S))


def test_a_proposal_is_verified_in_integers() -> None:
    """Goal: whoever proposes, the ledger decides. Method: a set that fits, one short, one that parts or overtakes."""
    house = opened((B1, HKD, 1))
    accept(house, pay((B1, B2, HKD, 5), (B2, B3, HKD, 5), (B3, B1, HKD, 4), (B3, B1, HKD, 9), priority=[2, 2, 2, 0]))

    def propose(*numbers: int) -> SettlePayments:
        return SettlePayments("test", NOON_S, pack(numbers, "i4"))

    assert "below its floor" in refused(house, propose(0, 1))
    assert "more urgent" in refused(house, propose(0, 1, 2))
    accept(house, ChangePayment(3, "cancel", "BANK3", NOON_S))
    assert accept(house, propose(0, 1, 2)) == (PaymentsSettled(3, 0),)
    assert "settled or cancelled" in refused(house, propose(0))
    assert balance(house, B3, HKD) == 1


def priced(house: House) -> House:
    """Give the bond a price of 1.00 and every currency a rate."""
    accept(house, SetClosingPrices(pack([3], "i4"), pack([10_000], "i8"), (1_000_000, 1_100_000, 7_800_000, 9_000_000)))
    return house


def test_intraday_repo_lends_up_to_the_haircut_value_and_is_repaid_at_the_close() -> None:
    """Goal: no overdraft, repo instead. Method: a bond pledged, too much refused, the close takes it back."""
    house = priced(opened((B1, BOND, 100_000)))

    def draw(quantity: int, cents: int) -> DrawIntradayRepo:
        return DrawIntradayRepo("BANK1", B1, HKD, BOND - 4, quantity, cents, NOON_S)

    assert "worth" in refused(house, draw(1_000, 110_001))  # 1,000 x 1.00 x 1.1 before any haircut
    assert "available" in refused(house, draw(100_001, 100))
    accept(house, pay((B1, B2, HKD, 90_000)))
    accept(house, draw(1_000, 90_000))
    assert statuses(house) == [SETTLED]
    assert int(house.ledger.pledged[house.ledger.find(B1, BOND)]) == 1_000
    assert "90000 and 0 of interest" in refused(house, RepayIntradayRepo("BANK1", 0, NOON_S))
    accept(house, deposit((B1, HKD, 90_000)))
    (event,) = accept(house, RunPayments(CLOSE_S))
    assert event.figures["repos_repaid"] == 1
    assert int(house.ledger.pledged[house.ledger.find(B1, BOND)]) == 0
    assert balance(house, B1, HKD) == 0
    house.money.note_others(house.ledger)
    assert house.money.others.table["cents"].tolist() == [90_000]  # the deposit; repo is liquidity, not its use
    used = house.money.liquidity(house.ledger)
    assert used.figures["usage"][used.account == B1].tolist() == [90_000]


def test_earmarked_paper_lends_what_a_payment_lacks_and_no_more() -> None:
    """Goal: repo by itself within the line. Method: two payments above the money, one too large, a circle on its net,
    withdrawal refused while it is drawn, the close repays and frees the paper.
    """
    house = priced(opened((B1, BOND, 1_000), (B1, HKD, 30)))
    (event, *_) = accept(house, EarmarkPaper("BANK1", B1, HKD, BOND - 4, 1_000, NOON_S))
    worth = event.worth_cents
    assert 0 < worth < 110_000
    accept(house, pay((B1, B2, HKD, 100), (B1, B2, HKD, worth), (B1, B3, HKD, 1)))
    assert statuses(house) == [SETTLED, QUEUED, QUEUED]
    assert house.money.repos.drawn(B1, HKD) == 70
    accept(house, pay((B2, B1, HKD, 60)))
    assert house.money.repos.drawn(B1, HKD) == 70  # what comes in is the bank's; the close pays back
    accept(house, pay((B2, B1, HKD, 20)))
    assert statuses(house) == [SETTLED] * 5  # 80 in hand and the rest of the line cover both
    assert house.money.repos.drawn(B1, HKD) == worth - 10 + 1
    assert "stands against it" in refused(house, WithdrawPaper("BANK1", 0, NOON_S))
    accept(house, pay((B1, B2, HKD, 5_000), (B2, B3, HKD, 5_000 + worth), (B3, B1, HKD, 5_000)))
    drawn = house.money.repos.drawn(B1, HKD)
    accept(house, RunPayments(NOON_S, "multilateral"))
    assert statuses(house)[5:] == [SETTLED] * 3
    assert house.money.repos.drawn(B1, HKD) == drawn  # one instant, and its net needs nothing
    accept(house, deposit((B1, HKD, 200_000)))
    (event,) = accept(house, RunPayments(CLOSE_S))
    assert house.money.repos.drawn(B1, HKD) == 0
    assert int(house.ledger.pledged[house.ledger.find(B1, BOND)]) == 0
    assert "has ended" in refused(house, WithdrawPaper("BANK1", 0, CLOSE_S))


def test_the_mainland_link_sends_returns_and_mirrors() -> None:
    """Goal: queue and return on both sides. Method: one confirmed, one returned, one in, one that comes too early."""
    house = opened((B1, CNY, 100))
    link = house.money.mainland
    accept(house, pay((B1, 0, CNY, 30), (B1, 0, CNY, 40), (B1, 0, CNY, 50), mainland=[1, 1, 1]))
    assert (statuses(house), link.onshore_cents) == ([SETTLED, SETTLED, QUEUED], -70)
    assert "it is waiting" in refused(house, AnswerFromMainland(NOON_S, pack([2], "i4"), pack([1], "i1")))
    accept(house, AnswerFromMainland(NOON_S, pack([0, 1], "i4"), pack([1, 0], "i1")))
    assert statuses(house) == [SETTLED] * 3  # what came back pays the third
    assert balance(house, B1, CNY) == 20
    assert "it is returned" in refused(house, AnswerFromMainland(NOON_S, pack([1], "i4"), pack([0], "i1")))
    accept(house, ReceiveFromMainland(NOON_S, pack([7], "i8"), pack([B2], "i4"), pack([5], "i8")))
    assert (balance(house, B2, CNY), link.onshore_cents, link.offshore_cents) == (5, -75, 75)
    link.check()
    assert "only renminbi" in refused(house, pay((B1, 0, HKD, 1), mainland=[1]))
    late = ReceiveFromMainland(CLOSE_S, pack([8], "i8"), pack([B2], "i4"), pack([5], "i8"))
    assert "side is closed" in refused(house, late)


def small(day: int, *rows: tuple[int, int, int, int, int, int]) -> SendSmallPayments:
    """Return small payments of (person, payer, payee, currency, purpose, cents)."""
    kinds = ("i8", "i4", "i4", "i1", "i1", "i8")
    columns = [pack(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
    return SendSmallPayments(day, *columns)


def test_payment_connect_keeps_the_day_and_year_limits_of_each_institution() -> None:
    """Goal: HKD 10,000 a day and 200,000 a year by person and institution (HKMA, Payment Connect).

    Method: the cent that goes over is refused, another institution counts apart, the next day and year begin anew.
    """
    house = opened((B1, HKD, 10**9), (B2, HKD, 10**9))
    day, limit = MONDAY, 1_000_000

    def sent(when: int, *rows: tuple[int, int, int]) -> list[int]:
        (event,) = accept(house, small(when, *((person, payer, 0, HKD, 1, cents) for person, payer, cents in rows)))
        return list(np.frombuffer(event.results, "i1"))

    assert sent(day, (1, B1, limit), (1, B1, 1), (1, B2, limit), (2, B1, 1)) == [0, 2, 0, 0]
    for later in range(1, 20):
        assert sent(day + later, (1, B1, limit)) == [0]
    assert sent(day + 20, (1, B1, 1)) == [3]
    assert sent(day + 400, (1, B1, 1)) == [0]
    assert "not in this currency" in refused(house, small(day + 400, (1, B1, 0, CNY, 1, 1)))


def test_same_name_remittance_counts_over_all_institutions() -> None:
    """Goal: RMB 80,000 a person and day, apart from Payment Connect. Method: two institutions share one limit."""
    house = opened((B1, CNY, 10**9), (B2, CNY, 10**9), (B1, HKD, 10**9))
    row = [(1, B1, 0, CNY, 2, 7_999_999), (1, B2, 0, CNY, 2, 2), (1, B2, 0, CNY, 2, 1), (1, B1, 0, HKD, 1, 1_000_000)]
    (event,) = accept(house, small(MONDAY, *row))
    assert list(np.frombuffer(event.results, "i1")) == [0, 2, 0, 0]


def test_fast_payments_run_on_a_sunday() -> None:
    """Goal: around the clock. Method: a Sunday after the open day; a past day is refused; no money, no payment."""
    house = opened((B1, HKD, 50))
    (event,) = accept(house, small(MONDAY + 6, (1, B1, B2, HKD, 0, 30), (1, B1, B2, HKD, 0, 30)))
    assert list(np.frombuffer(event.results, "i1")) == [0, 1]
    assert balance(house, B2, HKD) == 30
    assert "is over" in refused(house, small(MONDAY - 1, (1, B1, B2, HKD, 0, 1)))


def test_a_wallet_opened_by_telephone_keeps_its_bounds() -> None:
    """Goal: tier 4 (balance 10,000, payment 2,000, day 5,000, year 50,000). Method: the cent beyond each bound."""
    house = opened((B1, CNY, 10**9))
    accept(house, OpenWallet(1, B2, 4, MONDAY))

    def move(what: str, account: int, cents: int, day: int = MONDAY) -> MoveWallet:
        return MoveWallet(0, what, account, cents, day)

    assert "limit of a balance" in refused(house, move("top-up", B1, 1_000_001))
    accept(house, move("top-up", B1, 1_000_000))
    assert int(house.ledger.held[house.ledger.find(B2, CNY)]) == 1_000_000
    assert "limit of a payment" in refused(house, move("pay", B3, 200_001))
    for cents in (200_000, 200_000, 100_000):
        accept(house, move("pay", B3, cents))
    assert "day's limit" in refused(house, move("pay", B3, 1))
    for day in range(MONDAY + 1, MONDAY + 10):
        accept(house, move("top-up", B1, 500_000, day))
        for cents in (200_000, 200_000, 100_000):
            accept(house, move("pay", B3, cents, day))
    assert "year's limit" in refused(house, move("pay", B3, 1, MONDAY + 10))
    accept(house, move("cash", B2, 500_000, MONDAY + 10))
    assert "not enough" in refused(house, move("cash", B2, 1, MONDAY + 10))
    assert balance(house, B3, CNY) == 5_000_000
    house.money.wallets.check(house.ledger)


def test_reserved_money_is_paid_given_back_or_expires_once() -> None:
    """Goal: reserve, commit, expire. Method: commit pays the payee; a second commit or a release is refused."""
    house = opened((B1, HKD, 100))
    (event,) = accept(house, ReserveAssets("BANK1", B1, HKD, 60, MONDAY))
    assert isinstance(event, AssetsReserved)
    accept(house, pay((B1, B2, HKD, 50)))
    assert statuses(house) == [QUEUED]  # what is reserved is not available
    assert "belongs to others" in refused(house, PayReserved(0, "BANK2", B2))
    accept(house, PayReserved(0, "BANK1", B3))
    assert (balance(house, B3, HKD), balance(house, B1, HKD)) == (60, 40)
    assert "it is used" in refused(house, PayReserved(0, "BANK1", B3))
    assert "used" in refused(house, EndReservation(0, "BANK1"))
    accept(house, ReserveAssets("BANK1", B1, HKD, 40, MONDAY))
    accept(house, deposit((B1, HKD, 10)))
    accept(house, EndReservation(1, "BANK1"))
    assert statuses(house) == [SETTLED]


def test_a_delivery_waits_for_money_that_a_pair_brings_and_pays_on() -> None:
    """Goal: one instant after the other through both queues. Method: a bond trade short of renminbi, a pair that brings
    it, and a payment of the seller that waits for the price: one deposit of dollars moves all three.
    """
    house = opened((B2, BOND, 9), (B3, CNY, 100), second=NOON_S)
    delivery = CaptureInstructions(
        "test", MONDAY, *(pack([value], kind) for value, kind in
                          ((1, "i8"), (B2, "i4"), (B1, "i4"), (BOND - 4, "i4"), (9, "i8"), (CNY, "i1"), (100, "i8"),
                           (3, "i1"))),
    )  # fmt: skip
    accept(house, delivery)
    for timed in timetable():
        accept(house, RunStep(timed.name))
        if timed.kind is StepKind.CONTINUOUS_SETTLEMENT:
            break
    accept(house, exchange((B1, USD, 14), (B3, CNY, 100)))
    accept(house, pay((B2, B3, CNY, 60)))
    assert statuses(house) == [QUEUED] * 3
    events = accept(house, deposit((B1, USD, 14)))
    assert [type(event).__name__ for event in events] == [
        "AssetsDeposited", "PaymentsSettled", "InstructionsSettled", "PaymentsSettled",
    ]  # fmt: skip
    assert statuses(house) == [SETTLED] * 3
    assert (balance(house, B1, BOND), balance(house, B2, CNY), balance(house, B3, CNY)) == (9, 40, 60)
