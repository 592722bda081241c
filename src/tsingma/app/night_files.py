"""A simulated night as a folder of files, as ``tsingma settle night`` takes it."""

from __future__ import annotations

from pathlib import Path

from tsingma.messages.batch_file import write_batch
from tsingma.messages.market_files import write_book, write_deposits
from tsingma.reference.book import resolve
from tsingma.simulate.night import simulate_night


def write_night(
    folder: Path, count: int, *, seed: int, beta: float, alpha: float, short: float, suffix: str
) -> tuple[Path, ...]:
    """Draw a night, write ``reference.json``, ``deposits.csv`` and ``instructions.SUFFIX``, and return their paths."""
    book, deposits, batch = simulate_night(count, seed=seed, beta=beta, alpha=alpha, short=short)
    resolved = resolve(book)
    folder.mkdir(parents=True, exist_ok=True)
    paths = (folder / "reference.json", folder / "deposits.csv", folder / f"instructions.{suffix}")
    write_book(paths[0], book)
    write_deposits(paths[1], deposits, resolved)
    write_batch(paths[2], batch, resolved)
    return paths
