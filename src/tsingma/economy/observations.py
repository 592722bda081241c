"""The public series that claims, pins and hold-outs are tested on; whoever reads the files fills it."""

from __future__ import annotations

import msgspec

from tsingma.economy.series import Series


class EconomicData(msgspec.Struct, frozen=True, kw_only=True):
    """Series by name: daily closes; homes as RVD's index of all classes and Centaline's weekly one; shares in percent.

    ``home_sales`` are monthly agreements, ``hibor`` the one-month rate by day, ``completions`` and ``vacancy`` yearly.
    """

    hsi: Series
    peers: dict[str, Series]
    ccl: Series
    home_price: Series
    home_rent: Series
    home_sales: Series
    hibor: Series
    completions: Series
    vacancy: Series
    reserves: Series
    payments: Series
    payments_rank: Series
    trade_finance: Series
