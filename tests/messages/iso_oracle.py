"""The oracle of ISO 20022 messages: classes of the whole catalogue, which parse and write without our code."""

from __future__ import annotations

import io
from collections.abc import Callable

from iso_schemas import document_class
from lxml import etree
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.serializers import XmlSerializer

from tsingma.messages.iso20022.leaves import Leaves, leaves_of
from tsingma.messages.iso20022.schema import read_messages

SPACE = "urn:iso:std:iso:20022:tech:xsd:"


def through_oracle(document: bytes, message: str) -> bytes:
    """Return a Document parsed into the oracle's classes and written by them (whose root is named for its class)."""
    kind = document_class(message)
    parsed = XmlParser().from_bytes(document, kind)
    text = XmlSerializer().render(parsed, ns_map={None: f"{SPACE}{message}"})
    root = etree.fromstring(text.encode())
    root.tag = f"{{{SPACE}{message}}}Document"
    return etree.tostring(root)


def canonical(document: bytes) -> bytes:
    """Return canonical XML (C14N 2.0)."""
    out = io.BytesIO()
    etree.fromstring(document).getroottree().write_c14n(out)
    return out.getvalue()


def same(text: str, message: str, read: Callable[[Leaves], object]) -> object:
    """Return what a document reads as, after the schema and the oracle's classes agree with it."""
    ours = text.encode()
    (received,) = read_messages(ours)
    assert received.message == message
    theirs = through_oracle(ours, message)
    assert canonical(theirs) == canonical(ours)
    return read(leaves_of(read_messages(theirs)[0]))
