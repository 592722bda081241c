"""The serving process is killed while a day is run by acts, and started again each time; the batch finishes the day.

Goal: kill -9 between any two moments of an approval neither loses a step nor does one twice. Method: the real
process over HTTP on a house in a folder, two operators who send each request with the same key until it is answered,
kill -9 some moments after a request was sent; at the end the state is that of the batch alone.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from day_desk import BY_ACTS, DAY, act_for, batch, before, ends_as, market, twin
from test_api_server import _free_port

from tsingma.api.permissions import Role
from tsingma.api.trying import new_key, new_token
from tsingma.basics.clock import SystemClock

__all__ = ["before", "market", "twin"]  # fixtures

CLOCK = SystemClock()
WAIT_SECONDS = 60


@contextmanager
def serving(house: Path, market: Path, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Serve the house in a process of its own, ready."""
    command = [sys.executable, "-m", "tsingma.cli.main", "serve", "--house", str(house), "--market", str(market),
               "--keys", str(folder / "keys.toml"), "--port", str(port)]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200:
                    break
            assert process.poll() is None
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def send(folder: Path, port: int, who: str, path: str, key: str, body: object = None) -> httpx.Response | None:
    """Send a change; None when the process ended before it answered."""
    token = new_token(folder / "keys.toml", folder / f"{who}.json", 60, CLOCK)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    with suppress(httpx.TransportError):
        return httpx.post(f"http://127.0.0.1:{port}{path}", json=body, headers=headers, timeout=30)
    return None


def run_until_killed(
    folder: Path, port: int, process: subprocess.Popen[bytes], done: int, kill_at: float, moment: float
) -> int:
    """Do steps from number ``done`` on until the process is killed; returns how many are known to be done."""
    for place, step in enumerate(BY_ACTS[done:], done):
        act = act_for({"kind": step.kind, "step": step.name})
        proposed = send(folder, port, "chan", "/acts", f"p-{step.name}", act)
        if proposed is None:
            return place
        assert proposed.status_code == 201, proposed.text
        if place >= kill_at:  # the approval is on its way when it ends
            killer = subprocess.Popen(["sh", "-c", f"sleep {moment}; kill -9 {process.pid}"])
        approved = send(folder, port, "lee", f"/acts/{proposed.json()['number']}/approve", f"a-{step.name}")
        if place >= kill_at:
            killer.wait()
            process.wait()
        if approved is None or process.poll() is not None:
            return place
        assert approved.status_code == 200, approved.text
    return len(BY_ACTS)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.soak), pytest.param(3, marks=pytest.mark.soak)])
def test_kill_between_and_the_batch_finishes(before: Path, twin: Path, market: Path, tmp_path: Path, seed: int) -> None:
    """Goal and method: of the module; with seed 1 two kills, then the batch."""
    chance = random.Random(seed)
    house = Path(shutil.copytree(before, tmp_path / "house"))
    for who in ("chan", "lee"):
        new_key(tmp_path / "keys.toml", tmp_path / f"{who}.json", who, Role.OPERATOR, "", CLOCK, person=who)
    done = kills = 0
    for _ in range(2 if seed == 1 else 8):
        port = _free_port()
        with serving(house, market, tmp_path, port) as process:
            kill_at = min(done + chance.randint(1, 8), len(BY_ACTS) - 2)
            done = run_until_killed(tmp_path, port, process, done, kill_at, chance.uniform(0, 0.05))
            kills += process.returncode == -signal.SIGKILL
    assert kills
    batch(house, market, DAY)
    ends_as(house, twin)
