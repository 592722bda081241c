"""What an Arrow IPC stream says of itself, read before a library builds anything of it.

Source: Apache Arrow, Columnar Format, Encapsulated message format and IPC streaming format (format version 1.x), and
the FlatBuffers binary format. A stream is a sequence of messages: 0xFFFFFFFF, the length of the metadata (i32), the
metadata (a FlatBuffers table ``Message``), the body. Compressed bodies are refused: a small one may be huge inside.
"""

from __future__ import annotations

import struct

from tsingma.basics.rejection import Rejected, RejectionReason, refuse

CONTINUES = 0xFFFFFFFF
RECORD_BATCH = 3
MESSAGES_MAX = 10_000
_HEADER_TYPE, _HEADER, _BODY_LENGTH = 1, 2, 3  # fields of Message
_ROWS, _COMPRESSION = 0, 3  # fields of RecordBatch


def rows_of_stream(data: bytes, rows_max: int) -> int:
    """Return how many rows a stream says it has.

    Raises Rejected: malformed (no such stream, cut off), not-allowed (compressed), limit (rows, messages).
    """
    place = rows = 0
    for _ in range(MESSAGES_MAX):
        try:
            if place == len(data):
                return rows
            (marker, size) = struct.unpack_from("<Ii", data, place)
            if marker != CONTINUES or size < 0:
                raise _no_stream(place)
            if size == 0:
                return rows
            kind, table, body = _message(data, place + 8, place + 8 + size)
            if kind == RECORD_BATCH:
                rows += _rows(data, table)
        except (struct.error, IndexError):
            raise _no_stream(place) from None
        place += 8 + size + body
        if body < 0 or place > len(data):
            raise _no_stream(place)
        if rows > rows_max:
            raise refuse(RejectionReason.LIMIT, f"{rows} rows, {rows_max} at most", remedy="send fewer at a time")
    raise refuse(RejectionReason.LIMIT, f"more than {MESSAGES_MAX} messages", remedy="send larger record batches")


def _message(data: bytes, start: int, end: int) -> tuple[int, int, int]:
    """Return the type of a message's header, where the header's table is, and the length of the body."""
    if end > len(data):
        raise _no_stream(start)
    table = start + _number(data, start, "<I", end)
    kind, header, body = (_field(data, table, one) for one in (_HEADER_TYPE, _HEADER, _BODY_LENGTH))
    if not kind or not header:
        raise _no_stream(start)
    length = _number(data, body, "<q", end) if body else 0
    return _number(data, kind, "<B", end), header + _number(data, header, "<I", end), length


def _rows(data: bytes, table: int) -> int:
    if _field(data, table, _COMPRESSION):
        remedy = "write the stream without compression"
        raise refuse(RejectionReason.NOT_ALLOWED, "the stream is compressed", remedy=remedy)
    place = _field(data, table, _ROWS)
    rows = _number(data, place, "<q", len(data)) if place else 0
    if rows < 0:
        raise _no_stream(table)
    return rows


def _field(data: bytes, table: int, number: int) -> int:
    """Return where a field of a FlatBuffers table is, 0 when it is left out."""
    entries = table - _number(data, table, "<i", len(data))
    if _number(data, entries, "<H", len(data)) < 6 + 2 * number:
        return 0
    offset = _number(data, entries + 4 + 2 * number, "<H", len(data))
    return table + offset if offset else 0


def _number(data: bytes, place: int, form: str, end: int) -> int:
    if place < 0 or place >= end:
        raise IndexError(place)
    (found,) = struct.unpack_from(form, data, place)
    return int(found)


def _no_stream(place: int) -> Rejected:
    return refuse(RejectionReason.MALFORMED, f"is no Arrow stream at byte {place}")
