"""Arrays as bytes and back: little-endian columns are the body of a bulk command."""

from __future__ import annotations

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
