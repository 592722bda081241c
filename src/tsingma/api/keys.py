"""The keys file: whose signatures the house accepts, as what, and from when to when.

TOML: ``audience`` (the name tokens must be made out to) and one ``[[key]]`` each with ``id``, ``public`` (the 32 bytes
of an Ed25519 public key, base64url), ``issuer`` (who signs), ``role``, ``participant`` (of members only), ``person``
(who answers for what it does), ``certificate`` (of the client, see ``certificates``), ``valid_from`` and ``valid_to``
(moments with an offset). Two keys of one issuer whose times overlap are a rotation.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from tsingma.api.permissions import MEMBERS, Role
from tsingma.basics.documents import parse_toml, read_bounded
from tsingma.basics.patterns import whole
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.journal.origin import NAME_LENGTH_MAX
from tsingma.reference.book import Participant, ParticipantKind

FILE_BYTES_MAX = 4 * 1024 * 1024
KEYS_MAX = 10_000
PERSON = whole("([a-z0-9][a-z0-9._-]{0,63})?")  # an id of the people file
FINGERPRINT = whole("([0-9a-f]{64})?")  # SHA-256
PUBLIC_BYTES = 32  # RFC 8032, section 5.1.5: an Ed25519 public key

# Which participants may have keys at all, and as what: the house, its bank, issuers and links act through no key.
_KINDS = {
    ParticipantKind.DIRECT_CLEARING: Role.PARTICIPANT,
    ParticipantKind.GENERAL_CLEARING: Role.PARTICIPANT,
    ParticipantKind.CUSTODIAN: Role.CUSTODIAN,
}


class Key(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One public key; ``participant`` is empty for roles that belong to none.

    ``person`` is who answers for what the key does, by its id in the people file; acts of the operator need one.
    ``certificate`` (SHA-256, hexadecimal) is the one of the client over whose connections alone the key is good.
    """

    id: str
    public: str
    issuer: str
    role: Role
    valid_from: datetime
    valid_to: datetime
    participant: str = ""
    person: Annotated[str, msgspec.Meta(pattern=PERSON)] = ""
    certificate: Annotated[str, msgspec.Meta(pattern=FINGERPRINT)] = ""


class Keys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A keys file as it was read."""

    audience: str
    key: tuple[Key, ...] = ()


def read_keys(path: Path) -> Keys:
    """Return the keys of a file.

    Raises Rejected naming file and field: missing (file), malformed (TOML, fields, keys, times), duplicate (ids),
    conflict (a role with or without a participant against what it is), limit (size, number, lengths).
    """
    document = parse_toml(read_bounded(path, FILE_BYTES_MAX, remedy="tsingma serve key"), file=str(path))
    try:
        keys = msgspec.convert(document, Keys)
    except msgspec.ValidationError as error:
        raise refuse(RejectionReason.MALFORMED, f"is no keys file: {error}", file=str(path)) from None
    faults = _faults(keys, str(path))
    if faults:
        raise Rejected(*faults)
    return keys


def require_owners(keys: Keys, participants: Mapping[str, Participant], file: str) -> None:
    """Refuse keys whose participant the book does not have, or whose kind of participant has another role or none."""
    faults = []
    for key in keys.key:
        wrong = require_kind(key.role, key.participant, participants)
        if wrong is not None:
            faults.append(_fault(file, key, *wrong))
    if faults:
        raise Rejected(*faults)


def require_kind(
    role: Role, participant: str, participants: Mapping[str, Participant]
) -> tuple[RejectionReason, str, str] | None:
    """Return why nobody can have a role for a participant of the book (reason, field, message), or None."""
    if role not in MEMBERS:
        return None
    owner = participants.get(participant)
    if owner is None:
        return RejectionReason.UNKNOWN, "participant", "is not in the book of the house"
    if _KINDS.get(owner.kind) != role:
        return RejectionReason.NOT_ALLOWED, "role", f"is a {owner.kind} and cannot have the role {role}"
    return None


def public_bytes(text: str) -> bytes:
    """Return the bytes of a public key in base64url; raises ValueError when they are not 32."""
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(f"is not base64url: {error}") from None
    if len(found) != PUBLIC_BYTES:
        raise ValueError(f"has {len(found)} bytes, an Ed25519 public key has {PUBLIC_BYTES}")
    return found


def _faults(keys: Keys, file: str) -> list[Rejection]:
    if not keys.audience:
        return [Rejection(reason=RejectionReason.MISSING, message="no audience", file=file, field="audience")]
    if len(keys.key) > KEYS_MAX:
        return [Rejection(reason=RejectionReason.LIMIT, message=f"{len(keys.key)} keys", file=file, field="key")]
    faults, seen = [], set()
    owners: dict[bytes, tuple[str, str]] = {}
    for key in keys.key:
        if not key.id or not key.issuer:
            faults.append(_fault(file, key, RejectionReason.MISSING, "id, issuer", "must not be empty"))
        if max(len(key.id), len(key.issuer)) > NAME_LENGTH_MAX:
            message = f"{NAME_LENGTH_MAX} characters at most"
            faults.append(_fault(file, key, RejectionReason.LIMIT, "id, issuer", message))
        if key.id in seen:
            faults.append(_fault(file, key, RejectionReason.DUPLICATE, "id", "is there twice"))
        seen.add(key.id)
        owner = (key.issuer, key.person)
        try:  # by its bytes, which several texts can mean: one person would pass for two
            if owners.setdefault(public_bytes(key.public), owner) != owner:
                faults.append(_fault(file, key, RejectionReason.CONFLICT, "public", "is another owner's key too"))
        except ValueError as error:
            faults.append(_fault(file, key, RejectionReason.MALFORMED, "public", str(error)))
        if key.valid_from.tzinfo is None or key.valid_to.tzinfo is None:
            faults.append(_fault(file, key, RejectionReason.MALFORMED, "valid_from", "needs an offset, such as Z"))
        elif key.valid_from >= key.valid_to:
            faults.append(_fault(file, key, RejectionReason.OUT_OF_RANGE, "valid_to", "is not after valid_from"))
        if (key.role in MEMBERS) != bool(key.participant):
            message = f"a key of a {key.role} belongs to {'a participant' if key.role in MEMBERS else 'none'}"
            faults.append(_fault(file, key, RejectionReason.CONFLICT, "participant", message))
    return faults


def _fault(file: str, key: Key, reason: RejectionReason, field: str, message: str) -> Rejection:
    return Rejection(reason=reason, message=message, file=file, field=field, subject=f"key {key.id}")
