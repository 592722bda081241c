"""Liquidity figures of whole days of payments, as supervisors watch them (BCBS 248).

Goal: every figure is the books'. Method: seeded days beside a plain twin, payment by payment; days by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from clearing_book import MONDAY
from payment_book import (
    CNY,
    HKD,
    NOON_S,
    accept,
    balance,
    deposit,
    opened,
    pay,
    run_day,
)

from tsingma.basics.columns import pack
from tsingma.journal.commands import CloseDay, OpenDay, PostTransfers, RunStep
from tsingma.journal.payment_commands import RunPayments
from tsingma.kernels.payments import SETTLED
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.gross_money.liquidity import FIGURES, OtherMoves, throughput_e4
from tsingma.settlement.gross_money.queue import PaymentBook
from tsingma.settlement.timetable import timetable
from tsingma.simulate.payments import payment_day


def plain_liquidity(
    book: PaymentBook, ledger: Ledger, opening: Sequence[int], others: OtherMoves
) -> dict[tuple[int, int], dict[str, int]]:  # fmt: skip
    """Return the figures by (account, currency), payment by payment in plain Python."""
    table = {name: column.tolist() for name, column in book.table.items()}
    found: dict[tuple[int, int], dict[str, int]] = {}
    run: dict[int, int] = {}

    def of(row: int) -> dict[str, int]:
        key = int(ledger.owner[row]), int(ledger.asset[row])
        start = opening[row] if row < len(opening) else 0
        return found.setdefault(key, {**dict.fromkeys(FIGURES, 0), "opening": start})

    turns = sorted({turn for turn, status in zip(table["turn"], table["status"], strict=True) if status == SETTLED})
    by_turn: dict[int, list[int]] = {turn: [] for turn in turns}
    for number, status in enumerate(table["status"]):
        debit, credit, amount = (of(table["debit"][number]), of(table["credit"][number]), table["amount"][number])
        due, settled = table["due_s"][number], status == SETTLED
        if due >= 0:
            late = not settled or table["ended_s"][number] > due
            for name, value in (
                ("timed", 1),
                ("timed_cents", amount),
                ("missed", late),
                ("missed_cents", late * amount),
            ):
                debit[name] += value
        if settled:
            by_turn[table["turn"][number]].append(number)
            debit["sent"] += amount
            debit["sent_count"] += 1
            debit["on_behalf"] += amount * table["on_behalf"][number]
            credit["received"] += amount
            credit["received_count"] += 1
    others_of: dict[int, list[tuple[int, int]]] = {}
    for turn, row, cents in zip(*(others.table[name].tolist() for name in ("turn", "row", "cents")), strict=True):
        others_of.setdefault(turn, []).append((row, cents))
        of(row)["other_in" if cents > 0 else "other_out"] += abs(cents)
    for turn in range(book.turn + 1):
        for number in by_turn.get(turn, []):
            for side, sign in (("debit", -1), ("credit", 1)):
                row = table[side][number]
                run[row] = run.get(row, 0) + sign * table["amount"][number]
        for number in by_turn.get(turn, []):
            for row in (table["debit"][number], table["credit"][number]):
                of(row)["usage"] = max(of(row)["usage"], -run[row])
                of(row)["surplus"] = max(of(row)["surplus"], run[row])
        between: dict[int, int] = {}
        for row, cents in others_of.get(turn, []):
            between[row] = between.get(row, 0) + cents
        for row, cents in between.items():
            run[row] = run.get(row, 0) + cents
            of(row)["usage"] = max(of(row)["usage"], -run[row])
            of(row)["surplus"] = max(of(row)["surplus"], run[row])
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_liquidity_figures_are_those_of_a_plain_twin(seed: int) -> None:
    """Goal: the monitoring tools of BCBS 248 from the books. Method: a seeded day, every figure payment by payment."""
    day = payment_day(seed, date(2026, 1, 5), 1_500, banks=8, alpha=0.2, timed_share=0.2, a_command=100)
    house = run_day([*day.opening, *day.traffic[:9]])
    transfer = PostTransfers(*(pack([value], kind) for value, kind in
                               ((4, "i4"), (5, "i4"), (HKD, "i4"), (10**5, "i8"), (0, "i1"))))  # fmt: skip
    accept(house, deposit((4, HKD, 10**6), (6, CNY, 5 * 10**5)))
    run_day(day.traffic[9:14], house)
    accept(house, transfer)
    run_day(day.traffic[14:], house)
    assert len(house.money.others) == 4
    money = house.money
    money.note_others(house.ledger)
    found = money.liquidity(house.ledger)
    wanted = plain_liquidity(money.payments, house.ledger, money.opening.tolist(), money.others)
    assert {(a, c) for a, c in zip(found.account.tolist(), found.currency.tolist(), strict=True)} == set(wanted)
    for place, key in enumerate(zip(found.account.tolist(), found.currency.tolist(), strict=True)):
        assert {name: int(found.figures[name][place]) for name in FIGURES} == wanted[key]
    assert found.hourly.sum(axis=1).tolist() == found.figures["sent"].tolist()
    assert set(throughput_e4(found.hourly)[found.figures["sent"] > 0, -1].tolist()) == {10_000}
    assert int((found.figures["opening"] - found.figures["usage"]).min()) >= 0  # nobody used more than it had
    moved = found.figures["received"] - found.figures["sent"] + found.figures["other_in"] - found.figures["other_out"]
    ends = [balance(house, a, c) for a, c in zip(found.account.tolist(), found.currency.tolist(), strict=True)]
    assert (found.figures["opening"] + moved).tolist() == ends
    assert found.figures["missed"].sum() > 0


def test_the_three_largest_days_and_their_mean() -> None:
    """Goal: A(i) of BCBS 248 over days. Method: five days of one payment each, largest three and mean by hand."""
    house = opened((8, HKD, 1_000))
    for place, amount in enumerate((50, 10, 70, 20, 60)):
        if place:
            accept(house, OpenDay(MONDAY + place))
            accept(house, RunPayments(NOON_S))
        accept(house, pay((8, 9, HKD, amount)))
        accept(house, pay((9, 8, HKD, amount)))
        for timed in timetable():
            accept(house, RunStep(timed.name))
        accept(house, CloseDay())
    assert house.money.days.largest(8, HKD, since=MONDAY) == ([70, 60, 50], 42)
    assert house.money.days.largest(8, HKD, since=MONDAY + 3) == ([60, 20], 40)
    assert balance(house, 8, HKD) == 1_000
