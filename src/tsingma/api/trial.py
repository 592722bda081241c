"""A house to try: people of every role with passwords, and a key of a participant, in a folder of their own.

They are made anew at each start, so what was printed once is good for one run. For a house of trial data on this
machine's own address, nothing else.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from tsingma.api.people import new_person
from tsingma.api.permissions import Role
from tsingma.api.trying import new_key
from tsingma.basics.clock import Clock
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.reference.book import AccountClass, ParticipantKind, ReferenceBook

PASSWORD_BYTES = 12
_CLEARING = (ParticipantKind.DIRECT_CLEARING, ParticipantKind.GENERAL_CLEARING)


class TrialPerson(msgspec.Struct, frozen=True):
    """Somebody who may sign in: what to type, and for whom they act ("" for nobody)."""

    id: str
    password: str
    role: str
    participant: str


class Trial(msgspec.Struct, frozen=True):
    """Files that were made, and who may sign in."""

    people_file: str
    keys_file: str
    private_file: str
    people: tuple[TrialPerson, ...]


def make_trial(folder: Path, book: ReferenceBook, clock: Clock) -> Trial:
    """Write people and keys for a house of this book into a folder and return them.

    Two operators, since an act of one needs another; two participants, since an order needs two sides. Raises Rejected:
    missing (no clearing participant with a house account), conflict (a file there that cannot be replaced).
    """
    housed = {one.participant for one in book.accounts if one.account_class is AccountClass.HOUSE}
    members = [one.code for one in book.participants if one.kind in _CLEARING and one.code in housed][:2]
    if len(members) < 2:
        raise refuse(RejectionReason.MISSING, "the book has no two clearing participants with a house account")
    custodians = [one.code for one in book.participants if one.kind is ParticipantKind.CUSTODIAN][:1]
    folder.mkdir(parents=True, exist_ok=True)
    people, keys, private = folder / "people.toml", folder / "keys.toml", folder / "participant.json"
    for old in (people, keys, private):
        _remove(old)
    roles = [
        ("operator1", Role.OPERATOR, ""), ("operator2", Role.OPERATOR, ""), ("regulator", Role.REGULATOR, ""),
        ("auditor", Role.AUDITOR, ""), ("participant1", Role.PARTICIPANT, members[0]),
        ("participant2", Role.PARTICIPANT, members[1]),
        *(("custodian", Role.CUSTODIAN, code) for code in custodians),
    ]  # fmt: skip
    made = []
    for name, role, participant in roles:
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        new_person(people, name, name, role, participant, password, clock)
        made.append(TrialPerson(name, password, str(role), participant))
    new_key(keys, private, "trial", Role.PARTICIPANT, members[0], clock)
    return Trial(str(people), str(keys), str(private), tuple(made))


def _remove(file: Path) -> None:
    try:
        os.unlink(file)
    except FileNotFoundError:
        return
    except OSError as error:
        raise refuse(RejectionReason.CONFLICT, f"cannot be replaced: {error.strerror}", file=str(file)) from None
