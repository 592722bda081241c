"""A night batch into a house on PostgreSQL.

Goal: the night is the same affair on the second store: durable, run again without effect, cut off and gone on with,
explained, proved, and moved into a folder with the same hash. Method: a small night by the command line; the server
ends the connection in mid-night; the backup of the server's house restored into a folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psycopg
import pytest

from tsingma.app.inspect import house_status
from tsingma.app.night_files import write_night
from tsingma.app.session import Session
from tsingma.cli.main import main
from tsingma.journal.record import Record
from tsingma.settlement.instruction import SETTLED
from tsingma.store.postgres import PostgresStore

COUNT = 1_000
CUTS = (2, 4)  # appends after which the server ends the connection: deposits, the first capture


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the instructions of a small night, with book and deposits beside them."""
    folder = tmp_path_factory.mktemp("night")
    write_night(folder, COUNT, seed=2, beta=0.5, alpha=0.0, short=0.1, suffix="csv")
    return folder / "instructions.csv"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    """Return what a command that must succeed prints with ``--json``."""
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


def test_a_night_on_a_server(
    file: Path, new_database: Callable[[], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Goal: everything that a night in a folder can do. Method: run, run again, verify, explain, back up, restore."""
    url = new_database()
    night = ("settle", "night", "--file", str(file), "--house", url)
    first = told(capsys, *night)
    again = told(capsys, *night)
    assert (first["submitted"], first["head"], first["state_hash"]) == (COUNT, again["head"], again["state_hash"])
    assert 0.8 * COUNT < int(str(first["settled"])) == again["settled"]
    proof = told(capsys, "verify", "--house", url)
    assert (proof["faults"], proof["state_hash"], proof["snapshots"]) == ([], first["state_hash"], 1)
    with Session.open(url, read_only=True) as session:
        waiting = np.flatnonzero(session.house.settlement.instructions.table["status"] != SETTLED)
    assert main(["settle", "explain", str(int(waiting[0])), "--house", url]) == 0
    assert "lacks" in capsys.readouterr().out
    told(capsys, "backup", "--house", url, "--out", str(tmp_path / "night.backup"))
    told(capsys, "restore", "--file", str(tmp_path / "night.backup"), "--house", str(tmp_path / "house"))
    assert house_status(tmp_path / "house")["state_hash"] == first["state_hash"]
    in_folder = told(capsys, *night[:-1], str(tmp_path / "house"))  # the same night there: nothing is left to do
    assert (in_folder["head"], in_folder["settled"]) == (first["head"], first["settled"])


@pytest.mark.parametrize("at", CUTS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_night_whose_connection_breaks_goes_on(
    file: Path,
    new_database: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    *,
    after: bool,
) -> None:
    """Goal: nothing lost, nothing doubled. Method: the server ends the connection around an append; run again."""
    url, appends = new_database(), 0
    usual = PostgresStore.append

    def cut(self: PostgresStore, records: list[Record]) -> None:
        nonlocal appends
        appends += 1
        if appends == at and after:
            usual(self, records)
        if appends == at:
            with psycopg.connect(url, autocommit=True) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            if after:
                raise psycopg.OperationalError("the answer was not heard")
        usual(self, records)

    night = ["settle", "night", "--file", str(file), "--house", url]
    with monkeypatch.context() as broken:
        broken.setattr(PostgresStore, "append", cut)
        try:
            assert main(night) != 0
        except psycopg.OperationalError:
            assert after
    assert appends == at
    answer = told(capsys, *night)
    assert answer["submitted"] == COUNT
    assert told(capsys, "verify", "--house", url)["faults"] == []
    with Session.open(url, read_only=True) as session:
        ids = [record.command_id for record in session.store.read()]
    assert len(set(ids)) == len(ids)
