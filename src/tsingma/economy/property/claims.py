"""What the public series say of the third column's claims on stocks and homes."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from tsingma.economy.observations import EconomicData
from tsingma.economy.property.duty import PropertyKind, schedule_on
from tsingma.economy.property.duty_response import band_volume_change, total_volume_change
from tsingma.economy.property.evidence import divergence, granger
from tsingma.economy.register import Finding, not_testable, supported
from tsingma.economy.series import Series, align

Floats = npt.NDArray[np.float64]
COLUMN_DAY = date(2026, 6, 30)
FIRST = date(1900, 1, 1)
F_CRITICAL = 3.9  # five percent, one and about 130 degrees of freedom
T_CRITICAL = 2.0


def duty_findings() -> dict[str, Finding]:
    """Return the findings that need only the duty table and the published response to it."""
    before, after = (
        max(band.whole_bp for band in schedule_on(day, PropertyKind.RESIDENTIAL).bands) / 100.0
        for day in (date(2026, 2, 25), date(2026, 2, 26))
    )
    points = after - before
    return {
        "E11": supported(
            points == 2.25, f"{before} to {after} percent from 26 February 2026", "the dated table has both rates"
        ),
        "F5": not_testable(
            f"the band alone {100 * band_volume_change(points):+.0f} percent, all deals "
            f"{100 * total_volume_change(points, 0.003):+.2f} percent",
            "the published semi-elasticity foretells a third less in the band; no count of such deals after the day is "
            "held, and buyers who come for other reasons would hide it",
        ),
    }


def _change(series: Series, first: date, last: date) -> float:
    return 100.0 * (series.at(last) / series.at(first) - 1.0)


def index_findings(data: EconomicData) -> dict[str, Finding]:
    """Return the findings on index levels and on the other markets (E1 to E3, E5, E6, E8, E13)."""
    hsi = data.hsi
    year = _change(hsi, date(2024, 12, 31), date(2025, 12, 31))
    early = float(hsi.between(date(2025, 1, 1), date(2025, 1, 31)).values.min())
    end, high = hsi.at(date(2025, 12, 31)), float(hsi.between(date(2026, 1, 1), COLUMN_DAY).values.max())
    low = float(hsi.between(date(2026, 6, 15), COLUMN_DAY).values.min())
    year_low = float(hsi.between(date(2025, 6, 26), COLUMN_DAY).values.min())
    price = _change(hsi, date(2026, 1, 30), COLUMN_DAY)
    half = {
        name: _change(series, date(2025, 12, 31), COLUMN_DAY) for name, series in (("HSI", hsi), *data.peers.items())
    }
    split = ", ".join(f"{name} {value:+.1f}" for name, value in half.items())
    return {
        "E1": supported(abs(year - 28.0) < 0.5, f"{year:+.2f} percent", "to be within half a point"),
        "E2": supported(abs(early / 19_000 - 1) < 0.01, f"{early:,.0f}", "to be within a percent"),
        "E3": supported(end > 26_000, f"{end:,.2f}", "the last close decides; the high came in October"),
        "E5": supported(
            abs(high / 26_000 - 1) < 0.01, f"{high:,.2f}", "the highest close of the half-year is the high"
        ),
        "E6": supported(
            low < 23_000 and low <= 1.01 * year_low, f"{low:,.2f}, lowest of a year {year_low:,.2f}",
            "below 23,000 and within a percent of the low of a year; it dates the column to the end of June",
        ),
        "E8": not_testable(
            f"price effect {price:+.1f} percent, so net supply {-7.5 - price:+.1f} points",
            "listings and names outside the index must close the gap; market value after February is not held",
        ),
        "E13": supported(
            half["HSI"] < 0 < min(value for name, value in half.items() if name != "HSI"), f"{split} percent",
            "Hong Kong must fall while every other market rises",
        ),
    }  # fmt: skip


def home_findings(data: EconomicData) -> dict[str, Finding]:
    """Return the findings on home prices, agreements and supply (E4, E7, E10, E14, F7, F9, F10)."""
    ccl, sales = data.ccl.monthly(), data.home_sales
    years = {year: _change(ccl, date(year - 1, 12, 31), date(year, 12, 31)) for year in range(2022, 2026)}
    total = float(sales.between(date(2026, 1, 1), COLUMN_DAY).values.sum())
    before = float(sales.between(date(2025, 1, 1), date(2025, 6, 30)).values.sum())
    may, june, july = (sales.at(date(2026, month, 1)) for month in (5, 6, 7))
    run = _rises(ccl.between(FIRST, COLUMN_DAY).values)
    quarters = _rises(data.home_price.between(FIRST, COLUMN_DAY).values)
    prices = _change(ccl, date(2025, 12, 31), COLUMN_DAY)
    june_price = _change(ccl, date(2026, 5, 31), COLUMN_DAY)
    together = _correlation(*_sales_and_prices(data))
    hsi_2025 = _change(data.hsi, date(2024, 12, 31), date(2025, 12, 31))
    built = data.completions
    vacant = 100.0 * data.vacancy.values[-2:]
    return {
        "E4": supported(
            years[2025] > 0 > max(years[year] for year in (2022, 2023, 2024)),
            ", ".join(f"{year} {value:+.1f}" for year, value in years.items()) + " percent",
            "three falls and then a rise are needed",
        ),
        "E7": supported(
            run >= 12, f"{run} months of CCL, {quarters} quarters of RVD",
            "the run depends on the index",
        ),
        "E10": supported(
            abs((30_000 + 11_600) / total - 1) < 0.03, f"{total:,.0f} agreements of all kinds",
            "the two quoted counts must add up to within three percent of the registry's total",
        ),
        "E14": supported(
            june_price > 0 and july < june and july > 0.8 * june,
            f"June {june:,.0f} after {may:,.0f}, July {july:,.0f}; CCL {june_price:+.1f} percent in June",
            "agreements are registered a month late, so July shows June; slightly would be less than a fifth",
        ),
        "F7": supported(
            built.at(date(2025, 12, 31)) < built.at(date(2024, 12, 31)) and vacant[1] < vacant[0],
            f"completions {built.at(date(2024, 12, 31)):,.0f} to {built.at(date(2025, 12, 31)):,.0f}, vacancy "
            f"{vacant[0]:.1f} to {vacant[1]:.1f} percent", "both must fall; sellers' holding is not measured",
        ),
        "F9": supported(
            hsi_2025 > 0 and years[2025] > 0, f"HSI {hsi_2025:+.1f}, CCL {years[2025]:+.1f} percent", "both signs count"
        ),
        "F10": supported(
            total > before and prices > 0 and together > 0,
            f"agreements {100 * (total / before - 1):+.0f} percent on a year ago, CCL {prices:+.1f} percent; monthly "
            f"correlation {together:.2f}", "both must rise, and move together by month",
        ),
    }  # fmt: skip


def cause_findings(data: EconomicData) -> dict[str, Finding]:
    """Return the findings on causes and on what comes next (F1, F3, F4, F11)."""
    hsi = data.hsi.between(FIRST, COLUMN_DAY)
    slope, t, months = _rate_on_index(hsi, data.hibor)
    sales, prices = _sales_and_prices(data)
    leads = granger(prices, sales, 1, names=("agreements", "prices"))
    parted = divergence(hsi, data.ccl)
    past = [one for one in parted.episodes if one.homes_next_6 is not None]
    fell = sum(1 for one in past if (one.homes_next_6 or 0) < 0)
    after = data.hsi.between(date(2026, 7, 1), date(2026, 12, 31))
    rose, highest = _change(data.hsi, COLUMN_DAY, date(2026, 8, 20)), float(after.values.max())
    june = data.hsi.at(date(2026, 6, 26))
    return {
        "F1": supported(
            slope < 0 and t < -T_CRITICAL, f"{100 * slope:+.2f} percent a point of HIBOR, t {t:.1f}, {months} months",
            "the rate pulls down only if its slope can be told from zero; conflict and earnings are not measured",
        ),
        "F3": supported(
            leads.f > F_CRITICAL, f"F {leads.f:.2f} with {leads.degrees} degrees of freedom",
            "inflow would show as agreements that lead prices; who the buyers are is not in the data",
        ),
        "F4": supported(
            fell * 2 < len(past) and rose < 0,
            f"homes fell within six months in {fell} of {len(past)} partings; HSI {rose:+.1f} percent by 20 August",
            "it lasts if homes held up in most earlier partings and stocks stayed down since; episodes are few",
        ),
        "F11": supported(
            highest / june - 1 < 0.05, f"{june:,.0f} on 26 June to {highest:,.0f} at the highest since",
            "sideways would be within five percent; homes of the half-year are not all known",
        ),
    }  # fmt: skip


def property_findings(data: EconomicData) -> dict[str, Finding]:
    """Return every finding of the third column that the public series allow."""
    return {**index_findings(data), **home_findings(data), **cause_findings(data)}


def _rises(values: Floats) -> int:
    """Return how many of the last changes in a row are rises."""
    fallen = np.flatnonzero(np.diff(values) <= 0)
    return len(values) - 2 - int(fallen[-1]) if fallen.size else len(values) - 1


def _sales_and_prices(data: EconomicData) -> tuple[Floats, Floats]:
    """Return monthly log changes of agreements and of CCL to the month of the column."""
    _, values = align((data.home_sales.between(FIRST, COLUMN_DAY), data.ccl.monthly()))
    change = np.diff(np.log(values), axis=0)
    return change[:, 0], change[:, 1]


def _correlation(left: Floats, right: Floats) -> float:
    a, b = left - left.mean(), right - right.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def _rate_on_index(hsi: Series, hibor: Series) -> tuple[float, float, int]:
    """Return slope, t and months of the index's log change on the change of the rate."""
    _, values = align((hsi.monthly(), hibor.monthly()))
    moved, rate = np.diff(np.log(values[:, 0])), np.diff(values[:, 1])
    known = np.column_stack([np.ones(len(rate)), rate])
    slope = np.linalg.lstsq(known, moved, rcond=None)[0]
    rest = moved - known @ slope
    error = np.sqrt(rest @ rest / (len(rest) - 2) * np.linalg.inv(known.T @ known)[1, 1])
    return float(slope[1]), float(slope[1] / error), len(rate)
