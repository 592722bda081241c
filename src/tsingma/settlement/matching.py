"""Finding the two orders that describe one instruction.

Mandatory fields are equal (delivery against receipt), additional ones too where either side fills them, optional ones
where both do; settlement amounts may differ by the tolerance of their currency. Of several candidates the one with the
smallest difference is taken, then the one whose entry is closest; what moves is the deliverer's amount.
Source: T2S UDFS R2026.JUN, section 1.6.1.2.3 with diagrams 55 to 57 and table 57.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.settlement.growing import Column
from tsingma.settlement.instruction import DVP, DWP, PFOD
from tsingma.settlement.many import MANDATORY, match_many
from tsingma.settlement.orders import WAITING, Orders
from tsingma.settlement.rules import Rules

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FEW = 8  # orders for each that came in, above which keys are looked up instead of sorted
ONE_BY_ONE = 8  # orders of one key that came in, up to which each goes through those that wait
GROUPS_ALONE = 64  # keys of three orders or more, up to which each is looked at for itself


def match(orders: Orders, fresh: Int64, rules: Rules) -> tuple[Int64, Int64]:
    """Return pairs (deliverer's order, receiver's order) among waiting orders, each with one of ``fresh`` or both.

    ``fresh`` are the numbers of orders that came in last, ascending; nothing is changed.
    """
    table = orders.table
    waiting = _candidates(orders, fresh)
    if waiting.size < 2:
        return fresh[:0], fresh[:0]
    waiting = waiting[np.argsort(table["key"][waiting], kind="stable")]
    key = table["key"][waiting]
    start = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])[: key.size]).astype(np.int64)
    size = np.diff(start, append=key.size)
    is_fresh = waiting >= fresh[0]
    pairs = []
    two = start[size == 2]
    if two.size:
        first, second = waiting[two], waiting[two + 1]
        agreed = (is_fresh[two] | is_fresh[two + 1]) & compatible(table, first, second, rules)
        pairs.append(np.stack([first[agreed], second[agreed]]))
    for place in np.flatnonzero(size > 2).tolist() if (size > 2).sum() <= GROUPS_ALONE else ():
        group = waiting[start[place] : start[place] + size[place]]
        pairs.append(_of_group(table, group, int(fresh[0]), rules))
    if (size > 2).sum() > GROUPS_ALONE:
        many = np.repeat(size > 2, size)
        pairs.append(match_many(table, waiting[many], is_fresh[many], rules))
    if not pairs:
        return fresh[:0], fresh[:0]
    both = np.concatenate(pairs, axis=1)
    delivers = table["delivers"][both[0]] != 0
    deliverer, receiver = np.where(delivers, both[0], both[1]), np.where(delivers, both[1], both[0])
    entry = np.argsort(np.maximum(deliverer, receiver), kind="stable")
    return deliverer[entry], receiver[entry]


def _candidates(orders: Orders, fresh: Int64) -> Int64:
    """Return the fresh orders that may find another one, and the waiting ones they may find."""
    table = orders.table
    if FEW * fresh.size >= len(orders):  # many among few: sorting all is cheaper than looking each up
        return np.flatnonzero(table["status"] == WAITING).astype(np.int64)
    facing = orders.facing(fresh)
    facing = facing[facing < fresh[0]]
    delivers = table["delivers"][fresh] != 0
    if delivers.all() or not delivers.any():  # none of them faces another
        fresh = fresh[np.isin(table["key"][fresh], table["key"][facing])] if facing.size else fresh[:0]
    return np.concatenate([facing, fresh])


def _of_group(table: dict[str, Column], group: Int64, first_fresh: int, rules: Rules) -> Int64:
    """Return the pairs [2, n] of orders with one key: a few that came in face many at once, or drawers are filled."""
    group = np.sort(group)
    fresh = group[group >= first_fresh]
    if fresh.size > ONE_BY_ONE:
        return match_many(table, group, group >= first_fresh, rules)
    waiting, pairs = group[: group.size - fresh.size], []
    for number in fresh.tolist():
        agreed = waiting[compatible(table, waiting, np.full(waiting.size, number), rules)]
        if agreed.size:
            apart = np.abs(table["amount_cents"][agreed] - table["amount_cents"][number])
            taken = int(agreed[apart == apart.min()][-1])  # of equally near the last to come
            pairs.append((taken, number))
            waiting = waiting[waiting != taken]
        else:
            waiting = np.append(waiting, number)
    return np.array(pairs, np.int64).reshape(-1, 2).T


def compatible(table: dict[str, Column], left: Int64, right: Int64, rules: Rules) -> Bools:
    """Return for pairs of orders whether they may match (all fields, and the amounts within the tolerance)."""
    agreed = table["delivers"][left] != table["delivers"][right]
    agreed &= table["participant"][left] == table["counterparty"][right]
    agreed &= table["participant"][right] == table["counterparty"][left]
    for name in MANDATORY:
        agreed &= table[name][left] == table[name][right]
    if table["common_reference"].any():
        agreed &= _either_blank(table["common_reference"][left], table["common_reference"][right], 0)
    for asked, given, blank in (("counterparty_account", "account", -1), ("counterparty_client", "client", 0)):
        if (table[asked] == blank).all():
            continue
        for mine, theirs in ((left, right), (right, left)):
            agreed &= _either_blank(table[asked][mine], table[given][theirs], blank)
    difference = np.abs(table["amount_cents"][left] - table["amount_cents"][right])
    within: Bools = agreed & (difference <= _tolerance(table, left, right, rules))
    return within


def _tolerance(table: dict[str, Column], left: Int64, right: Int64, rules: Rules) -> Int64:
    """Return the tolerance in cents, by the deliverer's amount; none where no money is paid for securities."""
    deliverer = np.where(table["delivers"][left] != 0, left, right)
    currency = np.maximum(table["currency"][deliverer], 0)
    small = table["amount_cents"][deliverer] <= rules.tolerance_band_cents[currency]
    cents = np.where(small, rules.tolerance_up_to_cents[currency], rules.tolerance_above_cents[currency])
    return np.where(np.isin(table["kind"][left], (DVP, DWP, PFOD)), cents, 0).astype(np.int64)


def _either_blank(left: Column, right: Column, blank: int) -> Bools:
    agreed: Bools = (left == right) | (left == blank) | (right == blank)
    return agreed
