"""Keys and tokens for trying out: a key pair in a file that only its owner reads, and tokens signed with it."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from tsingma.api.keys import FINGERPRINT, PERSON, read_keys
from tsingma.api.permissions import MEMBERS, Role
from tsingma.api.tokens import LIFETIME_SECONDS_MAX, mint, new_private_key
from tsingma.basics.clock import Clock
from tsingma.basics.rejection import RejectionReason, refuse

AUDIENCE = "tsingma"
VALID_DAYS = 365


class NewKey(msgspec.Struct, frozen=True):
    """A key that was made: where its private part is, and what was added to the keys file."""

    id: str
    private_file: str
    keys_file: str
    stanza: str


def new_key(
    keys: Path, private_file: Path, name: str, role: Role, participant: str, clock: Clock,
    *, person: str = "", certificate: str = "",
) -> NewKey:  # fmt: skip
    """Make a key pair: the private part into a new file (mode 600), the public one to the end of the keys file.

    ``person`` answers for it, ``certificate`` (SHA-256) is the one it is bound to. The keys file is made when there is
    none. Raises Rejected: conflict (a file is there already, a role with or without
    a participant), duplicate (the id), and what is wrong with a keys file.
    """
    if (role in MEMBERS) != bool(participant):
        message = f"a key of a {role} belongs to {'a participant' if role in MEMBERS else 'none'}"
        raise refuse(RejectionReason.CONFLICT, message, field="participant")
    if keys.exists() and name in [key.id for key in read_keys(keys).key]:
        raise refuse(RejectionReason.DUPLICATE, "there is a key of this id", file=str(keys), field="id", subject=name)
    for field, value, form in (("person", person, PERSON), ("certificate", certificate, FINGERPRINT)):
        if not re.fullmatch(form, value):
            raise refuse(RejectionReason.MALFORMED, f"does not fit {form}", field=field)
    private = new_private_key()
    try:
        handle = os.open(private_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise refuse(RejectionReason.CONFLICT, f"cannot be made: {error.strerror}", file=str(private_file)) from None
    with os.fdopen(handle, "wb") as target:
        target.write(msgspec.json.encode({**private, "kid": name}))
    today = datetime.fromtimestamp(clock.now_ns() / 1e9, UTC).replace(microsecond=0, second=0, minute=0, hour=0)
    stanza = _stanza(name, private["x"], role, {"participant": participant, "person": person,
                                                "certificate": certificate}, today)  # fmt: skip
    head = "" if keys.exists() else f'audience = "{AUDIENCE}"\n'
    with keys.open("a", encoding="utf-8") as target_file:
        target_file.write(f"{head}\n{stanza}")
    read_keys(keys)
    return NewKey(name, str(private_file), str(keys), stanza)


def new_token(keys: Path, private_file: Path, seconds: int, clock: Clock) -> str:
    """Return a new token of a private key whose public part is in the keys file, good for ``seconds``.

    Raises Rejected: missing, malformed (private file), unknown (its id), out-of-range (seconds).
    """
    if not 1 <= seconds <= LIFETIME_SECONDS_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"1 to {LIFETIME_SECONDS_MAX} seconds", field="seconds")
    try:
        private = msgspec.json.decode(private_file.read_bytes(), type=dict[str, str])
    except OSError as error:
        raise refuse(RejectionReason.MISSING, f"cannot be read: {error.strerror}", file=str(private_file)) from None
    except msgspec.DecodeError:
        raise refuse(RejectionReason.MALFORMED, "is no private key", file=str(private_file)) from None
    known = read_keys(keys)
    name = private.pop("kid", "")
    found = next((key for key in known.key if key.id == name and key.public == private.get("x")), None)
    if found is None:
        raise refuse(RejectionReason.UNKNOWN, f"no key '{name}' of this pair", file=str(keys), field="id")
    try:
        return mint(private, name, found.issuer, known.audience, clock.now_ns() // 1_000_000_000, seconds)
    except (ValueError, KeyError):
        raise refuse(RejectionReason.MALFORMED, "is no private key", file=str(private_file)) from None


def _stanza(name: str, public: str, role: Role, more: dict[str, str], today: datetime) -> str:
    until = today + timedelta(days=VALID_DAYS)
    owner = more["participant"] or more["person"] or name
    rows = [
        "[[key]]", f'id = "{name}"', f'public = "{public}"', f'issuer = "{owner}"', f'role = "{role}"',
        *(f'{field} = "{value}"' for field, value in more.items() if value),
        f"valid_from = {today:%Y-%m-%dT%H:%M:%SZ}", f"valid_to = {until:%Y-%m-%dT%H:%M:%SZ}",
    ]  # fmt: skip
    return "\n".join(rows) + "\n"
