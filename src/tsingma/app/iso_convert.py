"""Orders changed between instruction files (CSV), ISO 20022 (XML) and ISO 15022 (FIN); the house only tells codes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tsingma.app.iso_exchange import NOTHING
from tsingma.app.iso_files import bic_of, directory_of, moment_of, require_form
from tsingma.app.session import Session
from tsingma.messages import mt54x
from tsingma.messages.instruction_file import read_rows, resolve_rows, write_rows
from tsingma.messages.iso20022.clearing import DEPOSITORY
from tsingma.messages.iso20022.header import write_file
from tsingma.messages.iso20022.instruction import MESSAGE as INSTRUCTION
from tsingma.messages.iso20022.instruction import Instruction
from tsingma.messages.iso20022.orders import read_all, write_documents, write_orders
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.requests import Cancellation, write_cancellation
from tsingma.messages.iso20022.schema import read_messages
from tsingma.messages.rows import read_bytes

Requests = Sequence[Instruction | Cancellation]


def convert_file(house: Path | str, path: Path, to: str, bics: Path | None = None) -> tuple[int, bytes]:
    """Return how many requests a file has, and the same as a file of the form ``to``: ".csv", ".xml" or ".fin".

    CSV is an instruction file, XML sese.023, FIN MT540 to MT543 (which need a BIC of the house and of each sender).
    Cancellations come in by FIN (23G CANC) and go out as sese.020 alone. The house tells codes only, nothing is sent.
    A file without orders makes no file of messages. Raises Rejected with every fault of the file, unknown forms.
    """
    with Session.open(house, read_only=True) as session:
        directory, moment = directory_of(session.house, bics), moment_of(session.house)
    found = _requests_of(path, directory, cancels=to == ".xml")
    orders = [one for one in found if isinstance(one, Instruction)]
    if to == ".csv":
        return len(found), write_rows(msgspec.structs.asdict(one) for one in orders)
    if not found:
        return NOTHING
    if to == ".xml":
        name = path.stem[:35]
        if len(orders) == len(found):
            return len(found), write_orders(orders, directory, name, moment)
        written = iter(write_documents(orders, directory))
        documents = [write_cancellation(one) if isinstance(one, Cancellation) else next(written) for one in found]
        data = write_file(documents, name, moment)
        read_messages(data, file=name)
        return len(found), data
    require_form(to)
    texts = [
        mt54x.write_order(
            one, directory, bic_of(directory, one.account.partition("/")[0]), bic_of(directory, DEPOSITORY)
        )
        for one in orders
    ]
    return len(found), ("\n".join(texts) + "\n").encode()


def _requests_of(path: Path, directory: Directory, *, cancels: bool) -> Requests:
    """Return what a file asks for; orders are looked up in the book, so that what comes out can be sent."""
    form, file = path.suffix.lower(), str(path)
    found: Requests
    if form == ".csv":
        rows = read_rows(path)
        lines = [line for line, _ in rows]
        found = [msgspec.convert({name: cell.strip() for name, cell in row.items()}, Instruction) for _, row in rows]
    elif form == ".xml":
        received = read_messages(read_bytes(path), file=file, accept=(INSTRUCTION,))
        lines, found = [one.document.sourceline or 0 for one in received], read_all(received, directory, file=file)
    else:
        require_form(form)
        read = mt54x.read_requests if cancels else mt54x.read_orders
        numbered = read(read_bytes(path).decode("ascii", "replace"), directory, file=file)
        lines, found = [line for line, _ in numbered], [one for _, one in numbered]
    orders = [
        (line, msgspec.structs.asdict(one))
        for line, one in zip(lines, found, strict=True)
        if isinstance(one, Instruction)
    ]
    if orders:
        resolve_rows(orders, directory.book, file)
    return found
