"""The engine tests trade on the reference book of the clearing tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))
