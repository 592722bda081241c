"""secl.001 to .009 and semt.018 both ways, and against the books of a house.

Goal: what members are told of trades, net positions, margin, the fund, buy-ins and what is pending is what the books
say. Method: drawn contents through schema and oracle, canonical XML compared, read back; stories, reports beside the
state that they are made from.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso_oracle import same
from iso_samples import document

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from clearing_book import resolved
from story import SHARE, Story

from tsingma.app.iso_files import answer_file, send_messages
from tsingma.app.iso_reading import READERS, read_report_file
from tsingma.app.iso_reports import REPORTS, report_file
from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.basics.rejection import Rejected
from tsingma.journal import commands as do
from tsingma.margin.resources.default_fund import Fund
from tsingma.messages.iso20022 import (
    allegement,
    buy_in,
    fund_report,
    margin_report,
    net_position,
    pending_report,
    trade_legs,
)
from tsingma.messages.iso20022.codes import State, code_table
from tsingma.messages.iso20022.header import write_one
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import read_messages

HERE = timezone(timedelta(hours=8))
STOCK, BOND = "KYG875721634", "HK0000096088"
PLAIN = Directory(resolved(), face_cents={BOND: 100_000})
ACCOUNTS, ISINS = st.sampled_from(["A/HOUSE", "A/CLIENT"]), st.sampled_from([STOCK, BOND])
CURRENCIES, DATES = st.sampled_from(["HKD", "CNY"]), st.dates().map(str)
UNITS, CENTS = st.integers(0, 10**9), st.integers(0, 10**14)
MOMENTS = st.datetimes().map(lambda one: one.replace(microsecond=0, tzinfo=HERE))


@st.composite
def legs(draw: st.DrawFn) -> trade_legs.TradeLeg:
    """Return a leg of a trade."""
    return trade_legs.TradeLeg(
        execution=str(draw(st.integers(1, 10**12))), account=draw(ACCOUNTS), bought=draw(st.booleans()),
        traded=draw(MOMENTS), settles=draw(DATES), isin=draw(ISINS), market=draw(st.sampled_from(["XHKG", "CMU"])),
        units=draw(UNITS), price_e4=draw(st.integers(1, 10**9)), cents=draw(CENTS), currency=draw(CURRENCIES),
        netted=draw(st.booleans()),
    )  # fmt: skip


@given(st.lists(legs(), min_size=1, max_size=3))
@settings(max_examples=15, deadline=None)
def test_trade_legs_go_out_and_come_back(several: list[trade_legs.TradeLeg]) -> None:
    """Goal: secl.001 and secl.003 both ways. Method: as the module says; a statement has its legs by account."""
    for leg in several:
        text = trade_legs.write_leg(leg, PLAIN)
        assert same(text, "secl.001.001.03", lambda leaves: trade_legs.read_leg(leaves, PLAIN)) == leg
    order = list(dict.fromkeys(leg.account for leg in several))
    ordered = tuple(sorted(several, key=lambda leg: order.index(leg.account)))
    statement = trade_legs.LegStatement("S1", "2026-01-05", "A", ordered)
    text = trade_legs.write_legs(statement, PLAIN)
    assert same(text, "secl.003.001.03", lambda leaves: trade_legs.read_legs(leaves, PLAIN)) == statement


@st.composite
def net_positions(draw: st.DrawFn) -> net_position.NetPosition:
    """Return a net position, long, short or of money alone."""
    return net_position.NetPosition(
        account=draw(ACCOUNTS), isin=draw(ISINS), market=draw(st.sampled_from(["XHKG", "CMU"])), settles=draw(DATES),
        units=draw(st.integers(-(10**9), 10**9)), currency=draw(CURRENCIES),
        cents=draw(st.integers(-(10**14), 10**14)),
    )  # fmt: skip


@given(st.lists(net_positions(), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_net_positions_go_out_and_come_back(several: list[net_position.NetPosition]) -> None:
    """Goal: secl.004 both ways. Method: as the module says."""
    report = net_position.NetPositionReport("R1", "2026-01-05", "A", tuple(several))
    text = net_position.write_net_positions(report, PLAIN)
    assert same(text, "secl.004.001.03", lambda leaves: net_position.read_net_positions(leaves, PLAIN)) == report


@given(st.lists(st.builds(margin_report.AccountMargin, ACCOUNTS, CENTS, CENTS), min_size=1, max_size=3), MOMENTS)
@settings(max_examples=20, deadline=None)
def test_margin_goes_out_and_comes_back(accounts: list[margin_report.AccountMargin], moment: datetime) -> None:
    """Goal: secl.005 both ways, sums checked. Method: as the module says; one cent more in the sum is refused."""
    report = margin_report.MarginReport("R1", moment, "A", tuple(accounts))
    text = margin_report.write_margin(report)
    assert same(text, "secl.005.001.02", margin_report.read_margin) == report
    total = sum(one.required_cents for one in accounts)
    old, new = (f'<TtlMrgnAmt><Amt Ccy="HKD">{cents // 100}.{cents % 100:02d}<' for cents in (total, total + 1))
    (received,) = read_messages(text.replace(old, new, 1).encode())
    with pytest.raises(Rejected, match=r"differ|add up|without direction"):
        margin_report.read_margin(leaves_of(received))


@given(st.integers(0, 10**11), CENTS)
@settings(max_examples=20, deadline=None)
def test_contributions_go_out_and_come_back(amount: int, deposited: int) -> None:
    """Goal: secl.006 both ways, and none for who is no part of the fund. Method: as the module says."""
    fund = Fund(
        size=amount, worst_day="", worst_scenario="", defaulters=(), largest_losses=(), house_part=0,
        contributions={"A": amount}, extra_margin={},
    )  # fmt: skip
    one = fund_report.contribution_of(fund, "A", "R1", "2026-01-05")
    assert fund_report.contribution_of(fund, "B", "R1", "2026-01-05") is None
    assert one.contribution_cents == amount * 100
    one = msgspec.structs.replace(one, deposited_cents=deposited)
    text = fund_report.write_contribution(one)
    assert same(text, "secl.006.001.02", fund_report.read_contribution) == one


@given(ISINS, UNITS, UNITS, CENTS, st.tuples(CENTS, CENTS, CENTS), CURRENCIES, DATES)
@settings(max_examples=20, deadline=None)
def test_buy_ins_go_out_and_come_back(
    isin: str, units: int, left: int, cents: int, owed: tuple[int, int, int], currency: str, day: str
) -> None:
    """Goal: secl.007, .008 and .009 both ways. Method: as the module says; parts that do not add up are refused."""
    failed = buy_in.Failed(
        instruction="I4", account="A/HOUSE", intended_date=day, isin=isin, units=units, left=left, currency=currency,
        cents=cents,
    )  # fmt: skip
    notice = buy_in.BuyInNotice(number="B1", member="A", last_date=day, failed=failed)
    text = buy_in.write_notice(notice, PLAIN)
    assert same(text, "secl.007.001.03", lambda leaves: buy_in.read_notice(leaves, PLAIN)) == notice
    result = buy_in.BuyInResult(
        number="B1", member="A", date=day, failed=failed, bought=left, difference_cents=owed[0], costs_cents=owed[1],
        compensation_cents=owed[2],
    )  # fmt: skip
    text = buy_in.write_result(result, PLAIN)
    assert same(text, "secl.009.001.03", lambda leaves: buy_in.read_result(leaves, PLAIN)) == result
    answer = buy_in.BuyInAnswer("B1", left % 9, units + left, left)
    text = buy_in.write_answer(answer, isin, PLAIN)
    assert same(text, "secl.008.001.03", lambda leaves: buy_in.read_answer(leaves, isin, PLAIN)) == answer
    wrong = text.replace("<CvrdQty>", "<CvrdQty><!-- -->").replace("<BuyInNtfctnId>B1", "<BuyInNtfctnId>B2")
    assert buy_in.read_answer(leaves_of(read_messages(wrong.encode())[0]), isin, PLAIN).notice == "B2"


STATES = [State(row.at, row.code) for row in code_table() if row.message == "sese.024" and "Rjctd" not in row.at]


@st.composite
def pending_lines(draw: st.DrawFn) -> pending_report.Pending:
    """Return something pending: a delivery or a payment, with states of every group or none."""
    isin, currency = draw(st.sampled_from(["", STOCK, BOND])), draw(st.sampled_from(["", "HKD"]))
    return pending_report.Pending(
        reference=str(draw(st.integers(1, 10**12))), number="I1", delivers=draw(st.booleans()), counterparty="B",
        intended_date=draw(DATES), trade_date=draw(DATES | st.just("")), isin=isin, units=draw(UNITS) if isin else 0,
        currency=currency, cents=draw(CENTS) if currency else 0, credited=bool(currency) and draw(st.booleans()),
        states=tuple(draw(st.lists(st.sampled_from(STATES), max_size=3))),
    )  # fmt: skip


@given(st.lists(pending_lines(), max_size=4))
@settings(max_examples=25, deadline=None)
def test_pending_goes_out_and_comes_back(lines: list[pending_report.Pending]) -> None:
    """Goal: semt.018 both ways, with every code of sese.024. Method: as the module says."""
    report = pending_report.PendingReport("R1", "2026-01-05", "A/HOUSE", tuple(lines))
    text = pending_report.write_pending(report, PLAIN)
    assert same(text, "semt.018.001.13", lambda leaves: pending_report.read_pending(leaves, PLAIN)) == report


@pytest.mark.parametrize("state", STATES, ids=lambda state: f"{state.at}-{state.code or 'none'}")
def test_every_state_of_an_instruction_is_one_of_a_pending_report(state: State) -> None:
    """Goal: one table serves both. Method: each row of sese.024 but refusals in a semt.018, by its schema."""
    line = pending_report.Pending(
        reference="1", number="I1", delivers=True, counterparty="B", intended_date="2026-01-05", states=(state,)
    )
    text = pending_report.write_pending(pending_report.PendingReport("R1", "2026-01-05", "A/HOUSE", (line,)), PLAIN)
    assert pending_report.read_pending(leaves_of(read_messages(text.encode())[0]), PLAIN).pending == (line,)


def keep(told: Story, path: Path) -> Path:
    """Return the house of a story on disk."""
    with Session.open(path) as session:
        session.submit([(f"setup/{place}", command) for place, command in enumerate(told.told)])
    return path


def say(house: Path, kind: str, who: str, out: Path) -> list[dict]:
    """Return what a report says to a participant, written, validated and read as its receiver would."""
    count, data = report_file(house, kind, who)
    out.write_bytes(data)
    found = read_report_file(house, out)
    assert count == len(found)
    assert {one["definition"] for one in found} <= set(REPORTS[kind].messages)
    return found


def test_members_are_told_of_trades_and_net_positions(tmp_path: Path) -> None:
    """Goal: legs and net positions are the books'. Method: a netted trade, before and after it fails; who has none."""
    told = Story()
    told.trade(0, buyer="B", seller="A")
    house = keep(told, tmp_path / "house")
    (sold,) = say(house, "trade-legs", "A", tmp_path / "A.xml")
    assert (sold["bought"], sold["units"], sold["price_e4"], sold["cents"]) == (False, 100, 3_000_000, 3_000_000)
    assert (sold["traded"], sold["settles"], sold["netted"]) == ("2026-01-05T10:00:00+08:00", "2026-01-07", True)
    (statement,) = say(house, "trade-statement", "B", tmp_path / "B.xml")
    assert [leg["bought"] for leg in statement["legs"]] == [True]
    (net,) = say(house, "net-positions", "A", tmp_path / "A.xml")
    due = told.house.obligations.due(told.house.obligations.days[0])
    place = int(np.flatnonzero(due.account == told.account("A"))[0])
    (line,) = net["positions"]
    assert (line["units"], line["cents"]) == (int(due.quantity[place]), int(due.amount_cents[place]))
    for kind in ("trade-legs", "trade-statement", "net-positions", "margin", "buy-ins"):
        assert report_file(house, kind, "C") == (0, b"")
    told.next_day(3)
    (net,) = say(keep(told, tmp_path / "later"), "net-positions", "A", tmp_path / "A.xml")
    (line,) = net["positions"]
    lines = told.house.settlement.positions
    mine = lines.account == told.account("A")
    assert (line["units"], line["settles"]) == (int(lines.open[mine].sum()), "2026-01-07")
    assert line["cents"] == -3_000_000, "what fails is never priced anew"


def test_members_are_told_their_margin(tmp_path: Path) -> None:
    """Goal: the call in the books. Method: two accounts called, one with too little money; parts add up to it."""
    told = Story()
    told.give("A", "HKD", 500)
    told.give("A/CLIENT", "HKD", 500)
    accounts = [told.account("A"), told.account("A/CLIENT"), told.account("B")]
    told.tell(do.CallMargin("test", pack(accounts, "i4"), pack([300, 900, 70], "i8")))
    (report,) = say(keep(told, tmp_path / "house"), "margin", "A", tmp_path / "A.xml")
    found = {one["account"]: (one["required_cents"], one["pledged_cents"]) for one in report["accounts"]}
    assert found == {"A/HOUSE": (300, 300), "A/CLIENT": (900, 500)}
    assert b'<DfcitAmt Ccy="HKD">4.00</DfcitAmt>' in (tmp_path / "A.xml").read_bytes()


def test_a_buy_in_from_notice_to_result(tmp_path: Path) -> None:
    """Goal: the failing party is told, may answer, and is told the end. Method: a buy-in at 320 with costs."""
    told = Story()
    number = told.agree("A", "B")
    told.next_day(5)
    told.give("AGENT", SHARE, 1_000)
    told.give("B", "HKD", 100_000_000)
    told.tell(do.StartBuyIn(number, told.account("AGENT"), "B"))
    house = keep(told, tmp_path / "house")
    (notice,) = say(house, "buy-ins", "A", tmp_path / "A.xml")
    assert (notice["number"], notice["failed"]["instruction"], notice["failed"]["left"]) == ("B0", f"I{number}", 100)
    plain, path = Directory(told.house.resolved), tmp_path / "answer.xml"
    for answer, who, reason in (
        (buy_in.BuyInAnswer("B0", 0, 100, 0), "A", ""),
        (buy_in.BuyInAnswer("B0", 0, 100, 40), "A", "takes no delivery and no delay"),
        (buy_in.BuyInAnswer("B0", 2, 100, 0), "A", "takes no delivery and no delay"),
        (buy_in.BuyInAnswer("B0", 0, 90, 0), "A", "100 units are bought in"),
        (buy_in.BuyInAnswer("B0", 0, 100, 0), "B", "no such buy-in of yours"),
        (buy_in.BuyInAnswer("B7", 0, 100, 0), "A", "no such buy-in of yours"),
    ):
        path.write_bytes(write_one(buy_in.write_answer(answer, SHARE, plain)))
        sent, replies = send_messages(house, path, who)
        assert (sent.done, sent.not_done, replies) == (not reason, bool(reason), b"")
        assert [reason in str(one) for one in sent.rejections] == [True] * bool(reason)
    told.tell(do.ReportBuyIn(number, 100, 3_200_000, 5_000, False, "B"))
    (result,) = say(keep(told, tmp_path / "later"), "buy-ins", "A", tmp_path / "A.xml")
    assert (result["bought"], result["difference_cents"], result["costs_cents"]) == (100, 200_000, 5_000)
    assert (result["date"], result["compensation_cents"]) == ("2026-01-12", 0)
    path.write_bytes(write_one(buy_in.write_answer(buy_in.BuyInAnswer("B0", 0, 100, 0), SHARE, plain)))
    sent, _ = send_messages(tmp_path / "later", path, "A")
    assert "the buy-in is over" in str(sent.rejections[0])


def test_what_is_pending_is_what_has_not_settled(tmp_path: Path) -> None:
    """Goal: no line more or less. Method: an order alone, a delivery settled in part, one whole."""
    told = Story()
    told.run("continuous-settlement")
    told.give("A", SHARE, 140)
    told.give("B", "HKD", 10_000_000)
    whole = told.agree("A", "B")
    part = told.agree("A", "B", partial=1)
    lone, waits = told.send("B", "receives", "A", quantity=7, amount_cents=700)
    told.run("partial-settlement-1")
    assert (told.status(whole), lone) == ("settled", "waits")
    left = told.cell(part, "open_quantity")
    house = keep(told, tmp_path / "house")
    for who, delivers in (("A", True), ("B", False)):
        reports = {one["account"]: one for one in say(house, "pending", who, tmp_path / f"{who}.xml")}
        assert not reports[f"{who}/CLIENT"]["pending"]
        lines = reports[f"{who}/HOUSE"]["pending"]
        assert [one["number"] for one in lines] == [*([f"O{waits}"] if who == "B" else []), f"I{part}"]
        line = lines[-1]
        assert (line["units"], line["cents"], line["delivers"]) == (left, left * 30_000, delivers)
        assert line["credited"] is delivers
        assert line["states"][-1]["code"] == ("LACK" if delivers else "CLAC")


def test_an_allegement_that_ends_is_told(tmp_path: Path) -> None:
    """Goal: sese.029 to who was alleged. Method: an order alleged at a cut-off, cancelled after it."""
    told = Story()
    _, number = told.send("A", "delivers", "B")
    told.run("batch-settlement-run-2")
    before = len(told.told)
    told.act_on_order("A", number, "cancel")
    house = keep(told, tmp_path / "house")
    count, data = answer_file(house, "B", before)
    (one,) = read_messages(data)
    assert (count, one.message) == (1, "sese.029.001.06")
    gone = allegement.read_removal(leaves_of(one))
    assert gone == allegement.AllegementRemoval(number=f"O{number}", delivers=False, free=False)
    assert answer_file(house, "B", before + 1)[0] == 0
    bics = tmp_path / "bics.csv"
    bics.write_text("participant,bic\nB,BETAHKHH\nHKSCC,TSNGHKHH\n", encoding="utf-8")
    count, data = answer_file(house, "B", before, bics, ".fin")
    assert (count, b":23G:REMO" in data, b":20C::PREV//O0" in data) == (1, True, True)
    count, data = answer_file(keep(told_before(told, before), tmp_path / "early"), "B", None, bics, ".fin")
    assert (count, b"{2:I578BETAHKHH" in data, b":23G:NEWM" in data) == (1, True, True)


def told_before(told: Story, count: int) -> Story:
    """Return a story of the first commands of another."""
    early = Story()
    early.told = told.told[:count]
    return early


def test_reports_are_read_by_their_receiver_only(tmp_path: Path) -> None:
    """Goal: unknown kinds, participants and messages that are no reports are refused. Method: one of each."""
    house = keep(Story(), tmp_path / "house")
    for kind, who, text in (("weather", "A", "no report 'weather'"), ("pending", "Z", "no participant 'Z'")):
        with pytest.raises(Rejected, match=text):
            report_file(house, kind, who)
    path = tmp_path / "in.xml"
    path.write_bytes(document())
    with pytest.raises(Rejected, match="not taken here"):
        read_report_file(house, path)
    assert {message for one in REPORTS.values() for message in one.messages} <= set(READERS)
