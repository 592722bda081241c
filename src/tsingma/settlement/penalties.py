"""Cash penalties for instructions that fail: every day for who is to blame, and afterwards for matching late.

Who holds an instruction at the end of its day is to blame, deliverer for securities, receiver for money; otherwise who
lacked what. The rate for securities is that of the instrument, for money the overnight rate of its central bank a year
of 360 days; both on the market value of what is open. The other side receives it.
Sources: Delegated Regulation (EU) 2017/389, articles 2 and 3 and annex; ECSDA, CSDR penalties framework, 4.1 (late
matching: the last to enter), 4.2 (fails: hold, then lack of securities, then lack of cash) and 5.7 (cash rate / 360).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rounding import divide_half_away
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.claims import FAIL_PENALTY, LATE_MATCHING_PENALTY, Claims
from tsingma.settlement.instruction import (
    BY_DELIVERER,
    BY_RECEIVER,
    FAILING,
    FROM_MATCHED,
    FROM_MATCHING,
    LACK_OF_CASH,
    LACK_OF_SECURITIES,
    MATCHED,
    ON_HOLD,
    Instructions,
)
from tsingma.settlement.rules import DAYS_A_YEAR, RATE_SCALE_E6, Rules
from tsingma.settlement.values import Values

Int64 = npt.NDArray[np.int64]

HKD = CURRENCIES.index("HKD")


def fail_penalties(
    instructions: Instructions, claims: Claims, ledger: Ledger, values: Values, rules: Rules, day: int
) -> tuple[int, int]:
    """Charge every instruction of parties that was intended for ``day`` or before and is open at its end.

    Returns how many claims were added, and how many instructions have no price to charge on.
    """
    table = instructions.table
    late = np.isin(table["status"], (MATCHED, ON_HOLD, FAILING)) & (table["intended_day"] <= day)
    late &= np.isin(table["origin"], (FROM_MATCHING, FROM_MATCHED))
    added = unpriced = 0
    for number in np.flatnonzero(late).tolist():
        for payer, lacks_cash in _to_blame(instructions, ledger, number):
            cents = daily_penalty_cents(instructions, values, rules, number, lacks_cash=lacks_cash)
            if cents is None:
                unpriced += 1
                continue
            added += _charge(claims, instructions, FAIL_PENALTY, number, payer, cents, day)
    return added, unpriced


def late_matching_penalties(
    instructions: Instructions,
    claims: Claims,
    values: Values,
    rules: Rules,
    numbers: Int64,
    day: int,
    days_late: Callable[[int], int],
) -> int:
    """Charge who came last for each settlement day between the intended one and the match; returns the claims added.

    ``days_late`` gives the settlement days from an intended day to today, today left out. The price is today's.
    """
    table = instructions.table
    added = 0
    for number in numbers[table["late"][numbers] != 0].tolist():
        by_deliverer = int(table["late"][number]) == BY_DELIVERER
        cents = daily_penalty_cents(instructions, values, rules, number, lacks_cash=not by_deliverer)
        if cents is None:
            continue
        payer = int(table["deliverer" if by_deliverer else "receiver"][number])
        whole = cents * days_late(int(table["intended_day"][number]))
        added += _charge(claims, instructions, LATE_MATCHING_PENALTY, number, payer, whole, day)
    return added


def daily_penalty_cents(
    instructions: Instructions, values: Values, rules: Rules, number: int, *, lacks_cash: bool
) -> int | None:
    """Return one day's penalty on what is open of an instruction, in its currency; None without a price.

    Without securities (money alone moves) the base is the money itself. Free of payment is charged in HKD.
    """
    table = instructions.table
    currency = int(table["against"][number])
    currency = currency if 0 <= currency < len(CURRENCIES) else HKD
    security = int(table["security"][number])
    if security < 0:
        base: int | None = int(table["amount_cents"][number])
    else:
        base = values.cents(security, int(table["open_quantity"][number]), currency)
    if base is None:
        return None
    if lacks_cash or security < 0:
        yearly = base * int(rules.cash_penalty_a_year_e6[currency])
        return divide_half_away(yearly, RATE_SCALE_E6 * DAYS_A_YEAR)
    return divide_half_away(base * int(rules.penalty_e6[int(values.kind[security])]), RATE_SCALE_E6)


def _to_blame(instructions: Instructions, ledger: Ledger, number: int) -> list[tuple[int, bool]]:
    """Return who fails an instruction, and whether for money: those who hold it, or the account that was short."""
    table = instructions.table
    deliverer, receiver = int(table["deliverer"][number]), int(table["receiver"][number])
    holds = int(table["holds"][number])
    if holds:
        sides = ((BY_DELIVERER, deliverer, False), (BY_RECEIVER, receiver, True))
        return [(account, cash) for flag, account, cash in sides if holds & flag]
    if table["reason"][number] not in (LACK_OF_SECURITIES, LACK_OF_CASH):
        return []
    payer = int(ledger.owner[int(table["blocked_on"][number])])
    return [(payer, bool(table["reason"][number] == LACK_OF_CASH))]


def _charge(
    claims: Claims, instructions: Instructions, kind: int, number: int, payer: int, cents: int, day: int
) -> bool:
    table = instructions.table
    sides = (int(table["deliverer"][number]), int(table["receiver"][number]))
    payee = sides[1] if payer == sides[0] else sides[0]
    currency = int(table["against"][number])
    currency = currency if 0 <= currency < len(CURRENCIES) else HKD
    return claims.owe(kind, payer, payee, currency, cents, instruction=number, day=day) > 0
