"""What a claim is and what became of it: its words in two languages, the test, the result, the figure and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse


class Kind(StrEnum):
    """What sort of statement it is, which decides what can test it."""

    LEVEL = "level"
    GROWTH = "growth"
    RANK = "rank"
    SIGN = "sign"
    ORDERING = "ordering"
    HOLD_OUT = "hold-out"  # scored on data that no fit has seen
    LEVER = "lever"


class Result(StrEnum):
    """What the evidence says. A claim that cannot be tested is neither for nor against."""

    SUPPORTED = "supported"
    NOT_SUPPORTED = "not supported"
    NOT_TESTABLE = "not testable"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One statement and what became of it; ``figure`` is what was measured, ``why`` how it decides the result."""

    id: str
    english: str
    chinese: str  # Traditional Chinese, the words of the claim
    kind: Kind
    test: str
    result: Result
    figure: str
    why: str
    source: str

    def __post_init__(self) -> None:
        """Refuse a claim with an empty field: each must say its test and its reason."""
        for name in self.__struct_fields__:
            if not getattr(self, name):
                raise refuse(RejectionReason.MISSING, "is empty", field=name, subject=self.id)


def count(claims: Iterable[Claim]) -> dict[Result, int]:
    """Return how many claims have each result, zero included."""
    found = Counter(claim.result for claim in claims)
    return {result: found[result] for result in Result}
