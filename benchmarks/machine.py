"""What every benchmark prints first (machine, interpreter, libraries, commit), and how it takes time and judges."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"


def _commit() -> str:
    folder = Path(__file__).resolve().parent
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "no commit"


def describe(*packages: str) -> str:
    """Return one line: processor, cores, load, Python, versions of ``packages``, commit."""
    versions = " ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    load = os.getloadavg()[0]
    return (
        f"machine: {_processor()}, {os.cpu_count()} cores, load {load:.1f}; "
        f"Python {platform.python_version()}; {versions}; commit {_commit()}"
    )


def best_of(run: Callable[[], object], times: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the shortest time of several runs in seconds, of the wall or of another ``clock``.

    What claims one core is timed by ``time.process_time``, with one thread: other work on the machine then counts less.
    """
    spent = []
    for _ in range(times):
        began = clock()
        run()
        spent.append(clock() - began)
    return min(spent)


def verdict(goal: str, met: bool) -> str:
    """Return the line that ends a claim."""
    return f"  goal {goal}: {'met' if met else 'MISSED'}"
