"""Executors of one machine: in this process, and on a pool of processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tsingma.executor.protocol import distinct, resolve

_shared: tuple[str, bytes] = ("", b"")


class InProcess:
    """Runs tasks one after the other, here."""

    def run(self, task: str, shared: bytes, inputs: Sequence[bytes]) -> list[bytes]:
        """Return the results in the order of ``inputs``."""
        function = resolve(task)
        chosen, order = distinct(task, shared, inputs)
        found = [function(shared, one) for one in chosen]
        return [found[place] for place in order]


class ProcessPool:
    """Runs tasks on so many fresh processes; each gets the shared part once."""

    def __init__(self, workers: int) -> None:
        """Keep the number of workers (at least 1)."""
        self._workers = max(workers, 1)

    def run(self, task: str, shared: bytes, inputs: Sequence[bytes]) -> list[bytes]:
        """Return the results in the order of ``inputs``."""
        resolve(task)
        chosen, order = distinct(task, shared, inputs)
        context = multiprocessing.get_context("spawn")  # a forked copy of a threaded process can hang
        with ProcessPoolExecutor(self._workers, context, _begin, (task, shared)) as pool:
            found = list(pool.map(_work, chosen))
        return [found[place] for place in order]


def _begin(task: str, shared: bytes) -> None:
    global _shared
    _shared = (task, shared)


def _work(one: bytes) -> bytes:
    task, shared = _shared
    return resolve(task)(shared, one)
