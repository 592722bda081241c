"""Interchange files: fixed-length records with header, checksums and a trailer of counts and hash totals.

The form is that of HKEX's terminals (``interchange.toml`` says what of it was read and what is ours). A file is read
whole or refused whole: a wrong checksum, count or total, a missing trailer, a record after the trailer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from tsingma.basics.dates import parse_date
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.basics.rounding import parse_scaled

BYTES_MAX = 1 << 30
RECORDS_MAX = 5_000_000
FAULTS_MAX = 100
CODE_DIGITS = 5  # of a stock code
_PARTICIPANT, _REPORT, _TITLE, _MARKET, _DATE = 12, 7, 15, 4, 8
Value = int | str
_WRONG = {
    "time": ("time of day", "HHMMSS, zeros before"),
    "code": ("stock code", f"{CODE_DIGITS} digits at least, zeros before"),
}


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field of a detail record; a signed one takes one byte more."""

    name: str
    width: int
    kind: str
    decimals: int = 0
    in_checksum: bool = False
    in_total: bool = False

    @property
    def bytes(self) -> int:
        """Return how many bytes it takes."""
        return self.width + (self.kind == "signed")


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the details of a report are."""

    report: str
    title: str
    what: str
    source: str
    field: tuple[Field, ...]
    assumed: bool = False

    @property
    def totals(self) -> tuple[str, ...]:
        """Return the fields that the trailer has a hash total of."""
        return tuple(one.name for one in self.field if one.in_total)

    @property
    def length(self) -> int:
        """Return the bytes of every record: the longest of header, detail and trailer."""
        rules = record_rules()
        detail = 1 + sum(one.bytes for one in self.field) + rules.checksum_width
        trailer = 1 + rules.count_width + rules.total_width * len(self.totals)
        return max(detail, trailer, 1 + _PARTICIPANT + _REPORT + _TITLE + _MARKET + _DATE)


class RecordRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is the same in every report."""

    header_type: str
    detail_type: str
    trailer_type: str
    checksum_width: int
    count_width: int
    total_width: int
    source: str
    assumed: bool = False


class Interchange(msgspec.Struct, frozen=True, kw_only=True):
    """A file: whose, of which report, market and day, and its details; numbers are whole, decimals implied."""

    name: str
    participant: str
    day: date
    rows: tuple[dict[str, Value], ...]
    market: str = "HK"


@cache
def _table() -> dict[str, object]:
    text = files("tsingma.messages").joinpath("interchange.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def record_rules() -> RecordRules:
    """Return what every report has in common."""
    return msgspec.convert(_table()["record"], RecordRules)


@cache
def layouts() -> dict[str, Layout]:
    """Return every report by its name here."""
    return {name: msgspec.convert(row, Layout) for name, row in _table().items() if name != "record"}


def layout_of(name: str) -> Layout:
    """Return a report's layout; raises Rejected (unknown) naming those there are."""
    if name not in layouts():
        raise refuse(RejectionReason.UNKNOWN, f"no report '{name}'", field="report",
                     remedy=f"one of {', '.join(layouts())}")  # fmt: skip
    return layouts()[name]


def write_interchange(one: Interchange) -> bytes:
    """Return the file; raises Rejected naming the row and field that does not fit."""
    layout, rules = layout_of(one.name), record_rules()
    header = rules.header_type + "".join(
        _text(value, width, place, 0)
        for value, width, place in (
            (one.participant, _PARTICIPANT, "participant"), (layout.report, _REPORT, "report"),
            (layout.title, _TITLE, "title"), (one.market, _MARKET, "market"), (f"{one.day:%Y%m%d}", _DATE, "date"),
        )
    )  # fmt: skip
    lines = [header]
    totals = dict.fromkeys(layout.totals, 0)
    for number, row in enumerate(one.rows, 1):
        body = "".join(_written(field, row, number) for field in layout.field)
        lines.append(f"{rules.detail_type}{body}{_checksum(layout, row):0{rules.checksum_width}d}")
        for name in totals:
            totals[name] += abs(int(row[name]))
    counted = f"{len(one.rows):0{rules.count_width}d}"
    summed = "".join(f"{_wrapped(total, rules.total_width):0{rules.total_width}d}" for total in totals.values())
    lines.append(f"{rules.trailer_type}{counted}{summed}")
    return "".join(f"{line:<{layout.length}}\n" for line in lines).encode("ascii")


def read_interchange(data: bytes, name: str, *, file: str = "interchange") -> Interchange:
    """Return a file of a report; raises Rejected with line, field and remedy of everything that is wrong (100 at most).

    The whole file is refused for a record of another length or kind, a number that is none, a wrong checksum, count or
    hash total, a header of another report, a file without trailer, and a record after it.
    """
    reader = _Reader(layout_of(name), file)
    if len(data) > BYTES_MAX:
        raise refuse(RejectionReason.LIMIT, f"{len(data)} bytes, {BYTES_MAX} at most", file=file)
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refuse(RejectionReason.MALFORMED, f"byte {error.start} is not ASCII", file=file, line=line,
                     remedy="send plain text") from None  # fmt: skip
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if len(lines) > RECORDS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{len(lines)} records, {RECORDS_MAX} at most", file=file)
    for number, raw in enumerate(lines, 1):
        reader.take(number, raw.removesuffix("\r"))
        if len(reader.faults) >= FAULTS_MAX:
            break
    return reader.finish(name, len(lines))


class _Reader:
    """Takes the records of one file in order and remembers what is wrong."""

    def __init__(self, layout: Layout, file: str) -> None:
        self.layout, self.file, self.rules = layout, file, record_rules()
        self.faults: list[Rejection] = []
        self.participant, self.market, self.day = "", "", date.min
        self.rows: list[dict[str, Value]] = []
        self.totals = dict.fromkeys(layout.totals, 0)
        self.ended = 0  # the line of the trailer

    def fault(self, line: int, field: str, message: str, remedy: str) -> None:
        self.faults.append(
            Rejection(
                reason=RejectionReason.MALFORMED, message=message, file=self.file, line=line, field=field, remedy=remedy
            )
        )

    def take(self, line: int, record: str) -> None:
        """Take one record in."""
        if len(record) != self.layout.length:
            self.fault(line, "record", f"has {len(record)} bytes, {self.layout.length} expected",
                       "is the file cut off, or of another report?")  # fmt: skip
            return
        kind = record[0]
        if self.ended:
            self.fault(line, "record", f"stands after the trailer of line {self.ended}", "send each file by itself")
        elif (line == 1) != (kind == self.rules.header_type):
            self.fault(line, "type", "the first record is no header" if line == 1 else "a second header",
                       f"start with one record of type {self.rules.header_type}")  # fmt: skip
        elif kind == self.rules.header_type:
            self.header(record)
        elif kind == self.rules.detail_type:
            self.detail(line, record)
        elif kind == self.rules.trailer_type:
            self.trailer(line, record)
        else:
            known = ", ".join((self.rules.header_type, self.rules.detail_type, self.rules.trailer_type))
            self.fault(line, "type", f"'{kind}' is no kind of record", f"one of {known}")

    def header(self, record: str) -> None:
        parts, at = [], 1
        for width in (_PARTICIPANT, _REPORT, _TITLE, _MARKET, _DATE):
            parts.append(record[at : at + width].strip())
            at += width
        self.participant, report, _, self.market, day = parts
        if report != self.layout.report:
            self.fault(1, "report", f"is of report '{report}', not {self.layout.report}", "name its report")
        if not self.participant:
            self.fault(1, "participant", "names nobody", "send the participant's code")
        try:
            self.day = parse_date(f"{day[:4]}-{day[4:6]}-{day[6:]}", field="date")
        except Rejected:
            self.fault(1, "date", f"'{day}' is no date", "YYYYMMDD")

    def detail(self, line: int, record: str) -> None:
        row: dict[str, Value] = {}
        at = 1
        for field in self.layout.field:
            raw = record[at : at + field.bytes]
            at += field.bytes
            value = _read(field, raw)
            if value is None:
                what, remedy = _WRONG.get(field.kind, ("number", f"{field.width} digits, zeros before"))
                self.fault(line, field.name, f"'{raw}' is no {what}", remedy)
                return
            row[field.name] = value
        said = record[at : at + self.rules.checksum_width]
        right = f"{_checksum(self.layout, row):0{self.rules.checksum_width}d}"
        if said != right:
            self.fault(line, "checksum", f"'{said}' is not the sum of the record, {right}", "send the record again")
        self.rows.append(row)
        for name in self.totals:
            self.totals[name] += abs(int(row[name]))

    def trailer(self, line: int, record: str) -> None:
        self.ended, at = line, 1 + self.rules.count_width
        said, counted = record[1:at], f"{line - 2:0{self.rules.count_width}d}"
        if said != counted:
            self.fault(line, "records", f"{said} records announced, {line - 2} sent", "send the whole file")
        for name, total in self.totals.items():
            said = record[at : at + self.rules.total_width]
            at += self.rules.total_width
            right = f"{_wrapped(total, self.rules.total_width):0{self.rules.total_width}d}"
            if said != right and not self.faults:  # a record that could not be read explains a total
                self.fault(
                    line, name, f"hash total '{said}' is not that of the records, {right}", "send the whole file"
                )

    def finish(self, name: str, lines: int) -> Interchange:
        """Return the file, or raise Rejected with everything that is wrong."""
        if not lines:
            self.fault(0, "record", "the file is empty", "send header, details and trailer")
        elif not self.ended and len(self.faults) < FAULTS_MAX:
            self.fault(lines, "trailer", "the file ends without its trailer", "send the whole file")
        if self.faults:
            raise Rejected(*self.faults[:FAULTS_MAX])
        return Interchange(
            name=name, participant=self.participant, day=self.day, rows=tuple(self.rows), market=self.market
        )


def _wrapped(total: int, width: int) -> int:
    """Return a sum without the leading digits that do not fit."""
    return int(total % 10**width)


def _checksum(layout: Layout, row: dict[str, Value]) -> int:
    total = sum(abs(int(row[field.name])) for field in layout.field if field.in_checksum)
    return _wrapped(total, record_rules().checksum_width)


def _written(field: Field, row: dict[str, Value], number: int) -> str:
    value = row[field.name]
    if field.kind in ("text", "code"):
        return _text(str(_coded(field, value)), field.width, field.name, number)
    whole = int(value)
    if field.kind == "time" and not _is_time(whole):
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{whole:06d} is no time of day", field=field.name,
                     subject=f"row {number}", remedy="HHMMSS")  # fmt: skip
    if (whole < 0 and field.kind != "signed") or abs(whole) >= 10**field.width:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{whole} does not fit {field.width} digits", field=field.name,
                     subject=f"row {number}", remedy="split the file or the position")  # fmt: skip
    sign = "" if field.kind != "signed" else "-" if whole < 0 else " "
    return f"{abs(whole):0{field.width}d}{sign}"


def _text(value: str, width: int, field: str, number: int) -> str:
    if len(value) > width or not value.isascii() or not value.isprintable() or value != value.strip():
        raise refuse(RejectionReason.MALFORMED, f"'{value}' is not plain text of at most {width} letters", field=field,
                     subject=f"row {number}" if number else "header", remedy="use codes")  # fmt: skip
    return f"{value:<{width}}"


def _read(field: Field, raw: str) -> Value | None:
    if field.kind in ("text", "code"):
        text = raw.rstrip()
        return text if _coded(field, text) == text else None
    digits, sign = raw[: field.width], raw[field.width :]
    if not digits.isdecimal() or sign not in ("", " ", "-") or (sign == "-" and not int(digits)):
        return None
    if field.kind == "time" and not _is_time(int(digits)):
        return None
    return -int(digits) if sign == "-" else int(digits)


def _coded(field: Field, value: Value) -> Value:
    """Return a stock code of digits with five of them, zeros before, as HKEX has them; any other value as it is."""
    text = str(value)
    return text.rjust(CODE_DIGITS, "0") if field.kind == "code" and text.isdecimal() else value


def _is_time(value: int) -> bool:
    """Return whether HHMMSS is a time of day."""
    return 0 <= value < 240_000 and value // 100 % 100 < 60 and value % 100 < 60


def write_csv_rows(one: Interchange) -> list[list[str]]:
    """Return header and rows of a file as cells: decimals with their point, times in six digits, codes as in files."""
    layout = layout_of(one.name)
    rows = [[field.name for field in layout.field]]
    rows += [[_shown(field, row[field.name]) for field in layout.field] for row in one.rows]
    return rows


def read_csv_rows(rows: Sequence[dict[str, str]], name: str) -> tuple[dict[str, Value], ...]:
    """Return details from cells, as ``write_csv_rows`` gives them; raises Rejected naming row and field."""
    found = []
    for number, row in enumerate(rows, 1):
        try:
            found.append({field.name: _taken(field, row[field.name]) for field in layout_of(name).field})
        except Rejected as rejected:
            first = rejected.rejections[0]
            raise refuse(first.reason, first.message, field=first.field, subject=f"row {number}") from None
    return tuple(found)


def _shown(field: Field, value: Value) -> str:
    if field.kind == "time":
        return f"{value:06d}"
    if isinstance(value, str) or not field.decimals:
        return str(_coded(field, value))
    whole, part = divmod(abs(value), 10**field.decimals)
    return f"{'-' if value < 0 else ''}{whole}.{part:0{field.decimals}d}"


def _taken(field: Field, cell: str) -> Value:
    if field.kind in ("text", "code"):
        return _coded(field, cell)
    return parse_scaled(cell, field.decimals, field=field.name)
