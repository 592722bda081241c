"""Run every benchmark in turn, each in a fresh process: ``make bench`` or ``python benchmarks/run.py NAME``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
HELPERS = {"interface_clients.py", "run.py", "machine.py", "plain_settlement.py"}


def main(names: list[str]) -> int:
    """Run the named benchmarks (default: all); returns the number that failed."""
    scripts = sorted(path for path in FOLDER.glob("*.py") if path.name not in HELPERS)
    chosen = [path for path in scripts if not names or path.stem in names]
    failed = 0
    for script in chosen:
        print(f"== {script.stem}", flush=True)
        failed += subprocess.run([sys.executable, str(script)], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
