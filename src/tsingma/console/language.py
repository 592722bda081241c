"""The words of the pages: one source for both languages, and which of them somebody reads.

``words/*.toml`` hold every string of every page, a key in dots with its English and its Traditional Chinese; together
they are one table. Keys under ``term`` are terms of the glossary, which a test holds against ``docs/glossary.md``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from tsingma.basics.rejection import InvariantBroken

WORDS_FOLDER = Path(__file__).parent / "words"
ACCEPTED_LENGTH_MAX = 200  # of an Accept-Language header; what is longer is cut


class Language(StrEnum):
    """A language of the pages, as BCP 47 has it."""

    EN = "en"
    ZH = "zh-Hant"


_COLUMN = {Language.EN: "en", Language.ZH: "zh"}


class Words:
    """All strings in one language, called by their keys."""

    def __init__(self, language: Language, table: Mapping[str, str]) -> None:
        """Take the strings of a language over."""
        self.language = language
        self._table = table

    def __call__(self, key: str, **values: object) -> str:
        """Return the string of a key with its places filled; raises InvariantBroken for a key that nobody wrote."""
        try:
            return self._table[key].format(**values)
        except KeyError as missing:
            raise InvariantBroken(f"words: no {missing} for '{key}'") from None

    def or_as_it_is(self, key: str, otherwise: str) -> str:
        """Return the string of a key, or ``otherwise``: for names that rule files bring and no page can know."""
        return self._table.get(key, otherwise)

    def keys(self) -> frozenset[str]:
        """Return every key."""
        return frozenset(self._table)


@cache
def words_in(language: Language) -> Words:
    """Return the strings of a language; raises InvariantBroken when files of words contradict each other."""
    return Words(language, {key: pair[_COLUMN[language]] for key, pair in _read_all().items()})


def language_of(asked: str, kept: str, accepted: str) -> Language:
    """Return the language of a reader: asked for now, else kept from before, else what the browser accepts first.

    ``accepted`` is an Accept-Language header (RFC 9110, section 12.5.4). Every Chinese is answered in the traditional
    characters, whatever is unknown in English.
    """
    for wish in (asked, kept):
        if wish in tuple(Language):
            return Language(wish)
    ranked = []
    for place, part in enumerate(accepted[:ACCEPTED_LENGTH_MAX].split(",")):
        name, _, weight = part.strip().partition(";")
        ranked.append((-_weight(weight), place, name.strip().lower()))
    for refused, _, name in sorted(ranked):
        if refused == 0:
            continue
        if name.split("-")[0] == "zh":
            return Language.ZH
        if name.split("-")[0] == "en":
            return Language.EN
    return Language.EN


def _weight(text: str) -> int:
    """Return thousandths of a quality value; 1000 where none is given, 0 where it is none."""
    name, _, value = text.strip().partition("=")
    if not name:
        return 1000
    digits = value.strip()
    whole, _, rest = digits.partition(".")
    if name.strip() != "q" or whole not in ("0", "1") or not (rest + "0").isdigit() or not rest.isascii():
        return 0
    return min(1000, int(whole) * 1000 + int((rest + "000")[:3]))


@cache
def _read_all() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for path in sorted(WORDS_FOLDER.glob("*.toml")):
        for key, pair in _flat(tomllib.loads(path.read_text(encoding="utf-8")), ""):
            if key in found:
                raise InvariantBroken(f"{path.name}: '{key}' has words already")
            if set(pair) != set(_COLUMN.values()):
                raise InvariantBroken(f"{path.name}: '{key}' needs 'en' and 'zh'")
            found[key] = pair
    return found


def _flat(table: Mapping[str, Any], before: str) -> Iterator[tuple[str, dict[str, str]]]:
    for name, value in table.items():
        key = f"{before}{name}"
        if not isinstance(value, dict):
            raise InvariantBroken(f"words: '{key}' is no pair of languages")
        if value and all(isinstance(one, str) for one in value.values()):
            yield key, value
        else:
            yield from _flat(value, f"{key}.")
