"""Books of holdings as a file: a holding a line, accounts by name (CSV)."""

from __future__ import annotations

from tsingma.basics.documents import is_whole
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.margin.house.holdings import OPTIONS, PRODUCTS_OF, Book, Holding, House, Product
from tsingma.messages.rows import read_cells

COLUMNS = ("book", "house", "product", "factor", "notional", "strike", "days")
ROWS_MAX = 100_000
NOTIONAL_MAX = 10**13
DAYS_MAX = 3_650


def read_books(data: bytes, *, file: str = "books.csv") -> tuple[Book, ...]:
    """Return the books in the order in which they appear; raises Rejected with file, line and field of every fault.

    ``notional`` is signed whole HKD; ``strike`` over today's price (1 is at the money) and ``days`` to expiry are for
    options and empty otherwise. The lines of a book may stand apart.
    """
    found: dict[str, list[Holding]] = {}
    faults: list[Rejection] = []
    for line, row in read_cells(data, file, COLUMNS, rows_max=ROWS_MAX, rows="holdings"):
        wrong = _take(row, line, found)
        if wrong:
            reason, field, message = wrong
            faults.append(Rejection(reason=reason, file=file, line=line, field=field, message=message))
    if faults:
        raise Rejected(*faults[:100])
    if not found:
        raise refuse(RejectionReason.MISSING, "there is no holding in the file", file=file, line=2)
    return tuple(Book(name, tuple(holdings)) for name, holdings in found.items())


def _take(row: list[str], line: int, found: dict[str, list[Holding]]) -> tuple[RejectionReason, str, str] | None:
    if len(row) != len(COLUMNS):
        return RejectionReason.MALFORMED, "", f"{len(row)} columns, {len(COLUMNS)} expected"
    name, house, product, factor, notional, strike, days = (cell.strip() for cell in row)
    if not name or not factor:
        return RejectionReason.MISSING, "book" if not name else "factor", "is empty"
    if house not in list(House):
        return RejectionReason.UNKNOWN, "house", f"'{house}' is none of {', '.join(House)}"
    if product not in list(Product):
        return RejectionReason.UNKNOWN, "product", f"'{product}' is none of {', '.join(Product)}"
    kind = Product(product)
    if kind not in PRODUCTS_OF[House(house)]:
        return RejectionReason.NOT_ALLOWED, "product", f"{house} clears {', '.join(PRODUCTS_OF[House(house)])}"
    digits = notional[1:] if notional[:1] in "+-" else notional
    if not is_whole(digits) or not 0 < int(digits) <= NOTIONAL_MAX:
        return RejectionReason.OUT_OF_RANGE, "notional", f"'{notional}' is no whole HKD up to {NOTIONAL_MAX:,}"
    option: dict[str, int] = {}
    if kind in OPTIONS:
        try:
            option = {"strike_e4": round(float(strike) * 10_000), "days": int(days)}
        except (ValueError, OverflowError):
            return RejectionReason.MALFORMED, "strike", f"'{strike}' and '{days}': an option needs strike and days"
        if not 100 <= option["strike_e4"] <= 10**6:
            return RejectionReason.OUT_OF_RANGE, "strike", f"'{strike}' is not 0.01 to 100 times today's price"
        if not 2 <= option["days"] <= DAYS_MAX:
            return RejectionReason.OUT_OF_RANGE, "days", f"'{days}' is not 2 to {DAYS_MAX}: expired, or too far"
    found.setdefault(name, []).append(
        Holding(house=House(house), product=kind, factor=factor, notional=int(notional), line=line, **option)
    )
    return None
