"""The serving process is killed under load, and its standby serves: two processes of ``tsingma serve --standby``.

Goal: nothing acknowledged is lost, nothing is doubled, and clients go on from where they were. Method: a house on
PostgreSQL; clients that send orders until each is acknowledged, always with the same key, to whichever process answers;
a reader of the event feed that resumes from its last sequence; kill -9 in the middle. Then the journal itself is read,
without the program under test, and proved.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from api_house import write_house
from test_api_server import _free_port
from test_api_writes import ORDER

from tsingma.api.application import application
from tsingma.api.keys import Keys
from tsingma.api.permissions import Role
from tsingma.api.standby_door import StandbyDoor
from tsingma.api.trying import new_key, new_token
from tsingma.app.house_service import HouseService
from tsingma.app.inspect import verify_house
from tsingma.app.serving_standby import ServingStandby
from tsingma.app.session import Session
from tsingma.app.standby import TakeOver
from tsingma.basics.clock import SystemClock
from tsingma.basics.rejection import Rejected

CLIENTS = 4
WAIT_SECONDS = 600  # on a machine that others load; a process that ended is noticed at once
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


def wait_until(what: Callable[[], bool], *processes: subprocess.Popen[bytes]) -> None:
    """Wait until something is so, as long as these processes live."""
    until = time.monotonic() + WAIT_SECONDS
    while not what():
        assert [one.poll() for one in processes] == [None] * len(processes), "a process has ended"
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
        self.heard, self.silence = time.monotonic(), 0.0  # when an order was acknowledged last; longest between two
        self.failures: list[BaseException] = []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.heeded, args=(self.send, n)) for n in range(CLIENTS)]
        self.reader = threading.Thread(target=self.heeded, args=(self.follow,))

    def start(self) -> None:
        """Let all begin."""
        for thread in (*self.threads, self.reader):
            thread.start()

    def heeded(self, work: Callable[..., None], *arguments: int) -> None:
        """Do a thread's work and keep what it fails with: a thread that ends by itself fails the test."""
        try:
            work(*arguments)
        except BaseException as error:
            self.failures.append(error)
            raise

    def wait_for_more(self, acknowledged: int) -> None:
        """Wait until so many more orders were acknowledged."""
        enough = len(self.acknowledged) + acknowledged
        wait_until(lambda: len(self.acknowledged) >= enough or bool(self.failures))
        assert self.failures == []

    def end(self) -> None:
        """Let every sender finish the order it is at, and all end."""
        self.stop.set()
        for thread in (*self.threads, self.reader):
            thread.join(WAIT_SECONDS)

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
                        now = time.monotonic()
                        self.silence, self.heard = max(self.silence, now - self.heard), now
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
    """Goal: a killed process costs clients nothing. Method: as the module says; the standby answers 503 meanwhile."""
    kill_and_go_on(new_database(), tmp_path, kills=1)


@pytest.mark.soak
def test_clients_go_on_through_twelve_kills(new_database: Callable[[], str], tmp_path: Path) -> None:
    """Goal: at many moments. Method: the two addresses take turns; who was killed comes back as the standby."""
    kill_and_go_on(new_database(), tmp_path, kills=12)


def kill_and_go_on(url: str, folder: Path, kills: int) -> None:
    """Kill the serving process so many times under load, and judge what clients and journal then have."""
    ports = (_free_port(), _free_port())
    write_house(url)
    clients = Clients(folder, ports)
    with ExitStack() as stack:
        first = stack.enter_context(serving(url, folder, ports[0]))
        wait_until(lambda: status(ports[0], "/ready") == 200, first)
        second = stack.enter_context(serving(url, folder, ports[1]))
        wait_until(lambda: status(ports[1], "/health") == 200, first, second)
        assert (status(ports[1], "/ready"), status(ports[1], "/day"), status(ports[1], "/metrics")) == (503, 503, 503)
        time.sleep(1.1)  # a token made in the second of the opening is older than the opening
        stack.callback(clients.end)
        clients.start()
        for kill in range(kills):
            clients.wait_for_more(40)
            wait_until(lambda: status(ports[1], "/health") == 200, first, second)  # noqa: B023 - called before they change
            first.send_signal(signal.SIGKILL)
            first.wait(10)
            first, second, ports = second, first, (ports[1], ports[0])
            if kill + 1 < kills:
                second = stack.enter_context(serving(url, folder, ports[1]))
        clients.wait_for_more(40)
        clients.end()
        assert (status(ports[0], "/ready"), first.poll()) == (200, None)
        first.send_signal(signal.SIGTERM)
        assert first.wait(30) in (0, -signal.SIGTERM)
    assert clients.failures == []
    assert clients.retried > 0
    assert clients.resumed > 0
    assert clients.seen == list(range(1, clients.seen[-1] + 1))  # none left out, none twice
    judge(url, clients, writers=kills + 2)  # who set it up, who were killed, who serves at the end
    print(
        f"{kills} kills: {len(clients.acknowledged)} orders acknowledged, {clients.retried} sent again, "
        f"{len(clients.seen)} events followed in {clients.resumed + 1} streams, longest silence {clients.silence:.1f} s"
    )


def judge(url: str, clients: Clients, writers: int) -> None:
    """Compare what was acknowledged with the journal, read without the program under test; then prove the journal."""
    with psycopg.connect(url) as connection:
        rows: list[Any] = connection.execute("SELECT command_id, epoch FROM journal ORDER BY sequence").fetchall()
    sent = [name for name, _ in rows if any(name.endswith(f"/{key}") for key in clients.acknowledged)]
    assert len(sent) == len(set(sent)) == len(clients.acknowledged)
    numbers = list(clients.acknowledged.values())
    assert len(set(numbers)) == len(numbers)
    epochs = [epoch for _, epoch in rows]
    assert epochs == sorted(epochs)
    assert len(set(epochs)) == writers
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


def test_a_standby_answers_its_health_and_then_as_the_house(new_database: Callable[[], str]) -> None:
    """Goal: the door in one process. Method: its lifespan by hand: 503 beside a writer, then the house."""
    url = new_database()
    write_house(url)
    failures: list[BaseException] = []

    async def ask(app: Any, path: str) -> int:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
            return (await client.get(path)).status_code

    async def live() -> list[int]:
        writer = Session.open(url)
        door = StandbyDoor(
            ServingStandby(url, CLOCK, lease_seconds=5, poll_seconds=0.02),
            lambda service: application(service, Keys(audience="x"), CLOCK),
            failures.append,
        )
        heard: asyncio.Queue[Any] = asyncio.Queue()
        told: asyncio.Queue[Any] = asyncio.Queue()
        scope: Any = {"type": "lifespan"}
        task = asyncio.create_task(door(scope, heard.get, told.put))
        await heard.put({"type": "lifespan.startup"})
        assert (await told.get())["type"] == "lifespan.startup.complete"
        statuses = [await ask(door, path) for path in ("/health", "/ready", "/day")]
        assert not door.serves()
        await asyncio.to_thread(writer.close)
        while not door.serves():
            await asyncio.sleep(0.02)
        statuses += [await ask(door, path) for path in ("/health", "/ready", "/day")]
        await heard.put({"type": "lifespan.shutdown"})
        assert (await told.get())["type"] == "lifespan.shutdown.complete"
        await task
        return statuses

    assert asyncio.run(asyncio.wait_for(live(), WAIT_SECONDS)) == [200, 503, 503, 200, 200, 401]
    assert failures == []
    with Session.open(url) as session:  # the lease was let go
        assert session.epoch == 4


def test_a_lost_lease_is_seen_without_a_command(new_database: Callable[[], str]) -> None:
    """Goal: an idle writer learns that it is none. Method: another takes the lapsed lease; the service says so."""
    url = new_database()
    write_house(url)
    with HouseService.open(url, lease_seconds=0.5) as service:
        assert service.stopped() == ""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("UPDATE lease SET epoch = epoch + 1")
        wait_until(lambda: service.stopped() == "another process has taken over this house")
