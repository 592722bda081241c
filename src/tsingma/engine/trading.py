"""Commands on trades: capture, charges, netting, and the gross instructions of those that do not net."""

from __future__ import annotations

import numpy as np

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.clearing.capture import check, gross_by_currency
from tsingma.clearing.netting import net
from tsingma.clearing.obligations import GrossObligations, gross_obligations
from tsingma.clearing.trades import MODE_CNS, MODE_DVP, MODE_ISOLATED, Trades, from_command
from tsingma.engine.barring import hold_back, require_trades
from tsingma.engine.cycle import settlement_days, trading_markets
from tsingma.engine.day_plan import ENDS_CAPTURE
from tsingma.engine.house import Handlers, House
from tsingma.engine.tariff import charge
from tsingma.journal.commands import CaptureTrades
from tsingma.journal.events import TradesCaptured
from tsingma.settlement.timetable import StepKind, step_named


def check_trades(house: House, trades: Trades) -> None:
    """Raise Rejected with every fault of a batch of trades; changes nothing."""
    if not house.position.is_open:
        raise refuse(RejectionReason.NOT_ALLOWED, "no day is open", file=trades.source, remedy="open the day first")
    late = [name for name in house.position.steps_run if _ends_capture(house, trades, name)]
    if late:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"{late[0]} has run: trades of the day would miss their settlement and their charges",
            file=trades.source,
            remedy="capture the trades of a day before it",
        )
    day = house.position.day
    book = house.resolved
    trading = trading_markets(to_date(day), book.markets)
    if house.defaults.barred:
        require_trades(house, trades)
    faults = check(trades, book, day, house.obligations.seen_ids(day), trading)
    if faults:
        raise Rejected(*faults)


def _ends_capture(house: House, trades: Trades, name: str) -> bool:
    """Return whether after a step trades of the day would miss their settlement or their charges.

    A same-day step that one market of the book brought ends only its own: those of the house end them all.
    """
    markets = house.resolved.markets
    step = step_named(name, markets)
    if step.kind is StepKind.SAME_DAY_STOCK and any(
        step.name == own.name for rule in markets.own for own in rule.own_steps
    ):
        known = trades.counter[(trades.counter >= 0) & (trades.counter < house.resolved.counter_market.size)]
        return bool(np.isin(house.resolved.counter_market[known], step.markets).any())
    return step.kind in ENDS_CAPTURE


def capture_trades(house: House, command: CaptureTrades) -> TradesCaptured:
    """Check, charge, novate and net the trades of one command; refused whole when one is bad."""
    trades = from_command(command)
    check_trades(house, trades)
    book = house.resolved
    days = settlement_days(to_date(trades.trade_day), book.markets)
    charged = charge(house, trades)
    netting = trades.select(trades.mode == MODE_CNS)
    house.obligations.add(net(netting, book.account_participant.size, book.counter_security.size), book, days)
    first = len(house.settlement.instructions)
    for group in gross_obligations(trades, book, days):
        _instruct(house, group)
    if house.defaults.barred:
        hold_back(house, first)
    house.obligations.remember_ids(trades.trade_day, trades.trade_id)
    return TradesCaptured(
        trades=len(trades),
        continuous_net=len(netting),
        isolated=int((trades.mode == MODE_ISOLATED).sum()),
        real_time=int((trades.mode == MODE_DVP).sum()),
        gross_amount_cents=gross_by_currency(trades, book),
        charges_cents=charged,
    )


def _instruct(house: House, group: GrossObligations) -> None:
    book = house.resolved
    house.settlement.instructions.add(
        reference=group.trade_id,
        deliverer=group.deliverer,
        receiver=group.receiver,
        security=book.counter_security[group.counter],
        market=book.counter_market[group.counter],
        currency=book.counter_currency[group.counter],
        quantity=group.quantity,
        amount_cents=group.amount_cents,
        intended_day=np.full(len(group), group.stock_day, np.int64),
    )


HANDLERS: Handlers = {
    CaptureTrades: capture_trades,
}
