"""What the house answers to commands on orders over a link."""

from __future__ import annotations

import msgspec


class LinkOrdersOpened(msgspec.Struct, frozen=True, tag="link-orders-opened"):
    """The direction takes orders; the day's net-buy quota in cents (-1: it has none)."""

    link: str
    direction: str
    quota_cents: int


class ClientsMapped(msgspec.Struct, frozen=True, tag="clients-mapped"):
    """So many client ids are new, and so many are known in all."""

    new: int
    known: int


class InvestorRegistered(msgspec.Struct, frozen=True, tag="investor-registered"):
    """The segregated account is open, with its designated brokers."""

    investor: int
    brokers: int


class HoldingsSnapshotTaken(msgspec.Struct, frozen=True, tag="holdings-snapshot-taken"):
    """Holdings that may be sold today: how many lines and shares."""

    holdings: int
    shares: int


class OrdersRouted(msgspec.Struct, frozen=True, tag="orders-routed"):
    """Result code per message (i1 column, 0 accepted; ``links.results``), and the balance after, x 10,000."""

    accepted: int
    results: bytes
    balance_e4: int
    closed: bool


class QuotaUsed(msgspec.Struct, frozen=True, tag="quota-used"):
    """Result code per item (i1 column, 0 accepted), and what is left of each quota of the day in cents."""

    accepted: int
    results: bytes
    left_cents: dict[str, int]


class LinkOrdersClosed(msgspec.Struct, frozen=True, tag="link-orders-closed"):
    """The direction's day is over and proved; ``figures`` are named integers (amounts x 10,000, counts)."""

    link: str
    direction: str
    figures: dict[str, int]


LinkOrderEvent = (
    LinkOrdersOpened
    | ClientsMapped
    | InvestorRegistered
    | HoldingsSnapshotTaken
    | OrdersRouted
    | QuotaUsed
    | LinkOrdersClosed
)
