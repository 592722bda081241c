"""The whole house once more, in plain dictionaries: what every command must answer and what it leaves behind.

The auditor's oracle. It is written from the rules, for clarity and not for speed, and shares nothing with the engine
but the command and the dated tables (calendar, timetable, tariff): it unpacks columns itself, counts in Python's
integers and keeps dictionaries.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason
from tsingma.engine.cycle import is_settlement_day, settlement_days
from tsingma.journal.act_commands import DecideAct, ProposeAct
from tsingma.journal.commands import (
    CallMargin,
    CaptureTrades,
    ChangeInstruction,
    CloseDay,
    Command,
    DepositAssets,
    LoadReference,
    OpenDay,
    PostTransfers,
    RunStep,
    SetClosingPrices,
    SubmitInstructions,
)
from tsingma.reference.book import MARKETS, AccountClass, ReferenceBook
from tsingma.settlement.timetable import StepKind, timetable
from tsingma.simulate.plain_acts import PlainAct, decide, propose
from tsingma.simulate.plain_ledger import Key, PlainLedger, Refusal
from tsingma.simulate.plain_orders import PlainOrder, submit_orders
from tsingma.simulate.plain_resource_acts import RESOURCE_ACTS
from tsingma.simulate.plain_resources import PlainContracts, PlainReservation
from tsingma.simulate.plain_settlement import Due, PlainInstruction, PlainPositions, ready, settle_woken
from tsingma.simulate.plain_steps import close_figures, run_plain_step, settles_today
from tsingma.simulate.plain_trades import Trade, trade_charges, trade_faults

HKD = CURRENCIES.index("HKD")
LATEST_CAPTURE = "china-connect-stock"  # what is captured must still find its settlement and its fees today
FORMATS = {"i8": "q", "i4": "i", "i1": "b"}
TRADE_COLUMNS = {
    "trade_id": "i8", "time_s": "i4", "counter": "i4", "buyer": "i4", "seller": "i4",
    "quantity": "i8", "price_e4": "i8", "mode": "i1", "maker": "i1",
}  # fmt: skip

Figures = dict[str, Any]


@dataclass(slots=True)
class PlainBook:
    """The reference book as the oracle reads it."""

    book: ReferenceBook
    participants: list[str]
    account_owner: list[int]
    internal: dict[tuple[str, AccountClass], int]
    counters: list[tuple[int, int, int]]  # security, currency, market
    settlement_counter: dict[int, int]

    @classmethod
    def of(cls, book: ReferenceBook) -> PlainBook:
        """Number securities in the order of their ISINs, everything else as it stands in the book."""
        securities = sorted({counter.isin for counter in book.counters})
        names = [participant.code for participant in book.participants]
        rows = [
            (securities.index(one.isin), CURRENCIES.index(one.currency), MARKETS.index(one.market))
            for one in book.counters
        ]
        return cls(
            book=book,
            participants=names,
            account_owner=[names.index(account.participant) for account in book.accounts],
            internal={(one.participant, one.account_class): place for place, one in enumerate(book.accounts)},
            counters=rows,
            settlement_counter={rows[i][0]: i for i, one in enumerate(book.counters) if one.settlement_counter},
        )

    @property
    def assets(self) -> int:
        """Number of assets: currencies and securities."""
        return len(CURRENCIES) + len(self.settlement_counter)


@dataclass(slots=True)
class PlainHouse:
    """All state, and ``carry_out``, which changes it as a command must."""

    reference: PlainBook | None = None
    day: int = 0
    is_open: bool = False
    steps: tuple[str, ...] = ()
    ledger: PlainLedger = field(default_factory=PlainLedger)
    positions: PlainPositions = field(default_factory=PlainPositions)
    obligations: dict[int, Due] = field(default_factory=dict)
    instructions: list[PlainInstruction] = field(default_factory=list)
    orders: list[PlainOrder] = field(default_factory=list)
    acts: list[PlainAct] = field(default_factory=list)
    seen: frozenset[int] = frozenset()  # ids of the trades captured on the open day
    accrued: dict[tuple[int, str, int], int] = field(default_factory=dict)  # account, line, currency
    charges_owed: dict[tuple[int, int], int] = field(default_factory=dict)  # account, currency
    margin: dict[int, tuple[int, int]] = field(default_factory=dict)  # account -> requirement, pledged
    reservations: list[PlainReservation] = field(default_factory=list)
    contracts: PlainContracts = field(default_factory=PlainContracts)
    price_e4: dict[int, int] = field(default_factory=dict)
    fx_e6: tuple[int, ...] = (1_000_000, *([0] * (len(CURRENCIES) - 1)))

    def copy(self) -> PlainHouse:
        """Return an independent copy."""
        return replace(
            self,
            ledger=self.ledger.copy(),
            positions=self.positions.copy(),
            obligations={day: {key: list(two) for key, two in due.items()} for day, due in self.obligations.items()},
            instructions=[replace(one) for one in self.instructions],
            orders=[replace(one) for one in self.orders],
            acts=[replace(one) for one in self.acts],
            accrued=dict(self.accrued),
            charges_owed=dict(self.charges_owed),
            margin=dict(self.margin),
            reservations=[replace(one) for one in self.reservations],
            contracts=self.contracts.copy(),
            price_e4=dict(self.price_e4),
        )

    @property
    def known(self) -> PlainBook:
        """The reference book; raises Refusal (missing) before it is loaded."""
        if self.reference is None:
            raise Refusal(RejectionReason.MISSING)
        return self.reference

    @property
    def central(self) -> int:
        """Account of the central counterparty."""
        return self.known.internal["HKSCC", AccountClass.CNS]

    @property
    def fee_account(self) -> int:
        """Account that charges are paid to."""
        return self.known.internal["HKSCC", AccountClass.HOUSE]

    def carry_out(self, command: Command) -> Figures:
        """Change the state and return the figures of the answer that can be foretold; raises Refusal untouched."""
        return _ACTS[type(command)](self, command)

    def columns(self, command: Any, types: dict[str, str]) -> list[tuple[int, ...]]:
        """Return the columns of a command; raises Refusal (malformed)."""
        return columns(command, types)

    def woken(self, chosen: tuple[int, ...], credited: set[Key]) -> Figures:
        """Settle at once what an event has made ready; returns figures."""
        return _woken(self, chosen, credited)

    def require(self, condition: bool, reason: RejectionReason) -> None:
        """Raise Refusal unless the condition holds."""
        if not condition:
            raise Refusal(reason)


def columns(command: Any, types: dict[str, str]) -> list[tuple[int, ...]]:
    """Unpack the columns of a command; raises Refusal (malformed) when they are cut or differ in length."""
    unpacked = []
    for name, kind in types.items():
        data, size = getattr(command, name), int(kind[1])
        if len(data) % size:
            raise Refusal(RejectionReason.MALFORMED)
        unpacked.append(struct.unpack(f"<{len(data) // size}{FORMATS[kind]}", data))
    if len({len(column) for column in unpacked}) > 1:
        raise Refusal(RejectionReason.MALFORMED)
    return unpacked


def _load(house: PlainHouse, command: LoadReference) -> Figures:
    house.require(house.reference is None, RejectionReason.NOT_ALLOWED)
    book = PlainBook.of(command.book)
    house.reference = book
    bank, issuer = book.internal["BANK", AccountClass.ISSUANCE], book.internal["ISSUER", AccountClass.ISSUANCE]
    for currency in range(len(CURRENCIES)):
        house.ledger.unlimited |= {(bank, currency), (house.central, currency)}
    house.ledger.unlimited |= {(issuer, asset) for asset in range(len(CURRENCIES), book.assets)}
    house.price_e4 = dict.fromkeys(range(len(book.counters)), 0)
    return {"counters": len(book.counters), "participants": len(book.participants), "accounts": len(book.account_owner)}


def _known(house: PlainHouse, accounts: tuple[int, ...], assets: tuple[int, ...]) -> None:
    book = house.known
    within = all(0 <= one < len(book.account_owner) for one in accounts) and all(
        0 <= one < book.assets for one in assets
    )
    house.require(within, RejectionReason.UNKNOWN)


def _deposit(house: PlainHouse, command: DepositAssets) -> Figures:
    owner, asset, amount = columns(command, {"owner": "i4", "asset": "i4", "amount": "i8"})
    _known(house, owner, asset)
    house.require(house.central not in owner, RejectionReason.NOT_ALLOWED)
    bank = house.known.internal["BANK", AccountClass.ISSUANCE]
    issuer = house.known.internal["ISSUER", AccountClass.ISSUANCE]
    moves = [
        ((bank if kind < len(CURRENCIES) else issuer, kind), (to, kind), much)
        for to, kind, much in zip(owner, asset, amount, strict=True)
    ]
    house.require(not any(house.ledger.chain(moves)), RejectionReason.OUT_OF_RANGE)
    rows = {one.blocked_on for one in house.instructions if one.blocked_on is not None}
    return {"count": len(amount), **_woken(house, (), {row for row in rows if house.ledger.available(row) > 0})}


def _woken(house: PlainHouse, chosen: tuple[int, ...], credited: set[Key]) -> Figures:
    """Settle at once what an event has made ready, where continuous settlement runs."""
    started = any(step.kind is StepKind.CONTINUOUS_SETTLEMENT and step.name in house.steps for step in timetable())
    if not (house.is_open and started and settles_today(house)):
        return {}

    def waiting() -> list[PlainInstruction]:
        return ready(house.instructions, house.day, range(len(MARKETS)))

    figures = settle_woken(waiting, house.ledger, chosen, credited)
    return {f"woken_{name}": value for name, value in figures.items()}


def _transfers(house: PlainHouse, command: PostTransfers) -> Figures:
    types = {"debit": "i4", "credit": "i4", "asset": "i4", "amount": "i8", "linked": "i1"}
    debit, credit, asset, amount, linked = columns(command, types)
    _known(house, debit + credit, asset)
    house.require(house.central not in debit + credit, RejectionReason.NOT_ALLOWED)
    rows = zip(debit, credit, asset, amount, strict=True)
    codes = house.ledger.post([((give, kind), (take, kind), much) for give, take, kind, much in rows], linked)
    return {"booked": codes.count(0), "results": bytes(codes)}


def _margin(house: PlainHouse, command: CallMargin) -> Figures:
    account, requirement = columns(command, {"account": "i4", "requirement_cents": "i8"})
    _known(house, account, ())
    clear = len(set(account)) == len(account) and all(cents >= 0 for cents in requirement)
    house.require(clear, RejectionReason.CONFLICT)
    pledged = house.ledger.pledged
    for one, (_, before) in house.margin.items():
        pledged[one, HKD] = pledged.get((one, HKD), 0) - before
    house.margin = {}
    for one, cents in zip(account, requirement, strict=True):
        taken = min(cents, max(house.ledger.available((one, HKD)), 0))
        pledged[one, HKD] = pledged.get((one, HKD), 0) + taken
        house.margin[one] = (cents, taken)
    covered = sum(taken for _, taken in house.margin.values())
    return {
        "accounts": len(account),
        "requirement_cents": sum(requirement),
        "pledged_cents": covered,
        "shortfall_cents": sum(requirement) - covered,
    }


def _open(house: PlainHouse, command: OpenDay) -> Figures:
    book = house.known
    allowed = not house.is_open and command.day > house.day and is_settlement_day(to_date(command.day))
    overdue = any(day < command.day for day in house.obligations)
    house.require(allowed and not overdue, RejectionReason.NOT_ALLOWED)
    rolled = sum(quantity != 0 for quantity in house.positions.opened.values())
    house.day, house.is_open, house.steps, house.seen = command.day, True, (), frozenset()
    due = house.obligations.pop(command.day, {})
    house.positions.roll()
    house.positions.add(command.day, due, book.counters)
    return {"day": command.day, "due_positions": len(due), "rolled_positions": rolled}


def _prices(house: PlainHouse, command: SetClosingPrices) -> Figures:
    counter, price = columns(command, {"counter": "i4", "price_e4": "i8"})
    house.require(len(set(counter)) == len(counter), RejectionReason.MALFORMED)
    count = len(house.known.counters)
    fixed = all(0 <= one < count and value > 0 for one, value in zip(counter, price, strict=True))
    fx = command.fx_e6
    rates = len(fx) == len(CURRENCIES) and min(fx) > 0 and fx[0] == 1_000_000
    house.require(fixed and rates, RejectionReason.OUT_OF_RANGE)
    house.price_e4.update(zip(counter, price, strict=True))
    house.fx_e6 = fx
    return {"counters": len(counter)}


def _step(house: PlainHouse, command: RunStep) -> Figures:
    names = [step.name for step in timetable()]
    house.require(command.step in names, RejectionReason.UNKNOWN)
    allowed = house.is_open and names.index(command.step) == len(house.steps)
    house.require(allowed, RejectionReason.NOT_ALLOWED)
    step = next(step for step in timetable() if step.name == command.step)
    figures = run_plain_step(house, step)
    house.steps = (*house.steps, command.step)
    return {"step": command.step, "figures": figures}


def _close(house: PlainHouse, command: CloseDay) -> Figures:
    house.require(house.is_open and len(house.steps) == len(timetable()), RejectionReason.NOT_ALLOWED)
    figures = close_figures(house)
    house.accrued = {}
    house.is_open = False
    return {"day": house.day, "figures": figures}


def _capture(house: PlainHouse, command: CaptureTrades) -> Figures:
    rows = [Trade(*row) for row in zip(*columns(command, TRADE_COLUMNS), strict=True)]
    house.require(house.is_open and LATEST_CAPTURE not in house.steps, RejectionReason.NOT_ALLOWED)
    reasons = trade_faults(house, command.trade_day, rows)
    if reasons:
        raise Refusal(*reasons)
    book, days = house.known, settlement_days(to_date(command.trade_day))
    unfixed = any(house.fx_e6[book.counters[row.counter][1]] <= 0 for row in rows)
    house.require(not unfixed, RejectionReason.MISSING)
    charged = trade_charges(house, rows)
    gross: dict[int, int] = defaultdict(int)
    for row in rows:
        security, currency, market = book.counters[row.counter]
        gross[currency] += row.cents
        stock_day = days[MARKETS[market]][0]
        if row.mode == 0:
            due = house.obligations.setdefault(stock_day, {})
            for account, sign in ((row.buyer, 1), (row.seller, -1)):
                both = due.setdefault((account, row.counter), [0, 0])
                both[0] += sign * row.quantity
                both[1] += sign * row.cents
    for row in sorted(rows, key=lambda one: book.counters[one.counter][2]):  # numbered market by market
        if row.mode:
            security, currency, number = book.counters[row.counter]
            stock_day = days[MARKETS[number]][0]
            house.instructions.append(
                PlainInstruction(row.seller, row.buyer, security, number, currency, row.quantity, row.cents, stock_day)
            )
    house.seen |= {row.trade_id for row in rows}
    modes = [row.mode for row in rows]
    return {
        "trades": len(rows),
        "continuous_net": modes.count(0),
        "isolated": modes.count(1),
        "real_time": modes.count(2),
        "gross_amount_cents": tuple(gross[unit] for unit in range(len(CURRENCIES))),
        "charges_cents": charged,
    }


_ACTIONS = ("hold", "release", "cancel", "keep", "prioritise")
_SIDES = frozenset({"deliverer", "receiver"})


def _change(house: PlainHouse, command: ChangeInstruction) -> Figures:
    book = house.known
    known = command.participant in book.participants and command.action in _ACTIONS
    house.require(known and 0 <= command.instruction < len(house.instructions), RejectionReason.UNKNOWN)
    one = house.instructions[command.instruction]
    owner = book.participants.index(command.participant)
    sides = {"deliverer": one.deliverer, "receiver": one.receiver, "house": house.fee_account}
    by = frozenset(side for side, account in sides.items() if book.account_owner[account] == owner)
    house.require(bool(by) and one.status not in ("settled", "cancelled"), RejectionReason.NOT_ALLOWED)
    match command.action:
        case "hold":
            house.require(not one.holds >= by, RejectionReason.NOT_ALLOWED)
            one.holds |= by
            one.status = "on-hold"
        case "release":
            house.require(bool(one.holds & by), RejectionReason.NOT_ALLOWED)
            one.holds -= by
            if not one.holds:
                one.status = "failing" if one.intended_day < house.day else "matched"
        case "cancel":
            one.cancels |= _SIDES if "house" in by else by
            if one.cancels >= _SIDES:
                one.status = "cancelled"
        case "keep":
            house.require(bool(one.cancels & by), RejectionReason.NOT_ALLOWED)
            one.cancels -= by
        case "prioritise":
            house.require(0 <= command.value <= 3, RejectionReason.OUT_OF_RANGE)
            own = "house" in by or (command.value >= 2 and one.priority >= 2)
            house.require(own, RejectionReason.NOT_ALLOWED)
            one.priority = command.value
    return {"instruction": command.instruction, "status": one.status, **_woken(house, (id(one),), set())}


_ACTS: dict[type, Callable[[PlainHouse, Any], Figures]] = {
    LoadReference: _load,
    OpenDay: _open,
    DepositAssets: _deposit,
    PostTransfers: _transfers,
    CaptureTrades: _capture,
    SetClosingPrices: _prices,
    RunStep: _step,
    ChangeInstruction: _change,
    CallMargin: _margin,
    SubmitInstructions: submit_orders,
    ProposeAct: propose,
    DecideAct: decide,
    CloseDay: _close,
    **RESOURCE_ACTS,
}
