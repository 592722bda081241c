"""A progress bar on standard error for long work; silent when nobody watches or JSON is wanted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tsingma.app.progress import Progress, Silent

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class _Bar:
    """One bar that is renamed as the stages pass."""

    def __init__(self, bars: RichProgress, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def stage(self, name: str, done: int, total: int) -> None:
        self._bars.update(self._task, description=name, completed=done, total=max(total, 1))


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Progress]:
    """Yield a Progress that draws on standard error, or a silent one when ``quiet`` or not a terminal."""
    if quiet or not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import Progress as RichProgress

    with RichProgress(console=Console(stderr=True), transient=True) as bars:
        yield _Bar(bars, bars.add_task("starting", total=1))
