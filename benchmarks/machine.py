"""What every benchmark prints first: the machine, the interpreter, the libraries and the commit."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
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
