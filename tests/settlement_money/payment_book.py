"""A house of banks with money in four currencies, and short ways to pay."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from clearing_book import MONDAY, book

from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.engine.house import House
from tsingma.engine.payments import COLUMNS
from tsingma.engine.step import step
from tsingma.journal.commands import Command, DepositAssets, LoadReference, OpenDay
from tsingma.journal.events import Accepted, Event, Refused
from tsingma.journal.payment_commands import RunPayments, SubmitPayments
from tsingma.reference.book import Account, AccountClass, Participant, ParticipantKind, ReferenceBook

HKD, CNY, USD, EUR = range(len(CURRENCIES))
BOND = len(CURRENCIES) + 1  # securities in ISIN order: CNE0000018R8, HK0000096088, KYG875721634
OPEN_S, NOON_S, CLOSE_S = 30_600, 43_200, 66_600
BANKS = 4
FIRST = 8  # the first bank's account: those of the clearing book come before
BANK_ACCOUNTS = tuple(range(FIRST, FIRST + BANKS))
B1, B2, B3, B4 = BANK_ACCOUNTS


def banks_book(banks: int = BANKS) -> ReferenceBook:
    """Return the clearing book with more banks, one account each."""
    plain = book()
    codes = [f"BANK{place + 1}" for place in range(banks)]
    kind, house = ParticipantKind.CUSTODIAN, AccountClass.HOUSE
    return msgspec.structs.replace(
        plain,
        participants=(*plain.participants, *(Participant(code=code, name=code, kind=kind) for code in codes)),
        accounts=(*plain.accounts, *(Account(participant=code, account_class=house) for code in codes)),
    )


def deposit(*rows: tuple[int, int, int]) -> DepositAssets:
    """Return deposits of (account, asset, amount)."""
    owner, asset, amount = zip(*rows, strict=True)
    return DepositAssets(pack(owner, "i4"), pack(asset, "i4"), pack(amount, "i8"))


def opened(*deposits: tuple[int, int, int], day: int = MONDAY, banks: int = BANKS, second: int = NOON_S) -> House:
    """Return a house at noon of an open day."""
    house = House()
    accept(house, LoadReference(banks_book(banks)))
    if deposits:
        accept(house, deposit(*deposits))
    accept(house, OpenDay(day))
    accept(house, RunPayments(second))
    return house


def accept(house: House, command: Command) -> tuple[Event, ...]:
    """Carry a command out and return its events."""
    answer = step(house, command)
    assert isinstance(answer, Accepted), answer
    return answer.events


def refused(house: House, command: Command) -> str:
    """Return why a command is refused; nothing may have changed."""
    before = house.digest()
    answer = step(house, command)
    assert isinstance(answer, Refused), answer
    assert house.digest() == before
    return str(answer.rejections[0])


def pay(
    *rows: tuple[int, int, int, int], second: int = NOON_S, participant: str = "", **more: Sequence[int]
) -> SubmitPayments:
    """Return payments of (payer, payee, asset, amount)."""
    columns = dict(zip(("payer", "payee", "asset", "amount"), zip(*rows, strict=True), strict=True))
    columns.update(more)
    return SubmitPayments(
        "test", participant, second, {name: pack(list(column), COLUMNS[name][0]) for name, column in columns.items()}
    )


def exchange(first: tuple[int, int, int], second: tuple[int, int, int], at: int = NOON_S) -> SubmitPayments:
    """Return a pair: (payer, asset, amount) of each side."""
    (one, asset, amount), (other, against, price) = first, second
    return pay((one, other, asset, amount), (other, one, against, price), second=at, pair=[1, 1])


def balance(house: House, account: int, asset: int) -> int:
    """Return what stands on an account."""
    row = house.ledger.find(account, asset)
    return int(house.ledger.balance[row]) if row >= 0 else 0


def statuses(house: House) -> list[int]:
    """Return the status of every payment of the day."""
    return [int(status) for status in np.asarray(house.money.payments.table["status"])]


def run_day(commands: Sequence[tuple[str, Command]], house: House | None = None) -> House:
    """Carry commands out one after the other."""
    made = House() if house is None else house
    for _, command in commands:
        accept(made, command)
    return made
