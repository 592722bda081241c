"""Terms of swaps, bonds and bond futures as a file: a contract a line (CSV)."""

from __future__ import annotations

import math
from datetime import date

from tsingma.basics.dates import parse_date
from tsingma.basics.documents import is_whole
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.margin.house.contracts import Contract, ContractKind, check_contracts
from tsingma.messages.rows import read_cells
from tsingma.pricing.schedule import DayCount

COLUMNS = ("id", "kind", "curve", "start", "maturity", "rate", "months", "count", "floating_months", "fixing", "repaid",
           "basket")  # fmt: skip
ROWS_MAX = 100_000
PAR = "par"
RATE_MAX = 1.0
MONTHS_MAX = 1_200


def read_contracts(data: bytes, *, file: str = "contracts.csv") -> dict[str, Contract]:
    """Return contracts by id in file order; raises Rejected with file, line and field of everything that is wrong.

    ``kind`` swap, bond, floater or bond-future. ``start`` a day, or empty for the day of valuation; ``maturity`` a day,
    or so many months or years from the start (``6M``, ``5Y``). ``rate`` a decimal or ``par``. ``months`` of a coupon
    period, 12 when empty; ``count`` a day count, ACT/365F when empty; ``floating_months`` 3 when empty; ``fixing`` of
    the running floating period; ``repaid`` and ``basket`` are lists parted by ``|``.
    """
    found: list[Contract] = []
    faults: list[Rejection] = []
    for line, row in read_cells(data, file, COLUMNS, rows_max=ROWS_MAX, rows="contracts"):
        try:
            found.append(_contract([cell.strip() for cell in row], line))
        except Rejected as wrong:
            one = wrong.rejections[0]
            faults.append(Rejection(reason=one.reason, file=file, line=line, field=one.field, message=one.message))
    if faults:
        raise Rejected(*faults[:100])
    if not found:
        raise refuse(RejectionReason.MISSING, "there is no contract in the file", file=file, line=2)
    return check_contracts(found, file=file)


def _contract(row: list[str], line: int) -> Contract:
    if len(row) != len(COLUMNS):
        raise refuse(RejectionReason.MALFORMED, f"{len(row)} columns, {len(COLUMNS)} expected")
    cells = dict(zip(COLUMNS, row, strict=True))
    for name in ("id", "curve", "maturity", "rate"):
        if not cells[name]:
            raise refuse(RejectionReason.MISSING, "is empty", field=name)
    if cells["kind"] not in list(ContractKind):
        message = f"'{cells['kind']}' is none of {', '.join(ContractKind)}"
        raise refuse(RejectionReason.UNKNOWN, message, field="kind")
    if cells["count"] and cells["count"] not in list(DayCount):
        message = f"'{cells['count']}' is none of {', '.join(DayCount)}"
        raise refuse(RejectionReason.UNKNOWN, message, field="count")
    kind, start = ContractKind(cells["kind"]), parse_date(cells["start"], field="start") if cells["start"] else None
    if cells["rate"] == PAR and kind not in (ContractKind.SWAP, ContractKind.BOND):
        raise refuse(RejectionReason.NOT_ALLOWED, f"a {kind} has no par rate", field="rate", remedy="give a number")
    maturity = _maturity(cells["maturity"])
    if start is not None and isinstance(maturity, date) and maturity <= start:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{maturity} is not after {start}", field="maturity")
    return Contract(
        id=cells["id"],
        kind=kind,
        curve=cells["curve"],
        start=start,
        maturity=maturity,
        rate=None if cells["rate"] == PAR else _number(cells["rate"], "rate"),
        months=_months(cells["months"], "months", 12),
        count=DayCount(cells["count"] or DayCount.ACT_365F),
        floating_months=_months(cells["floating_months"], "floating_months", 3),
        fixing=_number(cells["fixing"], "fixing") if cells["fixing"] else None,
        repaid=tuple(_number(part, "repaid") for part in cells["repaid"].split("|")) if cells["repaid"] else (),
        basket=tuple(cells["basket"].split("|")) if cells["basket"] else (),
        line=line,
    )


def _maturity(text: str) -> date | int:
    number, unit = text[:-1], text[-1:]
    if unit in ("M", "Y") and is_whole(number):
        months = int(number) * (12 if unit == "Y" else 1)
        if not 0 < months <= MONTHS_MAX:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"'{text}' is not up to 100 years", field="maturity")
        return months
    return parse_date(text, field="maturity")


def _months(text: str, field: str, default: int) -> int:
    if not text:
        return default
    if not is_whole(text) or not 1 <= int(text) <= 120:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"'{text}' is not 1 to 120 months", field=field)
    return int(text)


def _number(text: str, field: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -RATE_MAX <= value <= RATE_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"'{text}' is no decimal from -1 to 1", field=field)
    return value
