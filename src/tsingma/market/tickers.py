"""How one counter is named: quote services write 0700.HK, the house 00700, risk parameter files 700."""

from __future__ import annotations

import re

from tsingma.basics.rejection import RejectionReason, refuse

_TICKER = re.compile(r"([0-9]{1,5})(?:\.HK)?")


def counter_code(ticker: str) -> str:
    """Return the five-digit stock code of ``0700.HK``, ``700`` or ``00700``: all give ``00700``.

    Stock codes of the Hong Kong exchange are numbers of up to five digits; the house always writes five.
    Raises Rejected (malformed) for anything else, and for the number zero.
    """
    match = _TICKER.fullmatch(ticker.strip().upper())
    if match is None or int(match[1]) == 0:
        raise refuse(
            RejectionReason.MALFORMED,
            f"'{ticker}' is no Hong Kong stock code",
            field="ticker",
            remedy="write it as 0700.HK, 700 or 00700",
        )
    return f"{int(match[1]):05d}"


def file_instrument_id(ticker: str) -> str:
    """Return the name of a counter in a risk parameter file: ``0700.HK`` and ``00700`` give ``700``.

    HKSCC Initial Margin Calculation Guide v1.4 (October 2025), sample file: codes have no leading zeros.
    """
    return str(int(counter_code(ticker)))
