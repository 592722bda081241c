"""Tax withheld from distributions: dated rates by regime and holder (dividend_tax.toml)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.events.outturn import TaxRates
from tsingma.journal.corporate_action_commands import SCALE_E9
from tsingma.reference.tables import read_table, row_on

STANDARD = "standard"
_E6 = 1_000_000
_TABLE = "dividend_tax.toml"


def check_holder(holder: str) -> None:
    """Raise Rejected (unknown) unless the table has a row for the holder under some regime."""
    known = sorted({str(row["holder"]) for row in read_table(_TABLE)["rate"]})
    if holder not in known:
        raise refuse(RejectionReason.UNKNOWN, f"no holder '{holder}'", field="holder", remedy=f"one of {known}")


def check_regime(regime: str) -> None:
    """Raise Rejected (unknown) unless the table has rows of the regime ("" is none)."""
    known = sorted({str(row["regime"]) for row in read_table(_TABLE)["rate"]})
    if regime and regime not in known:
        raise refuse(RejectionReason.UNKNOWN, f"no regime '{regime}'", field="tax_regime", remedy=f"one of {known}")


def rate_e9(regime: str, holder: str, day: date) -> int:
    """Return the part withheld x 10**9; a holder without a row of the regime is taxed at its standard rate.

    Raises Rejected (beyond-horizon) before the first row.
    """
    rows = [row for row in read_table(_TABLE)["rate"] if row["regime"] == regime]
    own = [row for row in rows if row["holder"] == holder] or [row for row in rows if row["holder"] == STANDARD]
    return int(row_on(own, day, table=f"{_TABLE}: {regime}")["rate_e6"]) * (SCALE_E9 // _E6)


def tax_rates(regime: str, holders: Mapping[int, str], day: date) -> TaxRates:
    """Return the rates of a regime on a day, with those of accounts whose ``holders`` were declared."""
    if not regime:
        return TaxRates()
    return TaxRates(
        rate_e9(regime, STANDARD, day), {account: rate_e9(regime, holder, day) for account, holder in holders.items()}
    )
