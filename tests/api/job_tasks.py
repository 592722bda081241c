"""Tasks of jobs for tests: each is carried out in a process of its own."""

from __future__ import annotations

import os
import time

from tsingma.app.progress import Progress
from tsingma.basics.rejection import RejectionReason, refuse


def tell(request: bytes, progress: Progress) -> bytes:
    """Answer with the request, after two stages."""
    progress.stage("first", 0, 2)
    progress.stage("second", 1, 2)
    return request


def sleep(request: bytes, progress: Progress) -> bytes:
    """Write the number of this process into a file, and sleep much longer than a test lasts."""
    with open(request.decode(), "w", encoding="ascii") as target:
        target.write(str(os.getpid()))
    progress.stage("asleep", 1, 4)
    time.sleep(600)
    return b""


def deny(request: bytes, progress: Progress) -> bytes:
    """Refuse."""
    raise refuse(RejectionReason.MISSING, "there is nothing", remedy="bring something")


def die(request: bytes, progress: Progress) -> bytes:
    """End the process without a word."""
    os._exit(3)


def flood(request: bytes, progress: Progress) -> bytes:
    """Answer with more than a board takes."""
    return b"0" * 2_000_000
