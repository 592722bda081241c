"""Journals from before a room was built: what is not used leaves no trace in answers, hashes or encodings."""

from __future__ import annotations

from clearing_book import MONDAY, book

from tsingma.basics.columns import pack
from tsingma.engine.day import CHECKED
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import CloseDay, LoadReference, OpenDay, RunStep, SetClosingPrices, encode
from tsingma.journal.events import Accepted, DayClosed, DerivativesMarked, encode_answer
from tsingma.settlement.timetable import timetable

FIRST_ROOMS = {"ledger", "obligations", "settlement", "charges", "derivatives"}
SEVEN = 7  # sentences that a closed day of the first houses proved


def test_a_house_that_uses_no_new_room_answers_and_hashes_as_before() -> None:
    """Goal: older journals verify and their snapshots load. Method: a plain day; its proof, its dump, its encodings."""
    house = House()
    prices = SetClosingPrices(pack([0], "i4"), pack([100], "i8"), (1_000_000, 1_080_000, 7_800_000, 8_500_000))
    commands = [LoadReference(book()), OpenDay(MONDAY), prices, *(RunStep(one.name) for one in timetable()), CloseDay()]
    answers = [step(house, command) for command in commands]
    closed = answers[-1]
    assert isinstance(closed, Accepted), closed
    day = closed.events[0]
    assert isinstance(day, DayClosed)
    assert day.checked == CHECKED
    assert len(CHECKED) == SEVEN
    assert not [name for name in day.figures if "pool" in name or "chain" in name or "lodged" in name]
    used = {name.split(".")[0] for name in house.dump() if "." in name}
    assert used == FIRST_ROOMS
    assert b"markets" not in encode(commands[0])
    assert b"other_cents" not in encode_answer(Accepted((DerivativesMarked(0, 0, 0, 0),)))
    assert House.load(house.dump()).digest() == house.digest()
