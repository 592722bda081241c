"""Who may do what: one table of resource, action and role; what is not in it is denied.

``Scope.OWN`` reaches what belongs to the participant of the caller's key: its accounts, instructions to which it is
party, its orders. Acts of the operator are proposed and decided: the engine sees to it that two people do so.
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What the owner of a key is to the house."""

    OPERATOR = "operator"
    PARTICIPANT = "participant"
    CUSTODIAN = "custodian"
    REGULATOR = "regulator"
    AUDITOR = "auditor"


class Resource(StrEnum):
    """What a route is about."""

    DAY = "day"
    PARTICIPANTS = "participants"
    BALANCES = "balances"
    POSITIONS = "positions"
    INSTRUCTIONS = "instructions"
    ORDERS = "orders"
    MARGIN_CALLS = "margin-calls"
    MARGIN = "margin"
    HOLDINGS = "holdings"
    OBLIGATIONS = "obligations"
    TRADES = "trades"
    PAYMENTS = "payments"
    COLLATERAL = "collateral"
    DEFAULTS = "defaults"
    LINKS = "links"
    STRESS_RUNS = "stress-runs"
    ECONOMY_RUNS = "economy-runs"
    JOBS = "jobs"
    EVENTS = "events"
    METRICS = "metrics"
    HOUSES = "houses"
    ACTS = "acts"


class Action(StrEnum):
    """What a route does with its resource."""

    READ = "read"
    SUBMIT = "submit"  # send new orders
    ACT = "act"  # hold, release, cancel ... what is there; of acts: approve, reject, withdraw
    RUN = "run"  # start a long run; it reads the house, or nothing of it, and books nothing


class Scope(StrEnum):
    """How far a permission reaches."""

    NONE = "none"
    OWN = "own"
    ANY = "any"


Access = tuple[Resource, Action]

MEMBERS = (Role.PARTICIPANT, Role.CUSTODIAN)  # keys of these belong to a participant of the book
OVERSEERS = (Role.OPERATOR, Role.REGULATOR, Role.AUDITOR)  # keys of these belong to none

_EVERYBODY = dict.fromkeys(Role, Scope.ANY)
_OWN = dict.fromkeys(MEMBERS, Scope.OWN)
_OVERSIGHT = dict.fromkeys(OVERSEERS, Scope.ANY)

PERMISSIONS: dict[Access, dict[Role, Scope]] = {
    (Resource.DAY, Action.READ): _EVERYBODY,
    (Resource.PARTICIPANTS, Action.READ): _EVERYBODY,
    (Resource.LINKS, Action.READ): _EVERYBODY,
    (Resource.BALANCES, Action.READ): {**_OWN, **_OVERSIGHT},
    (Resource.POSITIONS, Action.READ): {**_OWN, **_OVERSIGHT},
    (Resource.HOLDINGS, Action.READ): {**_OWN, **_OVERSIGHT},
    (Resource.OBLIGATIONS, Action.READ): {**_OWN, **_OVERSIGHT},
    (Resource.TRADES, Action.READ): {**_OWN, **_OVERSIGHT},
    (Resource.PAYMENTS, Action.READ): {**_OWN, **_OVERSIGHT},
    (Resource.COLLATERAL, Action.READ): {**_OWN, **_OVERSIGHT},
    (Resource.DEFAULTS, Action.READ): {**_OWN, **_OVERSIGHT},
    (Resource.INSTRUCTIONS, Action.READ): {**_OWN, **_OVERSIGHT},
    (Resource.ORDERS, Action.READ): {**_OWN, **_OVERSIGHT},
    (Resource.EVENTS, Action.READ): {**_OWN, **_OVERSIGHT},
    # A custodian's stock is its clients', and the house calls it for none: no margin calls for its keys.
    (Resource.MARGIN_CALLS, Action.READ): {Role.PARTICIPANT: Scope.OWN, **_OVERSIGHT},
    (Resource.METRICS, Action.READ): {Role.OPERATOR: Scope.ANY, Role.AUDITOR: Scope.ANY},
    (Resource.HOUSES, Action.READ): _OVERSIGHT,
    # Short runs whose answer is a page: of the whole book, and of models that know nothing of the house.
    (Resource.STRESS_RUNS, Action.READ): _OVERSIGHT,
    (Resource.ECONOMY_RUNS, Action.READ): _EVERYBODY,
    (Resource.MARGIN, Action.READ): {Role.PARTICIPANT: Scope.OWN, **_OVERSIGHT},
    (Resource.ACTS, Action.READ): _OVERSIGHT,
    (Resource.ACTS, Action.SUBMIT): {Role.OPERATOR: Scope.ANY},
    (Resource.ACTS, Action.ACT): {Role.OPERATOR: Scope.ANY},
    (Resource.INSTRUCTIONS, Action.SUBMIT): _OWN,
    (Resource.INSTRUCTIONS, Action.ACT): _OWN,
    (Resource.ORDERS, Action.ACT): _OWN,
    # A stress run tells what every participant would lose; an economy run tells nothing of the house.
    (Resource.STRESS_RUNS, Action.RUN): {Role.OPERATOR: Scope.ANY, Role.REGULATOR: Scope.ANY},
    (Resource.ECONOMY_RUNS, Action.RUN): {**_EVERYBODY, Role.AUDITOR: Scope.NONE},
    (Resource.MARGIN, Action.RUN): {Role.PARTICIPANT: Scope.OWN, Role.OPERATOR: Scope.ANY, Role.REGULATOR: Scope.ANY},
    # Own of a job is who started it, overseers too.
    (Resource.JOBS, Action.READ): {**dict.fromkeys(Role, Scope.OWN), Role.AUDITOR: Scope.NONE},
    (Resource.JOBS, Action.ACT): {**dict.fromkeys(Role, Scope.OWN), Role.AUDITOR: Scope.NONE},
}


def scope_of(role: Role, access: Access | None) -> Scope:
    """Return how far a role reaches; ``none`` for an access that is not in the table, or is not declared at all."""
    if access is None:
        return Scope.NONE
    return PERMISSIONS.get(access, {}).get(role, Scope.NONE)
