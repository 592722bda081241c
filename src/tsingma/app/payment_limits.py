"""Payers' limits from the desk: set one, and what limits do to a simulated day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec
import numpy as np

from tsingma.app.payments import house_time
from tsingma.app.session import Session
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.journal.payment_commands import SetPaymentLimit
from tsingma.journal.payment_events import PaymentLimitSet
from tsingma.kernels.payments import SETTLED
from tsingma.settlement.gross_money.limits import ALL_OTHERS
from tsingma.simulate.payments import FIRST_BANK, payment_day

SHARE_E4 = 10_000


class LimitEffect(msgspec.Struct, frozen=True, kw_only=True):
    """One simulated day under a limit on what each account lets out net to all others; amounts in cents.

    ``multiple`` of the account's opening money is the limit (None: no limit); ``usage_cents`` the sum over accounts of
    the largest net amount out; ``waited_s`` the mean wait of what settled, weighted by value.
    """

    multiple: float | None
    payments: int
    settled_e4: int
    settled_value_e4: int
    usage_cents: int
    waited_s: int


def set_limit(
    house: Path | str, account: str, currency: str, payee: str, cents: int, participant: str
) -> PaymentLimitSet:
    """Set (or with cents below zero take away) an account's limit to a payee, or to all others when that is empty.

    Raises Rejected for an unknown account or money, or when the house refuses.
    """
    with Session.open(house) as session:
        if currency not in CURRENCIES:
            raise refuse(RejectionReason.UNKNOWN, f"no money '{currency}'", field="currency",
                         remedy=", ".join(CURRENCIES))  # fmt: skip
        command = SetPaymentLimit(
            participant, _account(session.house, account), CURRENCIES.index(currency),
            _account(session.house, payee) if payee else ALL_OTHERS, cents, house_time(session.house),
        )  # fmt: skip
        (answer,) = session.submit([(f"payments/limit-after-{session.sequencer.sequence}", command)])
        (event,) = (event for event in answer.events if isinstance(event, PaymentLimitSet))
        return event


def _account(house: House, name: str) -> int:
    book = house.resolved
    for place in range(book.account_participant.size):
        if book.account_name(place) == name:
            return place
    raise refuse(RejectionReason.UNKNOWN, f"no account '{name}'", field="account", remedy="such as BANK001/HOUSE")


def limit_effects(
    day: date, count: int, multiples: Sequence[float], *, seed: int, banks: int, alpha: float
) -> tuple[LimitEffect, ...]:
    """Return the same seeded day without limits and under each multiple; nothing is kept."""
    return tuple(_effect(day, count, multiple, seed=seed, banks=banks, alpha=alpha) for multiple in (None, *multiples))


def _effect(day: date, count: int, multiple: float | None, *, seed: int, banks: int, alpha: float) -> LimitEffect:
    made = payment_day(seed, day, count, banks=banks, alpha=alpha)
    with Session.in_memory() as session:
        for name, command in made.opening:
            session.once(name, lambda command=command: command)  # type: ignore[misc]
        for name, command in _limits(session.house, banks, multiple):
            session.once(name, lambda command=command: command)  # type: ignore[misc]
        for name, command in made.traffic:
            session.once(name, lambda command=command: command)  # type: ignore[misc]
        money, ledger = session.house.money, session.house.ledger
        table = money.payments.table
        done, amount = table["status"] == SETTLED, table["amount"]
        value = int(amount[done].sum())
        waits = (table["ended_s"][done] - table["submitted_s"][done]).astype(np.int64).tolist()
        waited = sum(wait * cents for wait, cents in zip(waits, amount[done].tolist(), strict=True))
        return LimitEffect(
            multiple=multiple, payments=int(done.size), settled_e4=int(done.sum()) * SHARE_E4 // max(done.size, 1),
            settled_value_e4=value * SHARE_E4 // max(int(amount.sum()), 1),
            usage_cents=int(money.liquidity(ledger).figures["usage"].sum()), waited_s=waited // max(value, 1),
        )  # fmt: skip


def _limits(house: House, banks: int, multiple: float | None) -> list[tuple[str, SetPaymentLimit]]:
    """Return a limit to all others for every account and money of the simulated banks."""
    if multiple is None:
        return []
    found = []
    for bank in range(banks):
        account = FIRST_BANK + bank
        code = house.resolved.book.participants[int(house.resolved.account_participant[account])].code
        for unit in range(len(CURRENCIES)):
            row = house.ledger.find(account, unit)
            opening = int(house.ledger.balance[row]) if row >= 0 else 0
            command = SetPaymentLimit(code, account, unit, ALL_OTHERS, round(opening * multiple), 0)
            found.append((f"limit/{account}/{unit}", command))
    return found
