"""What is wrong with a rule file and where: a fault at a path of tables and fields."""

from __future__ import annotations

from dataclasses import dataclass

from tsingma.basics.rejection import RejectionReason

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: why, at which path, what is wrong and what to do about it."""

    reason: RejectionReason
    path: Path
    message: str
    remedy: str


def show(path: Path) -> str:
    """Return a path as text, lists counted from 1: ``direction[1].quota[2].amount``."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text
