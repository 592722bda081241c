"""Looking at a house without changing it: where it stands, whether its journal is whole, whether it replays."""

from __future__ import annotations

from pathlib import Path

from tsingma.app.session import Session
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import InvariantBroken
from tsingma.engine.sequencer import verify
from tsingma.settlement.timetable import timetable


def house_status(folder: Path) -> dict[str, object]:
    """Return day, steps, journal, open positions and charges owed; raises Rejected when there is no house."""
    with Session.open(folder, read_only=True) as session:
        house, position = session.house, session.house.position
        settlement = house.settlement
        return {
            "day": str(to_date(position.day)) if position.day else "none yet",
            "open": position.is_open,
            "steps_run": len(position.steps_run),
            "steps": len(timetable()),
            "journal_sequence": session.sequencer.sequence,
            "journal_hash": session.sequencer.head.hex(),
            "snapshots": session.store.snapshots(),
            "state_hash": house.digest().hex(),
            "accounts": 0 if house.book is None else len(house.book.accounts),
            "ledger_rows": house.ledger.count,
            "open_positions": int((settlement.positions.open != 0).sum()),
            "instructions": settlement.instructions.counts(),
            "due_days": [str(to_date(day)) for day in house.obligations.days],
            "margin_pledged_cents": int(house.margin.pledged_cents.sum()),
        }


def verify_house(folder: Path) -> dict[str, object]:
    """Return every fault of the journal: the chain record by record, every replayed answer, every invariant."""
    with Session.open_store(folder) as store:
        faults = verify(store)
        head = store.head()
        records = 0 if head is None else head.sequence
        if not faults:
            faults = _replay_faults(Session(store))
    return {
        "records": records,
        "faults": faults,
        "checked": ["chain of hashes", "answers on replay", "ledger invariants"],
    }


def replay_house(folder: Path) -> dict[str, object]:
    """Return the state hash from zero and from every snapshot, and whether they are all the same."""
    with Session.open(folder, read_only=True) as session:
        hashes = {"zero": session.sequencer.replay().digest().hex()}
        for sequence in session.store.snapshots():
            hashes[f"snapshot {sequence}"] = session.sequencer.replay(sequence).digest().hex()
        return {
            "records": session.sequencer.sequence,
            "same": len(set(hashes.values())) == 1,
            "state_hash": hashes["zero"],
            "from": list(hashes),
        }


def _replay_faults(session: Session) -> list[str]:
    try:
        session.sequencer.replay().ledger.check()
    except InvariantBroken as broken:
        return [str(broken)]
    return []
