"""Tsingma: an open post-trade house for Hong Kong as a hub for renminbi.

``import tsingma as tm`` gives the Python face (``tsingma.app.notebook``): load, books, write_market, clear, settle,
margins, joint, explain, what_if, stress_test, run_economy. Nothing is imported before it is asked for.
"""

from __future__ import annotations

from typing import Any

FACE = (
    "Answer",
    "books",
    "clear",
    "explain",
    "joint",
    "load",
    "margins",
    "run_economy",
    "settle",
    "stress_test",
    "what_if",
    "write_market",
)


def __getattr__(name: str) -> Any:
    """Return a name of the Python face, imported when it is first asked for."""
    if name not in FACE:
        raise AttributeError(f"module 'tsingma' has no attribute '{name}'")
    from tsingma.app import notebook

    return getattr(notebook, name)


def __dir__() -> list[str]:
    """Return the names of the Python face beside the module's own."""
    return sorted({*globals(), *FACE})
