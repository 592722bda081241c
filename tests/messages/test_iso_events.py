"""seev.031 to .036 both ways, and against the books of a house.

Goal: holders are told of an event, may choose, and are told what it will move and has moved, to the unit and cent.
Method: drawn contents through schema and oracle; one story for each family of events, each account's balances before
and after beside what it was told.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso_oracle import same

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "custody_events"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "custody"))

from clearing_book import resolved
from custody_story import CustodyStory, day
from event_story import EX, OTHER, PAY, RECORD, RIGHT, SHARE, EventStory, cash

from tsingma.app.iso_files import send_messages
from tsingma.app.iso_reading import read_report_file
from tsingma.app.iso_reports import report_file
from tsingma.app.session import Session
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.custody.events.terms import ISO_CODES
from tsingma.journal.corporate_action_commands import EventKind, EventOption, FractionRule
from tsingma.journal.custody_commands import PayDue
from tsingma.messages.iso20022 import event_election, event_movements, event_notice
from tsingma.messages.iso20022.codes import State, code_table, meaning_of, refusal
from tsingma.messages.iso20022.header import write_one
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import read_messages

BOND, STOCK = "HK0000096088", "KYG875721634"
PLAIN = Directory(resolved(), face_cents={BOND: 100_000})
ISINS, UNITS, CENTS = st.sampled_from([STOCK, BOND]), st.integers(0, 10**9), st.integers(0, 10**14)
SIGNED = st.integers(-(10**9), 10**9)
DATES = st.dates().map(str)
CODES = st.sampled_from(["CASH", "SECU", "EXER", "LAPS", "OTHR", "FAST"])
KINDS = st.sampled_from(sorted(ISO_CODES.values()))
MONIES = st.sampled_from(["HKD", "CNY", "USD"])
AMOUNTS = st.integers(1, 10**12).map(lambda one: f"{one // 10**4}.{one % 10**4:04d}")


@st.composite
def notices(draw: st.DrawFn) -> event_notice.EventNotice:
    """Return an event as it is announced: dates of its family, options with money and shares."""
    kind = draw(KINDS)
    dividend = kind in ("DVCA", "DVOP")
    options = tuple(
        event_notice.NoticeOption(
            code=draw(CODES), is_default=draw(st.booleans()),
            cash=tuple(
                event_notice.CashGiven(draw(MONIES), draw(AMOUNTS), dividend or draw(st.booleans()))
                for _ in range(draw(st.integers(0, 2)))
            ),
            shares=tuple(
                event_notice.SharesGiven(draw(ISINS), draw(st.integers(1, 10**9)), draw(st.integers(1, 10**9)))
                for _ in range(draw(st.integers(0, 2)))
            ),
        )
        for _ in range(draw(st.integers(1, 3)))
    )  # fmt: skip
    return event_notice.EventNotice(
        identifier="N1", reference="DIV/2026-1", kind=kind, choice=draw(st.sampled_from(["MAND", "CHOS", "VOLU"])),
        isin=draw(ISINS), announced=draw(DATES), replaces=draw(st.booleans()),
        accounts=tuple(draw(st.dictionaries(st.sampled_from(["A/HOUSE", "A/CLIENT"]), SIGNED, min_size=1)).items()),
        options=options, ex=draw(DATES | st.just("")), effective=draw(DATES | st.just("")),
        record=draw(DATES | st.just("")), deadline=draw(DATES | st.just("")), payment=draw(DATES),
    )  # fmt: skip


@given(notices())
@settings(max_examples=20, deadline=None)
def test_notices_go_out_and_come_back(one: event_notice.EventNotice) -> None:
    """Goal: seev.031 both ways. Method: as the module says."""
    text = event_notice.write_notice(one, PLAIN)
    assert same(text, "seev.031.001.14", lambda leaves: event_notice.read_notice(leaves, PLAIN)) == one


@st.composite
def movements(draw: st.DrawFn) -> event_movements.Movements:
    """Return what moves on an account: units in and out, money with tax or in lieu, something at least."""
    signs = st.sampled_from([-1, 1])
    shares = tuple(
        event_movements.SharesMoved(draw(ISINS), draw(signs) * draw(st.integers(1, 10**9)))
        for _ in range(draw(st.integers(0, 2)))
    )
    money = tuple(
        event_movements.CashMoved(
            draw(MONIES), draw(signs) * draw(st.integers(1, 10**14)), draw(CENTS), draw(st.booleans())
        )
        for _ in range(draw(st.integers(0 if shares else 1, 2)))
    )
    return event_movements.Movements(
        identifier="M1", reference="CA1", kind=draw(KINDS), choice=draw(st.sampled_from(["MAND", "CHOS", "VOLU"])),
        isin=draw(ISINS), account="A/HOUSE", units=draw(st.integers(-(10**9), 10**9)), option=draw(st.integers(0, 8)),
        code=draw(CODES), date=draw(DATES), is_default=draw(st.booleans()), shares=shares, cash=money,
    )  # fmt: skip


@given(movements())
@settings(max_examples=25, deadline=None)
def test_movements_go_out_and_come_back(one: event_movements.Movements) -> None:
    """Goal: seev.035 and seev.036 both ways; the latter does not say who had a choice. Method: as the module says."""
    text = event_movements.write_advice(one, PLAIN)
    assert same(text, "seev.035.001.15", lambda leaves: event_movements.read_advice(leaves, PLAIN)) == one
    text = event_movements.write_confirmation(one, PLAIN)
    told = msgspec.structs.replace(one, choice="", is_default=False)
    assert same(text, "seev.036.001.15", lambda leaves: event_movements.read_confirmation(leaves, PLAIN)) == told


ROWS = [State(row.at, row.code) for row in code_table() if row.message == "seev.034"]
ELECTIONS = st.builds(
    lambda kind, option, code, units: event_election.Election(
        reference="CA1", kind=kind, account="A/HOUSE", option=option, code=code, units=units
    ),
    KINDS, st.integers(0, 8), CODES, UNITS,
)  # fmt: skip


@given(ELECTIONS, ISINS, st.sampled_from(ROWS), st.sampled_from(["", "M1"]))
@settings(max_examples=20, deadline=None)
def test_elections_go_out_and_come_back(one: event_election.Election, isin: str, state: State, identifier: str) -> None:
    """Goal: seev.033 and seev.034 both ways, with every code of the table. Method: as the module says."""
    text = event_election.write_election(one, isin, PLAIN)
    assert same(text, "seev.033.001.12", lambda leaves: event_election.read_election(leaves, isin, PLAIN)) == one
    said = event_election.ElectionStatus(identifier, one, state)
    text = event_election.write_status(said, isin, PLAIN)
    assert same(text, "seev.034.001.14", lambda leaves: event_election.read_status(leaves, isin, PLAIN)) == said
    assert meaning_of("seev.034", state)


def test_every_code_can_be_said_and_every_reason_has_one() -> None:
    """Goal: no choice is refused in silence. Method: every row by the schema, every reason by the table."""
    one = event_election.Election(reference="CA1", kind="DVOP", account="A/HOUSE", option=0, code="CASH", units=7)
    for state in ROWS:
        read_messages(event_election.write_status(event_election.ElectionStatus("", one, state), STOCK, PLAIN).encode())
    for reason in RejectionReason:
        found = refusal("seev.034", Rejection(reason=reason, message="no"), date(2026, 1, 5))
        assert (found.at, found.text) == ("InstrPrcgSts/Rjctd", "no")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("<OptnNb><Nb>001</Nb>", "<OptnNb><Cd>UNSO</Cd>", "CorpActnInstr/OptnNb/Cd"),
        ("<Nb>001</Nb>", "<Nb>000</Nb>", "CorpActnInstr/OptnNb/Nb"),
        ("<InstdQty><Qty><Unit>7</Unit></Qty>", "<InstdQty><Cd>QALL</Cd>", event_election._QUANTITY + "/Cd"),
        ("<SfkpgAcct>A/HOUSE</SfkpgAcct>", "<AcctOwnr><AnyBIC>ALPHHKHH</AnyBIC></AcctOwnr>", "AcctDtls/SfkpgAcct"),
        ("<Unit>7</Unit>", "<Unit>7.5</Unit>", f"{event_election._QUANTITY}/Qty/Unit"),
    ],
)
def test_usage_rules_of_elections(old: str, new: str, field: str) -> None:
    """Goal: what is not acted on is refused, not passed over. Method: one breach a message."""
    one = event_election.Election(reference="CA1", kind="DVOP", account="A/HOUSE", option=0, code="CASH", units=7)
    text = event_election.write_election(one, STOCK, PLAIN)
    assert old in text
    with pytest.raises(Rejected) as caught:
        event_election.read_election(leaves_of(read_messages(text.replace(old, new).encode())[0]), STOCK, PLAIN)
    assert caught.value.rejections[0].field == field


def keep(told: EventStory | CustodyStory, path: Path, since: int = 0) -> Path:
    """Return the house of a story on disk, with snapshots at a record and at the end."""
    with Session.open(path) as session:
        for first, last in ((0, since), (since, len(told.told))):
            session.submit([(f"setup/{place}", told.told[place]) for place in range(first, last)])
            session.sequencer.snapshot()
    return path


def say(house: Path, kind: str, who: str, since: int | None = None) -> list[dict]:
    """Return what a report says to a participant, [] when there is nothing to report."""
    count, data = report_file(house, kind, who, since=since)
    if not count:
        return []
    out = house.parent / "out.xml"
    out.write_bytes(data)
    found = read_report_file(house, out)
    assert len(found) == count
    return found


def dividend(told: EventStory) -> None:
    """A cash dividend of 78 cents, on 1,000 and 501 shares."""
    told.give("ISSUER/ISSUANCE", "HKD", 10**9)
    told.announce(EventKind.CASH_DIVIDEND, EventOption("CASH", cash=(cash(780),)))


def scrip(told: EventStory) -> None:
    """Cash by default, or one new share for 50: A takes shares for 600 of its 1,000."""
    told.give("ISSUER/ISSUANCE", "HKD", 10**9)
    told.announce(
        EventKind.SCRIP_DIVIDEND, EventOption("CASH", cash=(cash(780),), is_default=True),
        EventOption("SECU", shares=(told.shares(SHARE, 1, 50),)),
    )  # fmt: skip


def bonus(told: EventStory) -> None:
    """One share for ten, fractions paid at 60 dollars a share."""
    told.give("ISSUER/ISSUANCE", "HKD", 10**9)
    told.announce(
        EventKind.BONUS_ISSUE, EventOption("SECU", shares=(told.shares(SHARE, 1, 10),)),
        fractions=FractionRule.CASH_IN_LIEU, fraction_price=cash(60_000),
    )  # fmt: skip


def split(told: EventStory) -> None:
    """Five shares for two."""
    told.announce(EventKind.SPLIT, EventOption("SECU", shares=(told.shares(SHARE, 5, 2),)))


def merger(told: EventStory) -> None:
    """Two shares of another company for three, and two dollars each."""
    told.give("ISSUER/ISSUANCE", "HKD", 10**9)
    told.announce(EventKind.MERGER, EventOption("SECU", cash=(cash(2_000),), shares=(told.shares(OTHER, 2, 3),)))


def offer(told: EventStory) -> None:
    """A take-over of 600 shares at 66 dollars."""
    told.announce(
        EventKind.TAKE_OVER, EventOption("CASH", cash=(cash(66_000),)), counterparty=told.account("BIDDER"),
        minimum=400, limit=600,
    )  # fmt: skip


def exercise(told: EventStory) -> None:
    """Rights to two shares for three at 50 dollars; what is not exercised lapses."""
    option = EventOption("EXER", cash=(cash(-50_000),), shares=(told.shares(SHARE, 2, 3),))
    told.announce(EventKind.RIGHTS_EXERCISE, option, isin=RIGHT)


ELECTED = {"scrip": (1, 600), "offer": (0, 1_000), "exercise": (0, 600)}


@pytest.mark.parametrize(
    "begin", [dividend, scrip, bonus, split, merger, offer, exercise], ids=lambda one: one.__name__
)
def test_what_is_told_is_what_the_books_do(begin: Callable[[EventStory], None], tmp_path: Path) -> None:
    """Goal: advice, confirmation and books agree to the cent. Method: A and B hold; balances around the day."""
    told = EventStory()
    told.give("A", RIGHT if begin is exercise else SHARE, 1_000)
    told.give("B", RIGHT if begin is exercise else SHARE, 501)
    begin(told)
    if begin in (scrip, offer, exercise):
        if begin is scrip:
            told.until(RECORD)
            told.evening()
            told.night()
        told.elect("A", *ELECTED[begin.__name__])
    last = EX - 1 if begin in (split, merger) else PAY
    told.until(last)
    if begin in (split, merger):
        told.run(told_last())
    assets = (*CURRENCIES, SHARE, OTHER, RIGHT)
    before = {(who, asset): told.has(who, asset) for who in "AB" for asset in assets}
    soon = keep(told, tmp_path / "before")
    advised = {who: say(soon, "event-advices", who) for who in "AB"}
    since = len(told.told)
    told.run_events()
    house = keep(told, tmp_path / "after", since)
    for who in "AB":
        moved = dict.fromkeys(assets, 0)
        confirmed = say(house, "event-confirmations", who, since)
        for one in confirmed:
            assert (one["account"], one["reference"]) == (f"{who}/HOUSE", "CA1")
            for part in one["shares"]:
                moved[part["isin"]] += part["units"]
            for part in one["cash"]:
                moved[part["currency"]] += part["cents"]
        assert moved == {asset: told.has(who, asset) - before[who, asset] for asset in assets}
        assert any(moved.values()) or (who == "B" and begin is offer)
        aside = {"identifier": "", "choice": "", "is_default": False, "definition": "", "date": ""}
        known, soon_known = ([{**one, **aside} for one in several] for several in (confirmed, advised[who]))
        assert soon_known == known
    assert say(house, "event-confirmations", "C", since) == []


def told_last() -> str:
    """Return the last step of the timetable: after it, conversions are due."""
    from tsingma.settlement.timetable import timetable

    return timetable()[-1].name


def test_coupons_and_redemption_are_told(tmp_path: Path) -> None:
    """Goal: what a registered bond pays, to the cent. Method: a coupon and the maturity; balances around each."""
    told = CustodyStory()
    told.register("BOND", maturity_day=day(2026, 7, 7))
    told.register("BOND2")
    told.issue("BOND", A=700, B=30)
    told.issue("BOND2", A=11, B=7)
    told.give("MOF", "CNY", 10**9)
    told.go_to(2026, 7, 6)
    told.go_to(2026, 7, 7)
    dues = told.house.custody.dues.rows
    kinds = [{"coupon": "INTR", "maturity": "REDM"}[due.kind] for due in dues]
    assert sorted(kinds) == ["INTR", "REDM"]
    before = {(who, what): told.has(who, what) for who in "AB" for what in ("CNY", "BOND", "BOND2")}
    advised = {who: say(keep(told, tmp_path / f"soon-{who}"), "event-advices", who) for who in "AB"}
    since = len(told.told)
    for number in range(len(dues)):
        told.tell(PayDue(number))
    house = keep(told, tmp_path / "after", since)
    for who in "AB":
        confirmed = say(house, "event-confirmations", who, since)
        assert [one["kind"] for one in confirmed] == kinds
        cash = sum(part["cents"] for one in confirmed for part in one["cash"])
        units = sum(part["units"] for one in confirmed for part in one["shares"])
        assert cash == told.has(who, "CNY") - before[who, "CNY"]
        assert units == told.has(who, "BOND") - before[who, "BOND"] == -before[who, "BOND"]
        assert told.has(who, "BOND2") == before[who, "BOND2"]
        posted = next(one for one in say(house, "postings", who, since) if one["account"] == f"{who}/HOUSE")
        (gone,) = posted["securities"]
        assert [(one["activity"], one["units"]) for one in gone["postings"]] == [("CORP", units)]
        assert [(one["cash"], one["shares"]) for one in advised[who]] == [
            (one["cash"], one["shares"]) for one in confirmed
        ]
    assert say(house, "event-confirmations", "MOF", since) == []


def test_two_events_of_one_evening_are_told_one_after_the_other(tmp_path: Path) -> None:
    """Goal: an event is told from what the one before it left. Method: a split and a merger of the new day's shares."""
    told = EventStory()
    told.give("A", SHARE, 1_000)
    told.give("ISSUER/ISSUANCE", "HKD", 10**9)
    told.announce(EventKind.SPLIT, EventOption("SECU", shares=(told.shares(OTHER, 3, 1),)), isin=OTHER)
    told.announce(EventKind.MERGER, EventOption("SECU", shares=(told.shares(OTHER, 1, 1),)), reference="CA2")
    told.give("A", OTHER, 10)
    told.until(EX - 1)
    told.run(told_last())
    since = len(told.told)
    told.run_events()
    first, second = say(keep(told, tmp_path / "house", since), "event-confirmations", "A", since)
    assert [part["units"] for part in first["shares"]] == [-10, 30]
    assert [(part["isin"], part["units"]) for part in second["shares"]] == [(SHARE, -1_000), (OTHER, 1_000)]
    assert told.has("A", OTHER) == 1_030


def test_holders_are_told_and_choose_by_message(tmp_path: Path) -> None:
    """Goal: from notification to a choice that stands. Method: a scrip dividend; good and bad instructions, replies."""
    told = EventStory()
    told.give("A", SHARE, 1_000)
    scrip(told)
    told.until(RECORD)
    told.evening()
    told.night()
    house = keep(told, tmp_path / "house")
    (notice,) = say(house, "events", "A")
    assert (notice["kind"], notice["choice"], notice["accounts"]) == ("DVOP", "CHOS", (("A/HOUSE", 1_000),))
    assert [(one["code"], one["is_default"]) for one in notice["options"]] == [("CASH", True), ("SECU", False)]
    assert notice["options"][0]["cash"] == ({"currency": "HKD", "amount": "0.78", "credited": True},)
    assert (notice["record"], notice["deadline"], notice["payment"]) == ("2026-01-09", "2026-01-14", "2026-01-16")
    assert say(house, "events", "C") == []
    plain, path, out = Directory(told.house.resolved), tmp_path / "choice.xml", tmp_path / "replies.xml"
    one = event_election.Election(reference="CA1", kind="DVOP", account="A/HOUSE", option=1, code="SECU", units=600)
    for change, who, code in (
        ({}, "A", "NORE"), ({"units": 1_001}, "A", "LACK"), ({"option": 2}, "A", "OPNM"),
        ({"code": "CASH"}, "A", "OPNM"),
        ({"kind": "DVCA"}, "A", "EVNM"), ({"reference": "CA9"}, "A", "EVNM"), ({"account": "B/HOUSE"}, "A", "SAFE"),
        ({}, "B", "SAFE"),
    ):  # fmt: skip
        said = msgspec.structs.replace(one, **change)
        path.write_bytes(write_one(event_election.write_election(said, SHARE, plain)))
        sent, replies = send_messages(house, path, who)
        assert (sent.done, sent.not_done) == (code == "NORE", code != "NORE")
        out.write_bytes(replies)
        (reply,) = read_report_file(house, out)
        assert (reply["state"]["code"], reply["election"]["units"]) == (code, said.units)
        assert (reply["state"]["text"] != "") == (code != "NORE")
    with Session.open(house, read_only=True) as session:
        assert session.house.corporate_actions.get("CA1").elections == ((told.account("A"), 1, 600),)
