"""Single orders over HTTP: how many a second a served house makes durable, and what one costs it in processor time.

    python benchmarks/interface.py [--clients 64] [--orders 4000]

A server in its own process on SQLite in a temporary folder; clients in this one, each with one connection that is kept,
sending one order at a time and waiting for its durable answer. Tokens are signed and requests built beforehand; every
order is of another quantity, so that none is a candidate for another. Client and server share the machine, so the rate
is a lower bound; processor time of the server an order is what compares.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from machine import describe
from tsingma.api.keys import Key, Keys
from tsingma.api.permissions import Role
from tsingma.api.tokens import mint, new_private_key
from tsingma.app.session import Session
from tsingma.basics.clock import SystemClock
from tsingma.basics.dates import to_day
from tsingma.journal.commands import LoadReference, OpenDay
from tsingma.simulate.market import simulate_market

DAY = date(2026, 1, 5)
GOAL_A_SECOND, GOAL_P99_MS = 5_000, 20.0
LIFETIME_S = 300


def main() -> int:
    """Serve, send, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--orders", type=int, default=4_000)
    arguments = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), arguments.clients, arguments.orders)
    return 0


def run(folder: Path, clients: int, orders: int) -> None:
    """Serve a new house in a folder, send orders and print what it cost."""
    book = simulate_market(1, DAY, 1, 2_000).book
    with Session.open(folder / "house") as session:
        session.once("reference", lambda: LoadReference(book))
        session.once("open", lambda: OpenDay(to_day(DAY)))
    private = new_private_key()
    keys = folder / "keys.toml"
    keys.write_text(_keys(private["x"]), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "tsingma.cli.main", "serve", "--house", str(folder / "house"), "--keys", str(keys)]
    server = subprocess.Popen([*command, "--port", str(port)], stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        time.sleep(1.1)  # tokens must be younger than the opening
        isin = next(counter.isin for counter in book.counters if counter.settlement_counter)
        requests = [_request(number, isin, private) for number in range(1, orders + 1)]
        before, began = _processor_s(server.pid), time.perf_counter()
        took = asyncio.run(_send(port, clients, requests))
        seconds, used = time.perf_counter() - began, _processor_s(server.pid) - before
    finally:
        server.terminate()
        server.wait(30)
    took.sort()
    p50, p99 = (took[int(len(took) * part)] * 1_000 for part in (0.5, 0.99))
    print(f"{orders:,} orders by {clients} clients: {orders / seconds:,.0f} a second (goal {GOAL_A_SECOND:,}), "
          f"p50 {p50:.1f} ms, p99 {p99:.1f} ms (goal {GOAL_P99_MS:.0f})")  # fmt: skip
    print(f"processor time of the server: {used / orders * 1e6:,.0f} µs an order, {used / seconds:.2f} cores busy")


def _keys(public: str) -> str:
    now = datetime.now(UTC)
    key = Key(
        id="k", public=public, issuer="B00001", role=Role.PARTICIPANT, participant="B00001",
        valid_from=now - timedelta(1), valid_to=now + timedelta(1),
    )  # fmt: skip
    told = msgspec.to_builtins(Keys(audience="bench", key=(key,)))["key"][0]
    rows = [f"{name} = {value if name.startswith('valid') else json.dumps(value)}" for name, value in told.items()]
    return "\n".join(['audience = "bench"', "[[key]]", *rows, ""])


def _request(number: int, isin: str, private: dict[str, str]) -> bytes:
    token = mint(private, "k", "B00001", "bench", SystemClock().now_ns() // 1_000_000_000, LIFETIME_S)
    body = json.dumps({
        "reference": number, "account_class": "HOUSE", "side": "deliver", "counterparty": "B00002", "kind": "dvp",
        "isin": isin, "quantity": 100 + number, "currency": "HKD", "amount": "1000.00", "trade_date": str(DAY),
        "intended_date": str(DAY + timedelta(2)),
    }).encode()  # fmt: skip
    head = (
        f"POST /instructions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Idempotency-Key: {number}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _send(port: int, clients: int, requests: list[bytes]) -> list[float]:
    """Send every request over some connections and return how long each waited (seconds)."""
    todo, took = iter(requests), []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in todo:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            answer = await reader.readexactly(int(length.split(b":")[1]))
            if b" 201 " not in head.partition(b"\r\n")[0]:
                raise SystemExit(f"refused: {answer.decode()}")
            took.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return took


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not answer")


def _processor_s(pid: int) -> float:
    """Return the processor time a process has used, of all its threads (seconds; Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
