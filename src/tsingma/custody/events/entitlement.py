"""Who is entitled at the record date, and which options the shares of each account take.

The trade date decides: an account is entitled on what it holds plus what it has bought cum and not yet received, less
what it has sold cum and not yet delivered. What it holds includes stock on hold, pledged and reserved; stock lent or
sold with a return leg is the borrower's, and its return leg is pending like any other delivery. Positions pending
with the central counterparty choose like settled ones; who is short owes what the longs have chosen (buyer
protection), so that the central counterparty stays flat in every option.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tsingma.basics.rejection import InvariantBroken
from tsingma.custody.events.apportion import apportion


class Entitled(msgspec.Struct, frozen=True):
    """One account at the record date: shares settled, and pending with the central counterparty (to receive +)."""

    account: int
    settled: int
    pending: int

    @property
    def total(self) -> int:
        """Shares on which the account is entitled; negative for one that has sold what it never had."""
        return self.settled + self.pending


class Chosen(msgspec.Struct, frozen=True):
    """Per account and option: ``direct`` of settled shares, ``claims`` of pending ones (receives +, owes -)."""

    direct: tuple[tuple[int, ...], ...]
    claims: tuple[tuple[int, ...], ...]


def entitled_accounts(settled: Mapping[int, int], pending: Mapping[int, int]) -> tuple[Entitled, ...]:
    """Return the accounts with something settled or pending, by number.

    Raises InvariantBroken when what is pending with the central counterparty does not cancel out.
    """
    if sum(pending.values()):
        raise InvariantBroken(f"pending positions of the central counterparty sum to {sum(pending.values())}")
    rows = (Entitled(one, settled.get(one, 0), pending.get(one, 0)) for one in sorted({*settled, *pending}))
    return tuple(row for row in rows if row.settled or row.pending)


def choose(rows: Sequence[Entitled], elections: Mapping[tuple[int, int], int], default: int, options: int) -> Chosen:
    """Return which option every share takes; ``elections`` are shares by (account, option), the rest is default.

    Shares of an account that is partly pending are split over settled and pending in proportion. Shorts mirror the
    options of the longs, one after another, each in proportion to what is left.
    """
    direct: list[list[int]] = []
    claims: list[list[int]] = []
    for row in rows:
        kept = max(row.total, 0)
        chosen = [elections.get((row.account, option), 0) for option in range(options)]
        chosen[default] += kept - sum(chosen)
        own = apportion(min(row.settled, kept), chosen)
        direct.append(own)
        claims.append([all_of - part for all_of, part in zip(chosen, own, strict=True)])
    left = [sum(row[option] for row in claims) for option in range(options)]
    for place, row in enumerate(rows):
        if row.pending >= 0:
            continue
        mirrored = apportion(-row.pending, left)
        left = [before - part for before, part in zip(left, mirrored, strict=True)]
        covered = apportion(min(row.settled, -row.pending), mirrored)  # held today, owed to those who bought it
        direct[place] = [own + part for own, part in zip(direct[place], covered, strict=True)]
        claims[place] = [-part for part in mirrored]
    if any(left):
        raise InvariantBroken("the longs of the central counterparty chose more than its shorts owe")
    return Chosen(tuple(map(tuple, direct)), tuple(map(tuple, claims)))
