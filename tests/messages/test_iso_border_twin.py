"""The border of XML beside a plain twin: what is read fast is what is read plainly, and so is what is refused.

Goal: no step that was taken for speed lets more in, or less. Method: a twin that parses each file anew from memory,
looks at every element for depth and for locations of schemas, goes through payloads one by one and validates each
message by the schema on disk; good files of every message, files spoilt from a seed and files written by hand to be
near the edge go through both. Messages, their content and the first refusal (reason, line, element) must be the same.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
from iso_catalogue import MOMENT, Catalogue
from iso_samples import DVP, INSTRUCTION, business_file, document
from iso_schemas import SCHEMAS
from lxml import etree

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "borders"))

from clearing_book import resolved
from spoiling import spoil

from tsingma.basics.rejection import Rejected
from tsingma.messages.iso20022 import schema
from tsingma.messages.iso20022.header import Header, write_file
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import DEPTH_MAX, FED_MAX, SPACE, read_messages, shipped

ALL = {name: one.text.encode() for name, one in Catalogue(Directory(resolved()), "A", "B").all().items()}
HEADER, PAYLOAD = f"{{{SPACE}head.001.001.04}}AppHdr", f"{{{SPACE}head.002.001.01}}Pyld"
FILE = f"{{{SPACE}head.002.001.01}}Xchg"
LOCATIONS = tuple(
    f"{{http://www.w3.org/2001/XMLSchema-instance}}{name}" for name in ("schemaLocation", "noNamespaceSchemaLocation")
)
ROUNDS, SOAK_ROUNDS = 40, 4_000
Told = tuple[object, ...]


class Refused(Exception):
    """What the plain twin refuses: its word for why."""


@cache
def plain_schema(message: str) -> etree.XMLSchema:
    """Return a schema as it is shipped."""
    return etree.XMLSchema(etree.parse(SCHEMAS / f"{message}.xsd"))


def plain_messages(data: bytes) -> list[Told]:
    """Return (message, place, canonical Document, canonical header) of a file, step by step; raises Refused."""
    if b"\x00" in data or b"<!DOCTYPE" in data:
        raise Refused("bytes")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Refused(f"no XML at {getattr(error, 'lineno', 0) or 0}") from None
    for element in root.iter():
        if sum(1 for _ in element.iterancestors()) >= DEPTH_MAX:
            raise Refused("depth")
        for name in LOCATIONS:
            element.attrib.pop(name, None)
    found: list[Told] = []
    for place, (header, element) in enumerate(pairs(root), 1):
        space, _, name = str(element.tag).removeprefix("{").rpartition("}")
        message = space.removeprefix(SPACE)
        if name != "Document" or not space.startswith(SPACE):
            raise Refused("no message")
        found.append((message, place, element, header))
    for message, _, element, header in found:
        if message not in shipped():
            raise Refused("unknown")
        for part, by in ((element, str(message)), (header, "head.001.001.04")):
            if part is not None and not alone(part, by):
                plain_schema(by).validate(part)  # where it stands, for the line
                raise Refused(f"schema at {plain_schema(by).error_log[0].line}")
    return [(message, place, canonical(element), canonical(header)) for message, place, element, header in found]


def pairs(root: etree._Element) -> Iterator[tuple[etree._Element | None, etree._Element]]:
    """Yield each message with its header; raises Refused."""
    if root.tag != FILE:
        yield None, root
        return
    around = deepcopy(root)
    for payload in around[1:]:
        for element in payload:
            other = etree.Element("any")
            other.tail = element.tail
            payload.replace(element, other)
    if not plain_schema("head.002.001.01").validate(around):
        raise Refused("file")
    header, several = None, 0
    for payload in root[1:]:
        if payload[0].tag != HEADER:
            several += 1
            yield header, payload[0]
            header = None
        elif header is not None:
            raise Refused("no payload")
        else:
            header = payload[0]
    if header is not None or not several:
        raise Refused("no payload")


def alone(element: etree._Element, message: str) -> bool:
    """Return whether an element is valid as a document of its own."""
    return bool(plain_schema(message).validate(etree.ElementTree(deepcopy(element))))


def canonical(element: etree._Element | None) -> bytes:
    """Return canonical XML of an element, b"" for none."""
    return b"" if element is None else etree.tostring(element, method="c14n", with_tail=False)


def compared(data: bytes) -> str:
    """Read a file both ways and return what it came to, after both have said the same."""
    try:
        plain: list[Told] | str = plain_messages(data)
    except Refused as refused:
        plain = str(refused)
    try:
        read = read_messages(data, file="F")
    except Rejected as rejected:
        first = rejected.rejections[0]
        assert isinstance(plain, str), f"refused: {first}"
        end, _, line = plain.partition(" at ")
        if line:
            assert first.message.startswith("is no XML") == (end == "no XML"), first
            assert line == str(first.line), first
        assert (first.reason == "limit") == (plain == "depth"), (first, plain)
        assert (first.reason == "unknown") == (plain == "unknown"), (first, plain)
        return end
    fast = [(one.message, one.place, canonical(one.document), canonical(one.header)) for one in read]
    assert fast == plain
    return "taken"


def many() -> bytes:
    """Return a file of every message, every second with a header."""
    headers = [Header("A", "HKSCC", f"M{place}", name, MOMENT) for place, name in enumerate(ALL)]
    return write_file([one.decode() for one in ALL.values()], "F1", MOMENT, headers)


@pytest.mark.parametrize("message", sorted(ALL))
def test_spoilt_messages_are_read_as_the_twin_reads_them(message: str) -> None:
    """Goal: as the module says. Method: each message, good, and spoilt from a seed; many are refused."""
    assert compared(ALL[message]) == "taken"
    ends = [compared(data) for data in spoilt(message, ROUNDS)]
    assert sum(end != "taken" for end in ends) > ROUNDS // 4


@pytest.mark.soak
@pytest.mark.parametrize("message", sorted(ALL))
def test_spoilt_messages_for_long(message: str) -> None:
    """Goal: the same for four thousand files of each message. Method: the same, from the same seed on."""
    assert len({compared(data) for data in spoilt(message, SOAK_ROUNDS)}) > 2


def spoilt(message: str, rounds: int) -> Iterator[bytes]:
    """Yield spoilt files of a message: alone, or among others with headers."""
    others = ALL[sorted(ALL)[sorted(ALL).index(message) - 1]]
    text = ALL[message].decode()
    header = Header("A", "HKSCC", "M1", message, MOMENT)
    business = write_file([text, text], "F1", MOMENT, [header, header])
    for turn in range(rounds):
        chance = random.Random(f"{message}/{turn}")
        yield spoil(chance.choice((ALL[message], ALL[message], business)), chance, others)


def deep(levels: int) -> bytes:
    """Return an order with supplementary data, its deepest element so many levels down."""
    inner = "<x>" * (levels - 4) + "</x>" * (levels - 4)
    extra = f"<SplmtryData><Envlp>{inner}</Envlp></SplmtryData></SctiesSttlmTxInstr>"
    return document(DVP.replace("</SctiesSttlmTxInstr>", extra))


GOOD = document()
LONG = GOOD + b"\n" * FED_MAX
XSI = b"xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"
EDGES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "no XML"),
    "blank": (b" \n ", "no XML"),
    "mark first": (b"\xef\xbb\xbf" + GOOD, "taken"),
    "mark twice": (b"\xef\xbb\xbf" * 2 + GOOD, "no XML"),
    "declared UTF-8": (b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>" + GOOD, "taken"),
    "declared Latin-1 and is UTF-8": (b"<?xml version='1.0' encoding='ISO-8859-1'?>" + GOOD, "taken"),
    "declared UTF-7": (b"<?xml version='1.0' encoding='UTF-7'?>+ADw-a+AD4-" + GOOD, "no XML"),
    "declared UTF-16": (b"<?xml version='1.0' encoding='UTF-16'?>" + GOOD, "taken"),
    "declared unknown": (b"<?xml version='1.0' encoding='X-NONE'?>" + GOOD, "taken"),
    "declared late": (b" <?xml version='1.0'?>" + GOOD, "no XML"),
    "declared 1.1": (b"<?xml version='1.1'?>" + GOOD, "taken"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "bytes"),
    "EBCDIC": (GOOD.decode().encode("cp500"), "no XML"),
    "Latin-1": (document(DVP.replace(">1<", ">\u00e9<")).decode().encode("latin-1"), "no XML"),
    "overlong": (GOOD.replace(b">1<", b">\xc0\xbc<", 1), "no XML"),
    "surrogate": (GOOD.replace(b">1<", b">\xed\xa0\x80<", 1), "no XML"),
    "cut in a letter": (GOOD[:300] + b"\xc3", "no XML"),
    "cut in an end": (GOOD[:-1], "no XML"),
    "a null after the end": (GOOD + b"\x00", "bytes"),
    "letters after the end": (GOOD + b"x", "no XML"),
    "another after the end": (GOOD + GOOD, "no XML"),
    "blank after the end": (GOOD + b" " * 5_000, "taken"),
    "comments": (b"<!-- a -->" + GOOD.replace(b">1<", b">1<!-- > --><", 1) + b"<!-- b -->", "taken"),
    "instructions": (b"<?a b?>" + GOOD + b"<?c?>", "taken"),
    "a CDATA section": (GOOD.replace(b">1<", b"><![CDATA[1]]><", 1), "taken"),
    "a CDATA section that does not end": (GOOD.replace(b">1<", b"><![CDATA[1<", 1), "no XML"),
    "a declaration in a CDATA section": (GOOD.replace(b">1<", b"><![CDATA[<!DOCTYPE]]><", 1), "bytes"),
    "a declaration in small letters": (b"<!doctype a>" + GOOD, "no XML"),
    "character references": (GOOD.replace(b">1<", b">&#49;&#x31;<", 1), "taken"),
    "a reference to a null": (GOOD.replace(b">1<", b">&#0;<", 1), "no XML"),
    "the five entities": (GOOD.replace(b">1<", b">&lt;&gt;&amp;&quot;&apos;<", 1), "taken"),
    "an entity of nobody": (GOOD.replace(b">1<", b">&x;<", 1), "no XML"),
    "a prefix": (GOOD.replace(b"<", b"<p:").replace(b"<p:/", b"</p:").replace(b"xmlns=", b"xmlns:p=", 1), "taken"),
    "a prefix of nobody": (GOOD.replace(b"<TxId>1</TxId>", b"<q:TxId>1</q:TxId>", 1), "no XML"),
    "an attribute twice": (GOOD.replace(b"Ccy='HKD'", b"Ccy='HKD' Ccy='HKD'", 1), "no XML"),
    "an attribute of nobody": (GOOD.replace(b"<TxId>", b"<TxId a='1'>", 1), "schema"),
    "a namespace of nobody": (document(message="sese.023.001.99"), "unknown"),
    "no namespace": (b"<Document/>", "no message"),
    "a header alone": (f"<AppHdr xmlns='{SPACE}head.001.001.04'/>".encode(), "no message"),
    "a name twice": (GOOD.replace(b"<TxId>", b"<TxId xml:id='a'>", 1), "schema"),
    "a schema of the sender": (GOOD.replace(b"<Document", b"<Document " + XSI + b" xsi:schemaLocation='a b'"), "taken"),
    "another of the sender": (
        GOOD.replace(b"<TxId", b"<TxId " + XSI + b" xsi:noNamespaceSchemaLocation='a'", 1), "taken"),
    "a type of the sender": (GOOD.replace(b"<TxId", b"<TxId " + XSI + b" xsi:type='Max3'", 1), "schema"),
    "nothing, said by the sender": (GOOD.replace(b"<TxId", b"<TxId " + XSI + b" xsi:nil='true'", 1), "schema"),
    "levels to the limit": (deep(DEPTH_MAX), "taken"),
    "a level more": (deep(DEPTH_MAX + 1), "depth"),
    "levels in a signature": (
        business_file(GOOD).replace(b"</PyldDesc>", b"</PyldDesc><Pyld><Sgntr>" + b"<x>" * 70 + b"</x>" * 70
                                    + b"</Sgntr></Pyld>"), "depth"),
    "levels without envelope": (document("<a>" * 60 + "</a>" * 60), "schema"),
    "levels that libxml2 refuses": (b"<a>" * 5_000, "no XML"),
    "long": (LONG, "taken"),
    "long and cut": (LONG[: len(GOOD) - 3] + b" " * FED_MAX, "no XML"),
    "long and garbled": (LONG + b"x", "no XML"),
    "a long text": (GOOD.replace(b">1<", b">" + b"1" * FED_MAX + b"<", 1), "schema"),
    "as long as is fed": (GOOD + b" " * (FED_MAX - len(GOOD)), "taken"),
    "longer by one": (GOOD + b" " * (FED_MAX + 1 - len(GOOD)), "taken"),
    "a file of all": (many(), "taken"),
    "a file of none": (business_file(), "no payload"),
    "a file with two in a payload": (business_file(GOOD + GOOD), "file"),
    "a file with an empty payload": (business_file(b"", GOOD), "file"),
    "a file with something else": (business_file(GOOD).replace(b"</Xchg>", b"<Other/></Xchg>"), "file"),
    "a file with something else amid": (
        business_file(GOOD, GOOD).replace(b"</Pyld><Pyld>", b"</Pyld><Pyld2/><Pyld>"), "file"),
    "a file with text between": (business_file(GOOD, GOOD).replace(b"</Pyld><Pyld>", b"</Pyld>text<Pyld>"), "file"),
    "a file with blank between": (business_file(GOOD, GOOD).replace(b"</Pyld><Pyld>", b"</Pyld>\n <Pyld>\t"), "taken"),
    "a file with text in it": (business_file(GOOD, GOOD).replace(b"</Pyld><Pyld>", b"</Pyld><Pyld>text"), "file"),
    "a file with text after it": (business_file(GOOD, GOOD).replace(b"</Pyld><Pyld>", b"text</Pyld><Pyld>"), "file"),
    "a file with an attribute": (business_file(GOOD, GOOD).replace(b"</Pyld><Pyld>", b"</Pyld><Pyld a='1'>"), "file"),
    "a file with a bad head": (business_file(GOOD).replace(b"PyldIdr", b"Pyld"), "file"),
    "a file without its head": (
        b"<Xchg xmlns='" + f"{SPACE}head.002.001.01".encode() + b"'><Pyld>" + GOOD + b"</Pyld></Xchg>", "file"),
}  # fmt: skip


@pytest.mark.parametrize("edge", sorted(EDGES))
def test_edges_are_read_as_the_twin_reads_them(edge: str) -> None:
    """Goal: as the module says, and each edge ends as it should. Method: files written by hand."""
    data, end = EDGES[edge]
    assert compared(data) == end


def test_a_refused_file_leaves_nothing_behind() -> None:
    """Goal: a parser that has seen half a file is not used again. Method: each edge, then a good file; parsers kept."""
    for data, end in EDGES.values():
        assert compared(ALL[INSTRUCTION]) == "taken"
        parser = schema._READY.parser
        assert compared(data) == end
        assert (schema._READY.parser is parser is not None) == (end != "no XML" or len(data) > FED_MAX)


def test_threads_do_not_mix_files() -> None:
    """Goal: a parser is in one hand only. Method: four threads, each its own good files and bad ones between."""
    names = [sorted(ALL)[start::4] for start in range(4)]

    def reads(several: list[str]) -> list[str]:
        found = []
        for turn in range(20):
            for name in several:
                found.append(read_messages(ALL[name])[0].document[0].getparent().tag.partition("xsd:")[2][:15])
                with pytest.raises(Rejected):
                    read_messages(ALL[name][: -1 - turn])
        return found

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(reads, names)) == [several * 20 for several in names]


def test_only_envelopes_and_signatures_are_open() -> None:
    """Goal: what bounds depth is looked for under its name. Method: wildcards of every schema, and where they stand."""
    xsd = "{http://www.w3.org/2001/XMLSchema}"
    for message in shipped():
        root = etree.parse(SCHEMAS / f"{message}.xsd").getroot()
        types = {one.getparent().getparent().get("name") for one in root.iter(f"{xsd}any")}
        assert types or message.startswith("head")
        for kind in types:
            holders = {one.get("name") for one in root.iter(f"{xsd}element") if one.get("type") == kind}
            around = {
                one.get("name")
                for one in root.iter(f"{xsd}element")
                if root.find(f"{xsd}complexType[@name='{one.get('type')}']//{xsd}element[@type='{kind}']") is not None
            }
            if message.startswith("head"):
                assert holders <= {"Sgntr", "Pyld"}
            else:
                assert (holders, around) == ({"Envlp"}, {"SplmtryData"})
