"""Names people write, as the house's numbers: accounts, assets, securities."""

from __future__ import annotations

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.reference.book import AccountClass, ResolvedBook


def account_of(name: str, book: ResolvedBook, field: str = "account") -> int:
    """Return the number of an account, ``PARTICIPANT/CLASS``; raises Rejected (unknown)."""
    participant, _, kind = name.partition("/")
    known = tuple(AccountClass)
    place = book.account_index.get((participant, AccountClass(kind))) if kind in known else None
    if place is None:
        raise refuse(RejectionReason.UNKNOWN, f"no account {name}", field=field, subject=name)
    return place


def asset_of(name: str, book: ResolvedBook) -> int:
    """Return the number of a currency or security (ISIN); raises Rejected (unknown)."""
    if name in CURRENCIES:
        return CURRENCIES.index(name)
    if name not in book.securities:
        raise refuse(RejectionReason.UNKNOWN, f"no currency or security {name}", field="asset", subject=name)
    return book.asset_of_security(book.securities.index(name))


def security_of(name: str, book: ResolvedBook) -> int:
    """Return the number of a security by its ISIN, or by the code of a counter; raises Rejected (unknown)."""
    counter = book.counter_index.get(name)
    if counter is not None:
        return int(book.counter_security[counter])
    if name not in book.securities:
        raise refuse(RejectionReason.UNKNOWN, f"no security {name}", field="security", subject=name)
    return book.securities.index(name)
