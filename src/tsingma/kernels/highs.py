"""HiGHS without its banner, which it prints with a process's first model whatever its options say."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from typing import Any

import numpy as np


def highs_solver() -> Any:
    """Return a solver that prints nothing; raises ImportError without highspy (extra ``risk``)."""
    import highspy

    _say_it_to_nobody()
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    return solver


@cache
def _say_it_to_nobody() -> None:
    """Pass a first model while the console is away."""
    import highspy

    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = 1, 1
    model.col_cost_, model.col_lower_, model.col_upper_ = np.zeros(1), np.zeros(1), np.ones(1)
    model.row_lower_, model.row_upper_ = np.zeros(1), np.ones(1)
    model.a_matrix_.start_, model.a_matrix_.index_ = np.array([0, 1], np.int32), np.zeros(1, np.int32)
    model.a_matrix_.value_ = np.ones(1)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    sys.stdout.flush()
    kept, away = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(away, 1)
        solver.passModel(model)
        solver.run()
        ctypes.CDLL(None).fflush(None)  # the banner waits in the C library's buffer
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(away)
