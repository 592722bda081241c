"""RPF01, the daily risk parameter file of HKSCC (CSV): reader and writer.

Layout: HKSCC Initial Margin Calculation Guide v1.4 (October 2025), file specification: ``name,value`` header rows, the
column row ``InstrumentId,FieldType,1,2,...``, then one row per instrument and field type.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.basics.rounding import parse_scaled
from tsingma.margin.hkscc.parameters import (
    BetaHedge,
    CorporateAction,
    Parameters,
    PriceThreshold,
    StructuredProduct,
    check_parameters,
)

FILE_SIZE_MAX = 1 << 30
HEADERS = (
    "Valuation_DT",
    "HVaR_WGT",
    "SVaR_WGT",
    "HVaR_Scen_Count",
    "SVaR_Scen_Count",
    "STV_Count",
    "HVaR_CL",
    "SVaR_CL",
    "HVaR_Measure",
    "SVaR_Measure",
    "Rounding",
    "Holiday_Factor",
)
TABLE_START = "InstrumentId,FieldType,"
_COLUMNS = {3: 1, 4: 4, 5: 4, 6: 2, 7: 4}  # values per row of the field types that are no scenarios
_CODE = re.compile(r"[A-Za-z0-9._-]{1,20}")
# Up to three digits and ten decimals: float(text) x 10**10 is then off by less than 0.01 and rounds to the exact one.
_RETURNS = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,10})?(?:,-?[0-9]{1,3}(?:\.[0-9]{1,10})?)*")


class _Place:
    """Where the reader stands, for messages."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.line = 0

    def refuse(
        self, reason: RejectionReason, message: str, remedy: str, field: str = "", subject: str = ""
    ) -> Rejected:
        """Return a refusal at this line."""
        where = {"file": self.file, "line": self.line, "field": field, "subject": subject, "remedy": remedy}
        return refuse(reason, message, **where)

    def number(self, text: str, field: str, subject: str = "") -> int:
        """Return the number x 10**10, refused with this place."""
        try:
            return parse_scaled(text, 10, field=field)
        except Rejected as bad:
            raise self.refuse(
                RejectionReason.MALFORMED, bad.rejections[0].message, "a number of up to 10 decimals", field, subject
            ) from None

    def whole(self, text: str, field: str, subject: str = "") -> int:
        """Return a whole number, refused with this place."""
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
            raise self.refuse(
                RejectionReason.MALFORMED, f"'{text}' is no whole number", "write digits only", field, subject
            )
        return int(text)


def read_parameters(data: bytes, *, file: str = "RPF01.csv", partial: bool = False) -> Parameters:
    """Return the parameters of an RPF01 file, or raise Rejected naming file, line and field.

    Every row must carry as many scenarios as the header declares; ``partial`` admits fewer (all rows alike), for a
    file whose tail means are given apart. Nothing is skipped: an unknown field type or header refuses the file.
    """
    place = _Place(file)
    lines = _lines(data, place)
    header, first_row = _read_header(lines, place)
    table = _Table(place, header, partial=partial)
    for offset, line in enumerate(lines[first_row:]):
        place.line = first_row + offset + 1
        if line:
            table.add(line)
    return table.parameters()


def _lines(data: bytes, place: _Place) -> list[str]:
    if len(data) > FILE_SIZE_MAX:
        raise place.refuse(RejectionReason.LIMIT, f"{len(data)} bytes is too large", f"at most {FILE_SIZE_MAX}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place.line = data[: error.start].count(b"\n") + 1
        raise place.refuse(
            RejectionReason.MALFORMED, f"byte {error.start} is not UTF-8", "save the file as UTF-8 or ASCII text"
        ) from None
    lines = [line.rstrip("\r").rstrip() for line in text.split("\n")]
    if not any(lines):
        raise place.refuse(RejectionReason.MALFORMED, "the file is empty", "give the whole RPF01 file")
    return lines


def _read_header(lines: list[str], place: _Place) -> tuple[dict[str, tuple[int, str]], int]:
    header: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines, 1):
        place.line = number
        if line.startswith(TABLE_START):
            missing = [name for name in HEADERS if name not in header]
            if missing:
                raise place.refuse(
                    RejectionReason.MISSING, f"no header row {', '.join(missing)}", "add 'name,value' above", missing[0]
                )
            return header, number
        if not line:
            continue
        name, _, value = line.partition(",")
        name = name.strip()
        if name not in HEADERS:
            remedy = f"known rows are {', '.join(HEADERS)}, then '{TABLE_START}1,2,...'"
            raise place.refuse(RejectionReason.UNKNOWN, f"unknown header row '{name}'", remedy, name)
        if name in header:
            raise place.refuse(RejectionReason.DUPLICATE, "the header row stands twice", "keep one", name)
        header[name] = (number, value.rstrip(",").strip())
    raise place.refuse(
        RejectionReason.MALFORMED, f"the table never starts: no row '{TABLE_START}1,2,...'", "give the whole file"
    )


class _Table:
    """The rows below the column row, collected by field type."""

    def __init__(self, place: _Place, header: dict[str, tuple[int, str]], *, partial: bool) -> None:
        self._place = place
        self._header = header
        self._partial = partial
        self._count = {1: self._whole("HVaR_Scen_Count"), 2: self._whole("SVaR_Scen_Count")}
        self._returns: dict[int, dict[str, npt.NDArray[np.int64]]] = {1: {}, 2: {}}
        self._seen: dict[tuple[str, int, str], int] = {}
        self.flat: dict[str, int] = {}
        self.hedges: dict[str, BetaHedge] = {}
        self.products: dict[str, StructuredProduct] = {}
        self.thresholds: dict[str, PriceThreshold] = {}
        self.actions: dict[tuple[str, int], CorporateAction] = {}

    def add(self, line: str) -> None:
        """Take one row, refusing what is unknown, doubled, short or not a number."""
        code, _, rest = line.partition(",")
        kind_text, _, values = rest.partition(",")
        code, kind_text = code.strip(), kind_text.strip()
        if not _CODE.fullmatch(code):
            raise self._place.refuse(
                RejectionReason.MALFORMED, f"'{code}' is no code", "letters and digits", "InstrumentId"
            )
        if kind_text not in ("1", "2", "3", "4", "5", "6", "7"):
            raise self._place.refuse(
                RejectionReason.UNKNOWN, f"field type '{kind_text}'", "field types are 1 to 7", "FieldType", code
            )
        kind = int(kind_text)
        if kind <= 2:
            self._once(code, kind)
            self._returns[kind][code] = self._scenarios(code, kind, values)
            return
        fields = [text.strip() for text in values.rstrip(",").split(",")]
        if len(fields) != _COLUMNS[kind] or not all(fields):
            text = f"field type {kind} has {_COLUMNS[kind]} values, found {values!r}"
            raise self._place.refuse(RejectionReason.MALFORMED, text, "complete the row", "FieldType", code)
        self._once(code, kind, fields[0] if kind == 7 else "")
        self._record(code, kind, fields)

    def _once(self, code: str, kind: int, entitlement: str = "") -> None:
        before = self._seen.setdefault((code, kind, entitlement), self._place.line)
        if before != self._place.line:
            text = f"field type {kind} already stands on line {before}"
            raise self._place.refuse(RejectionReason.DUPLICATE, text, "keep one of the rows", "FieldType", code)

    def _record(self, code: str, kind: int, fields: list[str]) -> None:
        if kind == 3:
            self.flat[code] = self._number(fields, 0, code)
        elif kind == 4:
            threshold = self._place.whole(fields[2], "column 3", code)
            rate, beta, delta = (self._number(fields, column, code) for column in (0, 1, 3))
            self.hedges[code] = BetaHedge(rate, beta, threshold, delta)
        elif kind == 5:
            if not _CODE.fullmatch(fields[0]):
                raise self._place.refuse(RejectionReason.MALFORMED, f"'{fields[0]}' is no code", "name the underlying")
            delta, ratio, cash = (self._number(fields, column, code) for column in (1, 2, 3))
            self.products[code] = StructuredProduct(fields[0], delta, ratio, cash)
        elif kind == 6:
            self.thresholds[code] = PriceThreshold(self._number(fields, 0, code), self._number(fields, 1, code))
        else:
            entitlement = self._place.whole(fields[0], "column 1", code)
            price, short, long = (self._number(fields, column, code) for column in (1, 2, 3))
            self.actions[code, entitlement] = CorporateAction(entitlement, price, short, long)

    def _number(self, fields: list[str], column: int, code: str) -> int:
        return self._place.number(fields[column], f"column {column + 1}", code)

    def _scenarios(self, code: str, kind: int, values: str) -> npt.NDArray[np.int64]:
        values = values.rstrip(",").replace(" ", "")
        if _RETURNS.fullmatch(values):
            parsed = np.rint(np.fromstring(values, sep=",", dtype=np.float64) * 1e10).astype(np.int64)
        else:
            texts = values.split(",") if values else []
            numbers = [self._place.number(text, f"column {at}", code) for at, text in enumerate(texts, 1)]
            if any(abs(number) > 2**62 for number in numbers):
                raise self._place.refuse(
                    RejectionReason.OUT_OF_RANGE, "a return is too large", "write 1% as 0.01", "", code
                )
            parsed = np.array(numbers, dtype=np.int64)
        declared = self._count[kind]
        if len(parsed) > declared or not len(parsed) or (len(parsed) < declared and not self._partial):
            text = f"{len(parsed)} scenarios where the header declares {declared}"
            remedy = "give the whole file, or the tail means of every group"
            raise self._place.refuse(RejectionReason.MALFORMED, text, remedy, f"FieldType {kind}", code)
        for other, returns in self._returns[kind].items():
            if len(returns) != len(parsed):
                text = f"{len(parsed)} scenarios where {other} has {len(returns)}"
                raise self._place.refuse(RejectionReason.MALFORMED, text, "complete the row", f"FieldType {kind}", code)
            break
        return parsed

    def _whole(self, name: str) -> int:
        self._place.line, text = self._header[name]
        return self._place.whole(text, name)

    def _scaled(self, name: str) -> int:
        self._place.line, text = self._header[name]
        return self._place.number(text, name)

    def _date(self) -> date:
        self._place.line, text = self._header["Valuation_DT"]
        try:
            return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007 - a business date has no zone
        except ValueError:
            raise self._place.refuse(
                RejectionReason.MALFORMED, f"'{text}' is no date", "write it as DD/MM/YYYY", "Valuation_DT"
            ) from None

    def _matrix(self, kind: int) -> npt.NDArray[np.int64]:
        rows = [self._returns[kind][code] for code in self._returns[1]]
        width = len(rows[0]) if rows else 0
        return np.array(rows, dtype=np.int64).reshape(len(rows), width)

    def parameters(self) -> Parameters:
        """Return the checked parameters; every Tier P instrument must have rows of both field types 1 and 2."""
        for code in self._returns[1].keys() ^ self._returns[2].keys():
            kind = 1 if code in self._returns[1] else 2
            self._place.line = self._seen[code, kind, ""]
            text = f"has a row of field type {kind} and none of field type {3 - kind}"
            raise self._place.refuse(RejectionReason.MISSING, text, "give both rows", "FieldType", code)
        return check_parameters(
            Parameters(
                valuation_date=self._date(),
                hvar_weight_e10=self._scaled("HVaR_WGT"),
                svar_weight_e10=self._scaled("SVaR_WGT"),
                hvar_confidence_e10=self._scaled("HVaR_CL"),
                svar_confidence_e10=self._scaled("SVaR_CL"),
                hvar_measure=self._whole("HVaR_Measure"),
                svar_measure=self._whole("SVaR_Measure"),
                rounding=self._whole("Rounding"),
                holiday_factor_e10=self._scaled("Holiday_Factor"),
                stress_count=self._whole("STV_Count"),
                instruments=tuple(self._returns[1]),
                hvar_returns_e10=self._matrix(1),
                svar_returns_e10=self._matrix(2),
                hvar_declared=self._count[1],
                svar_declared=self._count[2],
                flat_rates_e10=self.flat,
                beta_hedges=self.hedges,
                structured_products=self.products,
                price_thresholds=self.thresholds,
                corporate_actions=self.actions,
                name=self._place.file,
            ),
            file=self._place.file,
        )


def decimal_text(value_e10: int) -> str:
    """Return value / 10**10 in the fewest digits: 9000000000 is ``0.9``."""
    text = format(Decimal(value_e10).scaleb(-10), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def write_parameters(parameters: Parameters) -> bytes:
    """Return the RPF01 file of the parameters; reading it back gives equal parameters.

    Scenario labels and the name have no place in the file and are not written.
    """
    width = max(parameters.hvar_returns_e10.shape[1], parameters.svar_returns_e10.shape[1], 4)
    lines = _header_lines(parameters)
    lines.append("InstrumentId,FieldType," + ",".join(str(number) for number in range(1, width + 1)))
    for kind, matrix in ((1, parameters.hvar_returns_e10), (2, parameters.svar_returns_e10)):
        for code, row in zip(parameters.instruments, matrix.tolist(), strict=True):
            lines.append(f"{code},{kind}," + ",".join(map(decimal_text, row)))
    lines += [f"{code},3,{decimal_text(rate_e10)}" for code, rate_e10 in parameters.flat_rates_e10.items()]
    for code, hedge in parameters.beta_hedges.items():
        first = f"{decimal_text(hedge.bucket_rate_e10)},{decimal_text(hedge.beta_e10)}"
        lines.append(f"{code},4,{first},{hedge.threshold},{decimal_text(hedge.cash_delta_e10)}")
    for code, product in parameters.structured_products.items():
        numbers = (product.delta_e10, product.conversion_ratio_e10, product.cash_delta_e10)
        lines.append(f"{code},5,{product.underlying}," + ",".join(map(decimal_text, numbers)))
    for code, low in parameters.price_thresholds.items():
        low_numbers = (low.price_threshold_e10, low.tick_multiplier_tenth_e10)
        lines.append(f"{code},6," + ",".join(map(decimal_text, low_numbers)))
    for (code, kind), action in parameters.corporate_actions.items():
        numbers = (action.price_e10, action.short_addon_e10, action.long_addon_e10)
        lines.append(f"{code},7,{kind}," + ",".join(map(decimal_text, numbers)))
    return ("\n".join(lines) + "\n").encode()


def _header_lines(parameters: Parameters) -> list[str]:
    values = (
        parameters.valuation_date.strftime("%d/%m/%Y"),
        decimal_text(parameters.hvar_weight_e10),
        decimal_text(parameters.svar_weight_e10),
        str(parameters.hvar_count),
        str(parameters.svar_count),
        str(parameters.stress_count),
        decimal_text(parameters.hvar_confidence_e10),
        decimal_text(parameters.svar_confidence_e10),
        str(parameters.hvar_measure),
        str(parameters.svar_measure),
        str(parameters.rounding),
        decimal_text(parameters.holiday_factor_e10),
    )
    return [f"{name},{value}" for name, value in zip(HEADERS, values, strict=True)]
