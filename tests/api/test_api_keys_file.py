"""Keys files: who may prove to be whom, from a file that is whole or refused by field, and read again while serving.

Method: one thing of a good file changed; a file rewritten while a house is served from it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from api_house import AUDIENCE, SECOND, keys_of, served

from tsingma.api.keys import Keys, read_keys, require_owners
from tsingma.api.permissions import Role
from tsingma.api.tokens import (
    mint,
    new_private_key,
)
from tsingma.basics.rejection import Rejected
from tsingma.reference.book import Participant, ParticipantKind

PRIVATE = new_private_key()
KEYS = keys_of({"participant": PRIVATE})


def _file(folder: Path, text: str) -> Path:
    path = folder / "keys.toml"
    path.write_text(text, encoding="utf-8")
    return path


ROW = f"""audience = "t"
[[key]]
id = "a"
public = "{PRIVATE["x"]}"
issuer = "A"
role = "participant"
participant = "A"
valid_from = 2026-01-01T00:00:00Z
valid_to = 2027-01-01T00:00:00Z
"""


def test_a_keys_file_is_read(tmp_path: Path) -> None:
    """Goal: the documented form. Method: one key, read."""
    keys = read_keys(_file(tmp_path, ROW))
    assert (keys.audience, keys.key[0].role, keys.key[0].participant) == ("t", Role.PARTICIPANT, "A")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('audience = "t"', 'audience = ""', "audience"),
        (PRIVATE["x"], PRIVATE["x"][:-4], "public"),
        (PRIVATE["x"], "!" * 43, "public"),
        ("00:00:00Z", "00:00:00", "valid_from"),
        ("2027-01", "2025-01", "valid_to"),
        ('participant = "A"\n', "", "participant"),
        ('role = "participant"', 'role = "operator"', "participant"),
        ('id = "a"', 'id = ""', "id, issuer"),
        ('role = "participant"', 'role = "root"', ""),
        ('issuer = "A"', 'issuer = "A"\nprivate = "x"', ""),
        ("[[key]]", "[[key", ""),
    ],
    ids=[
        "audience",
        "short",
        "no base64",
        "zone",
        "ends first",
        "nobody",
        "operator",
        "no id",
        "role",
        "private",
        "toml",
    ],
)
def test_a_keys_file_that_is_wrong_is_refused_by_field(tmp_path: Path, old: str, new: str, field: str) -> None:
    """Goal: no key is half right. Method: one thing of a good file changed."""
    with pytest.raises(Rejected) as refused:
        read_keys(_file(tmp_path, ROW.replace(old, new)))
    assert refused.value.rejections[0].field == field
    assert PRIVATE["d"] not in str(refused.value)


def test_one_key_is_no_two_people(tmp_path: Path) -> None:
    """Goal: four-eyes are two keys. Method: one public key in two rows: of two people, of two issuers, of one."""
    row = ROW.partition("\n")[2].replace('id = "a"', 'id = "b"')
    for change, right in (('person = "lee"\n', False), ("", True)):
        both = _file(tmp_path, ROW + row + change)
        if right:
            assert len(read_keys(both).key) == 2
            continue
        with pytest.raises(Rejected, match="another owner's") as caught:
            read_keys(both)
        assert caught.value.rejections[0].field == "public"
    with pytest.raises(Rejected, match="another owner's"):
        read_keys(_file(tmp_path, ROW + row.replace('issuer = "A"', 'issuer = "B"')))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    public = str(PRIVATE["x"])
    spelled = public[:-1] + letters[letters.index(public[-1]) + 1]  # bits that mean nothing: the same 32 bytes
    with pytest.raises(Rejected, match="another owner's"):
        read_keys(_file(tmp_path, ROW + row.replace(public, spelled) + 'person = "lee"\n'))


def test_two_keys_of_one_id_and_no_file(tmp_path: Path) -> None:
    """Goal: ids are unique, a missing file is named. Method: the row twice; a path that leads nowhere."""
    with pytest.raises(Rejected, match="twice"):
        read_keys(_file(tmp_path, ROW + ROW.partition("\n")[2]))
    with pytest.raises(Rejected, match="nowhere"):
        read_keys(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("kind", list(ParticipantKind))
@pytest.mark.parametrize("role", [Role.PARTICIPANT, Role.CUSTODIAN])
def test_nobody_has_a_key_as_the_house(kind: ParticipantKind, role: Role) -> None:
    """Goal: a key of the house itself would speak for everybody: there is none, nor of issuers, banks and links.

    Method: every kind of participant with both roles of members.
    """
    keys = Keys(audience="t", key=(msgspec.structs.replace(KEYS.key[0], role=role, participant="X"),))
    good = {
        (ParticipantKind.DIRECT_CLEARING, Role.PARTICIPANT), (ParticipantKind.GENERAL_CLEARING, Role.PARTICIPANT),
        (ParticipantKind.CUSTODIAN, Role.CUSTODIAN),
    }  # fmt: skip
    book = {"X": Participant(code="X", name="X", kind=kind)}
    if (kind, role) in good:
        require_owners(keys, book, "keys.toml")
    else:
        with pytest.raises(Rejected):
            require_owners(keys, book, "keys.toml")
    with pytest.raises(Rejected, match="not in the book"):
        require_owners(keys, {}, "keys.toml")


def test_an_application_is_not_made_for_a_key_nobody_may_have(folder: Path) -> None:
    """Goal: the check is on the way to serving. Method: serve with a key whose participant is the house."""
    with pytest.raises(Rejected, match="cannot have the role"), served(folder, owner="HKSCC"):
        pass


def test_a_withdrawn_key_is_refused_within_a_second(folder: Path, tmp_path: Path) -> None:
    """Goal: keys come and go without a restart. Method: a file rewritten, spoilt and mended meanwhile."""
    path = tmp_path / "keys.toml"
    more = ROW.partition("\n")[2].replace('id = "a"', 'id = "new"')

    def write(text: str) -> None:
        path.write_text(text.replace('"t"', f'"{AUDIENCE}"'), encoding="utf-8")
        house.clock.advance(SECOND)

    def status(key: str) -> int:
        at = house.clock.now_ns() // SECOND
        token = mint(PRIVATE, key, "A", AUDIENCE, at, 60)
        return int(house.get("participant", "/day", token=token).status_code)

    path.write_text(ROW.replace('"t"', f'"{AUDIENCE}"'), encoding="utf-8")
    with served(folder, keys_file=path) as house:
        write(ROW + more)
        assert (status("a"), status("new")) == (200, 200)
        write(ROW.replace('id = "a"', 'id = "new"'))
        assert (status("a"), status("new")) == (401, 200)
        write("[[key")
        assert (status("a"), status("new")) == (401, 200)
        answer = house.get(None, "/ready")
        assert answer.status_code == 503
        assert "[[key" not in answer.text
        write(ROW.replace('participant = "A"', 'participant = "HKSCC"'))  # whole, and not allowed
        assert (status("a"), house.get(None, "/ready").status_code) == (401, 503)
        write(ROW)
        assert (status("a"), status("new"), house.get(None, "/ready").status_code) == (200, 401, 200)
