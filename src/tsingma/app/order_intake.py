"""Orders told as records, one side each: into a command of the house, and what became of each out of its answer.

The sender is a participant; whatever an order says, it is for that participant's own accounts. What one side may send
as already agreed by both (the column ``matched``) is not among the fields: it would speak for the other side too.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

import msgspec
import numpy as np

from tsingma.basics.money import CURRENCIES
from tsingma.basics.patterns import whole
from tsingma.basics.rejection import Rejection
from tsingma.journal.commands import Command, SubmitInstructions
from tsingma.journal.events import InstructionsSubmitted
from tsingma.messages.instruction_file import packed, readers_of, resolve_rows, text_number
from tsingma.reference.book import AccountClass, ResolvedBook
from tsingma.settlement.instruction import KINDS, PRIORITIES
from tsingma.settlement.orders import CONDITIONS, ORDER_COLUMNS, REFERENCE_MAX
from tsingma.settlement.submission import FAULTS, MATCHES, WAITS

ORDERS_MAX = 1_000  # in one request
FIRST_LINE = 2  # as the house counts: the header of a file is line 1

_DAY_ZERO = date(1970, 1, 1).toordinal()
_KIND = {kind: number for number, kind in enumerate(KINDS)}
_PRIORITY = {name: number for number, name in enumerate(PRIORITIES)}
_CONDITION = {name: 1 << bit for bit, name in enumerate(CONDITIONS)}
_WIDTH = {name: np.dtype(kind).itemsize for name, (kind, _) in ORDER_COLUMNS.items()}
_DEFAULT = {
    name: default.to_bytes(_WIDTH[name], "little", signed=True)
    for name, (_, default) in ORDER_COLUMNS.items()
    if default is not None
}

_EIGHT, _FOUR, _ONE = (struct.Struct(form).pack for form in ("<q", "<i", "<b"))

Text = Annotated[str, msgspec.Meta(max_length=35)]  # ISO 20022, Max35Text
ISIN, COUNTERPARTY = whole("([A-Z]{2}[A-Z0-9]{9}[0-9])?"), whole("[A-Z0-9-]{1,16}")
# ``$`` alone lets a line feed at the end pass.
AMOUNT = r"^([0-9]{1,16}(\.[0-9]{1,2})?)?$(?!\n)"
Isin = Annotated[str, msgspec.Meta(pattern=ISIN)]
Currency = Annotated[str, msgspec.Meta(pattern=whole("([A-Z]{3})?"))]
Class = Literal["HOUSE", "CLIENT", "OMNIBUS", "SEGREGATED"]
Units = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One side of an instruction, in the words of the instruction file (``docs/settlement.md``).

    ``amount`` is decimal text with at most two places, ``quantity`` whole units (in pvp: cents of ``paid_currency``).
    """

    reference: Annotated[int, msgspec.Meta(ge=1, lt=REFERENCE_MAX)]
    account_class: Class
    side: Literal["deliver", "receive"]
    counterparty: Annotated[str, msgspec.Meta(pattern=COUNTERPARTY)]
    kind: Literal["dvp", "fop", "dwp", "pfod", "pvp", "dvd"]
    trade_date: date
    intended_date: date
    isin: Isin = ""
    quantity: Units = 0
    currency: Currency = ""
    amount: Annotated[str, msgspec.Meta(pattern=AMOUNT)] = ""
    counterparty_account_class: Class | None = None
    paid_currency: Currency = ""
    against_isin: Isin = ""
    against_quantity: Units = 0
    priority: Literal["high", "normal"] = "normal"
    partial: bool = True
    hold: bool = False
    conditions: tuple[Literal["opt-out", "cum", "ex"], ...] = ()
    common_reference: Text = ""
    client: Text = ""
    counterparty_client: Text = ""
    pool: Text = ""
    pool_size: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0

    def is_rare(self) -> bool:
        """Return whether it says something that most orders leave out."""
        return bool(
            self.counterparty_account_class is not None or self.paid_currency or self.against_isin
            or self.against_quantity or self.priority != "normal" or not self.partial or self.hold or self.conditions
            or self.common_reference or self.client or self.counterparty_client or self.pool or self.pool_size
        )  # fmt: skip


class PlainOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that says no more than most do; its codes are only looked up, which is cheaper than their patterns."""

    reference: Annotated[int, msgspec.Meta(ge=1, lt=REFERENCE_MAX)]
    account_class: Class
    side: Literal["deliver", "receive"]
    counterparty: str
    kind: Literal["dvp", "fop", "dwp", "pfod", "pvp", "dvd"]
    trade_date: date
    intended_date: date
    isin: str = ""
    quantity: Units = 0
    currency: str = ""
    amount: Annotated[str, msgspec.Meta(pattern=AMOUNT)] = ""

    def is_rare(self) -> bool:
        """Return that it says nothing rare."""
        return False


_PLAIN: msgspec.json.Decoder[PlainOrder | list[PlainOrder]] = msgspec.json.Decoder(PlainOrder | list[PlainOrder])
AnyOrder = Order | PlainOrder


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one order: where it waits or matched, or why it was refused."""

    reference: int
    outcome: Literal["waits", "matched", "refused"]
    order: int | None = None
    instruction: int | None = None
    rejection: Rejection | None = None


class Outcomes(msgspec.Struct, frozen=True):
    """What became of a request's orders, in their order."""

    waiting: int
    matched: int
    refused: int
    items: list[Outcome]


class Intake:
    """Resolves orders by the codes of a book, which never changes: one for a house."""

    def __init__(self, book: ResolvedBook) -> None:
        """Take the codes of a book over."""
        self.book, self.readers = book, readers_of(book)
        inner = (AccountClass.CNS, AccountClass.ISSUANCE)
        self._account = {key: number for key, number in book.account_index.items() if key[1] not in inner}
        self._security = {"": -1, **{isin: number for number, isin in enumerate(book.securities)}}
        self._currency = {"": -1, **{currency: number for number, currency in enumerate(CURRENCIES)}}
        # What may be told as a code: what the patterns of ``Order`` let through, and the book has.
        self._counterparties = frozenset(filter(re.compile(COUNTERPARTY).match, book.participant_index))
        self._securities = frozenset(filter(re.compile(ISIN).match, self._security))
        self._currencies = frozenset(self._currency)

    def plain(self, body: bytes) -> PlainOrder | list[PlainOrder] | None:
        """Return the orders of a JSON body in which every order is plain, of known codes; None to read it strictly."""
        try:
            found = _PLAIN.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        orders = found if isinstance(found, list) else [found]
        known = (
            {one.counterparty for one in orders} <= self._counterparties
            and {one.isin for one in orders} <= self._securities
            and {one.currency for one in orders} <= self._currencies
        )
        return found if orders and known else None

    def command(self, orders: Sequence[AnyOrder], participant: str, source: str, second: int) -> SubmitInstructions:
        """Return the command that sends orders of a participant at a second of the day.

        Raises Rejected with every fault found in codes and numbers; their ``line`` is the order's place plus
        FIRST_LINE.
        """
        try:
            if len(orders) == 1 and isinstance(orders[0], PlainOrder):
                return SubmitInstructions(source, participant, second, self._columns_of_one(orders[0], participant))
            columns = self._columns(orders, participant) if orders else self.columns_by_text([], participant)
        except KeyError:  # a code that is not there: read again, to tell of every one
            strictly = [msgspec.convert(msgspec.structs.asdict(one), Order) for one in orders]
            columns = self.columns_by_text(strictly, participant)
        return SubmitInstructions(source, participant, second, _without_defaults(columns, len(orders)))

    def columns_by_text(self, orders: Sequence[Order], participant: str) -> dict[str, bytes]:
        """Return the columns of orders as the instruction file is read: the twin of the quick way; raises Rejected."""
        rows = ((place, _row(order, participant)) for place, order in enumerate(orders, FIRST_LINE))
        return packed(resolve_rows(rows, self.book, "", self.readers))

    def _columns(self, orders: Sequence[AnyOrder], participant: str) -> dict[str, bytes]:
        """Return the columns of orders, all codes looked up in one go; raises KeyError for one that is not there."""
        account, security, currency = self._account, self._security, self._currency
        values: dict[str, list[int]] = {
            "reference": [one.reference for one in orders],
            "account": [account[participant, one.account_class] for one in orders],  # type: ignore[index]
            "delivers": [one.side == "deliver" for one in orders],
            "counterparty": [self.book.participant_index[one.counterparty] for one in orders],
            "kind": [_KIND[one.kind] for one in orders],
            "quantity": [one.quantity for one in orders],
            "trade_day": _days([one.trade_date for one in orders]),
            "intended_day": _days([one.intended_date for one in orders]),
            "security": [security[one.isin] for one in orders],
            "currency": [currency[one.currency] for one in orders],
            "amount_cents": _all_cents([one.amount for one in orders]),
        }
        if not isinstance(orders[0], PlainOrder) and any(one.is_rare() for one in orders):
            values |= self._rare([one for one in orders if isinstance(one, Order)])
        return {name: _packed(column, _WIDTH[name]) for name, column in values.items()}

    def _columns_of_one(self, one: PlainOrder, participant: str) -> dict[str, bytes]:
        """Return the columns of a single plain order, those left out that have their default; raises KeyError."""
        columns = {
            "reference": _EIGHT(one.reference),
            "account": _FOUR(self._account[participant, one.account_class]),  # type: ignore[index]
            "delivers": _ONE(one.side == "deliver"),
            "counterparty": _FOUR(self.book.participant_index[one.counterparty]),
            "trade_day": _FOUR(one.trade_date.toordinal() - _DAY_ZERO),
            "intended_day": _FOUR(one.intended_date.toordinal() - _DAY_ZERO),
        }
        if one.kind != KINDS[0]:
            columns["kind"] = _ONE(_KIND[one.kind])
        if one.quantity:
            columns["quantity"] = _EIGHT(one.quantity)
        if one.isin:
            columns["security"] = _FOUR(self._security[one.isin])
        if one.currency:
            columns["currency"] = _ONE(self._currency[one.currency])
        if cents := _cents(one.amount):
            columns["amount_cents"] = _EIGHT(cents)
        return columns

    def _rare(self, orders: Sequence[Order]) -> dict[str, list[int]]:
        """Return the columns that most orders leave out."""
        account, security, currency = self._account, self._security, self._currency
        return {
            "counterparty_account": [
                account[one.counterparty, one.counterparty_account_class]  # type: ignore[index]
                if one.counterparty_account_class
                else -1
                for one in orders
            ],
            "paid_currency": [currency[one.paid_currency] for one in orders],
            "against_security": [security[one.against_isin] for one in orders],
            "against_quantity": [one.against_quantity for one in orders],
            "priority": [_PRIORITY[one.priority] for one in orders],
            "partial": [one.partial for one in orders],
            "hold": [one.hold for one in orders],
            "conditions": [sum(_CONDITION[name] for name in set(one.conditions)) for one in orders],
            "common_reference": [text_number(one.common_reference.strip()) for one in orders],
            "client": [text_number(one.client.strip()) for one in orders],
            "counterparty_client": [text_number(one.counterparty_client.strip()) for one in orders],
            "pool": [text_number(one.pool.strip()) for one in orders],
            "pool_size": [one.pool_size for one in orders],
        }


def _packed(values: list[int], width: int) -> bytes:
    if len(values) == 1:
        return int(values[0]).to_bytes(width, "little", signed=True)
    return np.array(values, f"<i{width}").tobytes()


def _days(dates: list[date]) -> list[int]:
    """Return day numbers; most orders of a request have the same few days."""
    number = {one: one.toordinal() - _DAY_ZERO for one in set(dates)}
    return [number[one] for one in dates]


def _all_cents(amounts: list[str]) -> list[int]:
    """Return the cents of amounts, most of which have two places."""
    return [int(one[:-3] + one[-2:]) if one[-3:-2] == "." else _cents(one) for one in amounts]


def _cents(amount: str) -> int:
    """Return the cents of an amount as the type of ``Order.amount`` lets it be."""
    whole, _, part = amount.partition(".")
    return int(whole or 0) * 100 + int(part.ljust(2, "0"))


def _without_defaults(columns: dict[str, bytes], count: int) -> dict[str, bytes]:
    """Return columns without those that have their default everywhere: the house takes it where none is given."""
    return {name: column for name, column in columns.items() if column != _DEFAULT.get(name, b"") * count}


def outcomes_of(event: InstructionsSubmitted, orders: Sequence[AnyOrder]) -> Outcomes:
    """Return what became of orders; ``event`` is the house's answer to them."""
    results, numbers = np.frombuffer(event.results, np.int8).tolist(), np.frombuffer(event.numbers, "<i8").tolist()
    items = [
        Outcome(order.reference, "waits", number) if result == WAITS else _outcome(order, result, number)
        for order, result, number in zip(orders, results, numbers, strict=True)
    ]
    return Outcomes(event.waiting, event.matched, event.refused, items)


def same_request(before: Command, now: Command) -> bool:
    """Return whether two commands ask for the same; when it came in, and by which key, do not count."""
    if isinstance(before, SubmitInstructions) and isinstance(now, SubmitInstructions):
        same = msgspec.structs.replace(before, source=now.source, time_s=now.time_s, columns={})
        return same == msgspec.structs.replace(now, columns={}) and _meant(before) == _meant(now)
    return before == now


def _meant(command: SubmitInstructions) -> dict[str, bytes]:
    """Return the columns of a command without those that say what is meant without them."""
    return _without_defaults(command.columns, len(command.columns.get("reference", b"")) // _WIDTH["reference"])


def _row(order: Order, participant: str) -> dict[str, str]:
    theirs = order.counterparty_account_class
    return {
        "reference": str(order.reference),
        "account": f"{participant}/{order.account_class}",
        "side": order.side,
        "counterparty": order.counterparty,
        "kind": order.kind,
        "quantity": str(order.quantity),
        "trade_date": str(order.trade_date),
        "intended_date": str(order.intended_date),
        "isin": order.isin,
        "currency": order.currency,
        "amount": order.amount,
        "counterparty_account": f"{order.counterparty}/{theirs}" if theirs else "",
        "paid_currency": order.paid_currency,
        "against_isin": order.against_isin,
        "against_quantity": str(order.against_quantity),
        "priority": order.priority,
        "partial": "yes" if order.partial else "no",
        "hold": "yes" if order.hold else "no",
        "conditions": " ".join(order.conditions),
        "common_reference": order.common_reference,
        "client": order.client,
        "counterparty_client": order.counterparty_client,
        "pool": order.pool,
        "pool_size": str(order.pool_size),
    }


def _outcome(order: AnyOrder, result: int, number: int) -> Outcome:
    if result == MATCHES:
        return Outcome(order.reference, "matched", instruction=number)
    field, reason, text, remedy = FAULTS[result - 2]
    name = f"order {order.reference}"
    rejection = Rejection(reason=reason, message=f"{field} {text}", field=field, subject=name, remedy=remedy)
    return Outcome(order.reference, "refused", rejection=rejection)
