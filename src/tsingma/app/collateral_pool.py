"""Use cases of the pool of collateral: the cheapest allotment from files, the study, and what a house's pool holds."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec

from tsingma.app.session import Session
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.engine.pooling import valuation
from tsingma.margin.pool.selection import PoolSelection, cheapest_pool
from tsingma.margin.pool.statement import CustodianFailure, Statement, fail_custodian, statement
from tsingma.margin.pool.study import Compared, FailureOf, Reuse, compare, fail_each, reuse
from tsingma.margin.resources.collateral import E4, house_rules
from tsingma.messages.default_files import read_assets, read_taker_calls
from tsingma.reference.tables import read_table
from tsingma.simulate.pool import simulate_participants


class PoolStudy(msgspec.Struct, frozen=True, kw_only=True):
    """One pool against separate pools: every participant, every custodian's failure; whole HKD a year."""

    participants: tuple[Compared, ...]
    failures: tuple[FailureOf, ...]
    reuses: tuple[Reuse, ...]
    saving: int
    saving_part: float


def allot(calls: Path, assets: Path, day: date) -> PoolSelection:
    """Return the cheapest allotment that covers all calls; raises Rejected naming file and line."""
    asked = read_taker_calls(calls.read_bytes(), file=str(calls))
    rules = {taker: house_rules(taker, day) for taker in asked}
    return cheapest_pool(asked, read_assets(assets.read_bytes(), file=str(assets)), rules)


def study(seed: int, count: int, day: date, borrowing: float) -> PoolStudy:
    """Return the study of invented participants; ``borrowing`` is what money costs a year (0.035 is 3.5 %)."""
    participants = simulate_participants(seed, count)
    rules = {taker: house_rules(taker, day) for taker in participants[0].calls}
    cost_e4 = round(borrowing * E4)
    onward = {row["house"]: (row["other"], row["part_e4"]) for row in read_table("collateral.toml")["onward"]}
    found = compare(participants, rules, borrowing_e4=cost_e4)
    saving = sum(one.saving for one in found)
    return PoolStudy(
        participants=found,
        failures=fail_each(participants, rules, borrowing_e4=cost_e4),
        reuses=reuse(participants, rules, onward, borrowing_e4=cost_e4),
        saving=saving,
        saving_part=saving / max(sum(one.cost_separate for one in found), 1),
    )


def pool_statement(house: Path | str, participant: str | None) -> Statement:
    """Return the pool of a participant's accounts in a house, or of all; raises Rejected (unknown)."""
    with Session.open(house, read_only=True) as session:
        return statement_of_accounts(session.house, participant)


def statement_of_accounts(books: House, participant: str | None) -> Statement:
    """Return the pool of a participant's accounts in a house that is open, or of all; raises Rejected (unknown)."""
    return statement(books.pool, valuation(books), _accounts(books, participant))


def _accounts(books: House, participant: str | None) -> set[int]:
    accounts = enumerate(books.resolved.book.accounts)
    found = {number for number, account in accounts if participant in (None, account.participant)}
    if not found:
        raise refuse(RejectionReason.UNKNOWN, f"no participant '{participant}'", field="participant")
    return found


def custodian_failure(house: Path | str, custodian: str) -> CustodianFailure:
    """Return what is uncovered in a house when a custodian fails; raises Rejected (unknown) naming those there are."""
    with Session.open(house, read_only=True) as session:
        books = session.house
        names = sorted({listing.custodian for listing in books.pool.listed.values()})
        if custodian not in names:
            remedy = f"one of {', '.join(names)}" if names else "nothing is listed"
            raise refuse(RejectionReason.UNKNOWN, f"no custodian '{custodian}'", field="custodian", remedy=remedy)
        return fail_custodian(books.pool, valuation(books), custodian)


def account_names(house: Path | str) -> list[str]:
    """Return the name of every account of a house, by number."""
    with Session.open(house, read_only=True) as session:
        book = session.house.resolved
        return [book.account_name(number) for number in range(len(book.book.accounts))]
