"""The oracle of ISO 20022 messages: classes of the whole catalogue, which parse and write without our code."""

from __future__ import annotations

import io

from iso_schemas import document_class
from lxml import etree
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.serializers import XmlSerializer

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
