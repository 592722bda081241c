"""One writer on PostgreSQL, whatever happens to the one before.

Goal: the lease is never held twice, and a writer that lost it writes nothing more, even when it wakes in the middle of
an append. Method: stores of one process stand for the processes; what a pause is, is a transaction left open.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
import pytest

from tsingma.basics.rejection import Rejected
from tsingma.journal.record import GENESIS, Record, chain
from tsingma.journal.store import Snapshot
from tsingma.store.postgres import PostgresStore

LEASE_SECONDS = 0.2


def record(number: int, previous: bytes = GENESIS, body: bytes = b"body") -> Record:
    """Return one record."""
    return chain(number, f"command/{number}", body, b"answer", previous)


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    """A new database."""
    return new_database()


@pytest.mark.parametrize("copy_above", [0, 64], ids=["copy", "statement"])
def test_old_writer_is_refused_after_a_takeover(url: str, copy_above: int) -> None:
    """Goal: fencing. Method: the first writer does not renew, a second takes over, the first comes back."""
    old = PostgresStore(url, lease_seconds=LEASE_SECONDS, copy_above=copy_above)
    first = record(1)
    old.append([first])
    time.sleep(1.5 * LEASE_SECONDS)
    old.append([second := record(2, first.hash)])  # lapsed, yet nobody took it: still the one writer
    new = PostgresStore(url)
    assert (old.epoch, new.epoch) == (1, 2)
    for attempt in (lambda: old.append([record(3, second.hash)]), lambda: old.put_snapshot(Snapshot(2, b"", {}))):
        with pytest.raises(Rejected, match="the connection broke"):  # the takeover ended what it had under way
            attempt()
    new.append([third := record(3, second.hash, b"another body")])
    old.close()
    assert list(new.read()) == [first, second, third]
    new.close()


def test_old_writer_with_a_new_connection_is_refused(url: str) -> None:
    """Goal: it is the epoch that fences, not the broken connection. Method: give the old writer a living one."""
    old = PostgresStore(url, lease_seconds=LEASE_SECONDS)
    old.append([first := record(1)])
    time.sleep(1.5 * LEASE_SECONDS)
    new = PostgresStore(url)
    old._connection = psycopg.connect(url, autocommit=True)
    for attempt in (
        lambda: old.append([record(2, first.hash)]),
        lambda: old.append([record(2, first.hash)] * 100),
        lambda: old.put_snapshot(Snapshot(1, b"", {})),
    ):
        with pytest.raises(Rejected, match="another process has taken over this house"):
            attempt()
    assert not old.renew_lease()
    assert (list(new.read()), new.snapshots()) == ([first], [])
    old.close()
    with pytest.raises(Rejected, match="another process writes"):
        PostgresStore(url)  # closing the old writer did not let go of the new one's lease
    new.close()


def test_append_under_way_is_whole_before_the_takeover_or_nowhere(url: str) -> None:
    """Goal: no commit after a takeover. Method: hold the old writer's append open while a second writer takes over."""
    old = PostgresStore(url, lease_seconds=LEASE_SECONDS)
    connection = old._connection
    connection.execute("BEGIN")
    connection.execute("SELECT epoch FROM lease WHERE epoch = 1 FOR SHARE")
    connection.execute("INSERT INTO journal VALUES (1, 'late', '', '', '', '', 1)")
    time.sleep(1.5 * LEASE_SECONDS)
    began = time.monotonic()
    new = PostgresStore(url)
    assert time.monotonic() - began < 2
    with pytest.raises(psycopg.OperationalError):
        connection.execute("COMMIT")
    assert list(new.read()) == []
    new.close()


def test_renewed_lease_does_not_lapse(url: str) -> None:
    """Goal: a living writer is left alone. Method: renew for three lease times while another tries."""
    writer = PostgresStore(url, lease_seconds=LEASE_SECONDS)
    until = time.monotonic() + 3 * LEASE_SECONDS
    while time.monotonic() < until:
        assert writer.renew_lease()
        with pytest.raises(Rejected, match="another process writes this house"):
            PostgresStore(url)
    writer.close()


def test_dead_writer_is_followed_at_once(url: str) -> None:
    """Goal: a killed process keeps nobody waiting. Method: a long lease, its connection cut, the house opened again."""
    dead = PostgresStore(url, lease_seconds=3_600)
    with psycopg.connect(url, autocommit=True) as other:
        backend = dead._connection.info.backend_pid
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))
    new = PostgresStore(url)
    assert new.epoch == 2
    dead.close()
    new.close()


def test_of_many_that_try_one_succeeds(url: str) -> None:
    """Goal: no two writers by a race. Method: readers in threads wait for the lapse together, ten rounds."""
    PostgresStore(url, lease_seconds=0.0).close()
    readers = [PostgresStore(url, read_only=True, lease_seconds=3_600) for _ in range(6)]
    for _ in range(10):
        gate, taken = threading.Barrier(len(readers)), []

        def race(reader: PostgresStore, gate: threading.Barrier = gate, taken: list[object] = taken) -> None:
            gate.wait()
            if reader.take_lease():
                taken.append(reader)

        threads = [threading.Thread(target=race, args=(reader,)) for reader in readers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(taken) == 1
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("UPDATE lease SET expires_at = '-infinity', backend = 0")
    for reader in readers:
        reader.close()
