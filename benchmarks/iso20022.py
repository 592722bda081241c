"""ISO 20022 a second on one core: every message read and validated; sese.023 to orders and written, beside xsdata.

    python benchmarks/iso20022.py

"Validated" is what the border does with a file: limits, no declarations, parse, XML schema. Every message that is
spoken is timed alone, one of usual length each (``tests/messages/iso_catalogue.py``), with what of its time is XML and
what is schema; of sese.023 many in one file too. "Orders" goes on through the usage rules and the book to the columns
of a command. The peer parses into generated classes (python-iso20022 on xsdata) and checks no schema. CPU time, one
thread.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "messages"))

from iso_catalogue import Catalogue
from lxml import etree
from python_iso20022.sese.sese_023_001_11.models import Sese02300111
from xsdata.formats.dataclass.context import XmlContext
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.serializers import XmlSerializer

from machine import best_of, describe, verdict
from tsingma.app.iso_files import TAKEN
from tsingma.messages.iso20022 import static_data
from tsingma.messages.iso20022.instruction import Instruction, write_instruction
from tsingma.messages.iso20022.orders import read_orders, write_orders
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import read_messages
from tsingma.reference.book import resolve
from tsingma.simulate.market import simulate_market

GOAL = 60_000  # parsed and validated a second on one core
MANY, PEERS = 10_000, 1_000
IN = frozenset((*TAKEN, static_data.PARTIES, static_data.SECURITIES, static_data.ACCOUNTS))  # the others: reports


def orders(directory: Directory, count: int) -> list[Instruction]:
    """Return deliveries of one participant to another."""
    book = directory.book
    codes = members(directory)
    return [
        Instruction(
            reference=str(number), account=f"{codes[0]}/HOUSE", side="deliver", counterparty=codes[1], kind="dvp",
            quantity=str(100 * number), isin=book.securities[number % len(book.securities)], currency="HKD",
            amount=f"{30_000 * number}.00", trade_date="2026-01-02", intended_date="2026-01-05",
        )
        for number in range(1, count + 1)
    ]  # fmt: skip


def members(directory: Directory) -> list[str]:
    """Return the codes of two participants."""
    return [one.participant for one in directory.book.book.accounts if one.account_class == "HOUSE"][-2:]


def one_by_one(documents: list[bytes]) -> None:
    """Read and validate messages, each alone."""
    for one in documents:
        read_messages(one)


def rate(count: int, run: object, times: int = 5) -> float:
    """Return messages a CPU second, the best of several runs."""
    return count / best_of(run, times, time.process_time)  # type: ignore[arg-type]


def every_message(directory: Directory) -> tuple[list[str], list[str]]:
    """Print each message alone, and return which of those that are taken in, and of the reports, miss the goal."""
    missed: dict[bool, list[str]] = {True: [], False: []}
    both = Catalogue(directory, *members(directory)).all()
    print("  each alone            bytes  elements   a second   MB/s   us: XML  schema  of these")
    for taken in (True, False):
        for message in sorted(name for name in both if (name in IN) is taken):
            one = both[message].text.encode()
            speed = rate(PEERS, lambda one=one: one_by_one([one] * PEERS))  # type: ignore[misc]
            (found,) = read_messages(one)
            schema = etree.XMLSchema(file=str(SCHEMAS / f"{message}.xsd"))
            checked = rate(PEERS, lambda: [schema(found.document) for _ in range(PEERS)])  # noqa: B023 - run at once
            elements, whole = sum(1 for _ in found.document.iter()), 1e6 / speed
            print(
                f"  {message}  {'in' if taken else 'report':>6}{len(one):>7}{elements:>10}{speed:>11,.0f}"
                f"{len(one) * speed / 1e6:>7.0f}{whole - 1e6 / checked:>10.1f}{1e6 / checked:>8.1f}"
                f"  {'met' if speed >= GOAL else 'MISSED'}"
            )
            if speed < GOAL:
                missed[taken].append(message)
    return missed[True], missed[False]


SCHEMAS = Path(static_data.__file__).parent / "schemas"


def main() -> int:
    """Print the rates and whether the goal is met."""
    print(describe("lxml", "xsdata", "python-iso20022"))
    directory = Directory(resolve(simulate_market(1, date(2026, 1, 5), 1, 50).book))
    missed, reports = every_message(directory)
    several = orders(directory, MANY)
    documents = [write_instruction(one, directory).encode() for one in several]
    file = write_orders(several, directory, "bench", datetime(2026, 1, 5, 8, tzinfo=UTC))
    print(f"  sese.023: {len(documents[MANY // 2])} bytes a message, {MANY:,} messages")
    single = rate(MANY, lambda: one_by_one(documents))
    whole = rate(MANY, lambda: read_messages(file))
    columns = rate(MANY, lambda: read_orders(file, directory))
    written = rate(MANY, lambda: [write_instruction(one, directory) for one in several])
    context = XmlContext()
    parser, writer = XmlParser(context=context), XmlSerializer(context=context)
    texts = [one.decode() for one in documents[:PEERS]]
    parsed = [parser.from_string(one, Sese02300111) for one in texts]
    peer_in = rate(PEERS, lambda: [parser.from_string(one, Sese02300111) for one in texts], 3)
    peer_out = rate(PEERS, lambda: [writer.render(one) for one in parsed], 3)
    print(f"  parsed and validated, one by one     {single:>10,.0f} a second")
    print(f"  parsed and validated, one file       {whole:>10,.0f} a second")
    print(f"  one file to columns of orders        {columns:>10,.0f} a second")
    print(f"  written                              {written:>10,.0f} a second")
    print(f"  xsdata parses, without schema        {peer_in:>10,.0f} a second ({single / peer_in:.0f} times slower)")
    print(f"  xsdata writes                        {peer_out:>10,.0f} a second")
    if reports:
        print(f"  reports below {GOAL:,} a second, by their size: {', '.join(reports)}")
    met = min(single, whole) >= GOAL and not missed
    print(verdict(f"{GOAL:,} parsed and validated a second, every message that a house takes in", met))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
