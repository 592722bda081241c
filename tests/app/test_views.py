"""Views of a house, as of any record.

Goal: a view is what the state was at that record, however it was built: at once, step by step, again from zero; and
reading it disturbs nobody. Method: a business day on disk; the state replayed to a record is the oracle for every view
there; a changed projection version and another journal force a rebuild; threads read while a batch runs.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from tsingma.app import views as projection
from tsingma.app.business_day import DayInput, run_day
from tsingma.app.progress import Silent
from tsingma.app.session import Session, open_store
from tsingma.app.view_pages import look
from tsingma.app.views import VIEWS, VIEWS_NAME, Projector, open_views
from tsingma.basics.clock import FixedClock
from tsingma.basics.columns import pack
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import LoadReference, PostTransfers, decode
from tsingma.simulate.market import simulate_market
from tsingma.store.views import ViewStore


def run_two_days(house: Path | str) -> None:
    """Run two small business days."""
    market = simulate_market(11, date(2026, 1, 5), 2, 1_000)
    with Session.open(house) as session:
        session.once("reference", lambda: LoadReference(market.book))
        session.once("deposits", market.deposits)
        for day in market.days():
            run_day(session, DayInput(day.date, day.trades, day.close_e4, day.fx_e6), None, FixedClock(), Silent())


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house that has run two days."""
    folder = tmp_path_factory.mktemp("views") / "house"
    run_two_days(folder)
    return folder


@pytest.fixture
def views(house: Path, tmp_path: Path) -> Iterator[ViewStore]:
    """Its views, built at once in a new file."""
    with closing(open_views(tmp_path / VIEWS_NAME)) as opened, closing(open_store(house, read_only=True)) as store:
        Projector(store, opened).refresh()
        yield opened


def told(views: ViewStore, at: int) -> dict[str, dict[tuple[int, ...], tuple[int, ...]]]:
    """Return every view as of a record: key -> figures."""
    width = {view.name: len(view.keys) for view in VIEWS}
    return {name: {line[:keys]: line[keys + 1 :] for line in views.lines(name, at)} for name, keys in width.items()}


def truth(house: House) -> dict[str, dict[tuple[int, ...], tuple[int, ...]]]:
    """Return the same from the state itself, line by line; lines of zeros are left out."""
    ledger, positions = house.ledger, house.settlement.positions
    table = house.settlement.instructions.table
    columns = {
        "balances": ((ledger.owner, ledger.asset), (ledger.balance, ledger.held, ledger.pledged)),
        "positions": ((positions.account, positions.security), (positions.due, positions.moved, positions.on_hold)),
        "instructions": ((range(table["status"].size),), tuple(table[name] for name in VIEWS[2].figures)),
    }
    lines = {}
    for name, (keys, figures) in columns.items():
        rows = zip(zip(*(map(int, key) for key in keys), strict=True), zip(*figures, strict=True), strict=True)
        lines[name] = {key: tuple(map(int, row)) for key, row in rows if any(row)}
    return lines


def test_every_view_is_the_state_at_every_record(house: Path, views: ViewStore) -> None:
    """Goal: as-of reads are true. Method: every record of two days against the replayed state."""
    state = House()
    with closing(open_store(house, read_only=True)) as store:
        for record in store.read():
            step(state, decode(record.body))
            assert told(views, record.sequence) == truth(state), f"at record {record.sequence}"
    assert told(views, 0) == {"balances": {}, "positions": {}, "instructions": {}}
    assert all(truth(state).values())


def test_statement_adds_up(house: Path, views: ViewStore) -> None:
    """Goal: a statement explains the balance. Method: sum the changes of every account and asset."""
    last = views.standing().sequence  # type: ignore[union-attr]
    totals: dict[tuple[int, int], int] = {}
    for account, asset, _, _, command, change, balance in views.history("balances", "balance", 0, last):
        key = (int(str(account)), int(str(asset)))
        totals[key] = totals.get(key, 0) + int(str(change))
        assert totals[key] == balance
        assert command
    assert {key: total for key, total in totals.items() if total} == {
        line[:2]: line[3] for line in views.lines("balances", last) if line[3]
    }
    middle = views.history("balances", "balance", 3, 9)
    assert {row[2] for row in middle} <= set(range(4, 10))


def test_step_by_step_is_at_once(
    house: Path, views: ViewStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: how it was built is not seen. Method: a projector that writes record by record, dropped and taken up."""
    monkeypatch.setattr(projection, "RECORDS_PER_WRITE", 1)

    class Until:
        """A store that ends at a record."""

        def __init__(self, store: object, end: int) -> None:
            self.store, self.end = store, end

        def __getattr__(self, name: str) -> object:
            return getattr(self.store, name)

        def read(self, after: int = 0) -> Iterator[object]:
            return (record for record in self.store.read(after) if record.sequence <= self.end)  # type: ignore[attr-defined]

    with closing(open_store(house, read_only=True)) as store, closing(open_views(tmp_path / "steps.sqlite")) as steps:
        last = store.length()
        for end in (*range(0, last, 7), last):
            Projector(Until(store, end), steps).refresh()  # type: ignore[arg-type]
            assert steps.standing().sequence == end  # type: ignore[union-attr]
        for at in range(0, last + 1, 5):
            assert told(steps, at) == told(views, at)


def test_views_are_dropped_when_version_or_journal_is_another(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: no view outlives what it was made from. Method: raise the version; point the file at another journal."""
    path, other = tmp_path / VIEWS_NAME, tmp_path / "other"
    look(house, "balances", "", None, path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE balances SET balance = 1")
        connection.commit()
    spoilt = look(house, "balances", "", None, path)
    monkeypatch.setattr(projection, "PROJECTION_VERSION", 2)
    assert look(house, "balances", "", None, path).rows != spoilt.rows
    market = simulate_market(12, date(2026, 1, 5), 1, 100)
    with Session.open(other) as session:
        session.once("reference", lambda: LoadReference(market.book))
    assert look(other, "balances", "", None, path).at == 1
    assert look(house, "positions", "", None, path).rows == look(house, "positions", "", None).rows


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_reading_while_a_batch_runs(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Goal: readers neither wait nor see halves. Method: a writer with large batches, a projector, a reader beside."""
    house: Path | str = tmp_path / "house" if kind == "sqlite" else request.getfixturevalue("new_database")()
    market = simulate_market(13, date(2026, 1, 5), 1, 100)
    with Session.open(house) as session:
        session.once("reference", lambda: LoadReference(market.book))
        session.once("deposits", market.deposits)
        rich = int(session.house.ledger.owner[(session.house.ledger.asset == 0) & (session.house.ledger.floor == 0)][0])
        stop, seen = threading.Event(), []

        def follow() -> None:
            with (
                closing(open_views(tmp_path / VIEWS_NAME)) as views,
                closing(open_store(house, read_only=True)) as store,
            ):
                projector = Projector(store, views)
                while not stop.is_set():
                    at = projector.refresh().sequence
                    balances = [line[3] for line in views.lines("balances", at) if line[1] == 0]
                    seen.append((at, sum(balances)))

        reader = threading.Thread(target=follow)
        reader.start()
        batch = 0
        while len({at for at, _ in seen}) < 5 and reader.is_alive():
            session.sequencer.submit([(f"{batch}/{number}", _pay(rich, number)) for number in range(20)])
            batch += 1
            time.sleep(0.02)  # a projector steps record by record and is slower than a batch
        stop.set()
        reader.join()
        assert session.sequencer.sequence == 2 + 20 * batch
    assert len({at for at, _ in seen}) >= 5
    assert all(total == 0 for _, total in seen)  # money nets to zero at whatever record was read
    assert seen == sorted(seen)


def _pay(debit: int, number: int) -> PostTransfers:
    columns = ((debit, "i4"), ((debit + 1 + number % 5) % 12, "i4"), (0, "i4"), (1, "i8"), (0, "i1"))
    return PostTransfers(*(pack([value], kind) for value, kind in columns))


def test_the_command(
    house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], new_database: Callable[[], str]
) -> None:
    """Goal: what people type. Method: each view, a participant, an earlier record; what is refused and why."""
    place = ["--house", str(house), "--views", str(tmp_path / "views.sqlite")]
    for name in ("balances", "positions", "instructions", "statement"):
        assert main(["view", name, *place, "--limit", "3"]) == 0
        assert f"{name} at record" in capsys.readouterr().out
    page = look(house, "positions", "", None)
    participant = str(page.rows[-1][0]).split("/")[0]
    assert main(["view", "statement", *place, "--participant", participant, "--at", "2", "--json"]) == 0
    assert f'"{participant}/' in capsys.readouterr().out
    assert all(str(row[0]).startswith(participant) for row in look(house, "balances", participant, None).rows)
    for arguments, message in (
        (["nothing", *place], "no view nothing (one of balances, positions, instructions, statement, records)"),
        (["balances", *place, "--participant", "X"], "no participant X"),
        (["balances", *place, "--at", "99999"], "the journal ends at record"),
        (["balances", "--house", new_database()], "need a file (give --views FILE)"),
    ):
        assert main(["view", *arguments]) == 2
        assert message in capsys.readouterr().err


def test_one_process_projects(house: Path, tmp_path: Path) -> None:
    """Goal: two projectors never meet; readers always may. Method: open for writing twice, then to read."""
    with closing(open_views(tmp_path / "v.sqlite")) as first, closing(open_store(house, read_only=True)) as store:
        Projector(store, first).refresh()
        with pytest.raises(Rejected, match="another process writes"):
            open_views(tmp_path / "v.sqlite")
        with closing(open_views(tmp_path / "v.sqlite", read_only=True)) as reader:
            assert reader.standing() == first.standing()
            with pytest.raises(Rejected, match="balances has no key security"):
                reader.lines("balances", 1, {"security": 1})
            with pytest.raises(Rejected, match="balances has no figure due"):
                reader.history("balances", "due", 0, 1)
    with pytest.raises(Rejected, match="there are no views"):
        open_views(tmp_path / "none.sqlite", read_only=True)
