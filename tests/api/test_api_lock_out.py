"""Lock-out: waits grow, are the same for people who do not exist, end, and never take more memory than they may."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.api import lock_out
from tsingma.api.lock_out import FREE_OF_ADDRESS, FREE_OF_NAME, WAIT_SECONDS_MAX, LockOut
from tsingma.basics.clock import FixedClock

SECOND = 1_000_000_000


def test_waits_double_up_to_a_bound_and_are_forgotten() -> None:
    """Goal: guessing gets slow. Method: wrong again as soon as it is heard; the waits in between, then a day."""
    clock = FixedClock(10**18)
    desk = LockOut(clock)
    waits = []
    for place in range(FREE_OF_NAME + 13):
        wait = desk.attempt("chan", f"10.0.{place}.1")
        waits.append(wait)
        clock.advance(wait * SECOND)
        if wait:
            assert desk.attempt("CHAN", f"10.0.{place}.2") == 0  # the same name to whoever types it
    assert waits[:FREE_OF_NAME] == [0] * FREE_OF_NAME
    assert waits[FREE_OF_NAME:] == [min(2**n, WAIT_SECONDS_MAX) for n in range(13)]
    assert desk.attempt("chan", "10.9.9.9") == WAIT_SECONDS_MAX
    assert desk.attempt("wong", "10.9.9.9") == 0
    clock.advance(lock_out.FORGOTTEN_SECONDS * SECOND)
    assert desk.attempt("chan", "10.9.9.9") == 0


def test_an_address_is_counted_over_all_names_and_success_frees_only_the_name() -> None:
    """Goal: no list of names from one place, no reset by one's own good password. Method: many names, one success."""
    clock = FixedClock(10**18)
    desk = LockOut(clock)
    for place in range(FREE_OF_ADDRESS):
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
    assert sum(heard) == FREE_OF_NAME


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: a flood of names costs no more. Method: a small bound; what failed last is still known."""
    monkeypatch.setattr(lock_out, "REMEMBERED_MAX", 50)
    desk = LockOut(FixedClock(10**18))
    for place in range(2_000):
        desk.attempt(f"name{place}", f"10.{place // 250}.{place % 250}.1")
    assert len(desk._names._of) == 50
    assert len(desk._addresses._of) == 50
    assert [desk.attempt("name1999", f"10.99.{place}.1") for place in range(FREE_OF_NAME)][-1] > 0


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
        due = last + min(2 ** (count - FREE_OF_NAME), WAIT_SECONDS_MAX) if count >= FREE_OF_NAME else now
        wait = desk.attempt(name, f"10.2.{place}.1")
        assert wait == max(due - now, 0)
        if wait == 0:
            plain[name] = (0, now) if right else (count + 1, now)
            if right:
                desk.succeeded(name, f"10.2.{place}.1")
