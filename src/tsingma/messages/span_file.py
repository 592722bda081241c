"""The SPAN risk parameter file (U2, fixed width): read into records, written back, and turned into PRiME parameters.

A record keeps every field of its layout as an integer (implied decimals included) or text, so a file that is read and
written again is the same file. Decoding follows HKEX's practice: arrays and charges are times 10 to the risk exponent;
a strike has two implied decimals at exponent 0 and none above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.margin.prime.commodity import (
    E4,
    Commodity,
    CommodityLeg,
    Contract,
    IntercommoditySpread,
    IntermonthSpread,
    Kind,
    PrimeParameters,
    ShortOptionMethod,
    Side,
    SpotCharge,
    Tier,
    TierLeg,
    check_parameters,
)
from tsingma.messages.span_layout import LAYOUTS, WIDTH, Field, Form

RECORDS_MAX = 2_000_000
FAULTS_SHOWN = 100
_EVERY_MONTH = Tier(1, 0, 999_999)

Value = int | str


class Record(msgspec.Struct, frozen=True):
    """One line: record type, fields by name (absent ones left out), and where it stood."""

    type: str
    fields: dict[str, Value]
    line: int = 0

    def number(self, name: str) -> int:
        """Return a numeric field, 0 when the file leaves it blank."""
        value = self.fields.get(name, 0)
        return value if isinstance(value, int) else 0

    def text(self, name: str) -> str:
        """Return a text field, empty when the file leaves it blank."""
        return str(self.fields.get(name, ""))


def read_records(data: bytes, *, file: str = "span.lis") -> tuple[Record, ...]:
    """Return the records of a file in order; raises Rejected naming line and field of everything that is wrong.

    Refused: bytes that are not ASCII, a record type that is not known, a number with other characters than digits.
    """
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        place = data.count(b"\n", 0, error.start) + 1
        raise refuse(RejectionReason.MALFORMED, "a byte is not ASCII", file=file, line=place) from None
    if len(lines) > RECORDS_MAX:
        raise refuse(RejectionReason.LIMIT, f"more than {RECORDS_MAX} lines", file=file, line=RECORDS_MAX + 1)
    records: list[Record] = []
    faults: list[Rejection] = []
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip("\r")
        if line.strip():
            _read_line(line, number, file, records, faults)
    if faults:
        raise Rejected(*faults[:FAULTS_SHOWN])
    if not records or records[0].type != "0 ":
        raise refuse(RejectionReason.MISSING, "the file does not start with a header (record 0)", file=file, line=1)
    return tuple(records)


def _read_line(line: str, number: int, file: str, records: list[Record], faults: list[Rejection]) -> None:
    kind = line[:2].ljust(2)
    layout = LAYOUTS.get(kind)
    if layout is None:
        known = ", ".join(repr(each.strip()) for each in LAYOUTS)
        faults.append(
            Rejection(
                reason=RejectionReason.UNKNOWN, file=file, line=number, field="record type",
                message=f"{kind!r} is no record of this file", remedy=f"known are {known}",
            )
        )  # fmt: skip
        return
    fields: dict[str, Value] = {}
    for field in layout:
        text = line[field.first - 1 : field.last]
        try:
            value = _parse(field, text)
        except ValueError:
            faults.append(
                Rejection(
                    reason=RejectionReason.MALFORMED, file=file, line=number, field=field.name,
                    message=f"{text!r} in positions {field.first} to {field.last} is no number",
                )
            )  # fmt: skip
            continue
        if value is not None:
            fields[field.name] = value
    records.append(Record(kind, fields, number))


def _parse(field: Field, text: str) -> Value | None:
    if field.form is Form.TEXT:
        return text.rstrip() or None
    if not text.strip():
        return None
    if field.form is Form.NUMBER:
        if not text.strip().isdigit():
            raise ValueError(text)
        return int(text)
    digits, sign = text[: field.last - field.first], text[field.last - field.first :] or "+"
    if not digits.strip().isdigit() or sign not in "+- ":
        raise ValueError(text)
    return -int(digits) if sign == "-" else int(digits)


def write_records(records: Sequence[Record]) -> bytes:
    """Return the file of these records; raises Rejected when a value does not fit its field."""
    return ("\n".join(_write_line(record) for record in records) + "\n").encode("ascii")


def _write_line(record: Record) -> str:
    line = list(record.type.ljust(WIDTH))
    for field in LAYOUTS[record.type]:
        if field.name not in record.fields:
            continue
        width = field.last - field.first + 1
        value = record.fields[field.name]
        if field.form is Form.TEXT:
            text = str(value).ljust(width)
        elif field.form is Form.NUMBER:
            text = str(value).rjust(width, "0")
        else:
            text = str(abs(int(value))).rjust(width - 1, "0") + ("-" if int(value) < 0 else "+")
        if len(text) > width or (field.form is Form.NUMBER and int(value) < 0):
            message = f"{value} does not fit {width} characters"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field=field.name, subject=f"record {record.type}")
        line[field.first - 1 : field.last] = text
    return "".join(line).rstrip()


def contract_id(commodity: str, kind: str, month: int, right: str, strike_e4: int) -> str:
    """Return the id of a series: ``HSI FUT 201903``, ``HSI OOP 201903 C 29000``."""
    if not right:
        return f"{commodity} {kind} {month}"
    whole, part = divmod(strike_e4, E4)
    strike = f"{whole}.{part:04d}".rstrip("0").rstrip(".")
    return f"{commodity} {kind} {month} {right} {strike}"


def prime_parameters(
    records: Sequence[Record], multipliers: Mapping[str, int] | None = None, *, file: str = "span.lis"
) -> PrimeParameters:
    """Return what the records say, for margining.

    ``multipliers`` gives per combined commodity the money a point is worth; the file does not carry it. Raises Rejected
    naming the line: an array without its second half, a contract of an unknown commodity, parameters that contradict
    themselves.
    """
    commodities = {record.text("code"): record for record in records if record.type == "2 "}
    exponents = {code: record.number("risk_exponent") for code, record in commodities.items()}
    parents = {
        record.text(f"commodity_{group}"): code
        for code, record in commodities.items()
        for group in range(1, 7)
        if record.text(f"commodity_{group}")
    }
    built = {code: _commodity(code, record, records, exponents[code], file) for code, record in commodities.items()}
    header = records[0]
    return check_parameters(
        PrimeParameters(
            name=file,
            business_date=header.text("business_date"),
            commodities=built,
            contracts=_contracts(records, parents, exponents, multipliers or {}, file),
            intercommodity=tuple(_intercommodity(record) for record in records if record.type == "6 "),
        )
    )


def _commodity(code: str, record: Record, records: Sequence[Record], exponent: int, file: str) -> Commodity:
    unit = 10**exponent
    own = [each for each in records if each.type in ("3 ", "4 ", "C ") and each.text("code") == code]
    tiers = tuple(
        Tier(each.number(f"tier_{group}"), each.number(f"start_{group}"), each.number(f"end_{group}"))
        for each in own
        if each.type == "3 "
        for group in range(1, 5)
        if each.number(f"tier_{group}")
    )
    charges = tuple(
        SpotCharge(
            each.number(f"month_{group}"),
            each.number(f"per_spread_{group}") * unit,
            each.number(f"outright_{group}") * unit,
        )
        for each in own
        if each.type == "4 "
        for group in (1, 2)
        if each.number(f"month_{group}")
    )
    spreads = tuple(_spread(each, unit, file) for each in own if each.type == "C ")
    minimums = [each for each in own if each.type == "4 "]
    method = minimums[0].number("short_option_method") if minimums else 0
    return Commodity(
        code=code,
        currency=record.text("currency"),
        tiers=tiers or (_EVERY_MONTH,),
        intermonth=spreads,
        spot=charges,
        short_option_minimum=minimums[0].number("short_option_minimum") * unit if minimums else 0,
        short_option_method=ShortOptionMethod.LARGER_SIDE if method == 1 else ShortOptionMethod.CALLS_AND_PUTS,
        premium_style=record.text("margin_style") == "P",
    )


def _side(record: Record, field: str, file: str) -> Side:
    letter = record.text(field) or Side.A
    if letter not in list(Side):
        message = f"'{letter}' is none of {', '.join(Side)}"
        raise refuse(RejectionReason.UNKNOWN, message, file=file, line=record.line, field=field)
    return Side(letter)


def _spread(record: Record, unit: int, file: str) -> IntermonthSpread:
    legs = tuple(
        TierLeg(record.number(f"tier_{leg}"), record.number(f"delta_{leg}") * E4, _side(record, f"side_{leg}", file))
        for leg in range(1, 5)
        if record.number(f"leg_{leg}")
    )
    return IntermonthSpread(record.number("priority"), record.number("charge") * unit, legs)


def _intercommodity(record: Record) -> IntercommoditySpread:
    legs = tuple(
        CommodityLeg(record.text(f"code_{leg}"), record.number(f"ratio_{leg}"), Side(record.text(f"side_{leg}") or "A"))
        for leg in range(1, 5)
        if record.text(f"code_{leg}")
    )
    return IntercommoditySpread(record.number("priority"), record.number("credit_rate"), legs)


def _contracts(
    records: Sequence[Record], parents: Mapping[str, str], exponents: Mapping[str, int],
    multipliers: Mapping[str, int], file: str,
) -> dict[str, Contract]:  # fmt: skip
    halves: dict[str, Record] = {}
    contracts: dict[str, Contract] = {}
    scaling = {
        (each.text("commodity"), each.text("kind"), each.number("month") or each.number("futures_month")): each.number(
            "delta_scaling"
        )
        for each in records
        if each.type == "B "
    }
    for record in records:
        if record.type not in ("81", "82"):
            continue
        commodity = record.text("commodity")
        parent = parents.get(commodity)
        if parent is None:
            message = f"'{commodity}' belongs to no combined commodity (record 2)"
            raise refuse(RejectionReason.UNKNOWN, message, file=file, line=record.line, field="commodity")
        month = record.number("month") or record.number("futures_month")
        strike_e4 = record.number("strike") * (E4 if exponents[parent] else E4 // 100)
        right = record.text("right")
        name = contract_id(commodity, record.text("kind"), month, right, strike_e4)
        if record.type == "81":
            if name in halves:
                raise _broken(name, record, file, "has a first half already", RejectionReason.DUPLICATE)
            halves[name] = record
            continue
        if name not in halves or name in contracts:
            raise _broken(name, record, file, "second half (82) without its own first half (81)")
        unit = 10 ** exponents[parent]
        array = tuple(halves[name].number(f"array_{place}") * unit for place in range(1, 10))
        array += tuple(record.number(f"array_{place}") * unit for place in range(1, 8))
        contracts[name] = Contract(
            id=name, commodity=parent, kind=Kind(record.text("kind")), month=month, array=array,
            delta_e4=record.number("delta"), right=right, strike_e4=strike_e4,
            scaling_e4=scaling.get((commodity, record.text("kind"), month), 0) or E4,
            settlement_price_e4=record.number("settlement_price") * (E4 // 100), multiplier=multipliers.get(parent, 0),
        )  # fmt: skip
    for name, record in halves.items():
        if name not in contracts:
            raise _broken(name, record, file, "first half (81) without a second half (82)")
    return contracts


def _broken(
    name: str, record: Record, file: str, message: str, reason: RejectionReason = RejectionReason.MISSING
) -> Rejected:
    return refuse(reason, message, file=file, line=record.line, field="array", subject=f"contract {name}")
