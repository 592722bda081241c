"""The reference book: what is traded, who takes part, which accounts they keep; and the same, resolved to indices."""

from __future__ import annotations

import re
from collections import Counter as Count
from dataclasses import dataclass
from enum import StrEnum

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.identifiers import is_isin, is_lei
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.reference.calendars import CalendarTable
from tsingma.reference.kinds import InstrumentKind as InstrumentKind
from tsingma.reference.markets import MarketRule, Markets, market_faults, shipped_markets

NUMBER_MAX = 10**9  # of a lot, a tick x 10,000, a conversion ratio: what they are multiplied with stays within 64 bits
_CODE = re.compile(r"[A-Z0-9-]{1,16}")  # codes become names of folders and parts of command ids


class Market(StrEnum):
    """Codes of the house's own markets (ISO 10383; CMU is the bond depository); their rules are in ``markets``."""

    XHKG = "XHKG"
    XSHG = "XSHG"
    XSHE = "XSHE"
    CMU = "CMU"


class ParticipantKind(StrEnum):
    """The part a participant plays in the house."""

    DIRECT_CLEARING = "direct-clearing"
    GENERAL_CLEARING = "general-clearing"
    CUSTODIAN = "custodian"
    HOUSE = "house"
    LINK = "link"
    ISSUER = "issuer"
    SETTLEMENT_BANK = "settlement-bank"


class AccountClass(StrEnum):
    """Whose positions an account holds; CNS and ISSUANCE are the house's own bookkeeping accounts."""

    HOUSE = "HOUSE"
    CLIENT = "CLIENT"
    OMNIBUS = "OMNIBUS"
    SEGREGATED = "SEGREGATED"
    CNS = "CNS"
    ISSUANCE = "ISSUANCE"


class Counter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One traded line of a security in one currency; ``tick_e4`` is the smallest price step x 10,000 (1 = none)."""

    code: str
    isin: str
    currency: str
    kind: InstrumentKind
    market: str
    lot: int
    tick_e4: int
    settlement_counter: bool
    name: str
    underlying: str = ""
    duty_exempt: bool = False
    conversion_ratio: int = 0


class Participant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A firm or institution known to the house."""

    code: str
    name: str
    kind: ParticipantKind
    lei: str = ""


class Account(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account: a participant and an account class."""

    participant: str
    account_class: AccountClass
    name: str = ""


REQUIRED_PARTICIPANTS: dict[str, ParticipantKind] = {
    "HKSCC": ParticipantKind.HOUSE,
    "ISSUER": ParticipantKind.ISSUER,
    "BANK": ParticipantKind.SETTLEMENT_BANK,
}


class ReferenceBook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Instruments, participants and accounts of one house; ``validate`` before use.

    ``markets`` and ``calendars`` are those that links bring beside the house's own; a book without them is encoded as
    it was before there were any, so that older journals keep their hashes.
    """

    counters: tuple[Counter, ...]
    participants: tuple[Participant, ...]
    accounts: tuple[Account, ...]
    markets: tuple[MarketRule, ...] = ()
    calendars: tuple[CalendarTable, ...] = ()

    def validate(self) -> None:
        """Raise Rejected with every fault: check digits, duplicates, unknown names, settlement counters, lots."""
        faults = [
            *market_faults(self.markets, self.calendars),
            *_counter_faults(self),
            *_participant_faults(self.participants),
            *_account_faults(self),
        ]
        if faults:
            raise Rejected(*faults)


def _fault(reason: RejectionReason, subject: str, field: str, message: str, remedy: str = "") -> Rejection:
    return Rejection(reason=reason, subject=subject, field=field, message=message, remedy=remedy)


def _duplicates(names: list[str], field: str) -> list[Rejection]:
    repeated = sorted(name for name, times in Count(names).items() if times > 1)
    return [_fault(RejectionReason.DUPLICATE, name, field, f"'{name}' is listed twice") for name in repeated]


def _counter_faults(book: ReferenceBook) -> list[Rejection]:
    counters, markets = book.counters, {*shipped_markets().codes, *(rule.code for rule in book.markets)}
    faults = _duplicates([counter.code for counter in counters], "counters.code")
    codes = {counter.code for counter in counters}
    for counter in counters:
        if not is_isin(counter.isin):
            faults.append(_fault(RejectionReason.MALFORMED, counter.code, "isin", f"'{counter.isin}' is no ISIN"))
        if counter.currency not in CURRENCIES:
            faults.append(_fault(RejectionReason.UNKNOWN, counter.code, "currency", f"'{counter.currency}' not kept"))
        if counter.market not in markets:
            message = f"no market '{counter.market}'"
            faults.append(_fault(RejectionReason.UNKNOWN, counter.code, "market", message, "add its rule to markets"))
        for field, least in (("lot", 1), ("tick_e4", 1), ("conversion_ratio", 0)):
            if not least <= getattr(counter, field) <= NUMBER_MAX:
                message = f"must be from {least} to {NUMBER_MAX:,}"
                faults.append(_fault(RejectionReason.OUT_OF_RANGE, counter.code, field, message))
        if counter.underlying and counter.underlying not in codes:
            faults.append(
                _fault(RejectionReason.UNKNOWN, counter.code, "underlying", f"no counter {counter.underlying}")
            )
    settling = Count(counter.isin for counter in counters if counter.settlement_counter)
    for isin in sorted({counter.isin for counter in counters}):
        if settling[isin] != 1:
            message = f"{settling[isin]} settlement counters"
            faults.append(_fault(RejectionReason.CONFLICT, isin, "settlement_counter", message, "mark exactly one"))
    return faults


def _participant_faults(participants: tuple[Participant, ...]) -> list[Rejection]:
    faults = _duplicates([participant.code for participant in participants], "participants.code")
    kinds = {participant.code: participant.kind for participant in participants}
    for code, kind in REQUIRED_PARTICIPANTS.items():
        if kinds.get(code) is not kind:
            faults.append(_fault(RejectionReason.MISSING, code, "participants", f"needed with kind {kind}"))
    for participant in participants:
        if not _CODE.fullmatch(participant.code):
            message = "a code has 1 to 16 of A-Z, 0-9 and -"
            faults.append(_fault(RejectionReason.MALFORMED, participant.code, "participants.code", message))
        if participant.lei and not is_lei(participant.lei):
            faults.append(_fault(RejectionReason.MALFORMED, participant.code, "lei", f"'{participant.lei}' is no LEI"))
    return faults


def _account_faults(book: ReferenceBook) -> list[Rejection]:
    known = {participant.code for participant in book.participants}
    faults = _duplicates([f"{account.participant}/{account.account_class}" for account in book.accounts], "accounts")
    for account in book.accounts:
        if account.participant not in known:
            faults.append(
                _fault(RejectionReason.UNKNOWN, account.participant, "accounts.participant", "no such participant")
            )
    return faults


@dataclass(frozen=True, slots=True)
class ResolvedBook:
    """A book as indices, so that no rule looks anything up: assets are currencies first, then securities."""

    book: ReferenceBook
    counter_index: dict[str, int]
    securities: tuple[str, ...]
    counter_security: npt.NDArray[np.int32]
    counter_currency: npt.NDArray[np.int8]
    counter_market: npt.NDArray[np.int8]
    counter_kind: npt.NDArray[np.int8]
    counter_tick_e4: npt.NDArray[np.int64]
    participant_index: dict[str, int]
    account_index: dict[tuple[str, AccountClass], int]
    account_participant: npt.NDArray[np.int32]
    account_class: npt.NDArray[np.int8]
    settlement_counter: npt.NDArray[np.int32]
    markets: Markets

    @property
    def asset_count(self) -> int:
        """Number of assets: currencies and securities."""
        return len(CURRENCIES) + len(self.securities)

    def asset_of_security(self, security: int) -> int:
        """Return the asset number of a security index."""
        return len(CURRENCIES) + security

    def asset_name(self, asset: int) -> str:
        """Return the currency or ISIN of an asset number."""
        return CURRENCIES[asset] if asset < len(CURRENCIES) else self.securities[asset - len(CURRENCIES)]

    def account_name(self, account: int) -> str:
        """Return ``PARTICIPANT/CLASS`` of an account index."""
        entry = self.book.accounts[account]
        return f"{entry.participant}/{entry.account_class}"


MARKETS: tuple[Market, ...] = tuple(Market)  # the house's own come first among the numbers of markets
KINDS: tuple[InstrumentKind, ...] = tuple(InstrumentKind)
ACCOUNT_CLASSES: tuple[AccountClass, ...] = tuple(AccountClass)


def resolve(book: ReferenceBook) -> ResolvedBook:
    """Return the book as indices (securities in ISIN order); raises Rejected when the book is not valid."""
    book.validate()
    securities = tuple(sorted({counter.isin for counter in book.counters}))
    security_index = {isin: index for index, isin in enumerate(securities)}
    participant_index = {participant.code: index for index, participant in enumerate(book.participants)}
    settlement_counter = np.zeros(len(securities), np.int32)
    markets = Markets(book.markets, book.calendars)
    number = {code: place for place, code in enumerate(markets.codes)}
    for index, counter in enumerate(book.counters):
        if counter.settlement_counter:
            settlement_counter[security_index[counter.isin]] = index
    return ResolvedBook(
        book=book,
        counter_index={counter.code: index for index, counter in enumerate(book.counters)},
        securities=securities,
        counter_security=np.array([security_index[counter.isin] for counter in book.counters], np.int32),
        counter_currency=np.array([CURRENCIES.index(counter.currency) for counter in book.counters], np.int8),
        counter_market=np.array([number[counter.market] for counter in book.counters], np.int8),
        counter_kind=np.array([KINDS.index(counter.kind) for counter in book.counters], np.int8),
        counter_tick_e4=np.array([counter.tick_e4 for counter in book.counters], np.int64),
        participant_index=participant_index,
        account_index={(entry.participant, entry.account_class): i for i, entry in enumerate(book.accounts)},
        account_participant=np.array([participant_index[entry.participant] for entry in book.accounts], np.int32),
        account_class=np.array([ACCOUNT_CLASSES.index(entry.account_class) for entry in book.accounts], np.int8),
        settlement_counter=settlement_counter,
        markets=markets,
    )
