"""sese.023 a second on one core: read and validated, read to orders, written; beside xsdata's classes.

    python benchmarks/iso20022.py

One delivery versus payment of about 800 bytes, with every usual field; the messages of cash and collateral that the
house takes in beside it, parsed and validated one by one. "Validated" is what the border does with a file:
limits, no declarations, parse, XML schema. "Orders" goes on through the usage rules and the book to the columns of a
command. The peer parses into generated classes (python-iso20022 on xsdata) and checks no schema. CPU time, one thread.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, date, datetime

from msgspec import structs
from python_iso20022.sese.sese_023_001_11.models import Sese02300111
from xsdata.formats.dataclass.context import XmlContext
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.serializers import XmlSerializer

from machine import best_of, describe, verdict
from tsingma.messages.iso20022 import collateral, recall
from tsingma.messages.iso20022.instruction import Instruction, write_instruction
from tsingma.messages.iso20022.orders import read_orders, write_orders
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.payment import Payment, write_liquidity_transfer, write_payment_message
from tsingma.messages.iso20022.schema import read_messages
from tsingma.reference.book import resolve
from tsingma.simulate.market import simulate_market

GOAL = 60_000  # parsed and validated a second on one core
MANY, PEERS = 10_000, 1_000


def orders(directory: Directory, count: int) -> list[Instruction]:
    """Return deliveries of one participant to another."""
    book = directory.book
    codes = [one.participant for one in book.book.accounts if one.account_class == "HOUSE"][-2:]
    return [
        Instruction(
            reference=str(number), account=f"{codes[0]}/HOUSE", side="deliver", counterparty=codes[1], kind="dvp",
            quantity=str(100 * number), isin=book.securities[number % len(book.securities)], currency="HKD",
            amount=f"{30_000 * number}.00", trade_date="2026-01-02", intended_date="2026-01-05",
        )
        for number in range(1, count + 1)
    ]  # fmt: skip


def others(directory: Directory) -> dict[str, bytes]:
    """Return one message of each kind of cash and collateral that the house takes in."""
    moment = datetime(2026, 1, 5, 8, tzinfo=UTC)
    payer, payee = [f"{one.participant}/HOUSE" for one in directory.book.book.accounts if one.account_class == "HOUSE"][
        -2:
    ]
    paid = Payment(
        reference="1", payer=payer, payee=payee, currency="HKD", amount="7.00", due="09:30:00", date="2026-01-05"
    )
    named = structs.replace(paid, on_behalf="yes", debtor="Ms Chan", creditor="Mr Lee")
    code = payer.partition("/")[0]
    about = collateral.Obligation("OTC Clear", code, payer, "2026-01-05")
    pieces = (collateral.Piece(identifier="a", asset="HKD", amount=1, counts=1),)
    asked = recall.RecallRequest(
        identifier="C1", created=moment, assigner=code, payments=(recall.Recalled(reference="1", number="P1"),)
    )
    made = (
        write_payment_message([paid], directory, "M1", moment), write_payment_message([named], directory, "M1", moment),
        write_liquidity_transfer(paid, directory, moment), recall.write_recall(asked, directory),
        collateral.write_response(collateral.CallResponse(identifier="1", about=about, call="C", agreed=5), directory),
        collateral.write_proposal(
            collateral.Proposal(identifier="1", about=about, call="C", agreed=5, pieces=pieces), directory),
    )  # fmt: skip
    return {read_messages(one.encode())[0].message: one.encode() for one in made}


def one_by_one(documents: list[bytes]) -> None:
    """Read and validate messages, each alone."""
    for one in documents:
        read_messages(one)


def rate(count: int, run: object, times: int = 5) -> float:
    """Return messages a CPU second, the best of several runs."""
    return count / best_of(run, times, time.process_time)  # type: ignore[arg-type]


def main() -> int:
    """Print the rates and whether the goal is met."""
    print(describe("lxml", "xsdata", "python-iso20022"))
    directory = Directory(resolve(simulate_market(1, date(2026, 1, 5), 1, 50).book))
    several = orders(directory, MANY)
    documents = [write_instruction(one, directory).encode() for one in several]
    file = write_orders(several, directory, "bench", datetime(2026, 1, 5, 8, tzinfo=UTC))
    print(f"  {len(documents[MANY // 2])} bytes a message, {MANY:,} messages")
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
    for message, one in others(directory).items():
        speed = rate(PEERS, lambda one=one: one_by_one([one] * PEERS))  # type: ignore[misc]
        print(f"  {message}, {len(one)} bytes".ljust(39) + f"{speed:>10,.0f} a second")
    print(verdict(f"{GOAL:,} parsed and validated a second", min(single, whole) >= GOAL))
    return 0 if min(single, whole) >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
