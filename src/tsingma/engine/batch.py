"""Commands in a row on the house: the same answers as one by one, with neighbouring transfers booked in one pass.

A transfer command is small and the kernel takes a batch as easily as one, so what costs is the way there. Transfers
are booked together only when that cannot be told from one by one: every command well formed, every account known,
every ledger row open already. Otherwise they go one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import Command, PostTransfers
from tsingma.journal.events import Accepted, Answer, TransfersPosted
from tsingma.kernels.postings import BOOKED

_WIDTHS = (("debit", 4), ("credit", 4), ("asset", 4), ("amount", 8), ("linked", 1))


def step_all(house: House, commands: Sequence[Command]) -> list[Answer]:
    """Carry out the commands in order and return their answers; raises InvariantBroken like ``step``."""
    answers: list[Answer] = []
    for transfers, run in groupby(commands, key=lambda command: isinstance(command, PostTransfers)):
        row = list(run)
        together = _post_together(house, row) if transfers and len(row) > 1 else None
        answers.extend(together or [step(house, command) for command in row])
    return answers


def _post_together(house: House, commands: Sequence[Command]) -> list[Answer] | None:
    """Book transfer commands in one pass, or do nothing and return None where they must go one by one."""
    posts = [command for command in commands if isinstance(command, PostTransfers)]
    counts = [len(command.linked) for command in posts]
    if house.book is None or not all(counts) or house.money.payments.waiting:
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
