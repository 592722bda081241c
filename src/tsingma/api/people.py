"""The people file: who may sign in to the console, as what, and from when to when.

TOML: one ``[[person]]`` each with ``id``, ``name``, ``role``, ``participant`` (of members only), ``valid_from`` and
``valid_to`` (moments with an offset), and how they prove who they are: ``password`` (an argon2id hash), or ``issuer``
and ``subject`` at an OpenID Connect provider, or both. Passwords are hashed with argon2id (RFC 9106) under the
library's default parameters.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec

from tsingma.api.keys import FILE_BYTES_MAX, require_kind
from tsingma.api.permissions import MEMBERS, Role
from tsingma.basics.clock import Clock
from tsingma.basics.documents import parse_toml, read_bounded
from tsingma.basics.patterns import whole
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.reference.book import Participant

PEOPLE_MAX = 10_000
PASSWORD_LENGTH_MIN = 12  # NIST SP 800-63B-4 (July 2025), 3.1.1.2 asks for 15 where it stands alone, 8 at the least
PASSWORD_LENGTH_MAX = 256  # characters; what a hash is made of is bounded
VALID_DAYS = 365
_HASH = "$argon2id$"

# No control characters: C0, delete and C1 have no place in a name, and TOML takes most of them in no string.
Text = Annotated[str, msgspec.Meta(pattern=whole(r"[^\x00-\x1f\x7f-\x9f]*"), max_length=200)]
Id = Annotated[str, msgspec.Meta(pattern=whole("[a-z0-9][a-z0-9._-]{0,63}"))]


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person; ``participant`` is empty for roles that belong to none."""

    id: Id
    name: Annotated[Text, msgspec.Meta(min_length=1)]
    role: Role
    valid_from: datetime
    valid_to: datetime
    participant: Text = ""
    password: Text = ""
    issuer: Text = ""
    subject: Text = ""

    def is_valid(self, now_s: int) -> bool:
        """Return whether the person may act at a second since 1970."""
        return self.valid_from.timestamp() <= now_s < self.valid_to.timestamp()


class People(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A people file as it was read."""

    person: tuple[Person, ...] = ()


def read_people(path: Path) -> People:
    """Return the people of a file.

    Raises Rejected naming file and field: missing (file, proof), malformed (TOML, fields, hashes, times), duplicate
    (ids, subjects), conflict (a role with or without a participant against what it is), limit (size, number).
    """
    document = parse_toml(read_bounded(path, FILE_BYTES_MAX, remedy="tsingma serve person"), file=str(path))
    try:
        people = msgspec.convert(document, People)
    except msgspec.ValidationError as error:
        raise refuse(RejectionReason.MALFORMED, f"is no people file: {error}", file=str(path)) from None
    faults = _faults(people, str(path))
    if faults:
        raise Rejected(*faults)
    return people


def require_members(people: People, participants: Mapping[str, Participant], file: str) -> None:
    """Refuse people of a participant the book does not have, or whose kind of participant has another role or none."""
    faults = []
    for person in people.person:
        wrong = require_kind(person.role, person.participant, participants)
        if wrong is not None:
            faults.append(_fault(file, person, *wrong))
    if faults:
        raise Rejected(*faults)


def new_person(
    path: Path, person: str, name: str, role: Role, participant: str, password: str, clock: Clock,
    *, issuer: str = "", subject: str = "",
) -> Person:  # fmt: skip
    """Add a person to the end of a people file (made, mode 600, when there is none) and return it.

    An empty ``password`` or ``subject`` is none of it. Raises Rejected: duplicate (the id), out-of-range (length of the
    password), and what is wrong with a people file; the file is unchanged then.
    """
    if password and not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        message = f"{PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="password")
    today = datetime.fromtimestamp(clock.now_ns() // 1_000_000_000, UTC).replace(second=0, minute=0, hour=0)
    row = {
        "id": person, "name": name, "role": str(role), "participant": participant, "issuer": issuer,
        "subject": subject,
        "password": hashed(password) if password else "",
        "valid_from": today, "valid_to": today + timedelta(days=VALID_DAYS),
    }  # fmt: skip
    try:
        made = msgspec.convert(row, Person)
    except msgspec.ValidationError as error:
        raise refuse(RejectionReason.MALFORMED, f"is no person: {error}", subject=f"person {person}") from None
    before = read_people(path) if path.exists() else People()
    faults = _faults(People(person=(*before.person, made)), str(path))
    if faults:
        raise Rejected(*faults)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as target:
        target.write((("\n" if before.person else "") + _stanza(row)).encode())
    return made


def hashed(password: str) -> str:
    """Return the argon2id hash of a password under the library's default parameters, with a new salt."""
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password)


def _stanza(row: Mapping[str, object]) -> str:
    lines = ["[[person]]"]
    for name, value in row.items():
        if isinstance(value, datetime):
            lines.append(f"{name} = {value:%Y-%m-%dT%H:%M:%SZ}")
        elif value:
            lines.append(f"{name} = {msgspec.json.encode(value).decode()}")  # a basic string of TOML is one of JSON
    return "\n".join(lines) + "\n"


def _faults(people: People, file: str) -> list[Rejection]:
    if len(people.person) > PEOPLE_MAX:
        return [
            Rejection(reason=RejectionReason.LIMIT, message=f"{len(people.person)} people", file=file, field="person")
        ]
    faults, ids, subjects = [], set(), set()
    for person in people.person:
        if person.id in ids:
            faults.append(_fault(file, person, RejectionReason.DUPLICATE, "id", "is there twice"))
        account = (person.issuer, person.subject)
        if person.subject and account in subjects:
            faults.append(_fault(file, person, RejectionReason.DUPLICATE, "subject", "is another person's too"))
        ids.add(person.id)
        subjects.add(account)
        if bool(person.issuer) != bool(person.subject):
            faults.append(_fault(file, person, RejectionReason.MISSING, "issuer", "and subject belong together"))
        if not person.password and not person.subject:
            faults.append(_fault(file, person, RejectionReason.MISSING, "password", "neither password nor subject"))
        if person.password and not _is_hash(person.password):
            faults.append(_fault(file, person, RejectionReason.MALFORMED, "password", "is no argon2id hash"))
        if person.valid_from.tzinfo is None or person.valid_to.tzinfo is None:
            faults.append(_fault(file, person, RejectionReason.MALFORMED, "valid_from", "needs an offset, such as Z"))
        elif person.valid_from >= person.valid_to:
            faults.append(_fault(file, person, RejectionReason.OUT_OF_RANGE, "valid_to", "is not after valid_from"))
        if (person.role in MEMBERS) != bool(person.participant):
            message = f"a {person.role} belongs to {'a participant' if person.role in MEMBERS else 'none'}"
            faults.append(_fault(file, person, RejectionReason.CONFLICT, "participant", message))
    return faults


def _is_hash(text: str) -> bool:
    from argon2 import extract_parameters
    from argon2.exceptions import InvalidHash

    try:
        extract_parameters(text)
    except (InvalidHash, ValueError, IndexError):
        return False
    return text.startswith(_HASH)


def _fault(file: str, person: Person, reason: RejectionReason, field: str, message: str) -> Rejection:
    return Rejection(reason=reason, message=message, file=file, field=field, subject=f"person {person.id}")
