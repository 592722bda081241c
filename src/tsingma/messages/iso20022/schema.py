"""The border of XML: bytes in, checked elements out. Nothing outside the bytes is ever opened.

A file is UTF-8, has no document type declaration (so no entity but the five of XML), is bounded in size and depth, and
every message in it follows its schema. It holds one message (``Document``), or many in the business file of ISO 20022
(head.002, root ``Xchg``): payloads of a header (``AppHdr``, head.001) and its ``Document``, or of ``Document`` alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from copy import deepcopy
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import msgspec

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse

BYTES_MAX = 64 * 1024**2
MESSAGES_MAX = 100_000
DEPTH_MAX = 64
FAULTS_MAX = 100
FED_MAX = 64 * 1024  # bytes of a file that is fed whole to a parser that stands ready
SPACE = "urn:iso:std:iso:20022:tech:xsd:"
FILE_HEADER = "head.002.001.01"
BUSINESS_HEADER = "head.001.001.04"
_FILE, _PAYLOAD = f"{{{SPACE}{FILE_HEADER}}}Xchg", f"{{{SPACE}{FILE_HEADER}}}Pyld"
_HEADER = f"{{{SPACE}{BUSINESS_HEADER}}}AppHdr"
_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}"


class Received(msgspec.Struct, frozen=True, eq=False):
    """One message of a file: its identifier (``sese.023.001.11``), its ``Document``, and its header when it has one."""

    message: str
    document: Any  # lxml element
    header: Any | None
    place: int  # in the file, from 1


@cache
def shipped() -> tuple[str, ...]:
    """Return the identifiers of the messages whose schemas are shipped."""
    names = (entry.name for entry in files("tsingma.messages.iso20022").joinpath("schemas").iterdir())
    return tuple(sorted(name.removesuffix(".xsd") for name in names if name.endswith(".xsd")))


def read_messages(data: bytes, *, file: str = "", accept: tuple[str, ...] = ()) -> list[Received]:
    """Return the messages of a file, each valid by its schema; ``accept`` are identifiers (none: all shipped).

    Raises Rejected with file, line and element of every fault (at most 100): malformed (no XML, a declaration that is
    refused, a breach of the schema), unknown (a message that is not spoken here), limit (size, depth, number).
    """
    root = _parse(data, file)
    found = list(_messages(root, file)) if root.tag == _FILE else [Received(_identifier(root, file), root, None, 1)]
    if len(found) > MESSAGES_MAX:
        raise refuse(RejectionReason.LIMIT, f"{len(found)} messages, {MESSAGES_MAX} at most", file=file)
    wanted = frozenset(accept) if accept else _all_shipped()
    faults: list[Rejection] = []
    for received in found:
        if received.message in wanted:
            schema = _schema(received.message)
            if not schema(received.document):
                faults += _logged(schema, received.document, received.message, file)
        else:
            line = received.document.sourceline or 0
            message = f"'{received.message[:60]}' is not taken here"
            remedy = f"one of {', '.join(name for name in accept or shipped() if not name.startswith('head'))}"
            faults.append(_fault(message, file, line, "Document", remedy, RejectionReason.UNKNOWN))
        if received.header is not None:
            faults += _breaches(received.header, BUSINESS_HEADER, file)
        if len(faults) >= FAULTS_MAX:
            break
    if faults:
        raise Rejected(*faults[:FAULTS_MAX])
    return found


def validate(data: bytes, *, file: str = "") -> str:
    """Return the identifier of a single valid message; raises Rejected as ``read_messages`` does."""
    return read_messages(data, file=file)[0].message


@cache
def _all_shipped() -> frozenset[str]:
    return frozenset(shipped())


@cache
def _library() -> Any:
    try:
        from lxml import etree  # type: ignore[import-untyped]
    except ImportError:
        raise refuse(
            RejectionReason.MISSING, "lxml is not installed", remedy="pip install 'tsingma[messages]'"
        ) from None
    return etree


@cache
def _schema(message: str) -> Any:
    etree = _library()
    data = files("tsingma.messages.iso20022").joinpath("schemas", f"{message}.xsd").read_bytes()
    return etree.XMLSchema(etree.fromstring(data, _parser()))


def _new_parser() -> Any:
    """Return a parser that opens nothing, expands nothing and keeps libxml2's own limits."""
    return _library().XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False,
        dtd_validation=False, attribute_defaults=False, recover=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip


@cache
def _parser() -> Any:
    return _new_parser()


class _Ready(threading.local):
    """A parser that stands ready for the next file of a thread, None while it reads one."""

    parser: Any = None


_READY = _Ready()


def _fed(data: bytes) -> Any:
    """Return the root of a file that is fed to a parser: what ``fromstring`` returns or raises, a fourth sooner.

    ``fromstring`` copies memory in small pieces and moves them as it goes. A parser that raised is left behind, as it
    may hold half a file, and ``fromstring`` says what is wrong and where: a parser that is fed may not know the line.
    """
    parser = _READY.parser or _new_parser()
    _READY.parser = None
    try:
        parser.feed(data)
        root = parser.close()
    except _library().XMLSyntaxError:
        return _library().fromstring(data, _parser())
    parser.feed(b"")  # it takes its buffers now: after the tree is given back, glibc would sort all its pieces for them
    _READY.parser = parser
    return root


@cache
def _too_deep() -> Any:
    return _library().XPath("/" + "/".join(["*"] * (DEPTH_MAX + 1)))


@cache
def _beside_payloads() -> Any:
    later = "/*/*[position()>1]"
    return _library().XPath(f"/*/text()[normalize-space()] | {later}/text()[normalize-space()] | {later}/@*")


def _parse(data: bytes, file: str) -> Any:
    etree = _library()
    if len(data) > BYTES_MAX:
        raise refuse(
            RejectionReason.LIMIT, f"{len(data)} bytes, {BYTES_MAX} at most", file=file, remedy="send several files"
        )
    if 0 in data:  # UTF-16, UTF-32: a declaration could hide in them
        raise refuse(RejectionReason.MALFORMED, "is not UTF-8", file=file, remedy="encode the file in UTF-8")
    if 33 in data and (place := data.find(b"<!DOCTYPE")) >= 0:  # most files have no "!" at all, which is seen sooner
        line = data.count(b"\n", 0, place) + 1
        raise _refused("a document type declaration is refused", file, line, "DOCTYPE", "leave it out")
    try:
        root = _fed(data) if len(data) <= FED_MAX else etree.fromstring(data, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", 0) or 0
        text = str(getattr(error, "msg", None) or error)
        raise _refused(f"is no XML: {text[:200]}", file, line, "", "send well-formed XML in UTF-8") from None
    bounded = b"SplmtryData" not in data and (root.tag != _FILE or b"Sgntr" not in data)  # by the schemas
    if not bounded and _too_deep()(root):
        text = f"elements nest more than {DEPTH_MAX} deep"
        raise refuse(RejectionReason.LIMIT, text, file=file, remedy="no message is so deep")
    if b"chemaLocation" in data:  # schemaLocation, noNamespaceSchemaLocation: libxml2 would go and open what it names
        for element in root.iter("{*}*"):
            for name in ("schemaLocation", "noNamespaceSchemaLocation"):
                element.attrib.pop(_LOCATION + name, None)
    return root


def _messages(root: Any, file: str) -> Iterator[Received]:
    """Yield the messages of a business file."""
    header, place = None, 0
    for element in _payloads(root, file):
        if element.tag == _HEADER:
            if header is not None:
                raise _alone(header, file)
            header = element
        else:
            place += 1
            yield Received(_identifier(element, file), element, header, place)
            header = None
    if header is not None:
        raise _alone(header, file)
    if not place:
        raise refuse(RejectionReason.MISSING, "there is no message in it", file=file, field="Pyld")


def _payloads(root: Any, file: str) -> Iterator[Any]:
    """Yield what is in each ``Pyld``, after the rest of the file is checked: one element each.

    The head is checked on a copy without payloads, so that those are not gone through twice; then nothing may stand
    beside what is in them.
    """
    head = _library().Element(root.tag, root.attrib)
    head.extend(deepcopy(one) for one in root[:1])
    faults = _breaches(head, FILE_HEADER, file)
    if faults:
        raise Rejected(*faults[:FAULTS_MAX])
    if beside := _beside_payloads()(root):
        element = beside[0].getparent()  # or, of text, what it follows
        text = "text and attributes have no place beside payloads"
        raise _refused(text, file, element.sourceline or 0, element.tag.rpartition("}")[2], "leave them out")
    count = 1
    for payload in root.iterchildren(
        _PAYLOAD
    ):  # compared in libxml2: to ask 10,000 for their tags costs a tenth of all
        if len(payload) != 1:
            raise _no_payload(payload, file)
        count += 1
        yield payload[0]
    if count != len(root):
        raise _no_payload(next(one for one in root[1:] if one.tag != _PAYLOAD), file)


def _no_payload(element: Any, file: str) -> Rejected:
    text = "after the description of a file come payloads of one element each"
    return _refused(text, file, element.sourceline or 0, str(element.tag).rpartition("}")[2], "send Pyld")


def _alone(header: Any, file: str) -> Rejected:
    return _refused("a header without its message", file, header.sourceline or 0, "AppHdr", "add the Document")


def _identifier(element: Any, file: str) -> str:
    message = _message_of(element.tag)
    if not message:
        name = str(element.tag).rpartition("}")[2]
        remedy = f"send <Document xmlns='{SPACE}...'>, or many of them in <Xchg xmlns='{SPACE}{FILE_HEADER}'>"
        text = f"'{str(element.tag)[:120]}' is no ISO 20022 message"
        raise _refused(text, file, element.sourceline or 0, name[:60], remedy)
    return message


@lru_cache(maxsize=256)
def _message_of(tag: str) -> str:
    """Return the identifier of a Document's tag, "" for a tag that is none."""
    space, _, name = tag.removeprefix("{").rpartition("}")
    return space.removeprefix(SPACE) if name == "Document" and space.startswith(SPACE) else ""


def _breaches(element: Any, message: str, file: str) -> list[Rejection]:
    schema = _schema(message)
    return [] if schema(element) else _logged(schema, element, message, file)


def _logged(schema: Any, element: Any, message: str, file: str) -> list[Rejection]:
    """Return what a schema found when it last refused: ``element``."""
    faults: list[Rejection] = []
    for entry in schema.error_log:
        text = entry.message.replace(f"{{{SPACE}{message}}}", "")
        name = text.partition("Element '")[2].partition("'")[0]
        faults.append(_fault(text[:400], file, entry.line, name, f"follow the schema of {message}"))
    return faults or [_fault(f"is no {message}", file, element.sourceline or 0, "", f"follow the schema of {message}")]


def _fault(
    message: str, file: str, line: int, field: str, remedy: str,
    reason: RejectionReason = RejectionReason.MALFORMED,
) -> Rejection:  # fmt: skip
    return Rejection(reason=reason, message=message, file=file, line=line, field=field, remedy=remedy)


def _refused(message: str, file: str, line: int, field: str, remedy: str) -> Rejected:
    return Rejected(_fault(message, file, line, field, remedy))
