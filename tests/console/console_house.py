"""The house of the interface's tests with the console's pages on it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "api"))

from api_house import OWNER, Served, served, write_house

from tsingma.api.permissions import Role

ROLES = tuple(Role)
LANGUAGES = ("en", "zh-Hant")

__all__ = ["LANGUAGES", "OWNER", "ROLES", "Served", "served", "write_house"]
