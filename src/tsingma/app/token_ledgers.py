"""A book and a token ledger in one folder: opening them, trading on them, comparing them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np

from tsingma.app.session import JOURNAL_NAME
from tsingma.basics.dates import to_date, to_day
from tsingma.basics.money import CURRENCIES, PRICE_SCALE, Amount
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.custody.tokens.issues import is_weekday
from tsingma.custody.tokens.ledger import TokenLedger, asset_of
from tsingma.custody.tokens.legs import SECONDS_A_DAY
from tsingma.custody.tokens.protocol import Side
from tsingma.custody.tokens.reconcile import Item, Statement, receipt_items, reconcile, register_items, statements
from tsingma.engine.tokens import money_closed
from tsingma.engine.two_ledgers import TwoLedgers
from tsingma.journal.record import faults
from tsingma.journal.token_commands import Agreement, Leg, TransferTokens
from tsingma.ledger.ledger import Ledger
from tsingma.store.memory import MemoryStore
from tsingma.store.sqlite import SqliteStore

TOKEN_JOURNAL_NAME = "tokens.sqlite"
MORNING_S, EVENING_S = 9 * 3_600, 18 * 3_600


class Comparison(msgspec.Struct, frozen=True):
    """A reconciliation: the statement of every token, everything found, and how many records prove it."""

    at: str
    statements: list[Statement]
    items: list[Item]
    book_records: int
    token_records: int

    @property
    def breaks(self) -> list[Item]:
        """What is wrong, not only under way."""
        return [item for item in self.items if item.is_break]


class Traded(msgspec.Struct, frozen=True):
    """What became of a trade; money in cents."""

    settlement: str
    status: str
    face_cents: int
    amount_cents: int
    rail: str
    settles: str
    held: str = ""


@contextmanager
def open_ledgers(folder: Path | None, *, read_only: bool = False, fresh: bool = False) -> Iterator[TwoLedgers]:
    """Open both ledgers of a folder (None: in memory); raises Rejected when there are none, or ``fresh`` and some."""
    if folder is None:
        yield TwoLedgers(MemoryStore(), MemoryStore())
        return
    there = (folder / TOKEN_JOURNAL_NAME).exists()
    if there == fresh:
        message = "a token ledger is there already" if there else "there is no token ledger"
        remedy = "choose another folder" if there else "make one: tsingma token issue --house FOLDER"
        raise refuse(
            RejectionReason.CONFLICT if there else RejectionReason.MISSING, message, file=str(folder), remedy=remedy
        )
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        stores = []
        for name in (JOURNAL_NAME, TOKEN_JOURNAL_NAME):
            stores.append(SqliteStore(folder / name, read_only=read_only))
            opened.callback(stores[-1].close)
        yield TwoLedgers(*stores)


def moment(at: int) -> str:
    """Return a settlement time as text, to the minute, Hong Kong time."""
    day, second = divmod(at, SECONDS_A_DAY)
    return f"{to_date(day)} {second // 3_600:02d}:{second % 3_600 // 60:02d}"


def compare(ledgers: TwoLedgers, register: Mapping[str, Mapping[str, int]] | None = None) -> Comparison:
    """Reconcile both ledgers, their receipts and their journals, which are replayed from zero.

    ``register`` is what a custodian says who holds: cents of face by token and wallet, of the tokens it names.
    Raises Rejected before a book is loaded, InvariantBroken when a journal replays to other answers.
    """
    house, tokens = ledgers.book.state, ledgers.tokens.state
    items = reconcile(tokens, house.ledger, house.synchronised, house.internal.issuer)
    for code, holders in (register or {}).items():
        items += register_items(tokens, token_number(tokens, code), holders)
    records = {side: list(ledgers.stores[side].read()) for side in Side}
    hashes = {side: {record.sequence: record.hash for record in found} for side, found in records.items()}
    items += receipt_items(tokens, house.synchronised, hashes[Side.BOOK].get, hashes[Side.TOKENS].get)
    for side, found in records.items():
        items += [
            Item("journal", f"{side} record {one.sequence}", 0, 1, is_break=True, remedy=one.message)
            for one in faults(found)
        ]
    for side, sequencer in ((Side.BOOK, ledgers.book), (Side.TOKENS, ledgers.tokens)):
        replayed, now = sequencer.replay().digest(), sequencer.state.digest()
        if replayed != now:
            remedy = "stop this ledger; restore it from its journal"
            items.append(Item("replay", str(side), sequencer.sequence, 0, is_break=True, remedy=remedy))
    return Comparison(
        moment(tokens.at), statements(tokens, house.ledger, house.synchronised), items,
        len(records[Side.BOOK]), len(records[Side.TOKENS]),
    )  # fmt: skip


def trade(
    ledgers: TwoLedgers,
    name: str,
    *,
    code: str,
    seller: str,
    buyer: str,
    face_cents: int,
    price_e4: int,
    in_tokens: bool,
    next_day: bool,
) -> Traded:
    """Trade a face amount at a dirty price per 100: on the book's money or in tokenised money, today or next weekday.

    A trade of the next day in tokenised money needs the book as well, so that both sides promise now. Raises Rejected
    (unknown, not-allowed, insufficient) with nothing changed on either ledger.
    """
    tokens = ledgers.tokens.state
    token = token_number(tokens, code)
    terms = tokens.contracts[token].terms
    sells, buys = wallet_number(tokens, seller), wallet_number(tokens, buyer)
    amount = divide_half_away(face_cents * price_e4, 100 * PRICE_SCALE)
    stock = Leg(sells, buys, asset_of(token), face_cents)
    now = max(tokens.at, ledgers.book.state.synchronised.at)
    if in_tokens:
        if terms.money_token < 0 or next_day:
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                "tokenised money settles at once, and only where the contract knows it",
                subject=code,
                remedy="trade against the book's money",
            )
        money = Leg(buys, sells, asset_of(terms.money_token), amount)
        ledgers.require(Side.TOKENS, f"{name}/transfer", TransferTokens((stock, money)))
        return Traded(name, "committed", face_cents, amount, "tokens", moment(now))
    settles = next_weekday(now // SECONDS_A_DAY) * SECONDS_A_DAY + MORNING_S if next_day else 0
    last = settles // SECONDS_A_DAY if next_day else now // SECONDS_A_DAY
    accounts = [tokens.wallets[wallet].book_account for wallet in (buys, sells)]
    cash = Leg(accounts[0], accounts[1], CURRENCIES.index(terms.currency), amount)
    agreement = Agreement(name, (cash,), (stock,), max(last * SECONDS_A_DAY + EVENING_S, now + 3_600), settles)
    try:
        decided = ledgers.settle(agreement)
    except Rejected as refused:
        if refused.rejections[0].reason is not RejectionReason.INSUFFICIENT:
            raise
        has = _free(tokens.ledger, sells, stock.asset), _free(ledgers.book.state.ledger, cash.debit, cash.asset)
        raise refuse(
            RejectionReason.INSUFFICIENT,
            f"{seller} has {Amount(has[0], terms.currency)} of it to deliver {Amount(face_cents, terms.currency)}, "
            f"{buyer} {Amount(has[1], terms.currency)} on the book to pay {Amount(amount, terms.currency)}",
            subject=name,
            remedy="it is let go on both ledgers; trade again under a new reference",
        ) from None
    status = "reserved" if decided is None else "committed" if decided.committed else "released"
    closed = money_closed(ledgers.book.state, agreement) if decided is None else ""
    return Traded(name, status, face_cents, amount, "book", moment(settles or now), closed)


def move_on(ledgers: TwoLedgers, at: datetime) -> dict[str, object]:
    """Move both clocks on to a Hong Kong time and end what can end; returns what was decided and what still waits."""
    ledgers.tell_time(to_day(at.date()) * SECONDS_A_DAY + at.hour * 3_600 + at.minute * 60)
    decided = ledgers.resolve()
    waiting = [name for name, _ in ledgers.tokens.state.legs.reserved()]
    return {
        "at": moment(ledgers.tokens.state.at),
        "settled": [one.settlement for one in decided if one.committed],
        "let_go": [one.settlement for one in decided if not one.committed],
        "waiting": waiting,
        "held": _held(ledgers),
    }


def _held(ledgers: TwoLedgers) -> list[str]:
    """Return what waits for the hours of its money, each with the reason."""
    house = ledgers.book.state
    open_terms = {name: entry.terms for name, entry in house.synchronised.reserved() if entry.terms is not None}
    reasons = {name: money_closed(house, terms) for name, terms in open_terms.items()}
    return [f"{name}: {reason}" for name, reason in reasons.items() if reason]


def _free(ledger: Ledger, owner: int, asset: int) -> int:
    row = ledger.find(owner, asset)
    return 0 if row < 0 else int(ledger.available(np.array([row], np.int64))[0])


def token_number(tokens: TokenLedger, code: str) -> int:
    """Return a token by its code; raises Rejected (unknown) naming those there are."""
    codes = [contract.terms.code for contract in tokens.contracts]
    if code not in codes:
        raise refuse(RejectionReason.UNKNOWN, f"no token '{code}'", field="token", remedy=f"one of {', '.join(codes)}")
    return codes.index(code)


def wallet_number(tokens: TokenLedger, name: str) -> int:
    """Return a wallet by its name; raises Rejected (unknown) naming those there are."""
    names = [wallet.name for wallet in tokens.wallets]
    if name not in names[2:]:
        raise refuse(
            RejectionReason.UNKNOWN, f"no wallet '{name}'", field="wallet", remedy=f"one of {', '.join(names[2:])}"
        )
    return names.index(name)


def next_weekday(day: int) -> int:
    """Return the number of the next weekday after a day."""
    after = to_date(day) + timedelta(1)
    while not is_weekday(after):
        after += timedelta(1)
    return to_day(after)
