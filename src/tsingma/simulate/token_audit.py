"""The auditor of two ledgers: their journals read again in plain dictionaries, and what must hold between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from tsingma.basics.columns import unpack
from tsingma.custody.tokens.ledger import BRIDGE, ISSUANCE, TokenLedger, asset_of
from tsingma.custody.tokens.legs import COMMITTED, NONE, RELEASED
from tsingma.custody.tokens.reconcile import receipt_items, reconcile
from tsingma.engine.house import House
from tsingma.journal.commands import DepositAssets, decode
from tsingma.journal.events import Accepted, decode_answer
from tsingma.journal.record import Record
from tsingma.journal.store import Store
from tsingma.journal.token_commands import (
    Agreement,
    CompleteLegs,
    ForceTransfer,
    FreezeWallet,
    Leg,
    PayCoupon,
    ReserveLegs,
    TransferTokens,
)
from tsingma.journal.token_events import LegsCompleted, LegsReserved, SettlementDecided, TimeTold
from tsingma.ledger.ledger import Ledger
from tsingma.simulate.auditor import Violation
from tsingma.simulate.token_world import BOND, DENOMINATION, GOV, HOLDERS, ISSUER_ACCOUNT, MONEY, RECORD_DAY

COUPON_CENTS = 201
RECORD_END = (RECORD_DAY + 1) * 86_400
ELECTING = (HOLDERS[0], HOLDERS[2])
Books = Counter[tuple[int, int]]  # (account or wallet, asset): balance
BANK = 3


def check_pairs(house: House, tokens: TokenLedger, names: Mapping[str, Agreement]) -> None:
    """Raise Violation when any agreement is done on one ledger and let go on the other."""
    for name in names:
        book, token = house.synchronised.status(name), tokens.legs.status(name)
        if (book, token) in ((COMMITTED, RELEASED), (RELEASED, COMMITTED), (COMMITTED, NONE)) or (
            token == COMMITTED and book != COMMITTED
        ):
            raise Violation(f"{name} is {book} on the book and {token} on the token ledger")


def check_reconciled(house: House, tokens: TokenLedger, *, quiet: bool) -> None:
    """Raise Violation for any break between the ledgers and, when ``quiet``, for anything still under way."""
    for item in reconcile(tokens, house.ledger, house.synchronised, ISSUER_ACCOUNT):
        if item.is_break or quiet:
            raise Violation(f"{item.kind} of {item.subject}: {item.expected} expected, {item.found} found")


def check_quiet(house: House, tokens: TokenLedger) -> None:
    """Raise Violation when anything is reserved or on hold on either ledger."""
    for side, ledger, table in (
        ("book", house.ledger, house.synchronised),
        ("token ledger", tokens.ledger, tokens.legs),
    ):
        stuck = [name for name, _ in table.reserved()]
        if stuck or ledger.held.any():
            raise Violation(f"still reserved on the {side}: {', '.join(stuck) or 'an amount without an agreement'}")


def check_receipts(house: House, tokens: TokenLedger, book: Store, ledger: Store) -> None:
    """Raise Violation when a ledger holds a receipt that is not in the other's journal."""
    hashes = [{record.sequence: record.hash for record in store.read()} for store in (book, ledger)]
    for item in receipt_items(tokens, house.synchronised, hashes[0].get, hashes[1].get):
        raise Violation(f"{item.subject}: no record {item.expected} with that hash")


def check_books(house: House, tokens: TokenLedger, book: Store, ledger: Store) -> None:
    """Raise Violation when either ledger's balances differ from its journal read in plain dictionaries."""
    _compare("book", _plain_book(book.read()), house.ledger)
    _compare("token ledger", _plain_tokens(ledger.read()), tokens.ledger)


def _compare(side: str, plain: Books, ledger: Ledger) -> None:
    found = {
        (owner, asset): balance
        for owner, asset, balance in zip(
            ledger.owner.tolist(), ledger.asset.tolist(), ledger.balance.tolist(), strict=True
        )
        if balance
    }
    wanted = {key: balance for key, balance in plain.items() if balance}
    if found != wanted:
        keys = sorted(key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key))
        key = keys[0]
        raise Violation(f"{side} {key}: {wanted.get(key, 0)} foretold, {found.get(key, 0)} found")


def _apply(books: Books, legs: tuple[Leg, ...]) -> None:
    for leg in legs:
        books[leg.debit, leg.asset] -= leg.amount
        books[leg.credit, leg.asset] += leg.amount


def _plain_book(records: Iterator[Record]) -> Books:
    books: Books = Counter()
    deals: dict[str, Agreement] = {}
    done: set[str] = set()
    for record in records:
        command = decode(record.body)
        if isinstance(command, DepositAssets):
            columns = [unpack(command.owner, "i4"), unpack(command.asset, "i4"), unpack(command.amount, "i8")]
            for owner, asset, amount in zip(*(column.tolist() for column in columns), strict=True):
                _apply(books, (Leg(BANK, owner, asset, amount),))
        elif isinstance(command, ReserveLegs):
            deals[command.agreement.settlement] = command.agreement
        answer = decode_answer(record.answer)
        for event in answer.events if isinstance(answer, Accepted) else ():
            if isinstance(event, SettlementDecided) and event.committed and event.settlement not in done:
                done.add(event.settlement)
                _apply(books, deals[event.settlement].book_legs)
    return books


def _plain_tokens(records: Iterator[Record]) -> Books:
    """Return the balances: what was asked and answered, and the one coupon of the simulated evening."""
    books: Books = Counter()
    deals: dict[str, Agreement] = {}
    at_record: dict[str, Agreement] | None = None  # promised when the record date ended
    done: set[str] = set()
    frozen: frozenset[int] = frozenset()
    for record in records:
        command, answer = decode(record.body), decode_answer(record.answer)
        if isinstance(command, TransferTokens):
            _apply(books, command.legs)
        elif isinstance(command, ForceTransfer):
            _apply(books, (command.leg,))
        elif isinstance(command, PayCoupon):
            claims = [leg for name in at_record or {} if name in deals for leg in _claims(deals[name])]
            _pay(books, [*claims, *(leg for deal in deals.values() for leg in deal.token_legs)], frozen)
        elif isinstance(command, FreezeWallet):
            frozen = frozen | {command.wallet} if command.frozen else frozen - {command.wallet}
        for event in answer.events if isinstance(answer, Accepted) else ():
            if isinstance(event, LegsReserved) and isinstance(command, ReserveLegs) and event.settlement not in done:
                deals[event.settlement] = command.agreement
            elif isinstance(event, TimeTold) and event.snapshots:
                at_record = dict(deals)
                _entitle(books)
            elif isinstance(event, LegsCompleted) and isinstance(command, CompleteLegs):
                deal = deals.pop(event.settlement, None)
                done.add(event.settlement)
                if deal is not None and command.committed:
                    _apply(books, deal.token_legs)
                    if at_record and event.settlement in at_record and command.decided_at < RECORD_END:
                        _apply(books, _claims(deal))
    return books


def _claims(deal: Agreement) -> tuple[Leg, ...]:
    return tuple(
        Leg(leg.debit, leg.credit, asset_of(BOND, 0), leg.amount // DENOMINATION * COUPON_CENTS)
        for leg in deal.token_legs
        if leg.asset == asset_of(BOND) and leg.credit != ISSUANCE
    )


def _entitle(books: Books) -> None:
    for wallet in (BRIDGE, GOV, *HOLDERS):
        cents = books[wallet, asset_of(BOND)] // DENOMINATION * COUPON_CENTS
        _apply(books, (Leg(ISSUANCE, wallet, asset_of(BOND, 0), cents),))


def _pay(books: Books, promised: list[Leg], frozen: frozenset[int]) -> None:
    """Pay the coupon to who elects tokens, but for what is promised to others."""
    for wallet in sorted({*ELECTING} - frozen):
        held = sum(leg.amount for leg in promised if (leg.debit, leg.asset) == (wallet, asset_of(BOND, 0)))
        cents = books[wallet, asset_of(BOND, 0)] - held
        if cents > 0:
            _apply(books, (Leg(GOV, wallet, asset_of(MONEY), cents), Leg(wallet, ISSUANCE, asset_of(BOND, 0), cents)))
