"""A night batch through the engine.

Goal: what a night books is durable, in the chain, replayed without a solver, and the same wherever it was cut off.
Method: a small night of the T2S shape, run whole, cut before and after every write, replayed; a true remedy for every
waiting instruction of the house; broken files, with and without polars.
"""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tsingma.app.business_day import run_day_until
from tsingma.app.day_commands import DayInput
from tsingma.app.explain import explain_number
from tsingma.app.inspect import replay_house, verify_house
from tsingma.app.night_batch import NightResult, run_night
from tsingma.app.night_files import write_night
from tsingma.app.progress import Silent
from tsingma.app.proposals import settle_waiting
from tsingma.app.session import JOURNAL_NAME, Session
from tsingma.basics.clock import FixedClock, SystemClock
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected
from tsingma.clearing.trades import COLUMN_TYPES, Trades
from tsingma.cli.main import main
from tsingma.engine.day_plan import step_id
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import DepositAssets, LoadReference, OpenDay, SettleTogether, decode
from tsingma.journal.events import Accepted, StepRun
from tsingma.journal.record import Record
from tsingma.messages import batch_file
from tsingma.messages.batch_file import read_batch, write_batch
from tsingma.reference.book import resolve
from tsingma.settlement.batch import Batch
from tsingma.settlement.instruction import SETTLED
from tsingma.settlement.links import Links
from tsingma.settlement.optimise import quick
from tsingma.settlement.proposal import Objective
from tsingma.settlement.recycling import ready
from tsingma.settlement.waiting import waiting_problem
from tsingma.simulate.night import simulate_night
from tsingma.store.sqlite import SqliteStore

DAY = date(2026, 1, 5)
COUNT = 3_000


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small night."""
    folder = tmp_path_factory.mktemp("night")
    write_night(folder, COUNT, seed=1, beta=0.5, alpha=0.0, short=0.1, suffix="parquet")
    return folder


@pytest.fixture(scope="module")
def done(night: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NightResult]:
    """Return a house after the night, and what the night answered."""
    house = tmp_path_factory.mktemp("house")
    return house, run_night(night / "instructions.parquet", house, DAY, Objective.NUMBER, SystemClock())


def test_the_night_has_the_shape_of_t2s() -> None:
    """Goal: 67.5 % against payment, 25 % free, 7.5 % corporate actions, 10 % arriving. Method: count 200,000."""
    _, _, batch = simulate_night(200_000, seed=2)
    action = batch.priority == 0
    against = (batch.quantity > 0) & (batch.amount_cents > 0)
    assert against.mean() == pytest.approx(0.675, abs=0.005)
    assert action.mean() == pytest.approx(0.075, abs=0.003)
    assert (~against & ~action).mean() == pytest.approx(0.25, abs=0.005)
    assert (batch.arrival > 0).mean() == pytest.approx(0.1, abs=0.003)
    assert not (batch.arrival[action] > 0).any()
    assert (batch.deliverer != batch.receiver).all()
    with pytest.raises(Rejected, match="beta"):
        simulate_night(5, beta=2)


def test_full_funding_settles_everything() -> None:
    """Goal: the generator funds what the night needs net. Method: nobody short; all settle at one instant."""
    book, deposits, batch = simulate_night(2_000, seed=3, short=0.0)
    house = House()
    for command in (LoadReference(book), deposits, OpenDay(to_day(DAY))):
        assert isinstance(step(house, command), Accepted)
    for wave in range(5):
        for command in batch.commands(wave, "test", to_day(DAY)):
            assert isinstance(step(house, command), Accepted)
    everything = SettleTogether("all", pack(np.arange(2_000), "i4"))
    assert isinstance(step(house, everything), Accepted)
    assert (house.ledger.available(np.arange(house.ledger.count)) >= 0).all()


def test_a_night_is_durable_and_replays(done: tuple[Path, NightResult]) -> None:
    """Goal: proof without a solver. Method: chain and answers verified, state hash from zero and from the snapshot."""
    folder, result = done
    assert verify_house(folder).faults == []
    replayed = replay_house(folder)
    assert (replayed["same"], replayed["state_hash"]) == (True, result.state_hash)
    assert result.submitted == COUNT
    assert 0.85 * COUNT < result.settled < COUNT
    assert result.settled_value < result.submitted_value
    stages = [stage.settled for stage in result.by_stage]
    assert stages == sorted(stages)
    with Session.open(folder, read_only=True) as session:
        kinds = [type(decode(record.body)).__name__ for record in session.store.read()]
        counts = session.house.settlement.instructions.counts()
        assert (counts["settled"], sum(counts.values())) == (result.settled, COUNT)
        assert session.store.snapshots() == [result.sequence]
    assert kinds[:3] == ["LoadReference", "DepositAssets", "OpenDay"]
    assert {"CaptureInstructions", "SettleTogether"} == set(kinds[3:])


def test_a_night_settles_no_less_than_recycling(night: Path, done: tuple[Path, NightResult]) -> None:
    """Goal: proposals beat one by one. Method: the same instructions recycled by a plain loop until quiet."""
    book, deposits, batch = simulate_night(COUNT, seed=1)
    resolved = resolve(book)
    read = read_batch(night / "instructions.parquet", resolved)
    assert all((getattr(read, name) == getattr(batch, name)).all() for name in batch_file.FIELDS)
    balance: dict[tuple[int, int], int] = {}
    columns = (np.frombuffer(deposits.owner, "<i4"), np.frombuffer(deposits.asset, "<i4"))
    for owner, asset, amount in zip(*columns, np.frombuffer(deposits.amount, "<i8").tolist(), strict=True):
        balance[int(owner), int(asset)] = amount
    waiting, settled = list(range(COUNT)), 0
    waiting.sort(key=lambda k: (int(batch.arrival[k]), int(batch.priority[k]), k))
    while True:
        left = [k for k in waiting if not _settles(balance, batch, k)]
        settled += len(waiting) - len(left)
        if len(left) == len(waiting):
            break
        waiting = left
    assert done[1].settled >= settled


def _settles(balance: dict[tuple[int, int], int], batch: batch_file.Batch, k: int) -> bool:
    deliverer, receiver = int(batch.deliverer[k]), int(batch.receiver[k])
    stock, cents = int(batch.quantity[k]), int(batch.amount_cents[k])
    payer, payee = (receiver, deliverer) if stock else (deliverer, receiver)
    asset = int(batch.security[k]) + 4 if stock else -1
    moves = [(deliverer, receiver, asset, stock), (payer, payee, 0, cents)]
    if any(amount > balance.get((giver, what), 0) for giver, _, what, amount in moves if amount):
        return False
    for giver, taker, what, amount in moves:
        if amount:
            balance[giver, what] = balance.get((giver, what), 0) - amount
            balance[taker, what] = balance.get((taker, what), 0) + amount
    return True


class Cut(Exception):
    """The process dies here."""


def test_a_night_cut_at_any_command_goes_on(
    night: Path, done: tuple[Path, NightResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: resume anywhere with the same books. Method: die before and after every append; same head, same state."""
    result = done[1]
    append = SqliteStore.append
    for survived in range(result.sequence):
        for after in (False, True):
            folder = tmp_path / f"{survived}{after}"
            written = [0]

            def dying(
                self: SqliteStore, records: list[Record], *, survived: int = survived, after: bool = after,
                written: list[int] = written,
            ) -> None:  # fmt: skip
                if written[0] == survived and not after:
                    raise Cut
                append(self, records)
                written[0] += 1
                if written[0] > survived:
                    raise Cut

            monkeypatch.setattr(SqliteStore, "append", dying)
            with pytest.raises(Cut):
                run_night(night / "instructions.parquet", folder, DAY, Objective.NUMBER, FixedClock())
            monkeypatch.setattr(SqliteStore, "append", append)
            again = run_night(night / "instructions.parquet", folder, DAY, Objective.NUMBER, FixedClock())
            assert (again.sequence, again.head, again.state_hash) == (result.sequence, result.head, result.state_hash)
            shutil.rmtree(folder)


def test_run_again_it_changes_nothing(night: Path, done: tuple[Path, NightResult]) -> None:
    """Goal: the same file twice is one night. Method: the second run answers from the journal."""
    again = run_night(night / "instructions.parquet", done[0], DAY, Objective.NUMBER, SystemClock())
    assert (again.sequence, again.state_hash, again.settled) == (done[1].sequence, done[1].state_hash, done[1].settled)


def _rows(house: House) -> dict[str, tuple[int, int]]:
    """Return (account, asset) by the name an explanation gives them."""
    book = house.resolved
    pairs = [(who, what) for who in range(len(book.book.accounts)) for what in range(book.asset_count)]
    return {f"{book.account_name(who)} {book.asset_name(what)}": (who, what) for who, what in pairs}


def test_every_remedy_of_the_house_is_true(night: Path, done: tuple[Path, NightResult]) -> None:
    """Goal: doing what the sentence names settles it. Method: every waiting one, on a copy of the house each."""
    with Session.open(done[0], read_only=True) as session:
        parts = session.house.dump()
    house = House.load(parts)
    names = _rows(house)
    waiting = np.flatnonzero(house.settlement.instructions.table["status"] != SETTLED).tolist()
    assert len(waiting) > 50
    for number in waiting[:: len(waiting) // 50]:
        house = House.load(parts)
        remedy = explain_number(house, number)
        assert remedy.needs
        alone = SettleTogether("test", pack([number], "i4"))
        assert not isinstance(step(house, alone), Accepted)
        who, what = zip(*(names[name] for name, _ in remedy.needs), strict=True)
        more = DepositAssets(pack(who, "i4"), pack(what, "i4"), pack([lack for _, lack in remedy.needs], "i8"))
        assert isinstance(step(house, more), Accepted)
        assert isinstance(step(house, alone), Accepted)
    settled = int(np.flatnonzero(house.settlement.instructions.table["status"] == SETTLED)[0])
    assert explain_number(house, settled).settles
    with pytest.raises(Rejected, match="no instruction"):
        explain_number(house, COUNT)


def test_links_are_kept_and_explained(done: tuple[Path, NightResult]) -> None:
    """Goal: no set parts what is linked; the remedy takes them along. Method: link waiting ones, then free."""
    with Session.open(done[0], read_only=True) as session:
        house = House.load(session.house.dump())
    settlement, table = house.settlement, house.settlement.instructions.table
    waiting = np.flatnonzero(table["status"] != SETTLED)[:3].tolist()
    settlement.links.join(settlement.instructions, "together", (waiting[0], waiting[1]))
    settlement.links.join(settlement.instructions, "before", (waiting[1], waiting[2]))
    remedy = explain_number(house, waiting[2])
    assert "with the 2 it is linked to" in remedy.sentence
    assert isinstance(settlement.links, Links)
    names = _rows(house)
    who, what = zip(*(names[name] for name, _ in remedy.needs), strict=True)
    more = DepositAssets(pack(who, "i4"), pack(what, "i4"), pack([lack for _, lack in remedy.needs], "i8"))
    assert isinstance(step(house, more), Accepted)
    for part in ([waiting[0]], [waiting[2]], [waiting[1], waiting[2]]):
        assert "linked" in str(step(house, SettleTogether("test", pack(part, "i4"))))
    assert isinstance(step(house, SettleTogether("test", pack(waiting, "i4"))), Accepted)


def test_a_proposal_is_only_a_proposal(done: tuple[Path, NightResult]) -> None:
    """Goal: the books verify what an optimiser says, and looking changes nothing. Method: propose one too many."""
    with Session.open(done[0], read_only=True) as session:
        house = House.load(session.house.dump())
    before = house.digest()
    numbers = ready(house.settlement.instructions, house.position.day, (0, 1, 2, 3))
    problem = waiting_problem(house.settlement.instructions, house.ledger, numbers, house.fx_e6)
    settled, _ = quick(problem, Objective.VALUE, lambda: 0.0)
    assert house.digest() == before
    assert not settled.all()
    too_many = SettleTogether("test", pack(numbers, "i4"))
    assert "below its floor" in str(step(house, too_many))
    assert house.digest() == before


def test_the_business_day_resolves_a_gridlock(tmp_path: Path) -> None:
    """Goal: what no run settles one by one settles together. Method: a circle, the day's own steps."""
    book, _, _ = simulate_night(5)
    with Session.open(tmp_path / "house") as session:
        session.once("reference", lambda: LoadReference(book))
        session.once("deposits", lambda: DepositAssets(pack([5], "i4"), pack([4], "i4"), pack([10], "i8")))
        session.once("open", lambda: OpenDay(to_day(DAY)))
        circle = Batch(*(np.array(column) for column in (
            [1, 2, 3], [5, 6, 7], [6, 7, 5], [0, 0, 0], [10] * 3, [0] * 3, [900] * 3, [3] * 3, [0] * 3,
        )))  # fmt: skip
        for command in circle.commands(0, "test", to_day(DAY)):
            session.once("capture", lambda command=command: command)
        nothing = Trades("test", to_day(DAY), **{name: np.zeros(0, kind) for name, kind in COLUMN_TYPES.items()})
        day = DayInput(DAY, nothing, np.zeros(0, np.int64), (1_000_000,) * len(CURRENCIES))
        run_day_until(session, day, "night-1-everything", FixedClock(), Silent())
        counts = session.house.settlement.instructions.counts()
        ran = session.sequencer.answered(step_id(to_day(DAY), "night-1-everything"))
        assert isinstance(ran, Accepted)
        sequence = session.sequencer.sequence
        run_day_until(session, day, "night-1-everything", FixedClock(), Silent(), Objective.VALUE)
        assert session.sequencer.sequence == sequence
    assert [event.figures["settled"] for event in ran.events if isinstance(event, StepRun)] == [0]
    assert counts["settled"] == 3


def test_a_proposal_may_be_empty_and_keeps_its_name(night: Path, tmp_path: Path) -> None:
    """Goal: what was proposed stays proposed. Method: propose until nothing more settles, and again by one name."""
    house = tmp_path / "house"
    run_night(night / "instructions.parquet", house, DAY, Objective.NUMBER, FixedClock())
    with Session.open(house) as session:
        for name in ("first", "second"):
            last = settle_waiting(session, name, Objective.NUMBER, FixedClock())
        assert (last.settled, last.shares) == (0, 0)
        sequence = session.sequencer.sequence
        assert settle_waiting(session, "second", Objective.VALUE, FixedClock()) == last
        assert session.sequencer.sequence == sequence
    with pytest.raises(Rejected, match="another day is open"):
        run_night(night / "instructions.parquet", house, date(2026, 1, 6), Objective.NUMBER, FixedClock())


LINE = "7,{0}/OMNIBUS,{1}/OMNIBUS,{2},5,HKD,500,3,0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("7,", "x,"), "reference"), (("7,", "1,"), "reference: does not rise"), ((",5,", ",0,"), "quantity"),
        ((",5,", ",,"), "quantity"), (("HKD", "XXX"), "currency"), (("B00001", "NOBODY"), "deliverer"),
        ((",3,0", ",4,0"), "priority"), ((",3,0", ",3,-1"), "arrival"), ((",3,0", ",3"), "instructions.csv"),
        ((",500,", ",9999999999999999999,"), "amount_cents"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("plain", [False, True])
def test_broken_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], message: str, *, plain: bool
) -> None:
    """Goal: file, line and field of what is wrong, with and without polars. Method: one fault each."""
    book, _, _ = simulate_night(5)
    resolved = resolve(book)
    if plain:
        monkeypatch.setattr(batch_file, "_polars", lambda: None)
    line = LINE.format("B00001", "B00002", resolved.securities[0])
    path = tmp_path / "instructions.csv"
    path.write_text(
        "\n".join([",".join(batch_file.FIELDS), line.replace("7,", "1,", 1), line.replace(*change, 1)]) + "\n"
    )
    with pytest.raises(Rejected, match=message) as refused:
        read_batch(path, resolved)
    assert "instructions.csv" in str(refused.value)
    path.write_text(",".join(batch_file.FIELDS) + "\n" + line + "\n")
    assert read_batch(path, resolved).amount_cents.tolist() == [500]


@pytest.mark.parametrize("plain", [False, True])
def test_csv_round_trip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, plain: bool) -> None:
    """Goal: the same batch from CSV, either way. Method: write and read with and without polars, bytes compared."""
    book, _, batch = simulate_night(300)
    resolved = resolve(book)
    write_batch(tmp_path / "one.csv", batch, resolved)
    if plain:
        monkeypatch.setattr(batch_file, "_polars", lambda: None)
        with pytest.raises(Rejected, match="needs polars"):
            read_batch(_touch(tmp_path / "I.parquet"), resolved)
    write_batch(tmp_path / "two.csv", batch, resolved)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    again = read_batch(tmp_path / "two.csv", resolved)
    assert all((getattr(again, name) == getattr(batch, name)).all() for name in batch_file.FIELDS)


def _touch(path: Path) -> Path:
    path.write_bytes(b"no parquet")
    return path


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    """Goal: other files, other columns, no file. Method: one each."""
    import polars

    resolved = resolve(simulate_night(5)[0])
    with pytest.raises(Rejected, match="no Parquet file"):
        read_batch(_touch(tmp_path / "I.parquet"), resolved)
    polars.DataFrame({"a": [1]}).write_parquet(tmp_path / "J.parquet")
    with pytest.raises(Rejected, match="wrong columns"):
        read_batch(tmp_path / "J.parquet", resolved)
    polars.DataFrame({name: ["1"] for name in batch_file.FIELDS}).write_parquet(tmp_path / "K.parquet")
    with pytest.raises(Rejected, match="is a column of"):
        read_batch(tmp_path / "K.parquet", resolved)
    with pytest.raises(Rejected, match="cannot be read"):
        read_batch(tmp_path / "nothing.csv", resolved)


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: draw, settle, verify and explain from the command line. Method: a small night from CSV."""
    folder, house = tmp_path / "night", tmp_path / "house"
    assert main(["simulate", "night", "--n", "1000", "--out", str(folder), "--csv"]) == 0
    run = ["settle", "night", "--file", str(folder / "instructions.csv"), "--house", str(house)]
    assert main([*run, "--objective", "value"]) == 0
    capsys.readouterr()
    assert main([*run, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["submitted"] == 1_000
    assert (house / JOURNAL_NAME).is_file()
    assert main(["day", "verify", "--house", str(house)]) == 0
    with Session.open(house, read_only=True) as session:
        waiting = np.flatnonzero(session.house.settlement.instructions.table["status"] != SETTLED)
    capsys.readouterr()
    assert main(["settle", "explain", str(int(waiting[0])), "--house", str(house)]) == 0
    assert "lacks" in capsys.readouterr().out
