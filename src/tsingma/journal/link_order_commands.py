"""Commands on orders over a link: who may send them, what is held before the open, the orders of a day, quota in use.

A link's rules arrive resolved: the day's quotas, sessions and checks are figures of the command (``LinkDayTerms``), so
that a replay needs no rule file. Participants, accounts and counters are indices into the reference book.
"""

from __future__ import annotations

import msgspec


class QuotaTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A quota in force: kind (``links.rule_rows.QuotaKind``), cents, and per channel where there are several."""

    kind: str
    amount_cents: int
    split_cents: int = 0
    channels: int = 0


class SessionTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A session of the day in seconds after midnight; ``zero`` is what happens to buys when the quota is used up."""

    kind: str
    start_s: int
    end_s: int
    cancels: bool
    zero: str


class LinkDayTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One day of one direction, resolved. Columns ``counter`` i4 and ``sell_only`` i1: empty means all may be traded.

    ``client_days`` is how many days before the order a client id must have been mapped (-1: none is needed).
    """

    link: str
    direction: str
    day: int
    currency: str
    quotas: tuple[QuotaTerm, ...]
    sessions: tuple[SessionTerm, ...]
    pre_trade: str
    brokers_max: int
    client_days: int
    counter: bytes = b""
    sell_only: bytes = b""


class OpenLinkOrders(msgspec.Struct, frozen=True, tag="open-link-orders", forbid_unknown_fields=True):
    """Open a direction for orders of the open day: its quotas start anew."""

    terms: LinkDayTerms


class MapClients(msgspec.Struct, frozen=True, tag="map-clients", forbid_unknown_fields=True):
    """Map client ids of participants for a link. Columns: ``participant`` i4, ``client`` i8 (positive)."""

    link: str
    participant: bytes
    client: bytes


class RegisterInvestor(msgspec.Struct, frozen=True, tag="register-investor", forbid_unknown_fields=True):
    """Open a special segregated account, or name its brokers anew: investor id, custodian (account), participants."""

    link: str
    investor: int
    custodian: int
    brokers: tuple[int, ...]


class TakeHoldingsSnapshot(msgspec.Struct, frozen=True, tag="take-holdings-snapshot", forbid_unknown_fields=True):
    """Fix what each participant and each segregated account holds before the open; nothing else can be sold.

    Columns: ``participant`` i4 (-1: a segregated account), ``investor`` i8 (0: the participant's own), ``counter`` i4,
    ``quantity`` i8.
    """

    link: str
    direction: str
    participant: bytes
    investor: bytes
    counter: bytes
    quantity: bytes


class RouteOrders(msgspec.Struct, frozen=True, tag="route-orders", forbid_unknown_fields=True):
    """Messages of a link's orders in the order they came; each answers for itself.

    Columns: ``kind`` i1 (0 buy, 1 sell, 2 execution, 3 cancel, 4 rejection by the market), ``order`` i8 (number of the
    day; new orders take the next), ``time_s`` i4 (never before the last), ``participant`` i4, ``investor`` i8 and
    ``client`` i8 (0: none), ``counter`` i4, ``quantity`` i8, ``price_e4`` i8 (limit, or price of the trade). Of all but
    new orders, participant, investor, client and counter are not read.
    """

    link: str
    direction: str
    kind: bytes
    order: bytes
    time_s: bytes
    participant: bytes
    investor: bytes
    client: bytes
    counter: bytes
    quantity: bytes
    price_e4: bytes


class UseQuota(msgspec.Struct, frozen=True, tag="use-quota", forbid_unknown_fields=True):
    """Money or notional that goes out over a link (positive) or comes back (negative); each item answers for itself.

    Columns: ``investor`` i8, ``channel`` i1 (0 where there is one), ``amount_cents`` i8 (not 0).
    """

    link: str
    direction: str
    investor: bytes
    channel: bytes
    amount_cents: bytes


class CloseLinkOrders(msgspec.Struct, frozen=True, tag="close-link-orders", forbid_unknown_fields=True):
    """End a direction's orders of the day: what is still open lapses, and the sums are proved."""

    link: str
    direction: str


LinkOrderCommand = (
    OpenLinkOrders | MapClients | RegisterInvestor | TakeHoldingsSnapshot | RouteOrders | UseQuota | CloseLinkOrders
)
