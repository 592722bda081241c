"""What a trade must be before it is novated.

Goal: every rule refuses by line, trade and field, and a good batch passes. Method: one spoilt column at a time.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from clearing_book import CNS, MONDAY, A, B, resolved, trades

from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.clearing.capture import FAULTS_MAX, check, gross_by_currency
from tsingma.clearing.trades import from_command
from tsingma.reference.book import MARKETS, Market

NOBODY = np.zeros(0, np.int64)
GOOD = [(0, A, B, 1_000, 3_000_000), (1, B, A, 500, 2_700_000), (2, A, B, 100, 15_000_000)]


def test_good_trades_pass() -> None:
    """Goal: no false refusal. Method: a good batch with an equity in two counters and an A-share."""
    assert check(trades(GOOD), resolved(), MONDAY, NOBODY) == []


@pytest.mark.parametrize(
    ("column", "value", "reason", "text"),
    [
        ("counter", 99, RejectionReason.UNKNOWN, "instrument: number 99 names nothing"),
        ("counter", -1, RejectionReason.UNKNOWN, "instrument"),
        ("buyer", 8, RejectionReason.UNKNOWN, "buyer: number 8"),
        ("seller", -4, RejectionReason.UNKNOWN, "seller: number -4"),
        ("buyer", CNS, RejectionReason.NOT_ALLOWED, "buyer: one of the house's own accounts"),
        ("quantity", 0, RejectionReason.OUT_OF_RANGE, "quantity: 0 is not positive"),
        ("quantity", 2**61, RejectionReason.OUT_OF_RANGE, "is too large (split the trade)"),
        ("price_e4", -100, RejectionReason.OUT_OF_RANGE, "price: -100 ten-thousandths is not positive"),
        ("price_e4", 2_700_050, RejectionReason.OUT_OF_RANGE, "270.0050 is no multiple of the tick 0.0100"),
        ("time_s", 86_400, RejectionReason.OUT_OF_RANGE, "trade_time: second 86400"),
        ("time_s", -1, RejectionReason.OUT_OF_RANGE, "trade_time"),
        ("mode", 3, RejectionReason.UNKNOWN, "mode: mode 3 is not known"),
        ("mode", 2, RejectionReason.NOT_ALLOWED, "not a way to settle in XHKG"),
        ("maker", 4, RejectionReason.UNKNOWN, "maker: market-maker flags 4"),
        ("trade_id", 0, RejectionReason.OUT_OF_RANGE, "trade_id: 0 is not positive"),
        ("trade_id", 1, RejectionReason.DUPLICATE, "trade_id: 1 is in this file before"),
        ("trade_id", 77, RejectionReason.DUPLICATE, "trade_id: 77 was captured before"),
    ],
)
def test_each_rule_names_line_and_field(column: str, value: int, reason: RejectionReason, text: str) -> None:
    """Goal: the fault is where it is. Method: spoil the second trade (line 3 of its file) in one column."""
    batch = trades(GOOD)
    spoilt = getattr(batch, column).copy()
    spoilt[1] = value
    faults = check(dataclasses.replace(batch, **{column: spoilt}), resolved(), MONDAY, np.array([77]))
    assert reason in [fault.reason for fault in faults]
    assert any(text in str(fault) and fault.line == 3 and fault.file == "trades.csv" for fault in faults), faults


def test_day_market_and_bond_modes() -> None:
    """Goal: rules of day and market. Method: another day; a closed market; a bond netted and A-shares gross."""
    batch, book = trades(GOOD), resolved()
    (fault,) = check(batch, book, MONDAY + 1, NOBODY)
    assert "day 20459 is open" in fault.message
    closed = {market: market is not Market.XSHG for market in MARKETS}
    (fault,) = check(batch, book, MONDAY, NOBODY, closed)
    assert (fault.line, fault.field) == (4, "trade_date")
    assert check(trades([(3, A, B, 100, 1_000_000)], mode=2), book, MONDAY, NOBODY) == []
    for row, mode in (((3, A, B, 100, 1_000_000), 0), ((2, A, B, 100, 1_000_000), 1)):
        (fault,) = check(trades([row], mode=mode), book, MONDAY, NOBODY)
        assert fault.field == "mode"


def test_faults_are_ordered_and_bounded() -> None:
    """Goal: a hopeless file does not flood its reader. Method: a thousand trades with two faults each."""
    batch = trades([(0, A, B, -1, 3_000_001)] * 1_000)
    faults = check(batch, resolved(), MONDAY, NOBODY)
    assert len(faults) == FAULTS_MAX
    assert [fault.line for fault in faults] == sorted(fault.line for fault in faults)


def test_gross_amounts_by_currency() -> None:
    """Goal: one-sided amounts in cents. Method: by hand: 1,000 x 300.00 HKD; 500 x 270.00 + 100 x 1,500.00 CNY."""
    assert gross_by_currency(trades(GOOD), resolved())[:2] == (30_000_000, 28_500_000)


def test_amounts_round_half_up_and_never_overflow() -> None:
    """Goal: quantity x price in cents, half a cent up. Method: 3 x 0.0050 = 1.5 cents; a product above 64 bits."""
    assert trades([(0, A, B, 3, 50)]).amount_cents().tolist() == [2]
    with pytest.raises(Rejected, match="does not fit 64 bits"):
        trades([(0, A, B, 2**40, 2**40)]).amount_cents()


def test_trades_survive_their_commands() -> None:
    """Goal: columns to command and back. Method: chunks of two of three trades; a command with a short column."""
    batch = trades(GOOD)
    commands = list(batch.commands(chunk=2))
    assert [len(from_command(command)) for command in commands] == [2, 1]
    again = [value for command in commands for value in from_command(command).price_e4.tolist()]
    assert again == batch.price_e4.tolist()
    broken = type(commands[0])(
        **{name: getattr(commands[0], name) for name in commands[0].__struct_fields__} | {"mode": b""}
    )
    with pytest.raises(Rejected, match="the columns differ in length"):
        from_command(broken)
