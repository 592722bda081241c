"""The public series the economy rooms are tested on, read from one folder in the layout of its parts."""

from __future__ import annotations

from pathlib import Path

from tsingma.economy.observations import EconomicData
from tsingma.economy.series import Series
from tsingma.messages.economic_files import Dates, read_columns, read_json_series

RESERVES = "allocated|Chinese yuan renminbi|share_pct"


def read_economic_data(folder: Path) -> EconomicData:
    """Return every series of ``folder``; raises Rejected naming the first file that is missing or broken."""
    homes, indices = folder / "hk_property", folder / "indices"

    def closes(name: str) -> Series:
        (series,) = read_columns(indices / f"{name}.csv", Dates.DAY, "date", ("close",))
        return Series(name, series.days, series.values)

    swift = ("global_share_pct", "global_rank", "trade_finance_share_pct")
    payments, rank, finance = read_columns(folder / "rmb" / "swift_rmb_share.csv", Dates.MONTH, "month", swift)
    (reserves,) = read_columns(folder / "cofer" / "cofer_world_quarterly.csv", Dates.QUARTER, "quarter", (RESERVES,))
    (hibor,) = read_columns(homes / "hibor_daily.csv", Dates.DAY, "Date", ("HIBOR Rate",))
    (ccl,) = read_columns(homes / "centaline_weekly.csv", Dates.DAY, "date", ("ccl",))
    index = homes / "radar_price_rent_index.json"
    vacancy = read_columns(homes / "rvd_vacancy_annual.csv", Dates.YEAR, "Year", ("Total (% of stock)",))[0]
    return EconomicData(
        hsi=closes("HSI"),
        peers={name: closes(name) for name in ("N225", "NASDAQ100", "SP500", "CSI_300")},
        ccl=ccl,
        home_price=read_json_series(index, "price", ("periods",), ("classes", "All Classes", "price")),
        home_rent=read_json_series(index, "rent", ("periods",), ("classes", "All Classes", "rent")),
        home_sales=read_json_series(homes / "radar_volume.json", "agreements", ("periods",), ("total",)),
        hibor=hibor,
        completions=read_columns(homes / "rvd_completions_annual.csv", Dates.YEAR, "Year", ("Total (No. of units)",))[
            0
        ],
        vacancy=vacancy,
        reserves=reserves,
        payments=payments,
        payments_rank=rank,
        trade_finance=finance,
    )
