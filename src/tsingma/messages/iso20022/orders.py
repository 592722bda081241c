"""Files of sese.023 to orders as columns, and orders to files of sese.023."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
import numpy as np

from tsingma.basics.rejection import Rejected, Rejection
from tsingma.messages.instruction_file import resolve_rows
from tsingma.messages.iso20022.header import write_file, write_one
from tsingma.messages.iso20022.instruction import MESSAGE, Instruction, read_instruction, write_instruction
from tsingma.messages.iso20022.leaves import leaves_of, located
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import FAULTS_MAX, Received, read_messages


def read_orders(data: bytes, directory: Directory, *, file: str = "") -> dict[str, np.ndarray]:
    """Return the orders of a file of sese.023 as columns of ORDER_COLUMNS, read whole or refused whole.

    Raises Rejected with file, line, element and remedy of every fault (at most 100): of XML and schema first, then of
    usage rules, then what names nothing in the book.
    """
    received = read_messages(data, file=file, accept=(MESSAGE,))
    instructions = read_all(received, directory, file=file)
    lines = [one.document.sourceline or 0 for one in received]
    rows = ((line, msgspec.structs.asdict(one)) for line, one in zip(lines, instructions, strict=True))
    return resolve_rows(rows, directory.book, file)


def read_all(received: Iterable[Received], directory: Directory, *, file: str = "") -> list[Instruction]:
    """Return the orders of messages; raises Rejected with every breach of a usage rule (at most 100)."""
    found: list[Instruction] = []
    faults: list[Rejection] = []
    for one in received:
        try:
            found.append(read_instruction(leaves_of(one), directory))
        except Rejected as rejected:
            faults += located(rejected, one, file)
        if len(faults) >= FAULTS_MAX:
            break
    if faults:
        raise Rejected(*faults[:FAULTS_MAX])
    return found


def write_orders(orders: Iterable[Instruction], directory: Directory, identifier: str, created: datetime) -> bytes:
    """Return orders as one file of sese.023, a business file when there are several.

    Raises Rejected as ``write_instruction`` does, and for what would not be taken back (a name that is too long).
    """
    documents = list(write_documents(orders, directory))
    data = write_one(documents[0]) if len(documents) == 1 else write_file(documents, identifier, created)
    read_messages(data, file=identifier, accept=(MESSAGE,))
    return data


def write_documents(orders: Iterable[Instruction], directory: Directory) -> Iterator[str]:
    """Yield orders as sese.023 Documents, with the size of each pool as far as it has come."""
    members: dict[tuple[str, str], int] = {}
    for one in orders:
        key = (one.account.partition("/")[0], one.pool)
        members[key] = members.get(key, 0) + 1
        yield write_instruction(one, directory, members[key])
