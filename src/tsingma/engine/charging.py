"""Fees, levies and duties of the day: accrued per account, line and currency; collected in money at day end."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.ledger.ledger import Ledger

Int64 = npt.NDArray[np.int64]

_LINE_LIMIT = 256  # charge lines known to the tariff at once; far above the dated tables


@dataclass(frozen=True, slots=True)
class Collection:
    """What one collection did: cents per house currency taken, and still owed."""

    collected_cents: tuple[int, ...]
    owed_cents: tuple[int, ...]


class ChargeBook:
    """Accrued charges keyed (account, line, currency), and what accounts still owe the house."""

    def __init__(self) -> None:
        """Start with nothing accrued."""
        self._lines: list[str] = []
        self._key: Int64 = np.zeros(0, np.int64)
        self._accrued_cents: Int64 = np.zeros(0, np.int64)
        self._owed_key: Int64 = np.zeros(0, np.int64)  # account * currencies + currency
        self._owed_cents: Int64 = np.zeros(0, np.int64)

    def accrue(
        self, line: str, account: npt.NDArray[np.int32], currency: npt.NDArray[np.int8], amount_cents: Int64
    ) -> None:
        """Add one charge line for many trades: account i4[n], currency i1[n] (index), amount_cents i8[n] >= 0."""
        if line not in self._lines:
            if len(self._lines) == _LINE_LIMIT:
                raise ValueError(f"more than {_LINE_LIMIT} charge lines")
            self._lines.append(line)
        if not account.size:
            return
        place = account.astype(np.int64) * len(CURRENCIES) + currency
        sums = np.zeros(int(place.max()) + 1, np.int64)  # dense: far fewer accounts than trades
        np.add.at(sums, place, amount_cents)
        place = np.flatnonzero(sums)
        owner, unit = np.divmod(place, len(CURRENCIES))
        key = (owner * _LINE_LIMIT + self._lines.index(line)) * len(CURRENCIES) + unit
        self._key, self._accrued_cents = _merge(self._key, self._accrued_cents, key, sums[place])

    def by_line(self) -> dict[tuple[str, str], int]:
        """Return the day's accrued cents by (line, currency), in order of line name."""
        totals: dict[tuple[str, str], int] = {}
        for key, amount in zip(self._key.tolist(), self._accrued_cents.tolist(), strict=True):
            name = (self._lines[key // len(CURRENCIES) % _LINE_LIMIT], CURRENCIES[key % len(CURRENCIES)])
            totals[name] = totals.get(name, 0) + amount
        return dict(sorted(totals.items()))

    def rows(self) -> list[tuple[int, str, str, int]]:
        """Return the day's accrued charges as (account, line, currency, cents), ordered by account and line."""
        decoded = []
        for key, amount in zip(self._key.tolist(), self._accrued_cents.tolist(), strict=True):
            rest, currency = divmod(key, len(CURRENCIES))
            account, line = divmod(rest, _LINE_LIMIT)
            decoded.append((account, self._lines[line], CURRENCIES[currency], amount))
        return sorted(decoded)

    def collect(self, ledger: Ledger, receiver: int) -> Collection:
        """Move what is accrued or owed from each account's money to ``receiver``; the uncovered stays owed.

        A charge is taken whole per account and currency or not at all, so that a statement shows one booking.
        """
        rest, currency = np.divmod(self._key, len(CURRENCIES))
        due_key = rest // _LINE_LIMIT * len(CURRENCIES) + currency
        self._owed_key, self._owed_cents = _merge(self._owed_key, self._owed_cents, due_key, self._accrued_cents)
        owner, asset = np.divmod(self._owed_key, len(CURRENCIES))
        debit = ledger.rows(owner.astype(np.int32), asset.astype(np.int32))
        credit = ledger.rows(np.full(asset.size, receiver, np.int32), asset.astype(np.int32))
        due = self._owed_cents > 0
        result = np.full(due.size, 1, np.int8)
        result[due] = ledger.post(debit[due], credit[due], self._owed_cents[due])
        paid = result == 0
        collection = Collection(
            _per_currency(asset[paid], self._owed_cents[paid]), _per_currency(asset[~paid], self._owed_cents[~paid])
        )
        keep = ~paid & due
        self._owed_key, self._owed_cents = self._owed_key[keep], self._owed_cents[keep]
        return collection

    def clear_day(self) -> None:
        """Forget the accrued lines of the day; what is owed stays."""
        self._key = np.zeros(0, np.int64)
        self._accrued_cents = np.zeros(0, np.int64)

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings."""
        return {
            "lines": msgspec.msgpack.encode(self._lines),
            "key": self._key.tobytes(),
            "accrued_cents": self._accrued_cents.tobytes(),
            "owed_key": self._owed_key.tobytes(),
            "owed_cents": self._owed_cents.tobytes(),
        }

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump."""
        self._lines = msgspec.msgpack.decode(parts["lines"], type=list[str])
        self._key = np.frombuffer(parts["key"], np.int64).copy()
        self._accrued_cents = np.frombuffer(parts["accrued_cents"], np.int64).copy()
        self._owed_key = np.frombuffer(parts["owed_key"], np.int64).copy()
        self._owed_cents = np.frombuffer(parts["owed_cents"], np.int64).copy()


def _merge(old_key: Int64, old_amount: Int64, key: Int64, amount: Int64) -> tuple[Int64, Int64]:
    """Return sorted keys with the sums of both sides."""
    keys, place = np.unique(np.concatenate([old_key, key]), return_inverse=True)
    sums = np.zeros(keys.size, np.int64)
    np.add.at(sums, place, np.concatenate([old_amount, amount]))
    return keys, sums


def _per_currency(asset: Int64, amount: Int64) -> tuple[int, ...]:
    return tuple(int(amount[asset == currency].sum()) for currency in range(len(CURRENCIES)))
