"""What a default must not let through: two suspended at once, clocks that were wrong, trades that come late, sums.

Every story is told again at its end, and each refusal leaves no trace.
"""

from __future__ import annotations

import typing
from collections import Counter
from types import SimpleNamespace

from default_story import MILLION, PRICE, START_S, DefaultStory, short_story
from story import BOND, FUND, MONDAY, SHARE

from tsingma.app.default_notice import notice_of
from tsingma.app.default_reads import defaults_of
from tsingma.basics.columns import pack
from tsingma.engine.barring import BARS, FREE
from tsingma.journal import commands as do
from tsingma.journal import custody_commands as custody
from tsingma.journal import default_commands as default
from tsingma.journal import payment_commands as payments
from tsingma.journal import token_commands as tokens

if typing.TYPE_CHECKING:
    from tsingma.app.session import Session

YEAR_S = 365 * 86_400
E9 = 10**9


def _reinstate(who: str, at_s: int) -> default.ReinstateParticipant:
    return default.ReinstateParticipant(who, "it paid", at_s)


def test_who_is_reinstated_frees_nothing_that_another_suspension_holds() -> None:
    """Goal: a hold ends with the last suspension behind it. Method: both parties suspended, reinstated one by one."""
    for first, second in (("A", "B"), ("B", "A")):
        told = DefaultStory()
        told.give("A", SHARE, 1_000)
        told.give("B", "HKD", MILLION * 10)
        number = told.agree("A", "B")
        told.suspend("A")
        told.suspend("B")
        told.tell(_reinstate(first, told.now_s))
        assert told.status(number) == "on-hold", first
        told.run("batch-settlement-run-1")
        assert told.has("B", SHARE) == 0
        told.tell(_reinstate(second, told.now_s))
        told.run("batch-settlement-run-2")
        assert told.status(number) == "settled"
        told.end()


def test_a_clock_that_was_ahead_blocks_no_later_turn_and_lets_no_trade_in() -> None:
    """Goal: a wrong clock is mended by the right one. Method: suspended a year ahead; trades, reinstated now."""
    told = DefaultStory()
    told.tell(default.SuspendParticipant("A", "it failed", START_S + YEAR_S))
    told.next_day()
    assert "A is suspended" in told.refuse(told.capture("A", "B"))  # of a day after that of the suspension
    told.tell(_reinstate("A", START_S + 86_400))
    assert not told.house.defaults.barred
    told.tell(default.SuspendParticipant("A", "it failed again", START_S + YEAR_S))
    told.tell(default.DeclareDefault("A", "decision", "it cannot pay", START_S + 86_400 + 3_600))
    assert "A has defaulted" in told.refuse(told.capture("A", "B", time_s=12 * 3_600))
    told.tell(default.CloseDefault(2, "done", START_S + 86_400 + 7_200))
    told.end()


def test_a_time_beyond_the_calendar_is_refused_and_cases_stay_readable() -> None:
    """Goal: no case that nobody can read. Method: the second after the year 9999, and the last second before."""
    told = DefaultStory()
    assert "second 253402300800" in told.refuse(default.SuspendParticipant("A", "x", 253_402_300_800))
    told.tell(default.SuspendParticipant("A", "x", 253_402_300_799))
    assert defaults_of(told.house, 1, "", 0, 10).items[0].since == "9999-12-31T23:59:59Z"
    told.end()


def test_an_isolated_trade_that_comes_late_is_held_or_taken_out_like_those_before_it() -> None:
    """Goal: what nobody guarantees does not settle with who is barred. Method: a trade of ten, captured at eleven."""
    for status, said in (("suspended", "on-hold"), ("declared", "cancelled")):
        told = DefaultStory()
        told.give("A", SHARE, 1_000)
        told.give("B", "HKD", MILLION * 10)
        told.at(11)
        told.suspend("A")
        if status == "declared":
            told.declare("A")
        told.bargain("B", "A", 100, PRICE, mode=1, time_s=36_000)
        assert told.status(0) == said
        if status == "suspended":
            told.tell(_reinstate("A", told.now_s))
            assert told.status(0) == "matched"
        told.end()


def test_every_command_bars_who_is_suspended_or_says_why_not() -> None:
    """Goal: no kind of command is forgotten. Method: the union of all commands against the two tables, each once."""
    told = Counter([*BARS, *(kind for kinds in FREE.values() for kind in kinds)])
    assert set(told) == set(typing.get_args(do.Command))
    assert set(told.values()) == {1}


def test_what_was_open_to_who_is_suspended_is_refused() -> None:
    """Goal: nothing new, nothing out, by any of these. Method: each as who is suspended, refused for the reason."""
    told = DefaultStory()
    told.give("A", SHARE, 1_000)
    told.suspend("A")
    a, b, share = told.account("A"), told.account("B"), told.asset(SHARE)
    agreement = tokens.Agreement("s", (tokens.Leg(a, b, share, 1),), (tokens.Leg(1, 0, 0, 1),), 2**32)
    for command in (
        payments.SetPaymentLimit("A", a, 0, b, 1, 0), payments.OpenWallet(1, a, 1, MONDAY),
        custody.CancelUnits(FUND, a, 1), custody.AllocateMetal(BOND, FUND, a, ("1",)), tokens.ReserveLegs(agreement),
    ):  # fmt: skip
        assert "A is suspended" in told.refuse(command), command
    told.end()


def test_a_repo_of_who_is_suspended_ends_sooner_and_never_later() -> None:
    """Goal: no new term for who fails. Method: rolled to later, to open, to another rate; then to tomorrow."""
    told = DefaultStory()
    told.give("A", SHARE, 1_000)
    told.give("B", "HKD", MILLION)
    told.price({SHARE: PRICE})
    a, b = told.account("A"), told.account("B")
    told.tell(custody.OpenRepo(a, b, "HKD", 1_000, 0, "ACT/365F", MONDAY + 3, E9, (SHARE,), (10,)))
    told.suspend("A")
    for rate, end in ((0, MONDAY + 4), (0, 0), (1, MONDAY + 3)):
        assert "A is suspended" in told.refuse(custody.RollRepo(0, rate, end))
    told.tell(custody.RollRepo(0, 0, MONDAY + 1))
    told.end()


def test_a_client_with_an_open_repo_is_not_ported_without_it() -> None:
    """Goal: whole or not at all. Method: the cash of a repo would go over, its repurchase stay; ported once closed."""
    told = DefaultStory()
    told.give("A/CLIENT", SHARE, 1_000)
    told.give("B", "HKD", MILLION)
    told.price({SHARE: PRICE})
    client, b, to = told.account("A/CLIENT"), told.account("B"), told.account("B/CLIENT")
    told.tell(custody.OpenRepo(client, b, "HKD", 1_000, 0, "ACT/365F", 0, E9, (SHARE,), (10,)))
    number = told.declare("A")
    assert "repo" in told.refuse(default.PortAccount(number, client, to))
    told.tell(custody.CloseRepo(0))
    told.tell(default.PortAccount(number, client, to))
    assert told.has("B/CLIENT", SHARE) == 1_000
    told.end()


def test_a_client_that_owes_a_claim_is_not_ported_away_from_it() -> None:
    """Goal: nobody leaves a debt behind. Method: a penalty that the client owes; ported after it is paid."""
    told = DefaultStory()
    told.give("A/CLIENT", SHARE, 10)
    number = told.declare("A")
    client, b, to = told.account("A/CLIENT"), told.account("B"), told.account("B/CLIENT")
    told.house.settlement.claims.owe(0, client, b, 0, 500, instruction=-1, day=told.house.position.day)
    assert "claim" in told.refuse(default.PortAccount(number, client, to))
    told.give("A/CLIENT", "HKD", 500)
    told.tell(do.CollectClaims())
    told.tell(default.PortAccount(number, client, to))
    assert (told.has("B/CLIENT", SHARE), told.has("B", "HKD")) == (10, 500)


def test_a_notice_of_an_open_default_says_nothing_of_what_was_written_off_of_another() -> None:
    """Goal: no false word in a notice. Method: one default written off, then another still open."""
    told = short_story()
    number = told.declare("A")
    told.close_out(number, "A", "C", 40_000_000)
    told.waterfall(number)
    told.close(number, write_off=True)
    told.suspend("D")
    second = told.declare("D")
    session = typing.cast("Session", SimpleNamespace(house=told.house, sequencer=SimpleNamespace(sequence=1)))
    cases = told.house.defaults.cases
    assert notice_of(session, "", cases[number]).written_off
    assert not notice_of(session, "", cases[second]).written_off


def test_no_contribution_leaves_a_fund_that_an_open_default_may_need() -> None:
    """Goal: survivors do not leave before the waterfall. Method: lowered, raised, and lowered once it is booked."""
    told = short_story()
    told.fund(B=5 * MILLION, C=5 * MILLION)
    number = told.declare("A")
    less = default.CallFund("less", "HKSCC", pack([told.account("B")], "i4"), pack([MILLION], "i8"))
    assert "default 1" in told.refuse(less)
    told.fund(B=6 * MILLION)
    told.fund("HKCC", B=MILLION)
    told.close_out(number, "A", "C", PRICE * 2)
    told.waterfall(number)
    told.tell(less)
    told.end()
