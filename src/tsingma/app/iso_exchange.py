"""What a house tells one participant as a business file: every message after its header, valid by its schema.

One rule for everything that is told: nothing to tell makes no file (no messages, no bytes), and is no fault.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.messages.iso20022.header import Header, write_file
from tsingma.messages.iso20022.schema import MESSAGES_MAX, read_messages

NOTHING: tuple[int, bytes] = (0, b"")


def exchange_of(
    documents: Iterable[tuple[str, str]], *, sender: str, receiver: str, name: str, moment: datetime
) -> tuple[int, bytes]:
    """Return how many messages there are, and the business file of them; ``NOTHING`` for none.

    ``documents`` are (message, Document) in order; headers are numbered after ``name``. Raises Rejected: limit, for
    more messages than a file may have; and with the place of what its schema does not allow.
    """
    found: list[tuple[str, str]] = []
    for one in documents:
        found.append(one)
        if len(found) > MESSAGES_MAX:
            raise refuse(RejectionReason.LIMIT, f"more than {MESSAGES_MAX} messages", field="messages", subject=name,
                         remedy="ask for a statement, or for what is since a record")  # fmt: skip
    if not found:
        return NOTHING
    headers = [
        Header(sender, receiver, f"{name}-{place}", message, moment) for place, (message, _) in enumerate(found, 1)
    ]
    data = write_file([text for _, text in found], name, moment, headers)
    read_messages(data, file=name)  # nothing is sent that is not valid
    return len(found), data
