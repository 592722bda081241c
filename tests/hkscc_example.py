"""The worked example of the HKSCC guide, taken from the pages of the documentation that print it."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"


def block(page: str, language: str, number: int = 0) -> bytes:
    """Return the n-th fenced block of a language on a page of the documentation."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)[number].encode()


PARAMETERS = block("files-rpf01.md", "csv", 0)
POSITIONS = block("files-rpf01.md", "csv", 1)
PARTICIPANT = block("margin-hkscc.md", "toml")
