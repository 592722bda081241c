"""Custody of a house, in words: who holds what where, what is issued, what falls due; and a file of commands sent."""

from __future__ import annotations

import hashlib
from datetime import date
from functools import partial
from pathlib import Path

import msgspec

from tsingma.app.session import Session
from tsingma.basics.dates import to_date, to_day
from tsingma.basics.money import CURRENCIES, MINOR_SCALE, PRICE_SCALE, Amount
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.custody.bond_futures import FACTOR_ONE_E4, bond_future, cheapest, delivery, factor_of
from tsingma.custody.dues import Due, next_due
from tsingma.engine.custody_values import value_of
from tsingma.engine.house import House
from tsingma.journal.commands import Command
from tsingma.messages.custody_file import read_custody_commands

CENTS_OF_FACE = 10_000  # a hundred of face
E7 = 10_000_000


class Held(msgspec.Struct, frozen=True):
    """One line of a statement of holdings."""

    depository: str
    account: str
    isin: str
    units: int
    on_hold: int
    pledged: int


class Issued(msgspec.Struct, frozen=True):
    """One registered security: what is outstanding, what accounts hold, what it promises."""

    isin: str
    product: str
    depository: str
    payer: str
    issued: int
    held: int
    coupon: str
    maturity: str
    status: str


class Raised(msgspec.Struct, frozen=True):
    """What one project got of the proceeds of a green security; the last line of a security is what is left."""

    isin: str
    purpose: str
    project: str
    day: str
    amount: str
    cents: int


class Falling(msgspec.Struct, frozen=True):
    """One due: what is or will be paid to whom held on record; ``cents`` 0 while the holders are not known."""

    number: str
    kind: str
    isin: str
    record: str
    payment: str
    status: str
    holders: int
    amount: str
    cents: int


class Deliverable(msgspec.Struct, frozen=True):
    """One way to deliver into a bond future, per 100 of face; implied repo rate a year."""

    isin: str
    factor: str
    invoice: str
    gross_basis: str
    net_basis: str
    implied_repo: str
    cheapest: bool


class Sent(msgspec.Struct, frozen=True):
    """What became of a file of commands: how many were carried out, and the state hash after them."""

    commands: int
    events: tuple[dict[str, object], ...]
    state_hash: str


def holdings(house: Path | str, depository: str = "", participant: str = "") -> list[Held]:
    """Return the statement of holdings of registered securities; raises Rejected (unknown) for a participant."""
    with Session.open(house, read_only=True) as session:
        state = session.house
        custody, book = state.custody, state.resolved
        index = _participant(state, participant)
        return [
            Held(
                line.depository,
                book.account_name(line.account),
                book.asset_name(line.asset),
                line.units,
                line.on_hold,
                line.pledged,
            )
            for line in custody.holdings.statement(custody.register, state.ledger, depository)
            if index is None or int(book.account_participant[line.account]) == index
        ]


def issues(house: Path | str) -> list[Issued]:
    """Return every registered security with what is issued and what is held."""
    with Session.open(house, read_only=True) as session:
        state = session.house
        register = state.custody.register
        held = dict.fromkeys(register.issues, 0)
        for line in state.custody.holdings.statement(register, state.ledger):
            held[line.asset] += line.units
        return [
            Issued(
                isin=issue.terms.isin,
                product=issue.terms.product,
                depository=issue.terms.depository,
                payer=state.resolved.account_name(issue.terms.payer),
                issued=issue.issued,
                held=held[asset],
                coupon=_percent(issue.terms.coupon_e9) if issue.terms.coupon_e9 else "",
                maturity=str(to_date(issue.terms.maturity_day)) if issue.terms.maturity_day else "",
                status="redeemed" if issue.redeemed else "outstanding",
            )
            for asset, issue in sorted(register.issues.items())
        ]


def dues(house: Path | str, *, every: bool = False) -> list[Falling]:
    """Return what is announced, recorded or owed, and what schedules make due next; ``every`` adds what is paid."""
    with Session.open(house, read_only=True) as session:
        state = session.house
        custody = state.custody
        rows = [
            _falling(state, str(number), due)
            for number, due in enumerate(custody.dues.rows)
            if every or due.status != "paid"
        ]
        for asset, issue in sorted(custody.register.issues.items()):
            coming = next_due(asset, issue)
            if coming is not None:
                rows.append(_falling(state, "-", coming))
        return sorted(rows, key=lambda row: (row.payment, row.isin))


def proceeds(house: Path | str) -> list[Raised]:
    """Return the use of proceeds of every green security: project by project, then what is not yet allocated."""
    with Session.open(house, read_only=True) as session:
        custody, rows = session.house.custody, []
        for asset in sorted(custody.proceeds.raised):
            terms = custody.register.of(asset).terms
            lines = [(use.project, str(to_date(use.day)), use.cents) for use in custody.proceeds.uses.get(asset, ())]
            for project, day, cents in [*lines, ("(not allocated)", "", custody.proceeds.left(asset))]:
                amount = str(Amount(cents, terms.currency))
                rows.append(Raised(terms.isin, terms.purpose, project, day, amount, cents))
        return rows


def deliverable(
    house: Path | str, contract: str, delivery_day: date, futures_e4: int, financing_e9: int
) -> list[Deliverable]:
    """Return the registered bonds that may be delivered into a future, cheapest first, at the house's closing prices.

    ``futures_e4`` is the futures price per 100 of face, ``financing_e9`` the rate the carry is financed at. Bought on
    the house's day, delivered on ``delivery_day``. Raises Rejected (unknown, missing, out-of-range).
    """
    with Session.open(house, read_only=True) as session:
        state = session.house
        future, month = bond_future(contract, delivery_day), delivery_day.replace(day=1)
        ways = []
        for asset, issue in sorted(state.custody.register.issues.items()):
            price = value_of(state, asset, 1, CURRENCIES.index(issue.terms.currency))
            try:
                factor = factor_of(issue.terms, future, month)
            except Rejected:
                continue
            if issue.redeemed or price is None:
                continue
            clean_e4 = price * PRICE_SCALE * CENTS_OF_FACE // issue.terms.face_cents // MINOR_SCALE
            days = state.position.day, to_day(delivery_day)
            ways.append(delivery(issue.terms, factor, futures_e4, clean_e4, *days, financing_e9))
        first = cheapest(ways)
        rows = sorted(ways, key=lambda way: (-way.implied_repo_e9, way.isin))
        return [
            Deliverable(
                way.isin,
                f"{way.factor_e4 / FACTOR_ONE_E4:.4f}",
                f"{way.invoice_e7 / E7:.7f}",
                f"{way.gross_basis_e7 / E7:.4f}",
                f"{way.net_basis_e7 / E7:.4f}",
                f"{way.implied_repo_e9 / E7:.4f} %",
                cheapest=way is first,
            )
            for way in rows
        ]


def send(house: Path | str, path: Path) -> Sent:
    """Carry out a file of custody commands (``docs/custody.md``), one after the other; sent twice, it is done once.

    Raises Rejected with line and field for a file that cannot be read, and where the house refuses a command; what came
    before it is done.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    events: list[dict[str, object]] = []
    with Session.open(house) as session:
        state = session.house
        commands = read_custody_commands(path, state.resolved if state.book else None)
        for line, command in commands:
            answer = session.once(f"custody/{digest}/{line}", partial(_itself, command))
            events.extend(msgspec.to_builtins(event) for event in answer.events)
        return Sent(len(commands), tuple(events), session.house.digest().hex())


def _itself(command: Command) -> Command:
    return command


def _falling(state: House, number: str, due: Due) -> Falling:
    terms = state.custody.register.of(due.asset).terms
    cents = due.paid_cents or sum(due.money(units) for _, units in due.holders)
    return Falling(
        number=number,
        kind=due.kind,
        isin=terms.isin,
        record=str(to_date(due.record_day)),
        payment=str(to_date(due.payment_day)),
        status="scheduled" if number == "-" else due.status + (", not paid in time" if due.excused else ""),
        holders=len(due.holders),
        amount=str(Amount(cents, terms.currency)) if due.holders else "",
        cents=cents,
    )


def _participant(state: House, code: str) -> int | None:
    if not code:
        return None
    index = state.resolved.participant_index.get(code)
    if index is None:
        raise refuse(RejectionReason.UNKNOWN, f"no participant '{code}'", field="participant")
    return index


def _percent(rate_e9: int) -> str:
    whole, part = divmod(rate_e9, 10_000_000)
    return f"{whole}.{part:07d}".rstrip("0").rstrip(".") + " %"
