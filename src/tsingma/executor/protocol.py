"""What an executor promises: results in the order of the inputs, the same bytes on every adapter.

A task is named ``module:function`` and takes (shared, one input) as bytes to bytes; it may read nothing else. An
input is known by the hash of task, shared part and input, so one that occurs twice is computed once.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Sequence
from typing import Protocol

from tsingma.basics.rejection import RejectionReason, refuse

Task = Callable[[bytes, bytes], bytes]
INPUTS_MAX = 1_000_000


class Executor(Protocol):
    """Runs one task over many inputs."""

    def run(self, task: str, shared: bytes, inputs: Sequence[bytes]) -> list[bytes]:
        """Return the results in the order of ``inputs``; an error of a task is raised here as it was there."""
        ...


def resolve(task: str) -> Task:
    """Return the function of a task name; raises Rejected (unknown) when there is none."""
    module, _, name = task.partition(":")
    if not module.startswith("tsingma.") or not name:
        raise refuse(RejectionReason.UNKNOWN, f"'{task}' names no task (tsingma.module:function)", field="task")
    try:
        found: Task = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        raise refuse(RejectionReason.UNKNOWN, f"there is no task '{task}'", field="task") from None
    return found


def address(task: str, shared: bytes, one: bytes) -> str:
    """Return the content address of a piece of work."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (task.encode(), hashlib.blake2b(shared, digest_size=16).digest(), one):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def distinct(task: str, shared: bytes, inputs: Sequence[bytes]) -> tuple[list[bytes], list[int]]:
    """Return the distinct inputs, and for each input the place of its own; raises Rejected above a million inputs."""
    if len(inputs) > INPUTS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{len(inputs)} inputs, {INPUTS_MAX} at most", field="inputs")
    places: dict[str, int] = {}
    chosen: list[bytes] = []
    order = []
    for one in inputs:
        key = address(task, shared, one)
        if key not in places:
            places[key] = len(chosen)
            chosen.append(one)
        order.append(places[key])
    return chosen, order
