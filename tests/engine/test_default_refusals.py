"""What a suspended or defaulted participant may not do, on which grounds a default is declared, which trades count.

After every command the state comes back from its dump with the same hash; at the end the journal gives it again.
"""

from __future__ import annotations

import pytest
from default_story import MILLION, PRICE, START_S, DefaultStory, short_story
from story import BOND, FUND, MONDAY, SHARE

from tsingma.basics.columns import pack
from tsingma.basics.rejection import Rejected
from tsingma.clearing.trades import from_command
from tsingma.engine.trading import check_trades
from tsingma.journal import commands as do
from tsingma.journal import corporate_action_commands as events
from tsingma.journal import custody_commands as custody
from tsingma.journal import default_commands as default
from tsingma.journal import link_commands as links
from tsingma.journal import payment_commands as payments
from tsingma.journal import pool_commands as pool
from tsingma.journal.swap_commands import RegisterSwaps

E4 = 10_000


def test_grounds_are_what_the_books_show_or_what_people_say() -> None:
    """Goal: no default without a ground. Method: each ground with and without its fact; reasons and times."""
    told = short_story()
    refused = told.refuse(default.DeclareDefault("A", "failure-of-margin", "a call", START_S))
    assert "books show no failure-of-margin" in refused
    assert "books show no failure-to-pay" in told.refuse(default.DeclareDefault("A", "failure-to-pay", "due", START_S))
    assert "no ground 'bad luck'" in told.refuse(default.DeclareDefault("A", "bad luck", "x", START_S))
    assert "no reason" in told.refuse(default.DeclareDefault("A", "decision", "  ", START_S))
    assert "500 at most" in told.refuse(default.DeclareDefault("A", "decision", "x" * 501, START_S))
    assert "second -1" in told.refuse(default.SuspendParticipant("A", "x", -1))
    for who in ("HKSCC", "BANK", "ISSUER", "CHINACLEAR"):
        assert "name a participant" in told.refuse(default.SuspendParticipant(who, "x", START_S))
    assert "no participant" in told.refuse(default.SuspendParticipant("Z", "x", START_S))
    told.margin(A=90 * MILLION)
    told.declare("A", "failure-of-margin", "a call of 90 million")
    assert "it is declared already" in told.refuse(default.DeclareDefault("A", "decision", "again", START_S))
    assert "has defaulted" in told.refuse(default.ReinstateParticipant("A", "x", START_S))
    assert "not suspended" in told.refuse(default.ReinstateParticipant("B", "x", START_S))
    assert "the case stands at" in told.refuse(default.CloseDefault(1, "early", START_S - 1))
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
    with pytest.raises(Rejected, match="A is suspended"):  # as who takes several commands in as one asks before
        check_trades(told.house, from_command(told.capture("A", "C", time_s=12 * 3_600)))
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
    payer = {"payer": i4["a"], "payee": i4["b"], "asset": i4["zero"], "amount": cent}
    refused = [
        do.PostTransfers(i4["a"], i4["b"], i4["share"], one, pack([0], "i1")),
        do.CaptureInstructions("x", MONDAY, one, i4["b"], i4["a"], i4["zero"], one, pack([0], "i1"), one,
                               pack([3], "i1")),
        do.ChangeInstruction(first, "release", "A"), do.ChangeOrder(0, "cancel", "A"),
        do.LinkInstructions("together", (0, 1), "A"), do.ReserveAssets("A", a, share, 1, MONDAY),
        do.EndReservation(0, "A"), do.SetCreditLine(a, 0, 1, -1, 0),
        do.StartBuyIn(0, a, "B"), do.BuyInShort(b, 0, a, 1, 1),
        do.CaptureDerivatives("x", one, i4["zero"], i4["b"], i4["a"], one, one),
        RegisterSwaps("x", one, i4["zero"], i4["a"], i4["b"], one, one),
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
    for sender in ("HKSCC", "A"):
        result, _ = told.send(sender, "delivers", "B", account="A")
        assert result == "account belongs to a participant that is suspended or in default"
    told.end()
