"""The functions of :mod:`tsingma.kernels.link_orders`, compiled; import only when they are needed."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numba

_HELPERS = ("_buy", "_sell", "_execute", "_give_back")


def _copy_with_compiled_helpers() -> ModuleType:
    """Return a second copy of the plain module in which helpers are compiled, so that what calls them can be."""
    spec = importlib.util.find_spec("tsingma.kernels.link_orders")
    if spec is None or spec.loader is None:
        raise ImportError("tsingma.kernels.link_orders is not installed")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in _HELPERS:
        setattr(module, name, numba.njit(cache=True)(getattr(module, name)))
    return module


_plain = _copy_with_compiled_helpers()
route = numba.njit(cache=True)(_plain.route)
lapse = numba.njit(cache=True)(_plain.lapse)
