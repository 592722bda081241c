"""A day on the production engine driven by sese.023 files alone, beside the same day driven by CSV.

Goal: two ways in, one state; and who sends instructions gets statuses and confirmations that add up to the books.
Method: two houses on disk with the same setup, the same drawn orders as CSV and as sese.023, the timetable
through to the proof of the day; then state hashes, and every answer counted against the house's tables.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest
from iso_day_story import MOMENT, NIGHT, drawn_orders, finish, open_house, state

sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from story import FUND, SHARE, Story

from tsingma.app.instructions import send_file
from tsingma.app.iso_convert import convert_file
from tsingma.app.iso_files import answer_file, send_messages
from tsingma.app.session import Session
from tsingma.basics.rejection import Rejected
from tsingma.journal.commands import RunStep, SubmitInstructions, decode
from tsingma.messages.instruction_file import read_rows, write_rows
from tsingma.messages.iso20022 import requests, status
from tsingma.messages.iso20022.confirmation import read_confirmation
from tsingma.messages.iso20022.header import Header, read_header, write_file
from tsingma.messages.iso20022.instruction import Instruction
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.orders import write_orders
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import read_messages
from tsingma.settlement.instruction import CANCELLED, FAILING, MATCHED, ON_HOLD, SETTLED
from tsingma.settlement.orders import WAITING
from tsingma.settlement.timetable import timetable


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_day_by_messages_ends_as_a_day_by_csv(tmp_path: Path, seed: int) -> None:
    """Goal: a day has one end in either form. Method: as the module says, four senders, around the first settlement."""
    by_csv, by_message = open_house(tmp_path / "csv"), open_house(tmp_path / "iso")
    directory, refused = Directory(state(by_csv).resolved), 0
    hashes = [state(by_csv).digest()]
    for part in (0, 1):
        for who, several in drawn_orders(seed).items():
            half = several[part::2]
            csv, xml = tmp_path / f"{who}{part}.csv", tmp_path / f"{who}{part}.xml"
            csv.write_bytes(write_rows(msgspec.structs.asdict(one) for one in half))
            xml.write_bytes(write_orders(half, directory, f"{who}{part}", MOMENT))
            sent, (answered, replies) = send_file(by_csv, csv, who), send_messages(by_message, xml, who)
            assert (sent.waiting, sent.matched, sent.refused) == (answered.waiting, answered.matched, answered.refused)
            rejected = [status.read_advice(leaves_of(one)) for one in read_messages(replies)] if replies else []
            assert len(rejected) == sent.refused
            refused += sent.refused
            assert {one.states[0].at for one in rejected} <= {"PrcgSts/Rjctd"}
        for house in (by_csv, by_message):
            with Session.open(house) as session:
                if part == 0:
                    for entry in timetable():
                        session.once(f"step/{entry.name}", lambda entry=entry: RunStep(entry.name))
                        if entry.name == NIGHT:
                            break
        hashes.append(state(by_csv).digest())
        assert state(by_message).digest() == hashes[-1]
    hashes.append(finish(by_csv))
    assert finish(by_message) == hashes[-1]
    assert len(set(hashes)) == 4, "a day in which nothing happens shows nothing"
    assert sources(by_message) == {f"{who}{part}.xml" for who in "ABCD" for part in (0, 1)}
    assert sources(by_csv) == {f"{who}{part}.csv" for who in "ABCD" for part in (0, 1)}
    table, orders = state(by_csv).settlement.instructions.table, state(by_csv).settlement.orders.table
    settled = table["status"] == SETTLED
    assert min(refused, int(settled.sum()), int((~settled).sum()), int((orders["status"] == WAITING).sum())) > 3
    assert ((table["open_quantity"] < table["quantity"]) & ~settled).any(), "no part has settled"
    check_answers(by_message)


def sources(house: Path) -> set[str]:
    """Return the files that brought orders into a house, as its journal has them."""
    with Session.open(house, read_only=True) as session:
        commands = [decode(record.body) for record in session.store.read()]
    return {one.source for one in commands if isinstance(one, SubmitInstructions)}


def check_answers(house: Path) -> None:
    """Count what each participant is told against the books."""
    books = state(house)
    table, orders, owner = books.settlement.instructions.table, books.settlement.orders.table, books.resolved
    directory = Directory(owner)
    delivered: Counter[str] = Counter()
    for who in "ABCD":
        count, data = answer_file(house, who)
        received = read_messages(data)
        assert len(received) == count
        assert all(read_header(one).receiver == who for one in received)
        kinds = Counter(one.message for one in received)
        index = owner.participant_index[who]
        sides = [owner.account_participant[table[side]] == index for side in ("deliverer", "receiver")]
        told = sum(int((side & (table["status"] != SETTLED)).sum()) for side in sides)
        alone = int(((orders["participant"] == index) & (orders["status"] == WAITING)).sum())
        assert kinds["sese.024.001.12"] == told + alone
        moved = (table["open_quantity"] < table["quantity"]) | (table["status"] == SETTLED)
        assert kinds["sese.025.001.11"] == sum(int((side & moved).sum()) for side in sides)
        stands, settled = {}, set()
        for one in received:
            if one.message == "sese.025.001.11":
                confirmed = read_confirmation(leaves_of(one), directory)
                settled.add((confirmed.number, confirmed.delivers, confirmed.quantity_left))
                if confirmed.delivers and confirmed.isin:
                    delivered[confirmed.isin] += confirmed.quantity
            elif one.message == "sese.024.001.12":
                advice = status.read_advice(leaves_of(one))
                stands[advice.number] = tuple(said.at for said in advice.states)
        assert settled == {
            (f"I{number}", place == 0, int(table["open_quantity"][number] if table["security"][number] >= 0 else 0))
            for place, side in enumerate(sides)
            for number in np.flatnonzero(side & moved).tolist()
        }
        assert stands == {**standing(table, sides[0] | sides[1]), **waiting(orders, index)}
    for number, isin in enumerate(owner.securities):
        mine = table["security"] == number
        assert delivered[isin] == int((table["quantity"] - table["open_quantity"])[mine].sum())


STANDS = {
    MATCHED: ("MtchgSts/Mtchd", "SttlmSts/Pdg"), ON_HOLD: ("MtchgSts/Mtchd", "SttlmSts/Pdg"),
    FAILING: ("MtchgSts/Mtchd", "SttlmSts/Flng"), CANCELLED: ("PrcgSts/Canc",),
}  # fmt: skip


def standing(table: np.ndarray, mine: np.ndarray) -> dict[str, tuple[str, ...]]:
    """Return what is to be said of each instruction of a participant that has not settled, off the books."""
    return {f"I{number}": STANDS[int(table["status"][number])]
            for number in np.flatnonzero(mine & (table["status"] != SETTLED)).tolist()}  # fmt: skip


def waiting(orders: np.ndarray, participant: int) -> dict[str, tuple[str, ...]]:
    """Return what is to be said of each order of a participant that waits for its match."""
    alone = (orders["participant"] == participant) & (orders["status"] == WAITING)
    return {f"O{number}": ("MtchgSts/Umtchd",) for number in np.flatnonzero(alone).tolist()}


def test_each_status_is_told_once(tmp_path: Path) -> None:
    """Goal: answers since a record. Method: an order alone, matched, short, settled in part."""
    told = Story()
    told.give("A", SHARE, 600)
    told.give("B", "HKD", 30_000_000)
    with Session.open(tmp_path / "house") as session:
        for place, command in enumerate(told.told):
            session.once(f"setup/{place}", lambda command=command: command)
        directory = Directory(session.house.resolved)
    order = Instruction(
        reference="1", account="A/HOUSE", side="deliver", counterparty="B", kind="dvp", quantity="1000", isin=SHARE,
        currency="HKD", amount="300000.00", trade_date="2026-01-02", intended_date="2026-01-05",
    )  # fmt: skip
    mirrored = msgspec.structs.replace(order, account="B/HOUSE", side="receive", counterparty="A", reference="77")
    house = tmp_path / "house"
    seen = 0

    def send(one: Instruction) -> None:
        path = tmp_path / f"{one.reference}.xml"
        path.write_bytes(write_orders([one], directory, "F", MOMENT))
        send_messages(house, path)

    def answers(who: str) -> list[object]:
        found = []
        for one in read_messages(answer_file(house, who, seen)[1]):
            leaves = leaves_of(one)
            if one.message == "sese.025.001.11":
                found.append(read_confirmation(leaves, directory))
            elif one.message == "sese.024.001.12":
                found += [(state.at, state.code) for state in status.read_advice(leaves).states]
            else:
                found.append(one.message)
        return found

    def mark() -> int:
        with Session.open(house, read_only=True) as session:
            return session.sequencer.sequence

    def run(name: str) -> None:
        with Session.open(house) as session:
            for entry in timetable():
                if entry.name not in session.house.position.steps_run:
                    session.once(f"step/{entry.name}", lambda entry=entry: RunStep(entry.name))
                if entry.name == name:
                    return

    seen = mark()
    send(order)
    assert answers("A") == [("MtchgSts/Umtchd", "CMIS")]
    send(mirrored)
    assert answers("A") == [("MtchgSts/Mtchd", ""), ("SttlmSts/Pdg", "NORE")]
    seen = mark()
    run("night-1-everything")
    assert answers("A") == [("MtchgSts/Mtchd", ""), ("SttlmSts/Pdg", "LACK")]
    assert answers("B") == [("MtchgSts/Mtchd", ""), ("SttlmSts/Pdg", "CLAC")]
    seen = mark()
    run("night-2-parts")
    first, *rest = answers("B")
    assert (first.partial, first.quantity, first.quantity_left, first.cents, first.cents_left) == (
        "PAIN", 600, 400, 18_000_000, 12_000_000)  # fmt: skip
    assert rest[-1] == ("SttlmSts/Pdg", "CLAC")
    assert answers("B")[0].credited is False
    assert answers("A")[0].credited is True


def test_nobody_says_matched_for_the_other_side(tmp_path: Path) -> None:
    """Goal: MACH binds both sides, so one may not send it. Method: A sends it for B, then between its own accounts."""
    house = open_house(tmp_path / "house")
    directory = Directory(state(house).resolved)
    order = Instruction(
        reference="1", account="A/HOUSE", side="deliver", counterparty="B", kind="fop", quantity="100", isin=SHARE,
        trade_date="2026-01-02", intended_date="2026-01-06", counterparty_account="B/HOUSE", matched="yes",
    )  # fmt: skip
    own = msgspec.structs.replace(order, reference="2", counterparty="A", counterparty_account="A/CLIENT")
    path = tmp_path / "orders.xml"
    path.write_bytes(write_orders([own, order], directory, "F", MOMENT))
    before = state(house).digest()
    with pytest.raises(Rejected, match="A is not on both sides") as refused:
        send_messages(house, path, "A")
    (one,) = refused.value.rejections
    assert (one.field, one.subject) == ("TradDtls/MtchgSts/Cd", "order 1")
    assert state(house).digest() == before
    assert send_messages(house, path)[0].matched == 2
    path.write_bytes(write_orders([msgspec.structs.replace(own, reference="3")], directory, "G", MOMENT))
    assert send_messages(house, path, "A")[0].matched == 1


def test_requests_are_carried_out_and_answered(tmp_path: Path) -> None:
    """Goal: sese.020 and sese.030 act and are answered. Method: hold, release, link, cancel alone, by both, in vain."""
    house = open_house(tmp_path / "house")
    directory = Directory(state(house).resolved)
    order = Instruction(
        reference="1", account="A/HOUSE", side="deliver", counterparty="B", kind="dvp", quantity="100", isin=SHARE,
        currency="HKD", amount="30000.00", trade_date="2026-01-02", intended_date="2026-01-06",
    )  # fmt: skip
    orders = [
        order,
        msgspec.structs.replace(order, reference="2", isin=FUND),
        msgspec.structs.replace(order, reference="3", quantity="50"),
    ]
    mirrored = [msgspec.structs.replace(one, account="B/HOUSE", side="receive", counterparty="A") for one in orders[:2]]
    path = tmp_path / "orders.xml"
    path.write_bytes(write_orders([*orders, *mirrored], directory, "F", MOMENT))
    assert send_messages(house, path)[0].matched == 4

    def ask(name: str, who: str, *documents: str) -> list[tuple[str, str, str]]:
        headers = [
            Header(who, "HKSCC", f"{name}{place}", "sese.020.001.07" if "CxlReq" in one else "sese.030.001.09", MOMENT)
            for place, one in enumerate(documents)
        ]
        path = tmp_path / f"{name}.xml"
        path.write_bytes(write_file(documents, name, MOMENT, headers))
        _, replies = send_messages(house, path, who)
        again, same = send_messages(house, path, who)
        assert again.done == 0 or same == replies, "the same file is sent only once"
        found = []
        for one in read_messages(replies):
            read = status.read_cancellation_status if "027" in one.message else status.read_modification_status
            said = read(leaves_of(one))
            found.append((said.request, said.state.at, said.state.code))
        return found

    def change(reference: str, **fields: object) -> str:
        asked = requests.Modification(reference=reference, account="A/HOUSE", **fields)  # type: ignore[arg-type]
        return requests.write_modification(asked)

    def cancel(reference: str, account: str) -> str:
        asked = requests.Cancellation(reference=reference, delivers=account == "A/HOUSE", free=False, account=account)
        return requests.write_cancellation(asked)

    done = ask("a", "A", change("1", hold=True, priority="high", partial=False), change("3", hold=True))
    assert done == [("a0", "PrcgSts/Cmpltd", ""), ("a1", "PrcgSts/Cmpltd", "")]
    table = state(house).settlement.instructions.table
    assert (table["holds"][0], table["priority"][0], table["partial"][0]) == (1, 2, 2)
    assert ask("b", "A", change("1", hold=False), change("1", link="before", linked=("2",)), change("3", link="before",
               linked=("1",))) == [
        ("b0", "PrcgSts/Cmpltd", ""), ("b1", "PrcgSts/Cmpltd", ""), ("b2", "PrcgSts/Rjctd", "NRGN")]  # fmt: skip
    links = state(house).settlement.links
    assert (links.earlier.tolist(), links.later.tolist()) == ([0], [1])
    assert ask("c", "A", cancel("1", "A/HOUSE"), cancel("3", "A/HOUSE"), cancel("9", "A/HOUSE")) == [
        ("c0", "PrcgSts/PdgCxl", "CONF"), ("c1", "PrcgSts/Canc", "CANI"), ("c2", "PrcgSts/Rjctd", "NRGN")]  # fmt: skip
    told = [status.read_advice(leaves_of(one)).states[0].at for one in read_messages(answer_file(house, "B")[1])]
    assert told == ["PrcgSts/CxlReqd", "MtchgSts/Mtchd"]
    assert ask("d", "B", cancel("1", "B/HOUSE")) == [("d0", "PrcgSts/Canc", "CANI")]
    assert ask("e", "A", cancel("1", "A/HOUSE"), change("1", hold=True)) == [
        ("e0", "PrcgSts/Dnd", "DCAN"), ("e1", "PrcgSts/Dnd", "DCAN")]  # fmt: skip
    assert state(house).settlement.instructions.table["status"][0] == CANCELLED
    header = Header("B", "HKSCC", "f0", "sese.020.001.07", MOMENT)
    path.write_bytes(write_file([cancel("2", "B/HOUSE")], "f", MOMENT, [header]))
    with pytest.raises(Rejected, match="the header is of B, A sends it"):
        send_messages(house, path, "A")


def test_a_bad_request_spoils_its_whole_file(tmp_path: Path) -> None:
    """Goal: read whole or refused whole. Method: good orders and a request that is not acted on; nothing is sent."""
    house = open_house(tmp_path / "house")
    directory = Directory(state(house).resolved)
    path = tmp_path / "day.xml"
    good = drawn_orders(1)["A"][0]
    one = write_orders([good], directory, "F", MOMENT).decode().split("\n", 1)[1].strip()
    bad = requests.write_modification(requests.Modification(reference="1", account="A/HOUSE", hold=True))
    bad = bad.replace("<HldInd>", "<SctiesRTGS><Ind>true</Ind></SctiesRTGS><HldInd>")
    path.write_bytes(write_file([one, bad, one], "F", MOMENT))
    before = state(house).digest()
    with pytest.raises(Rejected) as caught:
        send_messages(house, path, "A")
    found = caught.value.rejections[0]
    assert (found.file, found.field, found.subject) == (str(path), "ReqDtls/SctiesRTGS/Ind", "sese.030.001.09 2")
    assert found.line > 0
    assert state(house).digest() == before


def test_csv_becomes_messages_and_csv_again(tmp_path: Path) -> None:
    """Goal: the converter loses nothing, and no text is a spreadsheet's formula. Method: there and back, cells read."""
    house = open_house(tmp_path / "house")
    several = drawn_orders(4)["A"]
    first = tmp_path / "a.csv"
    first.write_bytes(write_rows(msgspec.structs.asdict(one) for one in several))
    assert b"'=TRADE" in first.read_bytes()
    count, data = convert_file(house, first, ".xml")
    (tmp_path / "a.xml").write_bytes(data)
    assert b">=TRADE" in data
    again, back = convert_file(house, tmp_path / "a.xml", ".csv")
    assert (count, again) == (len(several), len(several))
    (tmp_path / "b.csv").write_bytes(back)
    bare = [{name: cell for name, cell in row.items() if cell} for _, row in read_rows(first)]
    assert [{name: cell for name, cell in row.items() if cell} for _, row in read_rows(tmp_path / "b.csv")] == bare
    cells = [cell for line in back.decode().splitlines()[1:] for cell in line.split(",")]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "-"))]
    assert np.unique([one.reference for one in several]).size == len(several)
