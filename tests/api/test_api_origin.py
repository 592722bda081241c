"""Every change over HTTP is journalled with who made it, the key and the hash of the request, on both stores."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from api_house import served, write_house
from test_api_writes import ORDER

from tsingma.app.inspect import replay_house, verify_house
from tsingma.app.session import Session, open_store
from tsingma.cli.main import main
from tsingma.journal.origin import origin_of


def _told(house: Path | str) -> None:
    """Send an order and an action as a participant, and repeat the order with the same key."""
    with served(house) as running:
        body = json.dumps(ORDER).encode()
        headers = {"Idempotency-Key": "k-1", "Content-Type": "application/json"}
        first = running.call("participant", "POST", "/instructions?x=%201", content=body, headers=headers)
        assert first.status_code == 201, first.text
        again = running.call("participant", "POST", "/instructions", json=ORDER, headers=headers)
        assert again.json() == first.json()
        action = running.post("participant", "/orders/6/actions", {"action": "prioritise", "value": 2}, "k-2")
        assert action.status_code == 200, action.text


def _check(house: Path | str) -> None:
    with closing(open_store(house, read_only=True)) as store:
        records = list(store.read())
    before = [record for record in records if not record.command_id.startswith("api/")]
    assert [origin_of(record.body) for record in before] == [None] * len(before)
    order, action = (origin_of(record.body) for record in records[-2:])
    assert order is not None
    assert action is not None
    assert (order.actor, order.key) == (action.actor, action.key) == ("issuer-participant", "participant")
    told = b"POST /instructions?x=%201\n" + json.dumps(ORDER).encode()
    assert order.request == hashlib.sha256(told).digest()
    proof, replayed = verify_house(house), replay_house(house)
    assert (list(proof.faults), replayed["same"]) == ([], True)


def test_what_was_sent_is_in_the_journal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: actor, key, hash; older records untouched; told by the command. Method: send, prove, replay, print."""
    _told(folder)
    _check(folder)
    assert main(["view", "records", "--house", str(folder), "--participant", "issuer-participant", "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert page["columns"] == ["record", "command", "id", "actor", "key", "request"]
    assert [row[1:5] for row in page["rows"]] == [
        ["submit-instructions", "api/A/k-1", "issuer-participant", "participant"],
        ["change-order", "api/A/k-2", "issuer-participant", "participant"],
    ]
    assert main(["view", "records", "--house", str(folder)]) == 0
    assert "load-reference" in capsys.readouterr().out
    assert main(["view", "records", "--house", str(folder), "--at", "999999"]) == 2


def test_who_told_it_changes_no_state(folder: Path, written: Path, tmp_path: Path) -> None:
    """Goal: state and answers rest on commands alone. Method: the same commands unsigned; state hash and answers."""
    _told(folder)
    plain = Path(shutil.copytree(written, tmp_path / "plain"))
    from tsingma.journal.commands import decode

    with Session.open(folder, read_only=True) as signed, Session.open(plain) as session:
        for record in signed.store.read(session.sequencer.sequence):
            session.submit([(record.command_id, decode(record.body))])
        assert session.house.digest() == signed.house.digest()
        assert [one.answer for one in session.store.read()] == [one.answer for one in signed.store.read()]
        assert session.sequencer.head != signed.sequencer.head


def test_on_a_server_too(new_database: Callable[[], str]) -> None:
    """Goal: the other store. Method: the same in PostgreSQL."""
    url = new_database()
    write_house(url)
    _told(url)
    _check(url)
