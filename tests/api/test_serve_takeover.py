"""The serving process is killed under load, and its standby serves: two processes of ``tsingma serve --standby``.

Goal: nothing acknowledged is lost, nothing is doubled, and clients go on from where they were. Method: a house on
PostgreSQL; clients that send orders until each is acknowledged, always with the same key, to whichever process answers;
a reader of the event feed that resumes from its last sequence; kill -9 in the middle. Then the journal itself is read,
without the program under test, and proved.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from api_house import write_house
from test_api_server import _free_port
from test_api_writes import ORDER

from tsingma.api.permissions import Role
from tsingma.api.trying import new_key, new_token
from tsingma.app.house_service import HouseService
from tsingma.app.inspect import verify_house
from tsingma.app.serving_standby import ServingStandby
from tsingma.app.session import Session
from tsingma.app.standby import TakeOver
from tsingma.basics.clock import SystemClock
from tsingma.basics.rejection import Rejected

CLIENTS = 4
WAIT_SECONDS = 90
CLOCK = SystemClock()


@contextmanager
def serving(url: str, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that stands by and serves when it may, as a configuration file says."""
    config = folder / f"{port}.toml"
    config.write_text(
        f'[house]\nplace = "{url}"\nlease_seconds = 2.0\n[listen]\nport = {port}\n[keys]\nfile = "keys.toml"\n'
        "[standby]\nenabled = true\npoll_ms = 50\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "tsingma.cli.main", "serve", "--config", str(config)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def status(port: int, path: str) -> int:
    """Return what a process answers, 0 when it does not."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=5).status_code
    except httpx.TransportError:
        return 0


def wait_until(what: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + WAIT_SECONDS
    while not what():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


class Clients:
    """Threads that send orders and one that follows the feed; all know two addresses and nothing of takeovers."""

    def __init__(self, folder: Path, ports: tuple[int, int]) -> None:
        """Make their keys."""
        self.folder, self.ports, self.keys = folder, ports, folder / "keys.toml"
        new_key(self.keys, folder / "a.json", "a", Role.PARTICIPANT, "A", CLOCK)
        new_key(self.keys, folder / "audit.json", "audit", Role.AUDITOR, "", CLOCK)
        self.acknowledged: dict[str, int] = {}
        self.seen: list[int] = []
        self.retried = self.resumed = 0
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.send, args=(number,)) for number in range(CLIENTS)]
        self.reader = threading.Thread(target=self.follow)

    def token(self, who: str) -> dict[str, str]:
        """Return a header with a new token."""
        return {"Authorization": f"Bearer {new_token(self.keys, self.folder / f'{who}.json', 60, CLOCK)}"}

    def send(self, number: int) -> None:
        """Send orders one after the other, each until it is acknowledged, from one address to the other and back."""
        at = 0
        for place in count():
            if self.stop.is_set():
                return
            key = f"c{number}-{place}"
            order = {**ORDER, "reference": 10_000 * (number + 1) + place}
            while True:
                with suppress(httpx.TransportError):
                    answer = httpx.post(
                        f"http://127.0.0.1:{self.ports[at]}/instructions", json=order, timeout=20,
                        headers={**self.token("a"), "Idempotency-Key": key},
                    )  # fmt: skip
                    if answer.status_code == 201:
                        self.acknowledged[key] = answer.json()["items"][0]["order"]
                        break
                    assert answer.status_code in (401, 503), answer.text  # 401: a token from before the opening
                self.retried += 1
                at = 1 - at
                time.sleep(0.05)

    def follow(self) -> None:
        """Follow the feed; whenever it breaks, go on behind the last event from whichever address answers."""
        at = 0
        while not self.stop.is_set():
            last = {"Last-Event-ID": str(self.seen[-1])} if self.seen else {}
            url = f"http://127.0.0.1:{self.ports[at]}/events"
            with (
                suppress(httpx.TransportError),
                httpx.stream("GET", url, headers={**self.token("audit"), **last}, timeout=3) as stream,
            ):
                for line in stream.iter_lines():
                    if line.startswith("data:"):
                        self.seen.append(json.loads(line[5:])["sequence"])
                    if self.stop.is_set():
                        return
            self.resumed += 1
            at = 1 - at
            time.sleep(0.05)


@pytest.mark.slow
def test_clients_go_on_when_the_serving_process_is_killed(new_database: Callable[[], str], tmp_path: Path) -> None:
    """Goal: issue 7, upgrade and kill. Method: as the module says; 503 and health of the standby on the way."""
    url, ports = new_database(), (_free_port(), _free_port())
    write_house(url)
    clients = Clients(tmp_path, ports)
    with serving(url, tmp_path, ports[0]) as first:
        wait_until(lambda: status(ports[0], "/ready") == 200)
        with serving(url, tmp_path, ports[1]) as second:
            wait_until(lambda: status(ports[1], "/health") == 200)
            assert (status(ports[1], "/ready"), status(ports[1], "/day")) == (503, 503)
            time.sleep(1.1)  # a token made in the second of the opening is older than the opening
            for thread in (*clients.threads, clients.reader):
                thread.start()
            wait_until(lambda: len(clients.acknowledged) >= 40)
            first.send_signal(signal.SIGKILL)
            first.wait(10)
            before = len(clients.acknowledged)
            wait_until(lambda: len(clients.acknowledged) >= before + 40)
            clients.stop.set()
            for thread in clients.threads:
                thread.join(WAIT_SECONDS)
            clients.reader.join(WAIT_SECONDS)
            assert (status(ports[1], "/ready"), second.poll()) == (200, None)
            second.send_signal(signal.SIGTERM)
            assert second.wait(30) in (0, -signal.SIGTERM)
    assert clients.retried > 0
    assert clients.resumed > 0
    assert clients.seen == list(range(1, clients.seen[-1] + 1))  # none left out, none twice
    judge(url, clients)


def judge(url: str, clients: Clients) -> None:
    """Compare what was acknowledged with the journal, read without the program under test; then prove the journal."""
    with psycopg.connect(url) as connection:
        rows: list[Any] = connection.execute("SELECT command_id, epoch FROM journal ORDER BY sequence").fetchall()
    sent = [name for name, _ in rows if any(name.endswith(f"/{key}") for key in clients.acknowledged)]
    assert len(sent) == len(set(sent)) == len(clients.acknowledged)
    numbers = list(clients.acknowledged.values())
    assert len(set(numbers)) == len(numbers)
    epochs = [epoch for _, epoch in rows]
    assert epochs == sorted(epochs)
    assert len(set(epochs)) == 3  # who set it up, who was killed, who took over
    assert verify_house(url).faults == []
    with Session.open(url, read_only=True) as session:
        assert len(session.house.settlement.orders) >= len(numbers)


def test_a_standby_ends_and_fails_in_good_order(new_database: Callable[[], str], tmp_path: Path) -> None:
    """Goal: no thread or lease is left. Method: ended while it waits; its journal broken; taken over."""
    url = new_database()
    write_house(url)
    told: list[object] = []

    def taken(service: HouseService, take_over: TakeOver) -> None:
        told.append(take_over)
        service.close()

    with Session.open(url):
        waiting = ServingStandby(url, CLOCK, lease_seconds=5, poll_seconds=0.02)
        waiting.start(taken, told.append)
        time.sleep(0.2)
        waiting.close()
        assert told == []
        broken = ServingStandby(url, CLOCK, lease_seconds=5, poll_seconds=0.02)
        broken.writer.sequencer._sequence += 1_000
        broken.start(taken, told.append)
        wait_until(lambda: len(told) == 1)
        broken.close()
        assert "the journal now ends at record" in str(told.pop())
    free = ServingStandby(url, CLOCK, lease_seconds=5, poll_seconds=0.02)
    free.start(taken, told.append)
    wait_until(lambda: len(told) == 1)
    free.close()
    assert isinstance(told[0], TakeOver)
    with Session.open(url) as session:  # the lease was let go
        assert session.epoch == told[0].epoch + 1
    with pytest.raises(Rejected, match="a standby follows a house on PostgreSQL"):
        ServingStandby(str(tmp_path), CLOCK, lease_seconds=5, poll_seconds=1)


def test_a_lost_lease_is_seen_without_a_command(new_database: Callable[[], str]) -> None:
    """Goal: an idle writer learns that it is none. Method: another takes the lapsed lease; the service says so."""
    url = new_database()
    write_house(url)
    with HouseService.open(url, lease_seconds=0.5) as service:
        assert service.stopped() == ""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("UPDATE lease SET epoch = epoch + 1")
        wait_until(lambda: service.stopped() == "another process has taken over this house")
