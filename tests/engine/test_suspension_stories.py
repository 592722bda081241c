"""A participant suspended: what is held, which trades still come in, and that nothing new comes in or goes out.

Goal and method as in ``test_default_stories.py``: stories on a real house, whose state comes back from its dump.
"""

from __future__ import annotations

import pytest
from default_story import MILLION, DefaultStory
from story import BOND, FUND, MONDAY, SHARE

from tsingma.basics.columns import pack
from tsingma.journal import commands as do
from tsingma.journal import corporate_action_commands as events
from tsingma.journal import custody_commands as custody
from tsingma.journal import default_commands as default
from tsingma.journal import link_commands as links
from tsingma.journal import payment_commands as payments
from tsingma.journal import pool_commands as pool

PRICE = 3_000_000  # 300 dollars, at which everything is traded


def test_a_suspended_participants_instructions_are_held_and_released() -> None:
    """Goal: nothing of it settles, and reinstatement restores it. Method: matched, waiting, at once, with a hold."""
    told = DefaultStory()
    told.give("A", SHARE, 1_000)
    told.give("B", "HKD", MILLION * 10)
    free, held = told.agree("A", "B"), told.agree("A", "B", amount_cents=77)
    told.act("A", held, "hold")
    _, waiting = told.send("A", "delivers", "B")
    told.suspend("A")
    assert (told.status(free), told.status(held)) == ("on-hold", "on-hold")
    result, _ = told.send("B", "receives", "A")
    assert result == "counterparty is suspended or in default"
    assert told.order_status(waiting) == "waiting"
    told.run("batch-settlement-run-1")
    assert told.has("B", SHARE) == 0
    assert told.tell(default.ReinstateParticipant("A", "paid", told.now_s)).default == 1  # type: ignore[attr-defined]
    assert told.status(held) == "on-hold"  # its own hold
    told.run("batch-settlement-run-2")
    assert told.status(free) == "settled"
    told.suspend("A")
    assert told.house.defaults.barred == {told.book.participant_index["A"]: 2}
    told.end()


def test_trades_made_before_the_suspension_are_novated_and_none_after() -> None:
    """Goal: finality by the time of the trade. Method: suspended at eleven; trades of ten and of half past eleven."""
    told = DefaultStory()
    told.at(11)
    told.suspend("A")
    told.bargain("B", "A", 100, PRICE, time_s=10 * 3_600)
    late = told.refuse(told.capture("B", "A", time_s=11 * 3_600 + 1_800))
    assert "trade 2" in late
    assert "A is suspended" in late
    told.bargain("B", "C", 100, PRICE, time_s=12 * 3_600)
    told.end()


@pytest.mark.parametrize("status", ["suspended", "declared"])
def test_nothing_new_and_nothing_out(status: str) -> None:
    """Goal: the table of commands. Method: one of each of them, refused for the reason and without a trace."""
    told = DefaultStory()
    told.give("A", SHARE, 1_000)
    told.give("A", "HKD", MILLION)
    told.give("B", "HKD", MILLION)
    told.bargain("B", "A", 100, PRICE)
    first = told.agree("A", "B")
    told.suspend("A")
    if status == "declared":
        told.declare("A")
    a, b, share = told.account("A"), told.account("B"), told.asset(SHARE)
    i4 = {name: pack([place], "i4") for name, place in (("a", a), ("b", b), ("share", share), ("zero", 0))}
    one, cent = pack([1], "i8"), pack([100], "i8")
    row = told.order("A", "delivers", "B")
    columns = {name: pack([value], "i8") for name, value in row.items() if name == "reference"}
    payer = {"payer": i4["a"], "payee": i4["b"], "asset": i4["zero"], "amount": cent}
    refused = [
        do.PostTransfers(i4["a"], i4["b"], i4["share"], one, pack([0], "i1")),
        do.CaptureInstructions("x", MONDAY, one, i4["b"], i4["a"], i4["zero"], one, pack([0], "i1"), one,
                               pack([3], "i1")),
        do.ChangeInstruction(first, "release", "A"), do.ChangeOrder(0, "cancel", "A"),
        do.LinkInstructions("together", (0, 1), "A"), do.ReserveAssets("A", a, share, 1, MONDAY),
        do.EndReservation(0, "A"), do.SubmitInstructions("x", "A", 0, columns), do.SetCreditLine(a, 0, 1, -1, 0),
        do.StartBuyIn(0, a, "B"), do.BuyInShort(b, 0, a, 1, 1),
        do.CaptureDerivatives("x", one, i4["zero"], i4["b"], i4["a"], one, one),
        told.capture("A", "B"), payments.SubmitPayments("x", "", 0, payer), payments.SubmitPayments("x", "A", 0, {}),
        payments.PayReserved(0, "A", b), payments.MoveWallet(0, "in", a, 1, MONDAY),
        events.ElectOption("E1", a, 1, 1), custody.PlaceBid(0, a, 1, 1),
        custody.OpenRepo(a, b, "HKD", 1, 0, "ACT/365", MONDAY + 1, 0, (SHARE,), (1,)),
        custody.DealUnits(FUND, a, 1, True), custody.WithdrawBars(BOND, a, ("1",)),
        pool.ReturnCollateral(a, share, 1), pool.ArrangePool("x", a, ()), pool.DrawPoolCredit(a, 0, 1),
        pool.ProposeSubstitution(a, "HKSCC", share, 1, 0, 1, MONDAY),
        links.ConvertMoney("BANK", 0, 1, i4["a"], one, one),
    ]  # fmt: skip
    said = "A is suspended" if status == "suspended" else "A has defaulted"
    for command in refused:
        reason = told.refuse(command)
        assert said in reason, command
        assert "deal with another" in reason
    told.give("A", "HKD", 100)  # what comes in is welcome
    told.tell(do.ChangeInstruction(first, "prioritise", "HKSCC", 1)) if status == "suspended" else None
    result, _ = told.send("HKSCC", "delivers", "B", account="A")
    assert result == "account belongs to a participant that is suspended or in default"
    told.end()
