"""Sliders: the numbers of an address, refused with the field; steps that are round; limits that hold their start."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.console.sliders import STEPS, limits_of, number_asked, plain, step_of

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 4))


def test_limits_hold_where_sliders_start() -> None:
    """Goal: a form opens on values that may be sent. Method: each slider of the file."""
    for name, one in limits_of("stress").items():
        assert one.low <= one.value <= one.high, name
        assert 0 < one.step <= one.high - one.low, name
        assert one.why, name


@given(value=NUMBERS)
def test_a_number_comes_back_as_it_was_shown(value: float) -> None:
    """Goal: what a form shows is what it sends. Method: written plainly, read again; never with an exponent."""
    text = plain(value)
    assert "e" not in text
    assert number_asked({"x": text}, "x", -1e6, 1e6) == pytest.approx(value, abs=5e-7)


@given(low=NUMBERS, width=st.floats(0.01, 1e6))
def test_steps_are_round_and_fine_enough(low: float, width: float) -> None:
    """Goal: a slider has at least ``STEPS`` places and at most five times as many. Method: ranges; digits 1, 2, 5."""
    high = low + width
    step = step_of(low, high)
    digit = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(digit - one) for one in (1.0, 2.0, 5.0)) < 1e-6
    assert STEPS * (1 - 1e-6) <= (high - low) / step <= 2.5 * STEPS * (1 + 1e-6)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("abc", RejectionReason.MALFORMED),
        ("nan", RejectionReason.MALFORMED),
        ("inf", RejectionReason.MALFORMED),
        ("1" * 30, RejectionReason.MALFORMED),
        ("<script>", RejectionReason.MALFORMED),
        ("10.01", RejectionReason.OUT_OF_RANGE),
        ("-10.01", RejectionReason.OUT_OF_RANGE),
    ],
)
def test_what_is_no_number_in_range_is_refused(text: str, reason: RejectionReason) -> None:
    """Goal: the field and what may be given. Method: each kind of wrong."""
    with pytest.raises(Rejected) as refused:
        number_asked({"index": text}, "index", -10.0, 10.0)
    (found,) = refused.value.rejections
    assert (found.reason, found.field, found.remedy) == (reason, "index", "a number from -10 to 10")


def test_nothing_given_is_nothing() -> None:
    """Goal: an empty field is the scenario's own. Method: missing, empty, blank."""
    for query in ({}, {"x": ""}, {"x": "  "}):
        assert number_asked(query, "x", 0.0, 1.0) is None
