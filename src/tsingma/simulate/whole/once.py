"""What may happen once only: a repo closed, a loan repaid, a reservation ended, an agreement decided, a dividend paid.

Each command that ends something names it here by its own figures; a name that comes twice was ended twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tsingma.basics.columns import unpack
from tsingma.journal.commands import Command
from tsingma.journal.events import Accepted

_FIELDS = {
    "close-repo": "repo", "repay-pool-credit": "loan", "end-reservation": "reservation", "pay-reserved": "reservation",
    "release-substituted": "substitution", "cancel-substitution": "substitution", "repay-intraday-repo": "intraday",
    "withdraw-paper": "line", "allot-offer": "offer", "cancel-offer": "offer", "withdraw-corporate-action": "reference",
}  # fmt: skip
_NAMES = {"repay-intraday-repo": "repo"}  # where the field has another name than what it ends
_LAST_STEPS = ("paid", "converted", "lapsed")


def ended(command: Command, answer: Accepted, day: int) -> Iterator[tuple[Any, ...]]:
    """Yield the name of everything that a command has ended for good."""
    tag = str(command.__struct_config__.tag)
    event: Any = answer.events[0]
    told: Any = command
    if tag in _FIELDS:
        yield _FIELDS[tag], getattr(told, _NAMES.get(tag, _FIELDS[tag]))
    elif tag == "pay-due" and not event.figures["owed_cents"]:
        yield "due", told.due
    elif tag == "answer-from-mainland":
        yield from (("transfer", number) for number in unpack(told.transfer, "i4").tolist())
    elif tag == "close-link-orders":
        yield "orders", told.link, told.direction, day
    elif tag == "run-corporate-actions":
        yield from (("reference", step.reference) for step in event.steps if step.step in _LAST_STEPS)
