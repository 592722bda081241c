"""Commands in a row on the house: the same answers as one by one, with neighbours of a kind carried out in one pass.

Transfer commands and commands with a few orders are small, and the arrays take many as easily as one, so what costs is
the way there. They go together only when that cannot be told from one by one: transfers when every command is well
formed, every account known, every ledger row open already; orders as ``submit_together`` says. Otherwise they go one by
one. The proof of the ledger, which follows every command that goes alone, follows orders that go together once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import groupby

import numpy as np

from tsingma.engine.house import House
from tsingma.engine.step import settle_at_once, step
from tsingma.engine.submitting import submit_together
from tsingma.journal.commands import Command, PostTransfers, SubmitInstructions
from tsingma.journal.events import Accepted, Answer, TransfersPosted
from tsingma.kernels.postings import BOOKED

SMALL_BYTES_MAX = 8 * 4_096  # of a column of a command that goes together with others
TOGETHER_MAX = 1_024  # commands of orders in one pass
_WIDTHS = (("debit", 4), ("credit", 4), ("asset", 4), ("amount", 8), ("linked", 1))


def step_all(house: House, commands: Sequence[Command]) -> list[Answer]:
    """Carry out the commands in order and return their answers; raises InvariantBroken like ``step``."""
    answers: list[Answer] = []
    for row in _rows(commands):
        together: list[Answer] | None = None
        if len(row) > 1 and isinstance(row[0], PostTransfers):
            together = _post_together(house, row)
        elif len(row) > 1:
            together = _submit_together(house, row)
        answers.extend(together or [step(house, command) for command in row])
    return answers


def _rows(commands: Sequence[Command]) -> Iterator[list[Command]]:
    """Split commands into rows of which those of several are of one kind, orders also of one second."""
    for kind, run in groupby(commands, key=_kind):
        row = list(run)
        size = len(row) if kind is PostTransfers else TOGETHER_MAX if kind is not None else 1
        yield from (row[start : start + size] for start in range(0, len(row), size))


def _kind(command: Command) -> Hashable:
    if isinstance(command, PostTransfers):
        return PostTransfers
    if isinstance(command, SubmitInstructions) and len(command.columns.get("reference", b"")) <= SMALL_BYTES_MAX:
        return command.time_s
    return None


def _submit_together(house: House, commands: Sequence[Command]) -> list[Answer] | None:
    """Take in commands of orders in one pass, or do nothing and return None where they must go one by one."""
    if house.money.payments.waiting or house.defaults.barred:
        return None
    events = submit_together(house, [command for command in commands if isinstance(command, SubmitInstructions)])
    if events is None:
        return None
    answers: list[Answer] = [
        Accepted((event, *(settle_at_once(house, event) if event.matched else ()))) for event in events
    ]
    house.ledger.check()
    return answers


def _post_together(house: House, commands: Sequence[Command]) -> list[Answer] | None:
    """Book transfer commands in one pass, or do nothing and return None where they must go one by one."""
    posts = [command for command in commands if isinstance(command, PostTransfers)]
    counts = [len(command.linked) for command in posts]
    if house.book is None or not all(counts) or house.money.payments.waiting or house.defaults.barred:
        return None
    for name, width in _WIDTHS:
        if [len(getattr(command, name)) for command in posts] != [width * count for count in counts]:
            return None
    debit, credit, asset = (_joined(posts, name, "<i4") for name in ("debit", "credit", "asset"))
    starts = np.cumsum([0, *counts[:-1]])
    linked = _joined(posts, "linked", "i1").astype(np.bool_)
    linked[starts - 1] = False  # a chain ends with its command
    owner = np.concatenate([debit, credit])
    accounts, assets = house.resolved.account_participant.size, house.resolved.asset_count
    if int(owner.view("<u4").max()) >= accounts or int(asset.view("<u4").max()) >= assets:
        return None  # a negative number reads as a huge one
    if (owner == house.internal.cns).any() or (house.custody.in_use and (owner == house.internal.issuer).any()):
        return None  # refused, each for itself
    rows = house.ledger.find_all(owner, np.concatenate([asset, asset]))
    if int(rows.min()) < 0:
        return None
    results = house.ledger.post(rows[: debit.size], rows[debit.size :], _joined(posts, "amount", "<i8").copy(), linked)
    booked = np.add.reduceat(results == BOOKED, starts, dtype=np.int64).tolist()
    codes = results.tobytes()
    return [
        Accepted((TransfersPosted(number, codes[start : start + count]),))
        for number, start, count in zip(booked, starts.tolist(), counts, strict=True)
    ]


def _joined(posts: Sequence[PostTransfers], name: str, kind: str) -> np.ndarray:
    return np.frombuffer(b"".join([getattr(command, name) for command in posts]), kind)
