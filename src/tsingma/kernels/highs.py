"""HiGHS without its banner, which it prints when a process makes its first solver, before any option can be set."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from typing import Any


def highs_solver() -> Any:
    """Return a solver that prints nothing; raises ImportError without highspy (extra ``risk``)."""
    import highspy

    _say_it_to_nobody()
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    return solver


@cache
def _say_it_to_nobody() -> None:
    """Make a first solver while the console is away."""
    import highspy

    sys.stdout.flush()
    kept, away = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(away, 1)
        highspy.Highs()
        sys.stdout.flush()
        ctypes.CDLL(None).fflush(None)  # the banner waits in the C library's buffer when the console is a pipe
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(away)
