"""The payment tests pay between the members of the clearing tests' reference book, and more of them."""

from __future__ import annotations

import sys
from pathlib import Path

for room in ("clearing", "settlement_money"):
    sys.path.append(str(Path(__file__).resolve().parents[1] / room))
