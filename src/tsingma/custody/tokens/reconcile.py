"""Reconciliation of the token ledger with the book: what must be equal, what is under way, what is broken.

At any instant, whatever is under way: what the book keeps for a token (a bond's custodial mirror, the backing of
tokenised money) equals what circulates as tokens, plus what the book has committed and the token ledger has not
delivered yet. The book's own total of a bond equals what the contract has issued, by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from tsingma.custody.tokens.deciding import BookLegs
from tsingma.custody.tokens.ledger import BRIDGE, ISSUANCE, TokenLedger, asset_of, token_of
from tsingma.custody.tokens.legs import COMMITTED, NONE, RELEASED, RESERVED
from tsingma.ledger.ledger import Ledger

_REMEDIES = {
    "backing": "stop minting; find the journal records since the last clean day; move the difference with the bank",
    "mirror": "stop bridging; compare the agreements of the day on both ledgers; correct the book by its operator",
    "total": "compare what was deposited from the issuer with what the contract issued",
    "register": "compare with the registrar's changes of the day; the token ledger is the record of title",
    "parted": "stop both ledgers; the book's record stands: force the token leg with the reason, and investigate",
    "receipt": "stop both ledgers; one of the journals was changed: prove both and restore the one that fails",
    "overdue": "have the synchroniser ask the book; it commits or lets go",
    "under way": "have the synchroniser deliver it",
}


class Item(msgspec.Struct, frozen=True):
    """One finding: ``is_break`` is False for what is only under way. Amounts in cents."""

    kind: str
    subject: str
    expected: int
    found: int
    is_break: bool
    remedy: str


class Statement(msgspec.Struct, frozen=True):
    """One token: circulation and what the book keeps for it, in cents."""

    code: str
    issued: int
    on_book: int
    kept: int
    under_way: int


def _item(kind: str, subject: str, expected: int, found: int, *, is_break: bool = True) -> Item:
    return Item(kind, subject, expected, found, is_break, _REMEDIES[kind])


def under_way(state: TokenLedger, book: BookLegs) -> dict[int, tuple[int, int]]:
    """Return per token what the book has committed and the token ledger not delivered, in cents.

    The first number enters circulation (negative: leaves it), the second enters what is issued in all.
    """
    found: dict[int, tuple[int, int]] = {}
    for name, entry in state.legs.reserved():
        if book.status(name) != COMMITTED or entry.terms is None:
            continue
        for leg in entry.terms.token_legs:
            token, coupon = token_of(leg.asset)
            if coupon == -1:
                circulating, issued = found.get(token, (0, 0))
                circulating += leg.amount * ((leg.debit <= BRIDGE) - (leg.credit <= BRIDGE))
                issued += leg.amount * ((leg.debit == ISSUANCE) - (leg.credit == ISSUANCE))
                found[token] = circulating, issued
    return found


def statements(state: TokenLedger, ledger: Ledger, book: BookLegs) -> list[Statement]:
    """Return what circulates of every token and what the book keeps for it."""
    moving = under_way(state, book)
    found = []
    for token, contract in enumerate(state.contracts):
        terms = contract.terms
        kept = _on_book(ledger, terms.book_account, terms.book_asset)
        bridged = state.balance(BRIDGE, token)
        found.append(Statement(terms.code, state.issued(token), bridged, kept, moving.get(token, (0, 0))[0]))
    return found


def reconcile(state: TokenLedger, ledger: Ledger, book: BookLegs, issuer_account: int) -> list[Item]:
    """Return every difference between token ledger and book, and what is under way; empty on a clean day.

    ``ledger`` is the book's, ``issuer_account`` carries the negative of what is issued on it.
    """
    items: list[Item] = []
    moving = under_way(state, book)
    for token, line in enumerate(statements(state, ledger, book)):
        terms = state.contracts[token].terms
        expected = line.issued - line.on_book + line.under_way
        if expected != line.kept:
            items.append(_item("backing" if terms.is_money else "mirror", line.code, expected, line.kept))
        if not terms.is_money:
            total = -_on_book(ledger, issuer_account, terms.book_asset)
            expected = line.issued + moving.get(token, (0, 0))[1]
            if expected != total:
                items.append(_item("total", line.code, expected, total))
    return [*items, *_agreements(state, book)]


def _agreements(state: TokenLedger, book: BookLegs) -> list[Item]:
    items = []
    names = dict.fromkeys([*book.names(), *state.legs.names()])
    for name in names:
        here, there = state.legs.status(name), book.status(name)
        if {here, there} == {COMMITTED, RELEASED} or (here == COMMITTED and there != COMMITTED) or (
            there == COMMITTED and here == NONE
        ):  # fmt: skip
            items.append(_item("parted", name, int(there == COMMITTED), int(here == COMMITTED)))
        elif RESERVED in (here, there) and there in (COMMITTED, RELEASED):
            items.append(_item("under way", name, int(there == COMMITTED), 0, is_break=False))
        elif RESERVED in (here, there):
            table = state.legs if here == RESERVED else book
            entry = table.entry(name)
            if entry is not None and entry.terms is not None and entry.terms.decide_by <= table.at:
                items.append(_item("overdue", name, entry.terms.decide_by, table.at, is_break=False))
    return items


def register_items(state: TokenLedger, token: int, register: Mapping[str, int]) -> list[Item]:
    """Return where another register of holders (wallet name to cents) differs from the ledger's own."""
    held = {state.wallets[wallet].name: amount for wallet, amount in state.holders(asset_of(token))}
    return [
        _item("register", f"{state.contracts[token].terms.code}, {name}", held.get(name, 0), register.get(name, 0))
        for name in sorted(held.keys() | register.keys())
        if held.get(name, 0) != register.get(name, 0)
    ]


def receipt_items(
    state: TokenLedger,
    book: BookLegs,
    book_hash: Callable[[int], bytes | None],
    token_hash: Callable[[int], bytes | None],
) -> list[Item]:
    """Return receipts of one ledger that are not in the other's journal; the callables give a record's hash."""
    items = []
    for table, hash_of in ((state.legs, book_hash), (book, token_hash)):
        for name in table.names():
            entry = table.entry(name)
            if (
                entry is not None
                and entry.receipt is not None
                and hash_of(entry.receipt.sequence) != entry.receipt.hash
            ):
                items.append(_item("receipt", name, entry.receipt.sequence, 0))
    return items


def _on_book(ledger: Ledger, account: int, asset: int) -> int:
    row = ledger.find(account, asset)
    return 0 if row < 0 else int(ledger.balance[row])
