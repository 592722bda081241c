"""Files of messages: the business header of each (head.001) and the business file around them (head.002)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.messages.iso20022.leaves import Leaves, leaves_below, moment_text, read_moment, tag, text
from tsingma.messages.iso20022.parties import ISSUER, party_code
from tsingma.messages.iso20022.schema import BUSINESS_HEADER, FILE_HEADER, SPACE, Received

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Header(msgspec.Struct, frozen=True):
    """Who sends a message to whom (codes of participants), its identifier, and when it was made."""

    sender: str
    receiver: str
    identifier: str
    message: str
    created: datetime  # with its offset from UTC


def write_header(header: Header) -> str:
    """Return a business header."""
    if header.created.tzinfo is None:
        raise refuse(RejectionReason.MALFORMED, "a time without its offset from UTC", field="CreDt")
    return (
        f'<AppHdr xmlns="{SPACE}{BUSINESS_HEADER}">'
        + tag("Fr", _organisation(header.sender))
        + tag("To", _organisation(header.receiver))
        + text("BizMsgIdr", header.identifier)
        + text("MsgDefIdr", header.message)
        + text("CreDt", moment_text(header.created))
        + "</AppHdr>"
    )


def read_header(received: Received) -> Header | None:
    """Return the header of a message, or None without one; raises Rejected when it names another message."""
    if received.header is None:
        return None
    found = leaves_below(received.header, BUSINESS_HEADER)
    message = found["MsgDefIdr"]
    if message != received.message:
        raise refuse(
            RejectionReason.CONFLICT, f"the header names '{message}', the message is {received.message}",
            field="MsgDefIdr", remedy="name the message that follows",
        )  # fmt: skip
    return Header(
        sender=_of(found, "Fr"),
        receiver=_of(found, "To"),
        identifier=found["BizMsgIdr"],
        message=message,
        created=read_moment(found["CreDt"], "CreDt"),
    )


def write_file(documents: Sequence[str], identifier: str, created: datetime, headers: Sequence[Header] = ()) -> bytes:
    """Return messages as one business file, each after its header where headers are given (one a message).

    Raises InvariantBroken for none: a file without a message is none that may be sent.
    """
    if not documents:
        raise InvariantBroken("a business file without a message")
    parts = []
    for place, one in enumerate(documents):
        if headers:
            parts.append(tag("Pyld", write_header(headers[place])))
        parts.append(tag("Pyld", one))
    stamp = moment_text(created)
    described = tag(
        "PyldDesc", tag("PyldData", text("PyldIdr", identifier), text("CreDtAndTm", stamp)), text("PyldTp", "ISO20022")
    )
    body = "\n".join((described, *parts))
    return f'{DECLARATION}<Xchg xmlns="{SPACE}{FILE_HEADER}">{body}</Xchg>\n'.encode()


def message_of(document: str) -> str:
    """Return the identifier of a Document that was written here: ``sese.024.001.12``."""
    return document.split('"', 2)[1].removeprefix(SPACE)


def write_one(document: str) -> bytes:
    """Return one message as a file."""
    return (DECLARATION + document + "\n").encode()


def _organisation(code: str) -> str:
    scheme = tag("Othr", text("Id", code), text("Issr", ISSUER))
    return tag("OrgId", tag("Id", tag("OrgId", scheme)))


def _of(found: Leaves, side: str) -> str:
    path = f"{side}/OrgId/Id/OrgId/Othr"
    return party_code(found.get(f"{path}/Id", ""), found.get(f"{path}/Issr", ""), f"{side}/OrgId")
