"""All state of orders over links: a link's client ids and segregated accounts, a direction's day and its flows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.links.order_day import OrderDay
from tsingma.links.pretrade import ClientIds, SegregatedAccounts
from tsingma.links.quota import FlowQuotas

SEPARATOR = "/"


class _Dumps(Protocol):
    def dump(self) -> dict[str, bytes]: ...


class LinkOrders:
    """Orders, checks and quotas of every link; days are kept until the next one opens."""

    def __init__(self) -> None:
        """Start without links."""
        self.clients: dict[str, ClientIds] = {}
        self.accounts: dict[str, SegregatedAccounts] = {}
        self.days: dict[tuple[str, str], OrderDay] = {}
        self.flows: dict[tuple[str, str], FlowQuotas] = {}

    def day(self, link: str, direction: str) -> OrderDay:
        """Return the open day of a direction; raises Rejected (not-allowed) when there is none."""
        found = self.days.get((link, direction))
        if found is None or not found.is_open:
            message = f"{link} {direction} takes no orders now"
            raise refuse(RejectionReason.NOT_ALLOWED, message, subject=link, remedy="open its day first")
        return found

    def any_open(self) -> list[str]:
        """Return the directions whose day is open, in order."""
        return sorted(SEPARATOR.join(key) for key, day in self.days.items() if day.is_open)

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings; nothing when no link was ever used."""
        return {
            f"{SEPARATOR.join(place)}{SEPARATOR}{name}": value
            for place, room in self._rooms()
            for name, value in room.dump().items()
        }

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Take back a dump."""
        found: dict[tuple[str, ...], dict[str, bytes]] = {}
        for key, value in parts.items():
            *place, name = key.split(SEPARATOR)
            found.setdefault(tuple(place), {})[name] = value
        for name_of, mine in found.items():
            what, link = name_of[0], name_of[1]
            if what == "clients":
                self.clients.setdefault(link, ClientIds()).load(mine)
            elif what == "accounts":
                self.accounts.setdefault(link, SegregatedAccounts()).load(mine)
            elif what == "flows":
                self.flows.setdefault((link, name_of[2]), FlowQuotas()).load(mine)
            else:
                self.days[link, name_of[2]] = OrderDay.load(mine)

    def _rooms(self) -> list[tuple[tuple[str, ...], _Dumps]]:
        rooms: list[tuple[tuple[str, ...], _Dumps]] = []
        rooms.extend((("clients", link), room) for link, room in self.clients.items())
        rooms.extend((("accounts", link), room) for link, room in self.accounts.items())
        rooms.extend((("days", *key), room) for key, room in self.days.items())
        rooms.extend((("flows", *key), room) for key, room in self.flows.items())
        return rooms
