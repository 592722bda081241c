"""The people file: written by a command, read whole or not at all; passwords never leave it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tsingma.api.people import PEOPLE_MAX, People, new_person, read_people, require_members
from tsingma.api.permissions import Role
from tsingma.basics.clock import FixedClock, SystemClock
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.reference.book import Participant, ParticipantKind

HASH = "$argon2id$v=19$m=65536,t=3,p=4$9EUO4EIcPqhmZxHF0a2vuQ$wg4LeECmwtgI4kLD5QTcuMxvGzOhN4XMaqWdV2nXPAg"
ROW = f"""[[person]]
id = "chan"
name = "陳大文"
role = "operator"
password = "{HASH}"
valid_from = 2026-01-01T00:00:00Z
valid_to = 2027-01-01T00:00:00Z
"""
SUBJECT = 'issuer = "https://id.example"\nsubject = "u"\n'
NOBODY = {"issuer": "https://id.example", "subject": "u-1"}


def test_a_person_is_added_with_a_password_from_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: the command's whole way. Method: two people, one by subject; mode 600; the password and hash unsaid."""
    import io

    people = tmp_path / "people.toml"
    more = ["--people", str(people), "--json"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("correct horse 電池\n".encode())))
    who = ["--id", "chan", "--name", '陳 "Tai Man"', "--role", "operator", "--password-stdin"]
    assert main(["serve", "person", *who, *more]) == 0
    told = capsys.readouterr()
    made = read_people(people).person[0]
    assert stat.S_IMODE(people.stat().st_mode) == 0o600
    assert (made.name, made.role, made.participant) == ('陳 "Tai Man"', Role.OPERATOR, "")
    assert json.loads(told.out)["id"] == "chan"
    for secret in (made.password, "horse"):
        assert secret not in told.out + told.err
    assert "horse" not in people.read_text(encoding="utf-8")
    who = ["--id", "lee", "--name", "Lee", "--role", "participant", "--participant", "A", "--subject", "u-1"]
    who += ["--issuer", "https://id.example"]
    assert main(["serve", "person", *who, *more]) == 0
    assert [one.id for one in read_people(people).person] == ["chan", "lee"]
    before = people.read_bytes()
    assert main(["serve", "person", *who, *more]) == 2  # the id is there
    for short in ("", "too short"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{short}\n".encode())))
        who = ["--id", "ho", "--name", "Ho", "--role", "auditor", "--password-stdin"]
        assert main(["serve", "person", *who, *more]) == 2
    assert people.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda text: text + text, "id"),
        (lambda text: text.replace(f'password = "{HASH}"', ""), "password"),
        (lambda text: text.replace("$argon2id$", "$argon2i$"), "password"),
        (lambda text: text.replace(HASH, "secret"), "password"),
        (lambda text: text.replace("operator", "participant"), "participant"),
        (lambda text: text + 'participant = "A"', "participant"),
        (lambda text: text.replace("2026-01-01T00:00:00Z", "2026-01-01T00:00:00"), "valid_from"),
        (lambda text: text.replace("2027", "2025"), "valid_to"),
        (lambda text: text + 'admin = true', ""),
        (lambda text: text.replace('"chan"', '"Chan Tai Man"'), ""),
        (lambda text: text.replace('"chan"', '"chan\\n"'), ""),
        (lambda text: text.replace("[[person]]", "[[person"), ""),
        (lambda text: text + SUBJECT + text.replace("chan", "lee") + SUBJECT, "subject"),
        (lambda text: text + 'subject = "u"', "issuer"),
    ],
    ids=["twice", "no-proof", "other-hash", "plain", "no-participant", "participant-of-operator", "no-offset",
         "ends-before", "unknown-field", "odd-id", "line-feed", "no-toml", "one-subject-twice", "no-issuer"],
)  # fmt: skip
def test_wrong_files_are_refused_whole(tmp_path: Path, change: object, field: str) -> None:
    """Goal: nobody half known. Method: a good file changed in one place each; the fault names the field."""
    path = tmp_path / "people.toml"
    path.write_text(change(ROW), encoding="utf-8")  # type: ignore[operator]
    with pytest.raises(Rejected) as caught:
        read_people(path)
    assert caught.value.rejections[0].file == str(path)
    assert caught.value.rejections[0].field == field
    path.write_text(ROW, encoding="utf-8")
    assert read_people(path).person[0].name == "陳大文"


def test_sizes_and_missing_files(tmp_path: Path) -> None:
    """Goal: limits. Method: no file; one that is too large; too many people."""
    with pytest.raises(Rejected, match="cannot be read"):
        read_people(tmp_path / "none.toml")
    (tmp_path / "large.toml").write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(Rejected, match="more than"):
        read_people(tmp_path / "large.toml")
    (tmp_path / "many.toml").write_text("".join(ROW.replace("chan", f"p{n}") for n in range(PEOPLE_MAX + 1)))
    with pytest.raises(Rejected, match=f"{PEOPLE_MAX + 1} people"):
        read_people(tmp_path / "many.toml")


def test_people_belong_to_participants_of_the_book(tmp_path: Path) -> None:
    """Goal: the rule that keys have. Method: a participant that is there, one of another kind, one that is not."""
    book = {
        "A": Participant(code="A", name="A", kind=ParticipantKind.DIRECT_CLEARING),
        "C": Participant(code="C", name="C", kind=ParticipantKind.CUSTODIAN),
    }
    for participant, right in (("A", True), ("C", False), ("X", False)):
        path = tmp_path / f"{participant}.toml"
        made = new_person(path, "lee", "Lee", Role.PARTICIPANT, participant, "", FixedClock(0), **NOBODY)
        if right:
            require_members(People(person=(made,)), book, "")
        else:
            with pytest.raises(Rejected):
                require_members(People(person=(made,)), book, "")


@pytest.mark.parametrize(
    "name", ['x"\n[[person]]\nid = "evil"', "\x7f", "a\tb", "\x85"], ids=["stanza", "del", "tab", "nel"]
)
def test_control_characters_are_refused(tmp_path: Path, name: str) -> None:
    """Goal: nothing breaks out of the file. Method: names, subjects and participants with them; no file is made."""
    path = tmp_path / "people.toml"
    for fields in ((name, "", "u"), ("Lee", name, "u"), ("Lee", "", name)):
        with pytest.raises(Rejected):
            new_person(
                path, "lee", fields[0], Role.AUDITOR, fields[1], "", SystemClock(), issuer="i", subject=fields[2]
            )
    assert not path.exists()


def test_quotes_and_backslashes_come_back(tmp_path: Path) -> None:
    """Goal: names as they are. Method: quotes, backslashes, other planes; read again."""
    path, name = tmp_path / "people.toml", '陳 "大\\文" \\u0041 𠮷'
    new_person(path, "lee", name, Role.AUDITOR, "", "", SystemClock(), **NOBODY)
    assert [one.name for one in read_people(path).person] == [name]


def test_a_number_of_thousands_of_digits_is_refused(tmp_path: Path) -> None:
    """Goal: a bad file is said to be one, while the house serves too. Method: 5,000 digits, more than Python reads."""
    path = tmp_path / "people.toml"
    path.write_text(ROW + "age = " + "9" * 5_000, encoding="utf-8")
    with pytest.raises(Rejected) as caught:
        read_people(path)
    assert caught.value.rejections[0].file == str(path)
