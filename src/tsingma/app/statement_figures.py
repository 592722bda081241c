"""What statements of participants show, gathered from the books once: for one participant, or for all in one pass.

Every form of a statement is made of these lines: official reports (``app/official_reports.py``) and the CSV files of a
day's end (``app/statements.py``). Lines stand by participant, in the order of the house's reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Protocol, TypeVar

import msgspec
import numpy as np

from tsingma.app.day_figures import participant_margins
from tsingma.app.holding_reads import holdings_of
from tsingma.app.house_margin import HouseMargin
from tsingma.app.house_reads import calls_of, of_participant, positions_of
from tsingma.app.instruction_reads import instruction_state
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.reports.figures import ParticipantMargin
from tsingma.reports.official.books import Addressee
from tsingma.reports.official.holdings import HoldingFigures, HoldingLine
from tsingma.reports.official.margin import CallLine, MarginFigures
from tsingma.reports.official.settlement import InstructionLine, MoneyLine, PositionLine, SettlementFigures


class _OfAccount(Protocol):
    @property
    def account(self) -> str: ...


class SecurityMoney(msgspec.Struct, frozen=True):
    """Net money of an account against one security, cents; receives above zero, pays below."""

    account: str
    security: str
    currency: str
    due: int
    settled: int


Line = TypeVar("Line", bound=_OfAccount)


class StatementFigures:
    """The figures of one participant's statements ("": of everybody's), each kind gathered when it is first asked for.

    ``record`` is that of the journal the house stands at; with ``margin`` margin statements say what it is made of.
    Raises Rejected (unknown) for a participant the book does not have.
    """

    def __init__(self, house: House, record: int, participant: str = "", margin: HouseMargin | None = None) -> None:
        of_participant(house, np.zeros(0, np.int32), participant)
        self.house, self.record, self.participant, self.margins = house, record, participant, margin

    @cached_property
    def positions(self) -> dict[str, list[PositionLine]]:
        """Return net positions on which something was due, is open or held."""
        lines = self.house.settlement.positions
        return by_participant(
            PositionLine(one.account, one.security, one.due, one.settled, one.open, one.on_hold)
            for one in positions_of(self.house, 0, self.participant, 0, lines.account.size).items
            if one.due or one.open or one.on_hold
        )

    @cached_property
    def money(self) -> dict[str, list[SecurityMoney]]:
        """Return money against positions, by account, security and currency."""
        book, lines = self.house.resolved, self.house.settlement.positions
        mine = np.flatnonzero(of_participant(self.house, lines.money_account, self.participant))
        columns = (
            lines.money_account[mine], lines.security[lines.money_line[mine]], lines.money_currency[mine],
            lines.due_cents[mine], lines.settled_cents[mine],
        )  # fmt: skip
        return by_participant(  # the house keeps what is to be paid above zero
            SecurityMoney(book.account_name(account), book.securities[security], CURRENCIES[unit], -due, -settled)
            for account, security, unit, due, settled in zip(*(column.tolist() for column in columns), strict=True)
        )

    @cached_property
    def instructions(self) -> dict[str, list[InstructionLine]]:
        """Return matched instructions, each with the participants on its sides."""
        house, table = self.house, self.house.settlement.instructions.table
        owner = house.resolved.book.accounts
        mine = of_participant(house, table["deliverer"], self.participant)
        mine |= of_participant(house, table["receiver"], self.participant)
        found: dict[str, list[InstructionLine]] = {}
        for number in np.flatnonzero(mine).tolist():
            gives, takes = (owner[int(table[side][number])].participant for side in ("deliverer", "receiver"))
            for code in dict.fromkeys((gives, takes)):
                if self.participant in ("", code):
                    found.setdefault(code, []).append(_instruction(house, number, delivers=code == gives))
        return found

    @cached_property
    def holdings(self) -> dict[str, list[HoldingLine]]:
        """Return what accounts have of each asset."""
        house, book = self.house, self.house.resolved
        counters = dict(zip(book.securities, book.settlement_counter.tolist(), strict=True))
        lines = []
        for one in holdings_of(house, 0, self.participant, 0, house.ledger.balance.size).items:
            counter = counters.get(one.asset, -1)
            lines.append(HoldingLine(
                account=one.account, asset=one.asset, name=one.name, is_cash=counter < 0, balance=one.balance,
                on_hold=one.held, pledged=one.pledged,
                currency="" if counter < 0 else CURRENCIES[int(book.counter_currency[counter])],
                price_e4=None if counter < 0 else int(house.price_e4[counter]) or None,
                value_cents=None if counter < 0 else one.value_cents,
            ))  # fmt: skip
        return by_participant(lines)

    @cached_property
    def calls(self) -> dict[str, list[CallLine]]:
        """Return the last margin calls."""
        found = calls_of(self.house, 0, self.participant, 0, self.house.margin.account.size).items
        return by_participant(CallLine(one.account, one.requirement_cents, one.pledged_cents) for one in found)

    @cached_property
    def parts(self) -> dict[str, list[ParticipantMargin]]:
        """Return what margin is made of; nothing without ``margin``."""
        found: dict[str, list[ParticipantMargin]] = {}
        for one in () if self.margins is None else participant_margins(self.margins, self.house.resolved):
            found.setdefault(one.participant, []).append(one)
        return found

    def settlement_of(self, participant: str) -> SettlementFigures:
        """Return what a settlement statement shows; raises Rejected (unknown)."""
        whose, sums = self.addressee(participant), dict[tuple[str, str], list[int]]()
        for line in self.money.get(participant, ()):
            cell = sums.setdefault((line.account, line.currency), [0, 0])
            cell[0] += line.due
            cell[1] += line.settled
        money = tuple(
            MoneyLine(account, unit, due, settled, due - settled)
            for (account, unit), (due, settled) in sorted(sums.items(), key=self._place)
        )
        return SettlementFigures(
            whose=whose, positions=tuple(self.positions.get(participant, ())), money=money,
            instructions=tuple(self.instructions.get(participant, ())),
        )  # fmt: skip

    def holdings_of(self, participant: str) -> HoldingFigures:
        """Return what a statement of holdings shows; raises Rejected (unknown)."""
        return HoldingFigures(whose=self.addressee(participant), lines=tuple(self.holdings.get(participant, ())))

    def margin_of(self, participant: str) -> MarginFigures:
        """Return what a margin statement shows; raises Rejected (unknown)."""
        return MarginFigures(
            whose=self.addressee(participant), calls=tuple(self.calls.get(participant, ())),
            parts=tuple(self.parts.get(participant, ())),
        )  # fmt: skip

    def addressee(self, participant: str) -> Addressee:
        """Return whom a statement is for and of which record it is made; raises Rejected (unknown)."""
        book, position = self.house.resolved, self.house.position
        index = book.participant_index.get(participant)
        if index is None or self.participant not in ("", participant):
            raise refuse(RejectionReason.UNKNOWN, f"no participant '{participant}'", field="participant")
        entry = book.book.participants[index]
        return Addressee(
            code=entry.code,
            name=entry.name or entry.code,
            lei=entry.lei,
            day=str(to_date(position.day)) if position.day else "",
            is_open=position.is_open,
            record=self.record,
            state_hash=self._state_hash,
        )

    def _place(self, cell: tuple[tuple[str, str], object]) -> tuple[int, int]:
        (account, unit), _ = cell
        return self._account_number[account], CURRENCIES.index(unit)

    @cached_property
    def _account_number(self) -> dict[str, int]:
        book = self.house.resolved
        return {book.account_name(number): number for number in range(len(book.book.accounts))}

    @cached_property
    def _state_hash(self) -> str:
        return self.house.digest().hex()


def by_participant(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """Return lines by the participant of their account, in their order."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.account.partition("/")[0], []).append(line)
    return found


def _instruction(house: House, number: int, *, delivers: bool) -> InstructionLine:
    """Return an instruction from the side of the participant (both sides its own: from that of who delivers)."""
    one = instruction_state(house, number)
    own, other = (one.deliverer, one.receiver) if delivers else (one.receiver, one.deliverer)
    money = one.against in CURRENCIES
    return InstructionLine(
        number=f"I{number}",
        account=own,
        delivers=delivers,
        counterparty=other,
        asset=one.asset,
        quantity=one.quantity,
        currency=one.against if money else "",
        cents=one.against_amount if money else 0,
        intended=one.intended_date,
        status=one.status,
        reason="" if one.status in ("settled", "cancelled") else one.reason,
    )
