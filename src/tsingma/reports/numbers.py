"""Numbers as text: thousands separators, decimals made from integers exactly, shares that never round up to all."""

from __future__ import annotations

import math
from datetime import date

from tsingma.basics.rounding import divide_half_away

MINUS = "\u2212"  # the typographic minus of the reports; files keep the plain hyphen
_STEPS = ((10**12, "tn"), (10**9, "bn"), (10**6, "m"))
_CHINESE_STEPS = ((10**12, "萬億"), (10**8, "億"), (10**4, "萬"))
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def whole(value: int) -> str:
    """Return an integer with thousands separators, for example ``1,234``."""
    return f"{MINUS}{-value:,}" if value < 0 else f"{value:,}"


def money(amount_cents: int) -> str:
    """Return cents as a decimal with separators, for example ``1,234.05``; exact."""
    units, cents = divmod(abs(amount_cents), 100)
    return f"{MINUS if amount_cents < 0 else ''}{units:,}.{cents:02d}"


def plain_money(amount_cents: int) -> str:
    """Return cents as a plain decimal for files, for example ``-1234.05``; exact."""
    units, cents = divmod(abs(amount_cents), 100)
    return f"{'-' if amount_cents < 0 else ''}{units}.{cents:02d}"


def short(value: int) -> str:
    """Return a large integer in thousandths of its step: ``12.35 bn``, ``345.6 m``; below a million all digits."""
    size = abs(value)
    for step, name in _STEPS:
        if size >= step:
            decimals = 2 if size < 100 * step else 1
            scaled = divide_half_away(size * 10**decimals, step)
            units, rest = divmod(scaled, 10**decimals)
            return f"{MINUS if value < 0 else ''}{units:,}.{rest:0{decimals}d} {name}"
    return whole(value)


def short_chinese(value: int) -> str:
    """Return a large integer in units of 萬, 億 or 萬億: ``1,234.5萬``; below 萬 all digits."""
    size = abs(value)
    for step, name in _CHINESE_STEPS:
        if size >= step:
            decimals = 2 if size < 100 * step else 1
            scaled = divide_half_away(size * 10**decimals, step)
            units, rest = divmod(scaled, 10**decimals)
            return f"{MINUS if value < 0 else ''}{units:,}.{rest:0{decimals}d}{name}"
    return whole(value)


def short_in(language: str, value: int) -> str:
    """Return a large integer shortened as a language does it: ``zh`` in 萬 and 億, others in m and bn."""
    return short_chinese(value) if language == "zh" else short(value)


def short_money(amount_cents: int) -> str:
    """Return cents in units, shortened: ``12.35 bn``; below a million rounded to whole units."""
    return short(divide_half_away(amount_cents, 100))


def percent(part: int, all_of_it: int, decimals: int = 2) -> str:
    """Return part / all as a percentage rounded down, so that 100 % means all; a dash when all is 0."""
    if all_of_it <= 0:
        return "–"
    scaled = part * 100 * 10**decimals // all_of_it
    units, rest = divmod(abs(scaled), 10**decimals)
    tail = f".{rest:0{decimals}d}" if decimals else ""
    return f"{MINUS if scaled < 0 else ''}{units}{tail} %"


def rate(share: float, decimals: int = 2) -> str:
    """Return a share of 1 as a percentage, for example ``12.34 %``."""
    return f"{100 * share:.{decimals}f} %"


def seconds(milliseconds: int) -> str:
    """Return milliseconds as seconds with three decimals, for example ``1.250 s``."""
    return f"{milliseconds // 1000:,}.{milliseconds % 1000:03d} s"


def day_text(day: date) -> str:
    """Return for example ``5 Jan 2026``, whatever the machine's language."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def words(name: str) -> str:
    """Return a machine name as words: ``settlement-fee`` becomes ``Settlement fee``; known initials stay upper case."""
    parts = name.replace("_", "-").split("-")
    spelled = [part.upper() if part in _INITIALS else part for part in parts]
    text = " ".join(part for part in spelled if part)
    return text[:1].upper() + text[1:]


_INITIALS = {"sfc", "afrc", "csrc", "cns", "dvp", "mtm", "fx", "hkscc", "sse", "szse"}


def significant(value: float, digits: int = 4) -> str:
    """Return a number at so many significant digits, thousands apart: ``22,881``, ``0.02649``, ``−1.375``."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{abs(value):,.{min(decimals, 9)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text and abs(value) < 1e-3 else text
    return f"{MINUS if value < 0 else ''}{text}"


def fixed(value: float, decimals: int, *, sign: bool = False) -> str:
    """Return a number at so many decimals with the typographic minus, and a plus where ``sign`` asks for it."""
    text = f"{abs(value):,.{decimals}f}"
    if not float(text.replace(",", "")):
        return text
    return f"{MINUS if value < 0 else '+' if sign else ''}{text}"


def signed_percent(share: float) -> str:
    """Return a change of 1 as a signed percentage: ``+12 %``, ``−1.3 %``; one decimal below ten percent."""
    return f"{fixed(100.0 * share, 1 if abs(share) < 0.0995 else 0, sign=True)} %"
