"""One journal record and the chain that joins it to the one before.

The hash of a record covers the hash before it, its number, its command and its answer, so a changed, lost or
moved byte anywhere breaks the chain at a place that can be named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from tsingma.basics.rejection import Rejection, RejectionReason
from tsingma.journal.origin import ENVELOPE_BYTES_MAX, command_bytes

GENESIS = bytes(32)
COMMAND_ID_LENGTH_MAX = 200
COMMAND_BYTES_MAX = 256 * 1024 * 1024
BODY_BYTES_MAX = COMMAND_BYTES_MAX + ENVELOPE_BYTES_MAX  # so that a command fits whoever tells it
BATCH_COMMANDS_MAX = 8_190


class Record(msgspec.Struct, frozen=True):
    """A command as it was told and answered: ``sequence`` counts from 1."""

    sequence: int
    command_id: str
    body: bytes
    answer: bytes
    previous: bytes
    hash: bytes


class Fault(msgspec.Struct, frozen=True):
    """Where a journal contradicts itself: the record's sequence and what is wrong with it."""

    sequence: int
    message: str


def record_hash(sequence: int, command_id: str, body: bytes, answer: bytes, previous: bytes) -> bytes:
    """Return SHA-256 over previous hash, sequence, and the length-prefixed id, body and answer (32 bytes)."""
    name = command_id.encode()
    total = hashlib.sha256(b"".join((previous, _eight(sequence), _eight(len(name)), name, _eight(len(body)))))
    total.update(body)
    total.update(_eight(len(answer)) + answer)
    return total.digest()


def _eight(number: int) -> bytes:
    return number.to_bytes(8, "little")


def beyond_limits(command_id: str, body: bytes) -> Rejection | None:
    """Return why an id or a body is too large to be journalled, or None."""
    if not command_id or len(command_id) > COMMAND_ID_LENGTH_MAX:
        return Rejection(
            reason=RejectionReason.LIMIT,
            message=f"a command id has 1 to {COMMAND_ID_LENGTH_MAX} characters, this has {len(command_id)}",
            field="command_id",
        )
    if len(body) > COMMAND_BYTES_MAX and (len(body) > BODY_BYTES_MAX or len(command_bytes(body)) > COMMAND_BYTES_MAX):
        return Rejection(
            reason=RejectionReason.LIMIT,
            message=f"{len(body)} bytes in one command, {COMMAND_BYTES_MAX} at most",
            subject=command_id,
            remedy="split it",
        )
    return None


def chain(sequence: int, command_id: str, body: bytes, answer: bytes, previous: bytes) -> Record:
    """Return the record that follows the one with hash ``previous``."""
    digest = record_hash(sequence, command_id, body, answer, previous)
    return Record(sequence, command_id, body, answer, previous, digest)


def is_whole(record: Record) -> bool:
    """Return whether the content of a record is what its hash says."""
    return record.hash == record_hash(record.sequence, record.command_id, record.body, record.answer, record.previous)


def faults(records: Iterable[Record], sequence: int = 0, previous: bytes = GENESIS) -> Iterator[Fault]:
    """Yield every fault of records read in order after number ``sequence`` with hash ``previous``.

    Faults are gaps, broken links and changed content.
    """
    for record in records:
        sequence += 1
        if record.sequence != sequence:
            yield Fault(sequence, f"expected record {sequence}, found {record.sequence}: records are missing or moved")
            sequence = record.sequence
        if record.previous != previous:
            yield Fault(sequence, "the hash of the record before does not match: the chain is broken here")
        if not is_whole(record):
            yield Fault(sequence, "the content does not match its hash: id, command, answer or hash was changed")
        previous = record.hash
