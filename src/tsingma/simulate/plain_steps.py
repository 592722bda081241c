"""The timetable's steps and the close of the day, on the auditor's dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason
from tsingma.engine.cycle import paying_markets, settlement_day_before
from tsingma.reference.tables import read_table, row_on
from tsingma.settlement.timetable import StepKind, TimetableStep, timetable
from tsingma.simulate.plain_ledger import Key, Refusal
from tsingma.simulate.plain_resources import give_back
from tsingma.simulate.plain_settlement import attempt, batch_run, ready, settle_money

if TYPE_CHECKING:
    from tsingma.simulate.plain_house import PlainHouse

LATE_FEE = "late delivery fee"
TRADES_SETTLE_AS = 0  # delivery versus payment, the first kind of instruction
OPEN = ("matched", "on-hold", "failing")
STATUSES = ("matched", "on-hold", "settled", "failing", "cancelled")


def run_plain_step(house: PlainHouse, step: TimetableStep) -> dict[str, int]:
    """Run one step and return the figures that the house must report (it may report more)."""
    positions, ledger, markets = house.positions, house.ledger, step.markets
    match step.kind:
        case StepKind.REAL_TIME_DVP | StepKind.NIGHT_SETTLEMENT | StepKind.CONTINUOUS_SETTLEMENT:
            return _gross(house, step)
        case StepKind.PARTIAL_SETTLEMENT:  # a trade settles whole: its parties permit no parts
            return _gross(house, step)
        case StepKind.CUT_OFF:
            left = [one for one in house.instructions if one.status in OPEN and one.intended_day <= house.day]
            return {"left": len(left) * (TRADES_SETTLE_AS in step.kinds)}
        case StepKind.CREDIT_REPAYMENT:
            return {}
        case StepKind.BATCH_SETTLEMENT_RUN:
            figures = batch_run(positions, ledger, house.central, markets)
            return figures | {f"gross_{name}": value for name, value in _gross(house, step).items()}
        case StepKind.MONEY_SETTLEMENT:
            paying = paying_markets(markets, to_date(house.day))
            return settle_money(positions, ledger, house.central, paying)
        case StepKind.SAME_DAY_STOCK:
            due = house.obligations.pop(house.day, {})
            positions.add(house.day, due, house.known.counters)
            return {"due_positions": len(due), **batch_run(positions, ledger, house.central, markets)}
        case StepKind.FAILS_AND_FEES:
            return _fails(house, markets)


def _gross(house: PlainHouse, step: TimetableStep) -> dict[str, int]:
    if not settles_today(house) or (step.kinds and TRADES_SETTLE_AS not in step.kinds):
        return {}
    figures, _ = attempt(ready(house.instructions, house.day, step.markets), house.ledger)
    return figures


def settles_today(house: PlainHouse) -> bool:
    """Return whether the cut-off of what trades settle as has not run."""
    cut = [step for step in timetable() if step.kind is StepKind.CUT_OFF and TRADES_SETTLE_AS in step.kinds]
    return not any(step.name in house.steps for step in cut)


def _fails(house: PlainHouse, markets: tuple[int, ...]) -> dict[str, int]:
    book, before = house.known, settlement_day_before(house.day)
    rule = row_on(read_table("settlement_rules.toml")["late_delivery_fee"], to_date(house.day), table=LATE_FEE)
    failed: list[tuple[Key, int, int]] = []
    for line, quantity in house.positions.opened.items():
        if quantity >= 0 or house.positions.market[line] not in markets:
            continue
        counter = book.settlement_counter[line[1]]
        price, rate = house.price_e4[counter], house.fx_e6[book.counters[counter][1]]
        if price <= 0 or rate <= 0:
            raise Refusal(RejectionReason.MISSING)
        value = _nearest((-quantity * price + 50) // 100 * rate, 1_000_000)
        failed.append((line, value, min(_nearest(value * rule["rate_e6"], 1_000_000), rule["cap_cents"])))
    for (account, _), _, fee in failed:
        house.accrued[account, LATE_FEE, 0] = house.accrued.get((account, LATE_FEE, 0), 0) + fee
    late = [one for one in house.instructions if one.status == "matched" and one.intended_day <= house.day]
    for one in late:
        one.status = "failing"
    return {
        "failed_positions": len(failed),
        "failed_shares": -sum(house.positions.opened[line] for line, _, _ in failed),
        "failed_value_HKD_cents": sum(value for _, value, _ in failed),
        "late_fee_HKD_cents": sum(fee for _, _, fee in failed),
        "buy_in_requests": sum(house.positions.since[line] <= before for line, _, _ in failed),
        "instructions_newly_failing": len(late),
        "reservations_expired": _expire(house),
        **_collect(house),
    }


def _expire(house: PlainHouse) -> int:
    over = [one for one in house.reservations if one.status == "active" and one.last_day <= house.day]
    for one in over:
        give_back(house.ledger, one, "expired")
    return len(over)


def _collect(house: PlainHouse) -> dict[str, int]:
    """Take each account's charges in each currency whole, or leave them owed."""
    for (account, _, currency), cents in house.accrued.items():
        key = (account, currency)
        house.charges_owed[key] = house.charges_owed.get(key, 0) + cents
    taken, owed = [0] * len(CURRENCIES), [0] * len(CURRENCIES)
    for key, cents in sorted(house.charges_owed.items()):
        if cents and house.ledger.transfer(key, (house.fee_account, key[1]), cents) == 0:
            taken[key[1]] += cents
            del house.charges_owed[key]
        elif cents:
            owed[key[1]] += cents
        else:
            del house.charges_owed[key]
    figures = {f"charges_collected_{name}_cents": taken[unit] for unit, name in enumerate(CURRENCIES)}
    return figures | {f"charges_owed_{name}_cents": owed[unit] for unit, name in enumerate(CURRENCIES)}


def close_figures(house: PlainHouse) -> dict[str, int]:
    """Return the totals the house must prove when the day closes (it may report more)."""
    positions = house.positions
    figures = {
        "stock_due": sum(map(abs, positions.due.values())),
        "stock_settled": sum(abs(due - positions.opened[line]) for line, due in positions.due.items()),
        "stock_open": sum(map(abs, positions.opened.values())),
        "positions_open": sum(quantity != 0 for quantity in positions.opened.values()),
    }
    for status in STATUSES:
        count = sum(one.status == status for one in house.instructions)
        figures[f"instructions_{status.replace('-', '_')}"] = count
    for unit, name in enumerate(CURRENCIES):
        for group, statuses in (("open", OPEN), ("settled", ("settled",)), ("cancelled", ("cancelled",))):
            those = [one for one in house.instructions if one.status in statuses and one.currency == unit]
            figures[f"instructions_{group}_{name}_cents"] = sum(one.cents for one in those)
        here = [money for money in positions.owed if money[2] == unit]
        left = [positions.owed[money] - positions.confirmed[money] for money in here]
        figures[f"money_settled_{name}_cents"] = sum(abs(positions.confirmed[money]) for money in here)
        figures[f"money_open_{name}_cents"] = sum(map(abs, left))
        figures[f"money_open_net_{name}_cents"] = sum(left)
        figures[f"house_line_{name}_cents"] = house.ledger.balance.get((house.central, unit), 0)
    figures["derivatives_owed_HKD_cents"] = sum(house.contracts.owed.values())
    for (_, line, unit), cents in house.accrued.items():
        name = f"charge|{line}|{CURRENCIES[unit]}"
        figures[name] = figures.get(name, 0) + cents
    return figures


def _nearest(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
