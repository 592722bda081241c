"""Numbers, money and dates as readers in Hong Kong write them (CLDR 44, locales en-HK and zh-Hant-HK).

Money is made from integers exactly; a minus is the typographic one.
"""

from __future__ import annotations

from datetime import date

from tsingma.basics.rounding import divide_half_away
from tsingma.console.language import Language
from tsingma.reports.numbers import MINUS, day_text, money, short, short_chinese, whole

_SIGNS = {"HKD": "HK$", "CNY": "CN¥", "USD": "US$"}
CURRENCY_LENGTH = 3


class Formats:
    """How one language writes figures; every method returns plain text."""

    def __init__(self, language: Language) -> None:
        """Write for a language."""
        self._chinese = language is Language.ZH

    def number(self, value: int) -> str:
        """Return a whole number: ``1,234``."""
        return whole(value)

    def amount(self, cents: int) -> str:
        """Return cents without their currency: ``1,234.50``."""
        return money(cents)

    def money(self, cents: int, currency: str = "HKD") -> str:
        """Return cents with their currency: ``HK$61,234.50``."""
        sign = _SIGNS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
        return f"{MINUS if cents < 0 else ''}{sign}{money(abs(cents))}"

    def short_money(self, cents: int, currency: str = "HKD") -> str:
        """Return cents rounded to a few digits: ``HK$12.35 bn``, ``HK$123.5億``."""
        units = divide_half_away(cents, 100)
        sign = _SIGNS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
        text = short_chinese(abs(units)) if self._chinese else short(abs(units))
        return f"{MINUS if units < 0 else ''}{sign}{text}"

    def quantity(self, value: int, asset: str) -> str:
        """Return what there is of an asset: money of a currency (three letters), else units."""
        return self.amount(value) if len(asset) == CURRENCY_LENGTH else whole(value)

    def signed_money(self, cents: int, currency: str = "HKD") -> str:
        """Return a change in cents with its currency and sign, also the plus: ``+HK$1,234.50``."""
        return f"+{self.money(cents, currency)}" if cents > 0 else self.money(cents, currency)

    def signed_number(self, value: int) -> str:
        """Return a change in whole units with its sign, also the plus: ``+1,234``."""
        return f"+{whole(value)}" if value > 0 else whole(value)

    def bound(self, value: float) -> str:
        """Return an end of a range with up to four decimals, none that says nothing: ``−60``, ``0.25``."""
        text = f"{abs(value):.4f}".rstrip("0").rstrip(".")
        return f"{MINUS}{text}" if value < 0 and text != "0" else text

    def day(self, value: date | str) -> str:
        """Return a date (or its ISO form; "" stays empty): ``23 Nov 2026``, ``2026年11月23日``."""
        if not value:
            return ""
        found = date.fromisoformat(value) if isinstance(value, str) else value
        return f"{found.year}年{found.month}月{found.day}日" if self._chinese else day_text(found)

    def clock(self, second: int) -> str:
        """Return a second of the day: ``09:30``, with seconds where there are some."""
        hours, minutes, seconds = second // 3600, second // 60 % 60, second % 60
        return f"{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")

    def percent(self, part: int, all_of_it: int) -> str:
        """Return a share in per cent, rounded down so that 100% means all; a dash when all is 0."""
        if all_of_it <= 0:
            return "–"
        tenths = part * 1000 // all_of_it
        return f"{tenths // 10}.{tenths % 10}%"
