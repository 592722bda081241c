"""The tests of tokens share their ledgers and the reference book of the clearing tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))
