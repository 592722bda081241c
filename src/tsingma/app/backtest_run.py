"""The backtest of an account's margin as the task of a job: its positions of now on every n-th day of the past."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from tsingma.app.house_market import HouseMarket
from tsingma.app.margin_reads import SETTINGS, Basis, LeftOut, account_book, basis_of, row_on
from tsingma.app.progress import Progress
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.backtest import BacktestRow, backtest_book, backtest_products
from tsingma.margin.joint.study import book_series
from tsingma.reference.book import AccountClass

BACKTEST_TASK = "tsingma.app.backtest_run:backtest_task"


class BacktestAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to test: every n-th day; each product at each house alone instead of houses and the whole book."""

    every: Annotated[int, msgspec.Meta(ge=1, le=250)] = 5
    by_product: bool = False


class BacktestTask(msgspec.Struct, frozen=True, kw_only=True):
    """What the task is given: the house, the account, the market's folder and what was asked."""

    house: str
    market: str
    participant: str
    account_class: AccountClass
    asked: BacktestAsked


class BacktestResult(msgspec.Struct, frozen=True, kw_only=True, tag="margin-backtest", tag_field="kind"):
    """Margins of the positions of record ``at`` against the losses that came; whole HKD.

    An account at one house is tested product by product: it has no joint margin.
    """

    account: str
    at: int
    date: str
    asked: BacktestAsked
    lines: int
    left_out: tuple[LeftOut, ...]
    rows: tuple[BacktestRow, ...]
    basis: Basis


def backtest_task(request: bytes, progress: Progress) -> bytes:
    """Carry out a backtest; raises Rejected as the reader of the account and the study do."""
    from tsingma.app.session import Session

    task = msgspec.json.decode(request, type=BacktestTask)
    market = HouseMarket(Path(task.market))
    progress.stage("positions", 0, 2)
    past = market.past()
    with Session.open(task.house, read_only=True) as session:
        found = account_book(session.house, session.sequencer.sequence, task.participant, task.account_class, past)
    progress.stage("days of the past", 1, 2)
    every = task.asked.every
    if not found.book.holdings:
        rows: tuple[BacktestRow, ...] = ()
    elif task.asked.by_product or len(found.book.houses) < 2:
        rows = backtest_products(found.book, past, every=every)
    else:
        rows = backtest_book(book_series(found.book, past, SETTINGS, every=every), Allocation.EULER)
    return msgspec.json.encode(
        BacktestResult(
            account=found.account, at=found.at, date=str(found.date), asked=task.asked, lines=len(found.book.holdings),
            left_out=found.left_out, rows=rows, basis=basis_of(market, row_on(past, found.date)),
        )
    )  # fmt: skip
