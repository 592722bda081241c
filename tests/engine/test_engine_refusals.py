"""What the house refuses, and that a refusal leaves no trace.

Goal: every command checks first and changes after. Method: the production step on a small house; each bad command is
refused with a reason that names the fault, and the state hash is what it was.
"""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from clearing_book import CNS, MONDAY, A, B, book, trades

from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.engine.charging import ChargeBook
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import (
    CallMargin,
    CaptureTrades,
    ChangeInstruction,
    CloseDay,
    Command,
    DepositAssets,
    LoadReference,
    OpenDay,
    PostTransfers,
    RunStep,
    SetClosingPrices,
)
from tsingma.journal.events import Accepted, MarginCalled, Refused, TransfersPosted
from tsingma.ledger.ledger import NO_FLOOR, Ledger
from tsingma.settlement.timetable import StepKind, timetable

FX = (1_000_000, *([1_080_000] * (len(CURRENCIES) - 1)))


def prices(counters: list[int], values: list[int], fx: tuple[int, ...] = FX) -> SetClosingPrices:
    """Return a command that fixes prices."""
    return SetClosingPrices(pack(counters, "i4"), pack(values, "i8"), fx)


def deposit(owner: int, asset: int, amount: int) -> DepositAssets:
    """Return a command that brings one asset in."""
    return DepositAssets(pack([owner], "i4"), pack([asset], "i4"), pack([amount], "i8"))


def transfer(debit: int, credit: int, asset: int, amount: int) -> PostTransfers:
    """Return a command with one transfer."""
    return PostTransfers(
        pack([debit], "i4"), pack([credit], "i4"), pack([asset], "i4"), pack([amount], "i8"), pack([0], "i1")
    )


def accept(house: House, command: Command) -> object:
    """Carry out a command that must be accepted and return its event."""
    answer = step(house, command)
    assert isinstance(answer, Accepted), answer
    return answer.events[0]


def refuse(house: House, command: Command, text: str) -> None:
    """Carry out a command that must be refused and change nothing."""
    before = house.digest()
    answer = step(house, command)
    assert isinstance(answer, Refused)
    assert any(text in str(rejection) for rejection in answer.rejections), answer.rejections
    assert house.digest() == before


@pytest.fixture
def house() -> House:
    """A house with a book, money of Alpha, and Monday open with prices."""
    house = House()
    accept(house, LoadReference(book()))
    accept(house, deposit(A, 0, 1_000_000))
    accept(house, OpenDay(MONDAY))
    accept(house, prices([0, 1, 2, 3], [3_000_000, 2_700_000, 15_000_000, 1_000_000]))
    return house


def test_an_empty_house_refuses_everything_but_a_book() -> None:
    """Goal: nothing runs without reference data. Method: each command on an empty house."""
    for command in (OpenDay(MONDAY), deposit(A, 0, 1), transfer(A, B, 0, 1), prices([0], [100])):
        refuse(House(), command, "no reference book is loaded")
    for command in (RunStep(timetable()[0].name), CloseDay()):
        refuse(House(), command, "no day is open")


def test_books_without_the_houses_own_accounts_are_refused() -> None:
    """Goal: the house needs its own accounts. Method: drop one from the book; load a second book."""
    whole = book()
    refuse(House(), LoadReference(msgspec.structs.replace(whole, accounts=whole.accounts[1:])), "HKSCC/CNS")
    house = House()
    accept(house, LoadReference(whole))
    refuse(house, LoadReference(whole), "a reference book is loaded already")


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (OpenDay(MONDAY + 1), "2026-01-05 is still open"),
        (RunStep("tea-break"), "tea-break"),
        (CloseDay(), "steps have not run"),
        (prices([0, 0], [100, 100]), "priced twice"),
        (prices([0], [100, 100]), "differ in length"),
        (prices([9], [100]), "item 1: counter 9"),
        (prices([0, 1], [100, -100]), "item 2: counter 1, price -100"),
        (prices([0], [100], (2_000_000, *FX[1:])), "no conversion rates"),
        (prices([0], [100], FX[:1]), "no conversion rates"),
        (deposit(99, 0, 5), "account: item 1: number 99"),
        (deposit(A, 99, 5), "asset: item 1: number 99"),
        (deposit(A, 0, -5), "deposit 1: amount -5"),
        (DepositAssets(pack([A], "i4"), pack([0, 0], "i4"), pack([1], "i8")), "differ in length"),
        (DepositAssets(b"123", pack([0], "i4"), pack([1], "i8")), "no whole column"),
        (transfer(-1, A, 0, 5), "account: item 1: number -1"),
        (deposit(CNS, 0, 5), "only settlement moves what the central counterparty holds"),
        (transfer(A, CNS, 0, 5), "only settlement moves what the central counterparty holds"),
        (transfer(CNS, A, 0, 5), "only settlement moves what the central counterparty holds"),
        (deposit(B, 5, -5), "deposit 1: amount -5"),
        (CallMargin("t", pack([A, A], "i4"), pack([1, 1], "i8")), "called twice"),
        (CallMargin("t", pack([A], "i4"), pack([-1], "i8")), "negative"),
        (ChangeInstruction(1, "hold", "NOBODY"), "no participant 'NOBODY'"),
        (ChangeInstruction(1, "hold", "A"), "1"),
        (next(trades([(0, A, B, -1, 3_000_000)]).commands()), "quantity: -1 is not positive"),
    ],
)
def test_bad_commands_change_nothing(house: House, command: Command, text: str) -> None:
    """Goal: a refusal names the fault and leaves no trace. Method: one bad command of each kind on an open day."""
    refuse(house, command, text)


def test_trades_need_an_open_day_and_rates() -> None:
    """Goal: no trade before the day and its rates. Method: capture on a closed house, then without a renminbi rate."""
    house = House()
    accept(house, LoadReference(book()))
    renminbi = next(trades([(1, A, B, 100, 2_700_000)]).commands())
    assert isinstance(renminbi, CaptureTrades)
    refuse(house, renminbi, "no day is open")
    accept(house, OpenDay(MONDAY))
    refuse(house, renminbi, "no conversion rate is fixed for CNY")


def test_days_open_in_turn(house: House) -> None:
    """Goal: the business clock moves one settlement day at a time. Method: a whole day, then a holiday and a skip."""
    accept(house, next(trades([(0, A, B, 100, 3_000_000)]).commands()))
    names = [entry.name for entry in timetable()]
    accept(house, RunStep(names[0]))
    refuse(house, RunStep(names[0]), "the timetable is past it")
    refuse(house, RunStep(names[2]), f"{names[1]} comes first")  # passed over it could never run, nor the day close
    for name in names[1:]:
        accept(house, RunStep(name))
    accept(house, CloseDay())
    refuse(house, OpenDay(MONDAY), "2026-01-05 is over")
    refuse(house, OpenDay(MONDAY + 5), "2026-01-10 is no settlement day")
    refuse(house, OpenDay(MONDAY + 7), "positions are due on 2026-01-07, which was never opened")
    accept(house, OpenDay(MONDAY + 1))


def test_trades_of_a_day_are_captured_before_its_last_settlement(house: House) -> None:
    """Goal: no trade misses its settlement or its charges. Method: A-shares and shares after each of the last steps."""
    late = False
    for entry in timetable():
        accept(house, RunStep(entry.name))
        late = late or entry.kind in (StepKind.SAME_DAY_STOCK, StepKind.FAILS_AND_FEES)
        for number, (counter, price) in enumerate([(0, 3_000_000), (2, 15_000_000)]):
            rows = trades([(counter, A, B, 100, price)], first_id=1 + number + 10 * timetable().index(entry))
            command = next(rows.commands())
            if late:
                refuse(house, command, "would miss their settlement and their charges")
            else:
                accept(house, command)
    accept(house, CloseDay())
    accept(house, OpenDay(MONDAY + 1))


def test_fails_without_a_price_are_refused_before_the_clock_moves() -> None:
    """Goal: a step that is refused leaves no trace, not even the time. Method: stock fails that was never priced."""
    house = House()
    accept(house, LoadReference(book()))
    accept(house, OpenDay(MONDAY))
    accept(house, next(trades([(0, A, B, 100, 3_000_000)]).commands()))
    for day in range(3):
        if day:
            accept(house, OpenDay(MONDAY + day))
        for entry in timetable():
            if day == 2 and entry.kind is StepKind.FAILS_AND_FEES:
                refuse(house, RunStep(entry.name), "failed and has no closing price or rate")
                accept(house, prices([0], [3_000_000]))
            accept(house, RunStep(entry.name))
        accept(house, CloseDay())


def test_transfers_answer_one_by_one(house: House) -> None:
    """Goal: one bad transfer never hides the next. Method: enough, too much, enough."""
    columns = (pack([A] * 3, "i4"), pack([B] * 3, "i4"), pack([0] * 3, "i4"), pack([10, 2_000_000, 5], "i8"))
    event = accept(house, PostTransfers(*columns, pack([0] * 3, "i1")))
    assert event == TransfersPosted(2, bytes([0, 1, 0]))
    assert int(house.ledger.balance[house.ledger.find(B, 0)]) == 15


def test_margin_pledges_what_is_there_and_gives_it_back(house: House) -> None:
    """Goal: pledge up to the requirement, name the shortfall. Method: three calls on an account with 10,000 dollars."""
    row = house.ledger.find(A, 0)
    for requirement, pledged in ((400_000, 400_000), (1_500_000, 1_000_000), (0, 0)):
        event = accept(house, CallMargin("test", pack([A], "i4"), pack([requirement], "i8")))
        assert event == MarginCalled(1, requirement, pledged, requirement - pledged)
        assert int(house.ledger.pledged[row]) == pledged
    accept(house, CallMargin("test", pack([A], "i4"), pack([900_000], "i8")))
    assert accept(house, transfer(A, B, 0, 200_000)) == TransfersPosted(0, b"\x01")  # pledged is not available


def test_state_survives_dump_and_load(house: House) -> None:
    """Goal: a dump is the whole state. Method: dump in the middle of a day, load, go on with both, compare hashes."""
    accept(house, next(trades([(0, A, B, 100, 3_000_000), (1, B, A, 50, 2_700_000)]).commands()))
    again = House.load(house.dump())
    assert again.digest() == house.digest()
    for command in (RunStep(timetable()[0].name), deposit(B, 1, 7)):
        assert step(house, command) == step(again, command)
    assert again.digest() == house.digest()


def test_charges_are_taken_whole_or_stay_owed() -> None:
    """Goal: a charge is booked whole or stays owed. Method: 70 + 50 cents against 100, then 60 more."""
    ledger, charges = Ledger(), ChargeBook()
    bank, payer, receiver = 1, 2, 3
    source = ledger.row(bank, 0, floor=NO_FLOOR)

    def pay_in(cents: int) -> None:
        ledger.post(np.array([source]), np.array([ledger.row(payer, 0)]), np.array([cents]))

    pay_in(100)
    for line, cents in (("stamp duty", 70), ("trading fee", 50)):
        charges.accrue(line, np.array([payer], np.int32), np.zeros(1, np.int8), np.array([cents]))
    assert charges.rows() == [(payer, "stamp duty", "HKD", 70), (payer, "trading fee", "HKD", 50)]
    assert charges.by_line() == {("stamp duty", "HKD"): 70, ("trading fee", "HKD"): 50}
    assert charges.collect(ledger, receiver).owed_cents[0] == 120
    charges.clear_day()
    assert charges.rows() == []
    again = ChargeBook()
    again.load(charges.dump())
    pay_in(60)
    taken = again.collect(ledger, receiver)
    assert (taken.collected_cents[0], taken.owed_cents[0]) == (120, 0)
    assert int(ledger.balance[ledger.find(receiver, 0)]) == 120


def test_charge_lines_have_a_limit() -> None:
    """Goal: everything has a limit. Method: one line name more than the book keeps."""
    charges = ChargeBook()
    empty = (np.zeros(0, np.int32), np.zeros(0, np.int8), np.zeros(0, np.int64))
    for number in range(256):
        charges.accrue(f"line {number}", *empty)
    with pytest.raises(ValueError, match="more than 256 charge lines"):
        charges.accrue("one more", *empty)
