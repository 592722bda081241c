"""The words of official reports in English and Traditional Chinese, from one table (``words.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse

LANGUAGES = ("en", "zh")
OPEN = (
    "status",
    "reason",
    "step",
    "proof",
    "charge",
    "kind",
    "field",
    "field_unit",
    "component",
)  # groups of names that the house may have more of
Speaker = Callable[[str], str]


@cache
def table() -> dict[str, dict[str, str]]:
    """Return every word by its name (``frame.page``): a text for each language."""
    text = files("tsingma.reports.official").joinpath("words.toml").read_text(encoding="utf-8")
    return {f"{group}.{name}": words for group, rows in tomllib.loads(text).items() for name, words in rows.items()}


def speaker(language: str) -> Speaker:
    """Return what says a word by its name; what the house enumerates is said as it stands where it has no word.

    Raises Rejected (unknown) for another language than ``en`` and ``zh``; the speaker raises InvariantBroken for a
    word that the table does not have.
    """
    if language not in LANGUAGES:
        raise refuse(RejectionReason.UNKNOWN, f"no language '{language}'", field="language", remedy="en or zh")
    words = table()

    def say(name: str) -> str:
        found = words.get(name)
        if found is not None:
            return found[language]
        group, _, rest = name.partition(".")
        if group not in OPEN:
            raise InvariantBroken(f"official reports have no word '{name}'")
        return rest

    return say
