"""Seeded payment days between banks, and the cash legs of settlement instances as queues of payments.

Banks are drawn with Zipf weights, amounts log-normally, times from the hours of the systems; every account starts with
a chosen degree of what its day needs: ``alpha`` 0 is the net need, 1 the worst running overdraft (Bech and Soramaki,
Bank of Finland discussion paper 9/2001). Simulated, and labelled so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.payments import COLUMNS
from tsingma.journal.commands import Command, DepositAssets, LoadReference, OpenDay
from tsingma.journal.payment_commands import RunPayments, SubmitPayments
from tsingma.reference.book import (
    REQUIRED_PARTICIPANTS,
    Account,
    AccountClass,
    Counter,
    InstrumentKind,
    Market,
    Participant,
    ParticipantKind,
    ReferenceBook,
)
from tsingma.settlement.gross_money.systems import systems_on
from tsingma.settlement.instance import Instance

Int64 = npt.NDArray[np.int64]

A_COMMAND = 8_190
COUNT_MAX, BANKS_MAX = 20_000_000, 5_000
FIRST_BANK = 4  # the house's own accounts come before
PRICES_E4 = (10_000, 9_000, 1_280, 1_150)  # of one currency in another, for the amounts of pairs


@dataclass(frozen=True, slots=True)
class PaymentDay:
    """A day as commands with stable ids, and its columns: row i of each column is payment i."""

    book: ReferenceBook
    opening: tuple[tuple[str, Command], ...]
    traffic: tuple[tuple[str, Command], ...]
    columns: dict[str, Int64]
    time_s: Int64


def banks_book(banks: int) -> ReferenceBook:
    """Return a reference book of the house's own accounts, banks with an account each, and one bond."""
    codes = [f"BANK{place:03d}" for place in range(1, banks + 1)]
    own = [("HKSCC", AccountClass.CNS), ("HKSCC", AccountClass.HOUSE), ("ISSUER", AccountClass.ISSUANCE),
           ("BANK", AccountClass.ISSUANCE)]  # fmt: skip
    required = [Participant(code=code, name=code, kind=kind) for code, kind in REQUIRED_PARTICIPANTS.items()]
    members = [Participant(code=code, name=f"Simulated {code}", kind=ParticipantKind.CUSTODIAN) for code in codes]
    bond = Counter(
        code="EFN", isin="HK0000096088", currency="HKD", kind=InstrumentKind.BOND, market=Market.CMU, lot=1, tick_e4=1,
        settlement_counter=True, name="Simulated government note",
    )  # fmt: skip
    return ReferenceBook(
        counters=(bond,),
        participants=(*required, *members),
        accounts=tuple(
            Account(participant=code, account_class=kind)
            for code, kind in (*own, *((code, AccountClass.HOUSE) for code in codes))
        ),
    )


def payment_day(
    seed: int, day: date, count: int, *, banks: int = 50, alpha: float = 0.25, short: float = 0.0,
    pair_share: float = 0.05,
    timed_share: float = 0.02, a_command: int = A_COMMAND,
) -> PaymentDay:  # fmt: skip
    """Return a day of about ``count`` payments (pairs are two) in four currencies between ``banks`` banks.

    A part ``short`` of the accounts gets half of its funding, so that some payments never settle.

    Raises Rejected (out-of-range) for a number out of its range.
    """
    for field, value, low, high in (
        ("count", count, 1, COUNT_MAX), ("banks", banks, 2, BANKS_MAX), ("alpha", alpha, 0, 1), ("short", short, 0, 1),
        ("pair_share", pair_share, 0, 1), ("timed_share", timed_share, 0, 1), ("a_command", a_command, 2, 1_000_000),
    ):  # fmt: skip
        if not low <= value <= high:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{value} is not {low} to {high}", field=field)
    chance = np.random.Generator(np.random.PCG64(seed))
    columns, time_s = _columns(chance, day, count, banks, pair_share, timed_share)
    funding = _funding(columns, banks, alpha)
    funding[chance.random(funding.size) < short] //= 2
    owner, asset = np.divmod(np.flatnonzero(funding), len(CURRENCIES))
    deposits = DepositAssets(
        pack(owner + FIRST_BANK, "i4"), pack(asset, "i4"), pack(funding[np.flatnonzero(funding)], "i8")
    )
    book = banks_book(banks)
    opening: tuple[tuple[str, Command], ...] = (
        ("reference", LoadReference(book)), (f"deposits/{day}", deposits), (f"open/{day}", OpenDay(to_day(day))),
    )  # fmt: skip
    return PaymentDay(book, opening, tuple(_traffic(columns, time_s, day, a_command)), columns, time_s)


def _columns(
    chance: np.random.Generator, day: date, count: int, banks: int, pair_share: float, timed_share: float
) -> tuple[dict[str, Int64], Int64]:
    paired = chance.random(count) < pair_share / 2  # a pair is two payments
    size = count - int(paired.sum())
    paired = paired[:size]
    weight = 1 / np.arange(1, banks + 1)
    payer = chance.choice(banks, size, p=weight / weight.sum())
    payee = (payer + 1 + chance.choice(banks - 1, size)) % banks
    asset = chance.choice(len(CURRENCIES), size, p=[0.55, 0.25, 0.15, 0.05])
    amount = chance.lognormal(13, 2, size).astype(np.int64) + 1
    opens = max(system.opens_s for system in systems_on(day))
    closes = min(system.closes_s for system in systems_on(day))
    time_s = np.sort(opens + (chance.beta(0.8, 0.9, size) * (closes - opens - 60)).astype(np.int64))
    priority = chance.choice(3, size, p=[0.02, 0.08, 0.9])
    timed = ~paired & (chance.random(size) < timed_share)
    due = np.where(timed, np.minimum(time_s + 1_800, closes - 1), -1)
    repeat = 1 + paired.astype(np.int64)
    place = np.repeat(np.arange(size), repeat)
    second = np.concatenate([[False], place[1:] == place[:-1]])
    against = (asset + 1 + chance.choice(len(CURRENCIES) - 1, size)) % len(CURRENCIES)
    price = np.array(PRICES_E4, np.int64)
    counter = np.maximum(amount * price[asset] // price[against], 1)
    columns = {
        "reference": np.arange(1, place.size + 1), "payer": np.where(second, payee[place], payer[place]) + FIRST_BANK,
        "payee": np.where(second, payer[place], payee[place]) + FIRST_BANK,
        "asset": np.where(second, against[place], asset[place]),
        "amount": np.where(second, counter[place], amount[place]), "priority": priority[place],
        "due_s": np.where(second, -1, due[place]), "on_behalf": (chance.random(place.size) < 0.3).astype(np.int64),
        "pair": np.where(paired[place], place + 1, 0),
    }  # fmt: skip
    return {name: column.astype(np.int64) for name, column in columns.items()}, time_s[place].astype(np.int64)


def _funding(columns: dict[str, Int64], banks: int, alpha: float) -> Int64:
    """Return the opening cents of every (bank, currency): the net need, and ``alpha`` of the way to the worst need."""
    units, size = len(CURRENCIES), columns["payer"].size
    key = np.concatenate([columns[side] - FIRST_BANK for side in ("payer", "payee")]) * units + np.tile(
        columns["asset"], 2
    )
    change = np.concatenate([-columns["amount"], columns["amount"]])
    order = np.lexsort((np.tile(np.arange(size), 2), key))
    key, run = key[order], np.cumsum(change[order])
    first = np.searchsorted(key, np.arange(banks * units))
    before = np.where(first > 0, run[np.maximum(first - 1, 0)], 0)
    low = np.zeros(banks * units, np.int64)
    np.minimum.at(low, key, run - before[key])
    total = np.zeros(banks * units, np.int64)
    np.add.at(total, key, change[order])
    least = np.maximum(-total, 0)
    return (least + ((-low - least) * alpha).astype(np.int64)).astype(np.int64)


def _traffic(columns: dict[str, Int64], time_s: Int64, day: date, a_command: int) -> list[tuple[str, Command]]:
    """Return the submissions in order of time, and the runs of offsetting at the systems' interval."""
    every = min(system.offset_every_s for system in systems_on(day))
    opens, closes = int(time_s[0]), min(system.closes_s for system in systems_on(day))
    found: list[tuple[str, Command]] = [(f"payments/{day}/{opens}", RunPayments(opens))]
    start, run = 0, opens // every * every + every
    while start < time_s.size:
        stop = min(start + a_command, int(np.searchsorted(time_s, run)))
        if (
            stop < time_s.size
            and stop > start
            and columns["pair"][stop]
            and columns["pair"][stop - 1] == columns["pair"][stop]
        ):
            stop -= 1  # a pair is not parted
        if stop > start:
            part = {name: pack(column[start:stop], COLUMNS[name][0]) for name, column in columns.items()}
            second = int(time_s[stop - 1])
            found.append((f"payments/{day}/from-{start}", SubmitPayments("simulated", "", second, part)))
            start = stop
        if start < time_s.size and int(time_s[start]) >= run and run < closes:
            found.append((f"payments/{day}/offset-{run}", RunPayments(run, "multilateral")))
            run += every
    last = int(time_s[-1])
    return [*found, (f"payments/{day}/offset-last", RunPayments(last, "multilateral"))]


@dataclass(frozen=True, slots=True)
class CashOnly:
    """The cash legs of an instance: payments in order, and what every party starts with (cents)."""

    payer: Int64
    payee: Int64
    amount: Int64
    priority: Int64
    balance: Int64


def cash_only(instance: Instance) -> CashOnly:
    """Return an instance's instructions against payment as payments of the buyers; its balances of money alone."""
    paid = [order for order in instance.orders if order[4]]
    parties = 1 + max((max(order[0], order[1]) for order in instance.orders), default=-1)
    balance = np.zeros(parties, np.int64)
    for account, cents in instance.balances.items():
        if account[0] == "c":
            balance[account[1]] = cents
    columns = np.array([(buyer, seller, cash, priority) for seller, buyer, _, _, cash, priority in paid], np.int64)
    payer, payee, amount, priority = columns.reshape(-1, 4).T
    return CashOnly(payer.copy(), payee.copy(), amount.copy(), priority.copy(), balance)
