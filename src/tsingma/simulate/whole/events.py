"""Draws of corporate actions: announced, amended, elected on, taxed, carried out, withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tsingma.custody.events.book import CorporateAction, EventStatus
from tsingma.custody.events.terms import OFFERS
from tsingma.engine.corporate_actions import due_step
from tsingma.engine.house import House
from tsingma.journal.commands import Command
from tsingma.journal.corporate_action_commands import (
    AnnounceCorporateAction,
    CashTerm,
    DeclareTaxStatus,
    ElectOption,
    EventKind,
    EventOption,
    EventTerms,
    FractionRule,
    RunCorporateActions,
    ShareTerm,
    WithdrawCorporateAction,
)
from tsingma.settlement.timetable import timetable
from tsingma.simulate.whole.draws import CNY, HKD, Draws, Make

E9 = 10**9
HOLDERS = ("standard", "southbound-individual", "southbound-enterprise")


class EventDraws(Draws):
    """Events on shares, the fund of shares and the rights."""

    def makers(self) -> Sequence[Make]:
        """Return the draws of corporate actions."""
        return (
            self.announce, self.announce, self.announce, self.withdraw, self.elect, self.elect, self.elect, self.tax,
            self.run, self.run,
        )  # fmt: skip

    def chores(self, house: House) -> list[Command]:
        """Return what must be done about events before the day can close: carry out, or withdraw what is blocked."""
        if len(house.position.steps_run) < len(timetable()):
            return []
        due = [one for one in house.corporate_actions.live() if due_step(house, one) is not None]
        if not due:
            return []
        withdrawn: list[Command] = [WithdrawCorporateAction(one.terms.reference) for one in due
                                    if one.status is EventStatus.ANNOUNCED]  # fmt: skip
        return [RunCorporateActions(), *withdrawn]

    def announce(self, house: House) -> Command | None:
        """Announce an event, now and then new terms of one that is announced."""
        makers = (self._dividend, self._dividend, self._shares, self._reorganisation, self._offer)
        known = [name for name, one in house.corporate_actions.events.items() if one.status is EventStatus.ANNOUNCED]
        if known and self.happens(0.2):
            before = house.corporate_actions.events[self.pick(known)].terms
            return AnnounceCorporateAction(before)
        return AnnounceCorporateAction(self.pick(makers)(house, f"EV-{self.fresh()}"))

    def _dates(self, house: House, *, choice: bool) -> dict[str, Any]:
        ahead = self.number(0, 2)
        record = self.later(house, ahead) if ahead else house.position.day
        days: dict[str, Any] = {
            "ex_day": record,
            "record_day": record,
            "pay_day": self.later(house, ahead + (2 if choice else 1)),
        }
        return {**days, "deadline_day": self.later(house, ahead + 1)} if choice else days

    def _share(self, house: House) -> int:
        return self.security(house, self.pick(("00001", "00001", "NEW", "600001")))

    def _dividend(self, house: House, name: str) -> EventTerms:
        security, choice = self._share(house), self.happens(0.5)
        cash = EventOption("CASH", cash=(CashTerm(HKD, self.number(1, 3 * E9)),), is_default=choice)
        other = EventOption("CASH", cash=(CashTerm(CNY, self.number(1, 3 * E9), 920_000_000),))
        scrip = EventOption("SECU", shares=(ShareTerm(security, 1, self.number(2, 40)),))
        is_scrip = choice and self.happens(0.5)
        in_lieu = {"fractions": FractionRule.CASH_IN_LIEU, "fraction_price": CashTerm(HKD, 30 * E9)}
        rest: dict[str, Any] = in_lieu if is_scrip else {}
        options = (cash, scrip if is_scrip else other) if choice else (cash,)
        kind = EventKind.SCRIP_DIVIDEND if is_scrip else EventKind.CASH_DIVIDEND
        regime = self.pick(("", "", "h-share", "red-chip"))
        return EventTerms(
            reference=name, kind=kind, security=security, options=options, tax_regime=regime,
            **self._dates(house, choice=choice), **rest,
        )  # fmt: skip

    def _shares(self, house: House, name: str) -> EventTerms:
        security = self.security(house, "00001")
        kind = self.pick((EventKind.BONUS_ISSUE, EventKind.RIGHTS_ISSUE, EventKind.SPIN_OFF))
        given = {EventKind.BONUS_ISSUE: "00001", EventKind.RIGHTS_ISSUE: "RTS", EventKind.SPIN_OFF: "NEW"}[kind]
        term = ShareTerm(self.security(house, given), 1, self.number(2, 30))
        rule = self.pick((FractionRule.DROPPED, FractionRule.ROUNDED_UP, FractionRule.LARGEST_REMAINDER))
        return EventTerms(
            reference=name, kind=kind, security=security, options=(EventOption("SECU", shares=(term,)),),
            fractions=rule, **self._dates(house, choice=False),
        )  # fmt: skip

    def _reorganisation(self, house: House, name: str) -> EventTerms:
        security = self.security(house, "02800")
        kind, old, new = self.pick(((EventKind.SPLIT, 1, 2), (EventKind.CONSOLIDATION, 5, 1), (EventKind.MERGER, 2, 1)))
        given = self.security(house, "NEW") if kind is EventKind.MERGER else security
        option = EventOption("SECU", shares=(ShareTerm(given, new, old),))
        return EventTerms(
            reference=name, kind=kind, security=security, options=(option,), ex_day=self.later(house, self.number(1, 3))
        )

    def _offer(self, house: House, name: str) -> EventTerms:
        deadline = self.pick((house.position.day, self.later(house)))
        days: dict[str, Any] = {"deadline_day": deadline, "pay_day": self.later(house, 2)}
        if self.happens(0.5):
            shares = (ShareTerm(self.security(house, "00001"), 1, 1),)
            option = EventOption("SECU", shares=shares, cash=(CashTerm(HKD, -20 * E9),))
            return EventTerms(reference=name, kind=EventKind.RIGHTS_EXERCISE, security=self.security(house, "RTS"),
                              options=(option,), **days)  # fmt: skip
        option = EventOption("CASH", cash=(CashTerm(HKD, self.number(1, 20) * E9),))
        offeror = self.firm() if self.happens(0.5) else -1
        return EventTerms(
            reference=name, kind=EventKind.TAKE_OVER, security=self.security(house, "NEW"), options=(option,),
            counterparty=offeror, minimum=self.number(0, 200), limit=self.pick((0, 10**6)), **days,
        )  # fmt: skip

    def _choices(self, house: House) -> list[CorporateAction]:
        return [
            one
            for one in house.corporate_actions.live()
            if one.terms.deadline_day >= house.position.day
            and one.status is (EventStatus.ANNOUNCED if one.terms.kind in OFFERS else EventStatus.ENTITLED)
        ]

    def elect(self, house: House) -> Command | None:
        """Elect on an open choice, or take it back."""
        choices = self._choices(house)
        if not choices:
            return None
        one = self.pick(choices)
        accounts = [row.account for row in one.entitled] or [
            account for account, _, _ in self.rich(house, [one.terms.security + 4])
        ]
        account = self.pick(accounts) if accounts else self.firm()
        most = {row.account: row.total for row in one.entitled}.get(account, 300)
        quantity = 0 if self.happens(0.1) else self.amount(max(most, 1))
        return ElectOption(one.terms.reference, account, self.number(0, len(one.terms.options)), quantity)

    def withdraw(self, house: House) -> Command | None:
        """Withdraw an event of which nothing was done."""
        known = [one.terms.reference for one in house.corporate_actions.live()]
        return WithdrawCorporateAction(self.pick(known)) if known and self.happens(0.3) else None

    def tax(self, house: House) -> Command | None:
        """Say how a holder is taxed."""
        return DeclareTaxStatus(self.firm(), self.pick(HOLDERS)) if self.happens(0.5) else None

    def run(self, house: House) -> Command | None:
        """Carry out what is due."""
        return RunCorporateActions() if house.corporate_actions.events else None
