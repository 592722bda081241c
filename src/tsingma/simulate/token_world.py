"""Two ledgers that crash: a small book and token ledger over stores that fail before or after a record is durable."""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Sequence

import numpy as np

from tsingma.basics.columns import pack
from tsingma.basics.identifiers import isin_check_digit
from tsingma.basics.rejection import Rejected
from tsingma.custody.tokens.ledger import BRIDGE, ISSUANCE, TokenLedger, asset_of
from tsingma.custody.tokens.protocol import Side
from tsingma.engine import tokens
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.sequencer import Sequencer
from tsingma.engine.step import step
from tsingma.engine.two_ledgers import receipt_of
from tsingma.journal.commands import Command, DepositAssets, LoadReference
from tsingma.journal.events import Answer, Refused
from tsingma.journal.record import Record
from tsingma.journal.store import Store
from tsingma.journal.token_commands import (
    Agreement,
    CouponPeriod,
    IssueToken,
    Leg,
    OpenWallets,
    Receipt,
    TellTime,
    TokenTerms,
    Wallet,
)
from tsingma.reference.book import (
    Account,
    AccountClass,
    Counter,
    InstrumentKind,
    Market,
    Participant,
    ParticipantKind,
    ReferenceBook,
)
from tsingma.store.memory import MemoryStore

DAY_SECONDS = 86_400
RECORD_DAY = 20_410  # 2025-11-18; the simulated evening ends with a record date
START = (RECORD_DAY + 1) * DAY_SECONDS - 300

MONEY, BOND = 0, 1  # tokens
GOV, ALPHA, BETA, GAMMA = 2, 3, 4, 5  # wallets
HOLDERS = (ALPHA, BETA, GAMMA)
DENOMINATION = 10_000
HKD = 0  # asset of the book; the bond is the first security after the four currencies
BOOK_BOND = 4
ISSUER_ACCOUNT, GOV_ACCOUNT, BACKING, MIRROR = 2, 4, 5, 6
FIRST_HOLDER_ACCOUNT = 7


class StoreFailed(Exception):
    """The store failed: nobody knows yet whether the record is durable."""


class CrashingStore(MemoryStore):
    """A store that, when told so, fails at its next append: before the record is durable, or after."""

    def __init__(self) -> None:
        """Start empty and whole."""
        super().__init__()
        self.fails = ""  # "", "before" or "after"

    def append(self, records: Sequence[Record]) -> None:
        """Keep the records, or fail as planned; raises StoreFailed."""
        fails, self.fails = self.fails, ""
        if fails == "before":
            raise StoreFailed
        super().append(records)
        if fails == "after":
            raise StoreFailed


class Node:
    """One ledger as a process: up, or down until it is started again from its journal."""

    def __init__(self, side: Side) -> None:
        """Start on an empty store."""
        self.side = side
        self.failing = ""  # the fault that is planned
        self.marks: Count[str] = Count()
        self.store: Store = CrashingStore()
        self._house: Sequencer[House] | None = None
        self._tokens: Sequencer[TokenLedger] | None = None
        self.start()

    @property
    def up(self) -> bool:
        """Whether the process runs."""
        return self._house is not None or self._tokens is not None

    def start(self) -> None:
        """Recover from the journal."""
        self.store = self.open_store()
        if self.side is Side.BOOK:
            self._house = Sequencer(self.store, House, step, step_all)
        else:
            self._tokens = Sequencer(self.store, TokenLedger, tokens.step)

    def open_store(self) -> Store:
        """Return the store that outlives the process."""
        return self.store

    def plan_failure(self, *, before: bool) -> None:
        """Let the store fail at its next record, before it is durable or after."""
        self.failing = "before" if before else "after"
        if isinstance(self.store, CrashingStore):
            self.store.fails = self.failing

    def heal(self) -> None:
        """Plan no failure."""
        self.failing = ""
        if isinstance(self.store, CrashingStore):
            self.store.fails = ""

    def crash(self) -> None:
        """Lose everything that is not in the journal."""
        self._house = self._tokens = None

    def dead(self) -> bool:
        """Return whether the machine stopped behind an answer."""
        return False

    def errors(self) -> type[Exception]:
        """Return what a failing store raises."""
        return StoreFailed

    @property
    def sequencer(self) -> Sequencer[House] | Sequencer[TokenLedger]:
        """The running process; raises StoreFailed when it is down."""
        running = self._house or self._tokens
        if running is None:
            raise StoreFailed
        return running

    @property
    def house(self) -> House:
        """The book's state; raises StoreFailed when it is down."""
        if self._house is None:
            raise StoreFailed
        return self._house.state

    @property
    def token_ledger(self) -> TokenLedger:
        """The token ledger's state; raises StoreFailed when it is down."""
        if self._tokens is None:
            raise StoreFailed
        return self._tokens.state

    def tell(self, command_id: str, command: Command) -> tuple[Answer, Receipt | None]:
        """Carry out a command; raises StoreFailed, and is down, when the store fails."""
        sequencer = self.sequencer
        try:
            (answer,) = sequencer.submit([(command_id, command)])
        except self.errors():
            self.crash()
            raise StoreFailed from None
        refused = isinstance(answer, Refused)
        self.marks[f"{self.side}:{'refused' if refused else 'accepted'}"] += 1
        receipt = None if refused else receipt_of(self.store, command_id)
        if self.dead():
            self.crash()
        return answer, receipt

    def snapshot(self) -> None:
        """Keep a snapshot; the process is down when the store fails over it."""
        try:
            self.sequencer.snapshot()
        except self.errors():
            self.crash()
        if self.dead():
            self.crash()

    def require(self, command_id: str, command: Command) -> None:
        """Carry out a command of the opening; raises Rejected when it is refused."""
        answer, _ = self.tell(command_id, command)
        if isinstance(answer, Refused):
            raise Rejected(*answer.rejections)


def account_of(wallet: int) -> int:
    """Return a wallet's account on the book."""
    return GOV_ACCOUNT if wallet == GOV else FIRST_HOLDER_ACCOUNT + wallet - ALPHA


def token_book(bonds: Sequence[tuple[str, str]], codes: Sequence[str]) -> ReferenceBook:
    """Return a book with bonds (code, currency), an issuer, a backing and a mirror account, and accounts of ``codes``.

    The ISINs are made up: only their check digits are real.
    """
    counters = []
    for place, (code, currency) in enumerate(bonds):
        body = f"HK00099{place:04d}"
        counters.append(
            Counter(
                code=code, isin=body + isin_check_digit(body), currency=currency, kind=InstrumentKind.BOND,
                market=Market.CMU, lot=1, tick_e4=1, settlement_counter=True, name=code,
            )
        )  # fmt: skip
    kinds = {
        "HKSCC": ParticipantKind.HOUSE, "CHINACLEAR": ParticipantKind.LINK, "ISSUER": ParticipantKind.ISSUER,
        "BANK": ParticipantKind.SETTLEMENT_BANK,
    }  # fmt: skip
    own = {"GOV": AccountClass.HOUSE, "HKMA": AccountClass.SEGREGATED, "TOKENS": AccountClass.OMNIBUS}
    fixed = (
        Account(participant="HKSCC", account_class=AccountClass.CNS),
        Account(participant="HKSCC", account_class=AccountClass.HOUSE),
        Account(participant="ISSUER", account_class=AccountClass.ISSUANCE),
        Account(participant="BANK", account_class=AccountClass.ISSUANCE),
    )
    others = {**own, **dict.fromkeys(codes, AccountClass.HOUSE)}
    return ReferenceBook(
        counters=tuple(counters),
        participants=tuple(
            Participant(code=code, name=code, kind=kinds.get(code, ParticipantKind.CUSTODIAN))
            for code in (*kinds, *others)
        ),
        accounts=(*fixed, *(Account(participant=code, account_class=kind) for code, kind in others.items())),
    )


def open_world(book: Node, ledger: Node) -> list[Agreement]:
    """Fill two empty ledgers: money on the book, a bond half issued, some tokenised money; returns the agreements."""
    book.require("open/reference", LoadReference(token_book([("GREEN", "HKD")], ["ALPHA", "BETA", "GAMMA"])))
    owners = np.array([GOV_ACCOUNT, *map(account_of, HOLDERS)], np.int32)
    amounts = np.full(owners.size, 2_000_000, np.int64)
    assets = np.full(owners.size, HKD, np.int32)
    book.require("open/money", DepositAssets(pack(owners, "i4"), pack(assets, "i4"), pack(amounts, "i8")))
    ledger.require(
        "open/wallets",
        OpenWallets(
            (Wallet("GOV", GOV_ACCOUNT), Wallet("ALPHA", account_of(ALPHA), elects_tokens=True),
             Wallet("BETA", account_of(BETA)), Wallet("GAMMA", account_of(GAMMA), elects_tokens=True))
        ),
    )  # fmt: skip
    everyone = (GOV, *HOLDERS)
    money = TokenTerms(
        code="E-HKD", currency="HKD", denomination_cents=1, book_asset=HKD, book_account=BACKING, is_money=True
    )
    last = RECORD_DAY + 183
    bond = TokenTerms(
        code="GREEN", currency="HKD", denomination_cents=DENOMINATION, book_asset=BOOK_BOND, book_account=MIRROR,
        size_cents=100 * DENOMINATION, coupon_e9=40_000_000, issue_day=RECORD_DAY - 182, maturity_day=last,
        periods=(
            CouponPeriod(RECORD_DAY - 182, RECORD_DAY + 1, RECORD_DAY, RECORD_DAY + 1),
            CouponPeriod(RECORD_DAY + 1, last, last - 1, last),
        ),
        money_token=MONEY,
    )  # fmt: skip
    ledger.require("open/e-hkd", IssueToken(money, GOV, everyone))
    ledger.require("open/green", IssueToken(bond, GOV, everyone))
    for node in (book, ledger):
        node.require("open/time", TellTime(START))
    face, cash = 30 * DENOMINATION, 400_000
    return [
        issue("open/issue-1", ALPHA, face, START + 60),
        issue("open/issue-2", BETA, face, START + 60),
        mint("open/mint-1", ALPHA, cash, START + 60),
        mint("open/mint-2", GOV, cash, START + 60),
        Agreement(
            "open/to-book",
            (Leg(MIRROR, account_of(BETA), BOOK_BOND, face // 3),),
            (Leg(BETA, BRIDGE, asset_of(BOND), face // 3),),
            START + 60,
        ),
    ]


def issue(name: str, wallet: int, face: int, decide_by: int) -> Agreement:
    """Return the primary settlement of a face amount at par, paid on the book."""
    return Agreement(
        name,
        (Leg(account_of(wallet), GOV_ACCOUNT, HKD, face), Leg(ISSUER_ACCOUNT, MIRROR, BOOK_BOND, face)),
        (Leg(ISSUANCE, wallet, asset_of(BOND), face),),
        decide_by,
    )


def mint(name: str, wallet: int, cents: int, decide_by: int) -> Agreement:
    """Return the tokenisation of money: into the backing on the book, out of the issuance on the token ledger."""
    return Agreement(
        name,
        (Leg(account_of(wallet), BACKING, HKD, cents),),
        (Leg(ISSUANCE, wallet, asset_of(MONEY), cents),),
        decide_by,
    )
