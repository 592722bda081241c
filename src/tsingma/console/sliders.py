"""Sliders of forms: how far they go, and the numbers that came with an address.

A slider is a range beside a number of the same value; the number is what is sent, so a form works without JavaScript.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse

LIMITS_FILE = Path(__file__).parent / "sliders.toml"
NUMBER_LENGTH_MAX = 24
STEPS = 40  # of a slider whose range comes from a model


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How far a slider goes, its step, where it stands when nobody has moved it, its unit, and why."""

    low: float
    high: float
    step: float
    value: float
    unit: str
    why: str


class Slider(msgspec.Struct, frozen=True, kw_only=True):
    """A slider as a page shows it; ``name`` is its parameter in the address, the words are in the reader's language."""

    name: str
    label: str
    unit: str
    low: float
    high: float
    step: float
    value: float
    note: str = ""

    @property
    def text(self) -> str:
        """Return the value as a form holds it: ``-33.3``, ``4``."""
        return plain(self.value)


@cache
def limits_of(page: str) -> dict[str, Limits]:
    """Return the limits of a page's sliders by name; see ``sliders.toml``."""
    return msgspec.convert(tomllib.loads(LIMITS_FILE.read_text(encoding="utf-8"))[page], dict[str, Limits])


def plain(value: float) -> str:
    """Return a number as forms and addresses hold it, to six digits, without an exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".") if value else "0"


def step_of(low: float, high: float) -> float:
    """Return a round step (1, 2 or 5 times a power of ten) that cuts a range into at least ``STEPS`` parts."""
    rough = (high - low) / STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    return max(one * power for one in (1.0, 2.0, 5.0) if one * power <= rough * (1.0 + 1e-9))


def number_asked(query: Mapping[str, str], name: str, low: float, high: float) -> float | None:
    """Return the number of a parameter, None where it is not there or empty.

    Raises Rejected (malformed, out-of-range) naming the field and what may be given.
    """
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text) if len(text) <= NUMBER_LENGTH_MAX else math.nan
    except ValueError:
        value = math.nan
    remedy = f"a number from {plain(low)} to {plain(high)}"
    if not math.isfinite(value):
        message = f"'{text[:NUMBER_LENGTH_MAX]}' is no number"
        raise refuse(RejectionReason.MALFORMED, message, field=name, remedy=remedy)
    if not low <= value <= high:
        message = f"{plain(value)} is not {plain(low)} to {plain(high)}"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field=name, remedy=remedy)
    return value
