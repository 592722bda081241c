"""Lock-out: waits grow, are the same for people who do not exist, end, and never take more memory than they may."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.api import lock_out
from tsingma.api.lock_out import LockOut
from tsingma.app.serve_settings import LimitsSection
from tsingma.basics.clock import FixedClock

SECOND = 1_000_000_000
LIMITS = LimitsSection()


def test_waits_double_up_to_a_bound_and_are_forgotten() -> None:
    """Goal: guessing gets slow. Method: wrong again as soon as it is heard; the waits in between, then a day."""
    clock = FixedClock(10**18)
    desk = LockOut(clock)
    waits = []
    for place in range(LIMITS.wrong_passwords_of_a_name + 13):
        wait = desk.attempt("chan", f"10.0.{place}.1")
        waits.append(wait)
        clock.advance(wait * SECOND)
        if wait:
            assert desk.attempt("CHAN", f"10.0.{place}.2") == 0  # the same name to whoever types it
    assert waits[: LIMITS.wrong_passwords_of_a_name] == [0] * LIMITS.wrong_passwords_of_a_name
    assert waits[LIMITS.wrong_passwords_of_a_name :] == [min(2**n, LIMITS.lock_out_seconds) for n in range(13)]
    assert desk.attempt("chan", "10.9.9.9") == LIMITS.lock_out_seconds
    assert desk.attempt("wong", "10.9.9.9") == 0
    clock.advance(lock_out.FORGOTTEN_SECONDS * SECOND)
    assert desk.attempt("chan", "10.9.9.9") == 0


def test_an_address_is_counted_over_all_names_and_success_frees_only_the_name() -> None:
    """Goal: no list of names from one place, no reset by one's own good password. Method: many names, one success."""
    clock = FixedClock(10**18)
    desk = LockOut(clock)
    for place in range(LIMITS.wrong_passwords_of_an_address):
        assert desk.attempt(f"name{place}", "2001:db8::1") == 0
    assert desk.attempt("fresh", "2001:db8::ffff") > 0  # the same /64
    assert desk.attempt("fresh", "2001:db8:0:1::1") == 0
    clock.advance(SECOND)
    assert desk.attempt("own", "2001:db8::1") == 0
    desk.succeeded("own", "2001:db8::1")
    assert desk.attempt("fresh2", "2001:db8::1") > 0


def test_many_at_once_get_no_more_than_one_after_the_other() -> None:
    """Goal: no race for free guesses. Method: begin attempts without telling any result."""
    desk = LockOut(FixedClock(10**18))
    heard = [desk.attempt("chan", f"10.1.{place}.1") == 0 for place in range(100)]
    assert sum(heard) == LIMITS.wrong_passwords_of_a_name


def test_memory_is_bounded() -> None:
    """Goal: a flood of names costs no more. Method: a small bound; what failed last is still known."""
    desk = LockOut(FixedClock(10**18), msgspec.structs.replace(LIMITS, lock_out_remembered=50))
    for place in range(2_000):
        desk.attempt(f"name{place}", f"10.{place // 250}.{place % 250}.1")
    assert len(desk._names._of) == 50
    assert len(desk._addresses._of) == 50
    assert [desk.attempt("name1999", f"10.99.{place}.1") for place in range(LIMITS.wrong_passwords_of_a_name)][-1] > 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.booleans()), max_size=60))
def test_against_a_plain_count(steps: list[tuple[str, int, bool]]) -> None:
    """Goal: the rule, whatever the order. Method: names, pauses and successes drawn; a plain count of each name."""
    clock = FixedClock(10**18)
    desk, plain = LockOut(clock), {"a": (0, 0), "b": (0, 0)}
    now = 0
    for place, (name, pause, right) in enumerate(steps):
        clock.advance(pause * SECOND)
        now += pause
        count, last = plain[name]
        due = (
            last + min(2 ** (count - LIMITS.wrong_passwords_of_a_name), LIMITS.lock_out_seconds)
            if count >= LIMITS.wrong_passwords_of_a_name
            else now
        )
        wait = desk.attempt(name, f"10.2.{place}.1")
        assert wait == max(due - now, 0)
        if wait == 0:
            plain[name] = (0, now) if right else (count + 1, now)
            if right:
                desk.succeeded(name, f"10.2.{place}.1")
