"""Who told the house a command: put around the command in the body of its record, so that the record's hash covers it.

A body is either a command alone (a msgpack map: the house's own commands, and every older journal) or an array of the
command's bytes and its origin. State, answers and repeats depend on the command alone: the same change sent again with
another key, or after the message was written in another way, is the same change.
"""

from __future__ import annotations

import msgspec

REQUEST_BYTES = 32  # SHA-256
NAME_LENGTH_MAX = 200  # characters of an actor or a key
ENVELOPE_BYTES_MAX = 2_048  # what an origin adds to a command: two names of four bytes a character, and a hash
_ARRAY, _ARRAY_MASK = 0x90, 0xF0  # msgpack specification: fixarray; a command is a fixmap or map 16


class Origin(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Who acts (a person, or whoever owns a key), with which key, and the SHA-256 of the request (32 bytes)."""

    actor: str
    key: str
    request: bytes


class _Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    command: bytes
    origin: Origin


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Envelope)


def with_origin(command: bytes, origin: Origin) -> bytes:
    """Return the body of a record whose command came from somebody."""
    return _ENCODER.encode(_Envelope(command, origin))


def command_bytes(body: bytes) -> bytes:
    """Return the command in the body of a record; raises msgspec.DecodeError when it is neither form."""
    return _DECODER.decode(body).command if body[:1] and body[0] & _ARRAY_MASK == _ARRAY else body


def origin_of(body: bytes) -> Origin | None:
    """Return who told a command, or None where nobody signed it: the house's own commands, and older journals."""
    return _DECODER.decode(body).origin if body[:1] and body[0] & _ARRAY_MASK == _ARRAY else None
