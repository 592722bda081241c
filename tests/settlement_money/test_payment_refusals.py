"""What the money commands refuse, and that a refusal changes nothing.

Goal: bad input is refused whole with its item and field. Method: one fault each, state hash before and after.
"""

from __future__ import annotations

import numpy as np
import pytest
from clearing_book import CNS, MONDAY
from payment_book import (
    B1,
    B2,
    B3,
    BOND,
    CNY,
    HKD,
    NOON_S,
    USD,
    accept,
    deposit,
    exchange,
    opened,
    pay,
    refused,
    statuses,
)

from tsingma.basics.columns import pack
from tsingma.basics.rejection import InvariantBroken
from tsingma.engine.house import House
from tsingma.journal.commands import CloseDay, Command, OpenDay, ReserveAssets, RunStep, SetClosingPrices
from tsingma.journal.payment_commands import (
    ChangePayment,
    DrawIntradayRepo,
    MoveWallet,
    OpenWallet,
    PayReserved,
    ReceiveFromMainland,
    RepayIntradayRepo,
    RunPayments,
    SendSmallPayments,
    SettlePayments,
    SubmitPayments,
)
from tsingma.kernels.payments import CANCELLED, QUEUED, SETTLED
from tsingma.settlement.gross_money.mainland import MainlandLink
from tsingma.settlement.timetable import timetable

ONE = pack([1], "i4")
FAULTS: list[tuple[Command, str]] = [
    (pay((B1, B1, HKD, 1)), "payee"),
    (pay((B1, B2, HKD, 0)), "amount"),
    (pay((B1, B2, HKD, 2**53 + 1)), "amount"),
    (pay((B1, CNS, HKD, 1)), "payee"),
    (pay((CNS, B1, HKD, 1)), "payer"),
    (pay((99, B1, HKD, 1)), "payer"),
    (pay((B1, B2, 99, 1)), "asset"),
    (pay((B1, B2, HKD, 1), priority=[3]), "priority"),
    (pay((B1, B2, HKD, 1), second=NOON_S - 1), "is past"),
    (pay((B1, B2, HKD, 1), participant="BANK2"), "of another"),
    (pay((B1, B2, HKD, 1), participant="NOBODY"), "no participant"),
    (pay((B1, B2, HKD, 1), (B2, B1, CNY, 1), pair=[1, 2]), "two neighbours"),
    (pay((B1, B2, HKD, 1), (B2, B3, CNY, 1), pair=[1, 1]), "pay each other"),
    (pay((B1, B2, HKD, 1), (B2, B1, HKD, 1), pair=[1, 1]), "pay each other"),
    (pay((B1, B2, BOND, 1), (B2, B1, BOND + 1, 1), pair=[1, 1]), "pay each other"),
    (pay((B1, B2, HKD, 1), (B2, B1, CNY, 1), pair=[1, 1], participant="BANK1"), "of another"),
    (SubmitPayments("x", "", NOON_S, {"payer": ONE}), "is missing"),
    (SubmitPayments("x", "", NOON_S, {"colour": ONE}), "no column"),
    (RunPayments(NOON_S, "magic"), "no algorithm"),
    (RunPayments(200_000), "time of day"),
    (ChangePayment(9, "cancel", "BANK1", NOON_S), "no payment"),
    (ChangePayment(0, "burn", "BANK1", NOON_S), "no action"),
    (ChangePayment(0, "first", "BANK1", NOON_S, 7), "no priority"),
    (SettlePayments("x", NOON_S + 1, pack([0], "i4")), "run payments to that time"),
    (SettlePayments("x", NOON_S, pack([1, 0], "i4")), "must rise"),
    (SettlePayments("x", NOON_S, pack([7], "i4")), "no such payment"),
    (SettlePayments("x", NOON_S, pack([1], "i4")), "parted"),
    (DrawIntradayRepo("BANK1", B1, 9, 1, 1, 1, NOON_S), "no currency"),
    (DrawIntradayRepo("BANK1", B1, HKD, 99, 1, 1, NOON_S), "no security"),
    (DrawIntradayRepo("BANK2", B1, HKD, 1, 1, 1, NOON_S), "belongs to others"),
    (DrawIntradayRepo("BANK1", B1, HKD, 1, 0, 1, NOON_S), "cannot be lent"),
    (DrawIntradayRepo("BANK1", B1, HKD, 1, 1, 1, 80_000), "closed at that time"),
    (RepayIntradayRepo("BANK1", 0, NOON_S), "no repo"),
    (ReceiveFromMainland(NOON_S, pack([1], "i8"), pack([CNS], "i4"), pack([1], "i8")), "no account"),
    (SendSmallPayments(MONDAY, *(pack([value], kind) for value, kind in
                                 ((1, "i8"), (B1, "i4"), (B2, "i4"), (0, "i1"), (7, "i1"), (1, "i8")))), "no purpose"),
    (OpenWallet(1, B1, 9, MONDAY), "no tier"),
    (OpenWallet(0, B1, 4, MONDAY), "no person"),
    (MoveWallet(0, "pay", B1, 1, MONDAY), "no wallet"),
    (PayReserved(5, "BANK1", B2), "no reservation"),
]  # fmt: skip


@pytest.fixture
def house() -> House:
    """A house at noon with one queued payment and a queued pair."""
    made = opened((B1, HKD, 1))
    accept(made, pay((B1, B2, HKD, 5)))
    accept(made, exchange((B2, USD, 5), (B3, CNY, 5)))
    return made


@pytest.mark.parametrize(("command", "said"), FAULTS, ids=[said for _, said in FAULTS])
def test_refused_whole_with_its_field(house: House, command: Command, said: str) -> None:
    """Goal and method: see the module."""
    assert said in refused(house, command)
    house.money.payments.check()


def test_nothing_is_paid_while_no_day_is_open() -> None:
    """Goal: gross systems need an open day. Method: a closed house refuses every command with a time."""
    house = opened()
    for timed in timetable():
        accept(house, RunStep(timed.name))
    accept(house, CloseDay())
    for command in (pay((B1, B2, HKD, 1)), RunPayments(NOON_S), SettlePayments("x", NOON_S, pack([0], "i4"))):
        assert "no day is open" in refused(house, command)


def test_a_repo_left_over_becomes_overnight_borrowing_with_interest() -> None:
    """Goal: what is not repaid by the close stays, at the table's rate. Method: one night at 4.5 % of 365 days."""
    house = opened((B1, BOND, 10_000_000))
    accept(house, SetClosingPrices(pack([3], "i4"), pack([10_000], "i8"), (1_000_000, 1_100_000, 7_800_000, 9_000_000)))
    accept(house, DrawIntradayRepo("BANK1", B1, HKD, BOND - 4, 10_000_000, 365_000_000, NOON_S))
    accept(house, pay((B1, B2, HKD, 365_000_000)))
    for timed in timetable():
        accept(house, RunStep(timed.name))
    (closed,) = accept(house, CloseDay())
    assert closed.figures["repos_overnight"] == 1
    accept(house, OpenDay(MONDAY + 1))
    accept(house, RunPayments(NOON_S))
    accept(house, deposit((B1, HKD, 365_045_000)))
    (event,) = accept(house, RepayIntradayRepo("BANK1", 0, NOON_S))
    assert (event.cents, event.interest_cents) == (365_000_000, 45_000)


def test_what_arrived_and_was_not_credited_is_returned_once() -> None:
    """Goal: queue and return, inward. Method: the link alone: arrive, credit one, return the other, compare mirrors."""
    link = MainlandLink()
    numbers = link.arrive(np.array([B2, B3]), np.array([7, 9]), np.array([1, 2]), MONDAY)
    link.credited(numbers[:1], MONDAY)
    link.check()
    assert (link.onshore_cents, link.offshore_cents) == (16, -7)
    link.sent_back(link.waiting_inward(), MONDAY)
    link.check()
    assert (link.onshore_cents, link.offshore_cents, link.waiting_inward().size) == (7, -7, 0)
    again = MainlandLink()
    again.load(link.dump())
    again.check()
    again.offshore_cents += 1
    with pytest.raises(InvariantBroken, match="mirror"):
        again.check()


def test_a_payment_for_a_closed_mainland_is_cancelled_and_paid_back_to_nobody() -> None:
    """Goal: both calendars. Method: a day on which only the mainland rests refuses what leaves over the link."""
    day = 20_500  # 2026-02-16, the eve of the lunar year: Hong Kong works, the mainland rests
    house = opened((B1, CNY, 5), day=day)
    assert "has closed" in refused(house, pay((B1, 0, CNY, 5), mainland=[1]))
    accept(house, pay((B1, B2, CNY, 5)))
    assert statuses(house) == [SETTLED]


def test_a_queued_transfer_to_the_mainland_is_taken_back_at_its_close() -> None:
    """Goal: queue and return, outward. Method: no money until the mainland's window is over; the pair of statuses."""
    house = opened((B1, CNY, 1))
    accept(house, pay((B1, 0, CNY, 5), mainland=[1]))
    assert statuses(house) == [QUEUED]
    accept(house, RunPayments(59_400))
    assert statuses(house) == [CANCELLED]
    link = house.money.mainland
    assert (int(link.table["status"][0]), link.onshore_cents) == (5, 0)
    link.check()


def test_reservations_serve_tokens_too() -> None:
    """Goal: money set aside for another ledger. Method: it expires at the day's end, and cannot be paid after."""
    house = opened((B1, HKD, 10))
    accept(house, ReserveAssets("BANK1", B1, HKD, 10, MONDAY))
    for timed in timetable():
        accept(house, RunStep(timed.name))
    accept(house, CloseDay())
    accept(house, OpenDay(MONDAY + 1))
    assert "it is expired" in refused(house, PayReserved(0, "BANK1", B2))
