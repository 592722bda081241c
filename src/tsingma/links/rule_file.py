"""Reading a link's rule file: TOML into frozen records, or every fault with its line, field and remedy.

A fault of the syntax ends the reading; faults of form (unknown, missing or ill-typed fields) are all collected, and
when there is none the rules are held against each other (``rule_checks``). The line of a fault is found by looking for
the table and key in the text, so it points at the table where the key is missing.
"""

from __future__ import annotations

import re
import tomllib
import typing
from collections import Counter
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from tsingma.basics.money import INT64_MAX
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.links.rule_checks import check_rules
from tsingma.links.rule_rows import LinkRules
from tsingma.links.rule_terms import Fault, Path, show

FILE_BYTES_MAX = 262_144
FAULTS_MAX = 100
INT64_MIN = -(2**63)
TO_FILL_IN = "?"  # what a skeleton leaves open

_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\- ]+?)\s*\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-]+)\s*=")
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_ARTICLE = {str: "text in quotes", int: "a whole number", bool: "true or false"}


def read_rules(data: bytes, *, file: str = "link.toml") -> LinkRules:
    """Return the rules of a file; raises Rejected with every fault found (at most 100), each with file, line and field.

    Reasons: malformed (syntax, types), missing, unknown (keys, codes, calendars), out-of-range, conflict, limit.
    """
    document, text = _parse(data, file)
    faults: list[Fault] = []
    found = _build(LinkRules, document, (), faults)
    if not faults:
        faults = check_rules(found)
    if faults:
        lines = _lines(text)
        raise Rejected(*(_rejection(fault, lines, file) for fault in faults[:FAULTS_MAX]))
    return typing.cast(LinkRules, found)


@cache
def shipped_links() -> tuple[str, ...]:
    """Return the names of the rule files that ship with the house, in order."""
    folder = files("tsingma.links").joinpath("rules")
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def shipped_rules(name: str) -> LinkRules:
    """Return a shipped link's rules by name; raises Rejected (unknown) naming those there are."""
    if name not in shipped_links():
        remedy = f"one of {', '.join(shipped_links())}"
        raise refuse(RejectionReason.UNKNOWN, f"no link '{name}' ships with the house", field="link", remedy=remedy)
    data = files("tsingma.links").joinpath("rules", f"{name}.toml").read_bytes()
    return read_rules(data, file=f"{name}.toml")


def _parse(data: bytes, file: str) -> tuple[dict[str, Any], str]:
    if len(data) > FILE_BYTES_MAX:
        message = f"{len(data)} bytes, {FILE_BYTES_MAX} at most"
        raise refuse(
            RejectionReason.LIMIT, message, file=file, remedy="keep long lists of securities in their own file"
        )
    try:
        text = data.decode("utf-8-sig")
        return tomllib.loads(text, parse_float=Decimal), text
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not UTF-8"
        raise refuse(RejectionReason.MALFORMED, message, file=file, remedy="save it as UTF-8 text") from None
    except (ValueError, ArithmeticError) as error:  # TOMLDecodeError, and numbers of thousands of digits
        place = _AT_LINE.search(str(error))
        message = f"not TOML: {_AT_LINE.sub('', str(error)).strip()}"
        line = int(place.group(1)) if place else 1
        raise refuse(
            RejectionReason.MALFORMED, message, file=file, line=line, remedy="correct the syntax of this line"
        ) from None
    except RecursionError:
        raise refuse(RejectionReason.LIMIT, "values are nested too deep", file=file, remedy="flatten them") from None


def _build(kind: Any, value: Any, path: Path, faults: list[Fault]) -> Any:
    """Return ``value`` as ``kind``, or None after adding what is wrong with it to ``faults``."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _build_struct(kind, value, path, faults)
    if origin is tuple:
        if not isinstance(value, list):
            table = isinstance(arguments[0], type) and issubclass(arguments[0], msgspec.Struct)
            remedy = f"write [[{'.'.join(str(part) for part in path if isinstance(part, str))}]]"
            faults.append(Fault(RejectionReason.MALFORMED, path, "is no list", remedy if table else "write [ ... ]"))
            return None
        return tuple(_build(arguments[0], item, (*path, place), faults) for place, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            faults.append(Fault(RejectionReason.MALFORMED, path, "is no table", "write { name = value }"))
            return None
        return {
            _build(arguments[0], key, (*path, key), faults): _build(arguments[1], item, (*path, key), faults)
            for key, item in value.items()
        }
    return _build_value(kind, value, path, faults)


def _build_struct(kind: type[msgspec.Struct], value: Any, path: Path, faults: list[Fault]) -> Any:
    if not isinstance(value, dict):
        faults.append(Fault(RejectionReason.MALFORMED, path, "is no table", "write its fields as key = value"))
        return None
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    before = len(faults)
    for key in value:
        if key not in fields:
            remedy = f"known fields are {', '.join(fields)}"
            faults.append(Fault(RejectionReason.UNKNOWN, (*path, key), "unknown field", remedy))
    built = {}
    for key, field in fields.items():
        if key in value:
            built[field.name] = _build(field.type, value[key], (*path, key), faults)
        elif field.required:
            faults.append(Fault(RejectionReason.MISSING, (*path, key), "is not given", "add the field"))
    return kind(**built) if len(faults) == before else None


def _build_value(kind: Any, value: Any, path: Path, faults: list[Fault]) -> Any:
    if value == TO_FILL_IN:
        faults.append(Fault(RejectionReason.MISSING, path, "is still to be filled in", "replace the question mark"))
        return None
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        faults.append(Fault(RejectionReason.OUT_OF_RANGE, path, "does not fit 64 bits", "write a smaller number"))
        return None
    try:
        return msgspec.convert(value, kind, strict=True, builtin_types=(Decimal,))
    except msgspec.ValidationError:
        if isinstance(kind, type) and issubclass(kind, Enum):
            remedy = f"one of {', '.join(str(member.value) for member in kind)}"
            known = RejectionReason.UNKNOWN if isinstance(value, str) else RejectionReason.MALFORMED
            faults.append(Fault(known, path, f"{_short(value)} is none of those known", remedy))
        else:
            wanted = _ARTICLE.get(kind, f"a {getattr(kind, '__name__', kind)} without quotes")
            faults.append(Fault(RejectionReason.MALFORMED, path, f"{_short(value)} does not fit", f"write {wanted}"))
        return None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _rejection(fault: Fault, lines: dict[Path, int], file: str) -> Rejection:
    path = fault.path
    while path and path not in lines:
        path = path[:-1]
    return Rejection(
        reason=fault.reason,
        message=fault.message,
        file=file,
        line=lines.get(path, 1),
        field=show(fault.path),
        remedy=fault.remedy,
    )


def _lines(text: str) -> dict[Path, int]:
    """Return the line (from 1) on which each table and key of a TOML text first stands."""
    found: dict[Path, int] = {}
    counts: Counter[Path] = Counter()
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            parts = tuple(part.strip() for part in header.group(2).split("."))
            table = _place(parts, counts, opens=header.group(1) == "[[")
            found.setdefault(table, number)
            continue
        key = _KEY.match(line)
        if key:
            found.setdefault((*table, key.group(1)), number)
    return found


def _place(parts: tuple[str, ...], counts: Counter[Path], *, opens: bool) -> Path:
    """Return the path of a table header, and count it when it opens the next table of a list."""
    path: Path = ()
    for depth, part in enumerate(parts):
        path = (*path, part)
        last = depth == len(parts) - 1
        if last and opens:
            counts[path] += 1
        if counts[path]:
            path = (*path, counts[path] - 1)
    return path


__all__ = ["LinkRules", "read_rules", "shipped_links", "shipped_rules"]
