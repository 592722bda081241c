"""SIGKILL at random moments of a day.

Goal: nothing acknowledged is missing, nothing is doubled, and the day ends in the state of a calm run. Method: the
script ``kill_loop.py`` beside this file; a few kills here, a thousand with ``-m soak``.
"""

from __future__ import annotations

import pytest
from kill_loop import run


@pytest.mark.slow
def test_five_kills() -> None:
    """Goal: recovery on every CI run. Method: five kills that hit a running process."""
    assert run(kills=5, seed=20_260_105, trades=2_000, days=1) == []


@pytest.mark.soak
def test_a_thousand_kills() -> None:
    """Goal: recovery at many moments. Method: a thousand kills of processes that run three-day weeks."""
    assert run(kills=1_000, seed=1, trades=1_000, days=3) == []
