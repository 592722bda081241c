"""The functions of :mod:`tsingma.kernels.payments`, compiled; import only when they are needed."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numba

_HELPERS = (
    "_from_head", "_from_tail", "_next", "_previous", "_push", "_note_low", "link", "unlink", "_settle", "_ready",
    "held", "within", "_bilateral", "_leave", "_limits_passed", "_settle_inside", "settle_rows",
)  # fmt: skip


def _copy_with_compiled_helpers() -> ModuleType:
    """Return a second copy of the plain module in which helpers are compiled, so that what calls them can be."""
    spec = importlib.util.find_spec("tsingma.kernels.payments")
    if spec is None or spec.loader is None:
        raise ImportError("tsingma.kernels.payments is not installed")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in _HELPERS:
        setattr(module, name, numba.njit(cache=True)(getattr(module, name)))
    return module


_plain = _copy_with_compiled_helpers()
enter = numba.njit(cache=True)(_plain.enter)
settle_rows = _plain.settle_rows
offset_all = numba.njit(cache=True)(_plain.offset_all)
link, unlink = _plain.link, _plain.unlink
link_first = numba.njit(cache=True)(_plain.link_first)
