"""Every message that is spoken goes to the oracle's classes and back, and is the same: all 43 schemas, none left out.

Goal: what we write says to others what it says to us. Method: one message of each kind (``iso_catalogue.py``) valid by
its schema, through the oracle's classes, canonical XML compared, read by us from what the oracle wrote and written
again, byte for byte. Drawn contents of each are in the tests of its family; this one counts that none is missing.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from iso_catalogue import MOMENT, Catalogue, Spoken
from iso_oracle import canonical, through_oracle
from iso_schemas import MESSAGES, load_classes
from lxml import etree
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.serializers import XmlSerializer

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))

from clearing_book import resolved

from tsingma.app.iso_files import TAKEN
from tsingma.app.iso_reading import READERS
from tsingma.messages.iso20022 import event_election, static_data
from tsingma.messages.iso20022.header import Header, read_header, write_file
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import BUSINESS_HEADER, FILE_HEADER, SPACE, read_messages, shipped

ALL = Catalogue(Directory(resolved()), "A", "B").all()
HEADERS = {BUSINESS_HEADER: "BusinessApplicationHeaderV04", FILE_HEADER: "BusinessFileHeaderV01"}
STATIC = (static_data.PARTIES, static_data.SECURITIES, static_data.ACCOUNTS)


def test_no_message_is_left_out() -> None:
    """Goal: a schema that is shipped is spoken, and tested. Method: shipped, taken, read and tried, as sets."""
    assert len(shipped()) == 43
    assert set(shipped()) == {*ALL, *HEADERS} == set(MESSAGES)
    assert {*TAKEN, *READERS, *STATIC, event_election.STATUS} == set(ALL)


@pytest.mark.parametrize("message", sorted(ALL))
def test_a_message_goes_to_the_oracle_and_back(message: str) -> None:
    """Goal: ours, theirs and ours again are one. Method: as the module says."""
    one: Spoken = ALL[message]
    ours = one.text.encode()
    (received,) = read_messages(ours)
    assert received.message == message
    theirs = through_oracle(ours, message)
    assert canonical(theirs) == canonical(ours)
    read = one.read(leaves_of(read_messages(theirs)[0]))
    assert one.write(read).encode() == ours
    assert read == one.read(leaves_of(received))


@pytest.mark.parametrize("message", sorted(HEADERS))
def test_headers_go_to_the_oracle_and_back(message: str) -> None:
    """Goal: so with head.001 and head.002. Method: every message with its header in one file, all of it compared."""
    headers = [Header("A", "HKSCC", f"M{place}", one, MOMENT) for place, one in enumerate(ALL)]
    data = write_file([one.text for one in ALL.values()], "F1", MOMENT, headers)
    received = read_messages(data)
    assert [one.message for one in received] == list(ALL)
    assert [read_header(one) for one in received] == headers
    module = load_classes(message)
    kind = getattr(module, HEADERS[message] + "".join(part.capitalize() for part in message.split(".")))
    parts = [etree.tostring(one.header) for one in received] if message == BUSINESS_HEADER else [data]
    for ours in parts:
        parsed = XmlParser().from_bytes(ours, kind)
        text = XmlSerializer().render(parsed, ns_map={None: f"{SPACE}{message}"})
        root = etree.fromstring(text.encode())
        root.tag = etree.fromstring(ours).tag
        assert bare(etree.tostring(root)) == bare(ours)


def bare(data: bytes) -> bytes:
    """Return canonical XML without the white space between elements and without prefixes."""
    out = etree.tostring(etree.fromstring(data, etree.XMLParser(remove_blank_text=True)))
    return etree.canonicalize(out.decode(), rewrite_prefixes=True, strip_text=True).encode()
