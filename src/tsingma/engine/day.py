"""Commands of the business day: open it, run its timetable, fix prices, close and prove it."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import unpack
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.engine import corporate_actions, pool, settling
from tsingma.engine.custody import close_custody, open_custody, require_custody_done
from tsingma.engine.cycle import is_settlement_day, paying_markets, settlement_day_before
from tsingma.engine.house import FX_UNIT_E6, Handlers, House, Position
from tsingma.engine.links import close_links, follow
from tsingma.engine.payments import close_payments
from tsingma.engine.swaps import CHECKED as SWAPS_CHECKED
from tsingma.journal.commands import CloseDay, OpenDay, RunStep, SetClosingPrices
from tsingma.journal.events import DayClosed, DayOpened, PricesSet, StepRun
from tsingma.settlement.cns import batch_run
from tsingma.settlement.fails import FailedDelivery, failed_deliveries
from tsingma.settlement.money import settle_money
from tsingma.settlement.timetable import StepKind, TimetableStep, step_named, timetable

Int64 = npt.NDArray[np.int64]

CHECKED = (
    "the sum over all accounts is zero, per asset",
    "no account is below its floor; holds and pledges are not available",
    "the central counterparty holds no stock, and its money is what its members still owe it",
    "stock on hold in the books is what settlement holds for unpaid money or reserves",
    "due = settled + open, in number and in amount",
    "instructions submitted = open + settled + cancelled",
    "longs and shorts of every futures and options series cancel",
)
POOL_CHECKED = (
    "what the pool of collateral holds is pledged in the books, and no more of it is allotted or reused than that",
)


def open_day(house: House, command: OpenDay) -> DayOpened:
    """Move the business clock to a settlement day; today's due positions meet yesterday's fails."""
    position = house.position
    if house.book is None:
        raise refuse(RejectionReason.MISSING, "no reference book is loaded", remedy="load one first")
    if position.is_open:
        raise refuse(RejectionReason.NOT_ALLOWED, f"{to_date(position.day)} is still open", remedy="close it first")
    if command.day <= position.day:
        raise refuse(RejectionReason.NOT_ALLOWED, f"{to_date(command.day)} is over", field="day")
    if not is_settlement_day(to_date(command.day)):
        raise refuse(RejectionReason.NOT_ALLOWED, f"{to_date(command.day)} is no settlement day in Hong Kong")
    overdue = [day for day in house.obligations.days if day < command.day]
    if overdue:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"positions are due on {to_date(overdue[0])}, which was never opened",
            field="day",
            remedy="open every settlement day in turn",
        )
    open_custody(house, command.day)
    house.position = Position(command.day, is_open=True)
    house.settlement.clock_s = 0
    house.settlement.credit_lines.begin_day(house.ledger)
    if house.money.used:
        house.money.begin_day(house.ledger, command.day)
    rolled = int((house.settlement.positions.open != 0).sum())
    return DayOpened(command.day, _take_due(house, command.day, same_day=False), rolled)


def _take_due(house: House, day: int, *, same_day: bool) -> int:
    """Hand the obligations of a day to settlement; returns how many positions it took."""
    due, book = house.obligations.due(day), house.resolved
    house.obligations.drop(day)
    house.settlement.positions.begin_day(
        day,
        due.account,
        book.counter_security[due.counter],
        book.counter_currency[due.counter].astype(np.int32),
        book.counter_market[due.counter].astype(np.int32),
        due.quantity,
        due.amount_cents,
        roll=not same_day,
    )
    return len(due)


def set_closing_prices(house: House, command: SetClosingPrices) -> PricesSet:
    """Fix closing prices and conversion rates; refused whole when one is not positive or names nothing."""
    counter = unpack(command.counter, "i4", field="counter").astype(np.int64)
    price = unpack(command.price_e4, "i8", field="price_e4").astype(np.int64)
    if counter.size != price.size or np.unique(counter).size != counter.size:
        raise refuse(
            RejectionReason.MALFORMED, "columns differ in length, or a counter is priced twice", field="counter"
        )
    outside = np.flatnonzero((counter < 0) | (counter >= house.resolved.counter_security.size) | (price <= 0))
    if outside.size:
        place = int(outside[0])
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"item {place + 1}: counter {int(counter[place])}, price {int(price[place])} ten-thousandths",
            field="price_e4",
        )
    if len(command.fx_e6) != len(CURRENCIES) or min(command.fx_e6) <= 0 or command.fx_e6[0] != FX_UNIT_E6:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"{command.fx_e6} are no conversion rates",
            field="fx_e6",
            remedy=f"one positive rate for each of {', '.join(CURRENCIES)}, HKD being {FX_UNIT_E6}",
        )
    house.price_e4[counter] = price
    house.fx_e6 = command.fx_e6
    return PricesSet(int(counter.size))


def run_step(house: House, command: RunStep) -> StepRun:
    """Run one timetable step; each runs once a day, in the order of the timetable."""
    markets = None if house.book is None else house.resolved.markets
    step = step_named(command.step, markets)
    position = house.position
    if not position.is_open:
        raise refuse(RejectionReason.NOT_ALLOWED, "no day is open", subject=step.name, remedy="open the day first")
    order = [entry.name for entry in timetable(markets)]
    if position.steps_run and order.index(step.name) <= order.index(position.steps_run[-1]):
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"the timetable is past it: {position.steps_run[-1]} has run",
            subject=step.name,
        )
    due = order[len(position.steps_run)]
    if step.name != due:  # a step that was passed over could never run, and the day never close
        raise refuse(RejectionReason.NOT_ALLOWED, f"{due} comes first", subject=step.name, remedy=f"run {due}")
    if step.kind is StepKind.FAILS_AND_FEES:
        _failed(house, step)  # a missing price refuses the step here, before the clock moves
    alleged = settling.tick(house, step.second)
    figures = {**_RUNS[step.kind](house, step), "allegements": alleged}
    follow(house)
    house.position = msgspec.structs.replace(position, steps_run=(*position.steps_run, step.name))
    return StepRun(step.name, figures)


def _batch(house: House, step: TimetableStep) -> dict[str, int]:
    figures = batch_run(house.settlement.positions, house.ledger, house.internal.cns, step.markets).figures()
    gross = settling.gross(house, step)
    return {**figures, **{f"gross_{name}": value for name, value in gross.items()}}


def _money(house: House, step: TimetableStep) -> dict[str, int]:
    markets = paying_markets(step.markets, to_date(house.position.day), house.resolved.markets)
    return settle_money(house.settlement.positions, house.ledger, house.internal.cns, markets).figures()


def _same_day(house: House, step: TimetableStep) -> dict[str, int]:
    taken = _take_due(house, house.position.day, same_day=True)
    figures = batch_run(house.settlement.positions, house.ledger, house.internal.cns, step.markets).figures()
    return {"due_positions": taken, **figures}


def _failed(house: House, step: TimetableStep) -> list[FailedDelivery]:
    """Return what was not delivered; changes nothing. Raises Rejected (missing) when a failed security has no price."""
    book, day = house.resolved, house.position.day
    counter = book.settlement_counter
    fx = np.array(house.fx_e6, np.int64)[book.counter_currency[counter]]
    return failed_deliveries(
        house.settlement.positions, day, step.markets, house.price_e4[counter], fx, settlement_day_before(day)
    )


def _fails(house: House, step: TimetableStep) -> dict[str, int]:
    failed, day = _failed(house, step), house.position.day
    for fail in failed:
        house.charges.accrue(
            "late delivery fee",
            np.array([fail.account], np.int32),
            np.zeros(1, np.int8),
            np.array([fail.fee_cents], np.int64),
        )
    failing = house.settlement.instructions.mark_failing(day)
    closing = settling.close_instructions(house)
    taken = house.charges.collect(house.ledger, house.internal.house)
    figures = {
        "failed_positions": len(failed),
        "failed_shares": sum(fail.quantity for fail in failed),
        "failed_value_HKD_cents": sum(fail.market_value_cents for fail in failed),
        "late_fee_HKD_cents": sum(fail.fee_cents for fail in failed),
        "buy_in_requests": sum(fail.buy_in for fail in failed),
        "instructions_newly_failing": failing,
        **closing,
    }
    for unit, currency in enumerate(CURRENCIES):
        figures[f"charges_collected_{currency}_cents"] = taken.collected_cents[unit]
        figures[f"charges_owed_{currency}_cents"] = taken.owed_cents[unit]
    return figures


_RUNS = {
    StepKind.REAL_TIME_DVP: settling.gross,
    StepKind.NIGHT_SETTLEMENT: settling.gross,
    StepKind.CONTINUOUS_SETTLEMENT: settling.gross,
    StepKind.PARTIAL_SETTLEMENT: settling.window,
    StepKind.CUT_OFF: settling.cut_off,
    StepKind.CREDIT_REPAYMENT: settling.repay_credit,
    StepKind.BATCH_SETTLEMENT_RUN: _batch,
    StepKind.MONEY_SETTLEMENT: _money,
    StepKind.SAME_DAY_STOCK: _same_day,
    StepKind.FAILS_AND_FEES: _fails,
}


def close_day(house: House, command: CloseDay) -> DayClosed:
    """Prove the books and close the day; refused while a step of the timetable has not run."""
    position = house.position
    if not position.is_open:
        raise refuse(RejectionReason.NOT_ALLOWED, "no day is open", remedy="open the day first")
    missing = [step.name for step in timetable(house.resolved.markets) if step.name not in position.steps_run]
    if missing:
        raise refuse(RejectionReason.NOT_ALLOWED, f"steps have not run: {', '.join(missing)}", remedy="run them first")
    require_custody_done(house)
    corporate_actions.require_nothing_due(house)
    money = close_payments(house)
    figures = house.settlement.check_day()
    figures.update(_reconcile(house, figures))
    figures.update(pool.check(house))
    figures.update(money)
    house.derivatives.check_flat()
    house.swaps.check_flat()
    figures["derivatives_owed_HKD_cents"] = sum(house.derivatives.owed.values())
    figures.update({f"charge|{line}|{unit}": cents for (line, unit), cents in house.charges.by_line().items()})
    kept, also_checked = close_custody(house)
    linked, linked_checked = close_links(house)
    figures.update({**kept, **linked})
    house.charges.clear_day()
    house.position = msgspec.structs.replace(position, is_open=False)
    pooled = POOL_CHECKED if house.pool.listed else ()  # a house without a pool answers as it did before there was one
    swapped = (SWAPS_CHECKED,) if house.swaps.series else ()
    return DayClosed(position.day, figures, CHECKED + pooled + also_checked + linked_checked + swapped)


def _reconcile(house: House, figures: dict[str, int]) -> dict[str, int]:
    """Compare two rooms that keep their own account of the same thing: the ledger and settlement.

    All contract amounts sum to zero, so what members still owe the central counterparty, net, is what it has paid out
    beyond what it took in: minus its own money balance.
    """
    ledger, positions, cns = house.ledger, house.settlement.positions, house.internal.cns
    own = ledger.owner == cns
    stock = own & (ledger.asset >= len(CURRENCIES))
    if (ledger.balance[stock] != 0).any():
        raise InvariantBroken("the central counterparty holds stock at day end")
    held = int(ledger.held[ledger.asset >= len(CURRENCIES)].sum())
    known = int(positions.on_hold.sum()) + house.settlement.reservations.held_from(len(CURRENCIES))
    known += house.corporate_actions.held_shares() + house.synchronised.held_from(len(CURRENCIES))
    if held != known:
        raise InvariantBroken(f"{held} shares on hold in the books, {known} in settlement and elections")
    lines = {}
    later = _closed_out_later(house)
    for unit, currency in enumerate(CURRENCIES):
        balance = int(ledger.balance[ledger.find(cns, unit)])
        owed = sum(house.derivatives.owed_in(unit).values()) + house.corporate_actions.owed_cents(unit)
        owed += house.defaults.owed_in(unit) + later[unit]
        owed += sum(house.swaps.owed_in(unit).values())
        if balance + figures[f"money_open_net_{currency}_cents"] + owed != 0:
            raise InvariantBroken(f"{currency}: the central counterparty's money {balance} is not what is owed to it")
        lines[f"house_line_{currency}_cents"] = balance
    return lines


def _closed_out_later(house: House) -> dict[int, int]:
    """Return by currency what contracts due on later days net to: nothing, but where a default was closed out."""
    house.defaults.check()
    found = dict.fromkeys(range(len(CURRENCIES)), 0)
    for day in house.obligations.days if house.defaults.cases else ():
        due = house.obligations.due(day)
        for unit in found:
            found[unit] += int(due.amount_cents[house.resolved.counter_currency[due.counter] == unit].sum())
    return found


HANDLERS: Handlers = {
    OpenDay: open_day,
    SetClosingPrices: set_closing_prices,
    RunStep: run_step,
    CloseDay: close_day,
}
