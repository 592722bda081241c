"""The default fund in the books, and the waterfall through it.

A contribution is money of an account that is pledged to the fund of a house, like margin; the account of the house
holds the house's own part. The waterfall decides who bears a loss (``margin.resources.waterfall``); this module sees to
it that it is borne in the ledger: each layer is one linked chain of postings to the central counterparty, which paid
the loss out before. A client account's collateral bears that account's losses alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import unpack
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.clearing.default_book import Borne, Case, DefaultStatus
from tsingma.clearing.derivatives import SERIES_MAX
from tsingma.engine.closing_out import SECURITIES, SWAPS, pool_part, take_from_pool
from tsingma.engine.default_sums import HKD, available, bank_postings, declared, hkd_of, require_fund, require_rate
from tsingma.engine.defaulting import TABLE, accounts_of, open_positions, owed_for_contracts
from tsingma.engine.house import Handlers, House
from tsingma.engine.pooling import AMOUNT_MAX
from tsingma.engine.resources import require_account
from tsingma.journal.default_commands import BookWaterfall, CallFund, CollectAssessments
from tsingma.journal.default_events import AssessmentsCollected, FundCalled, WaterfallBooked
from tsingma.margin.resources.waterfall import Layer, LayerKind, Resources, waterfall
from tsingma.reference.book import ACCOUNT_CLASSES, AccountClass
from tsingma.reference.tables import read_table, row_on

Int64 = npt.NDArray[np.int64]

E4 = 10_000
THE_HOUSE = "house"
_OWN_CLASS = ACCOUNT_CLASSES.index(AccountClass.HOUSE)


@dataclass(frozen=True, slots=True)
class _Take:
    """Money of a defaulter's account that bears a loss of one of its accounts: margin, pool or what is free."""

    account: int
    source: str
    cents: int
    bears: int


def call_fund(house: House, command: CallFund) -> FundCalled:
    """Set what accounts contribute and pledge it as far as it is there; raises Rejected, whole, for a bad item."""
    require_fund(command.fund)
    account = unpack(command.account, "i4", field="account").astype(np.int64)
    required = unpack(command.required_cents, "i8", field="required_cents").astype(np.int64)
    if account.size != required.size or np.unique(account).size != account.size:
        raise refuse(
            RejectionReason.MALFORMED, "columns differ in length, or an account is called twice", field="account"
        )
    pairs = list(zip(account.tolist(), required.tolist(), strict=True))
    for number, cents in pairs:
        require_account(house, number, "account")
        if int(house.resolved.account_participant[number]) in house.defaults.barred:
            raise refuse(RejectionReason.SUSPENDED, "no fund calls who is barred", field="account", subject=str(number))
        if not 0 <= cents <= AMOUNT_MAX:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"a contribution of {cents} cents", field="required_cents")
        if cents < house.defaults.pledged.get((command.fund, number), 0):
            _require_no_need(house, command.fund, number)
    pledged = 0
    for number, cents in pairs:
        pledged += _pledge_to_fund(house, command.fund, number, cents)
    return FundCalled(command.fund, len(pairs), sum(cents for _, cents in pairs), pledged)


def _require_no_need(house: House, fund: str, account: int) -> None:
    """Refuse to give back what an open default may still need: its waterfall through the fund is not booked."""
    for case in house.defaults.cases.values():
        if case.status is DefaultStatus.DECLARED and fund not in case.booked:
            raise refuse(
                RejectionReason.NOT_ALLOWED, f"default {case.number} may need what is in the fund",
                field="required_cents", subject=house.resolved.account_name(account),
                remedy="book its waterfall, or close it, first",
            )  # fmt: skip


def _pledge_to_fund(house: House, fund: str, account: int, required: int) -> int:
    """Pledge more, or give back what is above the requirement; returns what is pledged then."""
    book, has = house.defaults, house.defaults.pledged.get((fund, account), 0)
    wanted = min(required, has + available(house, account, HKD))
    row = house.ledger.row(account, HKD)
    change = np.array([abs(wanted - has)], np.int64)
    if wanted != has:
        move = house.ledger.pledge if wanted > has else house.ledger.unpledge
        if move(np.array([row]), change).any():
            raise InvariantBroken("a contribution is not pledged in the books as the fund has it")
    for table, cents in ((book.required, required), (book.pledged, wanted)):
        if cents:
            table[fund, account] = cents
        else:
            table.pop((fund, account), None)
    return wanted


def book_waterfall(house: House, command: BookWaterfall) -> WaterfallBooked:
    """Let a house's layers bear what a default lost there, once, when nothing of it is open.

    Raises Rejected: unknown (default, fund), not-allowed (booked already, something is open), missing (a rate),
    beyond-horizon (no rule).
    """
    case = declared(house, command.default)
    require_fund(command.fund)
    if command.fund in case.booked:
        raise refuse(RejectionReason.NOT_ALLOWED, "its waterfall is booked", field="fund", subject=str(case.number))
    _require_closed_out(house, case, command.fund)
    row = rules_of_fund(house, command.fund)
    for (_, _, _, unit), _ in house.defaults.owed_by(case.number, command.fund):
        require_rate(house, unit)
    for unit in range(len(CURRENCIES)):
        if owed_for_contracts(house, accounts_of(house, case.participant), unit):
            require_rate(house, unit)
    _absorb_derivatives(house, case, command.fund)
    _change_into_hkd(house, case, command.fund)
    _set_off(house, case, command.fund)
    takes = _collateral(house, case, command.fund)
    losses = sum(cents for _, cents in _losses(house, case, command.fund))
    code = _code(house, case.participant)
    resources = _resources(house, case, command.fund, sum(take.cents for take in takes), row)
    borne = waterfall({code: losses}, resources, [LayerKind(name) for name in row["order"]])
    for layer in borne.layers:
        _bear(house, case, command.fund, layer, takes)
    house.defaults.put(msgspec.structs.replace(case, booked=(*case.booked, command.fund)))
    house.defaults.check()
    open_cents = sum(cents for key, cents in house.defaults.assessed.items() if key[:2] == (case.number, command.fund))
    left = sum(cents for _, cents in _losses(house, case, command.fund))
    layers = tuple((str(layer.kind), layer.available, layer.used) for layer in borne.layers)
    return WaterfallBooked(case.number, command.fund, losses, layers, open_cents, left - open_cents)


def collect_assessments(house: House, command: CollectAssessments) -> AssessmentsCollected:
    """Take assessments that are owed from who has the money now; raises Rejected (unknown, not-allowed)."""
    case, paid = declared(house, command.default), 0
    for (number, fund, account), cents in sorted(house.defaults.assessed.items()):
        taken = min(cents, available(house, account, HKD)) if number == case.number else 0
        if taken:
            _assessment(house, case, fund, account, taken, cents)
            paid += taken
    left = sum(cents for key, cents in house.defaults.assessed.items() if key[0] == case.number)
    return AssessmentsCollected(case.number, paid, left)


def rules_of_fund(house: House, fund: str) -> dict[str, Any]:
    """Return the row of a house's waterfall on the open day; raises Rejected (beyond-horizon)."""
    rows = [one for one in read_table(TABLE)["waterfall"] if one["house"] == fund]
    return row_on(rows, to_date(house.position.day), table=f"{TABLE}: waterfall of {fund}")


def _accounts(house: House, case: Case) -> list[int]:
    return [int(account) for account in accounts_of(house, case.participant)]


def _code(house: House, participant: int) -> str:
    return house.resolved.book.participants[participant].code


def _require_closed_out(house: House, case: Case, fund: str) -> None:
    lines, _ = open_positions(house, case.participant)
    book, mine = house.derivatives, _accounts(house, case)
    held = np.isin(book.key // SERIES_MAX, mine)
    series = [number for number in (book.key[held] % SERIES_MAX).tolist() if book.series[number].house == fund]
    if fund == SWAPS:
        series = [key % SERIES_MAX for key in house.swaps.positions if key // SERIES_MAX in mine]
    if (lines and fund == SECURITIES) or series:
        found = f"{lines} lines" if fund == SECURITIES else f"{len(series)} positions in series"
        raise refuse(
            RejectionReason.NOT_ALLOWED, f"{found} are open", field="default", subject=str(case.number),
            remedy="close out or port what is open; series move their money at the next mark",
        )  # fmt: skip


def _absorb_derivatives(house: House, case: Case, fund: str) -> None:
    """Move what the defaulter owes for contracts to its case: of HKCC and SEOCH, each what it closed out for."""
    if fund == SECURITIES:
        return
    book, defaults = house.swaps if fund == SWAPS else house.derivatives, house.defaults
    others = [one for one in ("HKCC", "SEOCH") if one != fund and one not in case.booked and fund != SWAPS]
    cost = {one: max(defaults.traded.get((case.number, one), 0), 0) for one in (fund, *others)}
    whole = sum(cost.values())
    for unit in range(len(CURRENCIES)):
        owed = dict(book.owed_in(unit))
        for account in _accounts(house, case):
            cents = owed.pop(account, 0)
            part = cents if not whole else cents * cost[fund] // whole
            if part:
                defaults.owe(case.number, fund, account, unit, part)
            if cents - part:
                owed[account] = cents - part
        book.owe(unit, owed)


def _change_into_hkd(house: House, case: Case, fund: str) -> None:
    """Change what is owed in other monies into HKD with the settlement bank, at the rates of the house."""
    central, bank = house.internal.cns, house.internal.bank
    for (_, _, account, unit), cents in list(house.defaults.owed_by(case.number, fund)):
        if unit == HKD:
            continue
        hkd = hkd_of(house, unit, cents)
        out, back = (central, bank) if cents > 0 else (bank, central)
        moves = [(back, out, unit, abs(cents))]
        moves += [(out, back, HKD, abs(hkd))] if hkd else []
        bank_postings(house, moves)
        house.defaults.owe(case.number, fund, account, unit, -cents)
        house.defaults.owe(case.number, fund, account, HKD, hkd)


def _set_off(house: House, case: Case, fund: str) -> None:
    """Set a gain of the participant's own accounts off against losses of its others; clients' gains stay theirs."""
    owed = {account: cents for (_, _, account, _), cents in house.defaults.owed_by(case.number, fund)}
    for giver in [account for account, cents in owed.items() if cents < 0 and _is_own(house, account)]:
        for taker in sorted(owed):
            cents = min(-owed[giver], max(owed[taker], 0))
            if cents:
                for account, change in ((giver, cents), (taker, -cents)):
                    owed[account] += change
                    house.defaults.owe(case.number, fund, account, HKD, change)


def _is_own(house: House, account: int) -> bool:
    return int(house.resolved.account_class[account]) == _OWN_CLASS


def _losses(house: House, case: Case, fund: str) -> list[tuple[int, int]]:
    """Return what accounts of a defaulter owe to a fund, (account, HKD cents), in order; gains are left out."""
    owed = house.defaults.owed_by(case.number, fund)
    return [(account, cents) for (_, _, account, unit), cents in owed if unit == HKD and cents > 0]


def _collateral(house: House, case: Case, fund: str) -> list[_Take]:
    """Return what the defaulter's own money bears: each account its own losses, then its own account the clients'."""
    rule = row_on(read_table(TABLE)["collateral"], to_date(house.position.day), table=f"{TABLE}: collateral")
    purses = {
        account: {"margin": _margin(house, account), "pool": pool_part(house, account, HKD, fund),
                  "free": available(house, account, HKD)}
        for account in _accounts(house, case)
    }  # fmt: skip
    there = {account: {source: has[source] for source in rule["sources"]} for account, has in purses.items()}
    left, takes = dict(_losses(house, case, fund)), []
    own = [account for account in there if _is_own(house, account)]
    for bearer, bears in [*((one, one) for one in left), *((one, other) for one in own for other in left)]:
        for source, cents in there[bearer].items():
            taken = min(cents, left[bears])
            if taken:
                there[bearer][source] -= taken
                left[bears] -= taken
                takes.append(_Take(bearer, source, taken, bears))
    return takes


def _margin(house: House, account: int) -> int:
    return int(house.margin.pledged_cents[house.margin.account == account].sum())


def _resources(house: House, case: Case, fund: str, collateral: int, row: dict[str, Any]) -> Resources:
    """Return what the layers have: contributions by participant, of the defaulter and of who is not barred."""
    own, by_code = _code(house, case.participant), {_code(house, case.participant): 0}
    part = 0
    for account, cents in house.defaults.contributed(fund).items():
        participant = int(house.resolved.account_participant[account])
        if account == house.internal.house:
            part += cents
        elif participant == case.participant or participant not in house.defaults.barred:
            code = _code(house, participant)
            by_code[code] = by_code.get(code, 0) + cents
    return Resources(
        collateral={own: collateral}, contributions=by_code, house_part=part,
        assessment_e4=int(row["assessment"] * E4),
    )  # fmt: skip


def _bear(house: House, case: Case, fund: str, layer: Layer, takes: list[_Take]) -> None:
    """Book one layer and keep what it bore; an assessment that is not paid stays owed."""
    kind, borne = layer.kind, {name: cents for name, cents in layer.borne_by.items() if cents}
    if kind is LayerKind.DEFAULTER_COLLATERAL:
        _take_collateral(house, case, fund, takes)
    elif kind is LayerKind.ASSESSMENTS:
        for code, cents in borne.items():
            _assess(house, case, fund, code, cents)
    else:
        _take_contributions(house, case, fund, borne)
    if layer.used:
        house.defaults.borne.append(Borne(case.number, fund, str(kind), layer.available, layer.used, borne))


def _take_collateral(house: House, case: Case, fund: str, takes: list[_Take]) -> None:
    for take in takes:
        if take.source == "margin":
            _unpledge(house, take.account, take.cents)
            house.margin.pledged_cents = np.where(
                house.margin.account == take.account, house.margin.pledged_cents - take.cents,
                house.margin.pledged_cents,
            )  # fmt: skip
        elif take.source == "pool":
            take_from_pool(house, take.account, HKD, fund, take.cents)
    bank_postings(house, [(take.account, house.internal.cns, HKD, take.cents) for take in takes])
    for take in takes:
        house.defaults.owe(case.number, fund, take.bears, HKD, -take.cents)


def _take_contributions(house: House, case: Case, fund: str, borne: dict[str, int]) -> None:
    """Take contributions of who bears, account by account in order, as one linked chain."""
    moves = []
    for code, cents in borne.items():
        left = cents
        for account, has in house.defaults.contributed(fund).items():
            theirs = account == house.internal.house if code == THE_HOUSE else _belongs(house, account, code)
            taken = min(left, has) if theirs else 0
            if taken:
                _unpledge(house, account, taken)
                house.defaults.take_contribution(fund, account, taken)
                moves.append((account, house.internal.cns, HKD, taken))
                left -= taken
        if left:
            raise InvariantBroken(f"{code} bears {cents} cents and has not contributed them to {fund}")
    bank_postings(house, moves)
    _relieve(house, case, fund, sum(borne.values()))


def _belongs(house: House, account: int, code: str) -> bool:
    return account != house.internal.house and _code(house, int(house.resolved.account_participant[account])) == code


def _assess(house: House, case: Case, fund: str, code: str, cents: int) -> None:
    """Assess a survivor, at the account of its first contribution: what it has is taken, the rest stays owed."""
    account = next(one for one in house.defaults.contributors(fund) if _belongs(house, one, code))
    house.defaults.assessed[case.number, fund, account] = cents
    taken = min(cents, available(house, account, HKD))
    if taken:
        _assessment(house, case, fund, account, taken, cents)


def _assessment(house: House, case: Case, fund: str, account: int, taken: int, owed: int) -> None:
    bank_postings(house, [(account, house.internal.cns, HKD, taken)])
    _relieve(house, case, fund, taken)
    if taken == owed:
        del house.defaults.assessed[case.number, fund, account]
    else:
        house.defaults.assessed[case.number, fund, account] = owed - taken


def _relieve(house: House, case: Case, fund: str, cents: int) -> None:
    """Take what a mutual layer bore off the losses, in order of account."""
    for account, loss in _losses(house, case, fund):
        part = min(loss, cents)
        house.defaults.owe(case.number, fund, account, HKD, -part)
        cents -= part
    if cents:
        raise InvariantBroken(f"layers bore {cents} cents more than was lost")


def _unpledge(house: House, account: int, cents: int) -> None:
    row = np.array([house.ledger.find(account, HKD)])
    if house.ledger.unpledge(row, np.array([cents], np.int64)).any():
        raise InvariantBroken("margin or a contribution is not pledged where it was")


HANDLERS: Handlers = {
    CallFund: call_fund,
    BookWaterfall: book_waterfall,
    CollectAssessments: collect_assessments,
}
