"""The house beside: the same rules carried out one command at a time, in memory, and watched by plain checks.

It foretells the very bytes of every answer. What the real house does more - batches in one pass, a journal, recovery
from snapshots or by a standby - must make no difference; what the rules themselves must not do, ``watch`` sees.
"""

from __future__ import annotations

import hashlib
from typing import Any, Self

from tsingma.basics.rejection import RejectionReason
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import Submitted, command_of
from tsingma.journal.events import Accepted, Refused, encode_answer
from tsingma.simulate.auditor import Violation
from tsingma.simulate.plain_ledger import Refusal
from tsingma.simulate.whole.watch import Watch


class ShadowHouse:
    """One house without a store."""

    def __init__(self) -> None:
        """Start empty."""
        self.house = House()
        self.watch = Watch()
        self._digest = b""  # of the state, where it is known

    def copy(self) -> Self:
        """Return an independent copy, by dump and load as a snapshot is."""
        made = type(self)()
        made.house = House.load(self.house.dump())
        made.watch = self.watch.copy()
        made._digest = self._digest
        return made

    def digest(self) -> bytes:
        """Return the state hash."""
        self._digest = self._digest or self.house.digest()
        return self._digest

    def carry_out(self, submitted: Submitted) -> dict[str, Any]:
        """Carry out a command and return what its answer must be.

        Raises Refusal when it is refused, Violation when a refusal left a trace or a plain check found a fault.
        """
        command = command_of(submitted)
        before, books = self.digest(), self.watch.before(self.house)
        answer = step(self.house, command)
        if isinstance(answer, Refused):
            self._digest = b""
            if self.digest() != before:
                raise Violation(f"a refused {command.__struct_config__.tag} left a trace: {answer.rejections[0]}")
            raise Refusal(*(RejectionReason(one.reason) for one in answer.rejections))
        self._digest = b""
        self.watch.after(self.house, command, answer, books)
        return said(answer)

    def accepts(self, submitted: Submitted) -> bool:
        """Return whether a command would be carried out."""
        try:
            self.copy().carry_out(submitted)
        except Refusal:
            return False
        return True


def said(answer: Accepted) -> dict[str, Any]:
    """Return what an answer says: everything."""
    kinds = tuple(event.__struct_config__.tag for event in answer.events)
    return {"answer": hashlib.blake2b(encode_answer(answer), digest_size=16).hexdigest(), "events": kinds}


def differences(house: House, shadow: ShadowHouse) -> list[str]:
    """Return one line for each part of the state in which the house differs from the one beside it."""
    if house.digest() == shadow.digest():
        return []
    found, wanted = house.dump(), shadow.house.dump()
    return [f"{name} differs" for name in sorted({*found, *wanted}) if found.get(name) != wanted.get(name)]
