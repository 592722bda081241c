"""Files of a link's orders: what they become, and every fault with its line and field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected, Rejection
from tsingma.messages.link_files import (
    FLOW_COLUMNS,
    ORDER_COLUMNS,
    Names,
    read_accounts,
    read_clients,
    read_flows,
    read_holdings,
    read_orders,
)

HEADER = ",".join(ORDER_COLUMNS)


def _orders(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()


def test_orders_become_messages() -> None:
    """Goal: references and codes become numbers, prices ten-thousandths. Method: one of each message."""
    names = Names()
    messages, references = read_orders(
        _orders(
            "09:31:00,buy,b-1,A,,7,600519,100,1500.25",
            "09:31:01,sell,s-9,B,4600001,8,601318,200,50",
            "09:31:02,trade,b-1,,,,,60,1500",
            "09:31:03,cancel,s-9,,,,,,",
            "09:31:04,reject,b-2,,,,,,",
        ),
        names,
    )
    assert messages.kind.tolist() == [0, 1, 2, 3, 4]
    assert messages.order.tolist() == [0, 1, 0, 1, -1]
    assert messages.time_s.tolist() == [34_260, 34_261, 34_262, 34_263, 34_264]
    assert messages.price_e4.tolist() == [15_002_500, 500_000, 15_000_000, 0, 0]
    assert messages.investor.tolist() == [0, 4_600_001, 0, 0, 0]
    assert (names.participants, names.counters) == ({"A": 0, "B": 1}, {"600519": 0, "601318": 1})
    assert references[1] == "s-9"


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("9:31,buy,b,A,,7,600519,100,1", "time"),
        ("24:00:00,buy,b,A,,7,600519,100,1", "time"),
        ("09:31:00,take,b,A,,7,600519,100,1", "message"),
        ("09:31:00,buy,b,,,7,600519,100,1", "participant"),
        ("09:31:00,buy,b,A,x,7,600519,100,1", "investor"),
        ("09:31:00,buy,b,A,,7,,100,1", "counter"),
        ("09:31:00,buy,b,A,,7,600519,1.5,1", "quantity"),
        ("09:31:00,buy,b,A,,7,600519,99999999999999999999,1", "quantity"),
        ("09:31:00,buy,b,A,,7,600519,100,1.00001", "price"),
        ("09:31:00,buy,b,A,,7,600519,100,1e999999999", "price"),
        ("09:31:00,buy,b,A,,7,600519,100,99999999999999999999", "price"),
        ("09:31:00,trade,b,,,,,,1", "quantity"),
    ],
)
def test_faults_have_line_and_field(line: str, field: str) -> None:
    """Goal: one line says what to correct. Method: a good line before a bad one."""
    with pytest.raises(Rejected) as refused:
        read_orders(_orders("09:30:00,buy,ok,A,,7,600519,100,1", line), Names(), file="orders.csv")
    fault = refused.value.rejections[0]
    assert (fault.file, fault.line, fault.field) == ("orders.csv", 3, field)


def test_a_reference_is_used_once() -> None:
    """Goal: no two orders of one name. Method: enter the same reference twice."""
    line = "09:30:00,buy,same,A,,7,600519,100,1"
    with pytest.raises(Rejected) as refused:
        read_orders(_orders(line, line), Names())
    assert refused.value.rejections[0].field == "order"


def test_the_other_files() -> None:
    """Goal: holdings, accounts, clients and flows. Method: two rows of each."""
    names = Names()
    holdings = read_holdings(b"participant,investor,counter,quantity\nA,,600519,5\n,46,600519,7\n", names)
    assert [column.tolist() for column in holdings] == [[0, -1], [0, 46], [0, 0], [5, 7]]
    assert read_accounts(b"investor,broker\n46,A\n46,B\n", names) == {46: (0, 1)}
    participant, client = read_clients(b"participant,client\nB,9\n", names)
    assert (participant.tolist(), client.tolist()) == ([1], [9])
    flows = read_flows(b"time,investor,channel,amount\n09:00:00,1,0,2.50\n09:00:01,1,1,-1\n")
    assert [column.tolist() for column in flows] == [[32_400, 32_401], [1, 1], [0, 1], [250, -100]]


@given(st.sampled_from([ORDER_COLUMNS, FLOW_COLUMNS]), st.text(max_size=60), st.binary(max_size=40))
def test_any_content_is_read_or_refused(columns: tuple[str, ...], text: str, tail: bytes) -> None:
    """Goal: never a traceback. Method: random text and bytes under a good header."""
    data = ",".join(columns).encode() + b"\n" + text.encode("utf-8", "replace") + tail
    faults: tuple[Rejection, ...] = ()
    try:
        if columns is ORDER_COLUMNS:
            read_orders(data, Names())
        else:
            read_flows(data)
    except Rejected as rejected:
        faults = rejected.rejections
    assert all(one.message for one in faults)
