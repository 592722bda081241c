"""What an optimiser is given of a house: the instructions that may settle, as columns beside what every row can spare.

A snapshot: nothing is booked here, and what comes back is a proposal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.auto_collateral import Lender
from tsingma.settlement.instance import Credit, Problem
from tsingma.settlement.instruction import DVP, Instructions
from tsingma.settlement.links import Links
from tsingma.settlement.recycling import legs_of
from tsingma.settlement.rules import RATE_SCALE_E6
from tsingma.settlement.values import PRICE_TO_CENTS

Int64 = npt.NDArray[np.int64]

SPARE_MAX = 2**61  # a row without a floor spares this much, so that sums stay within 64 bits
COUNTED_MAX = 2**53  # more than this is a row without a floor, and no collateral
WORTH_MAX = 2**61  # of money and securities beside each other, in the finest unit that stays below it
FINEST = 10_000  # parts of a cent in which the credit for one unit of a security is told


def waiting_problem(
    instructions: Instructions, ledger: Ledger, numbers: Int64, rate_e6: tuple[int, ...], links: Links | None = None,
    lender: Lender | None = None, without: frozenset[int] = frozenset(),
) -> Problem:  # fmt: skip
    """Return the instructions ``numbers`` as a problem over ledger rows, whole; linked and with credit where given.

    ``rate_e6`` gives HKD per unit of each currency: the value of an instruction is its money in HKD cents. The account
    after the last row takes legs that move nothing. Rows that do not exist yet are numbered and left unopened. With
    ``links``, ``numbers`` are as :meth:`Links.unparted` returns them; ``lender``'s lines ``without`` lend nothing.
    """
    known = ledger.count
    legs = legs_of(instructions, ledger, numbers)
    rows = ledger.count
    spare = np.minimum(ledger.available(np.arange(rows)), SPARE_MAX)
    assets = ledger.asset.astype(np.int64)
    owners = ledger.owner.astype(np.int64)
    credit = None if lender is None else _credit(lender, instructions, ledger, numbers, legs.amount, spare, without)
    ledger.close_rows(known)
    stock, money = legs.moves[:, 0], legs.moves[:, 1]
    quantity, cash = np.where(stock, legs.amount[:, 0], 0), np.where(money, legs.amount[:, 1], 0)
    rates = np.array(rate_e6, np.int64)
    paid_in = assets[np.where(money, legs.debit[:, 1], 0)]
    in_money = money & (paid_in < rates.size)
    rate = np.where(in_money, rates[np.minimum(paid_in, rates.size - 1)], 0)
    accounts = [("row", owner, asset) for owner, asset in zip(owners.tolist(), assets.tolist(), strict=True)]
    return Problem(
        out_stock=np.where(stock, legs.debit[:, 0], rows), in_stock=np.where(stock, legs.credit[:, 0], rows),
        out_cash=np.where(money, legs.debit[:, 1], -1), in_cash=np.where(money, legs.credit[:, 1], -1),
        quantity=quantity, cash=cash, priority=instructions.table["priority"][numbers].astype(np.int64),
        balance=np.append(spare, 0), value=_value(cash, rate),
        accounts=(*accounts, ("none", 0, 0)),
        together=instructions.table["together"][numbers].astype(np.int64) if links is not None else numbers[:0],
        after=links.pairs_of(numbers) if links is not None else np.zeros((0, 2), np.int64), credit=credit,
    )  # fmt: skip


def _credit(
    lender: Lender, instructions: Instructions, ledger: Ledger, numbers: Int64, amount: Int64, spare: Int64,
    without: frozenset[int],
) -> Credit | None:  # fmt: skip
    """Return the lines of credit against securities; those of an account count for the first of its lines only.

    The worth of a unit is rounded down, so that the books' own rule covers what is proposed but for cents.
    """
    table = lender.lines.table
    rows = ledger.find_all(table["account"], table["currency"]).tolist()
    lines = [
        line
        for line in np.flatnonzero(table["collateral_cents"]).tolist()
        if line not in without and rows[line] >= 0 and spare[rows[line]] <= COUNTED_MAX
    ]
    limits: list[int] = []
    counted: list[tuple[int, int, int, int]] = []  # row, line, worth of a unit as a fraction of cents
    seen: set[int] = set()
    for line in lines:
        account, currency = int(table["account"][line]), int(table["currency"][line])
        left = int(table["collateral_cents"][line]) - lender.loans.drawn(account, currency)
        if account not in seen:
            for row in np.flatnonzero((ledger.owner == account) & (ledger.asset >= len(CURRENCIES))).tolist():
                over, under = _worth(lender, int(ledger.asset[row]) - len(CURRENCIES), currency)
                if over and spare[row] <= COUNTED_MAX:
                    counted.append((row, len(limits), over, under))
        seen.add(account)
        limits.append(max(left, 0))
    if not lines:
        return None
    most = max((over // under + 1 for _, _, over, under in counted), default=0)
    held = sum(int(spare[row]) for row, _, _, _ in counted) + int(amount[:, 0].sum(dtype=object))
    money = sum(limits) + sum(int(spare[rows[line]]) for line in lines) + int(amount[:, 1].sum(dtype=object))
    scale = FINEST
    while scale > 1 and scale * (most * held + money) > WORTH_MAX:
        scale //= 10
    if scale * (most * held + money) > WORTH_MAX:
        return None
    return Credit(
        money=np.array([rows[line] for line in lines], np.int64), limit=np.array(limits, np.int64),
        stock=np.array([row for row, _, _, _ in counted], np.int64),
        line=np.array([line for _, line, _, _ in counted], np.int64),
        worth=np.array([over * scale // under for _, _, over, under in counted], np.int64), scale=scale,
        own=instructions.table["kind"][numbers] != DVP,
    )  # fmt: skip


def _worth(lender: Lender, security: int, currency: int) -> tuple[int, int]:
    """Return the cents of credit for one unit of a security as a fraction; nothing without a price or rate."""
    values = lender.values
    price, rate = int(values.price_e4[security]), values.fx_e6[int(values.currency[security])]
    if not price or not rate or not values.fx_e6[currency]:
        return 0, 1
    return price * rate * lender.share_e6(security), PRICE_TO_CENTS * values.fx_e6[currency] * RATE_SCALE_E6


def _value(cents: Int64, rate_e6: Int64) -> Int64:
    """Return cents x rate / 1,000,000, parts of a million apart so that the product stays within 64 bits."""
    million = 1_000_000
    return cents // million * rate_e6 + cents % million * rate_e6 // million
