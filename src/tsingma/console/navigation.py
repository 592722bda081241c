"""Which pages there are, in the order of the menu; whose role may not open one does not see it.

Every page has its words under ``page.NAME``: ``title`` and, for the start page, ``about``.
"""

from __future__ import annotations

import msgspec

from tsingma.api.permissions import Access, Action, Resource, Role, Scope, scope_of


class Entry(msgspec.Struct, frozen=True):
    """A page of the menu: its name among the words, its address and what its route states."""

    name: str
    path: str
    access: Access


class Group(msgspec.Struct, frozen=True):
    """Pages under one heading, whose words are ``menu.NAME``."""

    name: str
    entries: tuple[Entry, ...]


MENU: tuple[Group, ...] = (
    Group(
        "operation",
        (
            Entry("day", "/console/day", (Resource.INSTRUCTIONS, Action.READ)),
            Entry("instructions", "/console/instructions", (Resource.INSTRUCTIONS, Action.READ)),
            Entry("orders", "/console/orders", (Resource.ORDERS, Action.READ)),
            Entry("approvals", "/console/approvals", (Resource.ACTS, Action.READ)),
            Entry("defaults", "/console/defaults", (Resource.DEFAULTS, Action.READ)),
            Entry("send", "/console/send", (Resource.INSTRUCTIONS, Action.SUBMIT)),
            Entry("journal", "/console/journal", (Resource.EVENTS, Action.READ)),
        ),
    ),
    Group(
        "books",
        (
            Entry("obligations", "/console/obligations", (Resource.OBLIGATIONS, Action.READ)),
            Entry("positions", "/console/positions", (Resource.POSITIONS, Action.READ)),
            Entry("holdings", "/console/holdings", (Resource.HOLDINGS, Action.READ)),
            Entry("corporate_actions", "/console/corporate-actions", (Resource.HOLDINGS, Action.READ)),
            Entry("margin", "/console/margin", (Resource.MARGIN, Action.READ)),
            Entry("what_if", "/console/margin/what-if", (Resource.MARGIN, Action.READ)),
            Entry("calls", "/console/calls", (Resource.MARGIN_CALLS, Action.READ)),
            Entry("statements", "/console/statements", (Resource.HOLDINGS, Action.READ)),
        ),
    ),
    Group(
        "oversight",
        (
            Entry("houses", "/console/houses", (Resource.HOUSES, Action.READ)),
            Entry("stress", "/console/stress", (Resource.STRESS_RUNS, Action.READ)),
        ),
    ),
    Group(
        "economy",
        (
            Entry("chain", "/console/economy/chain", (Resource.ECONOMY_RUNS, Action.READ)),
            Entry("renminbi", "/console/economy/renminbi", (Resource.ECONOMY_RUNS, Action.READ)),
            Entry("property", "/console/economy/property", (Resource.ECONOMY_RUNS, Action.READ)),
            Entry("claims", "/console/economy/claims", (Resource.ECONOMY_RUNS, Action.READ)),
        ),
    ),
)


# What a role comes for stands first: a supervisor, and an economist with it, need no member's lines to begin with.
FIRST = {Role.REGULATOR: ("oversight", "economy")}
PATHS = frozenset(entry.path for group in MENU for entry in group.entries)


def menu_of(role: Role) -> tuple[Group, ...]:
    """Return the menu as far as a role may open its pages."""
    groups = (
        Group(group.name, tuple(one for one in group.entries if scope_of(role, one.access) is not Scope.NONE))
        for group in MENU
    )
    first = FIRST.get(role, ())
    return tuple(sorted((group for group in groups if group.entries), key=lambda group: group.name not in first))
