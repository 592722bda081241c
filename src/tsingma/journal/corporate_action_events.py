"""Events of corporate actions: announced, amended, elected, carried out."""

from __future__ import annotations

import msgspec


class CorporateActionAnnounced(msgspec.Struct, frozen=True, tag="corporate-action-announced"):
    """Terms are known; ``version`` counts announcements from 1."""

    reference: str
    version: int


class CorporateActionWithdrawn(msgspec.Struct, frozen=True, tag="corporate-action-withdrawn"):
    """The event does not take place."""

    reference: str


class OptionElected(msgspec.Struct, frozen=True, tag="option-elected"):
    """So many shares of the account take the option; ``left`` may still elect."""

    reference: str
    account: int
    option: int
    quantity: int
    left: int


class TaxStatusDeclared(msgspec.Struct, frozen=True, tag="tax-status-declared"):
    """The account is taxed as this holder."""

    account: int
    holder: str


class EventStep(msgspec.Struct, frozen=True):
    """One step of one event: entitled, closed, converted, paid, lapsed or unfunded; figures are shares or cents."""

    reference: str
    step: str
    figures: dict[str, int]


class CorporateActionsRun(msgspec.Struct, frozen=True, tag="corporate-actions-run"):
    """What was due and has been carried out, in order."""

    steps: tuple[EventStep, ...]
    owed_paid_cents: tuple[int, ...]


CorporateActionEvent = (
    CorporateActionAnnounced | CorporateActionWithdrawn | OptionElected | TaxStatusDeclared | CorporateActionsRun
)
