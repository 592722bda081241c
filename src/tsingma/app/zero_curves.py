"""Use case: zero rates by day from quotes of deposits and par swaps."""

from __future__ import annotations

from pathlib import Path

from tsingma.basics.rejection import Rejected, refuse
from tsingma.messages.quote_file import read_quotes, write_zero_rates
from tsingma.pricing.curves import bootstrap


def curves_of_quotes(quotes: Path, out: Path) -> tuple[int, int]:
    """Write the zero rates that price every quote to par; return how many curves and how many rates.

    Raises Rejected naming file, line and curve of quotes that make no curve (a singular one).
    """
    rates, found = [], read_quotes(quotes.read_bytes(), file=str(quotes))
    for (curve, day), chosen in found.items():
        try:
            made = bootstrap(day, [one for _, one, _ in chosen])
        except Rejected as wrong:
            first = wrong.rejections[0]
            raise refuse(
                first.reason, first.message, file=str(quotes), line=chosen[-1][2], subject=f"{curve} of {day}",
                field=first.field, remedy=first.remedy,
            ) from None  # fmt: skip
        rates += [(day, curve, tenor, made.zero_rate(one.end)) for tenor, one, _ in chosen]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(write_zero_rates(sorted(rates, key=lambda rate: rate[:2])))
    return len(found), len(rates)
