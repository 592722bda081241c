"""reda.017, .012 and .021 both ways, and a house's book from and to them; the report commands by hand.

Goal: a book told in messages is the same book, order and all, and a house started with it is the same house. Method:
drawn rows through schema and oracle; books of a story and of a simulated market, out of one house and into another.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso_oracle import same
from iso_samples import SPACE, business_file, document

sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from story import SHARE, Story

from tsingma.app.iso_book import book_from_file
from tsingma.app.iso_files import TAKEN
from tsingma.app.iso_reading import READERS, readers_of
from tsingma.app.iso_reports import report_file
from tsingma.app.session import Session
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.cli.main import main
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import LoadReference
from tsingma.messages.iso20022 import static_data
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.schema import read_messages, shipped
from tsingma.messages.market_files import read_book
from tsingma.reference.book import (
    Account,
    AccountClass,
    Counter,
    InstrumentKind,
    Participant,
    ParticipantKind,
    ReferenceBook,
)
from tsingma.simulate.market import simulate_market

NAMES = st.text(st.characters(categories=("L", "N", "P", "S"), max_codepoint=0x9FFF), max_size=40)
CODES = st.from_regex(r"[A-Z0-9-]{1,16}", fullmatch=True)
PARTIES = st.builds(
    Participant, code=CODES, name=NAMES, kind=st.sampled_from(list(ParticipantKind)),
    lei=st.sampled_from(["", "529900T8BM49AURSDO55"]),
)  # fmt: skip
ACCOUNTS = st.builds(Account, participant=CODES, account_class=st.sampled_from(list(AccountClass)), name=NAMES)
COUNTERS = st.builds(
    Counter, code=st.from_regex(r"[A-Z0-9]{1,12}", fullmatch=True), isin=st.sampled_from([SHARE, "HK0000096088"]),
    currency=st.sampled_from(["HKD", "CNY"]), kind=st.sampled_from(list(InstrumentKind)),
    market=st.sampled_from(["XHKG", "CMU"]), lot=st.integers(1, 10**6), tick_e4=st.integers(1, 10**6),
    settlement_counter=st.booleans(), name=NAMES, underlying=st.sampled_from(["", "700"]), duty_exempt=st.booleans(),
    conversion_ratio=st.integers(0, 10**6),
)  # fmt: skip


@given(st.lists(PARTIES, min_size=1, max_size=3), st.lists(ACCOUNTS, min_size=1, max_size=3),
       st.lists(COUNTERS, min_size=1, max_size=3))  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_static_data_goes_out_and_comes_back(
    parties: list[Participant], accounts: list[Account], counters: list[Counter]
) -> None:
    """Goal: reda.017, .021 and .012 both ways. Method: as the module says."""
    text = static_data.write_parties(tuple(parties), "S1", {parties[0].code: "ALPHHKHH"})
    assert same(text, "reda.017.001.02", static_data.read_parties) == tuple(parties)
    text = static_data.write_accounts(tuple(accounts), "S1")
    assert same(text, "reda.021.001.01", static_data.read_accounts) == tuple(accounts)
    text = static_data.write_securities(tuple(counters), "S1")
    assert same(text, "reda.012.001.01", static_data.read_securities) == tuple(counters)


def simulated_book() -> ReferenceBook:
    """Return the book of a simulated market."""
    return simulate_market(3, date(2026, 1, 5), 1, 10).book


@pytest.mark.parametrize("make", [lambda: Story().told[0].book, simulated_book], ids=["story", "market"])
def test_a_house_started_from_messages_is_the_same_house(make: Callable[[], ReferenceBook], tmp_path: Path) -> None:
    """Goal: nothing of a book is lost. Method: book to house to messages to book; state hashes of two houses."""
    book = make()
    with Session.open(tmp_path / "house") as session:
        session.once("reference", lambda: LoadReference(book))
        digest = session.house.digest()
    out, path = tmp_path / "static.xml", tmp_path / "market" / "reference.json"
    out.write_bytes(report_file(tmp_path / "house", "static-data", "HKSCC")[1])
    figures = book_from_file(out, path)
    sizes = len(book.participants), len(book.accounts), len(book.counters)
    assert tuple(figures.values()) == sizes
    again = read_book(path)
    assert again == book
    other = House()
    step(other, LoadReference(again))
    assert other.digest() == digest


def test_participants_see_their_own_accounts_only(tmp_path: Path) -> None:
    """Goal: no account of others. Method: what A is told."""
    told = Story()
    with Session.open(tmp_path / "house") as session:
        session.submit([("reference", told.told[0])])
    found = read_messages(report_file(tmp_path / "house", "static-data", "A")[1])
    mine = static_data.read_accounts(leaves_of(found[-1]))
    assert {one.participant for one in mine} == {"A"}
    assert len(mine) == 2


def test_faults_of_static_data(tmp_path: Path) -> None:
    """Goal: a book that cannot be is refused with its place. Method: one breach a file, and what is missing."""
    book = Story().told[0].book
    documents = [
        static_data.write_parties(book.participants, "S1", {}), static_data.write_securities(book.counters, "S1"),
        static_data.write_accounts(book.accounts, "S1"),
    ]  # fmt: skip
    path, out = tmp_path / "static.xml", tmp_path / "reference.json"
    for old, new, text in (
        (">direct-clearing<", ">grocer<", "Invalid enum value 'grocer'"),
        ("<SysPty>", "<BizErr><Err><Cd>X</Cd></Err></BizErr><SysPty>", "This element is not expected"),
        (f"<ISIN>{SHARE}<", "<ISIN>KYG875721635<", "wrong check digit"),
        (">COUNTER<", ">TICKER<", "names no counter"),
        ("<Id>A/HOUSE<", "<Id>B/HOUSE<", "is not an account of B"),
        ("<Id>A/HOUSE<", "<Id>A/ATTIC<", "Invalid enum value 'ATTIC'"),
        ("<Unit>100<", "<Unit>100.5<", "Expected `int`"),
        ("<LastPgInd>true<", "<LastPgInd>false<", "not the whole report"),
        (f"<ISIN>{SHARE}<", "<ISIN>HK2800008867<", "2 settlement counters"),
    ):
        changed = [one.replace(old, new, 1) for one in documents]
        assert changed != documents
        path.write_bytes(business_file(*(one.encode() for one in changed)))
        with pytest.raises(Rejected, match=text):
            book_from_file(path, out)
    path.write_bytes(business_file(documents[0].encode()))
    with pytest.raises(Rejected, match="there are no counters in it"):
        book_from_file(path, out)
    assert not out.exists()


@pytest.mark.parametrize("message", [one for one in shipped() if not one.startswith("head")])
def test_nothing_hostile_comes_in_by_any_message(message: str, tmp_path: Path) -> None:
    """Goal: one border for all. Method: an external entity, a bomb and a foreign body in a Document of each message."""
    (tmp_path / "secret").write_text("S3CRET", encoding="utf-8")
    entity = f"<!DOCTYPE d [<!ENTITY x SYSTEM '{(tmp_path / 'secret').as_uri()}'>]>"
    bomb = "<!DOCTYPE d [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
    for before, body in ((entity, "<X>&x;</X>"), (bomb, "<X>&b;</X>"), ("", "<X/>")):
        with pytest.raises(Rejected) as caught:
            read_messages(document(body, message, before))
        assert "S3CRET" not in str(caught.value)
        assert caught.value.rejections[0].reason is RejectionReason.MALFORMED
    assert SPACE + message in document("", message).decode()


def test_every_message_is_spoken_and_on_the_page() -> None:
    """Goal: no schema that nothing uses, and no message the page forgets. Method: page, schemas, readers and border."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "files-iso20022.md").read_text(encoding="utf-8")
    rows = "".join(line.split("|")[1] for line in page.splitlines() if re.match(r"\| [a-z]{4}\.\d{3}\.001", line))
    told = set(re.findall(r"[a-z]{4}\.\d{3}\.001\.\d{2}", rows))
    assert told == set(shipped())
    spoken = {*TAKEN, *readers_of(House())}
    assert {one for one in told if not one.startswith("head")} == spoken


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> object:
    """Run a command that prints JSON."""
    capsys.readouterr()
    assert main(["messages", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_reports_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: what people type. Method: kinds, a report, what it says, the fund, a book; faults as one line."""
    told = Story()
    told.trade(0, buyer="B", seller="A")
    house, out = str(tmp_path / "house"), tmp_path / "out" / "A.xml"
    with Session.open(house) as session:
        session.submit([(f"setup/{place}", command) for place, command in enumerate(told.told)])
    kinds = {one["kind"]: one["messages"] for one in run(capsys, "reports")}
    assert {message for several in kinds.values() for message in several} <= set(READERS)
    asked = ("--house", house, "--participant", "A", "--out", str(out))
    assert run(capsys, "report", "net-positions", *asked)["messages"] == 1
    assert run(capsys, "check", "--file", str(out)) == {"secl.004.001.03": 1}
    (shown,) = run(capsys, "show", "--file", str(out), "--house", house)
    assert (shown["member"], shown["positions"][0]["units"]) == ("A", -100)
    exposures, keys = tmp_path / "E.csv", tmp_path / "K.csv"
    exposures.write_text(
        "day,scenario,participant,group,loss,collateral\n2026-01-05,S,A,A,300000000,0\n", encoding="utf-8"
    )
    keys.write_text("day,participant,key\n2026-01-05,A,1\n2026-01-05,B,1\n", encoding="utf-8")
    assert run(capsys, "fund", "--exposures", str(exposures), "--keys", str(keys), *asked)["messages"] == 1
    (shown,) = run(capsys, "show", "--file", str(out), "--house", house)
    assert (shown["contribution_cents"], shown["deposited_cents"]) == (13_500_000_000, 0)
    assert run(capsys, "report", "static-data", "--house", house, "--participant", "HKSCC", "--out", str(out))
    made = run(capsys, "book", "--file", str(out), "--out", str(tmp_path / "reference.json"))
    assert made["counters"] == 3
    assert msgspec.json.decode((tmp_path / "reference.json").read_bytes())["counters"][0]["code"] == "700"
    for arguments, text in (
        (("report", "weather", *asked), "no report 'weather' (trade-legs"),
        (("report", "postings", "--since", "999", *asked), "no record 999"),
    ):
        assert main(["messages", *arguments]) == 2
        assert text in capsys.readouterr().err
