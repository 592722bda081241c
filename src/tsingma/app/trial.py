"""What a house to try is served with: its next business day, and its book."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tsingma.app.session import Session
from tsingma.basics.dates import to_date
from tsingma.reference.book import ReferenceBook
from tsingma.reference.calendars import calendar


def day_and_book(house: Path) -> tuple[date | None, ReferenceBook]:
    """Return the settlement day to open (None while one is open) and the reference book.

    Raises Rejected: missing (no house, no book in it), beyond-horizon (the calendar ends).
    """
    with Session.open(house, read_only=True) as session:
        position = session.house.position
        day = None if position.is_open else calendar("XHKG.settlement").next_after(to_date(position.day))
        return day, session.house.resolved.book
