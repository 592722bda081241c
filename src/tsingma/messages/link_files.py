"""Files of orders, flows, holdings, segregated accounts and client ids of a link (CSV), and orders as numbers.

Codes of participants and counters become numbers in the order of their first appearance (``Names``); an order's own
reference becomes its number of the day.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.basics.rounding import parse_scaled
from tsingma.kernels.link_orders import BUY, CANCEL, EXECUTION, REJECTION, SELL
from tsingma.links.order_day import Messages
from tsingma.messages.rows import FAULTS_MAX, read_rows

Int64 = npt.NDArray[np.int64]

ORDER_COLUMNS = (
    "time", "message", "order", "participant", "investor", "client", "counter", "quantity", "price",
)  # fmt: skip
FLOW_COLUMNS = ("time", "investor", "channel", "amount")
HOLDING_COLUMNS = ("participant", "investor", "counter", "quantity")
ACCOUNT_COLUMNS = ("investor", "broker")
CLIENT_COLUMNS = ("participant", "client")
MESSAGES = {"buy": BUY, "sell": SELL, "trade": EXECUTION, "cancel": CANCEL, "reject": REJECTION}
INT64_MAX = 2**63 - 1
_MESSAGE_FIELDS = (
    "kind", "order", "time_s", "participant", "investor", "client", "counter", "quantity", "price_e4",
)  # fmt: skip
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,10})?")


@dataclass
class Names:
    """Codes and the numbers they were given."""

    participants: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)

    def participant(self, code: str) -> int:
        """Return a participant's number; "" is 0, which no row with a check uses."""
        return self.participants.setdefault(code, len(self.participants)) if code else 0

    def counter(self, code: str) -> int:
        """Return a counter's number."""
        return self.counters.setdefault(code, len(self.counters)) if code else 0


def read_orders(data: bytes, names: Names, *, file: str = "orders.csv") -> tuple[Messages, list[str]]:
    """Return the messages of a file and each one's order reference; raises Rejected with every fault.

    Columns: ``time`` HH:MM:SS, ``message`` (buy, sell, trade, cancel, reject), ``order`` (its reference), then of new
    orders ``participant``, ``investor`` (or empty), ``client`` (or empty), ``counter``; ``quantity`` and ``price`` of
    orders and trades.
    """
    optional = ("participant", "investor", "client", "counter", "quantity", "price")
    rows = read_rows(data, file, ORDER_COLUMNS, optional=optional)
    numbers: dict[str, int] = {}
    faults: list[Rejection] = []
    table = []
    for line, cells in rows:
        read = _Cells(cells, file, line, faults)
        kind = MESSAGES.get(cells["message"], -1)
        if kind < 0:
            read.fault("message", f"'{cells['message'][:40]}' is no message", f"one of {', '.join(MESSAGES)}")
        new = kind in (BUY, SELL)
        reference = cells["order"]
        if new and reference in numbers:
            read.fault("order", f"order '{reference[:40]}' was entered before", "give each order its own reference")
        if new:
            for name in ("participant", "counter"):
                read.needs(name)
            numbers.setdefault(reference, len(numbers))
        sized = kind in (BUY, SELL, EXECUTION)
        table.append((
            kind, numbers.get(reference, -1), read.second("time"), names.participant(cells["participant"]),
            read.whole("investor"), read.whole("client"), names.counter(cells["counter"]),
            read.whole("quantity", needed=sized), read.scaled("price", 4, needed=sized),
        ))  # fmt: skip
    if faults:
        raise Rejected(*faults[:FAULTS_MAX])
    columns = [np.array(column, np.int64) for column in zip(*table, strict=True)]
    found = dict(zip(_MESSAGE_FIELDS, columns, strict=True))
    messages = Messages(**found, security=found["counter"])
    return messages, [cells["order"] for _, cells in rows]


def read_flows(data: bytes, *, file: str = "flows.csv") -> tuple[Int64, ...]:
    """Return time (seconds), investor, channel and amount (cents) of a file of flows; raises Rejected."""
    return _table(
        data, file, FLOW_COLUMNS, lambda read: (
            read.second("time"), read.whole("investor", needed=True), read.whole("channel", needed=True),
            read.scaled("amount", 2, needed=True),
        ),
    )  # fmt: skip


def read_holdings(data: bytes, names: Names, *, file: str = "holdings.csv") -> tuple[Int64, ...]:
    """Return participant (-1: a segregated account), investor, counter and quantity of holdings; raises Rejected."""
    return _table(
        data, file, HOLDING_COLUMNS, lambda read: (
            names.participant(read.cells["participant"]) if not read.cells["investor"] else -1,
            read.whole("investor"), names.counter(read.cells["counter"]), read.whole("quantity", needed=True),
        ), optional=("participant", "investor"),
    )  # fmt: skip


def read_accounts(data: bytes, names: Names, *, file: str = "accounts.csv") -> dict[int, tuple[int, ...]]:
    """Return the designated brokers of each segregated account, by investor id; raises Rejected."""
    investor, broker = _table(
        data, file, ACCOUNT_COLUMNS,
        lambda read: (read.whole("investor", needed=True), names.participant(read.cells["broker"])),
    )  # fmt: skip
    found: dict[int, tuple[int, ...]] = {}
    for one, another in zip(investor.tolist(), broker.tolist(), strict=True):
        found[one] = (*found.get(one, ()), another)
    return found


def read_clients(data: bytes, names: Names, *, file: str = "clients.csv") -> tuple[Int64, Int64]:
    """Return participant and client id of the mapping that counts on the day; raises Rejected."""
    participant, client = _table(
        data, file, CLIENT_COLUMNS,
        lambda read: (names.participant(read.cells["participant"]), read.whole("client", needed=True)),
    )  # fmt: skip
    return participant, client


class _Cells:
    """The cells of one row, read as numbers; what is wrong is added to the faults."""

    def __init__(self, cells: dict[str, str], file: str, line: int, faults: list[Rejection]) -> None:
        self.cells, self._file, self._line, self._faults = cells, file, line, faults

    def fault(self, name: str, message: str, remedy: str) -> None:
        """Add a fault of a cell."""
        self._faults.append(
            Rejection(
                reason=RejectionReason.MALFORMED, file=self._file, line=self._line, field=name, message=message,
                remedy=remedy,
            )
        )  # fmt: skip

    def needs(self, name: str) -> None:
        """Add a fault when a cell is empty."""
        if not self.cells[name]:
            self.fault(name, "is empty", "give it")

    def whole(self, name: str, *, needed: bool = False) -> int:
        """Return a whole number from 0, 0 where the cell is empty."""
        text = self.cells[name]
        if not text and not needed:
            return 0
        if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > INT64_MAX:
            self.fault(name, f"'{text[:40]}' is no whole number", "write digits only, up to 2^63")
            return 0
        return int(text)

    def scaled(self, name: str, decimals: int, *, needed: bool = False) -> int:
        """Return a decimal number times 10**decimals, exactly; 0 where the cell is empty."""
        text = self.cells[name]
        if not text and not needed:
            return 0
        if not _NUMBER.fullmatch(text) or len(text.partition(".")[2].rstrip("0")) > decimals:
            self.fault(name, f"'{text[:40]}' is no number", f"write a plain number of up to {decimals} decimals")
            return 0
        found = parse_scaled(text, decimals, field=name)
        if abs(found) > INT64_MAX:
            self.fault(name, "does not fit 64 bits", "write a smaller number")
            return 0
        return found

    def second(self, name: str) -> int:
        """Return the second of the day of a time HH:MM:SS."""
        parts = self.cells[name].split(":")
        if len(parts) == 3 and all(part.isascii() and part.isdigit() and len(part) == 2 for part in parts):
            hour, minute, second = (int(part) for part in parts)
            if hour < 24 and minute < 60 and second < 60:
                return hour * 3_600 + minute * 60 + second
        self.fault(name, f"'{self.cells[name][:40]}' is no time of day", "write it as HH:MM:SS")
        return 0


def _table(
    data: bytes, file: str, columns: tuple[str, ...], row: Callable[[_Cells], tuple[int, ...]],
    optional: tuple[str, ...] = (),
) -> tuple[Int64, ...]:  # fmt: skip
    faults: list[Rejection] = []
    table = [
        row(_Cells(cells, file, line, faults)) for line, cells in read_rows(data, file, columns, optional=optional)
    ]
    if faults:
        raise Rejected(*faults[:FAULTS_MAX])
    return tuple(np.array(column, np.int64) for column in zip(*table, strict=True))
