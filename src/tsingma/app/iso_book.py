"""A reference book from a file of static data (reda.017, .012 and .021), for a house to be started with."""

from __future__ import annotations

from pathlib import Path

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.messages.iso20022 import static_data
from tsingma.messages.iso20022.leaves import leaves_of, located
from tsingma.messages.iso20022.schema import FAULTS_MAX, read_messages
from tsingma.messages.market_files import write_book
from tsingma.messages.rows import read_bytes
from tsingma.reference.book import Account, Counter, Participant, ReferenceBook


def book_from_file(path: Path, out: Path) -> dict[str, int]:
    """Write the book that a file of static data says as ``reference.json``, and return how much is in it.

    Each of the three messages may come in several; what they say is joined in the order of the file. Raises Rejected
    with every fault: of the file first, then of the book as a whole (unknown markets, duplicates, check digits).
    """
    data = read_bytes(path)
    counters: list[Counter] = []
    participants: list[Participant] = []
    accounts: list[Account] = []
    faults: list[Rejection] = []
    wanted = (static_data.PARTIES, static_data.SECURITIES, static_data.ACCOUNTS)
    for received in read_messages(data, file=str(path), accept=wanted):
        leaves = leaves_of(received)
        try:
            if received.message == static_data.PARTIES:
                participants += static_data.read_parties(leaves)
            elif received.message == static_data.SECURITIES:
                counters += static_data.read_securities(leaves)
            else:
                accounts += static_data.read_accounts(leaves)
        except Rejected as rejected:
            faults += located(rejected, received, str(path))
    if faults:
        raise Rejected(*faults[:FAULTS_MAX])
    for name, several in (("participants", participants), ("counters", counters), ("accounts", accounts)):
        if not several:
            raise refuse(RejectionReason.MISSING, f"there are no {name} in it", file=str(path), field=name,
                         remedy=f"send {', '.join(wanted)}")  # fmt: skip
    book = ReferenceBook(counters=tuple(counters), participants=tuple(participants), accounts=tuple(accounts))
    book.validate()
    out.parent.mkdir(parents=True, exist_ok=True)
    write_book(out, book)
    return {"participants": len(participants), "accounts": len(accounts), "counters": len(counters)}
