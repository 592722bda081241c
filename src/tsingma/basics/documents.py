"""The border of TOML, and of whole numbers in text: whatever comes in is read or refused, never a defect of ours."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from tsingma.basics.rejection import RejectionReason, refuse

DIGITS_MAX = 18  # any of so many fit in 63 bits
_AT_LINE = re.compile(r"\s*\(at line (\d+)[^)]*\)")


def is_whole(text: str) -> bool:
    """Return whether a text is 1 to 18 digits 0 to 9 and nothing else; ``int`` then takes it, and it fits 64 bits."""
    return 0 < len(text) <= DIGITS_MAX and text.isascii() and text.isdigit()


def read_bounded(path: Path, bytes_max: int, *, remedy: str = "") -> bytes:
    """Return the bytes of a file; raises Rejected naming it: missing (it cannot be read), limit (more than so many)."""
    try:
        with path.open("rb") as source:
            data = source.read(bytes_max + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise refuse(RejectionReason.MISSING, message, file=str(path), remedy=remedy) from None
    if len(data) > bytes_max:
        raise refuse(RejectionReason.LIMIT, f"more than {bytes_max} bytes", file=str(path))
    return data


def parse_toml(data: bytes | str, *, file: str, exact: bool = False) -> dict[str, Any]:
    """Return a TOML document; with ``exact`` numbers with decimals come as Decimal.

    Raises Rejected naming file and line: malformed (not UTF-8, not TOML, a number of thousands of digits), limit
    (nested too deep).
    """
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        return tomllib.loads(text, parse_float=Decimal) if exact else tomllib.loads(text)
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not UTF-8"
        raise refuse(RejectionReason.MALFORMED, message, file=file, remedy="save it as UTF-8 text") from None
    except (ValueError, ArithmeticError) as error:  # a TOMLDecodeError is a ValueError
        place = _AT_LINE.search(str(error))
        message = f"not TOML: {_AT_LINE.sub('', str(error))}"
        line = int(place.group(1)) if place else 0
        raise refuse(RejectionReason.MALFORMED, message, file=file, line=line, remedy="correct the syntax") from None
    except RecursionError:
        raise refuse(RejectionReason.LIMIT, "nested too deep", file=file, remedy="flatten it") from None
