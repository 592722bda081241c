"""The book of corporate actions: events and how far they are, elections, holders' tax status, money still owed."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.events.entitlement import Entitled
from tsingma.custody.events.outturn import Amounts
from tsingma.custody.events.terms import OFFERS, REORGANISATIONS
from tsingma.journal.corporate_action_commands import EventTerms

EVENTS_MAX = 100_000


class EventStatus(StrEnum):
    """How far an event is; the last four are final."""

    ANNOUNCED = "announced"
    ENTITLED = "entitled"  # the record date has been taken
    CLOSED = "closed"  # no more elections
    PAID = "paid"
    CONVERTED = "converted"
    LAPSED = "lapsed"  # an offer that was not accepted by enough
    WITHDRAWN = "withdrawn"


LIVE = (EventStatus.ANNOUNCED, EventStatus.ENTITLED, EventStatus.CLOSED)


class CorporateAction(msgspec.Struct, frozen=True):
    """One event: ``entitled`` since its record date, ``elections`` as (account, option, shares) in order.

    ``amended`` are earlier terms with the day until which they stood; ``seen`` is the number of instructions looked
    at for market claims; ``tried_day`` the last day on which payment was tried in vain.
    """

    terms: EventTerms
    announced_day: int
    status: EventStatus = EventStatus.ANNOUNCED
    amended: tuple[tuple[int, EventTerms], ...] = ()
    entitled: tuple[Entitled, ...] = ()
    elections: tuple[tuple[int, int, int], ...] = ()
    seen: int = 0
    tried_day: int = 0
    done_day: int = 0

    @property
    def is_live(self) -> bool:
        """Return whether something is still to be carried out."""
        return self.status in LIVE

    def elected(self) -> dict[tuple[int, int], int]:
        """Return the elected shares by (account, option)."""
        return {(account, option): quantity for account, option, quantity in self.elections}

    def elect(self, account: int, option: int, quantity: int) -> CorporateAction:
        """Return the event with one election set, or taken back with a quantity of 0."""
        chosen = {**self.elected(), (account, option): quantity}
        kept = tuple((*key, shares) for key, shares in sorted(chosen.items()) if shares)
        return msgspec.structs.replace(self, elections=kept)


class _Kept(msgspec.Struct):
    events: tuple[CorporateAction, ...] = ()
    holders: tuple[tuple[int, str], ...] = ()
    owed: tuple[tuple[int, int, int], ...] = ()


class EventBook:
    """Events by reference in the order announced; ``owed`` is money owed to the central counterparty for claims."""

    def __init__(self) -> None:
        """Start without events."""
        self.events: dict[str, CorporateAction] = {}
        self.holders: dict[int, str] = {}
        self.owed: Amounts = {}

    def get(self, reference: str) -> CorporateAction:
        """Return an event; raises Rejected (unknown)."""
        if reference not in self.events:
            raise refuse(RejectionReason.UNKNOWN, "no such event", field="reference", subject=reference)
        return self.events[reference]

    def keep(self, action: CorporateAction) -> None:
        """Keep the newest state of an event; raises Rejected (limit) above EVENTS_MAX events."""
        if action.terms.reference not in self.events and len(self.events) >= EVENTS_MAX:
            raise refuse(RejectionReason.LIMIT, f"{EVENTS_MAX} events at most", field="reference")
        self.events[action.terms.reference] = action

    def live(self) -> Iterator[CorporateAction]:
        """Return the events of which something is still to be carried out, in the order announced."""
        return (action for action in list(self.events.values()) if action.is_live)

    def overlapping(self, terms: EventTerms) -> list[str]:
        """Return live events that would hold or convert the same shares: one conversion or offer at a time."""
        exclusive = REORGANISATIONS | OFFERS
        if terms.kind not in exclusive:
            return []
        return [
            one.terms.reference
            for one in self.live()
            if one.terms.kind in exclusive
            and one.terms.security == terms.security
            and one.terms.reference != terms.reference
        ]

    def held_shares(self) -> int:
        """Return how many shares elections of live offers hold."""
        return sum(quantity for one in self.live() if one.terms.kind in OFFERS for _, _, quantity in one.elections)

    def owed_cents(self, currency: int) -> int:
        """Return what accounts owe the central counterparty for claims, in cents of a currency."""
        return sum(cents for (_, unit), cents in self.owed.items() if unit == currency)

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings; a book in which nothing was ever written has none."""
        if not (self.events or self.holders or self.owed):
            return {}
        kept = _Kept(
            tuple(self.events.values()),
            tuple(sorted(self.holders.items())),
            tuple((*key, cents) for key, cents in sorted(self.owed.items())),
        )
        return {"book": msgspec.msgpack.encode(kept)}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump; nothing is an empty book."""
        if "book" not in parts:
            return
        kept = msgspec.msgpack.decode(parts["book"], type=_Kept)
        self.events = {action.terms.reference: action for action in kept.events}
        self.holders = dict(kept.holders)
        self.owed = {(account, currency): cents for account, currency, cents in kept.owed}
