"""The settings of ``tsingma serve``: where each value comes from, and that nothing wrong gets by.

Goal: what is printed is what is served. Method: files, environments and options, alone and against each other.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from tsingma.app.serve_config import MASK, read_config
from tsingma.app.serve_settings import SECRET, ServeSettings
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.cli.main import main

FILE = """
[house]
place = "house"      # beside this file
[listen]
port = 9000
[limits]
connections = 10
"""


def write(folder: Path, text: str = FILE) -> Path:
    """Write a configuration file."""
    file = folder / "tsingma.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_later_sources_win_and_are_named(tmp_path: Path) -> None:
    """Goal: default < file < environment < command line. Method: one field given by each more source."""
    file = write(tmp_path)
    environment = {"TSINGMA_LISTEN_PORT": "9001", "TSINGMA_STANDBY_ENABLED": "false", "PATH": "/bin",
                   "TSINGMA_FONTS": "/fonts"}  # fmt: skip
    found = read_config(file, environment)
    assert (found.settings.listen.port, found.sources["listen.port"]) == (9001, "environment")
    assert (found.settings.limits.connections, found.sources["limits.connections"]) == (10, f"{file}:7")
    assert (found.settings.listen.address, found.sources["listen.address"]) == ("127.0.0.1", "default")
    assert found.settings.house.place == str(tmp_path / "house")
    last = read_config(file, environment, {"listen.port": 9002, "house.place": "elsewhere"})
    assert (last.settings.listen.port, last.sources["listen.port"]) == (9002, "command line")
    assert last.settings.house.place == "elsewhere"  # of the command line: from where one stands
    assert read_config(None, {"TSINGMA_CONFIG": str(file)}).settings.listen.port == 9000
    assert read_config(None, {}).settings == ServeSettings()


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        ("[house]\nplaice = 'x'\n", RejectionReason.UNKNOWN, "tsingma.toml:2: house.plaice: no such field (known"),
        ("[hose]\n", RejectionReason.UNKNOWN, "tsingma.toml:1: hose: no such table (known tables are house"),
        ("house = 1\n", RejectionReason.MALFORMED, "tsingma.toml:1: house: is no table (write [house])"),
        ("\n[listen]\nport = 70000\n", RejectionReason.OUT_OF_RANGE, "tsingma.toml:3: listen.port: 70000 will not do"),
        ("[listen]\nport = '80'\n", RejectionReason.MALFORMED, "tsingma.toml:2: listen.port: '80' will not do"),
        ("[log]\nlevel = 'loud'\n", RejectionReason.MALFORMED, "tsingma.toml:2: log.level"),
        ("[tls]\ncertificate = 'a.pem'\n", RejectionReason.CONFLICT, "tls: a certificate and its private key"),
        ("[house]\nplace = 'x'\n[standby]\nenabled = true\n", RejectionReason.CONFLICT, "standby.enabled: a standby"),
        ("[metrics]\nport = 8080\n", RejectionReason.CONFLICT, "metrics.port: the port of the interface"),
        ("[limits]\nfeeds = 8\n", RejectionReason.CONFLICT, "limits.feeds_of_a_key: is more than limits.feeds (8)"),
        ("[limits]\nbody_budget_bytes = 50000000\n", RejectionReason.CONFLICT, "limits.body_budget_bytes: a body may"),
        ("[limits]\nsessions = 0\n", RejectionReason.OUT_OF_RANGE, "tsingma.toml:2: limits.sessions: 0 will not do"),
        ("[house\n", RejectionReason.MALFORMED, "tsingma.toml:1: not TOML"),
        ("x = " + "[" * 5_000, RejectionReason.LIMIT, "nested too deep"),
        ("#" * 300_000, RejectionReason.LIMIT, "more than 262144 bytes"),
    ],
    ids=[
        "field",
        "table",
        "no-table",
        "range",
        "type",
        "choice",
        "half-tls",
        "standby",
        "port",
        "limit-of-one",
        "budget",
        "no-session",
        "syntax",
        "deep",
        "big",
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, reason: RejectionReason, said: str) -> None:
    """Goal: file, line, field, remedy. Method: one fault each; nothing else is refused."""
    with pytest.raises(Rejected) as refused:
        read_config(write(tmp_path, text), {})
    (only,) = refused.value.rejections
    assert only.reason is reason
    assert said in str(only)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Goal: one round of corrections. Method: a wrong file and a wrong environment."""
    file = write(tmp_path, "[house]\nplaice = 1\n[listen]\nport = 0\n")
    with pytest.raises(Rejected) as refused:
        read_config(file, {"TSINGMA_LISTEN_ADRESS": "x", "TSINGMA_STANDBY_POLL_MS": "soon"})
    assert [one.field for one in refused.value.rejections] == [
        "house.plaice", "TSINGMA_LISTEN_ADRESS", "listen.port", "standby.poll_ms (environment)",
    ]  # fmt: skip


def test_no_secret_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: the effective form can be pasted anywhere. Method: a password in the URL, good and refused; JSON."""
    file = write(tmp_path, '[house]\nplace = "postgresql://me:hunter2@db/house"\n')
    assert main(["serve", "config", "--file", str(file), "--json"]) == 0
    told = {one["field"]: one for one in json.loads(capsys.readouterr().out)}
    assert told["house.place"]["value"] == "postgresql://me@db/house"
    assert set(told) == {
        f"{one.name}.{field.name}"
        for one in msgspec.structs.fields(ServeSettings)
        for field in msgspec.structs.fields(one.type)
    }
    assert main(["serve", "config", "--file", str(file)]) == 0
    monkeypatch.setenv("TSINGMA_PROVIDER_CLIENT_SECRET", "hunter2")
    assert main(["serve", "config", "--file", str(file)]) in (0, 2)  # a secret alone may lack its provider
    monkeypatch.setenv("TSINGMA_HOUSE_PLACE", "postgresql://me:hunter2@db/" + "x" * 2_000)
    assert main(["serve", "config"]) == 2
    both = capsys.readouterr()
    assert "hunter2" not in both.out + both.err
    assert MASK in both.err
    assert SECRET == {"secret": True}


def test_the_page_names_every_field() -> None:
    """Goal: nothing is unsaid. Method: tables and fields of the page against those of the settings."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "operate" / "configuration.md").read_text(encoding="utf-8")
    told = set()
    for row in re.findall(r"^\| (`\[.*?) \| (`.*?) \|", page, re.MULTILINE):
        told |= {
            f"{table}.{field}" for table in re.findall(r"\[(\w+)\]", row[0]) for field in re.findall(r"`(\w+)`", row[1])
        }
    ours = {f"{section.name}.{field.name}" for section in msgspec.structs.fields(ServeSettings)
            for field in msgspec.structs.fields(section.type)}  # fmt: skip
    assert told == ours
