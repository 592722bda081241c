"""What a refusal looks like: one reason, where it was found and what to do about it.

A rule answers with a :class:`Rejection`; a border (file, command line) raises :class:`Rejected` so that
bad input is refused whole. :class:`InvariantBroken` is different: it is a defect of the house itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from unicodedata import category

import msgspec


class RejectionReason(StrEnum):
    """Why input was refused; each maps to one exit code and one status code of the messages."""

    MALFORMED = "malformed"  # it cannot be parsed: header, encoding, syntax, truncated file
    MISSING = "missing"  # a required value, file, price or column is absent
    UNKNOWN = "unknown"  # a code names nothing known: instrument, participant, account
    OUT_OF_RANGE = "out-of-range"  # a number is negative, zero, too large, or would overflow
    DUPLICATE = "duplicate"  # an id was used before
    CONFLICT = "conflict"  # the same id with another body, or two statements that contradict
    NOT_ALLOWED = "not-allowed"  # the rules forbid it now: illegal transition, closed day, eligibility
    INSUFFICIENT = "insufficient"  # not enough available balance
    BEYOND_HORIZON = "beyond-horizon"  # a date outside the published calendar or table
    SUSPENDED = "suspended"  # a participant that is suspended or in default would do something new
    LIMIT = "limit"  # a size, count or depth above the documented bound


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """One refusal: ``reason``, ``message`` (what was wrong), where, and ``remedy`` (what to do).

    ``line`` counts from 1 with the header as line 1; empty strings and 0 mean "does not apply".
    """

    reason: RejectionReason
    message: str
    file: str = ""
    line: int = 0
    field: str = ""
    subject: str = ""  # the id of the trade, instruction, command, participant ...
    remedy: str = ""

    def __str__(self) -> str:
        """Return one readable line: ``file:line: field: message (remedy)``; what does not print is escaped in it."""
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        parts = [part for part in (place, self.subject, self.field) if part]
        text = ": ".join([*parts, self.message])
        text = f"{text} ({self.remedy})" if self.remedy else text
        if text.isprintable():
            return text
        return "".join(one if one.isprintable() or category(one) == "Zs" else repr(one)[1:-1] for one in text)


class Rejected(Exception):
    """Raised at a border when input is refused; carries every :class:`Rejection` found (at least one)."""

    def __init__(self, *rejections: Rejection) -> None:
        """Keep the rejections, first found first."""
        if not rejections:
            raise ValueError("Rejected needs at least one Rejection")
        self.rejections: tuple[Rejection, ...] = rejections
        super().__init__("\n".join(str(rejection) for rejection in rejections))


class InvariantBroken(Exception):
    """The house's own books contradict themselves; processing must stop. Never raised for bad input."""


def refuse(reason: RejectionReason, message: str, **where: object) -> Rejected:
    """Return a :class:`Rejected` with one rejection; ``where`` takes file, line, field, subject, remedy."""
    return Rejected(msgspec.convert({"reason": reason, "message": message, **where}, Rejection))


def first(rejections: Sequence[Rejection]) -> Rejection | None:
    """Return the first rejection, or None when there is none."""
    return rejections[0] if rejections else None
