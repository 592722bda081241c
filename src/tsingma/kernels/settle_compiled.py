"""The functions of :mod:`tsingma.kernels.settle`, compiled; import only when they are needed."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numba

_HELPERS = ("_book", "_victim", "_on", "_room", "_exchange", "_enter")


def _copy_with_compiled_helpers() -> ModuleType:
    """Return a second copy of the plain module in which helpers are compiled, so that what calls them can be."""
    spec = importlib.util.find_spec("tsingma.kernels.settle")
    if spec is None or spec.loader is None:
        raise ImportError("tsingma.kernels.settle is not installed")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in _HELPERS:
        setattr(module, name, numba.njit(cache=True)(getattr(module, name)))
    return module


_plain = _copy_with_compiled_helpers()
recycle = numba.njit(cache=True)(_plain.recycle)
remove = numba.njit(cache=True)(_plain.remove)
search = numba.njit(cache=True)(_plain.search)
