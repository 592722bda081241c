"""Goal: a house to try lets somebody of every role in, and nobody else's files are touched. Method: make it twice."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from api_house import START_S, write_house
from argon2 import PasswordHasher

from tsingma.api import server
from tsingma.api.keys import read_keys, require_owners
from tsingma.api.people import read_people, require_members
from tsingma.api.permissions import Role
from tsingma.api.trial import make_trial
from tsingma.app.serve_settings import ServeSettings
from tsingma.app.trial import day_and_book
from tsingma.basics.clock import FixedClock
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.cli.main import main

CLOCK = FixedClock(START_S * 1_000_000_000)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a demo's folder with a house in it."""
    write_house(tmp_path / "demo" / "house")
    return tmp_path / "demo"


def test_every_role_gets_people_the_house_takes(house: Path, tmp_path: Path) -> None:
    """Goal: what is printed signs in. Method: read the files as the server does, check each hash."""
    _, book = day_and_book(house / "house")
    made = make_trial(tmp_path / "trial", book, CLOCK)
    people, members = read_people(Path(made.people_file)), {one.code: one for one in book.participants}
    require_members(people, members, "people")
    require_owners(read_keys(Path(made.keys_file)), members, "keys")
    assert {one.role for one in people.person} == set(Role)
    assert len({one.id for one in people.person if one.role is Role.OPERATOR}) == 2
    for told, person in zip(made.people, people.person, strict=True):
        assert (told.id, told.role, told.participant) == (person.id, person.role, person.participant)
        assert PasswordHasher().verify(person.password, told.password)
    for file in (made.people_file, made.private_file):
        assert stat.S_IMODE(Path(file).stat().st_mode) == 0o600


def test_a_second_trial_ends_the_passwords_of_the_first(house: Path, tmp_path: Path) -> None:
    """Goal: nothing printed before is good. Method: two trials in one folder; another file there stays."""
    _, book = day_and_book(house / "house")
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial" / "notes.txt").write_text("mine")
    first, second = (make_trial(tmp_path / "trial", book, CLOCK) for _ in range(2))
    assert {one.password for one in first.people}.isdisjoint({one.password for one in second.people})
    assert len(read_people(Path(second.people_file)).person) == len(second.people)
    assert (tmp_path / "trial" / "notes.txt").read_text() == "mine"
    (tmp_path / "trial" / "keys.toml").unlink()
    (tmp_path / "trial" / "keys.toml").mkdir()
    with pytest.raises(Rejected) as refused:
        make_trial(tmp_path / "trial", book, CLOCK)
    assert refused.value.rejections[0].reason is RejectionReason.CONFLICT


def test_the_command_serves_on_this_machine_alone(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Goal: the demo's house, on loopback. Method: look at the settings it would be served with."""
    served: list[ServeSettings] = []
    monkeypatch.setattr(server, "serve", lambda settings, day, *, more_routes: served.append(settings))
    arguments = ["serve", "trial", "--demo", str(house), "--out", str(tmp_path / "trial"), "--port", "9001"]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert "http://127.0.0.1:9001/console" in told
    assert [one.listen.address for one in served] == ["127.0.0.1"]
    assert served[0].house.place == str(house / "house")
    assert all(one.id in told for one in read_people(Path(served[0].people.file)).person)
    assert main(["serve", "trial", "--demo", str(tmp_path / "nowhere"), "--out", str(tmp_path / "trial")]) == 2
    assert "tsingma demo" in capsys.readouterr().err
