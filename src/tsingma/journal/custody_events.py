"""Events of custody."""

from __future__ import annotations

import msgspec


class SecurityRegistered(msgspec.Struct, frozen=True, tag="security-registered"):
    """The security is in the register with so many units outstanding."""

    isin: str
    issued: int


class DepositoryOpened(msgspec.Struct, frozen=True, tag="depository-opened"):
    """The depository is known; ``chain`` leads to the home of registers."""

    code: str
    chain: tuple[str, ...]


class HoldingPlaced(msgspec.Struct, frozen=True, tag="holding-placed"):
    """The account keeps the security there from now on."""

    account: int
    isin: str
    depository: str


class NomineeReported(msgspec.Struct, frozen=True, tag="nominee-reported"):
    """What the nominee holds by report, and what its depository shares out."""

    depository: str
    isin: str
    units: int
    difference: int


class UnitsIssued(msgspec.Struct, frozen=True, tag="units-issued"):
    """Units came into being (plus) or ended (minus); ``issued`` is what is outstanding now."""

    isin: str
    units: int
    issued: int


class DueAnnounced(msgspec.Struct, frozen=True, tag="due-announced"):
    """Something will be paid on a security."""

    due: int
    kind: str
    isin: str
    record_day: int
    payment_day: int


class DuePaid(msgspec.Struct, frozen=True, tag="due-paid"):
    """Holders were paid; ``figures`` count holders, units taken back and cents."""

    due: int
    kind: str
    isin: str
    figures: dict[str, int]


class NonPaymentRecorded(msgspec.Struct, frozen=True, tag="non-payment-recorded"):
    """The payer failed; so many cents were due."""

    due: int
    isin: str
    due_cents: int


class OfferChanged(msgspec.Struct, frozen=True, tag="offer-changed"):
    """An offer was opened, cancelled, or has a bid more or less; ``bids`` counts those that stand."""

    offer: int
    status: str
    bids: int


class OfferAllotted(msgspec.Struct, frozen=True, tag="offer-allotted"):
    """Units were allotted: cut-off and average as in ``custody.tender``; ``units`` per bid, in order."""

    offer: int
    cut_off: int
    average: int
    ratio_e9: int
    cover_e9: int
    units: tuple[int, ...]


class OfferSettled(msgspec.Struct, frozen=True, tag="offer-settled"):
    """Allotments settled, wait for money, or lapsed; ``raised_cents`` is the clean price of those settled now."""

    offer: int
    settled: int
    waiting: int
    lapsed: int
    units: int
    raised_cents: int
    accrued_cents: int


class ProceedsAllocated(msgspec.Struct, frozen=True, tag="proceeds-allocated"):
    """Proceeds were given to a project; so much is left."""

    isin: str
    project: str
    cents: int
    left_cents: int


class RepoChanged(msgspec.Struct, frozen=True, tag="repo-changed"):
    """A repo was opened, changed or closed: what is owed (the repurchase price), required and held, cents."""

    repo: int
    status: str
    owed_cents: int
    required_cents: int
    worth_cents: int


class CompositionPublished(msgspec.Struct, frozen=True, tag="composition-published"):
    """A fund's application is worth so much in its basket and so much in cash."""

    isin: str
    basket_cents: int
    cash_cents: int


class UnitsDealt(msgspec.Struct, frozen=True, tag="units-dealt"):
    """Units were created (plus) or redeemed (minus); ``cash_cents`` went to the fund (minus: from it)."""

    isin: str
    units: int
    issued: int
    cash_cents: int


class BarsMoved(msgspec.Struct, frozen=True, tag="bars-moved"):
    """Bars came in, went out or changed hands: how many, and their fine weight."""

    isin: str
    what: str
    bars: int
    fine_mg: int


class FutureDelivered(msgspec.Struct, frozen=True, tag="future-delivered"):
    """A future ended in delivery or money; ``figures`` name units, factor (e4) and cents."""

    contract: str
    figures: dict[str, int]


CustodyEvent = (
    SecurityRegistered
    | DepositoryOpened
    | HoldingPlaced
    | NomineeReported
    | UnitsIssued
    | DueAnnounced
    | DuePaid
    | NonPaymentRecorded
    | OfferChanged
    | OfferAllotted
    | OfferSettled
    | ProceedsAllocated
    | RepoChanged
    | CompositionPublished
    | UnitsDealt
    | BarsMoved
    | FutureDelivered
)
