"""Clients of a served house for ``interface.py``: keys, requests built beforehand, wrk, and plain sockets."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from tsingma.api.keys import Key, Keys
from tsingma.api.permissions import Role
from tsingma.api.tokens import mint, new_private_key
from tsingma.basics.clock import SystemClock

LIFETIME_S = 300
AUDIENCE = "bench"
HOST = "127.0.0.1"
_LUA = """
local requests, place = {}, 0
local file = io.open(os.getenv("REQUESTS"), "rb")
while true do
  local length = file:read(8)
  if not length then break end
  requests[#requests + 1] = file:read(tonumber(length))
end
request = function()
  place = place + 1
  if place > #requests then wrk.thread:stop() place = #requests end
  return requests[place]
end
done = function(summary, latency, _)
  local errors = summary.errors
  local failed = errors.status + errors.read + errors.write + errors.timeout + errors.connect
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, failed, summary.duration,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass
class Callers:
    """Private keys by name, each of a role and, of members, a participant; tokens are made with them."""

    made: dict[str, tuple[Role, str, dict[str, str]]] = field(default_factory=dict)

    def add(self, name: str, role: Role, participant: str = "") -> None:
        """Make a key."""
        self.made[name] = (role, participant, new_private_key())

    def token(self, name: str) -> str:
        """Return a new token."""
        now_s = SystemClock().now_ns() // 1_000_000_000
        return mint(self.made[name][2], name, name, AUDIENCE, now_s, LIFETIME_S)

    def write(self, path: Path) -> Path:
        """Write the keys file; who acts for the operator is a person of the key's name."""
        now = datetime.now(UTC)
        keys = [
            Key(
                id=name, public=private["x"], issuer=name, role=role, participant=participant,
                person=name if role is Role.OPERATOR else "", valid_from=now - timedelta(1),
                valid_to=now + timedelta(1),
            )
            for name, (role, participant, private) in self.made.items()
        ]  # fmt: skip
        lines = [f'audience = "{AUDIENCE}"']
        for row in msgspec.to_builtins(Keys(audience=AUDIENCE, key=tuple(keys)))["key"]:
            told = {name: value for name, value in row.items() if value != ""}
            lines += ["[[key]]"]
            lines += [f"{k} = {v if k.startswith('valid') else json.dumps(v)}" for k, v in told.items()]
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return path


def request_of(method: str, path: str, token: str, body: Any = None, key: str = "", kind: str = "json") -> bytes:
    """Return a request as it is sent; ``body`` is told as JSON unless it is bytes already."""
    told = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
    lines += [f"Idempotency-Key: {key}"] if key else []
    if body is not None:
        lines += [f"Content-Type: application/{kind}", f"Content-Length: {len(told)}"]
    return "\r\n".join([*lines, "", ""]).encode() + told


@dataclass(frozen=True)
class Spent:
    """What a load came to: requests, how many were not answered well, seconds, and latencies in milliseconds."""

    requests: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float


def load_with_wrk(port: int, folder: Path, clients: int, seconds: int, requests: Iterable[bytes]) -> Spent:
    """Send requests over some connections with wrk until time is up or they are."""
    script, data = folder / "requests.lua", folder / "requests"
    script.write_text(_LUA, encoding="ascii")
    with data.open("wb") as out:
        for request in requests:
            out.write(b"%08d" % len(request) + request)
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "-s", str(script), f"http://{HOST}:{port}/"]
    done = subprocess.run(
        command, env={**os.environ, "REQUESTS": str(data)}, capture_output=True, text=True, check=True
    )
    sent, failed, duration, p50, p99 = map(int, done.stdout.partition("RESULT ")[2].split())
    return Spent(sent, failed, duration / 1e6, p50 / 1e3, p99 / 1e3)


async def load_with_sockets(port: int, clients: int, requests: Sequence[bytes]) -> Spent:
    """Send every request over some connections, one at a time on each, and wait for each answer."""
    todo, took, failed = iter(requests), list[float](), 0

    async def client() -> None:
        nonlocal failed
        async with connected(port) as (reader, writer):
            for request in todo:
                began = time.perf_counter()
                writer.write(request)
                status, _ = await answer(reader)
                took.append(time.perf_counter() - began)
                failed += not 200 <= status < 300

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return spent_of(took, failed, time.perf_counter() - began)


def spent_of(took: list[float], failed: int, seconds: float) -> Spent:
    """Return what times (seconds each) come to."""
    ordered = sorted(took)
    p50, p99 = (ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1_000 for part in (0.5, 0.99))
    return Spent(len(took), failed, seconds, p50, p99)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection."""
    reader, writer = await asyncio.open_connection(HOST, port, limit=64 * 1024 * 1024)
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return status and body of an answer that says how long it is."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)


async def ask(port: int, request: bytes) -> Any:
    """Send one request over a connection of its own and return its answer; ends the program when it is refused."""
    async with connected(port) as (reader, writer):
        writer.write(request)
        status, body = await answer(reader)
    if not 200 <= status < 300:
        raise SystemExit(f"refused: {status} {body.decode()}")
    return json.loads(body)


async def follow(port: int, token: str, after: int, told: Counter[int], place: int) -> None:
    """Follow the feed behind a record for ever and count its events."""
    async with connected(port) as (reader, writer):
        writer.write(request_of("GET", f"/events?from={after}", token))
        async for line in reader:
            if line.startswith(b"event: "):
                told[place] += 1
