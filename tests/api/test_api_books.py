"""Holdings, obligations, trades, payments and collateral over HTTP: what the books say, one's own only."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_house import SHARE, Served, served

from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.journal.pool_commands import ArrangePool, ListCollateral, PledgeCollateral, SetPoolCalls


def test_a_trade_is_seen_from_its_sides(shown: Served) -> None:
    """Goal: GET /trades. Method: the one trade, A from D: each sees its side, the house between; overseers both."""
    (mine,) = shown.get("participant", "/trades").json()["items"]
    assert (mine["side"], mine["account"], mine["counterparty"]) == ("buy", "A/HOUSE", "HKSCC")
    assert (mine["quantity"], mine["counter"], mine["mode"], mine["date"]) == (100, "700", "netted", "2026-01-05")
    assert mine["amount_cents"] == mine["quantity"] * mine["price_e4"] // 100
    both = shown.get("regulator", "/trades").json()
    assert [(one["side"], one["account"]) for one in both["items"]] == [("buy", "A/HOUSE"), ("sell", "D/HOUSE")]
    assert shown.get("other", "/trades").json()["items"] == []
    first = shown.get("regulator", "/trades?limit=1").json()
    assert shown.get("regulator", f"/trades?limit=1&cursor={first['next']}").json()["items"] == both["items"][1:]
    assert shown.get("regulator", "/trades?day=2026-01-05").json()["items"] == both["items"]
    assert shown.get("regulator", "/trades?day=2025-01-05").status_code == 422


def test_obligations_are_what_the_trade_and_the_instructions_owe(shown: Served) -> None:
    """Goal: GET /obligations. Method: A's: stock of the trade to receive against money, an instruction to deliver."""
    rows = shown.get("participant", "/obligations").json()["items"]
    net = {(one["asset"], one["to_receive"], one["to_deliver"]) for one in rows if one["basis"] == "net"}
    gross = {(one["asset"], one["to_receive"], one["to_deliver"]) for one in rows if one["basis"] == "gross"}
    assert (SHARE, 100, 0) in net
    assert gross == {(SHARE, 0, 100), ("HKD", 3_000_000, 0)}
    assert {one["account"] for one in rows} == {"A/HOUSE"}


def test_holdings_are_the_ledgers(shown: Served) -> None:
    """Goal: GET /holdings. Method: a custodian's own; the regulator sees everybody's."""
    rows = shown.get("custodian", "/holdings").json()["items"]
    assert [(one["asset"], one["balance"], one["depository"]) for one in rows] == [(SHARE, 1_000, "")]
    every = shown.get("regulator", "/holdings?limit=1000").json()
    assert {"A/HOUSE", "B/HOUSE", "C/HOUSE", "D/HOUSE"} <= {one["account"] for one in every["items"]}


def test_payments_are_seen_by_payer_and_payee(shown: Served) -> None:
    """Goal: GET /payments. Method: A pays B, so A sees one, B all three; statuses filter; D's is not A's."""
    (mine,) = shown.get("participant", "/payments").json()["items"]
    assert (mine["payer"], mine["payee"], mine["amount"], mine["status"]) == ("A/HOUSE", "B/HOUSE", 10_000, "queued")
    assert [one["payment"] for one in shown.get("other", "/payments?status=queued").json()["items"]] == [0, 1, 2]
    assert shown.get("other", "/payments?status=settled").json()["items"] == []
    assert shown.get("other", "/payments?status=lost").status_code == 422
    assert shown.get("participant", "/payments/0").json() == mine
    assert [shown.get("participant", f"/payments/{number}").status_code for number in (2, 3, 99)] == [404, 404, 404]


@pytest.fixture
def pooled(written: Path, tmp_path: Path) -> Iterator[Served]:
    """The house with a pool: A pledged 500 shares, SEOCH called and got 200 of them."""
    copy = Path(shutil.copytree(written, tmp_path / "house"))
    with Session.open(copy) as session:
        book = session.house.resolved
        account, asset = book.account_index["A", "HOUSE"], 4 + book.securities.index(SHARE)
        told = [
            ListCollateral(((asset, "equity", "HKSCC"),)),
            PledgeCollateral(account, asset, 500),
            SetPoolCalls("test", "SEOCH", pack([account], "i4"), pack([1_000_000], "i8")),
            ArrangePool("test", account, (("SEOCH", asset, 200),)),
        ]
        session.submit([(f"pool/{place}", command) for place, command in enumerate(told)])
    with served(copy) as house:
        yield house


def test_collateral_is_the_statement_of_the_pool(pooled: Served) -> None:
    """Goal: GET /collateral and its calls. Method: A's lines by taker after haircut, what is short; B has none."""
    lines = pooled.get("participant", "/collateral").json()["items"]
    assert [(one["taker"], one["amount"]) for one in lines] == [("SEOCH", 200), ("free", 300)]
    assert all(one["market_cents"] == one["amount"] * 30_000 for one in lines)
    assert [one["lendable_cents"] for one in lines] == [200 * 30_000 * 7 // 10, 0]  # haircut of equity: 30 %
    (call,) = pooled.get("participant", "/collateral/calls").json()["items"]
    assert (call["taker"], call["called_cents"]) == ("SEOCH", 1_000_000)
    assert call["short_cents"] == 1_000_000 - call["covered_cents"]
    assert pooled.get("other", "/collateral").json()["items"] == []
    assert pooled.get("other", "/collateral?participant=A").status_code == 403
