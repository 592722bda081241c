"""A night batch with the shape of the T2S night-time performance test, drawn from one seed.

Source of the shape: 4CB, T2S Non Functional Tests: 3,619,467 instructions in the first night cycle, 67.5 % delivery
versus payment, 25 % free of payment, 7.5 % corporate actions, 90 % matched before the cycle and 10 % arriving in it; 60
participants with one account each, 240 securities. Amounts, Zipf weights and funding are those of
:mod:`tsingma.simulate.settlement`. Corporate actions come first and move, half and half, securities or money.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.journal.commands import DepositAssets
from tsingma.reference.book import (
    Account,
    AccountClass,
    Counter,
    InstrumentKind,
    Market,
    Participant,
    ParticipantKind,
    ReferenceBook,
    resolve,
)
from tsingma.settlement.batch import Batch
from tsingma.simulate.universe import invented_isin

Int64 = npt.NDArray[np.int64]

FIRST_CYCLE = 3_619_467
AGAINST_PAYMENT, FREE_OF_PAYMENT = 0.675, 0.25  # the rest are corporate actions
ARRIVING, WAVES = 0.1, 4
HIGH_SHARE = 0.1
RESERVED, HIGH, NORMAL = 0, 2, 3
OWN_ACCOUNTS = 5  # the house's own stand first in the book
COUNT_MAX = 10_000_000


def night_book(parties: int = 60, isins: int = 240) -> ReferenceBook:
    """Return the book of a night: invented participants with one account each, and invented securities."""
    own = (
        ("HKSCC", ParticipantKind.HOUSE, (AccountClass.CNS, AccountClass.HOUSE)),
        ("CHINACLEAR", ParticipantKind.LINK, (AccountClass.HOUSE,)),
        ("ISSUER", ParticipantKind.ISSUER, (AccountClass.ISSUANCE,)),
        ("BANK", ParticipantKind.SETTLEMENT_BANK, (AccountClass.ISSUANCE,)),
    )
    codes = [f"B{rank:05d}" for rank in range(1, parties + 1)]
    firms = [Participant(code=code, name=code, kind=kind) for code, kind, _ in own]
    firms += [Participant(code=code, name=f"Simulated {code}", kind=ParticipantKind.CUSTODIAN) for code in codes]
    accounts = [Account(participant=code, account_class=name) for code, _, names in own for name in names]
    accounts += [Account(participant=code, account_class=AccountClass.OMNIBUS) for code in codes]
    counters = [
        Counter(
            code=f"{place + 1:05d}", isin=invented_isin(place + 1), currency="HKD", kind=InstrumentKind.EQUITY,
            market=Market.XHKG, lot=1, tick_e4=1, settlement_counter=True, name=f"Simulated security {place + 1}",
        )
        for place in range(isins)
    ]  # fmt: skip
    return ReferenceBook(counters=tuple(counters), participants=tuple(firms), accounts=tuple(accounts))


def simulate_night(
    count: int, *, seed: int = 1, beta: float = 0.5, alpha: float = 0.0, short: float = 0.1
) -> tuple[ReferenceBook, DepositAssets, Batch]:
    """Return a book, the opening deposits and the instructions of a night; raises Rejected for a number out of range.

    ``alpha`` in 0..1 moves funding from the net need to the worst running overdraft; the share ``short`` of the
    accounts gets ``beta`` of it.
    """
    for field, value, low, high in (
        ("count", count, 1, COUNT_MAX), ("beta", beta, 0, 1), ("alpha", alpha, 0, 1), ("short", short, 0, 1),
    ):  # fmt: skip
        if not low <= value <= high:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{value} is not {low} to {high}", field=field)
    book = night_book()
    resolved = resolve(book)
    chance = np.random.Generator(np.random.PCG64([seed, 3]))
    night = _draw(count, len(resolved.book.accounts) - OWN_ACCOUNTS, len(resolved.securities), chance)
    width = len(CURRENCIES) + len(resolved.securities)
    need, worst = _needs(night, width)
    used = np.flatnonzero(need | worst)
    funded = np.where(chance.random(used.size) < short, beta, 1.0)
    balance = (funded * (need[used] + alpha * (worst[used] - need[used]))).astype(np.int64)
    used, balance = used[balance > 0], balance[balance > 0]
    deposits = DepositAssets(pack(used // width, "i4"), pack(used % width, "i4"), pack(balance, "i8"))
    return book, deposits, night


def _draw(count: int, parties: int, isins: int, chance: np.random.Generator) -> Batch:
    def zipf(size: int) -> npt.NDArray[np.float64]:
        weight = 1.0 / np.arange(1, size + 1)
        total: npt.NDArray[np.float64] = np.cumsum(weight) / weight.sum()
        return total

    by_party, by_isin = zipf(parties), zipf(isins)
    price = np.maximum((chance.lognormal(4, 1, isins) * 100).astype(np.int64), 1)
    seller = np.searchsorted(by_party, chance.random(count))
    buyer = np.searchsorted(by_party, chance.random(count))
    while (same := np.flatnonzero(buyer == seller)).size:
        buyer[same] = np.searchsorted(by_party, chance.random(same.size))
    security = np.searchsorted(by_isin, chance.random(count))
    quantity = np.maximum(chance.lognormal(4, 1.5, count).astype(np.int64), 1)
    kind, coin = chance.random(count), chance.random(count)
    against, action = kind < AGAINST_PAYMENT, kind >= AGAINST_PAYMENT + FREE_OF_PAYMENT
    money = action & (coin < 0.5)
    amount = np.where(against | money, quantity * price[security], 0)
    priority = np.where(action, RESERVED, np.where(coin < HIGH_SHARE, HIGH, NORMAL))
    wave = np.where(chance.random(count) < ARRIVING / (1 - action.mean()), chance.integers(1, WAVES + 1, count), 0)
    return Batch(
        reference=np.arange(1, count + 1),
        deliverer=seller + OWN_ACCOUNTS,
        receiver=buyer + OWN_ACCOUNTS,
        security=np.where(money, -1, security),
        quantity=np.where(money, 0, quantity),
        currency=np.zeros(count, np.int64),
        amount_cents=amount,
        priority=priority,
        arrival=np.where(action, 0, wave),
    )


def _needs(night: Batch, width: int) -> tuple[Int64, Int64]:
    """Return per (account, asset) what the night needs net, and its worst running overdraft in order of entry."""
    stock, money_only = night.security >= 0, night.security < 0
    asset = night.security + len(CURRENCIES)
    payer = np.where(money_only, night.deliverer, night.receiver)
    payee = np.where(money_only, night.receiver, night.deliverer)
    keys, changes, moments = [], [], []
    for owner, what, change, used in (
        (night.deliverer, asset, -night.quantity, stock), (night.receiver, asset, night.quantity, stock),
        (payer, night.currency, -night.amount_cents, night.amount_cents > 0),
        (payee, night.currency, night.amount_cents, night.amount_cents > 0),
    ):  # fmt: skip
        keys.append((owner * width + what)[used])
        changes.append(change[used])
        moments.append(night.reference[used])
    key, change = np.concatenate(keys), np.concatenate(changes)
    order = np.lexsort((np.concatenate(moments), key))
    key, running = key[order], np.cumsum(change[order])
    first = np.flatnonzero(np.diff(key, prepend=-1))
    last = np.append(first[1:], key.size) - 1
    before = np.concatenate([[0], running[last[:-1]]])
    size = (int(key[-1]) // width + 1) * width
    need, worst = np.zeros(size, np.int64), np.zeros(size, np.int64)
    need[key[first]] = np.maximum(before - running[last], 0)
    worst[key[first]] = np.maximum(before - np.minimum.reduceat(running, first), 0)
    return need, worst
