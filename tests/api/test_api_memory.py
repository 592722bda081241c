"""Memory is bounded whatever is sent: a real server whose resident set is measured while many send at once."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from test_api_server import _free_port

from tsingma.cli.main import main

KIB, MIB = 1024, 1024 * 1024


def memory_of(process: int) -> int:
    """Return the resident set of a process, in bytes."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * KIB for line in lines if line.startswith("VmRSS"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_memory_is_bounded_while_many_send(written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: N bodies at once cost the budget, not N bodies. Method: a real server, 40 clients of 4 MiB each.

    The budget is 32 MiB; each body comes but for its last byte, so that nothing is given back before it is measured.
    """
    house = Path(shutil.copytree(written, tmp_path / "house"))
    keys, bodies, size = tmp_path / "keys.toml", 40, 4 * MIB
    owners = {"a": ("participant", "A"), "b": ("participant", "B"), "c": ("custodian", "C"), "d": ("participant", "D")}
    for name, (role, participant) in owners.items():
        assert main(["serve", "key", "--keys", str(keys), "--private", str(tmp_path / f"{name}.json"), "--id", name,
                     "--role", role, "--participant", participant]) == 0  # fmt: skip
    port = _free_port()
    environment = {**os.environ, "TSINGMA_LIMITS_BULK_BODY_BYTES": str(size), "TSINGMA_LIMITS_BODY_BUDGET_BYTES":
                   str(32 * MIB)}  # fmt: skip
    command = [sys.executable, "-m", "tsingma.cli.main", "serve", "--house", str(house), "--keys", str(keys),
               "--port", str(port)]  # fmt: skip
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    clients: list[socket.socket] = []
    try:
        deadline = time.monotonic() + 60
        while not _is_ready(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(1.1)  # a token made in the second of the opening is older than the opening
        capsys.readouterr()
        before = memory_of(process.pid)
        for place in range(bodies):
            name = list(owners)[place % len(owners)]
            assert main(["serve", "token", "--keys", str(keys), "--private", str(tmp_path / f"{name}.json")]) == 0
            clients.append(_sent(port, capsys.readouterr().out.strip(), size))
        statuses = [_told(client) for client in clients]
        grown = memory_of(process.pid) - before
        refused = [one for one in statuses if one]
        assert set(refused) <= {429, 503}
        assert 4 <= len(statuses) - len(refused) <= 8  # those whose bodies have room
        assert grown < 32 * MIB + 24 * MIB, f"{grown / MIB:.0f} MiB"  # the budget; and parts that nobody has read
    finally:
        for client in clients:
            client.close()
        process.kill()
        process.wait()


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _sent(port: int, token: str, size: int) -> socket.socket:
    """Return a connection on which all but the last byte of a body was sent, as far as it was taken."""
    client = socket.create_connection(("127.0.0.1", port), timeout=5)
    head = (
        f"POST /instructions/bulk HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: text/csv\r\n"
        f"Idempotency-Key: k\r\nContent-Length: {size}\r\n\r\n"
    )
    client.sendall(head.encode() + b"x" * (size - 1))
    return client


def _told(client: socket.socket) -> int:
    """Return the status of an answer that is there, 0 when there is none yet."""
    client.settimeout(0.05)
    try:
        return int(client.recv(100).split()[1])
    except TimeoutError:
        return 0
