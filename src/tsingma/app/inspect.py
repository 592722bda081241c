"""Looking at a house without changing it: where it stands, whether its journal is whole, whether it replays."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tsingma.app.session import Session, open_store
from tsingma.basics.dates import to_date
from tsingma.engine.proof import Proof, prove
from tsingma.settlement.timetable import timetable


def house_status(house: Path | str) -> dict[str, object]:
    """Return day, steps, journal, open positions and charges owed; raises Rejected when there is no house."""
    with Session.open(house, read_only=True) as session:
        books, position = session.house, session.house.position
        settlement = books.settlement
        return {
            "day": str(to_date(position.day)) if position.day else "none yet",
            "open": position.is_open,
            "steps_run": len(position.steps_run),
            "steps": len(timetable(None if books.book is None else books.resolved.markets)),
            "journal_sequence": session.sequencer.sequence,
            "journal_hash": session.sequencer.head.hex(),
            "snapshots": session.store.snapshots(),
            "state_hash": books.digest().hex(),
            "accounts": 0 if books.book is None else len(books.book.accounts),
            "ledger_rows": books.ledger.count,
            "open_positions": int((settlement.positions.open != 0).sum()),
            "instructions": settlement.instructions.counts(),
            "due_days": [str(to_date(day)) for day in books.obligations.days],
            "margin_pledged_cents": int(books.margin.pledged_cents.sum()),
        }


def verify_house(house: Path | str) -> Proof:
    """Prove the whole journal of a house: chain, replayed answers, snapshots, books; it may be in use meanwhile."""
    with closing(open_store(house, read_only=True)) as store:
        return prove(store)


def journal_version(house: Path | str) -> int:
    """Return the version of the schema in which a house is kept; raises Rejected as opening it to read does."""
    with closing(open_store(house, read_only=True)) as store:
        return store.version()


def replay_house(house: Path | str) -> dict[str, object]:
    """Return the state hash from zero and from every snapshot, and whether they are all the same."""
    with Session.open(house, read_only=True) as session:
        hashes = {"zero": session.sequencer.replay().digest().hex()}
        for sequence in session.store.snapshots():
            hashes[f"snapshot {sequence}"] = session.sequencer.replay(sequence).digest().hex()
        return {
            "records": session.sequencer.sequence,
            "same": len(set(hashes.values())) == 1,
            "state_hash": hashes["zero"],
            "from": list(hashes),
        }
