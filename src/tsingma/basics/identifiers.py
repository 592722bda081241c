"""Check digits of securities (ISIN, ISO 6166) and legal entities (LEI, ISO 17442)."""

from __future__ import annotations

import re

_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
_LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}")


def _letters_to_digits(text: str) -> str:
    return "".join(str(int(character, 36)) for character in text)


def isin_check_digit(body: str) -> str:
    """Return the check digit of the first eleven characters of an ISIN (modulus 10 double-add-double, ISO 6166)."""
    total = 0
    for place, digit in enumerate(reversed(_letters_to_digits(body))):
        doubled = int(digit) * (2 - place % 2)
        total += doubled // 10 + doubled % 10
    return str(-total % 10)


def is_isin(text: str) -> bool:
    """Return whether ``text`` has the form and check digit of an ISIN."""
    return bool(_ISIN.fullmatch(text)) and isin_check_digit(text[:11]) == text[11]


def lei_check_digits(body: str) -> str:
    """Return the two check digits of the first eighteen characters of an LEI (ISO 7064 mod 97-10)."""
    return f"{98 - int(_letters_to_digits(body + '00')) % 97:02d}"


def is_lei(text: str) -> bool:
    """Return whether ``text`` has the form and check digits of an LEI."""
    return bool(_LEI.fullmatch(text)) and int(_letters_to_digits(text)) % 97 == 1
