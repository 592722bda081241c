"""Commands on corporate actions, and the terms of an event: the one description that custody and margin both read.

Names follow ISO 20022 (seev messages): event kinds are CAEV codes in words, an option's ``code`` is its CAOP type.
Accounts, currencies and securities are indices into the loaded reference book, days count from 1970-01-01.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

SCALE_E9 = 1_000_000_000


class EventKind(StrEnum):
    """What an event does; the family (distribution, reorganisation, offer) follows from it."""

    CASH_DIVIDEND = "cash-dividend"  # DVCA; several options are an election of currency
    SCRIP_DIVIDEND = "scrip-dividend"  # DVOP: cash or shares
    STOCK_DIVIDEND = "stock-dividend"  # DVSE
    BONUS_ISSUE = "bonus-issue"  # BONU
    RIGHTS_ISSUE = "rights-issue"  # RHDI: nil-paid rights are distributed
    SPIN_OFF = "spin-off"  # SOFF
    CAPITAL_RETURN = "capital-return"  # CAPD
    SPLIT = "split"  # SPLF
    CONSOLIDATION = "consolidation"  # SPLR
    MERGER = "merger"  # MRGR, mandatory: other shares, money or both
    RIGHTS_EXERCISE = "rights-exercise"  # EXRI: new shares against payment; what is not exercised lapses
    TAKE_OVER = "take-over"  # TEND: an offer that may be accepted, in whole or pro rata


class FractionRule(StrEnum):
    """What becomes of a part of a share."""

    CASH_IN_LIEU = "cash-in-lieu"  # paid at the event's price
    DROPPED = "dropped"  # nothing, to the benefit of the issuer
    ROUNDED_UP = "rounded-up"  # to the next whole share
    LARGEST_REMAINDER = "largest-remainder"  # whole shares of the nominee's total go to the largest fractions


class CashTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money for each share: declared amount x 10**9, and units of ``currency`` for one declared unit x 10**9.

    A negative amount is what the holder pays (a subscription price).
    """

    currency: int
    amount_e9: int
    rate_e9: int = SCALE_E9


class ShareTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``new`` units of a security for every ``old`` held."""

    security: int
    new: int
    old: int


class EventOption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one share gives under one option; the default option is that of accounts that do not elect."""

    code: str
    cash: tuple[CashTerm, ...] = ()
    shares: tuple[ShareTerm, ...] = ()
    is_default: bool = False


class EventTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Terms of one event as announced.

    Distributions have ``ex_day``, ``record_day`` and ``pay_day``, and ``deadline_day`` when there is a choice.
    Reorganisations have ``ex_day`` only: whatever stands at the end of the day before is converted. Offers have
    ``deadline_day`` and ``pay_day``. ``fraction_price`` is the money for one whole share where fractions are paid.
    ``tax_regime`` names rows of dividend_tax.toml ("": none). ``counterparty`` is the account that takes over what is
    given up and pays (-1: the issuer); at least ``minimum`` shares make a take-over good, at most ``limit`` (0: all)
    are taken.
    """

    reference: str
    kind: EventKind
    security: int
    options: tuple[EventOption, ...]
    ex_day: int = 0
    record_day: int = 0
    deadline_day: int = 0
    pay_day: int = 0
    fractions: FractionRule = FractionRule.DROPPED
    fraction_price: CashTerm | None = None
    tax_regime: str = ""
    counterparty: int = -1
    minimum: int = 0
    limit: int = 0


class AnnounceCorporateAction(msgspec.Struct, frozen=True, tag="announce-corporate-action", forbid_unknown_fields=True):
    """Announce an event, or amend the terms of one of which nothing has been carried out yet."""

    terms: EventTerms


class WithdrawCorporateAction(msgspec.Struct, frozen=True, tag="withdraw-corporate-action", forbid_unknown_fields=True):
    """Withdraw an event of which nothing has been carried out yet; what was elected is free again."""

    reference: str


class ElectOption(msgspec.Struct, frozen=True, tag="elect-option", forbid_unknown_fields=True):
    """Set how many shares of an account take an option (number from 0); 0 takes an election back."""

    reference: str
    account: int
    option: int
    quantity: int


class DeclareTaxStatus(msgspec.Struct, frozen=True, tag="declare-tax-status", forbid_unknown_fields=True):
    """Say as what an account's holder is taxed from now on (a holder of dividend_tax.toml)."""

    account: int
    holder: str


class RunCorporateActions(msgspec.Struct, frozen=True, tag="run-corporate-actions", forbid_unknown_fields=True):
    """Carry out what is due: payments at any time, records, deadlines and conversions once the timetable has run."""


CorporateActionCommand = (
    AnnounceCorporateAction | WithdrawCorporateAction | ElectOption | DeclareTaxStatus | RunCorporateActions
)
