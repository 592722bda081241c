"""Renminbi statistics from the books: a house's journal is carried out again, and what moved is added up.

Turnover and duty come from the captured trades, payments from what each command says it settled, the pool and what is
in issue from the ledger. Nothing is estimated; what the books do not hold is not in the table.
"""

from __future__ import annotations

import csv
import io
from collections import Counter as Count
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np

from tsingma.app.session import Session, open_store
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.trades import from_command
from tsingma.economy.renminbi.statistics import Measure, Statistics, StatisticsRow
from tsingma.engine.house import FX_UNIT_E6, House
from tsingma.engine.step import step
from tsingma.engine.tariff import charges_of
from tsingma.journal import events
from tsingma.journal.commands import CaptureTrades, decode
from tsingma.reference.book import InstrumentKind, Market, ParticipantKind

HEADER = ("measure", "key", "currency", "amount", "count")
STAMP_DUTY = "stamp duty"
_SETTLED = (("paid_in", "net money"), ("settled", "instructions"), ("gross_settled", "instructions"))
_MAINLAND = (Market.XSHG, Market.XSHE)

_Sums = Count[tuple[Measure, str, str]]


class _Books:
    """What was added up so far."""

    def __init__(self) -> None:
        self.house = House()
        self.amounts: _Sums = Count()
        self.counts: _Sums = Count()
        self.days: list[int] = []
        self.opening: dict[str, int] = {}

    def add(self, measure: Measure, key: str, currency: str, amount: int, count: int) -> None:
        """Add to one figure; keys with nothing to count are left out."""
        if count:
            self.amounts[measure, key, currency] += amount
            self.counts[measure, key, currency] += count

    def trades(self, command: CaptureTrades) -> None:
        """Add turnover, duty and net purchases through the link of captured trades, counter by counter."""
        book, trades = self.house.resolved, from_command(command)
        cents = trades.amount_cents()
        kinds = np.array([book.book.participants[number].kind is ParticipantKind.LINK
                          for number in book.account_participant])  # fmt: skip
        bought, sold = kinds[trades.buyer], kinds[trades.seller]
        for counter in np.unique(trades.counter).tolist():
            here = trades.counter == counter
            of = book.book.counters[counter]
            self.add(Measure.TURNOVER, of.code, of.currency, int(cents[here].sum()), int(here.sum()))
            through = here & (bought != sold)
            net = int(np.where(bought, cents, -cents)[through].sum())
            if of.market in _MAINLAND:
                self.add(Measure.NORTHBOUND, of.code, of.currency, -net, int(through.sum()))
            else:
                self.add(Measure.SOUTHBOUND, of.code, of.currency, net, int(through.sum()))
        for one in charges_of(self.house, trades):
            if one.line == STAMP_DUTY:
                for counter in np.unique(trades.counter[one.place]).tolist():
                    here = trades.counter[one.place] == counter
                    code = book.book.counters[counter].code
                    self.add(Measure.DUTY, code, one.currency, int(one.amount_cents[here].sum()), int(here.sum()))

    def payments(self, event: events.Event) -> None:
        """Add the money that an event says settled, per currency."""
        if isinstance(event, events.SettledTogether):
            for unit, currency in enumerate(CURRENCIES):
                self.add(Measure.PAYMENTS, "settled together", currency, event.amount_cents[unit], event.settled)
        if isinstance(event, events.DayClosed):
            for currency in CURRENCIES:
                amount = event.figures.get(f"payments_settled_{currency}_cents", 0)
                self.add(Measure.PAYMENTS, "gross payments", currency, amount, int(amount > 0))
        if isinstance(event, events.StepRun | events.InstructionsSettled):
            for currency in CURRENCIES:
                for name, key in _SETTLED:
                    amount = event.figures.get(f"{name}_{currency}_cents", 0)
                    self.add(Measure.PAYMENTS, key, currency, amount, int(amount > 0))

    def in_issue(self) -> dict[str, int]:
        """Return the face in issue of every bond in renminbi, by ISIN: what its issuer's account is below zero."""
        book, ledger = self.house.resolved, self.house.ledger
        found = {}
        for security, isin in enumerate(book.securities):
            counter = book.book.counters[book.settlement_counter[security]]
            if counter.currency == "CNY" and counter.kind is InstrumentKind.BOND:
                row = ledger.find(self.house.internal.issuer, book.asset_of_security(security))
                found[isin] = -int(ledger.balance[row]) if row >= 0 else 0
        return found

    def standing(self) -> None:
        """Add the pool by holder and what is in issue, as the books stand."""
        book, ledger = self.house.resolved, self.house.ledger
        for unit, currency in enumerate(CURRENCIES):
            rows = np.flatnonzero((ledger.asset == unit) & (ledger.balance > 0))
            for row in rows.tolist():
                kind = book.book.participants[book.account_participant[ledger.owner[row]]].kind
                self.add(Measure.POOL, str(kind), currency, int(ledger.balance[row]), 1)
        for isin, amount in self.in_issue().items():
            self.add(Measure.OUTSTANDING, isin, "CNY", amount, 1)
            self.add(Measure.ISSUED, isin, "CNY", amount - self.opening.get(isin, 0), 1)


def renminbi_statistics(house: Path | str) -> Statistics:
    """Return the statistics of all days of a house, which may be in use; raises Rejected (missing) without a day."""
    books = _Books()
    with closing(open_store(house, read_only=True)) as store:
        for record in store.read(0):
            command = decode(record.body)
            before = books.house.position.day
            answer = step(books.house, command)
            if isinstance(answer, events.Refused):
                continue
            if isinstance(command, CaptureTrades):
                books.trades(command)
            if books.house.position.day != before:
                if not books.days:
                    books.opening = books.in_issue()
                books.days.append(books.house.position.day)
            for event in answer.events:
                books.payments(event)
    if not books.days:
        raise refuse(RejectionReason.MISSING, "no day was opened", file=str(house), remedy="run a day first")
    books.standing()
    order = list(Measure)
    keys = sorted(books.counts, key=lambda key: (order.index(key[0]), key[2], key[1]))
    rows = tuple(StatisticsRow(*key, books.amounts[key], books.counts[key]) for key in keys)
    first, last = to_date(books.days[0]), to_date(books.days[-1])
    return Statistics(first=str(first), last=str(last), days=len(books.days), rows=rows)


def to_csv(found: Statistics) -> str:
    """Return the rows as CSV with a header; ``amount`` is in cents."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows((row.measure, row.key, row.currency, row.amount, row.count) for row in found.rows)
    return out.getvalue()


class DualTurnover(msgspec.Struct, frozen=True):
    """Turnover of the securities that trade in HKD and renminbi, one side, HKD cents at the last day's rate."""

    securities: int
    hkd_cents: int
    renminbi_cents: int


def dual_turnover(house: Path | str, found: Statistics) -> DualTurnover:
    """Return the turnover of dual counters that statistics of a house show."""
    with Session.open(house, read_only=True) as session:
        books = session.house
    turnover = {row.key: row.amount for row in found.rows if row.measure is Measure.TURNOVER}
    counters: dict[str, dict[str, int]] = {}
    for counter in books.resolved.book.counters:
        counters.setdefault(counter.isin, {})[counter.currency] = turnover.get(counter.code, 0)
    both = [one for one in counters.values() if {"HKD", "CNY"} <= one.keys()]
    renminbi = sum(one["CNY"] for one in both) * books.fx_e6[CURRENCIES.index("CNY")] // FX_UNIT_E6
    return DualTurnover(len(both), sum(one["HKD"] for one in both), renminbi)
