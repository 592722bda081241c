"""Intraday liquidity of a day, per account and currency: the monitoring tools of the Basel Committee, from the books.

Source: BCBS 248, Monitoring tools for intraday liquidity management (April 2013): A(i) daily maximum usage, the largest
net cumulative position out and in, the three largest days and their mean; A(ii) what is available at the start of the
day; A(iii) total payments; A(iv) time-specific obligations; B(i) value of payments on behalf of correspondent
customers; C(i) throughput, by hour. B(ii), credit lines a bank grants its customers, is not in a settlement system's
books. Payments that settle at one instant count on their net. What else moves an account (deliveries against payment,
deposits, small payments) is in the running position, between the instants where it was noticed; intraday repo is not:
it is liquidity, not use of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.kernels.payments import SETTLED
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.gross_money.queue import PaymentBook
from tsingma.settlement.growing import Growing

Int64 = npt.NDArray[np.int64]

HOUR_S, HOURS = 3_600, 30  # a system may run to five in the next morning
LARGEST = 3
SHARE_E4 = 10_000
FIGURES: tuple[str, ...] = (
    "usage", "surplus", "opening", "sent", "received", "sent_count", "received_count", "timed", "timed_cents",
    "missed", "missed_cents", "on_behalf", "other_in", "other_out",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Liquidity:
    """Figures of a day, one an account and currency: ``figures`` by name i8[n] (cents, numbers), ``hourly`` i8[n, 30].

    ``usage`` is how far the running sum of what came in less what went out went below zero, ``surplus`` how far above;
    ``timed`` are payments with a time by which they are due, ``missed`` those that settled later or not at all.
    """

    account: Int64
    currency: Int64
    figures: dict[str, Int64]
    hourly: Int64


class OtherMoves(Growing):
    """What moved money rows beside payments and repo: after which instant (``turn``), cents in (out: negative)."""

    def __init__(self) -> None:
        """Start without any."""
        super().__init__({"turn": "i4", "row": "i4", "cents": "i8"}, subject="other movements of money")


def liquidity(payments: PaymentBook, ledger: Ledger, opening: Int64, others: OtherMoves) -> Liquidity:
    """Return the figures of every money row that paid, was paid, had to or moved; ``opening`` is cents per ledger row.

    Raises nothing: a day without payments has no figures.
    """
    table = payments.table
    money = ledger.asset < len(CURRENCIES)
    used = np.zeros(ledger.count, np.bool_)
    used[table["debit"]] = used[table["credit"]] = used[others.table["row"]] = True
    rows = np.flatnonzero(used & money & (ledger.floor == 0))
    place = np.full(ledger.count, -1, np.int64)
    place[rows] = np.arange(rows.size)
    done = table["status"] == SETTLED
    figures = {name: np.zeros(rows.size, np.int64) for name in FIGURES}
    known = rows < opening.size
    figures["opening"][known] = opening[rows[known]]
    _sums(table, place, done, figures)
    moved, cents = place[others.table["row"]], others.table["cents"]
    np.add.at(figures["other_in"], moved[cents > 0], cents[cents > 0])
    np.add.at(figures["other_out"], moved[cents < 0], -cents[cents < 0])
    figures["usage"], figures["surplus"] = _extremes(_changes(table, done, others.table, place), rows.size)
    hourly = np.zeros((rows.size, HOURS), np.int64)
    sent = np.flatnonzero(done & (place[table["debit"]] >= 0))
    hour = np.minimum(table["ended_s"][sent] // HOUR_S, HOURS - 1)
    np.add.at(hourly, (place[table["debit"][sent]], hour), table["amount"][sent])
    return Liquidity(ledger.owner[rows].astype(np.int64), ledger.asset[rows].astype(np.int64), figures, hourly)


def _sums(
    table: dict[str, npt.NDArray[np.signedinteger]],
    place: Int64,
    done: npt.NDArray[np.bool_],
    figures: dict[str, Int64],
) -> None:
    amount = table["amount"].astype(np.int64)
    timed = table["due_s"] >= 0
    missed = timed & ~(done & (table["ended_s"] <= table["due_s"]))
    one = np.ones(amount.size, np.int64)
    for name, side, chosen, value in (
        ("sent", "debit", done, amount), ("received", "credit", done, amount), ("sent_count", "debit", done, one),
        ("received_count", "credit", done, one), ("timed", "debit", timed, one),
        ("timed_cents", "debit", timed, amount),
        ("missed", "debit", missed, one), ("missed_cents", "debit", missed, amount),
        ("on_behalf", "debit", done & (table["on_behalf"] == 1), amount),
    ):  # fmt: skip
        here = place[table[side]]
        take = chosen & (here >= 0)
        np.add.at(figures[name], here[take], value[take])


def _changes(
    table: dict[str, npt.NDArray[np.signedinteger]],
    done: npt.NDArray[np.bool_],
    others: dict[str, npt.NDArray[np.signedinteger]],
    place: Int64,
) -> tuple[Int64, Int64, Int64]:
    """Return whose money changed (place), when and by how much: instants are even, what is between them odd."""
    amount, turn = table["amount"].astype(np.int64)[done], 2 * table["turn"].astype(np.int64)[done]
    rows = (table["debit"][done], table["credit"][done], others["row"])
    who = place[np.concatenate(rows)]
    when = np.concatenate([turn, turn, 2 * others["turn"].astype(np.int64) + 1])
    change = np.concatenate([-amount, amount, others["cents"]])
    return who[who >= 0], when[who >= 0], change[who >= 0]


def _extremes(changes: tuple[Int64, Int64, Int64], count: int) -> tuple[Int64, Int64]:
    """Return how far each running sum goes below and above zero, taken after every instant."""
    who, when, change = changes
    width = int(when.max(initial=0)) + 1
    keys, group = np.unique(who * width + when, return_inverse=True)
    step = np.zeros(keys.size, np.int64)
    np.add.at(step, group, change)
    owner, run = keys // width, np.cumsum(step)
    first = np.searchsorted(owner, np.arange(count))
    before = np.where(first > 0, np.concatenate([[0], run])[first], 0)
    position = run - before[owner]
    low, high = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.minimum.at(low, owner, position)
    np.maximum.at(high, owner, position)
    return -low, high


def throughput_e4(hourly: Int64) -> Int64:
    """Return the share of the day's outgoing payments settled by the end of each hour, e4 [n, 30], rounded down."""
    total = np.maximum(hourly.sum(axis=1, keepdims=True), 1)
    by_hour = [[sum(row[: hour + 1]) * SHARE_E4 // whole[0] for hour in range(HOURS)]
               for row, whole in zip(hourly.tolist(), total.tolist(), strict=True)]  # fmt: skip
    return np.array(by_hour, np.int64).reshape(hourly.shape)


class LiquidityDays(Growing):
    """The figures of days that are closed, one an account, currency and day; the last of them make the month."""

    def __init__(self) -> None:
        """Start without days."""
        types = {"day": "i4", "account": "i4", "currency": "i1", **dict.fromkeys(FIGURES, "i8")}
        super().__init__(types, subject="days of liquidity figures")

    def keep(self, day: int, figures: Liquidity) -> None:
        """Keep the figures of a day that closes."""
        columns = {
            "day": np.full(figures.account.size, day), "account": figures.account, "currency": figures.currency,
            **figures.figures,
        }  # fmt: skip
        self.append(figures.account.size, columns)

    def largest(self, account: int, currency: int, *, since: int) -> tuple[list[int], int]:
        """Return the three largest daily usages of an account from a day on, and their mean over its days (cents)."""
        table = self.table
        mine = (table["account"] == account) & (table["currency"] == currency) & (table["day"] >= since)
        usage = sorted(table["usage"][mine].tolist(), reverse=True)
        return usage[:LARGEST], sum(usage) // len(usage) if usage else 0
