"""Arrays as bytes and back: little-endian columns are the body of a bulk command."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse


def pack(values: npt.ArrayLike, dtype: str) -> bytes:
    """Return the values as little-endian bytes of ``dtype`` ('i8', 'i4', 'i1'); refuses values that do not fit."""
    source = np.asarray(values)
    packed = source.astype(np.dtype(dtype).newbyteorder("<"))
    if source.dtype != packed.dtype and not np.array_equal(packed, source):
        raise refuse(RejectionReason.OUT_OF_RANGE, f"a value does not fit {dtype}")
    return packed.tobytes()


def unpack(data: bytes, dtype: str, *, field: str = "") -> npt.NDArray[np.signedinteger]:
    """Return the read-only array a column holds; refuses a length that is no multiple of the item size."""
    item = np.dtype(dtype).newbyteorder("<")
    if len(data) % item.itemsize:
        raise refuse(RejectionReason.MALFORMED, f"{len(data)} bytes are no whole column of {dtype}", field=field)
    return np.frombuffer(data, dtype=item)


_SIZES = tuple((size, -(1 << (8 * size - 1)), (1 << (8 * size - 1)) - 1) for size in (1, 2, 4, 8))
_NARROWEST = bytes([1])  # a column without items


def narrow(values: npt.NDArray[np.signedinteger]) -> bytes:
    """Return a column in the smallest integers that hold it, the size of an item before it; ``widen`` takes it back."""
    if not values.size:
        return _NARROWEST
    low, high = int(values.min()), int(values.max())
    size = next(size for size, least, most in _SIZES if least <= low and high <= most)
    return bytes([size]) + values.astype(f"<i{size}").tobytes()


def by_room(parts: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    """Return the parts of a dump by the room they belong to: ``room.name`` becomes ``name`` of ``room``."""
    found: dict[str, dict[str, bytes]] = {}
    for key, value in parts.items():
        room, _, name = key.partition(".")
        found.setdefault(room, {})[name] = value
    return found


def widen(data: bytes) -> npt.NDArray[np.int64]:
    """Return the column that ``narrow`` wrote; refuses a length that is no whole number of its items."""
    size = data[0] if data else 0
    if size not in (1, 2, 4, 8) or (len(data) - 1) % size:
        raise refuse(RejectionReason.MALFORMED, f"{len(data)} bytes are no narrow column")
    return np.frombuffer(data, f"<i{size}", offset=1).astype(np.int64)
