"""A second process that keeps the state of a house warm and becomes its writer when the first is gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tsingma.app.session import Session, on_a_server
from tsingma.basics.clock import Clock
from tsingma.basics.rejection import RejectionReason, refuse

POLL_SECONDS = 0.1


class TakeOver(msgspec.Struct, frozen=True):
    """When a standby became the writer: number of the writer, last record, and how long taking over took."""

    epoch: int
    sequence: int
    caught_up: int
    milliseconds: int


def stand_by(
    session: Session,
    clock: Clock,
    *,
    poll_seconds: float = POLL_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> TakeOver:
    """Follow the writer of a house until its lease lapses, take the lease, carry out what is left and return.

    ``session`` was opened read only on a house on PostgreSQL; afterwards it writes. Raises InvariantBroken when the
    journal does not replay to its own answers: such a standby must not take over.
    """
    while True:
        session.sequencer.catch_up()
        began = clock.elapsed_ns()
        if session.become_writer():
            break
        sleep(poll_seconds)
    caught_up = session.sequencer.catch_up()
    spent = clock.elapsed_ns() - began
    return TakeOver(session.epoch or 0, session.sequencer.sequence, caught_up, spent // 1_000_000)


def open_standby(house: Path | str, acknowledge: Callable[[str, int], None], lease_seconds: float) -> Session:
    """Open a house on PostgreSQL to follow it; raises Rejected (not-allowed) for a house in a folder."""
    if not on_a_server(house):
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            "a standby follows a house on PostgreSQL; a folder has one process",
            file=str(house),
            remedy="give --house postgresql://...",
        )
    return Session.open(house, acknowledge, read_only=True, lease_seconds=lease_seconds)
