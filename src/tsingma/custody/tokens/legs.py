"""What a ledger has set aside for agreements across two ledgers, and how each of them ends: done once, or let go.

The same table stands on both sides. What is reserved is on hold in the ledger; a leg that is reserved can be done
without any further condition, so that a decision, once recorded, never meets a refusal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.journal.token_commands import Agreement, Leg, Receipt
from tsingma.ledger.ledger import Ledger

RESERVED, COMMITTED, RELEASED = "reserved", "committed", "released"
NONE = "none"  # the ledger has never heard of it

SETTLEMENT_LENGTH_MAX = 100
LEGS_MAX = 4_096
AMOUNT_MAX = 2**53
BALANCE_MAX = 2**61  # so many legs of AMOUNT_MAX fit above it that a credit never overflows
SECONDS_A_DAY = 86_400
DECIDE_WITHIN_S = 30 * SECONDS_A_DAY
AGREEMENTS_MAX = 5_000_000

Int64 = npt.NDArray[np.int64]


class Travelling(msgspec.Struct, frozen=True, array_like=True):
    """An entitlement on reserved tokens: it goes along when the decision fell before ``record_end``."""

    leg: Leg
    record_end: int


class Entry(msgspec.Struct):
    """What a ledger knows of an agreement; the terms are dropped once it has ended."""

    digest: bytes
    status: str
    terms: Agreement | None = None
    decided_at: int = 0
    receipt: Receipt | None = None
    travelling: tuple[Travelling, ...] = ()


def digest_of(agreement: Agreement) -> bytes:
    """Return the digest both ledgers know an agreement by: SHA-256 of its encoded form, 32 bytes."""
    return hashlib.sha256(msgspec.msgpack.encode(agreement)).digest()


class LegTable:
    """Agreements by name, and the settlement clock (seconds since 1970-01-01, Hong Kong time) they expire by."""

    def __init__(self) -> None:
        """Start at time 0 without agreements."""
        self.at = 0
        self._entries: dict[str, Entry] = {}
        self._open: dict[str, Entry] = {}

    def __len__(self) -> int:
        """Return how many agreements the ledger has heard of."""
        return len(self._entries)

    def status(self, settlement: str) -> str:
        """Return ``none``, ``reserved``, ``committed`` or ``released``."""
        entry = self._entries.get(settlement)
        return NONE if entry is None else entry.status

    def entry(self, settlement: str) -> Entry | None:
        """Return what is known of an agreement, or None; read it only."""
        return self._entries.get(settlement)

    def reserved(self) -> Iterator[tuple[str, Entry]]:
        """Yield the agreements that are reserved and have not ended, in the order in which they were reserved."""
        yield from list(self._open.items())

    def names(self) -> list[str]:
        """Return the names of all agreements, oldest first."""
        return list(self._entries)

    def move_clock(self, at: int) -> None:
        """Move the clock; raises Rejected (not-allowed) for a time that is over."""
        if at < self.at:
            raise refuse(RejectionReason.NOT_ALLOWED, f"it is {self.at} already, not {at}", field="at")
        self.at = at

    def known(self, settlement: str, digest: bytes) -> Entry | None:
        """Return the entry of this very agreement; raises Rejected (conflict) when the name stands for another."""
        entry = self._entries.get(settlement)
        if entry is not None and entry.digest != digest:
            raise refuse(
                RejectionReason.CONFLICT,
                "the name stands for another agreement",
                field="agreement",
                subject=settlement,
                remedy="name every agreement anew",
            )
        return entry

    def reserve(self, ledger: Ledger, agreement: Agreement, legs: tuple[Leg, ...]) -> bytes:
        """Hold this ledger's ``legs`` and return the digest; a repeat changes nothing.

        Raises Rejected: conflict (another agreement of that name), not-allowed (it has ended, or its time is over),
        out-of-range, limit, insufficient.
        """
        digest = digest_of(agreement)
        entry = self.known(agreement.settlement, digest)
        if entry is not None:
            if entry.status == RESERVED:
                return digest
            raise refuse(RejectionReason.NOT_ALLOWED, f"it is {entry.status}", subject=agreement.settlement)
        _check_form(agreement, self.at)
        self._check_room()
        _hold(ledger, legs, agreement.settlement)
        self._entries[agreement.settlement] = self._open[agreement.settlement] = Entry(digest, RESERVED, agreement)
        return digest

    def commit(self, ledger: Ledger, settlement: str, legs: tuple[Leg, ...], *, decided_at: int) -> Entry:
        """Do what was reserved; raises InvariantBroken when the books do not hold it."""
        entry = self._end(settlement, COMMITTED, decided_at)
        _free(ledger, legs)
        moves = [*legs]
        for item in entry.travelling:
            _free(ledger, (item.leg,))
            if decided_at < item.record_end:
                moves.append(item.leg)
        _move(ledger, tuple(moves))
        entry.travelling = ()
        return entry

    def release(self, ledger: Ledger, settlement: str, legs: tuple[Leg, ...], *, decided_at: int) -> Entry:
        """Give back what was reserved."""
        entry = self._end(settlement, RELEASED, decided_at)
        _free(ledger, (*legs, *(item.leg for item in entry.travelling)))
        entry.travelling = ()
        return entry

    def refuse_for_good(self, settlement: str, digest: bytes, *, decided_at: int) -> Entry:
        """Record that an agreement never heard of has been let go: a reservation that comes late is refused."""
        self._check_room()
        entry = Entry(digest, RELEASED, decided_at=decided_at)
        self._entries[settlement] = entry
        return entry

    def dump(self) -> dict[str, bytes]:
        """Return the table as named byte strings; nothing when it was never used."""
        if not self._entries and not self.at:
            return {}
        return {"at": self.at.to_bytes(8, "little"), "entries": msgspec.msgpack.encode(self._entries)}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump; one without this table is of a ledger that never used it."""
        if not parts:
            return
        self.at = int.from_bytes(parts["at"], "little")
        self._entries = msgspec.msgpack.decode(parts["entries"], type=dict[str, Entry])
        self._open = {name: entry for name, entry in self._entries.items() if entry.status == RESERVED}

    def _end(self, settlement: str, status: str, decided_at: int) -> Entry:
        entry = self._open.pop(settlement, None)
        if entry is None:
            raise InvariantBroken(f"{settlement} is {self.status(settlement)}: an agreement ends once")
        entry.status, entry.decided_at, entry.terms = status, decided_at, None
        return entry

    def _check_room(self) -> None:
        if len(self._entries) >= AGREEMENTS_MAX:
            raise refuse(RejectionReason.LIMIT, f"{AGREEMENTS_MAX} agreements are known, which is the bound")


def _check_form(agreement: Agreement, at: int) -> None:
    name, legs = agreement.settlement, (*agreement.book_legs, *agreement.token_legs)
    if not 1 <= len(name) <= SETTLEMENT_LENGTH_MAX:
        raise refuse(RejectionReason.LIMIT, f"a name has 1 to {SETTLEMENT_LENGTH_MAX} characters", field="settlement")
    if not agreement.book_legs or not agreement.token_legs or len(legs) > LEGS_MAX:
        message = f"{len(agreement.book_legs)} legs on the book, {len(agreement.token_legs)} in tokens"
        remedy = f"at least one each, {LEGS_MAX} together"
        raise refuse(RejectionReason.LIMIT, message, field="legs", subject=name, remedy=remedy)
    if at >= agreement.decide_by or agreement.settle_from >= agreement.decide_by:
        raise refuse(RejectionReason.NOT_ALLOWED, "its time is over", field="decide_by", subject=name)
    if agreement.decide_by > at + DECIDE_WITHIN_S:
        days = DECIDE_WITHIN_S // SECONDS_A_DAY
        raise refuse(
            RejectionReason.LIMIT, f"nothing is reserved for more than {days} days", field="decide_by", subject=name
        )
    for place, leg in enumerate(legs):
        if not 0 < leg.amount <= AMOUNT_MAX or leg.debit == leg.credit:
            raise refuse(
                RejectionReason.OUT_OF_RANGE,
                f"leg {place + 1} moves {leg.amount} from {leg.debit} to {leg.credit}",
                field="legs",
                subject=name,
                remedy=f"1 to {AMOUNT_MAX}, between two accounts",
            )


def _hold(ledger: Ledger, legs: tuple[Leg, ...], settlement: str) -> None:
    """Put every debit on hold and open every credit; all of them or none."""
    before = ledger.count
    amounts = np.array([leg.amount for leg in legs], np.int64)
    debits = np.array([ledger.find(leg.debit, leg.asset) for leg in legs], np.int64)
    if debits.min(initial=0) >= 0:
        results = ledger.hold(debits, amounts)
        if not results.any():
            opened = _rows(ledger, [(leg.credit, leg.asset) for leg in legs])
            if int(ledger.balance[opened].max(initial=0)) <= BALANCE_MAX:
                return
            ledger.release(debits, amounts)
            ledger.close_rows(before)
            raise refuse(RejectionReason.OUT_OF_RANGE, "a balance would leave 61 bits", subject=settlement)
        done = results == 0
        ledger.release(debits[done], amounts[done])
        short = legs[int(np.flatnonzero(results)[0])]
    else:
        short = legs[int(np.flatnonzero(debits < 0)[0])]
    raise refuse(
        RejectionReason.INSUFFICIENT,
        f"account {short.debit} lacks {short.amount} of asset {short.asset}",
        field="legs",
        subject=settlement,
        remedy="fund it and reserve again before its time is over",
    )


def hold_leg(ledger: Ledger, leg: Leg) -> None:
    """Put one debit on hold; raises InvariantBroken when it is not there."""
    row = np.array([ledger.find(leg.debit, leg.asset)], np.int64)
    if ledger.hold(row, np.array([leg.amount], np.int64)).any():
        raise InvariantBroken("an entitlement on reserved tokens is not there")


def _rows(ledger: Ledger, pairs: list[tuple[int, int]]) -> Int64:
    owners, assets = zip(*pairs, strict=True)
    return ledger.rows(np.array(owners, np.int32), np.array(assets, np.int32))


def _free(ledger: Ledger, legs: tuple[Leg, ...]) -> None:
    rows = np.array([ledger.find(leg.debit, leg.asset) for leg in legs], np.int64)
    if legs and ledger.release(rows, np.array([leg.amount for leg in legs], np.int64)).any():
        raise InvariantBroken("what an agreement reserved is not on hold")


def _move(ledger: Ledger, legs: tuple[Leg, ...]) -> None:
    debit = _rows(ledger, [(leg.debit, leg.asset) for leg in legs])
    credit = _rows(ledger, [(leg.credit, leg.asset) for leg in legs])
    failed = ledger.post_all(debit, credit, np.array([leg.amount for leg in legs], np.int64))
    if failed is not None:
        raise InvariantBroken(f"a reserved leg cannot be done: {legs[failed]}")
