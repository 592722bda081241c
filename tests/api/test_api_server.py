"""A real server: started by its command on a free port of this machine, used over sockets, killed and started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_house import served, write_house
from test_api_writes import ORDER

from tsingma.api.keys import read_keys
from tsingma.api.patience import BodyTooSlow, patient
from tsingma.api.server import require_privacy
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main

WAIT_SECONDS = 60


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(house: Path, keys: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tsingma.cli.main", "serve", "--house", str(house), "--keys", str(keys),
               "--port", str(port)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + WAIT_SECONDS
        while True:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            try:
                if httpx.get(f"http://127.0.0.1:{port}/ready", timeout=5).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.communicate()


def _token(keys: Path, private: Path, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["serve", "token", "--keys", str(keys), "--private", str(private)]) == 0
    return capsys.readouterr().out.strip()


def _keys(folder: Path) -> tuple[Path, Path]:
    keys, private = folder / "keys.toml", folder / "a.json"
    arguments = ["--private", str(private), "--id", "a-1", "--role", "participant", "--participant", "A"]
    assert main(["serve", "key", "--keys", str(keys), *arguments]) == 0
    return keys, private


def test_served_killed_and_served_again(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the whole way, with its own process and tokens. Method: an order and a live feed; kill -9; the order again.

    After the kill the same key gives the same answer: what was acknowledged is there. A second writer is refused.
    """
    keys, private = _keys(tmp_path)
    port = _free_port()
    base = f"http://127.0.0.1:{port}"

    def headers(**more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {_token(keys, private, capsys)}", **more}

    def send() -> httpx.Response:
        return httpx.post(f"{base}/instructions", json=ORDER, headers=headers(**{"Idempotency-Key": "k-1"}), timeout=30)

    with _running(folder, keys, port) as process:
        end = httpx.get(f"{base}/day", headers=headers(), timeout=30).json()["at"]
        feed = headers()
        with httpx.stream("GET", f"{base}/events?from={end}", headers=feed, timeout=30) as stream:
            first = send()
            lines = stream.iter_lines()
            data = next(line for line in lines if line.startswith("data:"))
        assert first.status_code == 201, first.text
        assert json.loads(data[5:])["orders"] == [first.json()["items"][0]["order"]]
        assert "server" not in first.headers
        again = [sys.executable, "-m", "tsingma.cli.main", "serve", "--house", str(folder), "--keys", str(keys)]
        refused = subprocess.run([*again, "--port", str(_free_port())], capture_output=True, timeout=60, check=False)
        assert refused.returncode == 2, refused.stderr
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with _running(folder, keys, port) as process:
        time.sleep(1.1)  # a token made in the second of the opening is older than the opening
        second = send()
        assert (second.status_code, second.json()) == (201, first.json())
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)
        said = process.stderr.read().decode() if process.stderr else ""
        assert json.loads(private.read_text())["d"] not in said
        assert "Bearer" not in said


def test_a_private_key_is_its_owners_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: no private key on a screen or in a keys file, none overwritten. Method: make keys, look everywhere."""
    keys, private = _keys(tmp_path)
    told = capsys.readouterr()
    secret = json.loads(private.read_text())["d"]
    assert stat.S_IMODE(os.stat(private).st_mode) == 0o600
    assert secret not in told.out + told.err + keys.read_text()
    same = ["serve", "key", "--keys", str(keys), "--private", str(private), "--id", "a-2", "--role", "auditor"]
    assert main(same) == 2  # the file is there
    assert json.loads(private.read_text())["d"] == secret
    twice = ["serve", "key", "--keys", str(keys), "--private", str(tmp_path / "b.json"), "--id", "a-1"]
    assert main([*twice, "--role", "auditor"]) == 2
    assert not (tmp_path / "b.json").exists()
    assert main([*twice[:-1], "b-1", "--role", "participant"]) == 2  # whose?
    other = ["serve", "key", "--keys", str(keys), "--private", str(tmp_path / "c.json"), "--id", "c-1", "--json"]
    capsys.readouterr()
    assert main([*other, "--role", "auditor"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["id"] == "c-1"
    assert json.loads((tmp_path / "c.json").read_text())["d"] not in json.dumps(made)
    assert main(["serve", "token", "--keys", str(keys), "--private", str(tmp_path / "none.json")]) == 2
    (tmp_path / "odd.json").write_text("{")
    assert main(["serve", "token", "--keys", str(keys), "--private", str(tmp_path / "odd.json")]) == 2
    (tmp_path / "strange.json").write_text(json.dumps({"kid": "a-1", "x": "x"}))
    assert main(["serve", "token", "--keys", str(keys), "--private", str(tmp_path / "strange.json")]) == 2


def test_a_key_names_its_person_and_certificate(tmp_path: Path) -> None:
    """Goal: operators' and bound keys without an editor. Method: as openssl prints it; then what does not fit."""
    keys = tmp_path / "keys.toml"
    place = ["serve", "key", "--keys", str(keys), "--role", "operator"]
    printed = ":".join(["AB"] * 32)
    made = [*place, "--private", str(tmp_path / "o.json"), "--id", "o-1", "--person", "chan", "--certificate", printed]
    assert main(made) == 0
    (key,) = read_keys(keys).key
    assert (key.person, key.certificate, key.issuer) == ("chan", "ab" * 32, "chan")
    for wrong in (["--person", 'x"'], ["--person", "Chan"], ["--certificate", "ab"], ["--certificate", "zz" * 32]):
        assert main([*place, "--private", str(tmp_path / "p.json"), "--id", "o-2", *wrong]) == 2
    assert not (tmp_path / "p.json").exists()


def test_serving_needs_a_house_keys_and_privacy(folder: Path, tmp_path: Path) -> None:
    """Goal: refused at once, exit code 2. Method: nothing given; no keys file; an open address without TLS."""
    keys, _ = _keys(tmp_path)
    assert main(["serve"]) == 2
    assert main(["serve", "--house", str(folder), "--keys", str(tmp_path / "none.toml")]) == 2
    assert main(["serve", "--house", str(folder), "--keys", str(keys), "--host", "0.0.0.0"]) == 2
    for host in ("127.0.0.1", "::1", "localhost"):
        require_privacy(host, tls=False)
    for host in ("0.0.0.0", "::", "10.0.0.1", "example.org"):
        require_privacy(host, tls=True)
        with pytest.raises(Rejected, match="TLS"):
            require_privacy(host, tls=False)


def test_a_slow_body_is_given_up() -> None:
    """Goal: slow clients. Method: a body whose second part never comes; one that comes in time, then a quiet client."""

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        while True:
            message = await receive()
            if not message.get("more_body"):
                break
        await asyncio.wait_for(asyncio.shield(receive_again(receive)), 1)

    async def receive_again(receive: Any) -> None:
        assert (await receive())["type"] == "http.disconnect"

    async def run(pause_s: float) -> None:
        parts = [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.request", "body": b"b"}]
        pauses = [0.0, pause_s, 0.2]

        async def receive() -> Any:
            await asyncio.sleep(pauses.pop(0))
            return parts.pop(0) if parts else {"type": "http.disconnect"}

        await patient(app, seconds=0.1)({"type": "http"}, receive, None)  # type: ignore[arg-type, typeddict-item]

    asyncio.run(run(0.0))
    with pytest.raises(BodyTooSlow):
        asyncio.run(run(0.5))


def test_a_house_on_a_server_takes_orders_too(new_database: Callable[[], str]) -> None:
    """Goal: the other store. Method: the small house in PostgreSQL: an order, its repeat, a read, opened again."""
    url = new_database()
    write_house(url)
    with served(url) as house:
        first = house.post("participant", "/instructions", ORDER, "pg-1")
        assert first.status_code == 201, first.text
        assert house.post("participant", "/instructions", ORDER, "pg-1").json() == first.json()
        number = first.json()["items"][0]["order"]
        assert house.get("participant", f"/orders/{number}").json()["status"] == "waiting"
    with served(url) as house:
        assert house.post("participant", "/instructions", ORDER, "pg-1").json() == first.json()


def test_without_the_extra_it_is_said_what_to_install(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Goal: a remedy instead of a trace. Method: as if nothing were installed, every command."""
    keys, private = _keys(tmp_path)
    monkeypatch.setattr("tsingma.cli.serve.find_spec", lambda _name: None)
    places = ["--keys", str(keys), "--private", str(private)]
    for more in (["--house", str(folder), "--keys", str(keys)], ["token", *places],
                 ["key", *places, "--id", "x", "--role", "auditor"]):  # fmt: skip
        assert main(["serve", *more]) == 2
        assert "tsingma[service]" in capsys.readouterr().err
